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

static struct my_unit *add_unit(struct my_run *run, size_t table, char *where)
{
    run->units = plug_grow(run->units, &run->cap, run->n_units + 1, sizeof *run->units);
    struct my_unit *unit = &run->units[run->n_units++];
    *unit = (struct my_unit){.table = table, .where = where};
    return unit;
}

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

/* The key of a row: its values as constants. */
struct bound {
    char *values[MY_KEY_MOST];
};

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

static int split(struct my_run *run, struct my_conn *conn, size_t index, struct backstay_error *err)
{
    const struct my_table *table = &run->snapshot.tables.items[index];
    int64_t step = step_of(run->my, table);
    int64_t row = table->bytes / PLUG_MAX(table->rows, 1);
    struct bound after = {0};
    unsigned part = 0;
    int r = 1;

    while (r > 0) {
        struct bound to = {0};
        r = next_bound(conn, table, part ? &after : NULL, step, &to, err);
        if (r < 0)
            break;
        if (r == 0 && part == 0)
            break;
        struct my_unit *unit =
            add_unit(run, index, range(table, part ? &after : NULL, r ? &to : NULL));
        unit->part = ++part;
        unit->bytes = step * row;
        free_bound(&after);
        after = to;
    }
    free_bound(&after);
    if (r < 0)
        return -1;
    if (part == 0)
        add_unit(run, index, plug_strdup(""))->bytes = table->bytes;
    return my_snapshot_relax(conn, err);
}

static int by_size(const void *a, const void *b)
{
    const struct my_unit *x = a;
    const struct my_unit *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

int my_chunks_plan(struct my_run *run, struct backstay_error *err)
{
    struct my_conn *conn = run->snapshot.conns[0];
    uint64_t bytes = 0;

    run->results = plug_alloc(run->snapshot.tables.n, sizeof *run->results);
    for (size_t i = 0; i < run->snapshot.tables.n; i++) {
        const struct my_table *table = &run->snapshot.tables.items[i];
        if (table->structure_only || table->no_rows)
            continue;
        if (!can_split(run->my, table))
            add_unit(run, i, plug_strdup(""))->bytes = table->bytes;
        else if (split(run, conn, i, err) != 0)
            return -1;
    }
    if (run->n_units)
        qsort(run->units, run->n_units, sizeof *run->units, by_size);
    for (size_t i = 0; i < run->n_units; i++)
        bytes += (uint64_t)run->units[i].bytes;
    if (run->sink)
        run->sink->expect(run->sink, run->n_units, bytes);
    return 0;
}
