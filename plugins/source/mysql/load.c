/* plugins/source/mysql/load.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 5, DEADLOCK = 1213 };

/* Measured against loading the same bytes. */
static const double key_cost = 0.3;
static const double create_cost = 100e3;

/* Keys are made after rows; compared with the time that rows take alone. */
static const double work_for_a_byte = 1.3;

static const json_t *files_of(const json_t *table)
{
    return json_object_get(table, "files");
}

static int64_t bytes_of(const json_t *files, size_t first, size_t n)
{
    int64_t bytes = 0;

    for (size_t i = first; i < first + n; i++)
        bytes += json_integer_value(json_object_get(json_array_get(files, i), "bytes"));
    return bytes;
}

/* ---- tasks */

static int fail_table(const struct my_loaded *table, const char *what, struct backstay_error *err)
{
    const struct backstay_host *host = table->restoring->run->host;
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);

    return host->fail(host, err, err->kind, "%s %s: %s", what, plug_json_get(table->saved, "label"),
                      why);
}

static int check_count(const struct my_stream *stream, int64_t rows, struct backstay_error *err)
{
    struct my_loaded *table = stream->table;
    const struct backstay_host *host = table->restoring->run->host;
    long long expected = json_integer_value(json_object_get(table->saved, "rows"));
    long long all = atomic_fetch_add(&table->rows, rows) + rows;

    if (atomic_fetch_sub(&table->left, 1) > 1 || all == expected)
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "the server took %lld rows of %lld", all,
                      expected);
}

static int run_create(struct plug_task *task, void *own, struct backstay_error *err)
{
    const struct my_loaded *table = task->what;

    if (my_apply_table(own, &table->restoring->apply, table->saved, err) == 0)
        return 0;
    return fail_table(table, "make table", err);
}

static int run_stream(struct plug_task *task, void *own, struct backstay_error *err)
{
    const struct my_stream *stream = task->what;
    struct backstay_feed *feed = stream->table->restoring->run->feed;
    int64_t rows = 0;

    if (my_stream_load(stream, own, &rows, err) != 0 || check_count(stream, rows, err) != 0)
        return fail_table(stream->table, "load table", err);
    for (size_t i = 0; i < stream->n_files; i++)
        feed->done(feed, my_stream_entry(stream, stream->first_file + i), 0);
    return 0;
}

static int run_keys(struct plug_task *task, void *own, struct backstay_error *err)
{
    const struct my_loaded *table = task->what;
    struct my_conn *conn = own;
    int r = -1;

    if (atomic_load(&table->restoring->run->rows_missing))
        return 0;
    for (int i = 0; i < TRIES && r != 0; i++) {
        r = my_apply_keys(conn, &table->restoring->apply, table->saved, err);
        if (r != 0 && conn->error != DEADLOCK)
            break;
    }
    return r == 0 ? 0 : fail_table(table, "index table", err);
}

static int nothing(struct plug_task *task, void *own, struct backstay_error *err)
{
    (void)task;
    (void)own;
    (void)err;
    return 0;
}

/* ---- the plan */

static size_t add(struct my_run_back *run, const struct my_loaded *table, double cost,
                  int (*what)(struct plug_task *, void *, struct backstay_error *))
{
    return plug_tasks_add(&run->tasks, &(struct plug_task){.run = what,
                                                           .ctx = table->restoring,
                                                           .what = table,
                                                           .name = table->into,
                                                           .cost = cost});
}

static size_t add_stream(struct my_loaded *table, size_t first, size_t n)
{
    struct my_restoring *restoring = table->restoring;
    struct my_stream *stream = &restoring->streams[restoring->n_streams++];
    int64_t bytes = bytes_of(files_of(table->saved), first, n);

    *stream = (struct my_stream){.table = table, .first_file = first, .n_files = n};
    return plug_tasks_add(&restoring->run->tasks, &(struct plug_task){.run = run_stream,
                                                                      .ctx = restoring,
                                                                      .what = stream,
                                                                      .name = table->into,
                                                                      .cost = (double)bytes + 1});
}

