/* plugins/source/postgres/read.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows: one COPY for each unit, hashed while they pass.
 */
#include "run.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, FILE_MODE = 0600, PAIRS = 2 };

/* An entry on its way: small ones are sent at once, others in pieces. */
struct output {
    struct pg_run *run;
    const char *path;
    struct plug_bytes buffer;
    struct backstay_stream *stream;
    struct plug_rowsum sum;
    uint64_t bytes;
};

char *pg_unit_path(const struct pg_run *run, const struct pg_unit *unit)
{
    const struct pg_table *table = &run->hold.tables.items[unit->table];
    struct plug_bytes path = {0};

    plug_bytes_text(&path, "tables/");
    plug_names_escape(&path, table->schema);
    plug_bytes_text(&path, "/");
    plug_names_escape(&path, table->name);
    if (unit->part)
        plug_bytes_format(&path, ".%04u", unit->part);
    plug_bytes_text(&path, ".copy");
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

static int add_row(struct output *out, const char *row, size_t len)
{
    plug_rowsum_add(&out->sum, row, len);
    out->bytes += len;
    if (out->run->sink == NULL)
        return 0;
    plug_bytes_add(&out->buffer, row, len);
    return out->buffer.len >= BUFFER_BYTES ? flush(out) : 0;
}

static int finish(struct output *out, const struct pg_table *table)
{
    struct backstay_sink *sink = out->run->sink;
    struct timespec now;

    if (sink == NULL)
        return 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct backstay_pair pairs[PAIRS] = {{"table", table->label},
                                               {"columns", table->columns}};
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
        .n_pairs = PAIRS,
        .pairs = pairs,
    };
    if (out->stream && out->buffer.len && flush(out) != 0)
        return -1;
    if (plug_crew_pass(&out->run->crew) != 0)
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

/* The worker that holds the locks needs no other; the others must not queue behind somebody who
 * waits for that one: nobody would notice such a deadlock. */
static int begin_copy(struct pg_run *run, struct pg_conn *conn, const struct pg_unit *unit,
                      struct backstay_error *err)
{
    const struct pg_table *table = &run->hold.tables.items[unit->table];
    PLUG_AUTO_FREE char *copy = pg_copy_out_sql(table, &unit->range, run->hold.encoding);
    PLUG_AUTO_FREE char *sql = conn == run->hold.holder
                                   ? NULL
                                   : plug_strf("LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT; %s",
                                               table->qualified, copy);

    return pg_copy_begin(conn, err, sql ? sql : copy);
}

static int read_rows(struct pg_run *run, struct pg_conn *conn, struct output *out,
                     struct backstay_error *err)
{
    char *row = NULL;
    int len;

    while ((len = pg_copy_row(conn, &row, err)) > 0) {
        int r = add_row(out, row, (size_t)len);
        PQfreemem(row);
        if (r != 0 || atomic_load_explicit(&run->crew.stopped, memory_order_relaxed))
            return run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    }
    return len;
}

static int fail_table(const struct pg_run *run, const struct pg_table *table,
                      struct backstay_error *err)
{
    PLUG_AUTO_FREE char *why = plug_strdup(err->text);

    return run->pg->host->fail(run->pg->host, err, err->kind, "table %s: %s", table->label, why);
}

static void count(struct pg_run *run, struct pg_unit *unit, const struct output *out)
{
    struct backstay_sink *sink = run->sink;

    unit->sent = out->bytes;
    unit->rows = out->sum.rows;
    (void)pthread_mutex_lock(&run->crew.mutex);
    plug_rowsum_merge(&run->sums[unit->table], &out->sum);
    run->heap_done += unit->bytes;
    run->bytes_done += out->bytes;
    double ratio = run->heap_done > 0 ? (double)run->bytes_done / (double)run->heap_done : 1;
    int64_t left = 0;
    for (size_t i = run->crew.next; i < run->n_units && i < run->crew.next + 64; i++)
        left += run->units[i].bytes;
    uint64_t expected = run->bytes_done + (uint64_t)((double)left * ratio);
    (void)pthread_mutex_unlock(&run->crew.mutex);
    if (sink && unit->bytes > BUFFER_BYTES)
        sink->expect(sink, run->n_units, expected);
}

int pg_read_unit(struct pg_run *run, struct pg_conn *conn, struct pg_unit *unit,
                 struct backstay_error *err)
{
    const struct pg_table *table = &run->hold.tables.items[unit->table];
    PLUG_AUTO_FREE char *name = pg_unit_path(run, unit);
    PLUG_AUTO_FREE char *path = plug_strf("%s%s", run->folder, name);
    struct output out = {.run = run, .path = path};

    if (begin_copy(run, conn, unit, err) != 0) {
        if (conn != run->hold.holder && pg_error_is(conn, "55P03"))
            return 1;
        return fail_table(run, table, err);
    }
    int r = read_rows(run, conn, &out, err);
    if (r != 0)
        (void)fail_table(run, table, err);
    else if (finish(&out, table) != 0)
        r = run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (r == 0)
        count(run, unit, &out);
    give_up(&out);
    return r;
}
