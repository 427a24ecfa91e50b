/* plugins/source/mysql/restore_choose.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What of a snapshot a restore is about.
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

bool my_restore_wants(const struct my_wish *wish, const json_t *table)
{
    return wish->n_tables == 0 || my_wish_has_table(wish, plug_json_get(table, "label"), NULL);
}

/* ---- objects */

static bool wants_table(const struct my_restoring *restoring, const char *name)
{
    const json_t *table;
    size_t i;

    json_array_foreach(restoring->saved->tables, i, table)
    {
        if (strcmp(plug_json_get(table, "name"), name) == 0)
            return my_restore_wants(restoring->run->wish, table);
    }
    return false;
}

/* Whether a chosen table has the next value of this sequence as a default. */
static bool needs_sequence(const struct my_restoring *restoring, const char *name)
{
    PLUG_AUTO_FREE char *qualified = my_qualified(restoring->saved->name, name);
    PLUG_AUTO_FREE char *call = plug_strf("nextval(%s)", qualified);
    const json_t *table;
    size_t i;

    json_array_foreach(restoring->saved->tables, i, table)
    {
        size_t len;
        PLUG_AUTO_FREE char *create = my_ddl_text(table, "create", &len);
        if (my_restore_wants(restoring->run->wish, table) && strstr(create, call))
            return true;
    }
    return false;
}

bool my_restore_wants_object(void *ctx, const char *kind, const char *name, const char *table)
{
    const struct my_restoring *restoring = ctx;

    if (restoring->views && strcmp(kind, "view") == 0 && json_object_get(restoring->views, name))
        return false;
    if (restoring->run->wish->n_tables == 0)
        return true;
    if (strcmp(kind, "table") == 0)
        return wants_table(restoring, name);
    if (strcmp(kind, "trigger") == 0)
        return wants_table(restoring, table);
    return strcmp(kind, "sequence") == 0 && needs_sequence(restoring, name);
}

/* ---- databases */

/* @return the index of the only database that is meant, SIZE_MAX: all; *@r is not 0 after a
 * failure. */
static size_t choose(const struct my_run_back *run, int *r, struct backstay_error *err)
{
    const struct backstay_host *host = run->host;
    const struct my_saved_list *list = &run->saved;
    const struct my_wish *wish = run->wish;

    *r = 0;
    for (size_t i = 0; wish->database && i < list->n; i++)
        if (strcmp(list->items[i].name, wish->database) == 0)
            return i;
    if (wish->database)
        *r = host->fail(host, err, BACKSTAY_ERR_CONFIG, "the snapshot has no database %s",
                        wish->database);
    else if (list->n > 1 && (run->target.database || wish->replace))
        *r = host->fail(host, err, BACKSTAY_ERR_CONFIG,
                        "the snapshot has %zu databases, such as %s and %s: choose one with "
                        "--database, or restore all of them under their own names with a url that "
                        "names no database",
                        list->n, list->items[0].name, list->items[1].name);
    return list->n > 1 ? SIZE_MAX : 0;
}

static int check_tables(const struct my_run_back *run, struct backstay_error *err)
{
    const struct my_wish *wish = run->wish;
    PLUG_AUTO_FREE bool *used = plug_alloc(wish->n_tables + 1, sizeof *used);

    for (size_t i = 0; i < run->n_databases; i++) {
        const json_t *table;
        size_t k;
        json_array_foreach(run->databases[i].saved->tables, k, table)(void)
            my_wish_has_table(wish, plug_json_get(table, "label"), used);
    }
    for (size_t i = 0; i < wish->n_tables; i++)
        if (!used[i])
            return run->host->fail(run->host, err, BACKSTAY_ERR_CONFIG,
                                   "the snapshot has no table %s", wish->tables[i]);
    return 0;
}

int my_restore_choose(struct my_run_back *run, struct backstay_error *err)
{
    int r;
    size_t only = choose(run, &r, err);

    if (r != 0)
        return -1;
    run->databases = plug_alloc(run->saved.n, sizeof *run->databases);
    for (size_t i = 0; i < run->saved.n; i++) {
        if (only != SIZE_MAX && only != i)
            continue;
        struct my_restoring *restoring = &run->databases[run->n_databases++];
        restoring->run = run;
        restoring->saved = &run->saved.items[i];
        restoring->into.target = &run->target;
    }
    return check_tables(run, err);
}
