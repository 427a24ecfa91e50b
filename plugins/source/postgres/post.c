/* plugins/source/postgres/post.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything that comes after rows. The indexes of a table are made as soon as its rows are there,
 * while others are still being loaded; what may look at other tables waits for all rows: foreign
 * keys, triggers, rules; materialized views wait for the indexes too, and event triggers for all,
 * since they would fire on what we make.
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

/* Measured against loading the same bytes. */
static const double index_cost = 0.3;
static const double key_cost = 0.2;
static const double analyze_cost = 0.02;
static const double unknown_cost = 4e6;

/* ---- running */

static int run_item(struct pg_task *task, struct pg_conn *conn, struct backstay_error *err)
{
    struct pg_restoring *restoring = task->ctx;
    int r = -1;

    /* What hangs on rows that are missing fails for no reason of its own. */
    if (atomic_load(&restoring->rows_missing))
        return 0;
    for (int i = 0; i < TRIES && r != 0; i++) {
        r = pg_item_make(task->what, conn, err);
        /* Statements of ours on partitions of one table may wait for each other. */
        if (r != 0 && !pg_error_is(conn, "40P01"))
            break;
    }
    return r;
}

static int run_analyze(struct pg_task *task, struct pg_conn *conn, struct backstay_error *err)
{
    const struct pg_loaded *table = task->what;
    const struct pg_restoring *restoring = task->ctx;

    if (atomic_load(&restoring->rows_missing))
        return 0;
    return pg_runf(conn, err, "ANALYZE %s", table->qualified);
}

static int nothing(struct pg_task *task, struct pg_conn *conn, struct backstay_error *err)
{
    (void)task;
    (void)conn;
    (void)err;
    return 0;
}

/* ---- planning */

/* Points that many tasks wait for. */
struct stages {
    size_t rows;    /* all rows are there */
    size_t indexes; /* and everything else that a query might need */
    size_t all;     /* and everything else */
};

static bool is_early(const struct pg_item *item)
{
    return pg_item_is(item, "INDEX") || pg_item_is(item, "CONSTRAINT");
}

static bool is_refresh(const struct pg_item *item)
{
    return pg_item_is(item, "MATERIALIZED VIEW DATA");
}

static bool is_last(const struct pg_item *item)
{
    return pg_item_is(item, "EVENT TRIGGER");
}

/* The table that the item is about, as far as its rows are being loaded. */
static struct pg_loaded *table_of(const struct pg_restoring *restoring, int id)
{
    const struct pg_item *made = pg_toc_find(&restoring->before, id);

    if (made == NULL || made->class_oid != PG_CLASS_RELATION)
        return NULL;
    return pg_load_find(restoring, made->oid);
}

static double cost_of(const struct pg_restoring *restoring, const struct pg_item *item)
{
    double share = is_early(item) ? index_cost : pg_item_is(item, "FK CONSTRAINT") ? key_cost : 0;
    double cost = is_refresh(item) ? unknown_cost : 1;

    for (size_t i = 0; i < item->n_needs && share > 0; i++) {
        const struct pg_loaded *table = table_of(restoring, item->needs[i]);
        if (table)
            cost = PLUG_MAX(cost, share * (double)table->bytes);
    }
    return cost;
}

static void lock_tables(struct pg_restoring *restoring, size_t task, const struct pg_item *item)
{
    for (size_t i = 0; i < item->n_needs; i++) {
        const struct pg_item *made = pg_toc_find(&restoring->before, item->needs[i]);
        if (made && made->class_oid == PG_CLASS_RELATION && pg_item_is(made, "TABLE"))
            pg_work_lock(&restoring->work, task, made->oid);
    }
}

static void wait_for_stages(struct pg_restoring *restoring, size_t task, const struct pg_item *item,
                            const struct stages *stages)
{
    struct pg_work *work = &restoring->work;
    bool waits = false;

    for (size_t i = 0; i < item->n_needs && is_early(item); i++) {
        const struct pg_loaded *table = table_of(restoring, item->needs[i]);
        if (table)
            pg_work_after(work, task, table->done);
        waits = waits || table;
    }
    if (is_last(item)) {
        pg_work_after(work, task, stages->all);
        return;
    }
    if (is_refresh(item))
        pg_work_after(work, task, stages->indexes);
    else if (!waits)
        pg_work_after(work, task, stages->rows);
    if (!is_refresh(item) && !pg_item_is(item, "FK CONSTRAINT") && !pg_item_is(item, "COMMENT"))
        pg_work_after(work, stages->indexes, task);
    pg_work_after(work, stages->all, task);
}

