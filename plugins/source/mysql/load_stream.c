/* plugins/source/mysql/load_stream.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The rows of some files in one statement: LOAD DATA LOCAL, to which the client library feeds what
 * we read from the snapshot. With LOCAL a server makes warnings of errors, so that each is one.
 */
#include "restore.h"

#include <errmsg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 128 * 1024 };

/* Errors that say: not with LOCAL. */
enum { NOT_ALLOWED = 1148, DISABLED_BY_CLIENT = 2068, DISABLED = 3948, DISABLED_MARIADB = 4166 };

uint64_t my_stream_entry(const struct my_stream *stream, size_t file)
{
    const struct my_restoring *restoring = stream->table->restoring;
    const json_t *entry = json_array_get(json_object_get(stream->table->saved, "files"), file);

    return my_saved_find(restoring->saved, restoring->run->feed, plug_json_get(entry, "path"));
}

/* ---- reading */

/* The files of a stream, one after the other. */
struct source {
    const struct my_stream *stream;
    struct backstay_feed *feed;
    const struct backstay_host *host;
    struct backstay_reader *reader; /* of the current file, or NULL */
    size_t next;                    /* file */
    char *buffer;
    size_t at;
    size_t len;
    bool begun;
    bool failed;
    struct backstay_error *err;
};

static int next_file(struct source *source)
{
    const struct my_stream *stream = source->stream;
    uint64_t index = my_stream_entry(stream, stream->first_file + source->next++);

    if (index == UINT64_MAX)
        return source->host->fail(source->host, source->err, BACKSTAY_ERR_CONFIG,
                                  "its rows are not among the entries to restore");
    if (source->feed->open(source->feed, index, &source->reader) == 0)
        return 0;
    source->reader = NULL;
    return source->host->fail(source->host, source->err, BACKSTAY_ERR_CORRUPT,
                              "its entry cannot be read back");
}

static void close_file(struct source *source)
{
    if (source->reader)
        source->feed->close(source->feed, source->reader);
    source->reader = NULL;
}

/* @return how many bytes are in the buffer now; 0: that was all; -1. */
static ssize_t fill(struct source *source)
{
    const struct backstay_host *host = source->host;
    ssize_t n = 0;

    while (n == 0) {
        if (source->reader == NULL && source->next == source->stream->n_files)
            return 0;
        if (source->reader == NULL && next_file(source) != 0)
            return -1;
        n = source->feed->read(source->feed, source->reader, source->buffer, BUFFER_BYTES);
        if (n == 0)
            close_file(source);
    }
    if (n < 0 && host->cancelled(host))
        return host->fail(host, source->err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (n < 0)
        return host->fail(host, source->err, BACKSTAY_ERR_CORRUPT, "its entry cannot be read back");
    source->at = 0;
    source->len = (size_t)n;
    return n;
}

static ssize_t read_some(void *ctx, void *data, size_t len, struct backstay_error *err)
{
    struct source *source = ctx;

    (void)err;
    source->begun = true;
    if (source->at == source->len) {
        ssize_t n = source->failed ? -1 : fill(source);
        source->failed = n < 0;
        if (n <= 0)
            return n;
    }
    len = PLUG_MIN(len, source->len - source->at);
    memcpy(data, source->buffer + source->at, len);
    source->at += len;
    return (ssize_t)len;
}

/* ---- what the client library calls */

/* Without a context it refuses: a server may ask for a file at any time. */
static int local_begin(void **file, const char *name, void *ctx)
{
    (void)name;
    *file = ctx;
    return ctx == NULL;
}

static int local_read(void *file, char *buffer, unsigned len)
{
    return file ? (int)read_some(file, buffer, len, NULL) : -1;
}

static void local_end(void *file)
{
    (void)file;
}

static int local_error(void *file, char *text, unsigned len)
{
    (void)file;
    (void)snprintf(text, len, "the rows could not be read back");
    return CR_UNKNOWN_ERROR;
}

/* ---- one statement */

/* The value that an ENUM has when it has none of its values: every way to store it leaves a
 * warning, whose text names the column between quotes. */
static bool is_enum_zero(const json_t *table, MYSQL_ROW warning)
{
    enum { DATA_TRUNCATED = 1265 };
    const json_t *column;
    size_t i;

    if (my_cell_number(warning, 1) != DATA_TRUNCATED)
        return false;
    json_array_foreach(json_object_get(table, "columns"), i, column)
    {
        PLUG_AUTO_FREE char *quoted = plug_strf("'%s'", plug_json_get(column, "name"));
        if (strncmp(plug_json_get(column, "type"), "enum(", 5) == 0 &&
            strstr(my_cell(warning, 2), quoted))
            return true;
    }
    return false;
}

static int fail_warnings(struct my_conn *conn, const char *text, bool too_long,
                         struct backstay_error *err)
{
    return conn->host->fail(conn->host, err, BACKSTAY_ERR_IO,
                            "%s did not take the rows as they are: %s%s", conn->label, text,
                            too_long ? "; raise max_allowed_packet of the server, for example: SET "
                                       "GLOBAL max_allowed_packet = 1073741824"
                                     : "");
}

int my_load_check_warnings(struct my_conn *conn, const json_t *table, struct backstay_error *err)
{
    enum { UNHEX_TOO_LONG = 1301, TEXT_MOST = 400 };
    PLUG_AUTO_BYTES struct plug_bytes text = {0};
    bool too_long = false;
    MYSQL_ROW row;

    if (mysql_warning_count(conn->db) == 0)
        return 0;
    MYSQL_RES *rows = my_query(conn, err, "SHOW WARNINGS");
    if (rows == NULL)
        return -1;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        if (is_enum_zero(table, row) || text.len > TEXT_MOST)
            continue;
        plug_bytes_format(&text, "%s%s", text.len ? "; " : "", my_cell(row, 2));
        too_long = too_long || my_cell_number(row, 1) == UNHEX_TOO_LONG;
    }
    mysql_free_result(rows);
    return text.len ? fail_warnings(conn, text.data, too_long, err) : 0;
}

