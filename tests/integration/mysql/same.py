# tests/integration/mysql/same.py
# SPDX-License-Identifier: Apache-2.0
#
# Whether two databases are equal in everything that a backup must keep: what the server itself says of
# each object (SHOW CREATE), every row of every table, sequences; and two servers in their accounts.
# It knows nothing of Backstay, so it can judge it.
import mysql

# Values are compared as the server has them, not as a session shows them.
SESSION = ("SET NAMES utf8mb4; SET time_zone = '+00:00'; SET sql_mode = ''; SET sql_quote_show_create = 1;"
           " SET SESSION group_concat_max_len = 1 << 30;")

# What a value is compared by. A float as text loses digits; an enum that is none of its members shows
# as ''; a bit is no text.
BY_TYPE = {
    "float": "CAST({0} AS double)",
    "enum": "CONCAT({0} + 0, ' ', HEX({0}))",
    "set": "CONCAT({0} + 0, ' ', HEX({0}))",
    "bit": "HEX({0} + 0)",
    "json": "CAST({0} AS char)",
    "geometry": "HEX({0})",
    "vector": "HEX({0})",
    "uuid": "CAST({0} AS char)",
    "inet4": "CAST({0} AS char)",
    "inet6": "CAST({0} AS char)",
}
for shape in ("point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
              "geometrycollection", "geomcollection"):
    BY_TYPE[shape] = BY_TYPE["geometry"]


class Side:
    """One of the two: a database on a server."""

    def __init__(self, server, database):
        self.server = server
        self.database = database

    def query(self, statement):
        return self.server.query(SESSION + statement, self.database)

    def of_schema(self, statement):
        """Rows of an information schema, %s being where the database is compared."""
        return self.query(statement % ("= " + mysql.literal(self.database)))

    def show(self, pairs, column):
        """SHOW CREATE of each (kind, name): {(kind, name): text}."""
        found = {}
        for kind, name in pairs:
            row = self.query("SHOW CREATE %s %s" % (kind, mysql.ident(name)))[0]
            found["%s %s" % (kind, name)] = " | ".join(row[column:])
        return found


def tables(side):
    return {row[0]: row[1] for row in side.of_schema(
        "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA %s")}


def show_create(side):
    """What SHOW CREATE says of everything. The client asks for all of one kind in one session."""
    found = {}
    for name, kind in tables(side).items():
        what = {"VIEW": "VIEW", "SEQUENCE": "SEQUENCE"}.get(kind, "TABLE")
        found["%s %s" % (what, name)] = (what, name)
    for name, kind in side.of_schema("SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES"
                                     " WHERE ROUTINE_SCHEMA %s"):
        found["%s %s" % (kind, name)] = (kind, name)
    for name, in side.of_schema("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
                                " WHERE TRIGGER_SCHEMA %s"):
        found["TRIGGER %s" % name] = ("TRIGGER", name)
    for name, in side.of_schema("SELECT EVENT_NAME FROM information_schema.EVENTS"
                                " WHERE EVENT_SCHEMA %s"):
        found["EVENT %s" % name] = ("EVENT", name)
    script = "".join("SELECT %s; SHOW CREATE %s %s;" % (
        mysql.literal("--- " + key), kind, mysql.ident(name)) for key, (kind, name) in found.items())
    said, key = {}, None
    for row in side.query(script):
        if len(row) == 1 and row[0].startswith("--- "):
            key = row[0][4:]
        else:
            said[key] = plain(key, row)
    said["the database"] = side.query("SHOW CREATE DATABASE %s" % mysql.ident(side.database))[0][1].replace(
        mysql.ident(side.database), "`?`")
    return said


def plain(key, row):
    """A row of SHOW CREATE without the time at which a trigger was made."""
    row = list(row)
    if key.startswith("TRIGGER") and len(row) > 6:
        del row[6]
    return " | ".join(row)


# What SHOW CREATE does not tell. It names the checksums of Aria's pages whether or not CREATE did.
DETAILS = {
    "table": "SELECT TABLE_NAME, CONCAT_WS(', ', TABLE_TYPE, ENGINE, ROW_FORMAT, TABLE_COLLATION,"
             " REPLACE(CREATE_OPTIONS, 'page_checksum=1 ', ''), TABLE_COMMENT) FROM information_schema.TABLES WHERE TABLE_SCHEMA %s",
    "column": "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME), CONCAT_WS(', ', ORDINAL_POSITION, COLUMN_DEFAULT,"
              " IS_NULLABLE, COLUMN_TYPE, COLLATION_NAME, EXTRA, GENERATION_EXPRESSION, COLUMN_COMMENT)"
              " FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME)"
              " WHERE TABLE_TYPE <> 'VIEW' AND TABLE_SCHEMA %s",
    "index": "SELECT CONCAT(TABLE_NAME, '.', INDEX_NAME, '.', SEQ_IN_INDEX), CONCAT_WS(', ', NON_UNIQUE, COLUMN_NAME,"
             " COLLATION, SUB_PART, INDEX_TYPE, INDEX_COMMENT) FROM information_schema.STATISTICS"
             " WHERE TABLE_SCHEMA %s",
    "trigger's place": "SELECT TRIGGER_NAME, CONCAT_WS(', ', EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING,"
                       " ACTION_ORDER, SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION,"
                       " DATABASE_COLLATION) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA %s",
    "event's state": "SELECT EVENT_NAME, CONCAT_WS(', ', STATUS, TIME_ZONE, STARTS, ENDS, EXECUTE_AT, INTERVAL_VALUE,"
                     " INTERVAL_FIELD, ON_COMPLETION, DEFINER, SQL_MODE, EVENT_COMMENT)"
                     " FROM information_schema.EVENTS WHERE EVENT_SCHEMA %s",
    "routine's state": "SELECT CONCAT(ROUTINE_TYPE, ' ', ROUTINE_NAME), CONCAT_WS(', ', SECURITY_TYPE, SQL_DATA_ACCESS,"
                       " IS_DETERMINISTIC, SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION,"
                       " DATABASE_COLLATION, ROUTINE_COMMENT) FROM information_schema.ROUTINES"
                       " WHERE ROUTINE_SCHEMA %s",
    "view's state": "SELECT TABLE_NAME, CONCAT_WS(', ', CHECK_OPTION, IS_UPDATABLE, DEFINER, SECURITY_TYPE,"
                    " CHARACTER_SET_CLIENT, COLLATION_CONNECTION) FROM information_schema.VIEWS"
                    " WHERE TABLE_SCHEMA %s",
    "foreign key": "SELECT CONCAT(TABLE_NAME, '.', CONSTRAINT_NAME), CONCAT_WS(', ', UNIQUE_CONSTRAINT_NAME, UPDATE_RULE,"
                   " DELETE_RULE, REFERENCED_TABLE_NAME) FROM information_schema.REFERENTIAL_CONSTRAINTS"
                   " WHERE CONSTRAINT_SCHEMA %s",
}


