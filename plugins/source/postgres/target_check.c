/* plugins/source/postgres/target_check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What must hold before a restore changes anything.
 */
#include "target.h"

#include <string.h>

/* ---- an existing database */

/* What somebody has made in a database: nothing of the system, of extensions, of sessions. */
static const char contents_sql[] =
    "WITH own AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n"
    "  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),"
    " members AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')"
    " SELECT 'schema ' || nspname FROM own WHERE nspname <> 'public'"
    "  AND ('pg_namespace'::pg_catalog.regclass, oid) NOT IN (SELECT * FROM members)"
    " UNION ALL SELECT 'relation ' || nspname || '.' || relname FROM pg_catalog.pg_class c"
    "  JOIN own ON own.oid = relnamespace"
    "  WHERE ('pg_class'::pg_catalog.regclass, c.oid) NOT IN (SELECT * FROM members)"
    " UNION ALL SELECT 'function ' || nspname || '.' || proname FROM pg_catalog.pg_proc p"
    "  JOIN own ON own.oid = pronamespace"
    "  WHERE ('pg_proc'::pg_catalog.regclass, p.oid) NOT IN (SELECT * FROM members)"
    " UNION ALL SELECT 'type ' || nspname || '.' || typname FROM pg_catalog.pg_type t"
    "  JOIN own ON own.oid = typnamespace WHERE typelem = 0"
    "  AND ('pg_type'::pg_catalog.regclass, t.oid) NOT IN (SELECT * FROM members)"
    " UNION ALL SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata"
    " LIMIT 1";

int pg_into_check_empty(const struct pg_into *into, struct pg_conn *conn,
                        struct backstay_error *err)
{
    PLUG_AUTO_FREE char *found = pg_value(conn, err, contents_sql);

    if (found == NULL)
        return -1;
    if (found[0] == '\0')
        return 0;
    return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                            "%s is not empty (it has %s), and nothing is restored over what is "
                            "there; name a database that does not exist, or restore with "
                            "--replace, which keeps the old one under another name",
                            conn->label, found);
}

/* ---- tables */

bool pg_into_wants(const struct pg_into *into, const json_t *table)
{
    return into->wish->n_tables == 0 || json_is_true(json_object_get(table, "wanted"));
}

static int table_exists(struct pg_conn *conn, const char *qualified, bool *exists,
                        struct backstay_error *err)
{
    PGresult *rows =
        pg_query(conn, err, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", &qualified, 1);

    if (rows == NULL)
        return -1;
    *exists = pg_cell_true(rows, 0, 0);
    PQclear(rows);
    return 0;
}

/* A foreign key or a trigger would refuse rows that come before others, or change them. */
static const char obstacles_sql[] =
    "SELECT CASE WHEN t.tgconstraint <> 0 THEN 'a foreign key' ELSE 'trigger ' || t.tgname END"
    " FROM pg_catalog.pg_trigger t WHERE t.tgrelid = pg_catalog.to_regclass($1)"
    " AND t.tgenabled IN ('O', 'A') AND t.tgtype & 4 = 4"
    " AND (NOT t.tgisinternal OR t.tgconstraint <> 0) ORDER BY t.tgisinternal DESC LIMIT 1";

static int check_obstacles(const struct pg_into *into, struct pg_conn *conn, const char *qualified,
                           const char *label, struct backstay_error *err)
{
    PGresult *rows = pg_query(conn, err, obstacles_sql, &qualified, 1);
    int r = 0;

    if (rows == NULL)
        return -1;
    if (PQntuples(rows) > 0)
        r = into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                             "rows cannot be loaded into table %s of %s: it has %s, which only a "
                             "role that may set session_replication_role can set aside; restore "
                             "as a superuser, or into a new database",
                             label, conn->label, pg_cell(rows, 0, 0));
    PQclear(rows);
    return r;
}

static int check_filled(const struct pg_into *into, struct pg_conn *conn, const char *qualified,
                        const char *label, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql = plug_strf("SELECT EXISTS (SELECT FROM ONLY %s)", qualified);
    PLUG_AUTO_FREE char *filled = pg_value(conn, err, sql);

    if (filled == NULL)
        return -1;
    if (filled[0] != 't')
        return 0;
    return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                            "table %s of %s has rows already, and none are added to them; empty it "
                            "first (TRUNCATE) or restore into another database",
                            label, conn->label);
}

