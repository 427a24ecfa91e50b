/* plugins/source/mysql/load_insert.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows by INSERT, where a server allows no LOAD DATA LOCAL. A cell of a file needs no more than a
 * quote on each side and a backslash before those that are inside: its escapes are those of a
 * constant.
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 64 * 1024, MOST_BYTES = 4 << 20 };

/* A column's expression around the cell: pieces with the cell between each two. */
struct form {
    const char **pieces;
    size_t *lens;
    size_t n;
};

struct my_insert {
    struct my_conn *conn;
    const struct my_stream *stream;
    size_t packet_bytes;
    struct form *forms;
    size_t n_columns;
    struct plug_bytes head; /* "INSERT INTO ... VALUES " */
    struct plug_bytes sql;
    struct plug_bytes line; /* the beginning of a row whose end is not read yet */
    int64_t in_sql;         /* rows */
    int64_t rows;           /* that the server took */
};

/* ---- columns */

static const char *expression_of(const json_t *column)
{
    const char *as = plug_json_get(column, "as");

    if (strcmp(as, "hex") == 0)
        return "UNHEX(@v)";
    return *as == '\0' || strcmp(as, "text") == 0 ? "@v" : as;
}

static void split(struct form *form, const char *expr)
{
    size_t cap = 0;
    size_t lens_cap = 0;

    for (bool last = false; !last;) {
        const char *at = strstr(expr, "@v");
        last = at == NULL;
        form->pieces = plug_grow(form->pieces, &cap, form->n + 1, sizeof *form->pieces);
        form->lens = plug_grow(form->lens, &lens_cap, form->n + 1, sizeof *form->lens);
        form->pieces[form->n] = expr;
        form->lens[form->n++] = last ? strlen(expr) : (size_t)(at - expr);
        expr = last ? expr : at + 2;
    }
}

static void begin(struct my_insert *insert)
{
    const struct my_loaded *table = insert->stream->table;
    const json_t *columns = json_object_get(table->saved, "columns");
    const json_t *column;
    size_t i;

    insert->n_columns = json_array_size(columns);
    insert->forms = plug_alloc(insert->n_columns + 1, sizeof *insert->forms);
    plug_bytes_format(&insert->head, "INSERT INTO %s (", table->into);
    json_array_foreach(columns, i, column)
    {
        split(&insert->forms[i], expression_of(column));
        plug_bytes_text(&insert->head, i ? ", " : "");
        my_add_ident(&insert->head, plug_json_get(column, "name"));
    }
    plug_bytes_text(&insert->head, ") VALUES ");
}

static void end(struct my_insert *insert)
{
    for (size_t i = 0; i < insert->n_columns; i++) {
        free(insert->forms[i].pieces);
        free(insert->forms[i].lens);
    }
    free(insert->forms);
    plug_bytes_free(&insert->head);
    plug_bytes_free(&insert->sql);
    plug_bytes_free(&insert->line);
}

/* ---- rows */

static void add_quoted(struct plug_bytes *sql, const char *cell, size_t len)
{
    plug_bytes_text(sql, "'");
    while (len > 0) {
        const char *quote = memchr(cell, '\'', len);
        size_t n = quote ? (size_t)(quote - cell) : len;
        plug_bytes_add(sql, cell, n);
        if (quote)
            plug_bytes_text(sql, "\\'");
        n += quote != NULL;
        cell += n;
        len -= n;
    }
    plug_bytes_text(sql, "'");
}

static void add_cell(struct plug_bytes *sql, const struct form *form, const char *cell, size_t len)
{
    bool null = len == 2 && memcmp(cell, "\\N", 2) == 0;

    for (size_t i = 0; i < form->n; i++) {
        plug_bytes_add(sql, form->pieces[i], form->lens[i]);
        if (i + 1 == form->n)
            break;
        if (null)
            plug_bytes_text(sql, "NULL");
        else
            add_quoted(sql, cell, len);
    }
}

