/* plugins/source/postgres/load_binary.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "load_binary.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"; /* and flags and extensions */

/* ---- columns */

/* Types by their oids, which are the same in every version. */
static enum pg_form form_of(Oid type)
{
    static const struct {
        Oid type;
        enum pg_form form;
    } rows[] = {
        {16, PG_FORM_BOOL},      {17, PG_FORM_BYTES},       {20, PG_FORM_INT8},
        {21, PG_FORM_INT2},      {23, PG_FORM_INT4},        {25, PG_FORM_TEXT},
        {26, PG_FORM_OID},       {114, PG_FORM_TEXT},       {700, PG_FORM_FLOAT4},
        {701, PG_FORM_FLOAT8},   {1042, PG_FORM_TEXT},      {1043, PG_FORM_TEXT},
        {1082, PG_FORM_DATE},    {1114, PG_FORM_TIMESTAMP}, {1184, PG_FORM_TIMESTAMPTZ},
        {1700, PG_FORM_NUMERIC}, {2950, PG_FORM_UUID},      {3802, PG_FORM_JSONB},
    };

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (rows[i].type == type)
            return rows[i].form;
    return PG_FORM_NONE;
}

/* The binary form of an enum's value is its label. */
static int is_enum(struct pg_conn *conn, Oid type, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql =
        plug_strf("SELECT typtype = 'e' FROM pg_catalog.pg_type WHERE oid = %u", type);
    PLUG_AUTO_FREE char *found = pg_value(conn, err, sql);

    return found ? found[0] == 't' : -1;
}

static int read_forms(struct pg_binary *binary, struct pg_conn *conn, const PGresult *none,
                      struct backstay_error *err)
{
    binary->n = (size_t)PQnfields(none);
    binary->forms = plug_alloc(binary->n, sizeof *binary->forms);
    for (size_t i = 0; i < binary->n; i++) {
        Oid type = PQftype(none, (int)i);
        binary->forms[i] = form_of(type);
        if (binary->forms[i] != PG_FORM_NONE)
            continue;
        int label = is_enum(conn, type, err);
        if (label <= 0)
            return label < 0 ? -1 : 1;
        binary->forms[i] = PG_FORM_TEXT;
    }
    return binary->n > 0 ? 0 : 1;
}

int pg_binary_begin(struct pg_binary *binary, struct pg_conn *conn, const char *qualified,
                    const char *columns, struct backstay_error *err)
{
    size_t len = strlen(columns);

    *binary = (struct pg_binary){0};
    if (len < 3)
        return 1;
    PLUG_AUTO_FREE char *sql =
        plug_strf("SELECT %.*s FROM ONLY %s LIMIT 0", (int)len - 2, columns + 1, qualified);
    PGresult *none = pg_query(conn, err, sql, NULL, 0);
    if (none == NULL)
        return -1;
    int r = read_forms(binary, conn, none, err);
    PQclear(none);
    if (r != 0)
        pg_binary_free(binary);
    return r;
}

void pg_binary_free(struct pg_binary *binary)
{
    free(binary->forms);
    plug_bytes_free(&binary->out);
    plug_bytes_free(&binary->rest);
    plug_bytes_free(&binary->cell);
    *binary = (struct pg_binary){0};
}

/* ---- rows */

void pg_binary_start(struct pg_binary *binary)
{
    plug_bytes_cut(&binary->out, 0);
    plug_bytes_cut(&binary->rest, 0);
    plug_bytes_add(&binary->out, signature, sizeof signature - 1);
}

/* What COPY TO writes with a backslash. */
static int unescape(struct plug_bytes *cell, const char *text, size_t len)
{
    static const char names[] = "bfnrtv\\";
    static const char bytes[] = "\b\f\n\r\t\v\\";
    const char *end = text + len;

    plug_bytes_cut(cell, 0);
    while (text < end) {
        const char *slash = memchr(text, '\\', (size_t)(end - text));
        plug_bytes_add(cell, text, (size_t)((slash ? slash : end) - text));
        if (slash == NULL)
            return 0;
        const char *name = slash + 1 < end && slash[1] ? strchr(names, slash[1]) : NULL;
        if (name == NULL)
            return 1;
        plug_bytes_add(cell, bytes + (name - names), 1);
        text = slash + 2;
    }
    return 0;
}

/* One with a backslash. */
static int add_cell(struct pg_binary *binary, enum pg_form form, const char *text, size_t len)
{
    static const unsigned char null[] = {0xff, 0xff, 0xff, 0xff};

    if (len == 2 && text[1] == 'N') {
        plug_bytes_add(&binary->out, null, sizeof null);
        return 0;
    }
    if (unescape(&binary->cell, text, len) != 0)
        return 1;
    return pg_binary_value(&binary->out, form, binary->cell.data, binary->cell.len);
}

/* A row without its line end. */
static int add_row(struct pg_binary *binary, const char *row, size_t len)
{
    const char *end = row + len;
    bool plain = memchr(row, '\\', len) == NULL;
    uint16_t n = htons((uint16_t)binary->n);

    plug_bytes_add(&binary->out, &n, sizeof n);
    for (size_t i = 0; i < binary->n; i++) {
        const char *tab = memchr(row, '\t', (size_t)(end - row));
        size_t cell = (size_t)((tab ? tab : end) - row);
        if ((tab == NULL) != (i + 1 == binary->n))
            return 1;
        if (plain || memchr(row, '\\', cell) == NULL
                ? pg_binary_value(&binary->out, binary->forms[i], row, cell) != 0
                : add_cell(binary, binary->forms[i], row, cell) != 0)
            return 1;
        row += cell + 1;
    }
    return 0;
}

int pg_binary_add(struct pg_binary *binary, const char *data, size_t len)
{
    const char *end = data + len;
    const char *line;

    while ((line = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        int r;
        if (binary->rest.len > 0) {
            plug_bytes_add(&binary->rest, data, (size_t)(line - data));
            r = add_row(binary, binary->rest.data, binary->rest.len);
            plug_bytes_cut(&binary->rest, 0);
        } else {
            r = add_row(binary, data, (size_t)(line - data));
        }
        if (r != 0)
            return 1;
        data = line + 1;
    }
    plug_bytes_add(&binary->rest, data, (size_t)(end - data));
    return 0;
}

int pg_binary_end(struct pg_binary *binary)
{
    static const unsigned char trailer[] = {0xff, 0xff};

    plug_bytes_add(&binary->out, trailer, sizeof trailer);
    return binary->rest.len > 0;
}