static int check_table(const struct pg_into *into, struct pg_conn *conn, const json_t *table,
                       bool guarded, struct backstay_error *err)
{
    const char *label = plug_json_get(table, "label");
    PLUG_AUTO_FREE char *qualified =
        pg_qualified(plug_json_get(table, "schema"), plug_json_get(table, "name"));
    bool exists;

    if (table_exists(conn, qualified, &exists, err) != 0)
        return -1;
    if (exists && !into->wish->data_only)
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "table %s exists already in %s, and nothing is restored over it; "
                                "restore into another database, or its rows alone with "
                                "--data-only",
                                label, conn->label);
    if (!into->wish->data_only)
        return 0;
    if (!exists)
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "there is no table %s in %s whose rows could be restored; restore "
                                "without --data-only",
                                label, conn->label);
    if (json_is_true(json_object_get(table, "extension")))
        return 0;
    if (check_filled(into, conn, qualified, label, err) != 0)
        return -1;
    return guarded ? check_obstacles(into, conn, qualified, label, err) : 0;
}

static int check_objects(const struct pg_into *into, struct pg_conn *conn,
                         const struct pg_saved *saved, struct backstay_error *err)
{
    if (into->wish->n_tables > 0 || json_array_size(saved->objects) == 0)
        return 0;
    PLUG_AUTO_FREE char *any =
        pg_value(conn, err, "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)");
    if (any == NULL)
        return -1;
    if (any[0] != 't')
        return 0;
    return into->host->fail(
        into->host, err, BACKSTAY_ERR_CONFIG,
        "%s has large objects already, and those of the backup may have the "
        "same numbers; remove them (lo_unlink) or restore into another database",
        conn->label);
}

int pg_into_check_tables(const struct pg_into *into, struct pg_conn *conn,
                         const struct pg_saved *saved, struct backstay_error *err)
{
    bool guarded = false;
    size_t i;
    json_t *table;

    if (into->wish->data_only && pg_run(conn, err, "SET session_replication_role = replica") != 0) {
        if (!pg_error_is(conn, "42501"))
            return -1;
        guarded = true;
    }
    if (into->wish->data_only && check_objects(into, conn, saved, err) != 0)
        return -1;
    json_array_foreach(saved->tables, i, table)
    {
        if (pg_into_wants(into, table) && check_table(into, conn, table, guarded, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- roles and extensions */

static char *join(const json_t *list)
{
    struct plug_bytes text = {0};
    size_t i;
    json_t *name;

    json_array_foreach(list, i, name)
    {
        plug_bytes_format(&text, "%s%s", i ? ", " : "", json_string_value(name));
    }
    return text.data;
}

static int make_roles(struct pg_into *into, const json_t *missing, const json_t *globals,
                      struct backstay_error *err)
{
    size_t i;
    json_t *name;

    if (globals)
        return pg_globals_apply(into->server, globals, NULL, err);
    json_array_foreach(missing, i, name)
    {
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        plug_bytes_text(&sql, "CREATE ROLE ");
        pg_add_ident(&sql, json_string_value(name));
        if (pg_run(into->server, err, sql.data) != 0)
            return -1;
    }
    return 0;
}

static int check_missing(struct pg_into *into, const json_t *missing, const json_t *globals,
                         struct backstay_error *err)
{
    const json_t *roles = json_object_get(missing, "roles");
    const json_t *extensions = json_object_get(missing, "extensions");

    /* Of what a few tables need, the server itself says what is missing. */
    bool whole = into->wish->n_tables == 0;

    if (json_array_size(extensions) && whole) {
        PLUG_AUTO_FREE char *names = join(extensions);
        return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                                "%s does not have the extensions that the backup needs: %s; "
                                "install their packages (postgresql-%d-NAME, or "
                                "postgresql-contrib) on its host",
                                into->server->label, names, into->server->major);
    }
    if (json_array_size(roles) == 0 || into->wish->no_owner)
        return 0;
    if (into->scratch == PG_SCRATCH_INSTANCE)
        return make_roles(into, roles, globals, err);
    if (!whole)
        return 0;
    PLUG_AUTO_FREE char *names = join(roles);
    return into->host->fail(into->host, err, BACKSTAY_ERR_CONFIG,
                            "%s does not have the roles that own or may use something in the "
                            "backup: %s; create them (CREATE ROLE; globals.json of the snapshot "
                            "says how they were), or restore with --no-owner",
                            into->server->label, names);
}

int pg_into_check_needs(struct pg_into *into, const struct pg_saved *saved, const json_t *globals,
                        struct backstay_error *err)
{
    json_t *missing;

    if (pg_database_missing(into->server, saved->database, &missing, err) != 0)
        return -1;
    int r = check_missing(into, missing, globals, err);
    json_decref(missing);
    return r;
}
