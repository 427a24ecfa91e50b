/* plugins/source/mysql/read.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows: one SELECT for each unit, hashed while they pass.
 */
#include "names.h"
#include "run.h"
#include "tsv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, PIECE_BYTES = 256 * 1024, FILE_MODE = 0600 };

/* An entry on its way: small ones are sent at once, others in pieces. */
struct output {
    struct my_run *run;
    const char *path;
    struct plug_bytes buffer;
    struct backstay_stream *stream;
    struct plug_rowsum sum;
    uint64_t wrong;
    uint64_t bytes;
};

char *my_folder(const char *database)
{
    struct plug_bytes out = {0};

    plug_names_escape(&out, database);
    plug_bytes_text(&out, "/");
    return out.data;
}

char *my_unit_path(const struct my_run *run, const struct my_unit *unit)
{
    struct plug_bytes path = {0};

    plug_bytes_text(&path, "04-data/");
    plug_names_escape(&path, run->snapshot.tables.items[unit->table].name);
    if (unit->part)
        plug_bytes_format(&path, ".%04u", unit->part);
    plug_bytes_text(&path, ".tsv");
    return path.data;
}

/* ---- sending */

static int flush(struct output *out)
{
    struct backstay_sink *sink = out->run->sink;

    if (out->stream == NULL && sink->begin(sink, out->path, strlen(out->path), &out->stream) != 0)
        return -1;
    int r = sink->write(sink, out->stream, out->buffer.data, out->buffer.len);
    plug_bytes_cut(&out->buffer, 0);
    return r;
}

/* Sends what has gathered, or forgets it when nobody wants it. */
static int pass_on(struct output *out)
{
    if (out->run->sink)
        return flush(out);
    plug_bytes_cut(&out->buffer, 0);
    return 0;
}

/* A row on its way piece by piece. */
struct long_row {
    struct output *out;
    struct plug_rowsum_row *sum;
    size_t counted; /* how much of the buffer is counted, or is of rows before */
};

static int add_piece(struct long_row *row, enum my_form form, const char *piece, size_t len)
{
    struct plug_bytes *buffer = &row->out->buffer;

    my_tsv_piece(buffer, form, piece, len);
    plug_rowsum_piece(row->sum, buffer->data + row->counted, buffer->len - row->counted);
    row->out->bytes += buffer->len - row->counted;
    int r = buffer->len >= BUFFER_BYTES ? pass_on(row->out) : 0;
    row->counted = buffer->len;
    return r;
}

static int add_cell(struct long_row *row, enum my_form form, const char *cell, size_t len)
{
    int r = 0;

    for (size_t at = 0, n; at < len && r == 0; at += n) {
        n = PLUG_MIN(len - at, (size_t)PIECE_BYTES);
        r = add_piece(row, form, cell + at, n);
    }
    return r;
}

/* Of a row as large as the memory would bear, there is only the one copy of the client library. */
static int add_long_row(struct output *out, const struct my_table *table, MYSQL_ROW cells,
                        const unsigned long *lengths)
{
    struct long_row row = {.out = out, .sum = plug_rowsum_begin(), .counted = out->buffer.len};
    int r = 0;

    out->wrong += my_tsv_look(table, cells, lengths);
    for (size_t i = 0; i < table->n_columns && r == 0; i++) {
        if (i > 0)
            r = add_piece(&row, MY_PLAIN, "\t", 1);
        if (r == 0 && cells[i] == NULL)
            r = add_piece(&row, MY_PLAIN, "\\N", 2);
        else if (r == 0)
            r = add_cell(&row, table->columns[i].form, cells[i], lengths[i]);
    }
    if (r == 0)
        r = add_piece(&row, MY_PLAIN, "\n", 1);
    plug_rowsum_end(row.sum, r == 0 ? &out->sum : NULL);
    return r;
}

static bool is_long_row(const struct my_table *table, const unsigned long *lengths)
{
    size_t all = 0;

    for (size_t i = 0; i < table->n_columns; i++)
        all += lengths[i];
    return all > PIECE_BYTES;
}

static int add_row(struct output *out, const struct my_table *table, MYSQL_ROW row,
                   const unsigned long *lengths)
{
    size_t before = out->buffer.len;

    if (is_long_row(table, lengths))
        return add_long_row(out, table, row, lengths);
    out->wrong += my_tsv_row(&out->buffer, table, row, lengths);
    size_t len = out->buffer.len - before;
    plug_rowsum_add(&out->sum, out->buffer.data + before, len);
    out->bytes += len;
    return out->buffer.len < BUFFER_BYTES ? 0 : pass_on(out);
}

static int finish(struct output *out, const struct my_table *table)
{
    struct backstay_sink *sink = out->run->sink;
    struct timespec now;

    if (sink == NULL)
        return 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct backstay_pair pairs[] = {{"table", table->label}};
    const struct backstay_entry entry = {
        .size = sizeof entry,
        .type = BACKSTAY_FILE,
        .flags = BACKSTAY_ENTRY_HAS_MODE,
        .mode = FILE_MODE,
        .path = out->path,
        .path_len = strlen(out->path),
        .bytes = out->bytes,
        .mtime_s = now.tv_sec,
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)getegid(),
        .n_pairs = PLUG_COUNT(pairs),
        .pairs = pairs,
    };
    if (out->stream && out->buffer.len && flush(out) != 0)
        return -1;
    if (out->stream == NULL)
        return sink->whole(sink, &entry, out->buffer.data ? out->buffer.data : "", out->buffer.len,
                           NULL, 0);
    struct backstay_stream *stream = out->stream;
    out->stream = NULL;
    return sink->end(sink, stream, &entry, NULL, 0);
}

