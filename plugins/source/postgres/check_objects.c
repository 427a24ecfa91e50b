/* plugins/source/postgres/check_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Objects of which somebody who relies on backups should know: one row of a table for each kind,
 * one query for each row.
 */
#include "check_parts.h"

#include <string.h>

enum which { EVERYWHERE, ON_PRIMARY, ON_STANDBY, TO_SUPERUSERS, TO_OTHERS };

enum { ROWS_READ, BY_TABLE, BY_NAME, BY_SCHEMA, ALL };

/* A query answers with: what to show; and what it belongs to: the oid of a table (ROWS_READ: one
 * whose rows are to be read; BY_TABLE: any that is chosen), or schema and name. */
struct kind {
    const char *subject;
    const char *sql;
    const char *text; /* after how many and which */
    int severity;
    int filter;
    enum which which;
    int since;   /* server major */
    bool advice; /* for people only */
};

#define LABEL(schema, name)                                                                        \
    "pg_catalog.quote_ident(" schema ") || '.' || pg_catalog.quote_ident(" name ")"

#define OF_USERS " n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "

/* Made by CREATE EXTENSION, and so not by what a dump has. */
#define MEMBER(class, oid)                                                                         \
    " EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog." class             \
        "'::regclass AND d.objid = " oid " AND d.deptype = 'e') "

#define TABLES(what)                                                                               \
    "SELECT " LABEL("n.nspname",                                                                   \
                    "c.relname") ", c.oid, n.nspname, c.relname"                                   \
                                 " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "  \
                                 "n.oid = c.relnamespace"                                          \
                                 " WHERE " what " ORDER BY n.nspname, c.relname"

static const char unlogged_sql[] = TABLES("c.relkind = 'r' AND c.relpersistence = 'u'");

