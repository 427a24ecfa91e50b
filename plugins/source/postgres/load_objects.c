/* plugins/source/postgres/load_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large objects, many in one transaction: each takes a lock, of which a server has room for a few
 * thousand.
 */
#include "restore.h"

enum { BATCH = 100 };

char *pg_load_object_path(const json_t *object)
{
    return plug_strf("large-objects/%lld",
                     (long long)json_integer_value(json_object_get(object, "oid")));
}

static int load_object(struct pg_restoring *restoring, struct pg_conn *conn, const json_t *object,
                       struct backstay_error *err)
{
    PLUG_AUTO_FREE char *path = pg_load_object_path(object);
    struct backstay_feed *feed = restoring->feed;
    uint64_t index = pg_saved_find(restoring->saved, feed, path);

    if (index == UINT64_MAX)
        return restoring->host->fail(restoring->host, err, BACKSTAY_ERR_CONFIG,
                                     "%s%s is not among the entries to restore",
                                     restoring->saved->folder, path);
    if (pg_large_object_load(conn, feed, index, object, !restoring->wish->no_owner, err) != 0)
        return -1;
    feed->done(feed, index, 0);
    return 0;
}

static int run_batch(struct plug_task *task, void *own, struct backstay_error *err)
{
    const struct pg_batch *batch = task->what;
    struct pg_restoring *restoring = task->ctx;
    struct pg_conn *conn = own;
    int r = pg_run(conn, err, "BEGIN");

    for (size_t i = batch->first; i < batch->first + batch->n && r == 0; i++)
        r = load_object(restoring, conn, json_array_get(restoring->saved->objects, i), err);
    if (r == 0)
        return pg_run(conn, err, "COMMIT");
    struct backstay_error ignored = {.size = sizeof ignored};
    if (PQstatus(conn->pq) == CONNECTION_OK)
        (void)!pg_run(conn, &ignored, "ROLLBACK");
    return -1;
}

void pg_load_add_objects(struct pg_restoring *restoring)
{
    size_t n = json_array_size(restoring->saved->objects);

    restoring->batches = plug_alloc(n / BATCH + 1, sizeof *restoring->batches);
    for (size_t first = 0; first < n; first += BATCH) {
        struct pg_batch *batch = &restoring->batches[first / BATCH];
        double cost = 1;
        *batch = (struct pg_batch){.first = first, .n = PLUG_MIN((size_t)BATCH, n - first)};
        for (size_t i = first; i < first + batch->n; i++)
            cost += json_number_value(
                json_object_get(json_array_get(restoring->saved->objects, i), "bytes"));
        (void)plug_tasks_add(&restoring->work, &(struct plug_task){.run = run_batch,
                                                                   .ctx = restoring,
                                                                   .what = batch,
                                                                   .name = "large objects",
                                                                   .cost = cost});
    }
}
