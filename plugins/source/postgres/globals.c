/* plugins/source/postgres/globals.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a server has outside of its databases. All of it is readable by everybody; passwords are
 * not, and are not kept.
 */
#include "alter.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

/* Roles whose names begin with pg_ are predefined: they come with a version. */
static const char roles_sql[] =
    "SELECT coalesce(json_agg(json_build_object('name', r.rolname, 'superuser', r.rolsuper,"
    " 'inherit', r.rolinherit, 'createrole', r.rolcreaterole, 'createdb', r.rolcreatedb,"
    " 'login', r.rolcanlogin, 'replication', r.rolreplication, 'bypassrls', r.rolbypassrls,"
    " 'connection_limit', r.rolconnlimit, 'valid_until', r.rolvaliduntil::text,"
    " 'comment', shobj_description(r.oid, 'pg_authid'),"
    " 'settings', (SELECT coalesce(json_agg(json_build_object(" PG_SQL_SETTING ")"
    "   ORDER BY c.nr), '[]') FROM pg_db_role_setting s"
    "  CROSS JOIN unnest(s.setconfig) WITH ORDINALITY c(setting, nr)"
    "  WHERE s.setdatabase = 0 AND s.setrole = r.oid)) ORDER BY r.rolname COLLATE \"C\"), '[]')"
    " FROM pg_roles r WHERE r.rolname !~ '^pg_'";

/* Columns that only some versions have are read through the row as JSON. */
static const char memberships_sql[] =
    "SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'member', m.rolname,"
    " 'grantor', g.rolname, 'admin_option', a.admin_option,"
    " 'inherit_option', to_jsonb(a)->'inherit_option', 'set_option', to_jsonb(a)->'set_option')"
    " ORDER BY r.rolname COLLATE \"C\", m.rolname COLLATE \"C\", g.rolname COLLATE \"C\"), '[]')"
    " FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid"
    " JOIN pg_roles m ON m.oid = a.member LEFT JOIN pg_roles g ON g.oid = a.grantor"
    " WHERE m.rolname !~ '^pg_'";

static const char settings_sql[] =
    "SELECT coalesce(json_agg(json_build_object(" PG_SQL_SETTING ") ORDER BY c.nr), '[]')"
    " FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) WITH ORDINALITY c(setting, nr)"
    " WHERE s.setdatabase = 0 AND s.setrole = 0";

static const char tablespaces_sql[] =
    "SELECT coalesce(json_agg(json_build_object('name', t.spcname,"
    " 'owner', pg_get_userbyid(t.spcowner), 'location', pg_tablespace_location(t.oid),"
    " 'options', t.spcoptions, 'acl', " PG_SQL_ACL ","
    " 'comment', shobj_description(t.oid, 'pg_tablespace')) ORDER BY t.spcname COLLATE \"C\"),"
    " '[]') FROM pg_tablespace t CROSS JOIN LATERAL (SELECT t.spcacl AS acl) l"
    " WHERE t.spcname !~ '^pg_'";

/* Who else than a superuser may set which parameter: known since version 15. */
static const char parameters_sql[] =
    "SELECT coalesce(json_agg(json_build_object('name', p.parname, 'acl', " PG_SQL_ACL ")"
    " ORDER BY p.parname), '[]') FROM pg_parameter_acl p"
    " CROSS JOIN LATERAL (SELECT p.paracl AS acl) l";

int pg_globals_read(struct pg_conn *conn, json_t **out, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql =
        plug_strf("SELECT json_build_object('server_version', current_setting('server_version'),"
                  " 'roles', (%s), 'memberships', (%s), 'settings', (%s), 'tablespaces', (%s),"
                  " 'parameters', (%s))",
                  roles_sql, memberships_sql, settings_sql, tablespaces_sql,
                  conn->major >= 15 ? parameters_sql : "SELECT '[]'::json");

    *out = pg_query_json(conn, err, sql, NULL, 0);
    return *out ? 0 : -1;
}

/* ---- putting back */

