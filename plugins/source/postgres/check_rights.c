/* plugins/source/postgres/check_rights.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the role may not read, and the statements after which it may.
 *
 * One role of the server covers all tables and sequences, those to come included, from version 14
 * on; before, each schema is granted, and what its owners will create there.
 */
#include "check_parts.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

enum { READ_ALL_SINCE = 14 };

enum {
    COL_SCHEMA,
    COL_NAME,
    COL_LABEL,
    COL_KIND,
    COL_SCHEMA_SQL,
    COL_OWNER_SQL,
    COL_USAGE,
    COL_SELECT,
    COL_OF_SCHEMA,
    COL_OF_TABLE,
    COL_IDENTITY
};

/* Everything that is locked or read: tables, partitioned ones (pg_dump locks them), sequences. */
static const char unreadable_sql[] =
    "SELECT n.nspname, c.relname, pg_catalog.quote_ident(n.nspname) || '.' ||"
    " pg_catalog.quote_ident(c.relname), c.relkind, " PG_SQL_IDENT("n.nspname") ", " PG_SQL_IDENT(
        "pg_catalog.pg_get_userbyid(c.relowner)") ", x.usage, x.readable,"
                                                  " tn.nspname, t.relname, d.deptype = 'i'"
                                                  " FROM pg_catalog.pg_class c JOIN "
                                                  "pg_catalog.pg_namespace n ON n.oid = "
                                                  "c.relnamespace"
                                                  " CROSS JOIN LATERAL (SELECT "
                                                  "pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
                                                  "AS usage,"
                                                  "  CASE c.relkind WHEN 'S' THEN "
                                                  "pg_catalog.has_sequence_privilege(c.oid, "
                                                  "'SELECT')"
                                                  "  ELSE pg_catalog.has_table_privilege(c.oid, "
                                                  "'SELECT') END AS readable) x"
                                                  " LEFT JOIN pg_catalog.pg_depend m ON m.classid "
                                                  "= 'pg_catalog.pg_class'::regclass"
                                                  "  AND m.objid = c.oid AND m.objsubid = 0 AND "
                                                  "m.deptype = 'e'"
                                                  " LEFT JOIN pg_catalog.pg_extension e ON e.oid = "
                                                  "m.refobjid"
                                                  " LEFT JOIN pg_catalog.pg_depend d ON c.relkind "
                                                  "= 'S' AND d.objid = c.oid AND d.objsubid = 0"
                                                  "  AND d.classid = "
                                                  "'pg_catalog.pg_class'::regclass AND "
                                                  "d.refclassid = d.classid"
                                                  "  AND d.refobjsubid > 0 AND d.deptype IN ('a', "
                                                  "'i')"
                                                  " LEFT JOIN pg_catalog.pg_class t ON t.oid = "
                                                  "d.refobjid"
                                                  " LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid "
                                                  "= t.relnamespace"
                                                  " WHERE c.relkind IN ('r', 'p', 'S') AND "
                                                  "c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
                                                  " AND n.nspname <> 'information_schema' AND "
                                                  "(m.objid IS NULL OR c.oid = ANY (e.extconfig))"
                                                  " AND NOT (x.usage AND x.readable)"
                                                  " ORDER BY n.nspname, "
                                                  "pg_catalog.pg_get_userbyid(c.relowner), "
                                                  "c.relname";

/* What is missing in one schema, and in all of them. */
struct schema {
    bool usage;
    bool tables;
    bool sequences;
    struct plug_bytes later; /* statements about what its owners will create */
    char *owner;             /* the last one that is in there */
};

struct missing {
    struct pg_names tables;
    struct pg_names sequences;
    struct pg_names schemas;
    struct plug_bytes sql; /* each schema by itself */
};