/* The number of the task that makes item @id of the section, or SIZE_MAX. */
static size_t task_of(const struct pg_restoring *restoring, size_t first, int id)
{
    const struct pg_item *item = pg_toc_find(&restoring->after, id);

    return item ? first + (size_t)(item - restoring->after.items) : SIZE_MAX;
}

static void add_items(struct pg_restoring *restoring, const struct stages *stages)
{
    struct pg_work *work = &restoring->work;
    const struct pg_toc *toc = &restoring->after;
    size_t first = work->n;

    for (size_t i = 0; i < toc->n; i++)
        (void)pg_work_add(work,
                          &(struct pg_task){.run = run_item,
                                            .ctx = restoring,
                                            .what = &toc->items[i],
                                            .cost = cost_of(restoring, &toc->items[i]),
                                            .exclusive = !pg_item_is(&toc->items[i], "INDEX")});
    for (size_t i = 0; i < toc->n; i++) {
        lock_tables(restoring, first + i, &toc->items[i]);
        wait_for_stages(restoring, first + i, &toc->items[i], stages);
        for (size_t k = 0; k < toc->items[i].n_needs; k++) {
            size_t other = task_of(restoring, first, toc->items[i].needs[k]);
            if (other != SIZE_MAX && other != first + i)
                pg_work_after(work, first + i, other);
        }
    }
}

/* Statistics of expressions need the indexes that have them. */
static void add_analyze(struct pg_restoring *restoring, size_t first_item)
{
    struct pg_work *work = &restoring->work;
    size_t items_end = work->n;

    for (size_t i = 0; i < restoring->n_tables; i++) {
        struct pg_loaded *table = &restoring->tables[i];
        double cost = 1 + analyze_cost * (double)PLUG_MIN(table->bytes, (int64_t)1 << 28);
        size_t task = pg_work_add(work, &(struct pg_task){.run = run_analyze,
                                                          .ctx = restoring,
                                                          .what = table,
                                                          .cost = cost,
                                                          .exclusive = true});
        pg_work_lock(work, task, table->oid);
        pg_work_after(work, task, table->done);
    }
    for (size_t i = first_item; i < items_end; i++) {
        const struct pg_item *item = work->tasks[i].what;
        for (size_t k = 0; k < item->n_needs && is_early(item); k++) {
            const struct pg_loaded *table = table_of(restoring, item->needs[k]);
            if (table)
                pg_work_after(work, items_end + (size_t)(table - restoring->tables), i);
        }
    }
}

void pg_post_add(struct pg_restoring *restoring)
{
    struct pg_work *work = &restoring->work;
    const struct pg_task point = {.run = nothing};
    struct stages stages;

    stages.rows = pg_work_add(work, &point);
    stages.indexes = pg_work_add(work, &point);
    stages.all = pg_work_add(work, &point);
    for (size_t i = 0; i < restoring->n_tables; i++)
        pg_work_after(work, stages.rows, restoring->tables[i].done);
    pg_work_after(work, stages.indexes, stages.rows);
    pg_work_after(work, stages.all, stages.indexes);
    size_t first_item = work->n;
    add_items(restoring, &stages);
    add_analyze(restoring, first_item);
}

/* ---- the rest */

static const char rest_sql[] =
    "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('m', 'p') AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema' ORDER BY 1";

int pg_post_analyze_rest(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_conn *conn = restoring->into.conn;
    PGresult *rows = pg_query(conn, err, rest_sql, NULL, 0);
    int r = rows ? 0 : -1;

    for (int i = 0; r == 0 && i < PQntuples(rows); i++)
        r = pg_runf(conn, err, "ANALYZE %s", pg_cell(rows, i, 0));
    PQclear(rows);
    return r;
}
