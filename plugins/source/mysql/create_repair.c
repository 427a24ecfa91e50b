/* plugins/source/mysql/create_repair.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * MariaDB 11 writes names in foreign keys without doubling the backticks in them, and refuses to
 * read that. Such lines are written anew from the information schema.
 */
#include "create_repair.h"

#include "ddl_lex.h"

#include <stdlib.h>
#include <string.h>

static const char begin[] = "\n  CONSTRAINT `";
static const char middle[] = "` FOREIGN KEY (";

/* ---- the lines */

static bool skip_names(struct my_lexer *lexer)
{
    if (!my_lex_skip(lexer, "("))
        return false;
    do {
        if (my_lex_next(lexer).kind != MY_TOKEN_IDENT)
            return false;
    } while (my_lex_skip(lexer, ","));
    return my_lex_skip(lexer, ")");
}

/* CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `d`.`t` (`b`) and words. */
static bool is_sound(const char *at, size_t len)
{
    struct my_lexer lexer = {.at = at, .end = at + len};

    if (memmem(at, len, "``", 2) != NULL || !my_lex_skip(&lexer, "CONSTRAINT") ||
        my_lex_next(&lexer).kind != MY_TOKEN_IDENT || !my_lex_skip(&lexer, "FOREIGN") ||
        !my_lex_skip(&lexer, "KEY") || !skip_names(&lexer) || !my_lex_skip(&lexer, "REFERENCES") ||
        my_lex_next(&lexer).kind != MY_TOKEN_IDENT)
        return false;
    if (my_lex_skip(&lexer, ".") && my_lex_next(&lexer).kind != MY_TOKEN_IDENT)
        return false;
    if (!skip_names(&lexer))
        return false;
    for (struct my_token token; (token = my_lex_next(&lexer)).kind != MY_TOKEN_END;)
        if (token.kind != MY_TOKEN_WORD)
            return false;
    return true;
}

/* The next line of a foreign key from @at on, without the comma at its end; NULL: none. */
static const char *next_line(const char *at, size_t *len)
{
    while ((at = strstr(at, begin)) != NULL) {
        at += strlen("\n  ");
        *len = strcspn(at, "\n");
        if (memmem(at, *len, middle, sizeof middle - 1) == NULL)
            continue;
        if (at[*len - 1] == ',')
            (*len)--;
        return at;
    }
    return NULL;
}

static bool needs_repair(const char *create)
{
    size_t len;

    for (const char *at = create; (at = next_line(at, &len)) != NULL; at += len)
        if (!is_sound(at, len))
            return true;
    return false;
}

/* ---- what they should be */

static MYSQL_RES *columns_of_keys(struct my_conn *conn, const char *database, const char *table,
                                  struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA,"
                          " REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME"
                          " FROM information_schema.KEY_COLUMN_USAGE"
                          " WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA = ");
    my_add_literal(&sql, database, strlen(database));
    plug_bytes_text(&sql, " AND TABLE_NAME = ");
    my_add_literal(&sql, table, strlen(table));
    plug_bytes_text(&sql, " ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION");
    return my_query(conn, err, sql.data);
}

/* Whether the line at @at is about the key @name, which the server has written as it is, or right.
 */
static bool is_about(const char *at, const char *name)
{
    PLUG_AUTO_FREE char *raw = plug_strf("CONSTRAINT `%s%s", name, middle);
    PLUG_AUTO_BYTES struct plug_bytes right = {0};

    plug_bytes_text(&right, "CONSTRAINT ");
    my_add_ident(&right, name);
    plug_bytes_text(&right, middle + 1);
    return strncmp(at, raw, strlen(raw)) == 0 || strncmp(at, right.data, right.len) == 0;
}

/* Appends the key that begins at *@row, which moves behind it. */
static void add_key(struct plug_bytes *out, MYSQL_RES *rows, MYSQL_ROW *row, const char *database)
{
    PLUG_AUTO_FREE char *name = plug_strdup(my_cell(*row, 0));
    PLUG_AUTO_BYTES struct plug_bytes columns = {0};
    PLUG_AUTO_BYTES struct plug_bytes others = {0};
    PLUG_AUTO_BYTES struct plug_bytes table = {0};

    if (strcmp(my_cell(*row, 2), database) != 0) {
        my_add_ident(&table, my_cell(*row, 2));
        plug_bytes_text(&table, ".");
    }
    my_add_ident(&table, my_cell(*row, 3));
    do {
        plug_bytes_text(&columns, columns.len ? ", " : "");
        my_add_ident(&columns, my_cell(*row, 1));
        plug_bytes_text(&others, others.len ? ", " : "");
        my_add_ident(&others, my_cell(*row, 4));
        *row = mysql_fetch_row(rows);
    } while (*row && strcmp(my_cell(*row, 0), name) == 0);
    plug_bytes_text(out, "CONSTRAINT ");
    my_add_ident(out, name);
    plug_bytes_format(out, " FOREIGN KEY (%s) REFERENCES %s (%s)", columns.data, table.data,
                      others.data);
}

/* Appends the right line for the one at @at; leaves @out alone when nothing is known of it. */
static void add_line(struct plug_bytes *out, MYSQL_RES *rows, const char *database, const char *at,
                     size_t len)
{
    MYSQL_ROW row;

    mysql_data_seek(rows, 0);
    for (row = mysql_fetch_row(rows); row && !is_about(at, my_cell(row, 0));)
        row = mysql_fetch_row(rows);
    if (row == NULL) {
        plug_bytes_add(out, at, len);
        return;
    }
    const char *end = memrchr(at, ')', len);
    add_key(out, rows, &row, database);
    if (end)
        plug_bytes_add(out, end + 1, (size_t)(at + len - end - 1));
}

char *my_create_repaired(struct my_conn *conn, const char *database, const char *table,
                         const char *create, struct backstay_error *err)
{
    struct plug_bytes out = {0};
    const char *done = create;
    size_t len;

    if (!needs_repair(create))
        return plug_strdup(create);
    MYSQL_RES *rows = columns_of_keys(conn, database, table, err);
    if (rows == NULL)
        return NULL;
    for (const char *at = create; (at = next_line(at, &len)) != NULL; at += len) {
        plug_bytes_add(&out, done, (size_t)(at - done));
        add_line(&out, rows, database, at, len);
        done = at + len;
    }
    plug_bytes_text(&out, done);
    mysql_free_result(rows);
    return out.data;
}
