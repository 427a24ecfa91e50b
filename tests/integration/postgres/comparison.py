# tests/integration/postgres/comparison.py
# SPDX-License-Identifier: Apache-2.0
#
# The judge is judged: same.py calls a copy equal that PostgreSQL's own programs made, and names each
# damage in a copy by itself.
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
        "UPDATE code.base SET hidden = '' WHERE id = 1; UPDATE code.base SET hidden = NULL WHERE id = 2",
        "rows of code.base: 200 rows, "),
    "minus zero became zero": (
        "UPDATE types.real SET v = 0 WHERE v::text = '-0'",
        "rows of types.\"real\": 13 rows, "),
    "a table is empty": (
        "TRUNCATE many.t_2000",
        "rows of many.t_2000: 200 rows, "),
    "a partition of a hash lost a row": (
        "DELETE FROM tables.by_hash WHERE t = 'text 1'",
        "rows below tables.by_hash: 400 rows, "),
    "a materialized view is older": (
        "DROP MATERIALIZED VIEW code.fourth; CREATE MATERIALIZED VIEW code.fourth WITH (fillfactor = 80) AS"
        " SELECT t.total, f.id FROM code.third t JOIN code.first f ON f.twice = t.\"Odd column\" LIMIT 3",
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
    "a column has another right": ("REVOKE UPDATE (n) ON code.base FROM \"torture \"\"odd\"\" role\"",
                                   "-GRANT SELECT(n),UPDATE(n) ON TABLE code.base"),
    "a comment is another": ("COMMENT ON TABLE tables.columns IS 'another'",
                             "+COMMENT ON TABLE tables.columns IS 'another';"),
    "a constraint was validated": ("DELETE FROM tables.dubious; ALTER TABLE tables.dubious"
                                   " VALIDATE CONSTRAINT \"a > 0\"",
                                   "-    ADD CONSTRAINT \"a > 0\" CHECK ((a > 0)) NOT VALID;"),
}


def copy_with_their_tools(server):
    dump = os.path.join(server.path, "dump")
    server.database(torture.NAME).tool("pg_dump", "-Fc", "-Z0", "-f", dump)
    server.createdb("copy", "--template=template0")
    server.database("copy").tool("pg_restore", "--exit-on-error", dump)
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


def main():
    with postgres.Server(15) as server:
        torture.make(server)
        copy_with_their_tools(server)
        original, copy = server.database(torture.NAME), server.database("copy")
        found = same.compare(original, copy)
        proof.ok("a copy by pg_dump and pg_restore is equal", not found, "\n".join(found))
        damages_are_named(original, copy)
        structure_is_named(original, copy)


main()
proof.end()
