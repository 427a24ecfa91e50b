/* plugins/source/postgres/database.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The database itself. Columns that only some versions have are read through the row as JSON, where
 * one that is not there is null: one statement serves all versions.
 */
#include "alter.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading */

static const char read_sql[] =
    "SELECT json_build_object('name', d.datname, 'encoding', pg_encoding_to_char(d.encoding),"
    " 'locale_provider', CASE coalesce(v.j->>'datlocprovider', 'c') WHEN 'c' THEN 'libc'"
    "  WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE v.j->>'datlocprovider' END,"
    " 'collate', d.datcollate, 'ctype', d.datctype,"
    " 'locale', coalesce(v.j->>'datlocale', v.j->>'daticulocale'),"
    " 'icu_rules', v.j->>'daticurules', 'collation_version', v.j->>'datcollversion',"
    " 'owner', pg_get_userbyid(d.datdba), 'acl', " PG_SQL_ACL ","
    " 'comment', shobj_description(d.oid, 'pg_database'),"
    " 'connection_limit', d.datconnlimit, 'is_template', d.datistemplate,"
    " 'tablespace', (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace),"
    " 'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname,"
    "   " PG_SQL_SETTING ") ORDER BY r.rolname NULLS FIRST, c.nr), '[]')"
    "  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole"
    "  CROSS JOIN unnest(s.setconfig) WITH ORDINALITY c(setting, nr)"
    "  WHERE s.setdatabase = d.oid),"
    " 'extensions', (SELECT coalesce(json_agg(json_build_object('name', e.extname,"
    "  'version', e.extversion, 'schema', n.nspname) ORDER BY e.extname), '[]')"
    "  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace),"
    " 'roles', (SELECT coalesce(json_agg(r.rolname ORDER BY r.rolname COLLATE \"C\"), '[]')"
    "  FROM pg_roles r WHERE r.oid IN (SELECT d.datdba UNION ALL SELECT oid FROM named)),"
    " 'server_version', current_setting('server_version'),"
    " 'server_version_num', current_setting('server_version_num')::integer,"
    " 'lsn', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
    "  ELSE pg_current_wal_lsn() END)"
    " FROM pg_database d CROSS JOIN LATERAL (SELECT to_jsonb(d) AS j) v"
    " CROSS JOIN LATERAL (SELECT d.datacl AS acl) l WHERE d.datname = current_database()";

/* pg_shdepend knows all roles but those that are pinned: the first superuser and the predefined
 * ones. They are found as owners, and as grantees. */
static const struct {
    const char *catalog;
    const char *owner;
    const char *acl; /* NULL: has none */
} owned[] = {
    {"pg_class", "relowner", "relacl"},
    {"pg_namespace", "nspowner", "nspacl"},
    {"pg_proc", "proowner", "proacl"},
    {"pg_type", "typowner", "typacl"},
    {"pg_language", "lanowner", "lanacl"},
    {"pg_foreign_data_wrapper", "fdwowner", "fdwacl"},
    {"pg_foreign_server", "srvowner", "srvacl"},
    {"pg_default_acl", "defaclrole", "defaclacl"},
    {"pg_largeobject_metadata", "lomowner", "lomacl"},
    {"pg_operator", "oprowner", NULL},
    {"pg_opclass", "opcowner", NULL},
    {"pg_opfamily", "opfowner", NULL},
    {"pg_collation", "collowner", NULL},
    {"pg_conversion", "conowner", NULL},
    {"pg_statistic_ext", "stxowner", NULL},
    {"pg_ts_dict", "dictowner", NULL},
    {"pg_ts_config", "cfgowner", NULL},
    {"pg_event_trigger", "evtowner", NULL},
    {"pg_publication", "pubowner", NULL},
};

/* Members of extensions belong to whoever creates the extension, and what others were granted on
 * them later is in a dump. Of what initdb made, the public
 * schema is the one whose owner a dump sets, unless it is the predefined one of version 14. */
