# tests/integration/mysql/comparison.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: comparison.py SERVER
#
# The judge is judged: same.py calls a copy of a server's files equal, and names each damage in it by
# itself. The database itself is judged, too.
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e"), os.path.join(HERE, "..", "..", "support")]
import mysql  # noqa: E402
import proof  # noqa: E402
import same  # noqa: E402
import torture  # noqa: E402

# What is done to the copy, and the beginning of the line that must tell of it.
DAMAGES = {
    "one row is missing": ("DELETE FROM wider WHERE id = 4711", "rows of wider:"),
    "one value is another": ("UPDATE texts SET v = CONCAT(v, ' ') WHERE id = 3", "rows of texts:"),
    "one digit of a float is another": ("UPDATE floats SET f = 16777214 WHERE id = 1",
                                        "rows of floats:"),
    "minus zero became zero": ("UPDATE floats SET d = 0 WHERE id = 9", "rows of floats:"),
    "a null became an empty text": ("UPDATE indexed SET a = NULL WHERE id = 1", "rows of indexed:"),
    "two rows have swapped a value": (
        "UPDATE key_unique SET t = 999 - t WHERE a IN (0, 999)", "rows of key_unique:"),
    "what is no member became the member ''": ("UPDATE choices SET e = '' WHERE id = 8",
                                               "rows of choices:"),
    "an invalid byte became a question mark": ("UPDATE invalid_ascii SET v = '?' WHERE n = 0",
                                               "rows of invalid_ascii:"),
    "a hidden column is another": ("UPDATE hidden SET h = 12 WHERE id = 1", "rows of hidden:"),
    "a microsecond is missing": ("UPDATE times SET dt6 = dt6 - INTERVAL 1 MICROSECOND WHERE id = 2",
                                 "rows of times:"),
    "a table is empty": ("TRUNCATE by_hash", "rows of by_hash:"),
    "one byte of 64 MiB is another": ("UPDATE large SET b = CONCAT(LEFT(b, 40000000), 'x', SUBSTR(b, 40000002))"
                                      " WHERE id = 4", "rows of large:"),
    "the next number is another": ("ALTER TABLE key_auto AUTO_INCREMENT = 4000",
                                   "create TABLE key_auto:"),
    "a secondary key is missing": ("ALTER TABLE key_composite DROP KEY c", "create TABLE key_composite:"),
    "keys are in another order": ("ALTER TABLE digits_3 ADD KEY one (n), ADD KEY two (n);",
                                  "create TABLE digits_3:"),
    "a foreign key is missing": ("ALTER TABLE tree DROP FOREIGN KEY `odd ``fk``, (x)`", "create TABLE tree:"),
    "a comment is another": ("ALTER TABLE defaults MODIFY o varchar(10) COMMENT 'x'",
                             "create TABLE defaults:"),
    "a collation is another": ("ALTER TABLE collated MODIFY b varchar(10) CHARACTER SET ascii",
                               "create TABLE collated:"),
    "a row format is another": ("ALTER TABLE rows_compact ROW_FORMAT = DYNAMIC", "create TABLE rows_compact:"),
    "a view has another definer": ("ALTER DEFINER = root@localhost VIEW ansi_view AS SELECT 1",
                                   "create VIEW ansi_view:"),
    "a function is missing": ("DROP FUNCTION collated", "create FUNCTION collated:"),
    "a procedure may read more": ("ALTER PROCEDURE `proc ``odd``; é` SQL SECURITY INVOKER",
                                  "create PROCEDURE proc `odd`; é:"),
    "a function has another sql_mode": (
        "DROP FUNCTION reads_data; SET sql_mode = ''; CREATE FUNCTION reads_data () RETURNS int READS SQL"
        " DATA RETURN (SELECT COUNT(*) FROM digits)", "create FUNCTION reads_data:"),
    "triggers have another order": (
        "DROP TRIGGER b_zero; CREATE TRIGGER b_zero BEFORE INSERT ON triggered FOR EACH ROW SET NEW.t ="
        " CONCAT(NEW.t, '0')", "trigger's place b_zero:"),
    "an event is disabled": ("ALTER EVENT every_hour DISABLE", "create EVENT every_hour:"),
    "the database has another collation": ("ALTER DATABASE COLLATE utf8mb4_bin", "create the database:"),
}
OF_MARIADB = {
    "a sequence is behind": ("SELECT SETVAL(seq_set, 9223372036854775001)", "sequence seq_set:"),
    "history is missing": ("DELETE HISTORY FROM versioned", "rows of versioned:"),
    "history has another time": (
        "SET system_versioning_insert_history = 1; INSERT INTO versioned_explicit (id, t, began, ended)"
        " VALUES (2, 'b', '2019-06-01 12:00:00', '2019-07-01 12:00:01')", "rows of versioned_explicit:"),
    "a package body is missing": ("SET sql_mode = 'ORACLE'; DROP PACKAGE BODY accounts",
                                  "create PACKAGE BODY accounts:"),
}
OF_MYSQL = {
    "a row has another invisible key": ("UPDATE key_made SET my_row_id = 5000 WHERE a = 1",
                                        "rows of key_made:"),
    "one bit of a vector is another": (
        "UPDATE vectors SET v = x'0b5c0d09270022ff01020304000000c0' WHERE id = 3", "rows of vectors:"),
    "a functional key is missing": ("ALTER TABLE functional DROP KEY mixed", "create TABLE functional:"),
}
# Accounts, of the server as a whole.
ACCOUNTS = {
    "a password is another": ("ALTER USER `torture``owner`@`%` IDENTIFIED BY 'x'",
                              "account 'torture`owner'@'%':"),
    "a right is missing": ("REVOKE RELOAD ON *.* FROM torture_role", "account 'torture_role'"),
    "an account is unlocked": ("ALTER USER torture_locked@localhost ACCOUNT UNLOCK",
                               "account 'torture_locked'@'localhost':"),
}


