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
static const double analyze_cost = 0.3;
static const int64_t analyze_bytes = 16 << 20; /* about what a sample of a table is */
static const double unknown_cost = 4e6;

/* ---- running */

static int run_item(struct plug_task *task, void *own, struct backstay_error *err)
{
    struct pg_restoring *restoring = task->ctx;
    struct pg_conn *conn = own;
    int r = -1;

    /* What hangs on rows that are missing fails for no reason of its own. */
    if (atomic_load(&restoring->rows_missing))
        return 0;
    for (int i = 0; i < TRIES && r < 0; i++) {
        r = pg_item_make(task->what, conn, err);
        /* Statements of ours on partitions of one table may wait for each other. */
        if (r < 0 && !pg_error_is(conn, "40P01"))
            break;
    }
    return r < 0 ? -1 : 0;
}

/* Statistics of a table include those of its children, and a foreign table among them would be read
 * from a server that is no business of a restore's. */
#define PG_SQL_ABOVE_FOREIGN                                                                       \
    "WITH RECURSIVE above(oid) AS (SELECT i.inhparent FROM pg_catalog.pg_inherits i"               \
    " JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f'"                      \
    " UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above ON above.oid = "           \
    "i.inhrelid)"

static const char not_local_sql[] = PG_SQL_ABOVE_FOREIGN
    " SELECT n.nspname, c.relname FROM above JOIN pg_catalog.pg_class c ON c.oid = above.oid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'";

static int analyze(struct pg_conn *conn, const char *list, struct backstay_error *err)
{
    if (pg_runf(conn, err, "ANALYZE %s", list) == 0)
        return 0;
    if (err->kind != BACKSTAY_ERR_IO && err->kind != BACKSTAY_ERR_AUTH)
        return -1;
    conn->host->log(conn->host, BACKSTAY_LOG_WARN, "%s", err->text);
    return 0;
}

static int run_analyze(struct plug_task *task, void *own, struct backstay_error *err)
{
    struct pg_conn *conn = own;
    const struct pg_analysis *analysis = task->what;
    const struct pg_restoring *restoring = task->ctx;
    PLUG_AUTO_BYTES struct plug_bytes list = {0};

    for (size_t i = analysis->first; i < analysis->first + analysis->n; i++)
        if (!restoring->tables[i].above_foreign)
            plug_bytes_format(&list, "%s%s", list.len ? ", " : "", restoring->tables[i].qualified);
    if (atomic_load(&restoring->rows_missing) || list.len == 0)
        return 0;
    return analyze(conn, list.data, err);
}

static int nothing(struct plug_task *task, void *own, struct backstay_error *err)
{
    (void)task;
    (void)own;
    (void)err;
    return 0;
}

/* ---- planning */

/* Points that many tasks wait for. */
struct stages {
    size_t rows;    /* all rows are there */
    size_t queries; /* and everything that a query might need */
    size_t all;     /* and everything else but event triggers */
};

/* Which stage an item belongs to. */
enum level { LEVEL_QUERIES, LEVEL_ALL, LEVEL_LAST };

static bool is_early(const struct pg_item *item)
{
    return pg_item_is(item, "INDEX") || pg_item_is(item, "CONSTRAINT");
}

static bool is_refresh(const struct pg_item *item)
{
    return pg_item_is(item, "MATERIALIZED VIEW DATA");
}

static enum level level_of(const struct pg_item *item)
{
    if (pg_item_is(item, "EVENT TRIGGER"))
        return LEVEL_LAST;
    return is_refresh(item) || pg_item_is(item, "FK CONSTRAINT") ? LEVEL_ALL : LEVEL_QUERIES;
}

/* An item cannot be of an earlier stage than one that it needs, such as a comment's. Caller frees.
 */
static enum level *find_levels(const struct pg_toc *toc)
{
    enum level *levels = plug_alloc(toc->n, sizeof *levels);
    bool changed = true;

    for (size_t i = 0; i < toc->n; i++)
        levels[i] = level_of(&toc->items[i]);
    while (changed) {
        changed = false;
        for (size_t i = 0; i < toc->n; i++) {
            for (size_t k = 0; k < toc->items[i].n_needs; k++) {
                const struct pg_item *need = pg_toc_find(toc, toc->items[i].needs[k]);
                if (need == NULL || levels[need - toc->items] <= levels[i])
                    continue;
                levels[i] = levels[need - toc->items];
                changed = true;
            }
        }
    }
    return levels;
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
            plug_tasks_lock(&restoring->work, task, made->oid);
    }
}

static void wait_for_stages(struct pg_restoring *restoring, size_t task, enum level level,
                            const struct stages *stages)
{
    struct plug_tasks *work = &restoring->work;
    const struct pg_item *item = work->items[task].what;
    bool waits = false;

    for (size_t i = 0; i < item->n_needs && is_early(item); i++) {
        const struct pg_loaded *table = table_of(restoring, item->needs[i]);
        if (table)
            plug_tasks_after(work, task, table->done);
        waits = waits || table;
    }
    if (level == LEVEL_LAST)
        plug_tasks_after(work, task, stages->all);
    else if (is_refresh(item))
        plug_tasks_after(work, task, stages->queries);
    else if (!waits)
        plug_tasks_after(work, task, stages->rows);
    if (level < LEVEL_LAST)
        plug_tasks_after(work, level == LEVEL_QUERIES ? stages->queries : stages->all, task);
}