static bool wanted(const struct pg *pg, const PGresult *rows, int row)
{
    const struct pg_owned relation = {
        .schema = pg_cell(rows, row, COL_SCHEMA),
        .name = pg_cell(rows, row, COL_NAME),
        .table_schema = pg_cell(rows, row, COL_OF_SCHEMA),
        .table = pg_cell(rows, row, COL_OF_TABLE),
        .identity = pg_cell_true(rows, row, COL_IDENTITY),
    };

    return pg_wants_sequence(pg, &relation);
}

static void note_owner(const struct pg_look *look, struct schema *schema, const char *name,
                       const char *owner)
{
    if (schema->owner && strcmp(schema->owner, owner) == 0)
        return;
    free(schema->owner);
    schema->owner = plug_strdup(owner);
    plug_bytes_format(&schema->later,
                      "\nALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT SELECT ON TABLES "
                      "TO %s;\nALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT SELECT ON "
                      "SEQUENCES TO %s;",
                      owner, name, look->role, owner, name, look->role);
}

static void end_schema(const struct pg_look *look, struct missing *missing, struct schema *schema,
                       const char *name)
{
    if (schema->usage) {
        pg_names_add(&missing->schemas, name);
        plug_bytes_format(&missing->sql, "\nGRANT USAGE ON SCHEMA %s TO %s;", name, look->role);
    }
    if (schema->tables)
        plug_bytes_format(&missing->sql, "\nGRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s;", name,
                          look->role);
    if (schema->sequences)
        plug_bytes_format(&missing->sql, "\nGRANT SELECT ON ALL SEQUENCES IN SCHEMA %s TO %s;",
                          name, look->role);
    if (schema->later.data)
        plug_bytes_text(&missing->sql, schema->later.data);
    plug_bytes_free(&schema->later);
    free(schema->owner);
    *schema = (struct schema){0};
}

static void note(const struct pg_look *look, struct missing *missing, struct schema *schema,
                 const PGresult *rows, int row)
{
    bool sequence = pg_cell(rows, row, COL_KIND)[0] == 'S';

    if (!pg_cell_true(rows, row, COL_USAGE))
        schema->usage = true;
    if (pg_cell_true(rows, row, COL_SELECT))
        return;
    pg_names_add(sequence ? &missing->sequences : &missing->tables, pg_cell(rows, row, COL_LABEL));
    *(sequence ? &schema->sequences : &schema->tables) = true;
    note_owner(look, schema, pg_cell(rows, row, COL_SCHEMA_SQL), pg_cell(rows, row, COL_OWNER_SQL));
}

static void gather(const struct pg_look *look, struct missing *missing, const PGresult *rows)
{
    struct schema schema = {0};
    const char *name = NULL;

    for (int row = 0; row < PQntuples(rows); row++) {
        const char *next = pg_cell(rows, row, COL_SCHEMA_SQL);
        if (!wanted(look->pg, rows, row))
            continue;
        if (name && strcmp(name, next) != 0)
            end_schema(look, missing, &schema, name);
        name = next;
        note(look, missing, &schema, rows, row);
    }
    if (name)
        end_schema(look, missing, &schema, name);
}

static void add_part(struct plug_bytes *text, const char *what, struct pg_names *names)
{
    if (names->n)
        plug_bytes_format(text, "%s%zu %s (%s)", text->len ? ", " : "", names->n, what,
                          pg_names_text(names));
}

static void say_missing(const struct pg_look *look, struct missing *missing)
{
    PLUG_AUTO_BYTES struct plug_bytes what = {0};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    add_part(&what, "tables", &missing->tables);
    add_part(&what, "sequences", &missing->sequences);
    add_part(&what, "schemas", &missing->schemas);
    if (look->conn->major >= READ_ALL_SINCE)
        pg_look_grant_role(look, &sql, "pg_read_all_data");
    pg_look_say(look, BACKSTAY_BAD, "rights",
                "%s may not read %s; as the owner or an administrator%s:%s", look->role, what.data,
                look->standby ? ", on the primary" : "", sql.data ? sql.data : missing->sql.data);
}

