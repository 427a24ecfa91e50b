# tests/integration/postgres/comparison.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: comparison.py MAJOR
#
# The judge is judged: same.py calls a copy equal that PostgreSQL's own programs made, and names
# each damage in a copy by itself. The database itself is judged, too.
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e"), os.path.join(HERE, "..", "..", "support")]
import postgres  # noqa: E402
import proof  # noqa: E402
import same  # noqa: E402
import torture  # noqa: E402

# What is done to the copy, and the beginning of the one line that must tell of it.
DAMAGES = {
    "one row is missing": (
        "DELETE FROM tables.large WHERE id = 4711",
        "rows of tables.large: 54546 rows, "),
    "one value is another": (
        "UPDATE types.toasted SET apart = apart || ' ' WHERE id = 1",
        "rows of types.toasted: 20 rows, "),
    "a null became an empty text": (
        "UPDATE code.base SET hidden = '' WHERE id = 1;"
        " UPDATE code.base SET hidden = NULL WHERE id = 2",
        "rows of code.base: 200 rows, "),
    "minus zero became zero": (
        "UPDATE types.real SET v = 0 WHERE v::text = '-0'",
        "rows of types.real: 13 rows, "),
    "a table is empty": (
        "TRUNCATE many.t_2000",
        "rows of many.t_2000: 200 rows, "),
    "a partition of a hash lost a row": (
        "DELETE FROM tables.by_hash WHERE t = 'text 1'",
        "rows below tables.by_hash: 400 rows, "),
    "a materialized view is older": (
        "DROP MATERIALIZED VIEW code.fourth;"
        " CREATE MATERIALIZED VIEW code.fourth WITH (fillfactor = 80) AS SELECT t.total, f.id"
        " FROM code.third t JOIN code.first f ON f.twice = t.\"Odd column\" LIMIT 3",
        "rows of code.fourth: 190 rows, "),
    "a sequence is behind": (
        "SELECT setval('tables.owned', 9223372036854775806)",
        "sequence tables.owned: 9223372036854775807, called / "),
    "a sequence was not called": (
        "SELECT setval('tables.not_called', 77)",
        "sequence tables.not_called: 77, not called / 77, called"),
    "one byte of a large object is another": (
        "SELECT lo_put(4000000004, 300000, '\\x00')",
        "large object 4000000004: 320000 bytes, "),
    "a large object is missing": (
        "SELECT lo_unlink(4000000349)",
        "large object 4000000349: only on the left ("),
    "a large object has another owner": (
        "ALTER LARGE OBJECT 4000000101 OWNER TO torture_owner",
        "large object 4000000101: "),
    "a setting of the database is missing": (
        "ALTER DATABASE copy RESET xmloption",
        "database settings of the database: "),
    "the database has another right": (
        "GRANT TEMPORARY ON DATABASE copy TO torture_reader",
        "database rights: "),
}
STRUCTURE = {
    "an index is missing": ("DROP INDEX tables.renamed", "-CREATE INDEX renamed ON tables.indexed"),
    "a trigger is enabled": ("ALTER TABLE code.triggered ENABLE TRIGGER disabled",
                             "-ALTER TABLE code.triggered DISABLE TRIGGER disabled;"),
    "a column has another right": ("REVOKE UPDATE (n) ON code.base"
                                   " FROM \"torture \"\"odd\"\" role\"",
                                   "-GRANT SELECT(n),UPDATE(n) ON TABLE code.base"),
    "a comment is another": ("COMMENT ON TABLE tables.columns IS 'another'",
                             "+COMMENT ON TABLE tables.columns IS 'another';"),
    "a constraint was validated": ("DELETE FROM tables.dubious; ALTER TABLE tables.dubious"
                                   " VALIDATE CONSTRAINT \"a > 0\"",
                                   "-    ADD CONSTRAINT \"a > 0\" CHECK ((a > 0)) NOT VALID;"),
}


