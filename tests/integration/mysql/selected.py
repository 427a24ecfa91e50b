# tests/integration/mysql/selected.py
# SPDX-License-Identifier: Apache-2.0
#
# Restores of a part, over what is there, in the place of what is there, and as an ordinary account:
# what comes back is exactly what was asked for, and nothing that was there is lost.
#
# Usage: selected.py SERVER
import sys

import place
import mysql
import proof
import same

SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE customers (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40), KEY by_name (name))
    AUTO_INCREMENT = 1000;
CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, total decimal(10, 2), note blob,
    CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id));
CREATE TABLE log (a int, at datetime(6));
INSERT INTO customers (id, name) VALUES (1, 'Ann'), (2, NULL), (3, 'tab\\t, quote '' and \\\\');
INSERT INTO orders VALUES (1, 1, 9.99, X'00FF0A27'), (2, 3, -1, NULL);
CREATE FUNCTION net(t decimal(10, 2)) RETURNS decimal(10, 2) DETERMINISTIC RETURN t / 1.2;
CREATE PROCEDURE clear() DELETE FROM log;
CREATE VIEW totals AS SELECT customer, SUM(net(total)) AS total FROM orders GROUP BY customer;
CREATE TRIGGER logged AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES (NEW.id, NOW(6));
CREATE EVENT cleaned ON SCHEDULE EVERY 1 YEAR STARTS '2030-01-01' DO DELETE FROM log;
"""
SEQUENCE = """
CREATE SEQUENCE shop.numbers START WITH 7; DO nextval(shop.numbers);
CREATE TABLE shop.numbered (n bigint DEFAULT nextval(shop.numbers), PRIMARY KEY (n));
INSERT INTO shop.numbered VALUES (DEFAULT), (DEFAULT);
"""
OLD = """
CREATE DATABASE shop COLLATE latin1_bin; USE shop;
CREATE TABLE customers (precious int PRIMARY KEY); INSERT INTO customers VALUES (42);
CREATE TABLE kept (n int, CONSTRAINT c FOREIGN KEY (n) REFERENCES customers (precious));
CREATE TRIGGER guarded BEFORE INSERT ON customers FOR EACH ROW SET NEW.precious = 42;
CREATE VIEW totals AS SELECT precious FROM customers;
CREATE PROCEDURE clear() SELECT 'old'; CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1;
CREATE EVENT cleaned ON SCHEDULE EVERY 2 YEAR STARTS '2030-01-01' DO SELECT 'old';
"""


class Case:
    """The place, its server and another one, whose database shop is gone before each restore."""

    def __init__(self, there, server, other):
        self.there, self.server, self.other = there, server, other

    def empty(self, script=""):
        for name in self.databases():
            self.other.sql("DROP DATABASE %s" % mysql.ident(name))
        self.other.sql(script)

    def databases(self):
        return [name for name in self.other.column("SHOW DATABASES") if name not in (
            "mysql", "information_schema", "performance_schema", "sys")]

    def restore(self, *arguments, user="root"):
        return self.there.attempt("restore", "latest", "--to", self.other.url("shop", user),
                                  "--json", *arguments)

    def refused(self, name, result, *parts):
        """The restore ended with exit code 10, and every part of the message is there."""
        proof.ok(name, result.code == 10 and all(part in result.err for part in parts), result)

    def equal(self, name, database="shop"):
        found = same.compare(same.Side(self.server, "shop"), same.Side(self.other, database))
        proof.ok(name, not found, "\n".join(found))

    def names(self):
        """Everything that is in the database."""
        return sorted(self.other.column(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'"
            " UNION ALL SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
            " WHERE TRIGGER_SCHEMA = 'shop'"
            " UNION ALL SELECT ROUTINE_NAME FROM information_schema.ROUTINES"
            " WHERE ROUTINE_SCHEMA = 'shop'"
            " UNION ALL SELECT EVENT_NAME FROM information_schema.EVENTS"
            " WHERE EVENT_SCHEMA = 'shop'"))


def single_tables(case):
    wanted = [(["orders"], ["logged", "orders"], 2), (["shop.customers"], ["customers"], 2),
              (["shop.orders", "customers"], ["customers", "logged", "orders"], 4)]
    if case.server.mariadb:
        wanted.append((["numbered"], ["numbered", "numbers"], 2))
    for tables, names, facts in wanted:
        case.empty()
        what = " and ".join(tables)
        result = case.restore(*(word for table in tables for word in ("--table", table)))
        place.facts_are_equal("%s: all facts are equal" % what, result)
        proof.ok("%s: %d facts are compared" % (what, facts),
                 result.json()["facts"]["in_scope"] == facts, result)
        proof.ok("%s: nothing else comes with it" % what, case.names() == names, case.names())
    case.empty()
    case.refused("a table that is not there is named", case.restore("--table", "nothing"),
                 "backstay: error: source db: the snapshot has no table nothing\n")
    proof.ok("and no database was made", case.databases() == [])


def missing_foreign_key(case):
    case.empty()
    result = case.restore("--table", "orders")
    statement = ("ALTER TABLE `shop`.`orders` ADD CONSTRAINT `of_customer` FOREIGN KEY (`customer`)"
                 " REFERENCES `customers` (`id`)")
    proof.ok("a foreign key that cannot be made is given to be made later",
             "backstay: warning: db: table shop.orders: a foreign key is left out, since the table"
             " that it points to is not here; to add it later: %s\n" % statement in result.err,
             result)
    result = case.restore("--table", "customers")
    place.facts_are_equal("another table comes beside it: all facts are equal", result)
    case.other.sql(statement)
    result = case.restore("--table", "orders")
    case.refused("a table that is there is not restored over", result,
                 "table shop.orders exists already in the database shop of",
                 "restore into another database, or its rows alone with --data-only\n")


def structure_then_rows(case):
    case.empty()
    result = case.restore("--schema-only")
    place.facts_are_equal("the structure alone: its facts are equal", result)
    proof.ok("the structure alone: it has no rows",
             case.other.query("SELECT * FROM shop.customers") == [], result)
    result = case.restore("--data-only")
    case.refused("rows are not loaded past a trigger", result,
                 "rows cannot be loaded into table shop.orders of",
                 "it has the trigger logged, which would run for each of them; drop it before")
    case.other.sql("DROP TRIGGER shop.logged")
    result = case.restore("--data-only")
    place.facts_are_equal("the rows after it: all facts are equal", result)
    case.other.sql("USE shop; CREATE TRIGGER logged AFTER INSERT ON orders FOR EACH ROW"
                   " INSERT INTO log VALUES (NEW.id, NOW(6))")
    case.equal("the rows after it: the copy is equal")
    result = case.restore("--data-only")
    case.refused("rows are not loaded twice", result, "table shop.customers of",
                 "has rows already, and none are added to them; empty it first (TRUNCATE) or"
                 " restore into another database\n")
    case.empty()
    case.refused("rows alone need a database", case.restore("--data-only"),
                 "there is no database shop whose tables could be filled; restore without"
                 " --data-only\n")


def over_what_is_there(case):
    case.empty(OLD)
    before = case.names()
    case.refused("a database that is not empty is refused", case.restore(),
                 "the database shop of", "is not empty (it has ",
                 "and nothing is restored over what is there; name a database that does not exist,"
                 " or restore with --replace, which keeps what is there under another name\n")
    case.refused("it is not replaced by another name", case.restore("--yes-replace", "other"),
                 '"other" may be replaced, but the place to restore to is database "shop"; nothing'
                 " was changed\n")
    proof.ok("and it is as before", case.databases() == ["shop"] and case.names() == before)
    result = case.restore("--yes-replace", "shop")
    place.facts_are_equal("replaced by its name: all facts are equal", result)
    case.equal("replaced by its name: the copy is equal")
    kept = [name for name in case.databases() if name != "shop"]
    proof.ok("replaced by its name: the old one is kept and named", len(kept) == 1 and
             kept[0].startswith("shop_before_") and
             "when it is no longer needed: DROP DATABASE `%s`;" % kept[0] in result.err, result)
    with mysql.Server(case.other.flavour) as third:
        third.sql(OLD)
        found = same.compare(same.Side(third, "shop"), same.Side(case.other, kept[0]), ["event"])
        found = [line for line in found if "DISABLE" not in line and "cleaned" not in line]
        proof.ok("replaced by its name: what is kept is as it was", not found, "\n".join(found))
    proof.ok("replaced by its name: its events are not run twice", case.other.column(
        "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %s"
        % mysql.literal(kept[0])) == ["DISABLED"])


def over_what_is_in_use(case):
    """The copy is loaded beside it and stays; what was there has its triggers again."""
    case.empty(OLD)
    session = case.other.session("shop")
    session.stdin.write("BEGIN; SELECT precious FROM customers;\n")
    session.stdin.flush()
    session.stdout.readline()
    before = case.names()
    result = case.restore("--yes-replace", "shop")
    session.communicate()
    beside = [name for name in case.databases() if name != "shop"]
    proof.ok("a database that is in use is not replaced", result.code == 14 and len(beside) == 1 and
             "everything is restored into the database %s, but it could not take the place of shop,"
             " which is as it was; end what uses its tables (SHOW PROCESSLIST) and restore again, or"
             " use the new database: " % beside[0] in result.err, result)
    proof.ok("and is as before", case.names() == before and
             case.other.value("SELECT precious FROM shop.customers") == "42", case.names())
    rows = "SELECT GROUP_CONCAT(id, customer, total, HEX(note) ORDER BY id) FROM %s.orders"
    proof.ok("the copy beside it has the rows", case.other.value(rows % beside[0]) ==
             case.server.value(rows % "shop"))


def pointed_to(case):
    case.empty(OLD + "CREATE DATABASE outside; CREATE TABLE outside.o (n int, CONSTRAINT c2 FOREIGN"
               " KEY (n) REFERENCES shop.customers (precious));")
    case.refused("a database that another one points to is not replaced",
                 case.restore("--yes-replace", "shop"),
                 "the database shop cannot be replaced: a foreign key of outside.o, in another"
                 " database, points to it and would go on pointing to the old tables; drop it"
                 " before and make it again, or restore into a new database\n")


def as_an_ordinary_account(case):
    case.empty("CREATE USER ordinary; GRANT ALL ON shop.* TO ordinary;")
    result = case.restore(user="ordinary")
    case.refused("an account that may not make objects of others is told what to do", result,
                 "DEFINER: ", "restore with --no-owner")
    proof.ok("and nothing was made", case.databases() == [])
    result = case.restore("--no-owner", user="ordinary")
    place.facts_are_equal("without owners: all facts are equal", result)
    definers = case.other.column(
        "SELECT DISTINCT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop' UNION"
        " SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop' UNION"
        " SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop' UNION"
        " SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop'")
    proof.ok("without owners: everything is the account's", definers == ["ordinary@%"], definers)
    case.empty("DROP USER ordinary")


def dry(case):
    case.empty()
    result = case.restore("--dry-run")
    proof.ok("a dry run makes nothing", result.code == 0 and case.databases() == [] and
             result.json()["restored"] > 0, result)


def several(server, other):
    """Databases that use each other's views and tables, all under their own names."""
    server.sql("CREATE DATABASE a; CREATE DATABASE b; CREATE TABLE a.p (id int PRIMARY KEY);"
               "INSERT INTO a.p VALUES (1); CREATE TABLE b.q (id int PRIMARY KEY, p int,"
               " FOREIGN KEY (p) REFERENCES a.p (id)); INSERT INTO b.q VALUES (1, 1);"
               "CREATE VIEW b.v AS SELECT * FROM a.p; CREATE VIEW a.w AS SELECT * FROM b.v;"
               "CREATE VIEW b.x AS SELECT * FROM a.w; CREATE VIEW a.y AS SELECT * FROM b.x;")
    with place.Place(server, "", databases=["a", "b"]) as there:
        there.backup()
        result = there.attempt("restore", "latest", "--to", other.url("one"))
        proof.ok("several databases do not go into one", result.code == 10 and
                 "the snapshot has 2 databases, such as a and b: choose one with --database, or"
                 " restore all of them under their own names with a url that names no database\n"
                 in result.err, result)
        result = there.restore(other.url(""))
        place.facts_are_equal("several databases: all facts are equal", result)
        proof.ok("several databases: nothing is left out", "not made" not in result.err, result)
        for name in "a", "b":
            found = same.compare(same.Side(server, name), same.Side(other, name))
            proof.ok("several databases: %s is equal" % name, not found, "\n".join(found))
        result = there.restore(other.url("alone"), "--database", "b", "--table", "q")
        place.facts_are_equal("one table of one of them: all facts are equal", result)
        with there.scratch() as (result, copy):
            place.facts_are_equal("several databases, scratch: all facts are equal", result)
            proof.ok("several databases, scratch: their views can be used",
                     copy.value("SELECT id FROM a.y") == "1")


def main(flavour):
    with mysql.Server(flavour) as server, mysql.Server(flavour) as other:
        server.sql(SHOP + (SEQUENCE if server.mariadb else ""))
        server.sql("TRUNCATE shop.log")
        with place.Place(server, "shop", lock_timeout="1s") as there:
            there.backup()
            case = Case(there, server, other)
            for test in (single_tables, missing_foreign_key, structure_then_rows,
                         over_what_is_there, over_what_is_in_use, pointed_to,
                         as_an_ordinary_account, dry):
                test(case)
            there.check_clean("after all of them")
            case.empty()
        several(server, other)


main(sys.argv[1])
proof.end()
