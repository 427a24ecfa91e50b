/* plugins/source/mysql/catalog.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "catalog.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- which tables */

bool my_wants_table(const struct my *my, const char *database, const char *name)
{
    PLUG_AUTO_FREE char *full = plug_strf("%s.%s", database, name);

    if (my->tables.n && !plug_names_match_any(my->tables.items, my->tables.n, full))
        return false;
    return !plug_names_match_any(my->exclude_tables.items, my->exclude_tables.n, full);
}

static bool is_structure_only(const struct my *my, const char *database, const char *name)
{
    PLUG_AUTO_FREE char *full = plug_strf("%s.%s", database, name);

    return plug_names_match_any(my->structure_only.items, my->structure_only.n, full);
}

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static void add_part(struct plug_bytes *out, const char *name)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";

    if (*name && strspn(name, safe) == strlen(name))
        plug_bytes_text(out, name);
    else
        my_add_ident(out, name);
}

char *my_label(const char *database, const char *name)
{
    struct plug_bytes out = {0};

    add_part(&out, database);
    plug_bytes_text(&out, ".");
    add_part(&out, name);
    return out.data;
}

/* ---- columns */

/* Servers take any byte for a character of ascii; as latin1, each of them is one of Unicode's. */
static bool is_loose_ascii(const struct my_column *column)
{
    return column->form == MY_TEXT && strcmp(column->charset, "ascii") == 0;
}

/* Whether '' is among the members of an ENUM. It is also the text of a value that is none of them,
 * which days without strict modes left behind: there only the number tells what a row has. */
static bool has_empty_member(const struct my_column *column)
{
    const char *at = column->type + strlen("enum(");

    if (strcmp(column->base, "enum") != 0)
        return false;
    while (*at == '\'') {
        const char *end = strchr(at + 1, '\'');
        if (end == at + 1 && end[1] != '\'')
            return true;
        while (end && end[1] == '\'')
            end = strchr(end + 2, '\'');
        if (end == NULL)
            return false;
        at = end + 1 + (end[1] == ',');
    }
    return false;
}

const char *my_column_as(const struct my_column *column)
{
    if (column->form == MY_HEX)
        return "hex";
    if (has_empty_member(column))
        return "CAST(@v AS UNSIGNED)";
    return is_loose_ascii(column) ? "CAST(CONVERT(@v USING latin1) AS BINARY)" : "text";
}

/* A text is kept as UTF-8 where that says all about it. Other charsets have characters that are
 * not Unicode's, or several for one of Unicode's, so that their bytes are kept. */
static enum my_form form_of(const struct my_column *column)
{
    static const char *const plain[] = {
        "tinyint", "smallint", "mediumint", "int",       "bigint", "decimal", "float", "double",
        "date",    "time",     "datetime",  "timestamp", "year",   "uuid",    "inet4", "inet6"};
    static const char *const text[] = {"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1"};

    if (is_one_of(column->base, plain, PLUG_COUNT(plain)) || has_empty_member(column))
        return MY_PLAIN;
    if (strcmp(column->base, "json") == 0 || is_one_of(column->charset, text, PLUG_COUNT(text)))
        return MY_TEXT;
    return MY_HEX;
}

/* The text of a FLOAT has fewer digits than its value. */
static char *expression_of(const struct my_conn *conn, const struct my_column *column)
{
    enum { CAST_AS_DOUBLE = 80017 };
    struct plug_bytes name = {0};
    char *expr = NULL;

    my_add_ident(&name, column->name);
    if (strcmp(column->base, "float") == 0)
        expr = conn->mariadb || conn->version >= CAST_AS_DOUBLE
                   ? plug_strf("CAST(%s AS DOUBLE)", name.data)
                   : plug_strf("%s * 1E0", name.data);
    else if (has_empty_member(column))
        expr = plug_strf("CAST(%s AS UNSIGNED)", name.data);
    else if (column->form == MY_TEXT && strcmp(column->charset, "latin1") == 0)
        expr = plug_strf("CONVERT(%s USING utf8mb4)", name.data);
    else if (is_loose_ascii(column))
        expr =
            plug_strf("CONVERT(CONVERT(CAST(%s AS BINARY) USING latin1) USING utf8mb4)", name.data);
    if (expr == NULL)
        return name.data;
    plug_bytes_free(&name);
    return expr;
}

static struct my_column *add_column(struct my_table *table, const char *name, const char *type,
                                    bool period)
{
    table->columns =
        plug_grow(table->columns, &table->cap, table->n_columns + 1, sizeof *table->columns);
    struct my_column *column = &table->columns[table->n_columns++];
    *column = (struct my_column){.name = plug_strdup(name),
                                 .type = plug_strdup(type),
                                 .base = plug_strf("%.*s", (int)strcspn(type, "( "), type),
                                 .period = period};
    return column;
}

