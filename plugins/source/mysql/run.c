/* plugins/source/mysql/run.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

void my_run_begin(struct my_run *run, const struct my *my)
{
    *run = (struct my_run){.my = my};
    plug_crew_begin(&run->crew);
    (void)pthread_mutex_init(&run->mutex, NULL);
    (void)pthread_cond_init(&run->changed, NULL);
}

static void forget(struct my_run *run)
{
    for (size_t i = 0; run->ddls && i < run->n_databases; i++)
        my_ddl_free(&run->ddls[i]);
    free(run->ddls);
    run->ddls = NULL;
    my_snapshot_close(&run->snapshot);
}

void my_run_end(struct my_run *run)
{
    my_chunks_end(run);
    free(run->results);
    forget(run);
    (void)pthread_cond_destroy(&run->changed);
    (void)pthread_mutex_destroy(&run->mutex);
    plug_crew_end(&run->crew);
}

char *my_run_prefix(const struct my_run *run, const char *label)
{
    return run->several ? plug_strf("%s/", label) : plug_strdup("");
}

/* ---- workers */

static int enter(void *ctx, unsigned worker, void **own, struct backstay_error *err)
{
    struct my_run *run = ctx;

    (void)err;
    *own = run->snapshot.conns[worker];
    return 0;
}

static void leave(void *ctx, unsigned worker, void *own)
{
    (void)ctx;
    (void)worker;
    (void)own;
}

/* A worker has one unit of the crew's: whatever there is to read. */
static int work(void *ctx, void *own, size_t unit, struct backstay_error *err)
{
    struct my_run *run = ctx;
    struct my_unit *next;
    int r;

    (void)unit;
    while ((r = my_chunks_next(run, own, &next, err)) > 0)
        if (my_read_unit(run, own, next, err) != 0)
            return -1;
    return r == 0 ? my_snapshot_relax(own, err) : -1;
}

static int read_rows(struct my_run *run, struct backstay_error *err)
{
    const struct plug_crew_options options = {.host = run->my->host,
                                              .workers = run->snapshot.n,
                                              .n_units = run->snapshot.n,
                                              .ctx = run,
                                              .enter = enter,
                                              .leave = leave,
                                              .work = work};

    my_chunks_begin(run);
    return plug_crew_run(&run->crew, &options, err);
}

/* ---- the beginning */

/* The names of a database's tables, in @names with room for all. */
static size_t names_of(const struct my_run *run, const struct my_database *database,
                       const char **names)
{
    size_t n = 0;

    for (size_t i = 0; i < run->snapshot.tables.n; i++)
        if (strcmp(run->snapshot.tables.items[i].database, database->name) == 0)
            names[n++] = run->snapshot.tables.items[i].name;
    return n;
}

/* On a connection of its own, which has no part in the snapshot: SHOW CREATE TABLE would keep locks
 * on definitions there. */
static int read_ddl(struct my_run *run, struct backstay_error *err)
{
    const char **names = plug_alloc(run->snapshot.tables.n + 1, sizeof *names);
    struct my_conn *conn = NULL;
    int r = my_connect(&conn, run->place, err);

    if (r == 0)
        conn->stop = &run->crew.stopped;
    run->ddls = plug_alloc(run->n_databases + 1, sizeof *run->ddls);
    for (size_t i = 0; i < run->n_databases && r == 0; i++) {
        const struct my_ddl_wish wish = {.database = &run->databases[i],
                                         .names = names,
                                         .n = names_of(run, &run->databases[i], names)};
        r = my_ddl_read(conn, &wish, &run->ddls[i], err);
    }
    my_disconnect(conn);
    free(names);
    return r;
}

int my_run_read(struct my_run *run, struct backstay_error *err)
{
    const struct my_snapshot_wish wish = {.my = run->my,
                                          .place = run->place,
                                          .databases = run->databases,
                                          .n_databases = run->n_databases,
                                          .jobs = run->my->jobs,
                                          .stop = &run->crew.stopped};

    if (my_snapshot_open(&run->snapshot, &wish, err) != 0 || (run->sink && read_ddl(run, err) != 0))
        return -1;
    return read_rows(run, err);
}

/* ---- what was read */

/* The units were read largest first; now those of a table lie together. */
static int by_part(const void *a, const void *b)
{
    const struct my_unit *x = *(struct my_unit *const *)a;
    const struct my_unit *y = *(struct my_unit *const *)b;

    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

void my_run_sort(struct my_run *run)
{
    if (run->n_units)
        qsort(run->units, run->n_units, sizeof *run->units, by_part);
}