static bool counts_itself(const json_t *table)
{
    size_t len;
    PLUG_AUTO_FREE char *create = my_ddl_text(table, "create_bare", &len);

    return strstr(create, " AUTO_INCREMENT") != NULL;
}

/* A table that one stream would load for longer than all others keep the other connections busy is
 * loaded by several, where a failure removes the whole database: each is a transaction. */
static bool is_split(const struct my_loaded *table, int64_t all_bytes)
{
    const struct my_restoring *restoring = table->restoring;
    double work = work_for_a_byte * (double)all_bytes;

    return restoring->into.created && restoring->run->wish->jobs > 1 &&
           json_array_size(files_of(table->saved)) > 1 &&
           (double)table->bytes > work / restoring->run->wish->jobs &&
           (restoring->run->target.interleaved || !counts_itself(table->saved));
}

/* Adds the streams between the tasks @made and @done. */
static void add_streams(struct my_loaded *table, size_t each, size_t made, size_t done)
{
    struct plug_tasks *tasks = &table->restoring->run->tasks;
    size_t n = json_array_size(files_of(table->saved));
    unsigned streams = 0;

    for (size_t first = 0; first < n; first += each, streams++) {
        size_t task = add_stream(table, first, PLUG_MIN(each, n - first));
        plug_tasks_after(tasks, task, made);
        plug_tasks_after(tasks, done, task);
    }
    atomic_store(&table->left, streams);
}

static void add_table(struct my_loaded *table, size_t all_made, int64_t all_bytes)
{
    struct my_run_back *run = table->restoring->run;
    size_t n_files = json_array_size(files_of(table->saved));
    size_t n_keys = json_array_size(json_object_get(table->saved, "keys"));
    double keys = 1 + (double)n_keys * key_cost * (double)table->bytes;

    if (!run->wish->data_only)
        plug_tasks_after(&run->tasks, all_made, add(run, table, create_cost, run_create));
    size_t done = run->wish->data_only || n_keys == 0 ? add(run, table, 0, nothing)
                                                      : add(run, table, keys, run_keys);
    plug_tasks_after(&run->tasks, done, all_made);
    if (n_files && !run->wish->schema_only)
        add_streams(table, is_split(table, all_bytes) ? 1 : n_files, all_made, done);
}

static void plan_database(struct my_restoring *restoring, int64_t *all_bytes)
{
    const json_t *list = restoring->saved->tables;
    size_t n_files = 0;
    size_t i;
    json_t *table;

    restoring->tables = plug_alloc(json_array_size(list) + 1, sizeof *restoring->tables);
    json_array_foreach(list, i, table)
    {
        const json_t *files = files_of(table);
        if (!my_restore_wants(restoring->run->wish, table))
            continue;
        struct my_loaded *loaded = &restoring->tables[restoring->n_tables++];
        loaded->restoring = restoring;
        loaded->saved = table;
        loaded->into = my_qualified(restoring->into.name, plug_json_get(table, "name"));
        loaded->bytes = bytes_of(files, 0, json_array_size(files));
        *all_bytes += loaded->bytes;
        n_files += json_array_size(files);
    }
    restoring->streams = plug_alloc(n_files + 1, sizeof *restoring->streams);
}

void my_load_add(struct my_run_back *run)
{
    int64_t bytes = 0;
    size_t all_made = plug_tasks_add(&run->tasks, &(struct plug_task){.run = nothing});

    for (size_t i = 0; i < run->n_databases; i++)
        plan_database(&run->databases[i], &bytes);
    for (size_t i = 0; i < run->n_databases; i++)
        for (size_t k = 0; k < run->databases[i].n_tables; k++)
            add_table(&run->databases[i].tables[k], all_made, bytes);
}

void my_load_free(struct my_restoring *restoring)
{
    for (size_t i = 0; i < restoring->n_tables; i++)
        free(restoring->tables[i].into);
    free(restoring->tables);
    free(restoring->streams);
    restoring->tables = NULL;
    restoring->streams = NULL;
    restoring->n_tables = restoring->n_streams = 0;
}
