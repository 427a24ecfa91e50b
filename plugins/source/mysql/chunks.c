/* plugins/source/mysql/chunks.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large tables in parts. The bounds of the parts are found by walking the key, every so many rows:
 * steps between the smallest and the largest value would be empty or too large wherever numbers
 * are missing. How many rows is a power of two, so that a table that grows keeps its bounds, and
 * with them its parts: the repository has those already.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_LEAST = 1024 };

/* The key of a row: its values as constants. */
struct bound {
    char *values[MY_KEY_MOST];
};

/* How far a table has been handed out. */
struct my_walk {
    struct bound after;
    unsigned part;     /* the last one handed out */
    int64_t remaining; /* an estimate, in bytes */
    int64_t step;      /* rows of a part; 0: it is not split */
    bool busy;         /* somebody looks for its next bound */
    bool done;
};

/* ---- bounds */

/* A value of a column as a constant that compares as the column's values do among themselves. */
static void add_constant(struct plug_bytes *sql, const struct my_column *column, const char *value,
                         size_t len)
{
    static const char digits[] = "0123456789ABCDEF";

    if (*column->charset == '\0' && column->form == MY_PLAIN) {
        my_add_literal(sql, value, len);
        return;
    }
    if (*column->charset)
        plug_bytes_format(sql, "_%s ", column->charset);
    plug_bytes_text(sql, "X'");
    for (size_t i = 0; i < len; i++) {
        const char pair[] = {digits[(unsigned char)value[i] >> 4], digits[value[i] & 15]};
        plug_bytes_add(sql, pair, sizeof pair);
    }
    plug_bytes_text(sql, "'");
}

static void free_bound(struct bound *bound)
{
    for (size_t i = 0; i < MY_KEY_MOST; i++)
        free(bound->values[i]);
    *bound = (struct bound){0};
}

/* "(a > 1 OR (a = 1 AND b > 2))", which servers plan well only when "a >= 1" stands before it.
 * @op: ">" or "<"; @or_equal: the bound itself is meant, too. */
static void add_comparison(struct plug_bytes *sql, const struct my_table *table,
                           const struct bound *bound, char op, bool or_equal)
{
    size_t n = table->n_key;

    for (size_t i = 0; i < n; i++) {
        struct plug_bytes name = {0};
        bool last = i + 1 == n;
        my_add_ident(&name, table->columns[table->key[i]].name);
        if (last)
            plug_bytes_format(sql, "%s %c%s %s", name.data, op, or_equal ? "=" : "",
                              bound->values[i]);
        else
            plug_bytes_format(sql, "%s %c= %s AND (%s %c %s OR ", name.data, op, bound->values[i],
                              name.data, op, bound->values[i]);
        plug_bytes_free(&name);
    }
    for (size_t i = 1; i < n; i++)
        plug_bytes_text(sql, ")");
}

static char *range(const struct my_table *table, const struct bound *after, const struct bound *to)
{
    struct plug_bytes sql = {0};

    plug_bytes_text(&sql, after || to ? "WHERE " : "");
    if (after)
        add_comparison(&sql, table, after, '>', false);
    if (after && to)
        plug_bytes_text(&sql, " AND ");
    if (to)
        add_comparison(&sql, table, to, '<', true);
    return sql.data;
}

/* The key of the @step-th row after @after. @return 1; 0: there are not so many; -1 with @err. */
static int next_bound(struct my_conn *conn, const struct my_table *table, const struct bound *after,
                      int64_t step, struct bound *out, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    PLUG_AUTO_BYTES struct plug_bytes names = {0};
    PLUG_AUTO_FREE char *where = range(table, after, NULL);

    for (size_t i = 0; i < table->n_key; i++) {
        plug_bytes_text(&names, i ? ", " : "");
        my_add_ident(&names, table->columns[table->key[i]].name);
    }
    plug_bytes_format(&sql, "SELECT %s FROM %s%s FORCE INDEX (", names.data, table->qualified,
                      table->history ? " FOR SYSTEM_TIME ALL" : "");
    my_add_ident(&sql, table->key_name);
    plug_bytes_format(&sql, ") %s ORDER BY %s LIMIT 1 OFFSET %lld", where, names.data,
                      (long long)step - 1);
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL)
        return -1;
    MYSQL_ROW row = mysql_fetch_row(rows);
    const unsigned long *lengths = row ? mysql_fetch_lengths(rows) : NULL;
    for (size_t i = 0; row && i < table->n_key; i++) {
        struct plug_bytes constant = {0};
        add_constant(&constant, &table->columns[table->key[i]], row[i], lengths[i]);
        out->values[i] = constant.data;
    }
    mysql_free_result(rows);
    return row != NULL;
}

/* ---- tables */