static int load_local(struct source *source, struct my_conn *conn, int64_t *rows,
                      struct backstay_error *err)
{
    const struct my_loaded *table = source->stream->table;
    PLUG_AUTO_FREE char *sql = my_script_load(table->saved, table->into, "rows");

    mysql_set_local_infile_handler(conn->db, local_begin, local_read, local_end, local_error,
                                   source);
    my_wait_for(conn);
    conn->error = 0;
    if (mysql_real_query(conn->db, sql, strlen(sql)) != 0 && !source->failed)
        (void)my_fail(conn, "LOAD DATA LOCAL INFILE", err);
    mysql_set_local_infile_handler(conn->db, local_begin, local_read, local_end, local_error, NULL);
    if (source->failed || mysql_errno(conn->db))
        return -1;
    *rows = (int64_t)mysql_affected_rows(conn->db);
    return my_load_check_warnings(conn, table->saved, err);
}

static bool is_refused(const struct my_conn *conn)
{
    return conn->error == NOT_ALLOWED || conn->error == DISABLED_BY_CLIENT ||
           conn->error == DISABLED || conn->error == DISABLED_MARIADB;
}

static int load(struct source *source, struct my_conn *conn, int64_t *rows,
                struct backstay_error *err)
{
    struct my_target *target = &source->stream->table->restoring->run->target;

    if (atomic_load(&target->local)) {
        if (load_local(source, conn, rows, err) == 0)
            return 0;
        if (source->begun || !is_refused(conn))
            return -1;
        atomic_store(&target->local, false);
    }
    return my_insert_lines(conn, source->stream, target->packet_bytes, read_some, source, rows,
                           err);
}

/* What fails leaves the table as it was, as far as its engine can do that. */
int my_stream_load(const struct my_stream *stream, struct my_conn *conn, int64_t *rows,
                   struct backstay_error *err)
{
    PLUG_AUTO_FREE char *buffer = plug_alloc(BUFFER_BYTES, 1);
    struct my_run_back *run = stream->table->restoring->run;
    struct source source = {
        .stream = stream, .feed = run->feed, .host = run->host, .buffer = buffer, .err = err};
    struct backstay_error ignored = {.size = sizeof ignored};

    if (my_run(conn, err, "START TRANSACTION") != 0)
        return -1;
    int r = load(&source, conn, rows, err);
    close_file(&source);
    if (r == 0)
        return my_run(conn, err, "COMMIT");
    if (!conn->interrupted && my_run(conn, &ignored, "ROLLBACK") != 0)
        conn->host->log(conn->host, BACKSTAY_LOG_DEBUG, "%s", ignored.text);
    return -1;
}