/* @return 0; -1: it has not as many cells as the table has columns. */
static int add_row(struct my_insert *insert, const char *line, size_t len)
{
    const char *end_of_line = line + len;

    plug_bytes_text(&insert->sql, insert->in_sql ? ", (" : "(");
    for (size_t i = 0; i < insert->n_columns; i++) {
        const char *tab = memchr(line, '\t', (size_t)(end_of_line - line));
        const char *stop = tab ? tab : end_of_line;
        if ((tab == NULL) != (i + 1 == insert->n_columns))
            return -1;
        plug_bytes_text(&insert->sql, i ? ", " : "");
        add_cell(&insert->sql, &insert->forms[i], line, (size_t)(stop - line));
        line = tab ? tab + 1 : stop;
    }
    plug_bytes_text(&insert->sql, ")");
    insert->in_sql++;
    return 0;
}

static int flush(struct my_insert *insert, struct backstay_error *err)
{
    struct my_conn *conn = insert->conn;
    int64_t rows = insert->in_sql;

    if (rows == 0)
        return 0;
    if (insert->sql.len >= insert->packet_bytes)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG,
                                "a row takes %zu bytes as a statement, more than %s takes at once "
                                "(max_allowed_packet is %zu); run there: SET GLOBAL "
                                "max_allowed_packet = 1073741824",
                                insert->sql.len, conn->label, insert->packet_bytes);
    my_wait_for(conn);
    if (mysql_real_query(conn->db, insert->sql.data, insert->sql.len) != 0)
        return my_fail(conn, "INSERT", err);
    insert->rows += (int64_t)mysql_affected_rows(conn->db);
    insert->in_sql = 0;
    plug_bytes_cut(&insert->sql, insert->head.len);
    return my_load_check_warnings(conn, insert->stream->table->saved, err);
}

static int take_line(struct my_insert *insert, const char *line, size_t len,
                     struct backstay_error *err)
{
    size_t most = PLUG_MIN(insert->packet_bytes / 2, (size_t)MOST_BYTES);

    if (insert->in_sql && insert->sql.len + 2 * len > most && flush(insert, err) != 0)
        return -1;
    if (insert->sql.len == 0)
        plug_bytes_add(&insert->sql, insert->head.data, insert->head.len);
    if (add_row(insert, line, len) != 0)
        return insert->conn->host->fail(insert->conn->host, err, BACKSTAY_ERR_CORRUPT,
                                        "a row does not have %zu cells", insert->n_columns);
    return 0;
}

static int take_bytes(struct my_insert *insert, const char *data, size_t len,
                      struct backstay_error *err)
{
    for (const char *stop; (stop = memchr(data, '\n', len)) != NULL;) {
        size_t n = (size_t)(stop - data);
        int r;
        if (insert->line.len) {
            plug_bytes_add(&insert->line, data, n);
            r = take_line(insert, insert->line.data, insert->line.len, err);
            plug_bytes_cut(&insert->line, 0);
        } else {
            r = take_line(insert, data, n, err);
        }
        if (r != 0)
            return -1;
        data += n + 1;
        len -= n + 1;
    }
    plug_bytes_add(&insert->line, data, len);
    return 0;
}

int my_insert_lines(struct my_conn *conn, const struct my_stream *stream, int64_t packet_bytes,
                    my_read_fn *read, void *ctx, int64_t *rows, struct backstay_error *err)
{
    struct my_insert insert = {
        .conn = conn, .stream = stream, .packet_bytes = (size_t)packet_bytes};
    PLUG_AUTO_FREE char *buffer = plug_alloc(READ_BYTES, 1);
    ssize_t n;
    int r = 0;

    begin(&insert);
    while (r == 0 && (n = read(ctx, buffer, READ_BYTES, err)) != 0)
        r = n < 0 ? -1 : take_bytes(&insert, buffer, (size_t)n, err);
    if (r == 0 && insert.line.len)
        r = conn->host->fail(conn->host, err, BACKSTAY_ERR_CORRUPT, "its last row has no end");
    if (r == 0)
        r = flush(&insert, err);
    *rows = insert.rows;
    end(&insert);
    return r;
}