def details(which):
    def read(side):
        rows = side.of_schema(DETAILS[which])
        found = {row[0]: row[1] for row in rows}
        if len(found) != len(rows):
            raise mysql.Failed("names are not unique:\n" + DETAILS[which])
        return found
    return read


def rows(side):
    """A digest of the rows of each table: those that were, too, where it keeps a history."""
    kinds = tables(side)
    columns = {name: [] for name, kind in kinds.items() if kind in ("BASE TABLE", "SYSTEM VERSIONED")}
    for name, column, kind in side.of_schema(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA %s ORDER BY TABLE_NAME, ORDINAL_POSITION"):
        if name in columns:
            columns[name].append((column, kind))
    script = []
    for name, list_of in columns.items():
        history = kinds[name] == "SYSTEM VERSIONED"
        have = {column for column, _ in list_of}
        if history and not any(column in have for column in ("began", "row_start")):
            list_of = list_of + [("row_start", "timestamp"), ("row_end", "timestamp")]
        values = ["IFNULL(SHA2(%s, 224), 'null')" % BY_TYPE.get(kind, "{0}").format(mysql.ident(column))
                  for column, kind in list_of]
        script.append("SELECT %s, CONCAT(COUNT(*), ' rows, digest ', IFNULL(SHA2(GROUP_CONCAT(d ORDER BY d"
                      " SEPARATOR ''), 224), '-')) FROM (SELECT SHA2(CONCAT(%s), 224) AS d FROM %s%s) x;" % (
                          mysql.literal(name), ", ".join(values), mysql.ident(name),
                          " FOR SYSTEM_TIME ALL" if history else ""))
    return dict(side.query("".join(script)))


def sequences(side):
    names = [name for name, kind in tables(side).items() if kind == "SEQUENCE"]
    script = "".join("SELECT %s, s.* FROM %s s;" % (mysql.literal(name), mysql.ident(name))
                     for name in names)
    return {row[0]: ", ".join(row[1:]) for row in side.query(script)} if names else {}


def differences_of(what, left, right):
    lines = []
    for key in sorted(left.keys() | right.keys()):
        if key not in right:
            lines.append("%s %s: only on the left (%s)" % (what, key, left[key]))
        elif key not in left:
            lines.append("%s %s: only on the right (%s)" % (what, key, right[key]))
        elif left[key] != right[key]:
            lines.append("%s %s:\n  %s\n  %s" % (what, key, left[key], right[key]))
    return lines


PARTS = {"create": show_create, "rows of": rows, "sequence": sequences}
PARTS.update({which: details(which) for which in DETAILS})


def compare(left, right, without=()):
    """The differences of two Side, as lines; @without names parts that may differ."""
    lines = []
    for name, read in PARTS.items():
        if name not in without:
            lines += differences_of(name, read(left), read(right))
    return lines


# -- accounts

SYSTEM = ("root", "mariadb.sys", "mysql", "mysql.sys", "mysql.session", "mysql.infoschema", "PUBLIC")


def account(user, host, role):
    return mysql.literal(user) if role else "%s@%s" % (mysql.literal(user), mysql.literal(host))


def accounts(server):
    """What the server says of each account and role, and of what each may do."""
    roles = "is_role = 'Y'" if server.mariadb else "FALSE"
    found = {}
    for user, host, role in server.query("SELECT User, Host, %s FROM mysql.user" % roles):
        if user in SYSTEM:
            continue
        name = account(user, host, role == "1")
        shown = server.query("%sSHOW CREATE USER %s" % (
            "" if server.mariadb else "SET print_identified_with_as_hex = 1;", name)) \
            if role != "1" else []
        grants = sorted(row[0] for row in server.query("SHOW GRANTS FOR %s" % name))
        found[name] = "\n  ".join([*(row[0] for row in shown), *grants])
    for row in server.query("SELECT * FROM mysql.%s" % (
            "roles_mapping" if server.mariadb else "default_roles")):
        found["role of " + " ".join(row)] = ""
    return found


def compare_accounts(left, right):
    return differences_of("account", accounts(left), accounts(right))

