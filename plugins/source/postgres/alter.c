/* plugins/source/postgres/alter.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "alter.h"

#include <stdlib.h>
#include <string.h>

/* ---- access control lists */

static void add_grantee(struct plug_bytes *sql, const json_t *grant)
{
    if (json_is_null(json_object_get(grant, "grantee")))
        plug_bytes_text(sql, "PUBLIC");
    else
        pg_add_ident(sql, plug_json_get(grant, "grantee"));
}

static void add_grant(struct plug_bytes *sql, const char *what, const char *as, const json_t *grant)
{
    if (as) {
        plug_bytes_text(sql, "SET ROLE ");
        pg_add_ident(sql, as);
        plug_bytes_text(sql, ";");
    }
    plug_bytes_format(sql, "GRANT %s ON %s TO ", plug_json_get(grant, "privilege"), what);
    add_grantee(sql, grant);
    plug_bytes_text(sql, json_is_true(json_object_get(grant, "grantable")) ? " WITH GRANT OPTION;"
                                                                           : ";");
    if (as)
        plug_bytes_text(sql, "RESET ROLE;");
}

/* A document may come from anywhere, and a privilege is no name that could be quoted. */
static bool is_privilege(const char *text)
{
    return text[0] && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")] == '\0';
}

bool pg_is_superuser(const struct pg_conn *conn)
{
    const char *status = PQparameterStatus(conn->pq, "is_superuser");

    return status && strcmp(status, "on") == 0;
}

int pg_acl_apply(struct pg_conn *conn, const char *what, const char *owner, const json_t *acl,
                 struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    size_t i;
    const json_t *grant;

    if (!json_is_array(acl))
        return 0;
    plug_bytes_format(&sql, "REVOKE ALL ON %s FROM PUBLIC; REVOKE ALL ON %s FROM ", what, what);
    pg_add_ident(&sql, owner);
    plug_bytes_text(&sql, ";");
    json_array_foreach(acl, i, grant)
    {
        const char *grantor = plug_json_get(grant, "grantor");
        bool other = grantor[0] && strcmp(grantor, owner) != 0;
        if (!is_privilege(plug_json_get(grant, "privilege")))
            return conn->host->fail(conn->host, err, BACKSTAY_ERR_CORRUPT,
                                    "the privileges of %s in the backup are not what they must be",
                                    what);
        add_grant(&sql, what, other && pg_is_superuser(conn) ? grantor : NULL, grant);
    }
    return pg_run(conn, err, sql.data);
}

/* ---- settings */

/* Parameters whose value is a list of names, each quoted by itself (GUC_LIST_QUOTE). */
static bool is_name_list(const char *parameter)
{
    static const char *const lists[] = {"local_preload_libraries",   "search_path",
                                        "session_preload_libraries", "shared_preload_libraries",
                                        "temp_tablespaces",          "unix_socket_directories"};

    for (size_t i = 0; i < PLUG_COUNT(lists); i++)
        if (strcmp(lists[i], parameter) == 0)
            return true;
    return false;
}

/* One name of such a list, without its quotes. @return what follows it. */
static const char *next_name(const char *at, struct plug_bytes *name)
{
    plug_bytes_cut(name, 0);
    at += strspn(at, " \t\n");
    if (*at != '"') {
        size_t len = strcspn(at, ", \t\n");
        plug_bytes_add(name, at, len);
        at += len;
    } else {
        for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
            if (*at == '"')
                at++;
            plug_bytes_add(name, at, 1);
        }
        at += *at == '"';
    }
    return at + strspn(at, " \t\n,");
}

static void add_value(struct plug_bytes *sql, const char *parameter, const char *value)
{
    PLUG_AUTO_BYTES struct plug_bytes name = {0};

    if (!is_name_list(parameter) || value[0] == '\0') {
        pg_add_literal(sql, value);
        return;
    }
    for (bool first = true; *value; first = false) {
        value = next_name(value, &name);
        plug_bytes_text(sql, first ? "" : ", ");
        pg_add_literal(sql, name.data);
    }
}

/* Nobody could connect to a database whose settings name a library that is not there. @return 0; 1
 * when one cannot be loaded; -1 with @err. */
static int try_libraries(struct pg_conn *conn, const char *parameter, const char *value,
                         struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes name = {0};

    if (strcmp(parameter, "session_preload_libraries") != 0 &&
        strcmp(parameter, "local_preload_libraries") != 0)
        return 0;
    while (*value) {
        PLUG_AUTO_BYTES struct plug_bytes sql = {0};
        value = next_name(value, &name);
        plug_bytes_text(&sql, "LOAD ");
        pg_add_literal(&sql, name.data);
        if (pg_run(conn, err, sql.data) != 0)
            return err->kind == BACKSTAY_ERR_CANCELLED || PQstatus(conn->pq) != CONNECTION_OK ? -1
                                                                                              : 1;
    }
    return 0;
}

/* Classes of what the parameter or its value is to blame for: rights, names, values, preconditions.
 */
static bool may_be_skipped(const struct pg_conn *conn)
{
    return pg_error_is(conn, "42") || pg_error_is(conn, "22") || pg_error_is(conn, "0A") ||
           pg_error_is(conn, "55") || pg_error_is(conn, "58P01");
}

static int skip(const struct pg_conn *conn, const char *what, const char *name, const char *why)
{
    conn->host->log(conn->host, BACKSTAY_LOG_WARN,
                    "%s: parameter %s of %s is left as it is: %s; if it is needed, let a superuser "
                    "set it",
                    conn->label, name, what, why);
    return 0;
}

int pg_setting_apply(struct pg_conn *conn, const char *what, const json_t *setting,
                     struct backstay_error *err)
{
    const char *name = plug_json_get(setting, "name");
    const char *value = plug_json_get(setting, "value");
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    int r = try_libraries(conn, name, value, err);

    if (r != 0)
        return r < 0 ? -1 : skip(conn, what, name, "its library cannot be loaded here");
    plug_bytes_format(&sql, "ALTER %s SET ", what);
    pg_add_ident(&sql, name);
    plug_bytes_text(&sql, " TO ");
    add_value(&sql, name, value);
    if (pg_run(conn, err, sql.data) == 0)
        return 0;
    if (err->kind == BACKSTAY_ERR_CANCELLED)
        return -1;
    if (may_be_skipped(conn))
        return skip(conn, what, name,
                    pg_error_is(conn, "42501") ? "this role may not set it"
                                               : "this server does not take it");
    /* The text of the error quotes the statement, and a value may be a secret. */
    return conn->host->fail(conn->host, err, (int)err->kind,
                            "%s: set parameter %s of %s: the server answered %s", conn->label, name,
                            what, conn->sqlstate);
}

int64_t pg_json_number(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}
