/* plugins/source/mysql/restore_after.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What comes when all tables have their rows and keys.
 */
#include "ddl_lex.h"
#include "restore.h"

#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

void my_restore_note(void *ctx, const char *kind, const char *name, const char *text)
{
    const struct my_restoring *restoring = ctx;
    const struct backstay_host *host = restoring->run->host;

    if (!restoring->quiet)
        host->log(host, BACKSTAY_LOG_WARN, "%s %s: %s", kind, name, text);
}

/* ---- foreign keys */

/* The table that a foreign key points to, in @database when it names no other. Caller frees. */
static char *referenced(const char *key, const char *database, char **of_database)
{
    struct my_lexer lexer = {.at = key, .end = key + strlen(key)};
    struct my_token token = my_lex_next(&lexer);

    while (token.kind != MY_TOKEN_END && !my_token_is(&token, "REFERENCES"))
        token = my_lex_next(&lexer);
    token = my_lex_next(&lexer);
    char *first = my_token_name(&token);
    if (!my_lex_skip(&lexer, ".")) {
        *of_database = plug_strdup(database);
        return first;
    }
    token = my_lex_next(&lexer);
    *of_database = first;
    return my_token_name(&token);
}

/* @return 1, 0, -1 with @err. */
static int is_there(struct my_conn *conn, const char *key, const char *database,
                    struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    char *of_database;
    PLUG_AUTO_FREE char *table = referenced(key, database, &of_database);

    plug_bytes_text(&sql, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
    my_add_literal(&sql, of_database, strlen(of_database));
    plug_bytes_text(&sql, " AND TABLE_NAME = ");
    my_add_literal(&sql, table, strlen(table));
    free(of_database);
    PLUG_AUTO_FREE char *count = my_value(conn, err, sql.data);
    return count ? strcmp(count, "0") != 0 : -1;
}

static void tell_left_out(const struct my_loaded *table, const char *key)
{
    PLUG_AUTO_FREE char *text =
        plug_strf("a foreign key is left out, since the table that it points to is not here; to "
                  "add it later: ALTER TABLE %s ADD %s",
                  table->into, key);

    my_restore_note(table->restoring, "table", plug_json_get(table->saved, "label"), text);
}

/* Of chosen tables, a foreign key to one that is not here would refuse every new row. */
static int make_some_keys(const struct my_loaded *table, struct backstay_error *err)
{
    struct my_restoring *restoring = table->restoring;
    struct my_conn *conn = restoring->run->target.conn;
    const json_t *key;
    json_t *kept = json_array();
    size_t i;
    int r = 0;

    json_array_foreach(json_object_get(table->saved, "foreign_keys"), i, key)
    {
        int there = r == 0 ? is_there(conn, json_string_value(key), restoring->into.name, err) : -1;
        r = there < 0 ? -1 : 0;
        if (there > 0)
            (void)json_array_append(kept, (json_t *)(uintptr_t)key);
        else if (there == 0)
            tell_left_out(table, json_string_value(key));
    }
    json_t *copy = json_copy((json_t *)(uintptr_t)table->saved);
    (void)json_object_set_new(copy, "foreign_keys", kept);
    if (r == 0)
        r = my_apply_foreign_keys(conn, &restoring->apply, copy, err);
    json_decref(copy);
    return r;
}

static int make_foreign_keys(struct my_run_back *run, struct backstay_error *err)
{
    for (size_t i = 0; i < run->n_databases; i++) {
        const struct my_restoring *restoring = &run->databases[i];
        for (size_t k = 0; k < restoring->n_tables; k++) {
            const struct my_loaded *table = &restoring->tables[k];
            int r = run->wish->n_tables ? make_some_keys(table, err)
                                        : my_apply_foreign_keys(run->target.conn, &restoring->apply,
                                                                table->saved, err);
            if (r != 0)
                return -1;
        }
    }
    return 0;
}

/* ---- views of several databases, which may use each other's */

static int read_views(struct my_restoring *restoring, struct backstay_error *err)
{
    const char *name = restoring->into.name;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    MYSQL_ROW row;

    plug_bytes_text(&sql, "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ");
    my_add_literal(&sql, name, strlen(name));
    MYSQL_RES *rows = my_query(restoring->run->target.conn, err, sql.data);
    if (rows == NULL)
        return -1;
    json_decref(restoring->views);
    restoring->views = json_object();
    while ((row = mysql_fetch_row(rows)) != NULL)
        (void)json_object_set_new(restoring->views, my_cell(row, 0), json_true());
    mysql_free_result(rows);
    return 0;
}

/* Makes what can be made now. @return how many views there are then in all databases; -1 with
 * @err. */
static ssize_t try_views(struct my_run_back *run, struct backstay_error *err)
{
    struct my_conn *conn = run->target.conn;
    ssize_t n = 0;

    for (size_t i = 0; i < run->n_databases; i++) {
        struct my_restoring *restoring = &run->databases[i];
        restoring->quiet = true;
        int r = my_apply_views(conn, &restoring->apply, err);
        restoring->quiet = false;
        if (r != 0 &&
            (conn->interrupted || (conn->error >= CR_MIN_ERROR && conn->error <= CR_MAX_ERROR)))
            return -1;
        if (read_views(restoring, err) != 0)
            return -1;
        n += (ssize_t)json_object_size(restoring->views);
    }
    return n;
}

static int make_views(struct my_run_back *run, struct backstay_error *err)
{
    ssize_t before = -1;
    ssize_t now = 0;

    while (run->n_databases > 1 && before < now) {
        before = now;
        now = try_views(run, err);
        if (now < 0)
            return -1;
    }
    for (size_t i = 0; i < run->n_databases; i++)
        if (my_apply_views(run->target.conn, &run->databases[i].apply, err) != 0)
            return -1;
    return 0;
}

/* ---- the whole */

typedef int step_fn(struct my_conn *, const struct my_apply *, struct backstay_error *);

static int make_all(struct my_run_back *run, step_fn *step, struct backstay_error *err)
{
    for (size_t i = 0; i < run->n_databases; i++)
        if (step(run->target.conn, &run->databases[i].apply, err) != 0)
            return -1;
    return 0;
}

int my_restore_after(struct my_run_back *run, struct backstay_error *err)
{
    if (run->wish->data_only)
        return 0;
    if (make_foreign_keys(run, err) != 0 || make_all(run, my_apply_routines, err) != 0 ||
        make_views(run, err) != 0 || make_all(run, my_apply_triggers, err) != 0)
        return -1;
    return make_all(run, my_apply_events, err);
}
