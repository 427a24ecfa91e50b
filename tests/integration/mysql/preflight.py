# tests/integration/mysql/preflight.py
# SPDX-License-Identifier: Apache-2.0
#
# What `backstay doctor` says of a MySQL or MariaDB server: each finding is brought about, its text
# is compared, the statements that it proposes are executed as they stand, and then it must be gone.
#
# Usage: preflight.py SERVER
import re
import sys

from doctor import Doctor  # which tells Python where the next ones are

import mysql
import proof

SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE orders (id int PRIMARY KEY, what text) ENGINE=InnoDB;
CREATE VIEW recent AS SELECT * FROM orders;
CREATE TRIGGER noted BEFORE INSERT ON orders FOR EACH ROW SET NEW.what = 'x';
CREATE PROCEDURE tidy() DELETE FROM orders;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders;
"""


def statements(text):
    """The lines of a finding that are statements."""
    return [line for line in text.split("\n")[1:] if line.endswith(";")]


def obey(server, text):
    for statement in statements(text):
        server.sql(statement)


def test_rights(server, there):
    """An account with nothing but a name, then with what is proposed."""
    server.sql("CREATE USER backstay; GRANT SELECT ON shop.orders TO backstay")
    there.source("shop", url=server.url("shop", "backstay"))
    missing = "SELECT, SHOW VIEW, TRIGGER, EVENT"
    routines = "GRANT SELECT ON mysql.proc TO 'backstay'@'%';"
    if not server.mariadb:
        missing = "SELECT, SHOW VIEW, TRIGGER, LOCK TABLES, EVENT"
        routines = "GRANT SHOW_ROUTINE ON *.* TO 'backstay'@'%';"
    text = ("'backstay'@'%%' may not see all of the database, and what it may not see would not be "
            "in the backup; as an administrator:\nGRANT %s ON `shop`.* TO 'backstay'@'%%';\n%s" % (
                missing, routines))
    there.says("missing rights are named with the statements that grant them", "rights",
               ("bad", text))
    proof.ok("what cannot be backed up makes the exit code that of a source",
             there.result.code == 14, there.result)
    obey(server, text)
    there.says("after these statements, all can be read", "rights",
               ("ok", "1 tables, all of them readable"))
    there.says("accounts that may not be read are named with the statement", "accounts",
               ("warning", "not in the backup, as 'backstay'@'%' may not read them; set users: "
                "false, or as an administrator:\nGRANT SELECT ON mysql.* TO 'backstay'@'%';"))
    result = there.attempt("backup", "--json")
    proof.ok("a backup without accounts is one with a warning", result.code == 3, result)
    obey(server, there.of("accounts")[0][1])
    there.says("after that statement, accounts can be read", "accounts",
               ("ok", "readable; they are in the backup"))
    there.backup()
    facts = there.run("show", "latest", "--json").out
    for kind in ("views", "triggers", "procedures", "events"):
        proof.ok("%s are in the backup" % kind, re.search(
            r'count:%s"[^}]*?"1"' % kind, facts), facts[-1500:])


def test_roles(server, there):
    """Rights that come from a role, and those that everybody has."""
    rights = "SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES"
    routines = "SELECT ON mysql.proc" if server.mariadb else "SHOW_ROUTINE ON *.*"
    server.sql("CREATE ROLE reader; GRANT %s ON shop.* TO reader; GRANT %s TO reader;"
               "CREATE USER worker; GRANT reader TO worker; SET DEFAULT ROLE reader %s worker" % (
                   rights, routines, "FOR" if server.mariadb else "TO"))
    there.source("shop", url=server.url("shop", "worker"), users=False)
    there.says("rights of an active role count", "rights",
               ("ok", "1 tables, all of them readable"))
    there.backup()
    if server.mariadb:
        server.sql("CREATE USER anybody; GRANT %s ON shop.* TO PUBLIC; GRANT %s TO PUBLIC" % (
            rights, routines))
        there.source("shop", url=server.url("shop", "anybody"), users=False)
        there.says("rights that everybody has count", "rights",
                   ("ok", "1 tables, all of them readable"))
        server.sql("REVOKE %s ON shop.* FROM PUBLIC; REVOKE %s FROM PUBLIC" % (rights, routines))


def test_odd_names(server, there):
    server.sql("CREATE DATABASE `o_d%d``s`; CREATE TABLE `o_d%d``s`.t (a int primary key);"
               "CREATE USER `we\"ird ' name`@`localhost`")
    there.source("o_d%d`s", url=server.url("o_d%d`s", "we\"ird ' name"), users=False)
    result = there.say()
    proof.ok("a database that may not be seen at all is said to be so", result and
             "there is no database o_d%d`s, or the account may not see it" in there.error or
             "Access denied" in there.error, there.error)
    server.sql("GRANT SELECT ON `o_d%d``s`.t TO `we\"ird ' name`@`localhost`")
    found = there.of("rights")
    proof.ok("odd names: rights are missing", len(found) == 1 and found[0][0] == "bad", found)
    obey(server, found[0][1])
    there.says("odd names: the statements work", "rights",
               ("ok", "1 tables, all of them readable"))


def test_objects(server, there):
    server.sql("""
        CREATE DATABASE things; USE things;
        CREATE TABLE old (a int) ENGINE=MyISAM;
        CREATE TABLE base (a int);
        CREATE VIEW broken AS SELECT * FROM base;
        DROP TABLE base;
        CREATE TABLE good (a int PRIMARY KEY);
        CREATE DEFINER = 'nobody'@'nowhere' SQL SECURITY INVOKER VIEW orphan AS SELECT * FROM good;
        """)
    there.source("things")
    there.says("tables without snapshots are named", "engines",
               ("warning", "1 tables have no snapshots, so their rows are those of the moment when "
                "they are read: things.old (MyISAM); ALTER TABLE ... ENGINE=InnoDB changes that, "
                "structure_only leaves their rows out"))
    there.says("views that cannot be used are named", "views",
               ("warning", "1 views cannot be used (what they are made from is gone, or their "
                "definer may not): broken; mend or drop them: a restore cannot make what cannot "
                "be used"))
    there.source("things", exclude_tables=["things.broken"])
    there.says("but not those that are left out", "views")
    there.source("things")
    there.says("definers that are not there are named", "definers",
               ("warning", "1 accounts define objects and are not there, so that these objects "
                "cannot be used: nobody@nowhere; make the accounts, or the objects anew"))
    server.sql("USE things; ALTER TABLE old ENGINE=InnoDB; DROP VIEW broken, orphan")
    for subject in ("engines", "views", "definers"):
        there.says("and %s are gone when they are mended" % subject, subject)


def test_server(server, there):
    there.source("shop")
    product = "MariaDB" if server.mariadb else "MySQL"
    there.matches("the version is told", "server", "ok", r"%s [\d.]+" % product)
    there.matches("the account is told", "connection", "ok",
                  r"account 'root'@'localhost', %s on /.*" % product)
    there.says("a socket needs no encryption", "encryption",
               ("ok", "none; nothing leaves this machine"))
    if server.mariadb:
        there.says("with a binary log, snapshots are compared", "consistency",
                   ("ok", "snapshots of all connections at the same position of the binary log; no "
                    "locks"))
        there.matches("the binary log is told", "binary log", "ok",
                      r"on, format \w+; each snapshot says its position in it")
        there.source("shop", consistency="lock")
        there.says("locks are told when they are chosen", "consistency",
                   ("ok", "snapshots of all connections while commits wait (BACKUP STAGE), for at "
                    "most 5 s"))
        there.source("shop", jobs=1)
        there.says("one connection needs no locks", "consistency",
                   ("ok", "one snapshot of one connection; no locks"))
    elif not server.mariadb:
        there.says("MySQL has its writers wait", "consistency",
                   ("ok", "snapshots of all connections while writers wait (LOCK TABLES), for at "
                    "most 5 s"))
    there.source("shop")
    there.matches("a scratch instance can be made", "restore to scratch", "ok",
                  r"instances are made by /.*, version .*, run by the user .*")
    there.source("shop", users=False)
    there.says("accounts may be left out", "accounts",
               ("ok", "not in the backup, as \"users\" says"))
    there.source("shop", databases=["shop", "things"], url=server.url())
    subjects = [subject for _, subject, _ in there.say()]
    proof.ok("of several databases, each has its own lines",
             "shop: rights" in subjects and "things: rights" in subjects, subjects)


def main():
    flavour = sys.argv[1]
    with mysql.Server(flavour, binlog=True) as server:
        server.sql(SHOP)
        with Doctor(server, "shop") as there:
            test_rights(server, there)
            test_roles(server, there)
            test_odd_names(server, there)
            test_objects(server, there)
            test_server(server, there)


main()
proof.end()