static const char roles_sql[] =
    "WITH member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),"
    " named AS MATERIALIZED (SELECT s.refobjid AS oid FROM pg_shdepend s"
    "  JOIN pg_database d ON d.datname = current_database()"
    "  WHERE s.refclassid = 'pg_authid'::regclass AND (s.dbid = d.oid"
    "   AND (s.deptype NOT IN ('o', 'i')"
    "    OR (s.classid, s.objid) NOT IN (SELECT classid, objid FROM member))"
    "   OR s.dbid = 0 AND s.classid = 'pg_database'::regclass AND s.objid = d.oid)"
    " UNION SELECT setrole FROM pg_db_role_setting s JOIN pg_database d"
    "  ON d.oid = s.setdatabase WHERE d.datname = current_database()"
    " UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'public'"
    "  AND pg_get_userbyid(nspowner) <> 'pg_database_owner'";

static void add_roles(struct plug_bytes *sql)
{
    plug_bytes_text(sql, roles_sql);
    for (size_t i = 0; i < PLUG_COUNT(owned); i++) {
        PLUG_AUTO_FREE char *where =
            plug_strf("o.oid >= 16384 AND o.oid NOT IN (SELECT objid FROM member WHERE classid ="
                      " '%s'::regclass)",
                      owned[i].catalog);
        plug_bytes_format(sql, " UNION SELECT o.%s FROM %s o WHERE %s", owned[i].owner,
                          owned[i].catalog, where);
        if (owned[i].acl)
            plug_bytes_format(sql, " UNION SELECT a.grantee FROM %s o, aclexplode(o.%s) a WHERE %s",
                              owned[i].catalog, owned[i].acl, where);
    }
    plug_bytes_text(sql, ") ");
}

int pg_database_read(struct pg_conn *conn, json_t **out, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    add_roles(&sql);
    plug_bytes_text(&sql, read_sql);
    *out = pg_query_json(conn, err, sql.data, NULL, 0);
    return *out ? 0 : -1;
}

/* ---- creating */

static void add_option(struct plug_bytes *sql, const char *keyword, const char *value)
{
    if (value[0] == '\0')
        return;
    plug_bytes_format(sql, " %s = ", keyword);
    pg_add_literal(sql, value);
}

/* The provider's own locale, and where LC_COLLATE and LC_CTYPE are the locale. */
static const char *locale_of(const json_t *database)
{
    const char *locale = plug_json_get(database, "locale");

    return locale[0] ? locale : plug_json_get(database, "collate");
}

static int refuse_provider(struct pg_conn *server, const json_t *database, int since,
                           struct backstay_error *err)
{
    return server->host->fail(
        server->host, err, BACKSTAY_ERR_CONFIG,
        "%s is version %d, which does not know the locale %s of provider %s that the database in "
        "the backup has: restore into version %d or newer",
        server->label, server->major, locale_of(database),
        plug_json_get(database, "locale_provider"), since);
}

static int add_locale(struct plug_bytes *sql, struct pg_conn *server, const json_t *database,
                      struct backstay_error *err)
{
    const char *provider = plug_json_get(database, "locale_provider");

    if (strcmp(provider, "icu") == 0) {
        if (server->major < 15)
            return refuse_provider(server, database, 15, err);
        add_option(sql, "LOCALE_PROVIDER", provider);
        add_option(sql, "ICU_LOCALE", plug_json_get(database, "locale"));
        if (server->major >= 16)
            add_option(sql, "ICU_RULES", plug_json_get(database, "icu_rules"));
    } else if (strcmp(provider, "builtin") == 0) {
        if (server->major < 17)
            return refuse_provider(server, database, 17, err);
        add_option(sql, "LOCALE_PROVIDER", provider);
        add_option(sql, "BUILTIN_LOCALE", plug_json_get(database, "locale"));
    } else if (strcmp(provider, "libc") != 0) {
        return server->host->fail(server->host, err, BACKSTAY_ERR_CONFIG,
                                  "create a database like %s: its locale provider \"%s\" is not "
                                  "known to this version of Backstay: use a newer one",
                                  plug_json_get(database, "name"), provider);
    } else if (server->major >= 15) {
        add_option(sql, "LOCALE_PROVIDER", provider);
    }
    add_option(sql, "LC_COLLATE", plug_json_get(database, "collate"));
    add_option(sql, "LC_CTYPE", plug_json_get(database, "ctype"));
    return 0;
}

static int explain_create(struct pg_conn *server, const json_t *database, const char *name,
                          struct backstay_error *err)
{
    const char *provider = plug_json_get(database, "locale_provider");
    bool libc = strcmp(provider, "libc") == 0;
    bool locale = pg_error_is(server, "42809") ||
                  (!libc && (pg_error_is(server, "22023") || pg_error_is(server, "0A000")));

