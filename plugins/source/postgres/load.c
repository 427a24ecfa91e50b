/* plugins/source/postgres/load.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

/* TRUNCATE gives a table new files; below this, loading costs less than that. */
static const int64_t truncate_bytes = 1 << 20;

/* Loading, and then the indexes, measured against loading alone. */
static const double work_for_a_byte = 1.6;

/* ---- the plan */

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

static void add_table(struct pg_restoring *restoring, const json_t *saved)
{
    struct pg_loaded *table = &restoring->tables[restoring->n_tables++];
    bool extension = json_is_true(json_object_get(saved, "extension"));

    table->saved = saved;
    table->qualified = pg_qualified(plug_json_get(saved, "schema"), plug_json_get(saved, "name"));
    table->oid = (uint32_t)json_integer_value(json_object_get(saved, "oid"));
    table->bytes = bytes_of(files_of(saved), 0, json_array_size(files_of(saved)));
    table->truncates = !restoring->wish->data_only && !extension && table->bytes >= truncate_bytes;
}

/* Where a row belongs in a hash-partitioned table may differ between servers: the hash of an enum
 * value is that of its oid. Rows that do not fit go through the root, into any of its parts, so
 * none of these is truncated. */
static const char hashed_sql[] =
    "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),"
    " pg_catalog.quote_ident(rn.nspname) || '.' || pg_catalog.quote_ident(r.relname)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)"
    " JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace"
    " WHERE c.relispartition AND c.relkind = 'r' AND EXISTS (SELECT"
    "  FROM pg_catalog.pg_partition_ancestors(c.oid) a JOIN pg_catalog.pg_partitioned_table p"
    "  ON p.partrelid = a.relid WHERE p.partstrat = 'h')"
    " AND n.nspname = $1 AND c.relname = $2";

/* Only few databases have such tables: one query says whether to ask for each. */
static int find_roots(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_conn *conn = restoring->into.conn;
    PLUG_AUTO_FREE char *any = pg_value(conn, err,
                                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table"
                                        " WHERE partstrat = 'h')");

    if (any == NULL)
        return -1;
    for (size_t i = 0; i < restoring->n_tables && any[0] == 't'; i++) {
        struct pg_loaded *table = &restoring->tables[i];
        const char *const names[] = {plug_json_get(table->saved, "schema"),
                                     plug_json_get(table->saved, "name")};
        PGresult *rows = pg_query(conn, err, hashed_sql, names, 2);
        if (rows == NULL)
            return -1;
        if (PQntuples(rows) > 0) {
            table->root = plug_strdup(pg_cell(rows, 0, 1));
            table->truncates = false;
        }
        PQclear(rows);
    }
    return 0;
}

int pg_load_plan(struct pg_restoring *restoring, struct backstay_error *err)
{
    const json_t *list = restoring->saved->tables;
    size_t i;
    json_t *table;

    restoring->tables = plug_alloc(json_array_size(list), sizeof *restoring->tables);
    json_array_foreach(list, i, table)
    {
        if (json_array_size(files_of(table)) > 0 && pg_into_wants(&restoring->into, table))
            add_table(restoring, table);
    }
    return find_roots(restoring, err);
}

struct pg_loaded *pg_load_find(const struct pg_restoring *restoring, uint32_t oid)
{
    for (size_t i = 0; i < restoring->n_tables; i++)
        if (restoring->tables[i].oid == oid)
            return &restoring->tables[i];
    return NULL;
}

/* ---- one stream */

static int check_count(const struct pg_stream *stream, int64_t rows, struct backstay_error *err)
{
    struct pg_loaded *table = stream->table;
    const struct backstay_host *host = stream->restoring->host;
    long long expected = json_integer_value(json_object_get(table->saved, "rows"));
    long long all = atomic_fetch_add(&table->rows, rows) + rows;

    if (atomic_fetch_sub(&table->left, 1) > 1 || all == expected)
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "the server took %lld rows of %lld", all,
                      expected);
}

static int run_stream(struct plug_task *task, void *own, struct backstay_error *err)
{
    const struct pg_stream *stream = task->what;
    struct pg_restoring *restoring = stream->restoring;
    struct backstay_feed *feed = restoring->feed;
    int64_t rows = 0;
    int r = pg_stream_load(stream, own, &rows, err);

    if (r == 0)
        r = check_count(stream, rows, err);
    if (r != 0) {
        PLUG_AUTO_FREE char *why = plug_strdup(err->text);
        return restoring->host->fail(restoring->host, err, err->kind, "load table %s: %s",
                                     plug_json_get(stream->table->saved, "label"), why);
    }
    for (size_t i = 0; i < stream->n_files; i++)
        feed->done(feed, pg_stream_entry(stream, stream->first_file + i), 0);
    return 0;
}

/* ---- tasks */

static int nothing(struct plug_task *task, void *own, struct backstay_error *err)
{
    (void)task;
    (void)own;
    (void)err;
    return 0;
}

static size_t add_stream(struct pg_restoring *restoring, struct pg_loaded *table, size_t first,
                         size_t n)
{
    struct pg_stream *stream = &restoring->streams[restoring->n_streams++];
    int64_t bytes = bytes_of(files_of(table->saved), first, n);

    *stream = (struct pg_stream){
        .restoring = restoring, .table = table, .first_file = first, .n_files = n};
    return plug_tasks_add(&restoring->work, &(struct plug_task){.run = run_stream,
                                                                .ctx = restoring,
                                                                .what = stream,
                                                                .name = table->qualified,
                                                                .cost = (double)bytes + 1});
}

/* A table that one stream would load for longer than all others keep the other connections busy is
 * loaded by several. They cannot use FREEZE, and log what they write: so only then, and only where
 * a failure removes the whole database, since each is a transaction of its own. */
static bool is_split(const struct pg_restoring *restoring, const struct pg_loaded *table,
                     int64_t all_bytes)
{
    double work = work_for_a_byte * (double)all_bytes;

    return restoring->into.created && table->root == NULL && restoring->wish->jobs > 1 &&
           json_array_size(files_of(table->saved)) > 1 && table->truncates &&
           (double)table->bytes > work / restoring->wish->jobs;
}

static void add_streams(struct pg_restoring *restoring, struct pg_loaded *table, size_t each)
{
    size_t n = json_array_size(files_of(table->saved));
    unsigned streams = 0;

    for (size_t first = 0; first < n; first += each, streams++)
        plug_tasks_after(&restoring->work, table->done,
                         add_stream(restoring, table, first, PLUG_MIN(each, n - first)));
    atomic_store(&table->left, streams);
}

void pg_load_add(struct pg_restoring *restoring)
{
    size_t n_files = 0;
    int64_t bytes = 0;

    for (size_t i = 0; i < restoring->n_tables; i++) {
        n_files += json_array_size(files_of(restoring->tables[i].saved));
        bytes += restoring->tables[i].bytes;
    }
    restoring->streams = plug_alloc(n_files, sizeof *restoring->streams);
    for (size_t i = 0; i < restoring->n_tables; i++) {
        struct pg_loaded *table = &restoring->tables[i];
        bool split = is_split(restoring, table, bytes);
        table->truncates = table->truncates && !split;
        table->done = plug_tasks_add(&restoring->work, &(struct plug_task){.run = nothing});
        add_streams(restoring, table, split ? 1 : json_array_size(files_of(table->saved)));
    }
}
