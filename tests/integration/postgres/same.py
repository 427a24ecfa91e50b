# tests/integration/postgres/same.py
# SPDX-License-Identifier: Apache-2.0
#
# Whether two databases are equal in everything that a backup must keep: what pg_dump says of their
# structure, every row of every table, sequences, large objects, and the database as a whole. It
# knows nothing of Backstay, so it can judge it.
#
#     python3 same.py URL URL       prints the differences; exit code 1 when there are any
import difflib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import postgres  # noqa: E402

# Texts of values are compared: they must not depend on what a database or role has set.
SESSION = """
SET search_path = ''; SET "DateStyle" = 'ISO, YMD'; SET "IntervalStyle" = 'postgres';
SET extra_float_digits = 3; SET bytea_output = 'hex'; SET timezone = 'UTC';
SET xmloption = 'content'; SET lc_monetary = 'C'; SET statement_timeout = 0; SET row_security = off;
"""

# Runs one statement per relation inside of the server: thousands of relations, one round trip.
# The partitions of a hash may share out their rows in another way after a restore (the hash of an
# enum is that of an OID): there the topmost such table is compared as a whole.
PER_RELATION = """
WITH RECURSIVE hashed AS (
    SELECT i.inhrelid AS oid, p.partrelid AS top
    FROM pg_catalog.pg_partitioned_table p
        JOIN pg_catalog.pg_inherits i ON i.inhparent = p.partrelid
    WHERE p.partstrat = 'h'
    UNION SELECT i.inhrelid, h.top
    FROM hashed h JOIN pg_catalog.pg_inherits i ON i.inhparent = h.oid
)
SELECT n.nspname || '.' || CASE WHEN c.relname ~ '^[a-z_][a-z0-9_]*$' THEN c.relname
    ELSE '"' || replace(c.relname, '"', '""') || '"' END, (xpath('/row/v/text()', query_to_xml(
    format($q$%s$q$, n.nspname, c.relname), true, true, '')))[1]::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE %s AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""
DIGEST = ("SELECT count(*) || ' rows, digest ' || coalesce(md5(string_agg(md5(t::text), '' "
          "ORDER BY md5(t::text))), '-') AS v FROM %s t")
ROWS = PER_RELATION % (DIGEST % "ONLY %I.%I",
                       "(c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated)"
                       " AND c.oid NOT IN (SELECT oid FROM hashed)")
HASHED = PER_RELATION % (DIGEST % "%I.%I", "c.oid IN (SELECT top FROM hashed)")
SEQUENCES = PER_RELATION % (
    "SELECT last_value || CASE WHEN is_called THEN ', called' ELSE ', not called' END AS v"
    " FROM %I.%I",
    "c.relkind = 'S'")
UNPOPULATED = """
SELECT oid::regclass FROM pg_catalog.pg_class WHERE relkind = 'm' AND NOT relispopulated
"""

ACL = """(SELECT string_agg(a::text, ', ' ORDER BY a::text)
    FROM unnest(coalesce(%s, acldefault('%s', %s))) a)"""
OBJECTS = """
SELECT oid, format('%%s bytes, md5 %%s, owner %%s, rights %%s, comment %%s',
    octet_length(lo_get(oid)), md5(lo_get(oid)), pg_get_userbyid(lomowner), %s,
    obj_description(oid, 'pg_largeobject'))
FROM pg_catalog.pg_largeobject_metadata ORDER BY oid
""" % (ACL % ("lomacl", "L", "lomowner"))
DATABASE = """
SELECT key, value FROM pg_catalog.pg_database d, LATERAL (VALUES
    ('owner', pg_get_userbyid(datdba)::text), ('rights', %s),
    ('encoding', pg_encoding_to_char(encoding)),
    ('collation', datcollate), ('character type', datctype),
    ('connection limit', datconnlimit::text),
    ('template', datistemplate::text), ('comment', shobj_description(d.oid, 'pg_database')),
    ('provider', to_jsonb(d) ->> 'datlocprovider'), ('locale', to_jsonb(d) ->> 'daticulocale'),
    ('locale of 17', to_jsonb(d) ->> 'datlocale')) AS list (key, value)
WHERE datname = current_database()
UNION ALL
SELECT 'settings of ' || coalesce(r.rolname, 'the database'),
    (SELECT string_agg(c, '; ' ORDER BY c) FROM unnest(s.setconfig) c)
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
WHERE d.datname = current_database() ORDER BY 1
""" % (ACL % ("datacl", "d", "datdba"))
ROLES = """
SELECT rolname, (to_jsonb(r) - 'oid' - 'rolpassword')::text
    || coalesce(shobj_description(oid, 'pg_authid'), '')
    || coalesce((SELECT string_agg(
        g.rolname || CASE WHEN admin_option THEN ' with admin' ELSE '' END, ', ' ORDER BY g.rolname)
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid), '')
FROM pg_catalog.pg_roles r WHERE rolname ~ '^torture' ORDER BY 1
"""

# What two dumps of equal databases do not share: random tokens against injection, versions, and
# owners in comments: what can be owned by another role than the first has a statement for that.
VARYING = re.compile(r"^\\(un)?restrict .*|^-- Dumped (from|by) .*|(?<=; )Owner: .*$", re.M)
GRANTS = re.compile(r"(?:^ALTER DEFAULT PRIVILEGES .* GRANT .*\n){2,}", re.M)
POLICY = re.compile(r"^(CREATE POLICY .*? TO )(.*?)( USING | WITH |;)", re.M)


def structure(database):
    text = VARYING.sub("", database.tool("pg_dump", "-s").decode("utf-8", "surrogateescape"))
    # Roles have no order but that of their oids.
    text = GRANTS.sub(lambda found: "".join(sorted(found[0].splitlines(True))), text)
    return POLICY.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "))) + found[3],
                      text)


def listing(database, statement):
    rows = database.query(SESSION + statement)
    found = {row[0]: row[1] if len(row) > 1 else "" for row in rows}
    if len(found) != len(rows):
        raise postgres.Failed("names are not unique:\n" + statement)
    return found


def differences_of(what, left, right):
    lines = []
    for key in sorted(left.keys() | right.keys()):
        if key not in right:
            lines.append("%s %s: only on the left (%s)" % (what, key, left[key]))
        elif key not in left:
            lines.append("%s %s: only on the right (%s)" % (what, key, right[key]))
        elif left[key] != right[key]:
            lines.append("%s %s: %s / %s" % (what, key, left[key], right[key]))
    return lines


def structure_differs(left, right):
    texts = structure(left), structure(right)
    if texts[0] == texts[1]:
        return []
    delta = difflib.unified_diff(*(text.splitlines() for text in texts), "left", "right", "", "", 2,
                                 "")
    return ["structure: " + line for line in delta]


PARTS = {
    "structure": structure_differs,
}
for part, query in {"rows of": ROWS, "rows below": HASHED, "sequence": SEQUENCES,
                    "unpopulated": UNPOPULATED, "large object": OBJECTS, "database": DATABASE,
                    "role": ROLES}.items():
    PARTS[part] = lambda left, right, part=part, query=query: differences_of(
        part, listing(left, query), listing(right, query))


def compare(left, right, without=()):
    """The differences of two postgres.Database, as lines; @without names parts that may differ."""
    lines = []
    for name, differ in PARTS.items():
        if name not in without:
            lines += differ(left, right)
    return lines


def main(arguments):
    if len(arguments) != 2:
        print("usage: same.py URL URL", file=sys.stderr)
        return 2
    found = compare(*(postgres.Database(url) for url in arguments))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
