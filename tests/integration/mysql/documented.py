# tests/integration/mysql/documented.py
# SPDX-License-Identifier: Apache-2.0
#
# docs/sources/mysql.md does as it says: the account that it makes may back up all, and the commands
# that it gives load a backup with the client alone.
#
# Usage: documented.py SERVER
import os
import re
import subprocess
import sys

from doctor import Doctor  # which tells Python where the next ones are

import mysql
import proof

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "..", "docs", "sources", "mysql.md")

SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, what text, KEY w (what(10)));
INSERT INTO orders (what) VALUES ('a\\tb'), (NULL);
CREATE TABLE parts (id int PRIMARY KEY, o int, FOREIGN KEY (o) REFERENCES orders (id));
INSERT INTO parts VALUES (1, 2);
CREATE VIEW recent AS SELECT * FROM orders;
CREATE TRIGGER noted BEFORE INSERT ON orders FOR EACH ROW SET NEW.what = 'x';
CREATE PROCEDURE tidy() DELETE FROM orders;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders;
"""

# What there is to compare, as a client sees it.
SEEN = ("SELECT * FROM shop.orders ORDER BY id", "SELECT * FROM shop.parts",
        "SHOW CREATE TABLE shop.orders", "SHOW CREATE TABLE shop.parts",
        "SHOW CREATE VIEW shop.recent", "SHOW CREATE TRIGGER shop.noted",
        "SHOW CREATE PROCEDURE shop.tidy", "SHOW CREATE EVENT shop.nightly")


def blocks(page, heading, language):
    """The blocks of code in @language below @heading."""
    return re.findall(r"^```%s\n(.*?)^```" % language, page[page.index("\n%s\n" % heading):],
                      re.S | re.M)


def seen(server):
    """Without the times at which things were made, which are their own."""
    cells = [server.query(statement) for statement in SEEN]
    return [[tuple(cell for cell in row if not re.match(r"\d{4}-\d\d-\d\d ", cell))
             for row in rows] for rows in cells]


def the_account(page, server, there):
    of_mariadb, of_mysql = blocks(page, "### The account", "sql")[:2]
    server.sql((of_mariadb if server.mariadb else of_mysql).replace("'...'", "'secret'"))
    there.source("shop", url=server.url("shop", "backstay").replace("backstay@",
                                                                    "backstay:secret@"))
    found = there.say()
    proof.ok("doctor finds nothing that the account lacks",
             found and all(severity in ("ok", "info") for severity, _, _ in found), found)
    there.backup()


def by_hand(page, server, there):
    there.run("export", "latest", "--output", "snapshot.tar.zst")
    os.mkdir(there.at("files"))
    subprocess.run("zstd -dcq snapshot.tar.zst | tar -x --warning=no-unknown-keyword -C files",
                   shell=True, cwd=there.path, check=True)
    _, load, count = blocks(page, "## Loading a backup by hand", "sh")[:3]
    with mysql.Server(server.flavour) as other:
        client = "%s --no-defaults --socket=%s " % (other.client, other.socket)
        load, times = re.subn(r'client="mariadb ', lambda _: 'client="' + client, load)
        proof.ok("the commands name their client once", times == 1, load)
        other.sql("SET GLOBAL local_infile = 1")
        done = subprocess.run(["sh", "-c", load], cwd=there.at("files"), capture_output=True,
                              text=True, env=mysql.environment(), check=False)
        proof.ok("the commands load a backup without a word",
                 done.returncode == 0 and not done.stdout and not done.stderr, done)
        proof.ok("what they have made is what was backed up", seen(other) == seen(server),
                 "%s\n%s" % (seen(server), seen(other)))
        proof.ok("the account is there", other.value(
            "SELECT COUNT(*) FROM mysql.user WHERE User = 'backstay'") == "1")
    done = subprocess.run(["sh", "-c", count], cwd=there.at("files"), capture_output=True,
                          text=True, check=False)
    proof.ok("the numbers of rows are told", done.stdout == "2\tshop.orders\n1\tshop.parts\n", done)


def main():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    with mysql.Server(sys.argv[1], binlog=True) as server, Doctor(server, "shop") as there:
        server.sql(SHOP)
        the_account(page, server, there)
        by_hand(page, server, there)
        with there.scratch() as (_, copy):
            proof.ok("a scratch instance has it, too", seen(copy)[:2] == seen(server)[:2])


main()
proof.end()