static void give_up(struct output *out)
{
    struct backstay_sink *sink = out->run->sink;

    if (out->stream)
        sink->abort(sink, out->stream);
    plug_bytes_free(&out->buffer);
}

/* ---- reading */

static char *select_statement(const struct my_table *table, const struct my_unit *unit)
{
    struct plug_bytes sql = {0};

    /* All columns may be generated; then the rows are empty lines. */
    plug_bytes_text(&sql, table->n_columns ? "SELECT " : "SELECT NULL");
    for (size_t i = 0; i < table->n_columns; i++) {
        plug_bytes_text(&sql, i ? ", " : "");
        plug_bytes_text(&sql, table->columns[i].expr);
    }
    plug_bytes_format(&sql, " FROM %s%s", table->qualified,
                      table->history ? " FOR SYSTEM_TIME ALL" : "");
    if (table->key_name) {
        plug_bytes_text(&sql, " FORCE INDEX (");
        my_add_ident(&sql, table->key_name);
        plug_bytes_text(&sql, ")");
    }
    plug_bytes_format(&sql, " %s", unit->where);
    for (size_t i = 0; table->snapshot && i < table->n_key; i++) {
        plug_bytes_text(&sql, i ? ", " : " ORDER BY ");
        my_add_ident(&sql, table->columns[table->key[i]].name);
    }
    return sql.data;
}

/* Rows that come without a pause never let the connection look. */
static bool is_stopped(const struct output *out)
{
    const struct backstay_host *host = out->run->my->host;

    return plug_crew_stopped(&out->run->crew) ||
           (out->sum.rows % 1024 == 1 && host->cancelled(host));
}

static int read_rows(struct output *out, struct my_conn *conn, const struct my_unit *unit,
                     struct backstay_error *err)
{
    struct my_run *run = out->run;
    const struct my_table *table = &run->snapshot.tables.items[unit->table];
    PLUG_AUTO_FREE char *sql = select_statement(table, unit);
    MYSQL_RES *rows = my_stream(conn, err, sql);
    unsigned long *lengths;
    MYSQL_ROW row;
    int r;

    if (rows == NULL)
        return -1;
    while ((r = my_row(conn, rows, &row, &lengths, err)) > 0) {
        if (add_row(out, table, row, lengths) == 0 && !is_stopped(out))
            continue;
        my_break(conn);
        r = run->my->host->fail(run->my->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
        break;
    }
    mysql_free_result(rows);
    return r;
}

int my_fail_table(const struct my_run *run, const struct my_conn *conn, size_t table,
                  struct backstay_error *err)
{
    const char *label = run->snapshot.tables.items[table].label;
    const struct backstay_host *host = run->my->host;
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);

    if (my_was_changed(conn))
        return host->fail(host, err, BACKSTAY_ERR_TRANSIENT,
                          "table %s was changed, renamed or dropped while the backup ran, so that "
                          "its rows of that moment are gone; run the backup again (%s)",
                          label, why);
    return host->fail(host, err, err->kind, "table %s: %s", label, why);
}

static void count(struct my_run *run, struct my_unit *unit, const struct output *out)
{
    struct backstay_sink *sink = run->sink;
    int64_t left;

    unit->sent = out->bytes;
    unit->rows = out->sum.rows;
    (void)pthread_mutex_lock(&run->mutex);
    plug_rowsum_merge(&run->results[unit->table].sum, &out->sum);
    run->results[unit->table].wrong += out->wrong;
    run->estimate_done += unit->bytes;
    run->bytes_done += out->bytes;
    double ratio =
        run->estimate_done > 0 ? (double)run->bytes_done / (double)run->estimate_done : 1;
    left = PLUG_MAX(run->bytes_expected - run->estimate_done, 0);
    uint64_t expected = run->bytes_done + (uint64_t)((double)left * ratio);
    (void)pthread_mutex_unlock(&run->mutex);
    if (sink && unit->bytes > BUFFER_BYTES)
        sink->expect(sink, run->snapshot.tables.n, expected);
}

/* Others would wait for too long if it were read with all definitions held. */
static bool is_long(const struct my_table *table, const struct my_unit *unit)
{
    enum { SHORT_BYTES = 64 << 20 };

    return unit->part == 0 && table->bytes > SHORT_BYTES;
}

int my_read_unit(struct my_run *run, struct my_conn *conn, struct my_unit *unit,
                 struct backstay_error *err)
{
    const struct my_table *table = &run->snapshot.tables.items[unit->table];
    PLUG_AUTO_FREE char *folder = my_folder(table->database);
    PLUG_AUTO_FREE char *name = my_unit_path(run, unit);
    PLUG_AUTO_FREE char *path = plug_strf("%s%s", folder, name);
    struct output out = {.run = run, .path = path};
    int r = is_long(table, unit) ? my_snapshot_relax(conn, err) : 0;

    if (r == 0)
        r = read_rows(&out, conn, unit, err);
    if (r == 0)
        r = my_snapshot_relax_in_time(&run->snapshot, conn, err);
    if (r != 0)
        (void)my_fail_table(run, conn, unit->table, err);
    else if (finish(&out, table) != 0)
        r = run->my->host->fail(run->my->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (r == 0)
        count(run, unit, &out);
    give_up(&out);
    return r;
}
