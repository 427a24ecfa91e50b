/* plugins/source/postgres/quote.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Names and constants as SQL, and a connection as the client programs want it.
 */
#include "conn.h"

#include <stdlib.h>
#include <string.h>

static void add_quoted(struct plug_bytes *sql, const char *text, char quote)
{
    plug_bytes_add(sql, &quote, 1);
    for (; *text; text++) {
        if (*text == quote)
            plug_bytes_add(sql, &quote, 1);
        plug_bytes_add(sql, text, 1);
    }
    plug_bytes_add(sql, &quote, 1);
}

void pg_add_ident(struct plug_bytes *sql, const char *name)
{
    add_quoted(sql, name, '"');
}

/* Sessions of ours have standard_conforming_strings on: a backslash is a backslash. */
void pg_add_literal(struct plug_bytes *sql, const char *text)
{
    add_quoted(sql, text, '\'');
}

char *pg_qualified(const char *schema, const char *name)
{
    struct plug_bytes sql = {0};

    pg_add_ident(&sql, schema);
    plug_bytes_text(&sql, ".");
    pg_add_ident(&sql, name);
    return sql.data;
}

static void add_label(struct plug_bytes *label, const char *name)
{
    bool plain = name[0] != '\0' && strchr("0123456789", name[0]) == NULL;

    for (const char *at = name; *at; at++)
        plain = plain && strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *at);
    if (plain)
        plug_bytes_text(label, name);
    else
        pg_add_ident(label, name);
}

char *pg_label(const char *schema, const char *name)
{
    struct plug_bytes label = {0};

    add_label(&label, schema);
    plug_bytes_text(&label, ".");
    add_label(&label, name);
    return label.data;
}

char *pg_grant_connect(const struct pg_conn *conn)
{
    struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "GRANT CONNECT ON DATABASE ");
    pg_add_ident(&sql, PQdb(conn->pq));
    plug_bytes_text(&sql, " TO ");
    pg_add_ident(&sql, PQuser(conn->pq));
    return sql.data;
}

static void add_keyword(struct plug_bytes *out, const char *key, const char *value)
{
    plug_bytes_format(out, "%s%s='", out->len ? " " : "", key);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            plug_bytes_text(out, "\\");
        plug_bytes_add(out, value, 1);
    }
    plug_bytes_text(out, "'");
}

/* Of several hosts, the one that answered; and no condition that it has met already. */
static const char *value_of(const struct pg_conn *conn, const PQconninfoOption *option,
                            const char *database)
{
    static const char *const left_out[] = {
        "password",          "passfile", "target_session_attrs",      "sslpassword",
        "client_encoding",   "hostaddr", "fallback_application_name", "options",
        "load_balance_hosts"};

    for (size_t i = 0; i < PLUG_COUNT(left_out); i++)
        if (strcmp(option->keyword, left_out[i]) == 0)
            return NULL;
    if (strcmp(option->keyword, "dbname") == 0)
        return database;
    if (strcmp(option->keyword, "host") == 0)
        return PQhost(conn->pq);
    if (strcmp(option->keyword, "port") == 0)
        return PQport(conn->pq);
    return option->val;
}

char *pg_conninfo(const struct pg_conn *conn, const char *database)
{
    struct plug_bytes out = {0};
    PQconninfoOption *options = PQconninfo(conn->pq);

    if (options == NULL)
        abort();
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        const char *value = value_of(conn, option, database ? database : conn->database);
        if (value && value[0])
            add_keyword(&out, option->keyword, value);
    }
    PQconninfoFree(options);
    add_keyword(&out, "application_name", "backstay");
    return out.data;
}

char *pg_password_env(const struct pg_conn *conn)
{
    const char *password = PQpass(conn->pq);

    return password && password[0] ? plug_strf("PGPASSWORD=%s", password) : NULL;
}