static void set_column(const struct my_conn *conn, struct my_column *column, const char *charset)
{
    column->charset = plug_strdup(charset);
    column->form = form_of(column);
    column->expr = expression_of(conn, column);
}

static struct my_table *find(struct my_tables *tables, size_t first, const char *name)
{
    for (size_t i = first; i < tables->n; i++)
        if (strcmp(tables->items[i].name, name) == 0)
            return &tables->items[i];
    return NULL;
}

/* Columns come by table; of a generated one, the expression makes the values. The columns of a
 * system-versioned table's period look generated as well, but history is told by them alone. */
static int read_columns(struct my_tables *out, size_t first, struct my_conn *conn,
                        const char *database, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct my_table *table = NULL;
    MYSQL_ROW row;

    plug_bytes_text(&sql, "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, EXTRA,"
                          " GENERATION_EXPRESSION"
                          " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ");
    my_add_literal(&sql, database, strlen(database));
    plug_bytes_text(&sql, " ORDER BY TABLE_NAME, ORDINAL_POSITION");
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL)
        return -1;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        const char *extra = my_cell(row, 4);
        const char *made = my_cell(row, 5);
        bool period = strcmp(made, "ROW START") == 0 || strcmp(made, "ROW END") == 0;
        bool generated = strstr(extra, "VIRTUAL GENERATED") || strstr(extra, "STORED GENERATED") ||
                         strstr(extra, "PERSISTENT");
        if (table == NULL || strcmp(table->name, my_cell(row, 0)) != 0)
            table = find(out, first, my_cell(row, 0));
        if (table == NULL || (period ? !table->history : generated))
            continue;
        set_column(conn, add_column(table, my_cell(row, 1), my_cell(row, 2), period),
                   my_cell(row, 3));
    }
    mysql_free_result(rows);
    return 0;
}

/* ---- keys */

static bool column_of(const struct my_table *table, const char *name, size_t *index)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcasecmp(table->columns[i].name, name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Whether a constant made of a value's text compares with the column as the key is sorted. */
static bool can_order(const struct my_column *column)
{
    static const char *const bases[] = {
        "tinyint", "smallint", "mediumint", "int",      "bigint",    "decimal", "char", "varchar",
        "binary",  "date",     "varbinary", "datetime", "timestamp", "year",    "time", "uuid"};

    return is_one_of(column->base, bases, PLUG_COUNT(bases));
}

/* One key: rows of STATISTICS with the same name. */
struct key {
    char *name;
    size_t columns[MY_KEY_MOST];
    size_t n;
    bool usable;
};

static void take_key(struct my_table *table, struct key *key)
{
    bool primary = key->name && strcmp(key->name, "PRIMARY") == 0;

    if (table && key->name && key->usable && key->n && (table->key_name == NULL || primary)) {
        free(table->key_name);
        table->key_name = plug_strdup(key->name);
        table->n_key = key->n;
        memcpy(table->key, key->columns, sizeof table->key);
    }
    free(key->name);
    *key = (struct key){0};
}

static void add_key_part(struct key *key, const struct my_table *table, MYSQL_ROW row)
{
    size_t column = 0;
    bool whole = row[3] == NULL;
    bool found = column_of(table, my_cell(row, 2), &column);

    /* The hidden end of a system-versioned table's primary key is no column of ours. */
    if (!found && table->history && key->n > 0)
        return;
    if (!found || !whole || *my_cell(row, 4) || key->n == MY_KEY_MOST ||
        !can_order(&table->columns[column]))
        key->usable = false;
    else
        key->columns[key->n++] = column;
}

static int read_keys(struct my_tables *out, size_t first, struct my_conn *conn,
                     const char *database, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct my_table *table = NULL;
    struct key key = {0};
    MYSQL_ROW row;

    plug_bytes_text(&sql, "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE"
                          " FROM information_schema.STATISTICS"
                          " WHERE NON_UNIQUE = 0 AND INDEX_TYPE = 'BTREE' AND ");
    plug_bytes_text(&sql, conn->mariadb ? "COALESCE(IGNORED, 'NO') = 'NO'"
                                        : "(IS_VISIBLE = 'YES' OR INDEX_NAME = 'PRIMARY')");
    plug_bytes_text(&sql, " AND TABLE_SCHEMA = ");
    my_add_literal(&sql, database, strlen(database));
    plug_bytes_text(&sql, " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX");
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL)
        return -1;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        bool same = table && strcmp(table->name, my_cell(row, 0)) == 0;
        if (!same || key.name == NULL || strcmp(key.name, my_cell(row, 1)) != 0) {
            take_key(table, &key);
            table = same ? table : find(out, first, my_cell(row, 0));
            key = (struct key){.name = plug_strdup(my_cell(row, 1)), .usable = true};
        }
        if (table)
            add_key_part(&key, table, row);
    }
    take_key(table, &key);
    mysql_free_result(rows);
    return 0;
}

/* ---- tables */

