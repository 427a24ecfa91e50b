/* plugins/source/mysql/keep.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keep.h"

#include <mysqld_error.h>
#include <time.h>

bool my_was_changed(const struct my_conn *conn)
{
    static const unsigned numbers[] = {ER_TABLE_DEF_CHANGED, ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR,
                                       ER_KEY_DOES_NOT_EXISTS, ER_BAD_DB_ERROR};

    for (size_t i = 0; i < PLUG_COUNT(numbers); i++)
        if (conn->error == numbers[i])
            return true;
    return false;
}

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits for the end of the run, or of others' patience. */
static void *let_go(void *ctx)
{
    struct my_keep *keep = ctx;
    const struct timespec end = {.tv_sec = keep->end_ns / 1000000000,
                                 .tv_nsec = keep->end_ns % 1000000000};

    (void)pthread_mutex_lock(&keep->mutex);
    while (!keep->ended && now_ns() < keep->end_ns)
        (void)pthread_cond_clockwait(&keep->changed, &keep->mutex, CLOCK_MONOTONIC, &end);
    (void)pthread_mutex_unlock(&keep->mutex);
    my_disconnect(keep->conn);
    keep->conn = NULL;
    return NULL;
}

static int touch(struct my_conn *conn, const struct my_snapshot *snapshot, const char *limit,
                 struct backstay_error *err)
{
    const struct backstay_host *host = snapshot->my->host;

    for (size_t i = 0; i < snapshot->tables.n; i++) {
        const struct my_table *table = &snapshot->tables.items[i];
        if (table->structure_only || table->no_rows ||
            my_runf(conn, err, "SELECT 1 FROM %s LIMIT %s", table->qualified, limit) == 0)
            continue;
        if (!my_was_changed(conn))
            return -1;
        (void)host->fail(host, err, BACKSTAY_ERR_TRANSIENT,
                         "table %s was changed, renamed or dropped when the backup began",
                         table->label);
        return MY_KEEP_CHANGED;
    }
    return 0;
}

int my_keep_begin(struct my_keep *keep, const struct my_snapshot *snapshot,
                  const struct my_place *place, struct backstay_error *err)
{
    const struct backstay_host *host = snapshot->my->host;
    struct my_conn *reader = snapshot->conns[0];

    /* Opening them takes its time, too. */
    *keep = (struct my_keep){.end_ns = now_ns() + snapshot->my->lock_timeout_ns / 5 * 4};
    (void)pthread_mutex_init(&keep->mutex, NULL);
    (void)pthread_cond_init(&keep->changed, NULL);
    if (my_connect(&keep->conn, place, err) != 0)
        return -1;
    keep->conn->stop = reader->stop;
    if (my_run(keep->conn, err, "START TRANSACTION") != 0)
        return -1;
    int r = touch(keep->conn, snapshot, "0", err);
    if (r != 0)
        return r;
    if (pthread_create(&keep->thread, NULL, let_go, keep) != 0)
        return host->fail(host, err, BACKSTAY_ERR_IO, "a thread cannot be started");
    keep->running = true;
    r = touch(reader, snapshot, "1", err);
    return r != 0 ? r : my_snapshot_relax(reader, err);
}

void my_keep_end(struct my_keep *keep)
{
    if (keep->end_ns == 0)
        return;
    (void)pthread_mutex_lock(&keep->mutex);
    keep->ended = true;
    (void)pthread_cond_broadcast(&keep->changed);
    (void)pthread_mutex_unlock(&keep->mutex);
    if (keep->running)
        (void)pthread_join(keep->thread, NULL);
    my_disconnect(keep->conn);
    (void)pthread_cond_destroy(&keep->changed);
    (void)pthread_mutex_destroy(&keep->mutex);
    *keep = (struct my_keep){.running = false};
}
