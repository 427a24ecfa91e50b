/* plugins/source/mysql/script.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "script.h"

#include "ddl_lex.h"
#include "ddl_rewrite.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

const char my_script_settings[] = "sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00',"
                                  " foreign_key_checks = 0, unique_checks = 0";

/* ---- keys */

static void add_statement(json_t *out, struct plug_bytes *sql)
{
    if (sql->len)
        (void)json_array_append_new(out, plug_json_text(sql->data));
    plug_bytes_cut(sql, 0);
}

static void add_key(struct plug_bytes *sql, const char *into, const char *key)
{
    if (sql->len)
        plug_bytes_format(sql, ",\n  ADD %s", key);
    else
        plug_bytes_format(sql, "ALTER TABLE %s\n  ADD %s", into, key);
}

static bool is_fulltext(const char *key)
{
    return strncmp(key, "FULLTEXT ", 9) == 0;
}

json_t *my_script_keys(const json_t *table, const char *key, const char *into)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    const json_t *keys = json_object_get(table, key);
    json_t *out = json_array();
    const json_t *text;
    size_t i;

    json_array_foreach(keys, i, text) if (!is_fulltext(json_string_value(text)))
        add_key(&sql, into, json_string_value(text));
    add_statement(out, &sql);
    json_array_foreach(keys, i, text)
    {
        if (!is_fulltext(json_string_value(text)))
            continue;
        add_key(&sql, into, json_string_value(text));
        add_statement(out, &sql);
    }
    return out;
}

/* ---- sequences, sessions, events */

void my_script_sequence(struct plug_bytes *out, const json_t *sequence, const char *into)
{
    const json_t *value;
    size_t i;

    plug_bytes_format(out, "INSERT INTO %s VALUES (", into);
    json_array_foreach(json_object_get(sequence, "row"), i, value)
        plug_bytes_format(out, "%s%s", i ? ", " : "", json_string_value(value));
    plug_bytes_text(out, ")");
}

static void add_setting(struct plug_bytes *out, const char *name, const char *value)
{
    plug_bytes_format(out, "%s%s = ", out->len ? ", " : "", name);
    my_add_literal(out, value, strlen(value));
}

void my_script_session(struct plug_bytes *out, const json_t *object)
{
    PLUG_AUTO_BYTES struct plug_bytes settings = {0};
    const char *charset = plug_json_get(object, "charset");
    const char *collation = plug_json_get(object, "connection_collation");
    const char *zone = plug_json_get(object, "time_zone");

    if (*charset) {
        add_setting(&settings, "character_set_client", charset);
        add_setting(&settings, "character_set_results", charset);
    }
    if (*collation)
        add_setting(&settings, "collation_connection", collation);
    if (json_object_get(object, "sql_mode"))
        add_setting(&settings, "sql_mode", plug_json_get(object, "sql_mode"));
    if (*zone)
        add_setting(&settings, "time_zone", zone);
    plug_bytes_format(out, "SET %s", settings.len ? settings.data : my_script_settings);
}

void my_script_event_status(struct plug_bytes *out, const json_t *event, const char *sql,
                            size_t len)
{
    struct my_span definer;
    struct my_span status;

    plug_bytes_text(out, "ALTER ");
    if (my_find_definer(sql, len, &definer))
        plug_bytes_add(out, sql + definer.at, definer.len);
    plug_bytes_text(out, "EVENT ");
    my_add_ident(out, plug_json_get(event, "name"));
    plug_bytes_text(out, " ");
    if (my_find_event_status(sql, len, &status))
        plug_bytes_add(out, sql + status.at, status.len);
}

/* ---- views */

void my_script_or_replace(struct plug_bytes *out, const char *sql, size_t len)
{
    static const char create[] = "CREATE ";
    size_t skip = len >= sizeof create - 1 && strncmp(sql, create, sizeof create - 1) == 0
                      ? sizeof create - 1
                      : 0;

    plug_bytes_text(out, skip ? "CREATE OR REPLACE " : "");
    plug_bytes_add(out, sql + skip, len - skip);
}

/* Puts @view behind the views that its text has the names of. It may name more than it uses, and so
 * may come before one that it uses; only what this order is for must bear that. */
static void visit(json_t *out, json_t *todo, const char *name)
{
    json_t *view = json_object_get(todo, name);
    size_t len;

    if (view == NULL)
        return;
    json_incref(view);
    (void)json_object_del(todo, name);
    PLUG_AUTO_FREE char *sql = my_ddl_text(view, "sql", &len);
    struct my_lexer lexer = {.at = sql, .end = sql + len};
    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;) {
        if (token.kind != MY_TOKEN_IDENT)
            continue;
        PLUG_AUTO_FREE char *other = my_token_name(&token);
        visit(out, todo, other);
    }
    (void)json_array_append_new(out, view);
}

json_t *my_script_views(const json_t *objects)
{
    json_t *todo = json_object();
    json_t *out = json_array();
    const json_t *view;

    for (size_t i = 0; (view = my_object_next(objects, "view", &i)) != NULL;)
        (void)json_object_set(todo, plug_json_get(view, "name"), (json_t *)view);
    for (size_t i = 0; (view = my_object_next(objects, "view", &i)) != NULL;)
        visit(out, todo, plug_json_get(view, "name"));
    json_decref(todo);
    return out;
}
