# tests/integration/postgres/selected.py
# SPDX-License-Identifier: Apache-2.0
#
# Restores of a part, over what is there, and as an ordinary role: what comes back is exactly what
# was asked for, and nothing that was there is lost.
#
# Usage: selected.py MAJOR
import sys

import place
import postgres
import proof
import same

SHOP = """
CREATE ROLE shop_owner LOGIN; CREATE ROLE reporter; CREATE ROLE ordinary LOGIN CREATEDB;
GRANT CREATE ON SCHEMA public TO shop_owner;
SET ROLE shop_owner;
CREATE TABLE customers (id serial PRIMARY KEY, name text);
INSERT INTO customers (name) SELECT 'customer ' || i FROM generate_series(1, 500) i;
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer int NOT NULL REFERENCES customers, total numeric);
INSERT INTO orders (customer, total) SELECT i % 500 + 1, i FROM generate_series(1, 2000) i;
CREATE INDEX by_customer ON orders (customer);
GRANT SELECT ON orders TO reporter;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''refused''; END';
CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE VIEW totals AS SELECT sum(total) FROM orders;
CREATE TABLE log (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')
    PARTITION BY HASH (id);
CREATE TABLE log_2_a PARTITION OF log_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE log_2_b PARTITION OF log_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO log SELECT i, date '2026-01-01' + i % 50 FROM generate_series(1, 1000) i;
"""
RELATIONS = """
SELECT relname FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'i', 'S', 'v')
    AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE "C"
"""

# Options, the relations that come, and the facts that are compared.
TABLES = [
    (["public.orders"], ["by_customer", "orders", "orders_id_seq", "orders_pkey"], 2),
    (["public.orders", "public.customers"],
     ["by_customer", "customers", "customers_id_seq", "customers_pkey", "orders", "orders_id_seq",
      "orders_pkey"], 4),
    (["public.log_1"], ["log", "log_1"], 2),
    (["public.log"], ["log", "log_1", "log_2", "log_2_a", "log_2_b"], 4),
]


class Case:
    """The place and the server of one test, and names of databases that nobody has used."""

    def __init__(self, there, server):
        self.there = there
        self.server = server
        self.shop = server.database("shop")
        self.serial = 0

    def fresh(self):
        self.serial += 1
        return "copy_%d" % self.serial

    def restore(self, name, *arguments, user=postgres.USER):
        return self.there.attempt("restore", "latest", "--to", self.server.url(name, user),
                                  "--json", *arguments)

    def refused(self, name, result, *parts):
        """The restore ended with exit code 10, and every part of the message is there."""
        proof.ok(name, result.code == 10 and all(part in result.err for part in parts), result)

    def databases(self):
        return sorted(row[0] for row in self.server.query("SELECT datname FROM pg_database"))


def single_tables(case):
    for tables, relations, facts in TABLES:
        name = case.fresh()
        result = case.restore(name, *(word for table in tables for word in ("--table", table)))
        what = " and ".join(tables)
        place.facts_are_equal("%s: all facts are equal" % what, result)
        proof.ok("%s: %d facts are compared" % (what, facts),
                 result.json()["facts"]["in_scope"] == facts, result)
        found = [row[0] for row in case.server.query(RELATIONS, name)]
        proof.ok("%s: nothing else comes with it" % what, found == relations, found)
        for table in tables:
            rows = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM %s t" % table
            proof.ok("%s has its rows" % table,
                     case.server.value(rows, name) == case.shop.value(rows))
    name = case.fresh()
    case.refused("a table that is not there is named", case.restore(name, "--table", "orders"),
                 'backstay: error: source db: the snapshot of shop has no table "orders"; names are'
                 " written schema.table, such as public.orders\n")
    proof.ok("and no database was made", name not in case.databases())


def missing_foreign_key(case):
    name = case.fresh()
    result = case.restore(name, "--table", "public.orders")
    statement = ("ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_customer_fkey FOREIGN"
                 " KEY (customer) REFERENCES public.customers(id);")
    proof.ok("a foreign key that cannot be made is given to be made later",
             "FK CONSTRAINT public.orders orders_customer_fkey is left out, since one of its tables"
             " is not restored; to add it later: " + statement + "\n" in result.err, result)


def structure_then_rows(case):
    name = case.fresh()
    result = case.restore(name, "--schema-only")
    place.facts_are_equal("the structure alone: its facts are equal", result)
    copy = case.server.database(name)
    proof.ok("the structure alone: it is the same, and has no rows",
             same.structure_differs(case.shop, copy) == [] and
             copy.query("SELECT FROM customers") == [], result)
    result = case.restore(name, "--data-only")
    place.facts_are_equal("the rows after it: all facts are equal", result)
    found = same.compare(case.shop, copy)
    proof.ok("the rows after it: the copy is equal", not found, "\n".join(found))
    result = case.restore(name, "--data-only")
    case.refused("rows are not loaded twice", result,
                 "table public.customers of database %s" % name,
                 "has rows already, and none are added to them; empty it first (TRUNCATE) or"
                 " restore into another database\n")
    found = same.compare(case.shop, copy)
    proof.ok("and those that were there are as before", not found, "\n".join(found))