# What the database must have to be called torture, besides values: what is counted, and how many at
# the least.
CONTENTS = {
    "enums, composites, domains, ranges and base types": (
        5, "SELECT DISTINCT typtype FROM pg_type WHERE oid >= 16384 AND typcategory <> 'A'"),
    "identity columns": (
        2, "SELECT DISTINCT attidentity FROM pg_attribute WHERE attidentity <> ''"),
    "generated columns": (2, "SELECT FROM pg_attribute WHERE attgenerated = 's'"),
    "dropped columns": (3, "SELECT DISTINCT attrelid FROM pg_attribute WHERE attisdropped"),
    "partitions by range, list and hash": (
        3, "SELECT DISTINCT partstrat FROM pg_partitioned_table"),
    "nested partitions": (2, "SELECT FROM pg_class WHERE relispartition AND relkind = 'p'"),
    "default partitions": (2, "SELECT FROM pg_partitioned_table WHERE partdefid <> 0"),
    "inheritance from two parents": (1, "SELECT FROM pg_inherits WHERE inhseqno = 2"),
    "materialized views, populated and not": (
        2, "SELECT DISTINCT relispopulated FROM pg_class WHERE relkind = 'm'"),
    "triggers enabled in four ways": (
        4, "SELECT DISTINCT tgenabled FROM pg_trigger WHERE NOT tgisinternal"),
    "rules": (2, "SELECT FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'"),
    "row security, forced": (
        1, "SELECT FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"),
    "policies": (2, "SELECT DISTINCT polpermissive FROM pg_policy"),
    "event triggers enabled in three ways": (3, "SELECT DISTINCT evtenabled FROM pg_event_trigger"),
    "foreign tables": (2, "SELECT FROM pg_class WHERE relkind = 'f'"),
    "unlogged tables": (1, "SELECT FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'"),
    "configuration tables of an extension": (
        3, "SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'backstay_torture'"),
    "large objects": (250, "SELECT FROM pg_largeobject_metadata"),
    "large objects with rights and a comment": (
        3, "SELECT FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL"
           " UNION ALL SELECT FROM pg_description WHERE classoid = 'pg_largeobject'::regclass"),
    "publications": (3, "SELECT FROM pg_publication"),
    "statistics objects": (1, "SELECT FROM pg_statistic_ext"),
    "collations of two providers": (
        2, "SELECT DISTINCT collprovider FROM pg_collation WHERE oid >= 16384"),
    "default privileges": (3, "SELECT FROM pg_default_acl"),
    "rights on columns": (
        2, "SELECT FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384"),
    "foreign keys in a circle": (
        2, "SELECT FROM pg_constraint a JOIN pg_constraint b ON a.conrelid = b.confrelid"
           " AND a.confrelid = b.conrelid WHERE a.contype = 'f' AND b.contype = 'f'"
           " AND a.conrelid <> a.confrelid"),
    "constraints that are not validated": (
        2, "SELECT FROM pg_constraint WHERE NOT convalidated AND contype IN ('c', 'f')"),
    "indexes of all methods": (6, "SELECT DISTINCT relam FROM pg_class WHERE relkind = 'i'"),
    "an invalid index": (1, "SELECT FROM pg_index WHERE NOT indisvalid"),
    "tables without columns": (
        2, "SELECT FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'tables'::regnamespace"
           " AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0"
           " AND NOT attisdropped)"),
    "odd names": (
        70, "SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = 'names'::regnamespace"),
    "tables": (2200, "SELECT FROM pg_class WHERE relkind = 'r' AND oid >= 16384"),
}


# The built-in types without a value in any table. These can be given none: their input refuses.
WITHOUT_INPUT = {"pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "gtsvector",
                 "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary"}
UNUSED_TYPES = """
SELECT typname FROM pg_type t WHERE oid < 16384 AND typtype IN ('b', 'r', 'm')
    AND typcategory <> 'A' AND NOT EXISTS (SELECT FROM pg_attribute a
        JOIN pg_class c ON c.oid = attrelid
        WHERE relnamespace = 'types'::regnamespace AND atttypid = t.oid AND attname = 'v')
"""


def contents(database):
    unused = {row[0] for row in database.query(UNUSED_TYPES)}
    proof.ok("the database has a value of every built-in type", unused <= WITHOUT_INPUT, unused)
    for name, (least, statement) in CONTENTS.items():
        count = int(database.value("SELECT count(*) FROM (%s) all_of_them" % statement))
        proof.ok("the database has %s" % name, count >= least, "%d, not %d" % (count, least))


def copy_with_their_tools(server):
    script = server.database(torture.NAME).tool("pg_dump").decode()
    # Programs newer than the server set what it does not know.
    script = script.replace("\nSET transaction_timeout = 0;\n", "\n")
    server.createdb("copy", "--template=template0")
    server.database("copy").psql(script)
    server.psql(torture.DATABASE.format(name="copy"))


def damages_are_named(original, copy):
    for statement, _ in DAMAGES.values():
        copy.psql("SET session_replication_role = replica;" + statement)
    found = same.compare(original, copy, without=["structure"])
    for name, (_, line) in DAMAGES.items():
        hits = [text for text in found if text.startswith(line)]
        proof.ok("noticed: " + name, len(hits) == 1, "\n".join(found))
        found = [text for text in found if text not in hits]
    proof.ok("and nothing else is", not found, "\n".join(found))


def structure_is_named(original, copy):
    for name, (statement, line) in STRUCTURE.items():
        copy.psql(statement)
        found = same.structure_differs(original, copy)
        proof.ok("noticed: " + name, any(text.startswith("structure: " + line) for text in found),
                 "\n".join(found))


def main(major):
    with postgres.Server(major) as server:
        torture.make(server)
        contents(server.database(torture.NAME))
        copy_with_their_tools(server)
        original, copy = server.database(torture.NAME), server.database("copy")
        found = same.compare(original, copy)
        proof.ok("a copy by pg_dump and pg_restore is equal", not found, "\n".join(found))
        damages_are_named(original, copy)
        structure_is_named(original, copy)


main(int(sys.argv[1]))
proof.end()
