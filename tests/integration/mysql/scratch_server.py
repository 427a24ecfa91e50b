# tests/integration/mysql/scratch_server.py
# SPDX-License-Identifier: Apache-2.0
#
# Restores to scratch: onto a server that is there, by an account with no more rights than the
# document says; and into an instance, which nothing of how the source is reached gets into.
#
# Usage: scratch_server.py SERVER
import os
import sys

import place
import mysql
import proof

SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, what text, KEY w (what(10)));
INSERT INTO orders (what) VALUES ('a'), (NULL);
CREATE TABLE parts (id int PRIMARY KEY, o int, FOREIGN KEY (o) REFERENCES orders (id));
CREATE SQL SECURITY INVOKER VIEW recent AS SELECT * FROM orders;
CREATE USER app IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO app;
"""

VERIFY = """
CREATE USER backstay_verify IDENTIFIED BY 'secret';
GRANT ALL ON `backstay\\_scratch\\_%`.* TO backstay_verify;
"""


def left(server):
    return server.column("SHOW DATABASES LIKE 'backstay\\_scratch\\_%'")


def onto_a_server(server, there):
    with mysql.Server(server.flavour) as other:
        other.sql(VERIFY)
        there.source("shop", scratch_server=other.url(user="backstay_verify").replace(
            "backstay_verify@", "backstay_verify:secret@"))
        result = there.restore("scratch", "--keep", "0", "--no-owner")
        place.facts_are_equal("a scratch server: all facts are equal", result)
        proof.ok("nothing is left there", not left(other), left(other))
        result = there.restore("scratch", "--keep", "10m", "--no-owner")
        scratch = result.json()["scratch"]
        names = left(other)
        proof.ok("what is kept has its marker and its database beside it",
                 len(names) == 2 and names[1] == names[0] + "_shop", names)
        there.run("scratch", "remove", "db", scratch["marker"])
        proof.ok("and goes when it is told to", not left(other), left(other))


def into_an_instance(server, there):
    """The account has a password, which the environment knows; the instance's has none."""
    os.environ["MYSQL_PWD"] = "secret"
    try:
        there.source("shop", url=server.url("shop", "app"))
        result = there.restore("scratch", "--keep", "0")
    finally:
        del os.environ["MYSQL_PWD"]
    place.facts_are_equal("an instance: all facts are equal", result)


def main():
    with mysql.Server(sys.argv[1], binlog=True) as server, place.Place(server, "shop") as there:
        server.sql(SHOP)
        there.backup()
        onto_a_server(server, there)
        into_an_instance(server, there)


main()
proof.end()