    if (locale)
        return server->host->fail(
            server->host, err, BACKSTAY_ERR_CONFIG,
            "%s: create database %s: the server does not have the locale %s of provider %s that "
            "the database in the backup has: %s",
            server->label, name, libc ? plug_json_get(database, "collate") : locale_of(database),
            provider,
            libc ? "install it on the server's machine (localedef, or your system's package of "
                   "locales), restart the server, and try again"
                 : "use a server that was built with it");
    if (pg_error_is(server, "42501"))
        return server->host->fail(server->host, err, BACKSTAY_ERR_AUTH,
                                  "%s: create database %s: role %s may not create databases: let a "
                                  "superuser run ALTER ROLE \"%s\" CREATEDB",
                                  server->label, name, PQuser(server->pq), PQuser(server->pq));
    return -1;
}

int pg_database_create(struct pg_conn *server, const json_t *database, const char *name,
                       struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "CREATE DATABASE ");
    pg_add_ident(&sql, name);
    plug_bytes_text(&sql, " TEMPLATE = template0");
    add_option(&sql, "ENCODING", plug_json_get(database, "encoding"));
    if (add_locale(&sql, server, database, err) != 0)
        return -1;
    if (pg_run(server, err, sql.data) == 0)
        return 0;
    return explain_create(server, database, name, err);
}

/* ---- putting the rest back */

static int apply_settings(struct pg_conn *server, const json_t *database, const char *name,
                          struct backstay_error *err)
{
    size_t i;
    const json_t *setting;

    json_array_foreach(json_object_get(database, "settings"), i, setting)
    {
        const char *role = plug_json_get(setting, "role");
        PLUG_AUTO_BYTES struct plug_bytes what = {0};
        if (role[0]) {
            plug_bytes_text(&what, "ROLE ");
            pg_add_ident(&what, role);
            plug_bytes_text(&what, " IN ");
        }
        plug_bytes_text(&what, "DATABASE ");
        pg_add_ident(&what, name);
        if (pg_setting_apply(server, what.data, setting, err) != 0)
            return -1;
    }
    return 0;
}

static int apply_owner(struct pg_conn *server, const json_t *database, const char *what,
                       struct backstay_error *err)
{
    const char *owner = plug_json_get(database, "owner");
    const char *comment = plug_json_get(database, "comment");
    int64_t limit = pg_json_number(database, "connection_limit", -1);
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (limit >= 0)
        plug_bytes_format(&sql, "ALTER %s CONNECTION LIMIT %lld;", what, (long long)limit);
    if (comment[0]) {
        plug_bytes_format(&sql, "COMMENT ON %s IS ", what);
        pg_add_literal(&sql, comment);
        plug_bytes_text(&sql, ";");
    }
    plug_bytes_format(&sql, "ALTER %s OWNER TO ", what);
    pg_add_ident(&sql, owner);
    if (pg_run(server, err, sql.data) != 0)
        return -1;
    return pg_acl_apply(server, what, owner, json_object_get(database, "acl"), err);
}

int pg_database_apply(struct pg_conn *server, const json_t *database, const char *name,
                      bool with_owner, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes what = {0};

    plug_bytes_text(&what, "DATABASE ");
    pg_add_ident(&what, name);
    if (apply_settings(server, database, name, err) != 0)
        return -1;
    return with_owner ? apply_owner(server, database, what.data, err) : 0;
}

/* ---- what a restore would miss */

static const char missing_sql[] =
    "SELECT json_build_object('roles', (SELECT coalesce(json_agg(r), '[]')"
    "  FROM json_array_elements_text($1::json->'roles') r"
    "  WHERE r NOT IN (SELECT rolname FROM pg_roles)),"
    " 'extensions', (SELECT coalesce(json_agg(e->>'name'), '[]')"
    "  FROM json_array_elements($1::json->'extensions') e"
    "  WHERE e->>'name' NOT IN (SELECT name FROM pg_available_extensions)))";

int pg_database_missing(struct pg_conn *conn, const json_t *database, json_t **out,
                        struct backstay_error *err)
{
    char *text = json_dumps(database, JSON_COMPACT);

    if (text == NULL)
        abort();
    const char *params[] = {text};
    *out = pg_query_json(conn, err, missing_sql, params, 1);
    free(text);
    return *out ? 0 : -1;
}