static bool contains(const json_t *names, const char *name)
{
    size_t i;
    const json_t *element;

    json_array_foreach(names, i, element)
    {
        const char *text = json_string_value(element);
        if (text && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

/* Only a superuser may create roles with these; without, they own and are granted what they must,
 * too. */
static void add_attributes(struct plug_bytes *sql, const json_t *role)
{
    static const char *const attributes[][2] = {
        {"superuser", "SUPERUSER"},     {"createrole", "CREATEROLE"}, {"createdb", "CREATEDB"},
        {"replication", "REPLICATION"}, {"bypassrls", "BYPASSRLS"},
    };

    for (size_t i = 0; i < PLUG_COUNT(attributes); i++)
        if (json_is_true(json_object_get(role, attributes[i][0])))
            plug_bytes_format(sql, " %s", attributes[i][1]);
}

static int create_role(struct pg_conn *conn, const json_t *role, struct backstay_error *err)
{
    const char *name = plug_json_get(role, "name");
    const char *comment = plug_json_get(role, "comment");
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "CREATE ROLE ");
    pg_add_ident(&sql, name);
    plug_bytes_text(&sql, " NOLOGIN");
    if (json_is_false(json_object_get(role, "inherit")))
        plug_bytes_text(&sql, " NOINHERIT");
    if (pg_is_superuser(conn))
        add_attributes(&sql, role);
    if (comment[0]) {
        plug_bytes_text(&sql, "; COMMENT ON ROLE ");
        pg_add_ident(&sql, name);
        plug_bytes_text(&sql, " IS ");
        pg_add_literal(&sql, comment);
    }
    return pg_run(conn, err, sql.data);
}

struct apply {
    struct pg_conn *conn;
    const json_t *globals;
    json_t *present; /* names of the server's roles */
    json_t *created; /* name to the role in globals */
};

static int create_roles(const struct apply *apply, const json_t *only, struct backstay_error *err)
{
    size_t i;
    json_t *role;

    json_array_foreach(json_object_get(apply->globals, "roles"), i, role)
    {
        const char *name = plug_json_get(role, "name");
        if (json_object_get(apply->present, name) || (only && !contains(only, name)))
            continue;
        if (create_role(apply->conn, role, err) != 0)
            return -1;
        (void)json_object_set_new(apply->present, name, json_true());
        (void)json_object_set(apply->created, name, role);
    }
    return 0;
}

static void add_membership_options(struct plug_bytes *sql, const struct pg_conn *conn,
                                   const json_t *membership)
{
    static const char *const options[][2] = {
        {"admin_option", "ADMIN"}, {"inherit_option", "INHERIT"}, {"set_option", "SET"}};
    const char *before = " WITH";

    if (conn->major < 16) {
        if (json_is_true(json_object_get(membership, "admin_option")))
            plug_bytes_text(sql, " WITH ADMIN OPTION");
        return;
    }
    for (size_t i = 0; i < PLUG_COUNT(options); i++) {
        const json_t *value = json_object_get(membership, options[i][0]);
        if (!json_is_boolean(value))
            continue;
        plug_bytes_format(sql, "%s %s %s", before, options[i][1],
                          json_is_true(value) ? "TRUE" : "FALSE");
        before = ",";
    }
}

/* Granted by whoever restores: since version 16 a grantor must have been granted the right to, and
 * nothing in a copy depends on who it was. */
static int grant_memberships(const struct apply *apply, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    size_t i;
    const json_t *membership;

    json_array_foreach(json_object_get(apply->globals, "memberships"), i, membership)
    {
        const char *role = plug_json_get(membership, "role");
        const char *member = plug_json_get(membership, "member");
        bool ours =
            json_object_get(apply->created, role) || json_object_get(apply->created, member);
        if (!ours || !json_object_get(apply->present, role) ||
            !json_object_get(apply->present, member))
            continue;
        plug_bytes_text(&sql, "GRANT ");
        pg_add_ident(&sql, role);
        plug_bytes_text(&sql, " TO ");
        pg_add_ident(&sql, member);
        add_membership_options(&sql, apply->conn, membership);
        plug_bytes_text(&sql, ";");
    }
    return sql.len ? pg_run(apply->conn, err, sql.data) : 0;
}

static int apply_settings(const struct apply *apply, struct backstay_error *err)
{
    const char *name;
    json_t *role;

    json_object_foreach(apply->created, name, role)
    {
        PLUG_AUTO_BYTES struct plug_bytes what = {0};
        size_t i;
        const json_t *setting;
        plug_bytes_text(&what, "ROLE ");
        pg_add_ident(&what, name);
        json_array_foreach(json_object_get(role, "settings"), i,
                           setting) if (pg_setting_apply(apply->conn, what.data, setting, err) !=
                                        0) return -1;
    }
    return 0;
}

int pg_globals_apply(struct pg_conn *conn, const json_t *globals, const json_t *only,
                     struct backstay_error *err)
{
    const struct apply apply = {
        .conn = conn,
        .globals = globals,
        .present = pg_query_json(conn, err, "SELECT json_object_agg(rolname, true) FROM pg_roles",
                                 NULL, 0),
        .created = json_object(),
    };
    int r = apply.present ? create_roles(&apply, only, err) : -1;

    if (r == 0)
        r = grant_memberships(&apply, err);
    if (r == 0)
        r = apply_settings(&apply, err);
    json_decref(apply.present);
    json_decref(apply.created);
    return r;
}