static int64_t step_of(const struct my *my, const struct my_table *table)
{
    int64_t row = PLUG_MAX(table->bytes / PLUG_MAX(table->rows, 1), 1);
    int64_t step = ROWS_LEAST;

    while (step * 2 * row <= my->split_bytes)
        step *= 2;
    return step;
}

static bool can_split(const struct my *my, const struct my_table *table)
{
    return table->snapshot && table->n_key > 0 && table->bytes > my->split_bytes;
}

/* ---- handing out */

void my_chunks_begin(struct my_run *run)
{
    size_t n = run->snapshot.tables.n;
    uint64_t bytes = 0;

    run->results = plug_alloc(n + 1, sizeof *run->results);
    run->walks = plug_alloc(n + 1, sizeof *run->walks);
    for (size_t i = 0; i < n; i++) {
        const struct my_table *table = &run->snapshot.tables.items[i];
        struct my_walk *walk = &run->walks[i];
        walk->done = table->structure_only || table->no_rows;
        if (walk->done)
            continue;
        walk->remaining = table->bytes;
        walk->step = can_split(run->my, table) ? step_of(run->my, table) : 0;
        bytes += (uint64_t)table->bytes;
    }
    run->bytes_expected = (int64_t)bytes;
    if (run->sink)
        run->sink->expect(run->sink, n, bytes);
}

void my_chunks_end(struct my_run *run)
{
    for (size_t i = 0; run->walks && i < run->snapshot.tables.n; i++)
        free_bound(&run->walks[i].after);
    free(run->walks);
    for (size_t i = 0; i < run->n_units; i++) {
        free(run->units[i]->where);
        free(run->units[i]);
    }
    free(run->units);
}

/* With the mutex held. */
static struct my_unit *add_unit(struct my_run *run, size_t table, char *where)
{
    struct my_unit *unit = plug_alloc(1, sizeof *unit);

    run->units = plug_grow(run->units, &run->cap, run->n_units + 1, sizeof(void *));
    run->units[run->n_units++] = unit;
    *unit = (struct my_unit){.table = table, .where = where};
    return unit;
}

/* The table with most left that nobody else is looking at. @return 1; 0: no more; with the mutex
 * held, which is released while others look. */
static int choose(struct my_run *run, size_t *index)
{
    for (;;) {
        bool busy = false;
        bool found = false;
        for (size_t i = 0; i < run->snapshot.tables.n; i++) {
            const struct my_walk *walk = &run->walks[i];
            busy = busy || walk->busy;
            if (walk->done || walk->busy)
                continue;
            if (!found || walk->remaining > run->walks[*index].remaining)
                *index = i;
            found = true;
        }
        if (found || !busy || plug_crew_stopped(&run->crew))
            return found;
        (void)pthread_cond_wait(&run->changed, &run->mutex);
    }
}

/* The next part of a table of ours alone. */
static int walk_on(struct my_run *run, struct my_conn *conn, size_t index, struct my_unit **out,
                   struct backstay_error *err)
{
    const struct my_table *table = &run->snapshot.tables.items[index];
    struct my_walk *walk = &run->walks[index];
    const struct bound *after = walk->part ? &walk->after : NULL;
    struct bound to = {0};
    int r = walk->step ? next_bound(conn, table, after, walk->step, &to, err) : 0;

    if (r >= 0) {
        char *where = range(table, after, r ? &to : NULL);
        int64_t bytes = walk->step * (table->bytes / PLUG_MAX(table->rows, 1));
        (void)pthread_mutex_lock(&run->mutex);
        *out = add_unit(run, index, where);
        (*out)->bytes = r ? PLUG_MIN(bytes, walk->remaining) : walk->remaining;
        walk->remaining -= (*out)->bytes;
        walk->done = r == 0;
        if (r > 0 || walk->part > 0)
            (*out)->part = ++walk->part;
        (void)pthread_mutex_unlock(&run->mutex);
    }
    free_bound(&walk->after);
    walk->after = to;
    return r < 0 ? -1 : 1;
}

int my_chunks_next(struct my_run *run, struct my_conn *conn, struct my_unit **out,
                   struct backstay_error *err)
{
    size_t index = 0;

    (void)pthread_mutex_lock(&run->mutex);
    int r = choose(run, &index);
    if (r > 0)
        run->walks[index].busy = true;
    (void)pthread_mutex_unlock(&run->mutex);
    if (r == 0)
        return 0;
    r = walk_on(run, conn, index, out, err);
    if (r < 0)
        (void)my_fail_table(run, conn, index, err);
    (void)pthread_mutex_lock(&run->mutex);
    run->walks[index].busy = false;
    /* Nobody shall wait for what will not come. */
    run->walks[index].done |= r < 0;
    (void)pthread_cond_broadcast(&run->changed);
    (void)pthread_mutex_unlock(&run->mutex);
    return r;
}
