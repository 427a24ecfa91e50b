/* plugins/source/postgres/load_stream.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * One COPY. Large tables of ordinary types go to the server in its binary format, which takes it a
 * third less time; a row that we cannot turn into it, or that the server does not take, makes us
 * begin again with the text as it is stored.
 */
#include "load_binary.h"
#include "restore.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 64 * 1024, UNUSUAL = 1 };

/* Below this, finding out the types of the columns costs more than it saves. */
static const int64_t binary_bytes = 1 << 20;

char *pg_copy_in_sql(const json_t *table, const char *into, const char *options)
{
    PLUG_AUTO_FREE char *own =
        pg_qualified(plug_json_get(table, "schema"), plug_json_get(table, "name"));
    PLUG_AUTO_BYTES struct plug_bytes encoding = {0};

    pg_add_literal(&encoding, plug_json_get(table, "encoding"));
    return plug_strf("COPY %s %s FROM STDIN (ENCODING %s%s)", into ? into : own,
                     plug_json_get(table, "columns"), encoding.data, options);
}

uint64_t pg_stream_entry(const struct pg_stream *stream, size_t file)
{
    const json_t *entry = json_array_get(json_object_get(stream->table->saved, "files"), file);

    return pg_saved_find(stream->restoring->saved, stream->restoring->feed,
                         plug_json_get(entry, "path"));
}

/* ---- sending */

/* A COPY that is under way. */
struct sender {
    const struct pg_stream *stream;
    struct pg_conn *conn;
    struct pg_binary *binary; /* NULL: text */
    char *buffer;
};

static int flush(struct sender *sender, struct backstay_error *err)
{
    struct plug_bytes *out = &sender->binary->out;
    int r = pg_copy_send(sender->conn, out->data, out->len, err);

    plug_bytes_cut(out, 0);
    return r;
}

static int send_rows(struct sender *sender, const char *data, size_t len,
                     struct backstay_error *err)
{
    if (sender->binary == NULL)
        return pg_copy_send(sender->conn, data, len, err);
    return pg_binary_add(sender->binary, data, len) != 0 ? UNUSUAL : flush(sender, err);
}

static int send_file(struct sender *sender, uint64_t index, struct backstay_error *err)
{
    struct backstay_feed *feed = sender->stream->restoring->feed;
    const struct backstay_host *host = sender->stream->restoring->host;
    struct backstay_reader *reader;
    ssize_t n;
    int r = 0;

    if (feed->open(feed, index, &reader) != 0)
        return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "its entry cannot be read back");
    while (r == 0 && (n = feed->read(feed, reader, sender->buffer, BUFFER_BYTES)) != 0) {
        if (n > 0)
            r = send_rows(sender, sender->buffer, (size_t)n, err);
        else if (host->cancelled(host))
            r = host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
        else
            r = host->fail(host, err, BACKSTAY_ERR_CORRUPT, "its entry cannot be read back");
    }
    feed->close(feed, reader);
    return r;
}

static int send_files(struct sender *sender, struct backstay_error *err)
{
    const struct pg_stream *stream = sender->stream;
    const struct backstay_host *host = stream->restoring->host;
    int r = 0;

    if (sender->binary)
        pg_binary_start(sender->binary);
    for (size_t i = 0; i < stream->n_files && r == 0; i++) {
        uint64_t index = pg_stream_entry(stream, stream->first_file + i);
        if (index == UINT64_MAX)
            r = host->fail(host, err, BACKSTAY_ERR_CONFIG,
                           "its rows are not among the entries to restore");
        else
            r = send_file(sender, index, err);
    }
    if (r == 0 && sender->binary)
        r = pg_binary_end(sender->binary) != 0 ? UNUSUAL : flush(sender, err);
    return r;
}

/* ---- one COPY */

static int copy_in(struct sender *sender, bool root, int64_t *rows, struct backstay_error *err)
{
    const struct backstay_host *host = sender->stream->restoring->host;
    const struct pg_loaded *table = sender->stream->table;
    PLUG_AUTO_FREE char *options = plug_strf("%s%s", table->truncates ? ", FREEZE" : "",
                                             sender->binary ? ", FORMAT binary" : "");
    PLUG_AUTO_FREE char *sql = pg_copy_in_sql(table->saved, root ? table->root : NULL, options);
    struct backstay_error ignored = {.size = sizeof ignored};

    if (pg_copy_begin(sender->conn, err, sql) != 0)
        return -1;
    int r = send_files(sender, err);
    if (r == 0)
        return pg_copy_done(sender->conn, NULL, rows, err);
    if (pg_copy_done(sender->conn, "stopped", rows, &ignored) == 0)
        host->log(host, BACKSTAY_LOG_DEBUG, "a COPY that was given up ended without an error");
    return r;
}

/* FREEZE wants the table to be emptied in the same transaction; else COPY is one of its own. */
static int load(struct sender *sender, bool root, int64_t *rows, struct backstay_error *err)
{
    const struct pg_loaded *table = sender->stream->table;
    struct pg_conn *conn = sender->conn;
    struct backstay_error ignored = {.size = sizeof ignored};

    if (!table->truncates)
        return copy_in(sender, root, rows, err);
    int r = pg_run(conn, err, "BEGIN");
    if (r == 0)
        r = pg_runf(conn, err, "TRUNCATE ONLY %s", table->qualified);
    if (r == 0)
        r = copy_in(sender, root, rows, err);
    if (r == 0)
        return pg_run(conn, err, "COMMIT");
    char state[sizeof conn->sqlstate];
    memcpy(state, conn->sqlstate, sizeof state);
    if (PQstatus(conn->pq) == CONNECTION_OK && pg_run(conn, &ignored, "ROLLBACK") == 0)
        memcpy(conn->sqlstate, state, sizeof state);
    return r;
}

/* @return 0; UNUSUAL: nothing was loaded, it has to be text; -1 with @err. */
static int load_binary(struct sender *sender, int64_t *rows, struct backstay_error *err)
{
    const struct pg_loaded *table = sender->stream->table;
    struct pg_binary binary;

    if (table->bytes < binary_bytes || table->root ||
        strcmp(plug_json_get(table->saved, "encoding"), "UTF8") != 0)
        return UNUSUAL;
    int r = pg_binary_begin(&binary, sender->conn, table->qualified,
                            plug_json_get(table->saved, "columns"), err);
    if (r != 0)
        return r;
    sender->binary = &binary;
    r = load(sender, false, rows, err);
    sender->binary = NULL;
    pg_binary_free(&binary);
    /* Class 22 are values that the server does not take: of text it says best which. */
    return r < 0 && pg_error_is(sender->conn, "22") ? UNUSUAL : r;
}

int pg_stream_load(const struct pg_stream *stream, struct pg_conn *conn, int64_t *rows,
                   struct backstay_error *err)
{
    PLUG_AUTO_FREE char *buffer = plug_alloc(BUFFER_BYTES, 1);
    struct sender sender = {.stream = stream, .conn = conn, .buffer = buffer};
    int r = load_binary(&sender, rows, err);

    if (r == UNUSUAL)
        r = load(&sender, false, rows, err);
    if (r != 0 && stream->table->root && pg_error_is(conn, "23514"))
        r = load(&sender, true, rows, err);
    return r;
}
