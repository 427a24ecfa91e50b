/* plugins/source/postgres/run.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

void pg_run_begin(struct pg_run *run, const struct pg *pg)
{
    *run = (struct pg_run){.pg = pg, .jobs = pg->jobs};
    run->first.size = sizeof run->first;
    (void)pthread_mutex_init(&run->mutex, NULL);
    (void)pthread_cond_init(&run->changed, NULL);
}

void pg_run_reset(struct pg_run *run)
{
    for (size_t i = 0; run->dump_args && run->dump_args[i]; i++)
        free(run->dump_args[i]);
    free(run->dump_args);
    run->dump_args = NULL;
    free(run->units);
    free(run->sums);
    free(run->handed);
    run->units = NULL;
    run->sums = NULL;
    run->handed = NULL;
    run->n_units = run->next = run->n_handed = run->handed_cap = 0;
    run->gate = PG_GATE_CLOSED;
    run->again = false;
    run->first.kind = BACKSTAY_ERR_NONE;
    run->heap_done = 0;
    run->bytes_done = 0;
    atomic_store(&run->stopped, false);
}

void pg_run_end(struct pg_run *run)
{
    pg_run_reset(run);
    pg_hold_close(&run->hold);
    pg_tool_free(&run->dump);
    pg_tool_free(&run->reader);
    free(run->folder);
    free(run->name);
    (void)pthread_cond_destroy(&run->changed);
    (void)pthread_mutex_destroy(&run->mutex);
}

int pg_run_stop(struct pg_run *run, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&run->mutex);
    if (run->first.kind == BACKSTAY_ERR_NONE)
        run->first = *err;
    atomic_store(&run->stopped, true);
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
    return -1;
}

int pg_run_retry(struct pg_run *run, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&run->mutex);
    if (run->gate == PG_GATE_CLOSED && !atomic_load(&run->stopped)) {
        run->again = true;
        run->first = *err;
        atomic_store(&run->stopped, true);
        (void)pthread_cond_broadcast(&run->changed);
    }
    (void)pthread_mutex_unlock(&run->mutex);
    return -1;
}

int pg_run_claim(struct pg_run *run)
{
    (void)pthread_mutex_lock(&run->mutex);
    bool stopped = atomic_load(&run->stopped);
    if (!stopped)
        run->gate = PG_GATE_CLAIMED;
    (void)pthread_mutex_unlock(&run->mutex);
    return stopped ? -1 : 0;
}

int pg_run_pass(struct pg_run *run)
{
    (void)pthread_mutex_lock(&run->mutex);
    while (run->gate != PG_GATE_OPEN && !atomic_load(&run->stopped))
        (void)pthread_cond_wait(&run->changed, &run->mutex);
    (void)pthread_mutex_unlock(&run->mutex);
    return atomic_load(&run->stopped) ? -1 : 0;
}

void pg_run_open(struct pg_run *run)
{
    (void)pthread_mutex_lock(&run->mutex);
    run->gate = PG_GATE_OPEN;
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
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

/* ---- workers */

struct worker {
    struct pg_run *run;
    struct pg_conn *conn; /* NULL: one of its own, made when it starts */
};

/* The next unit; the holder's worker waits for what others may hand to it. NULL: no more. */
static struct pg_unit *next_unit(struct pg_run *run, bool holder)
{
    struct pg_unit *unit = NULL;

    (void)pthread_mutex_lock(&run->mutex);
    for (;;) {
        if (atomic_load(&run->stopped))
            break;
        if (holder && run->n_handed)
            unit = &run->units[run->handed[--run->n_handed]];
        else if (run->next < run->n_units)
            unit = &run->units[run->next++];
        if (unit || !holder || run->others == 0)
            break;
        (void)pthread_cond_wait(&run->changed, &run->mutex);
    }
    (void)pthread_mutex_unlock(&run->mutex);
    return unit;
}

static void hand_over(struct pg_run *run, const struct pg_unit *unit)
{
    (void)pthread_mutex_lock(&run->mutex);
    run->handed = plug_grow(run->handed, &run->handed_cap, run->n_handed + 1, sizeof *run->handed);
    run->handed[run->n_handed++] = (size_t)(unit - run->units);
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
}

/* A lock that was refused has ended the transaction: the next one sees the same snapshot. */
static int rejoin(struct pg_run *run, struct pg_conn *conn, struct backstay_error *err)
{
    if (pg_run(conn, err, "ROLLBACK") != 0)
        return -1;
    return pg_hold_join(&run->hold, conn, err);
}

static int work(struct pg_run *run, struct pg_conn *conn, struct backstay_error *err)
{
    bool holder = conn == run->hold.holder;
    struct pg_unit *unit;

    conn->stop = &run->stopped;
    while ((unit = next_unit(run, holder)) != NULL) {
        int r = pg_read_unit(run, conn, unit, err);
        if (r > 0) {
            hand_over(run, unit);
            r = rejoin(run, conn, err);
        }
        if (r < 0)
            return -1;
    }
    return 0;
}

static void *run_worker(void *ctx)
{
    struct worker *worker = ctx;
    struct pg_run *run = worker->run;
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *conn = NULL;

    if (pg_connect(&conn, run->pg->host, &run->place, &err) != 0 ||
        pg_hold_join(&run->hold, conn, &err) != 0 || work(run, conn, &err) != 0)
        (void)pg_run_stop(run, &err);
    pg_disconnect(conn);
    (void)pthread_mutex_lock(&run->mutex);
    run->others--;
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
    return NULL;
}

int pg_run_read(struct pg_run *run, struct backstay_error *err)
{
    unsigned n = (unsigned)PLUG_MIN((size_t)run->jobs, PLUG_MAX(run->n_units, (size_t)1)) - 1;
    PLUG_AUTO_FREE pthread_t *threads = plug_alloc(n, sizeof *threads);
    struct worker worker = {.run = run};
    unsigned started = 0;

    run->others = n;
    for (; started < n; started++)
        if (pthread_create(&threads[started], NULL, run_worker, &worker) != 0)
            break;
    if (started < n) {
        (void)pthread_mutex_lock(&run->mutex);
        run->others -= n - started;
        (void)pthread_mutex_unlock(&run->mutex);
    }
    int r = work(run, run->hold.holder, err);
    if (r != 0)
        (void)pg_run_stop(run, err);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    run->hold.holder->stop = NULL;
    return r != 0 || atomic_load(&run->stopped) ? -1 : 0;
}