def over_what_is_there(case):
    name = case.fresh()
    case.server.createdb(name)
    case.server.psql("CREATE TABLE precious (a int); INSERT INTO precious VALUES (42);", name)
    before = case.databases()
    case.refused("a database that is not empty is refused", case.restore(name),
                 "is not empty (it has relation public.precious), and nothing is restored over what"
                 " is there; name a database that does not exist, or restore with --replace")
    case.refused("it is not replaced by another name", case.restore(name, "--yes-replace", "shop"),
                 '"shop" may be replaced, but the place to restore to is database "%s"; nothing was'
                 " changed\n" % name)
    proof.ok("and it is as before", case.databases() == before and
             case.server.value("SELECT a FROM precious", name) == "42")
    result = case.restore(name, "--yes-replace", name)
    place.facts_are_equal("replaced by its name: all facts are equal", result)
    found = same.compare(case.shop, case.server.database(name))
    proof.ok("replaced by its name: the copy is equal", not found, "\n".join(found))
    kept = sorted(set(case.databases()) - set(before))
    proof.ok("replaced by its name: the old one is kept and named", len(kept) == 1 and
             case.server.value("SELECT a FROM precious", kept[0]) == "42" and
             'DROP DATABASE "%s";' % kept[0] in result.err, result)


def over_what_is_in_use(case):
    """The copy is loaded beside it and stays, with the statements that put it in place."""
    name = case.fresh()
    case.server.createdb(name)
    case.server.psql("CREATE TABLE precious (a int);", name)
    session = case.server.database(name).session()
    session.stdin.write("SELECT 1;\n")
    session.stdin.flush()
    session.stdout.readline()
    result = case.restore(name, "--yes-replace", name)
    case.refused("a database that is in use is not replaced", result,
                 "everything is restored into database %s_backstay_" % name,
                 "but 1 sessions use %s, which cannot be renamed while they do; end them (SELECT"
                 " pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'), then run:"
                 " " % (name, name))
    proof.ok("and is as before", case.server.query("SELECT FROM precious", name) == [], result)
    session.communicate()
    said = result.json()["error"]["message"] if result.out else ""
    for statement in said.partition("then run: ")[2].split("; "):
        case.server.psql(statement)
    found = same.compare(case.shop, case.server.database(name))
    proof.ok("the statements that were given put the copy in its place", not found,
             "\n".join(found))


def as_an_ordinary_role(case):
    name = case.fresh()
    result = case.restore(name, user="ordinary")
    proof.ok("a role that may not give to others is told what to do", result.code == 14 and
             "restore with --no-owner" in result.err, result)
    proof.ok("and the new database is removed again", name not in case.databases())
    result = case.restore(name, "--no-owner", user="ordinary")
    place.facts_are_equal("without owners: all facts are equal", result)
    owners = case.server.query("SELECT DISTINCT pg_get_userbyid(relowner), relacl FROM pg_class"
                               " WHERE oid >= 16384 AND relnamespace = 'public'::regnamespace",
                               name)
    proof.ok("without owners: everything belongs to the role, and nobody has rights",
             owners == [("ordinary", "")], owners)


def label_without_provider(server):
    """A security label means nothing to a server that has not loaded who gave it: all else is kept."""
    server.createdb("labelled")
    server.psql("CREATE TABLE t AS SELECT 1 AS a; INSERT INTO pg_seclabel VALUES ('t'::regclass,"
                " 'pg_class'::regclass, 0, 'absent', 'classified')", "labelled")
    with place.Place(server, "labelled") as there:
        there.backup()
        result = there.restore(server.url("unlabelled"))
        place.facts_are_equal("a label without its provider: all facts are equal", result)
        proof.ok("a label without its provider is warned about",
                 "backstay: warning: db: make SECURITY LABEL public.TABLE t: " in result.err and
                 "SECURITY LABEL FOR absent ON TABLE public.t IS 'classified';: security label"
                 ' provider "absent" is not loaded\n' in result.err, result)


def main(major):
    with postgres.Server(major, settings={"allow_system_table_mods": "on"}) as server:
        server.createdb("shop")
        server.psql(SHOP, "shop")
        with place.Place(server, "shop") as there:
            there.backup()
            case = Case(there, server)
            single_tables(case)
            missing_foreign_key(case)
            structure_then_rows(case)
            over_what_is_there(case)
            over_what_is_in_use(case)
            as_an_ordinary_role(case)
        label_without_provider(server)


main(int(sys.argv[1]))
proof.end()