static const struct kind kinds[] = {
    {.subject = "unlogged tables",
     .sql = unlogged_sql,
     .severity = BACKSTAY_INFO,
     .filter = ROWS_READ,
     .which = ON_PRIMARY,
     .text = "a crash empties them on the server, a backup has their rows"},
    {.subject = "unlogged tables",
     .sql = unlogged_sql,
     .severity = BACKSTAY_BAD,
     .filter = ROWS_READ,
     .which = ON_STANDBY,
     .text = "a standby does not have their rows; name them under \"structure_only\", or back up "
             "the primary"},
    {.subject = "foreign tables",
     .sql = TABLES("c.relkind = 'f' AND" OF_USERS "AND NOT" MEMBER("pg_class", "c.oid")),
     .severity = BACKSTAY_INFO,
     .filter = BY_NAME,
     .text = "their rows are elsewhere and not in the backup"},
    {.subject = "access methods",
     .sql = "SELECT " LABEL("n.nspname",
                            "c.relname") " || ' (' || a.amname || ')', c.oid,"
                                         " n.nspname, c.relname FROM pg_catalog.pg_class c"
                                         " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                                         " JOIN pg_catalog.pg_am a ON a.oid = c.relam"
                                         " WHERE c.relkind = 'r' AND a.amname <> 'heap' ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = ROWS_READ,
     .text = "not heap: each is read by one connection, and the server of a restore must have the "
             "access method"},
    {.subject = "temporary tables",
     .sql = TABLES("c.relkind = 'r' AND c.relpersistence = 't'"),
     .severity = BACKSTAY_INFO,
     .filter = ALL,
     .advice = true,
     .text = "they belong to sessions and are in no backup"},
    {.subject = "invalid indexes",
     .sql = "SELECT " LABEL("n.nspname",
                            "c.relname") ", x.indrelid, n.nspname, c.relname"
                                         " FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c "
                                         "ON c.oid = x.indexrelid"
                                         " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                                         " WHERE NOT x.indisvalid AND c.relkind = 'i' ORDER BY 1",
     .severity = BACKSTAY_WARNING,
     .filter = BY_TABLE,
     .text = "left by a CREATE INDEX CONCURRENTLY that failed, they are not in the backup: REINDEX "
             "INDEX CONCURRENTLY or DROP INDEX each"},
    {.subject = "system schemas",
     .sql = "SELECT x.label FROM (SELECT " LABEL(
         "n.nspname",
         "c.relname") " AS label,"
                      " c.relowner AS owner FROM pg_catalog.pg_class c"
                      " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= "
                      "16384"
                      " AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
                      " AND n.nspname IN ('pg_catalog', 'information_schema')"
                      " AND NOT" MEMBER("pg_class", "c.oid") " UNION ALL SELECT " LABEL(
                          "n.nspname",
                          "p.proname") " || '()', p.proowner"
                                       " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n "
                                       "ON n.oid = p.pronamespace"
                                       " WHERE p.oid >= 16384 AND n.nspname IN ('pg_catalog', "
                                       "'information_schema')"
                                       " AND NOT" MEMBER(
                                           "pg_proc",
                                           "p.oid") ") x"
                                                    /* What the provider of a managed server has put
                                                       there is the provider's. */
                                                    " WHERE x.owner <> 10 OR (SELECT r.rolsuper "
                                                    "FROM pg_catalog.pg_roles r"
                                                    "  WHERE r.rolname = CURRENT_USER) ORDER BY 1",
     .severity = BACKSTAY_WARNING,
     .filter = ALL,
     .text = "no dump has what lies in pg_catalog or information_schema: move it to a schema of "
             "yours"},
    {.subject = "extensions",
     .sql = "SELECT e.extname || ' ' || e.extversion FROM pg_catalog.pg_extension e"
            " WHERE e.extname <> 'plpgsql' ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = ALL,
     .text = "the server of a restore must have them installed"},
    {.subject = "extensions' own tables",
     .sql = TABLES("c.relkind = 'r' AND c.relpages > 0 AND" OF_USERS "AND EXISTS (SELECT FROM"
                   " pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid"
                   " WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid"
                   " AND d.objsubid = 0 AND d.deptype = 'e'"
                   " AND (e.extconfig IS NULL OR c.oid <> ALL (e.extconfig)))"),
     .severity = BACKSTAY_INFO,
     .filter = BY_NAME,
     .text = "the extension makes them anew: rows that were added to them are not in the backup"},
    {.subject = "event triggers",
     .sql = "SELECT pg_catalog.quote_ident(t.evtname) FROM pg_catalog.pg_event_trigger t"
            " WHERE NOT" MEMBER("pg_event_trigger", "t.oid") "ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = ALL,
     .text = "only a superuser can restore them"},
    {.subject = "untrusted functions",
     .sql = "SELECT " LABEL("n.nspname",
                            "p.proname") " || ' (' || l.lanname || ')', p.oid,"
                                         " n.nspname, p.proname FROM pg_catalog.pg_proc p"
                                         " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
                                         " JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
                                         " WHERE NOT l.lanpltrusted AND" OF_USERS
                                         "AND NOT" MEMBER("pg_proc", "p.oid") "ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = BY_SCHEMA,
     .text = "only a superuser can restore functions of these languages"},
    {.subject = "publications",
     .sql = "SELECT pg_catalog.quote_ident(p.pubname) || CASE WHEN p.puballtables"
            " THEN ' (all tables)' ELSE '' END FROM pg_catalog.pg_publication p ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = ALL,
     .text = "they are in the backup, their slots are not; only a superuser can restore one of all "
             "tables"},
    {.subject = "subscriptions",
     .sql = "SELECT pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s"
            " WHERE s.subdbid = (SELECT b.oid FROM pg_catalog.pg_database b"
            "  WHERE b.datname = pg_catalog.current_database()) ORDER BY 1",
     .severity = BACKSTAY_INFO,
     .filter = ALL,
     .which = TO_SUPERUSERS,
     .text = "a restore makes them without connecting them"},
    {.subject = "subscriptions",
     .sql = "SELECT pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s"
            " WHERE s.subdbid = (SELECT b.oid FROM pg_catalog.pg_database b"
            "  WHERE b.datname = pg_catalog.current_database()) ORDER BY 1",
     .severity = BACKSTAY_WARNING,
     .filter = ALL,
     .which = TO_OTHERS,
     .text = "not in the backup: only a superuser may read them; keep their CREATE SUBSCRIPTION"},
    {.subject = "user mappings",
     .sql = "SELECT u.usename || ' on ' || u.srvname FROM pg_catalog.pg_user_mappings u"
            " JOIN pg_catalog.pg_foreign_server s ON s.oid = u.srvid WHERE NOT ("
            " (u.umuser <> 0 AND u.usename = CURRENT_USER AND (pg_catalog.pg_has_role(s.srvowner,"
            " 'USAGE') OR pg_catalog.has_server_privilege(s.oid, 'USAGE')))"
            " OR (u.umuser = 0 AND pg_catalog.pg_has_role(s.srvowner, 'USAGE'))) ORDER BY 1",
     .severity = BACKSTAY_WARNING,
     .filter = ALL,
     .which = TO_OTHERS,
     .text = "their options (the password) are hidden from all but superusers and not in the "
             "backup; keep their CREATE USER MAPPING"},
    {.subject = "collations",
     .sql = "SELECT 'database ' || pg_catalog.quote_ident(b.datname) || ' ' || b.datcollversion"
            " || ' -> ' || v.now FROM pg_catalog.pg_database b,"
            " LATERAL pg_catalog.pg_database_collation_actual_version(b.oid) v(now)"
            " WHERE b.datname = pg_catalog.current_database() AND b.datcollversion <> v.now",
     .severity = BACKSTAY_WARNING,
     .filter = ALL,
     .since = 15,
     .advice = true,
     .text = "made with another version of the collation than the system has now: indexes on text "
             "may be in the wrong order; REINDEX DATABASE, then ALTER DATABASE ... REFRESH "
             "COLLATION VERSION"},
    {.subject = "collations",
     .sql = "SELECT " LABEL(
         "n.nspname",
         "c.collname") " || ' ' || c.collversion || ' -> ' ||"
                       " v.now FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n"
                       " ON n.oid = c.collnamespace,"
                       " LATERAL pg_catalog.pg_collation_actual_version(c.oid) v(now)"
                       " WHERE c.collversion <> v.now AND" OF_USERS "ORDER BY 1",
     .severity = BACKSTAY_WARNING,
     .filter = ALL,
     .advice = true,
     .text = "made with another version than the system has now: REINDEX what uses them, then "
             "ALTER COLLATION ... REFRESH VERSION"},
};

