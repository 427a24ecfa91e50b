# tests/integration/postgres/restore_faults_facts.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: restore_faults_facts.py MAJOR
#
# Negative controls of the facts: a copy in which one thing is not as it was backed up is never
# called equal. The damage is done by a pg_restore that puts one more statement behind the last of
# those that make the structure, so that it happens inside of a restore, before the comparison.
import sys

import faults_place
import postgres
import proof

MAJOR = int(sys.argv[1])
SCHEMA = """
CREATE TABLE orders (n int PRIMARY KEY, text text, price numeric, at timestamptz, note text);
INSERT INTO orders SELECT g, 'order ' || g, g / 7.0,
    '2026-01-01'::timestamptz + g * '1 hour'::interval,
    CASE WHEN g % 3 = 0 THEN NULL ELSE '' END FROM generate_series(1, 1000) g;
CREATE TABLE items (n int REFERENCES orders);
INSERT INTO items SELECT g FROM generate_series(1, 100) g;
CREATE TABLE empty (n int);
CREATE TABLE twice (n int);
INSERT INTO twice VALUES (1), (1), (2);
CREATE TABLE years (n int, t text) PARTITION BY RANGE (n);
CREATE TABLE years_1 PARTITION OF years FOR VALUES FROM (0) TO (50);
CREATE TABLE years_2 PARTITION OF years FOR VALUES FROM (50) TO (100);
INSERT INTO years SELECT g, 'year' FROM generate_series(0, 99) g;
CREATE VIEW cheap AS SELECT * FROM orders WHERE price < 10;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE INDEX by_text ON orders (text);
ALTER TABLE orders ADD CHECK (n > 0);
SELECT lo_from_bytea(4711, decode(repeat('00ff', 50000), 'hex'));
"""

# What is done to the copy, and the facts that must be named.
DAMAGES = {
    "nothing is done": ("SELECT 1", ()),
    "one row is missing": (
        "DELETE FROM public.orders WHERE n = 500", ("table:public.orders:rows",
                                                    "table:public.orders:digest")),
    "one row is twice": (
        "INSERT INTO public.twice VALUES (2)", ("table:public.twice:rows",)),
    "one of two equal rows is another": (
        "DELETE FROM public.twice WHERE ctid = '(0,1)'; INSERT INTO public.twice VALUES (2)",
        ("table:public.twice:digest",)),
    "one value is another": (
        "UPDATE public.orders SET text = text || ' ' WHERE n = 500",
        ("table:public.orders:digest",)),
    "the last digit of a number is another": (
        "UPDATE public.orders SET price = price + 0.00000000000000000001 WHERE n = 500",
        ("table:public.orders:digest",)),
    "a time is a microsecond later": (
        "UPDATE public.orders SET at = at + '1 microsecond' WHERE n = 500",
        ("table:public.orders:digest",)),
    "a null is an empty text": (
        "UPDATE public.orders SET note = '' WHERE n = 501", ("table:public.orders:digest",)),
    "the values of two rows are exchanged": (
        "UPDATE public.orders o SET text = x.text FROM public.orders x"
        " WHERE o.n IN (10, 11) AND x.n = 21 - o.n", ("table:public.orders:digest",)),
    "a table is empty": (
        "TRUNCATE public.items", ("table:public.items:rows", "table:public.items:digest")),
    "an empty table has a row": (
        "INSERT INTO public.empty VALUES (1)", ("table:public.empty:rows",)),
    "a row is in another table": (
        "DELETE FROM public.items WHERE n = 1; INSERT INTO public.twice VALUES (1)",
        ("table:public.items:rows", "table:public.twice:rows")),
    "a partition has lost its rows": (
        "TRUNCATE public.years_2", ("table:public.years_2:rows",)),
    "a table is missing": (
        "DROP TABLE public.items", ("table:public.items:rows", "count:tables")),
    "a view is missing": (
        "DROP VIEW public.cheap", ("count:views",)),
    "a function is missing": (
        "DROP FUNCTION public.one()", ("count:functions",)),
    "an index is missing": (
        "DROP INDEX public.by_text", ("count:indexes",)),
    "a foreign key is missing": (
        "ALTER TABLE public.items DROP CONSTRAINT items_n_fkey", ("count:foreign-keys",)),
    "a check is missing": (
        "ALTER TABLE public.orders DROP CONSTRAINT orders_n_check", ("count:check-constraints",)),
    "a large object is another": (
        "SELECT lo_put(4711, 70000, '\\\\x01')", ("large-objects",)),
    "a large object is missing": (
        "SELECT lo_unlink(4711)", ("large-objects",)),
    "everything is gone": (
        "DROP TABLE public.orders, public.items, public.empty, public.twice, public.years CASCADE",
        ("table:public.orders:rows", "table:public.years_1:rows", "count:tables")),
}

# The statement goes behind the foreign key, which is made last.
WRAPPER = r"""
[[ " $* " == *" --file=- "* ]] || exec "$real" "$@"
"$real" "$@" | sed '/ADD CONSTRAINT items_n_fkey/s/;$/; %s;/'
exit ${PIPESTATUS[0]}
"""


def damaged(place, name, statement, facts):
    words = statement.replace("/", r"\/").replace("&", r"\&").replace("'", "'\\''")
    place.source(bin=place.wrap("pg_restore", WRAPPER % words), jobs=1)
    result = place.attempt("restore", "latest", "--to", "scratch", "--keep", "0", "--jobs", "1")
    if not facts:
        proof.ok("%s: the copy is equal" % name, result.code == 0, result)
        return
    missing = [fact for fact in facts if fact not in result.out + result.err]
    proof.ok("%s: exit code 4, and every fact that tells of it is named" % name,
             result.code == 4 and not missing, "%s\nnot named: %s" % (result, missing))


with postgres.Server(MAJOR) as server:
    server.createdb("shop")
    server.psql(SCHEMA, "shop")
    with faults_place.Place(server) as place:
        place.begin()
        for name, (statement, facts) in DAMAGES.items():
            damaged(place, name, statement, facts)
proof.end()