static void add_table(struct my_tables *out, const struct my *my,
                      const struct my_database *database, MYSQL_ROW row)
{
    static const char *const snapshot[] = {"InnoDB", "ROCKSDB"};
    static const char *const no_rows[] = {"MRG_MyISAM", "BLACKHOLE", "FEDERATED", "CONNECT",
                                          "SPIDER",     "S3",        "OQGRAPH",   "SPHINX"};
    const char *name = my_cell(row, 0);
    const char *engine = my_cell(row, 2);

    out->items = plug_grow(out->items, &out->cap, out->n + 1, sizeof *out->items);
    out->items[out->n++] = (struct my_table){
        .database = plug_strdup(database->name),
        .name = plug_strdup(name),
        .qualified = my_qualified(database->name, name),
        .label = my_label(database->label, name),
        .engine = plug_strdup(engine),
        .row_format = plug_strdup(my_cell(row, 3)),
        .rows = my_cell_number(row, 4),
        .bytes = my_cell_number(row, 5),
        .snapshot = is_one_of(engine, snapshot, PLUG_COUNT(snapshot)),
        .no_rows = is_one_of(engine, no_rows, PLUG_COUNT(no_rows)),
        .history = strcmp(my_cell(row, 1), "SYSTEM VERSIONED") == 0,
        .structure_only = is_structure_only(my, database->label, name),
    };
}

static int read_list(struct my_tables *out, const struct my *my, struct my_conn *conn,
                     const struct my_database *database, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    MYSQL_ROW row;

    plug_bytes_text(&sql, "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, ROW_FORMAT, TABLE_ROWS,"
                          " DATA_LENGTH FROM information_schema.TABLES"
                          " WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
                          " AND TABLE_SCHEMA = ");
    my_add_literal(&sql, database->name, strlen(database->name));
    plug_bytes_text(&sql, " ORDER BY CAST(TABLE_NAME AS BINARY)");
    MYSQL_RES *rows = my_query(conn, err, sql.data);
    if (rows == NULL)
        return -1;
    while ((row = mysql_fetch_row(rows)) != NULL)
        if (my_wants_table(my, database->label, my_cell(row, 0)))
            add_table(out, my, database, row);
    mysql_free_result(rows);
    return 0;
}

static void free_column(struct my_column *column)
{
    free(column->name);
    free(column->type);
    free(column->base);
    free(column->charset);
    free(column->expr);
}

/* The times that tell history are hidden columns, or columns of the definition. When they are
 * numbers of transactions, nobody can write them into a server: such history is not kept. */
static void settle_history(const struct my_conn *conn, struct my_table *table)
{
    static const char *const hidden[] = {"row_start", "row_end"};
    bool numbers = false;
    bool found = false;
    size_t n = 0;

    for (size_t i = 0; i < table->n_columns; i++) {
        found = found || table->columns[i].period;
        numbers = numbers || (table->columns[i].period && strstr(table->columns[i].base, "int"));
    }
    for (size_t i = 0; !found && i < PLUG_COUNT(hidden); i++)
        set_column(conn, add_column(table, hidden[i], "timestamp(6)", true), "");
    if (!numbers)
        return;
    table->history = false;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].period)
            free_column(&table->columns[i]);
        else
            table->columns[n++] = table->columns[i];
    }
    table->n_columns = n;
}

int my_tables_read(struct my_tables *out, const struct my *my, struct my_conn *conn,
                   const struct my_database *database, struct backstay_error *err)
{
    size_t first = out->n;

    if (read_list(out, my, conn, database, err) != 0 ||
        read_columns(out, first, conn, database->name, err) != 0)
        return -1;
    for (size_t i = first; i < out->n; i++)
        if (out->items[i].history)
            settle_history(conn, &out->items[i]);
    return read_keys(out, first, conn, database->name, err);
}

/* ---- lists */

static void free_table(struct my_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        free_column(&table->columns[i]);
    free(table->columns);
    free(table->database);
    free(table->name);
    free(table->qualified);
    free(table->label);
    free(table->engine);
    free(table->row_format);
    free(table->key_name);
}

void my_tables_free(struct my_tables *tables)
{
    for (size_t i = 0; i < tables->n; i++)
        free_table(&tables->items[i]);
    free(tables->items);
    *tables = (struct my_tables){0};
}

static bool table_equal(const struct my_table *a, const struct my_table *b)
{
    if (strcmp(a->qualified, b->qualified) != 0 || a->n_columns != b->n_columns ||
        strcmp(a->engine, b->engine) != 0 || a->history != b->history)
        return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (strcmp(a->columns[i].expr, b->columns[i].expr) != 0 ||
            strcmp(a->columns[i].type, b->columns[i].type) != 0 ||
            strcmp(a->columns[i].charset, b->columns[i].charset) != 0)
            return false;
    return true;
}

bool my_tables_equal(const struct my_tables *a, const struct my_tables *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!table_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}