static bool applies(const struct pg_look *look, const struct kind *kind)
{
    if (look->conn->major < kind->since || (kind->advice && !look->advice))
        return false;
    switch (kind->which) {
    case ON_PRIMARY:
        return !look->standby;
    case ON_STANDBY:
        return look->standby;
    case TO_SUPERUSERS:
        return look->superuser;
    case TO_OTHERS:
        return !look->superuser;
    case EVERYWHERE:
        break;
    }
    return true;
}

static bool counts(const struct pg_look *look, const struct kind *kind, const PGresult *rows,
                   int row)
{
    const struct pg_table *table;

    switch (kind->filter) {
    case ROWS_READ:
    case BY_TABLE:
        table = pg_tables_find(&look->tables, (uint32_t)pg_cell_number(rows, row, 1));
        return table && (kind->filter == BY_TABLE || !table->structure_only);
    case BY_NAME:
        return pg_wants_table(look->pg, pg_cell(rows, row, 2), pg_cell(rows, row, 3));
    case BY_SCHEMA:
        return pg_wants_schema(look->pg, pg_cell(rows, row, 2));
    default:
        return true;
    }
}

static int look_for(const struct pg_look *look, const struct kind *kind, struct backstay_error *err)
{
    PG_AUTO_NAMES struct pg_names names = {0};
    PGresult *rows = pg_query(look->conn, err, kind->sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++)
        if (counts(look, kind, rows, row))
            pg_names_add(&names, pg_cell(rows, row, 0));
    if (names.n)
        pg_look_say(look, kind->severity, kind->subject, "%zu (%s): %s", names.n,
                    pg_names_text(&names), kind->text);
    PQclear(rows);
    return 0;
}

int pg_look_objects(const struct pg_look *look, struct backstay_error *err)
{
    int r = 0;

    for (size_t i = 0; i < PLUG_COUNT(kinds) && r == 0; i++)
        if (applies(look, &kinds[i]))
            r = look_for(look, &kinds[i], err);
    return r;
}