/* The number of the task that makes item @id of the section, or SIZE_MAX. */
static size_t task_of(const struct pg_restoring *restoring, size_t first, int id)
{
    const struct pg_item *item = pg_toc_find(&restoring->after, id);

    return item ? first + (size_t)(item - restoring->after.items) : SIZE_MAX;
}

static void add_items(struct pg_restoring *restoring, const struct stages *stages)
{
    struct plug_tasks *work = &restoring->work;
    const struct pg_toc *toc = &restoring->after;
    PLUG_AUTO_FREE enum level *levels = find_levels(toc);
    size_t first = work->n;

    for (size_t i = 0; i < toc->n; i++)
        (void)plug_tasks_add(
            work, &(struct plug_task){.run = run_item,
                                      .ctx = restoring,
                                      .what = &toc->items[i],
                                      .name = toc->items[i].label,
                                      .cost = cost_of(restoring, &toc->items[i]),
                                      .exclusive = !pg_item_is(&toc->items[i], "INDEX")});
    for (size_t i = 0; i < toc->n; i++) {
        lock_tables(restoring, first + i, &toc->items[i]);
        wait_for_stages(restoring, first + i, levels[i], stages);
        for (size_t k = 0; k < toc->items[i].n_needs; k++) {
            size_t other = task_of(restoring, first, toc->items[i].needs[k]);
            if (other != SIZE_MAX && other != first + i)
                plug_tasks_after(work, first + i, other);
        }
    }
}

/* Large tables have a task each, of small ones many share one. */
static struct pg_analysis *next_analysis(struct pg_restoring *restoring, size_t first)
{
    enum { TOGETHER = 50 };
    struct pg_analysis *analysis = &restoring->analyses[restoring->n_analyses++];
    int64_t bytes = 0;

    *analysis = (struct pg_analysis){.first = first};
    for (size_t i = first; i < restoring->n_tables && analysis->n < TOGETHER; i++) {
        bytes += restoring->tables[i].bytes;
        if (analysis->n > 0 && bytes > analyze_bytes)
            break;
        analysis->n++;
    }
    return analysis;
}

/* Statistics of expressions need the indexes that have them. */
static void add_analyze(struct pg_restoring *restoring, size_t first_item)
{
    struct plug_tasks *work = &restoring->work;
    PLUG_AUTO_FREE size_t *tasks = plug_alloc(restoring->n_tables, sizeof *tasks);
    size_t items_end = work->n;

    restoring->analyses = plug_alloc(restoring->n_tables, sizeof *restoring->analyses);
    for (size_t i = 0; i < restoring->n_tables;) {
        const struct pg_analysis *analysis = next_analysis(restoring, i);
        size_t task =
            plug_tasks_add(work, &(struct plug_task){.run = run_analyze,
                                                     .ctx = restoring,
                                                     .what = analysis,
                                                     .name = "ANALYZE",
                                                     .cost = analyze_cost * (double)analyze_bytes,
                                                     .exclusive = true});
        for (; i < analysis->first + analysis->n; i++) {
            plug_tasks_lock(work, task, restoring->tables[i].oid);
            plug_tasks_after(work, task, restoring->tables[i].done);
            tasks[i] = task;
        }
    }
    for (size_t i = first_item; i < items_end; i++) {
        const struct pg_item *item = work->items[i].what;
        for (size_t k = 0; k < item->n_needs && is_early(item); k++) {
            const struct pg_loaded *table = table_of(restoring, item->needs[k]);
            if (table)
                plug_tasks_after(work, tasks[table - restoring->tables], i);
        }
    }
}

int pg_post_plan(struct pg_restoring *restoring, struct backstay_error *err)
{
    PGresult *rows = pg_query(restoring->into.conn, err, not_local_sql, NULL, 0);

    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        PLUG_AUTO_FREE char *name = pg_qualified(pg_cell(rows, i, 0), pg_cell(rows, i, 1));
        for (size_t k = 0; k < restoring->n_tables; k++)
            if (strcmp(restoring->tables[k].qualified, name) == 0)
                restoring->tables[k].above_foreign = true;
    }
    PQclear(rows);
    return 0;
}

void pg_post_add(struct pg_restoring *restoring)
{
    struct plug_tasks *work = &restoring->work;
    const struct plug_task point = {.run = nothing, .point = true};
    struct stages stages;

    stages.rows = plug_tasks_add(work, &point);
    stages.queries = plug_tasks_add(work, &point);
    stages.all = plug_tasks_add(work, &point);
    for (size_t i = 0; i < restoring->n_tables; i++)
        plug_tasks_after(work, stages.rows, restoring->tables[i].done);
    plug_tasks_after(work, stages.queries, stages.rows);
    plug_tasks_after(work, stages.all, stages.queries);
    size_t first_item = work->n;
    add_items(restoring, &stages);
    add_analyze(restoring, first_item);
}

/* ---- the rest */

static const char rest_sql[] = PG_SQL_ABOVE_FOREIGN
    " SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('m', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND c.oid NOT IN (SELECT oid FROM above) ORDER BY 1";

int pg_post_analyze_rest(struct pg_restoring *restoring, struct backstay_error *err)
{
    struct pg_conn *conn = restoring->into.conn;
    PGresult *rows = pg_query(conn, err, rest_sql, NULL, 0);
    int r = rows ? 0 : -1;

    for (int i = 0; r == 0 && i < PQntuples(rows); i++)
        r = analyze(conn, pg_cell(rows, i, 0), err);
    PQclear(rows);
    return r;
}