static int look_at_reading(const struct pg_look *look, struct backstay_error *err)
{
    struct missing missing = {0};
    PGresult *rows = pg_query(look->conn, err, unreadable_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    gather(look, &missing, rows);
    PQclear(rows);
    if (missing.sql.data)
        say_missing(look, &missing);
    else
        pg_look_say(look, BACKSTAY_OK, "rights", "%zu tables, all of them readable",
                    look->tables.n);
    pg_names_free(&missing.tables);
    pg_names_free(&missing.sequences);
    pg_names_free(&missing.schemas);
    plug_bytes_free(&missing.sql);
    return 0;
}

/* ---- row security */

enum { RLS_OID, RLS_FORCED, RLS_OWNER };

static const char row_security_sql[] =
    "SELECT c.oid, c.relforcerowsecurity,"
    " " PG_SQL_IDENT(
        "pg_catalog.pg_get_userbyid(c.relowner)") " FROM pg_catalog.pg_class c"
                                                  " WHERE c.relkind = 'r' AND c.relrowsecurity AND "
                                                  "pg_catalog.row_security_active(c.oid)"
                                                  " ORDER BY 3, c.relname";

struct hidden {
    struct pg_names tables;
    struct pg_names forced;
    struct plug_bytes owners; /* statements */
    const char *owner;        /* the last one that is in there */
};

static void note_hidden(const struct pg_look *look, struct hidden *hidden, const PGresult *rows,
                        int row)
{
    const struct pg_table *table =
        pg_tables_find(&look->tables, (uint32_t)pg_cell_number(rows, row, RLS_OID));
    const char *owner = pg_cell(rows, row, RLS_OWNER);

    if (table == NULL || table->structure_only)
        return;
    pg_names_add(&hidden->tables, table->label);
    if (pg_cell_true(rows, row, RLS_FORCED)) {
        pg_names_add(&hidden->forced, table->label);
    } else if (hidden->owner == NULL || strcmp(hidden->owner, owner) != 0) {
        hidden->owner = owner;
        pg_look_grant_role(look, &hidden->owners, owner);
    }
}

static void say_hidden(const struct pg_look *look, struct hidden *hidden)
{
    PLUG_AUTO_BYTES struct plug_bytes otherwise = {0};

    if (hidden->owners.data)
        plug_bytes_format(
            &otherwise,
            "\nwhere a managed service does not let you, its owner is free of it, and "
            "so are the owner's members:%s",
            hidden->owners.data);
    if (hidden->forced.n)
        plug_bytes_format(&otherwise,
                          "\nowners are bound, too, in %s (FORCE ROW LEVEL SECURITY): name those "
                          "under \"structure_only\" when there is no way to have BYPASSRLS",
                          pg_names_text(&hidden->forced));
    pg_look_say(look, BACKSTAY_BAD, "row security",
                "%zu tables have it, and %s would not get all of their rows: %s; as a "
                "superuser%s%s:\nALTER ROLE %s BYPASSRLS;%s",
                hidden->tables.n, look->role, pg_names_text(&hidden->tables),
                look->conn->major >= 16 ? " or an administrator who has BYPASSRLS" : "",
                look->standby ? ", on the primary" : "", look->role,
                otherwise.data ? otherwise.data : "");
}

static int look_at_row_security(const struct pg_look *look, struct backstay_error *err)
{
    struct hidden hidden = {0};
    PGresult *rows = pg_query(look->conn, err, row_security_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++)
        note_hidden(look, &hidden, rows, row);
    if (hidden.tables.n)
        say_hidden(look, &hidden);
    PQclear(rows);
    pg_names_free(&hidden.tables);
    pg_names_free(&hidden.forced);
    plug_bytes_free(&hidden.owners);
    return 0;
}

int pg_look_rights(const struct pg_look *look, struct backstay_error *err)
{
    return look_at_reading(look, err) == 0 ? look_at_row_security(look, err) : -1;
}
