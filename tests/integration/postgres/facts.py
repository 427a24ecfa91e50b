# tests/integration/postgres/facts.py
# SPDX-License-Identifier: Apache-2.0
#
# Facts that must differ, do: in the database that is backed up lies a saboteur, a materialized view
# whose query damages every copy into which it is restored, by the name of the copy (which has an end
# of ours until it is complete). Each damage is told with exit code 4 and the name of what it hit; a copy that nobody damages is equal.
#
# Usage: facts.py MAJOR
import sys

import place
import postgres
import proof

SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 1000) i;
CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers, total numeric(12,2));
INSERT INTO orders (customer, total) SELECT i %% 1000 + 1, i / 3.0 FROM generate_series(1, 30000) i;
CREATE TABLE empty (a int);
CREATE FUNCTION sabotage() RETURNS text LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    CASE regexp_replace(current_database(), '_backstay_[0-9a-f]{8}$', '')
%s
    ELSE NULL;
    END CASE;
    RETURN 'done';
END
$$;
CREATE MATERIALIZED VIEW saboteur AS SELECT public.sabotage(), 1 AS one;

-- Sequences are set after that: their saboteur comes with ANALYZE, which computes the index anew.
CREATE FUNCTION late(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_database() ~ '^behind' THEN
        PERFORM setval('public.orders_id_seq', 29999);
    END IF;
    RETURN i;
END
$$;
CREATE INDEX ON saboteur (public.late(one));
"""

# Name of the database, what is done to it, and the facts that must differ or be missing.
DAMAGES = {
    "row_missing": ("one row is missing", "DELETE FROM orders WHERE id = 4711;",
                    {"table:public.orders:rows", "table:public.orders:digest"}),
    "row_twice": ("one row is there twice",
                  "INSERT INTO empty SELECT; DELETE FROM empty; ALTER TABLE orders DROP CONSTRAINT"
                  " orders_pkey; INSERT INTO orders SELECT * FROM orders WHERE id = 4711;",
                  {"table:public.orders:rows", "table:public.orders:digest"}),
    "value_changed": ("one value is another",
                      "UPDATE orders SET total = total + 0.01 WHERE id = 1;",
                      {"table:public.orders:digest"}),
    "values_swapped": ("two rows have swapped a value",
                       "UPDATE orders SET total = (SELECT total FROM orders o WHERE o.id = 3 -"
                       " orders.id) WHERE id IN (1, 2);", {"table:public.orders:digest"}),
    "null_for_empty": ("an empty text became a null",
                       "UPDATE customers SET name = NULL WHERE id = 1;",
                       {"table:public.customers:digest"}),
    "row_too_many": ("an empty table has a row", "INSERT INTO empty VALUES (1);",
                     {"table:public.empty:rows", "table:public.empty:digest"}),
    "truncated": ("one table is empty", "DELETE FROM orders;",
                  {"table:public.orders:rows", "table:public.orders:digest"}),
    "behind": ("a sequence is behind", "NULL;",
               {"sequence:public.orders_id_seq:value"}),
    "all_empty": ("every table is empty", "DELETE FROM orders; DELETE FROM customers;",
                  {"table:public.orders:rows", "table:public.orders:digest",
                   "table:public.customers:rows", "table:public.customers:digest"}),
    "table_gone": ("a table is missing", "DROP TABLE empty;",
                   {"table:public.empty:rows", "table:public.empty:digest"}),
    "index_gone": ("a primary key is missing", "ALTER TABLE orders DROP CONSTRAINT orders_pkey;",
                   {"count:indexes"}),
    "trigger_gone": ("a table too many", "CREATE TABLE one_more (a int);",
                     {"count:tables"}),
}


def base(name):
    """The name of a fact without the version that it is bound to."""
    return name.split("@")[0]


def damaged(there, server, name):
    what, _, wanted = DAMAGES[name]
    result = there.attempt("restore", "latest", "--to", server.url(name), "--json")
    facts = result.json()["facts"] if result.out else {"differences": []}
    found = {base(fact["name"]) for fact in facts["differences"]}
    proof.ok("noticed: " + what, result.code == 4 and wanted <= found, result)


def main(major):
    cases = "".join("    WHEN '%s' THEN %s\n" % (name, statement)
                    for name, (_, statement, _) in DAMAGES.items())
    with postgres.Server(major) as server:
        server.createdb("shop")
        server.psql(SHOP % cases, "shop")
        with place.Place(server, "shop") as there:
            there.backup()
            place.facts_are_equal("a copy that nobody damages is equal",
                                  there.restore(server.url("untouched")))
            for name in DAMAGES:
                damaged(there, server, name)


main(int(sys.argv[1]))
proof.end()