def damages_of(server):
    return {**DAMAGES, **(OF_MARIADB if server.mariadb else OF_MYSQL)}


def contents(side):
    """The database has what makes it worth the name."""
    kinds = {row[0] for row in side.of_schema(
        "SELECT DISTINCT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA %s")}
    wanted = set("""tinyint smallint mediumint int bigint decimal float double bit year date time datetime
        timestamp char varchar binary varbinary tinyblob blob mediumblob longblob tinytext text
        mediumtext longtext enum set geometry point linestring polygon multipoint multilinestring
        multipolygon""".split())
    wanted |= {"uuid", "inet6"} if side.server.mariadb else {"json", "vector", "geomcollection"}
    proof.ok("the database has a column of every type", wanted <= kinds, wanted - kinds)
    used = {row[0] for row in side.of_schema(
        "SELECT DISTINCT CHARACTER_SET_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA %s")}
    known = set(torture.charsets(side.server))
    proof.ok("the database has a column of every charset (%d)" % len(known), known <= used, known - used)
    for name, least, statement in (
            ("partitions in five ways", 5, "SELECT DISTINCT PARTITION_METHOD FROM information_schema.PARTITIONS"
             " WHERE TABLE_SCHEMA %s AND PARTITION_METHOD IS NOT NULL"),
            ("keys of four kinds", 4, "SELECT DISTINCT INDEX_TYPE FROM information_schema.STATISTICS"
             " WHERE TABLE_SCHEMA %s"),
            ("tables of five engines", 5, "SELECT DISTINCT ENGINE FROM information_schema.TABLES"
             " WHERE TABLE_SCHEMA %s AND ENGINE IS NOT NULL"),
            ("objects of three sql_modes", 3, "SELECT DISTINCT SQL_MODE FROM information_schema.ROUTINES"
             " WHERE ROUTINE_SCHEMA %s"),
            ("tables", 150, "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA %s")):
        found = len(side.of_schema(statement))
        proof.ok("the database has %s" % name, found >= least, found)


def damages_are_named(original, copy):
    damages = damages_of(copy.server)
    for name, (statement, _) in damages.items():
        try:
            copy.server.sql("SET NAMES utf8mb4; SET sql_mode = ''; SET foreign_key_checks = 0; " + statement,
                            copy.database)
        except mysql.Failed as failed:
            proof.ok("done: " + name, False, failed)
    found = same.compare(original, copy)
    for name, (_, line) in damages.items():
        proof.ok("noticed: " + name, any(text.startswith(line) for text in found),
                 "\n".join(text for text in found if text.startswith(line.split(" ")[0])))
    lines = tuple(line for _, line in damages.values() if not line.startswith("rows"))
    lines += tuple(line for _, line in damages.values() if line.startswith("rows"))
    lines += ("trigger's place",)  # each has its number
    tables = {line.split(" ")[-1].rstrip(":") for line in lines}
    others = [text for text in found if not text.startswith(lines) and
              not any(" %s" % table in text.split(":")[0] for table in tables)]
    proof.ok("and nothing else is", not others, "\n".join(others))


def accounts_are_named(original, copy):
    for name, (statement, line) in ACCOUNTS.items():
        copy.sql(statement)
        found = same.compare_accounts(original, copy)
        proof.ok("noticed: " + name, any(text.startswith(line) for text in found), "\n".join(found))


def main(flavour):
    with mysql.Server(flavour) as server:
        torture.make(server)
        original = same.Side(server, torture.NAME)
        contents(original)
        with server.copy() as other:
            copy = same.Side(other, torture.NAME)
            found = same.compare(original, copy)
            proof.ok("a copy of the files is equal", not found, "\n".join(found))
            found = same.compare_accounts(server, other)
            proof.ok("its accounts are equal", not found, "\n".join(found))
            damages_are_named(original, copy)
            accounts_are_named(server, other)


if __name__ == "__main__":
    main(sys.argv[1])
    proof.end()
