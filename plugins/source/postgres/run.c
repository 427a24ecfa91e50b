/* plugins/source/postgres/run.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

void pg_run_begin(struct pg_run *run, const struct pg *pg)
{
    *run = (struct pg_run){.pg = pg, .jobs = pg->jobs};
    plug_crew_begin(&run->crew);
}

void pg_run_reset(struct pg_run *run)
{
    for (size_t i = 0; run->dump_args && run->dump_args[i]; i++)
        free(run->dump_args[i]);
    free(run->dump_args);
    run->dump_args = NULL;
    pg_disconnect(run->side);
    run->side = NULL;
    free(run->units);
    free(run->sums);
    run->units = NULL;
    run->sums = NULL;
    run->n_units = 0;
    run->claimed = false;
    run->again = false;
    run->heap_done = 0;
    run->bytes_done = 0;
    plug_crew_reset(&run->crew);
}

void pg_run_end(struct pg_run *run)
{
    pg_run_reset(run);
    pg_hold_close(&run->hold);
    pg_tool_free(&run->dump);
    pg_tool_free(&run->reader);
    free(run->folder);
    free(run->name);
    plug_crew_end(&run->crew);
}

int pg_run_retry(struct pg_run *run, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&run->crew.mutex);
    bool retry = !run->claimed && !plug_crew_stopped(&run->crew);
    if (retry)
        run->again = true;
    (void)pthread_mutex_unlock(&run->crew.mutex);
    return retry ? plug_crew_stop(&run->crew, err) : -1;
}

int pg_run_claim(struct pg_run *run)
{
    (void)pthread_mutex_lock(&run->crew.mutex);
    bool stopped = run->again || plug_crew_stopped(&run->crew);
    if (!stopped)
        run->claimed = true;
    (void)pthread_mutex_unlock(&run->crew.mutex);
    return stopped ? -1 : 0;
}

/* A server may need a moment to notice that pg_dump has left. */
struct pg_conn *pg_run_side(struct pg_run *run, struct backstay_error *err)
{
    enum { TRIES = 10, PAUSE_MS = 200 };
    int r = run->side ? 0 : -1;

    for (int i = 0; r != 0 && i < TRIES && !plug_crew_stopped(&run->crew); i++) {
        r = pg_connect(&run->side, run->pg->host, &run->place, err);
        if (r != 0 && err->kind != BACKSTAY_ERR_TRANSIENT)
            break;
        if (r != 0)
            (void)poll(NULL, 0, PAUSE_MS);
    }
    if (r != 0)
        return NULL;
    run->side->stop = &run->crew.stopped;
    return run->side;
}

/* ---- the plan */

static bool splits(const struct pg_run *run, const struct pg_table *table)
{
    /* Before version 14 a range of ctid is a scan of the whole table. */
    return run->hold.control->major >= 14 && table->heap && table->condition[0] == '\0' &&
           table->bytes > run->pg->split_bytes;
}

static void add_unit(struct pg_run *run, size_t *cap, const struct pg_unit *unit)
{
    run->units = plug_grow(run->units, cap, run->n_units + 1, sizeof *run->units);
    run->units[run->n_units++] = *unit;
}

static void plan_table(struct pg_run *run, size_t index, size_t *cap)
{
    const struct pg_table *table = &run->hold.tables.items[index];

    if (table->structure_only && run->sink)
        return;
    if (!splits(run, table)) {
        add_unit(run, cap, &(struct pg_unit){.table = index, .bytes = table->bytes});
        return;
    }
    /* Ranges have a fixed size, so that the parts of a table that only grows stay the same. */
    int64_t block = table->bytes / table->blocks;
    int64_t count = run->pg->split_bytes / block;
    unsigned part = 1;
    for (int64_t first = 0; first < table->blocks; first += count) {
        bool last = first + count >= table->blocks;
        add_unit(run, cap,
                 &(struct pg_unit){.table = index,
                                   .range = {.first = first, .count = count, .last = last},
                                   .part = part++,
                                   .bytes = PLUG_MIN(count, table->blocks - first) * block});
    }
}

static int by_size(const void *a, const void *b)
{
    const struct pg_unit *x = a;
    const struct pg_unit *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

void pg_run_plan(struct pg_run *run)
{
    size_t cap = 0;
    uint64_t bytes = 0;

    run->sums = plug_alloc(run->hold.tables.n, sizeof *run->sums);
    for (size_t i = 0; i < run->hold.tables.n; i++)
        plan_table(run, i, &cap);
    if (run->n_units)
        qsort(run->units, run->n_units, sizeof *run->units, by_size);
    for (size_t i = 0; i < run->n_units; i++)
        bytes += (uint64_t)run->units[i].bytes;
    if (run->sink)
        run->sink->expect(run->sink, run->n_units, bytes);
}

/* ---- workers: the first reads on the connection that holds the locks */

static int enter(void *ctx, unsigned worker, void **own, struct backstay_error *err)
{
    struct pg_run *run = ctx;
    struct pg_conn *conn = run->hold.holder;

    if (worker > 0 && pg_connect(&conn, run->pg->host, &run->place, err) != 0)
        return -1;
    conn->stop = &run->crew.stopped;
    *own = conn;
    return worker > 0 ? pg_hold_join(&run->hold, conn, err) : 0;
}

static void leave(void *ctx, unsigned worker, void *own)
{
    struct pg_run *run = ctx;

    if (worker > 0)
        pg_disconnect(own);
    else
        run->hold.holder->stop = NULL;
}

/* A lock that was refused has ended the transaction: the next one sees the same snapshot. */
static int rejoin(struct pg_run *run, struct pg_conn *conn, struct backstay_error *err)
{
    if (pg_run(conn, err, "ROLLBACK") != 0)
        return -1;
    return pg_hold_join(&run->hold, conn, err);
}

static int work(void *ctx, void *own, size_t unit, struct backstay_error *err)
{
    struct pg_run *run = ctx;
    int r = pg_read_unit(run, own, &run->units[unit], err);

    if (r > 0)
        return rejoin(run, own, err) == 0 ? PLUG_CREW_HAND_OVER : -1;
    return r;
}

int pg_run_read(struct pg_run *run, struct backstay_error *err)
{
    const struct plug_crew_options options = {
        .host = run->pg->host,
        .workers = run->jobs,
        .n_units = run->n_units,
        .ctx = run,
        .enter = enter,
        .leave = leave,
        .work = work,
    };

    return plug_crew_run(&run->crew, &options, err);
}
