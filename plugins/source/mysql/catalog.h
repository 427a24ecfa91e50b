/* plugins/source/mysql/catalog.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * catalog: the tables of databases, as the options choose them, and how each column is read and
 * loaded.
 *
 * Thread-safety: a list does not change once read.
 */
#pragma once

#include "conn.h"

/** How a cell is written into a file. */
enum my_form {
    MY_PLAIN, /* as it is: numbers, times; nothing in it needs an escape */
    MY_TEXT,  /* UTF-8, escaped */
    MY_HEX    /* its bytes in hexadecimal, for UNHEX() */
};

struct my_column {
    char *name;
    char *type;    /* as SHOW CREATE TABLE has it: "varchar(20)" */
    char *base;    /* "varchar" */
    char *charset; /* of texts, "" for others; "binary" for bytes */
    char *expr;    /* what is selected to read it */
    enum my_form form;
    bool period; /* begin or end of the time that a row of a system-versioned table was there */
};

enum { MY_KEY_MOST = 16 };

struct my_table {
    char *database;
    char *name;
    char *qualified; /* `database`.`name` */
    char *label;     /* database.name, in backticks where needed: for facts and people */
    char *engine;    /* "InnoDB" */
    char *row_format;
    struct my_column *columns; /* those that have values of their own */
    size_t n_columns;
    size_t cap;
    char *key_name;          /* NULL, or: the key that orders its rows, unique and without NULL */
    size_t key[MY_KEY_MOST]; /* its columns, indices into @columns */
    size_t n_key;
    int64_t bytes; /* an estimate, of its rows */
    int64_t rows;  /* an estimate */
    bool snapshot; /* its engine takes part in a consistent snapshot */
    bool no_rows;  /* its engine has none of its own: MERGE, BLACKHOLE, remote tables */
    bool history;  /* system-versioned: rows of the past are read, too */
    bool structure_only;
};

struct my_tables {
    struct my_table *items; /* ascending by database and name */
    size_t n;
    size_t cap;
};

/** A database, and the name that its labels have: another one when it is a restored copy. */
struct my_database {
    const char *name;
    const char *label;
};

/** Whether the options choose this table. */
bool my_wants_table(const struct my *my, const char *database, const char *name);

/**
 * Reads the base tables that the options choose of a database, and appends them to @out. Texts of
 * rows are expected in the charset of their column (character_set_results NULL).
 *
 * @return 0; -1 with @err. Release with my_tables_free() in any case.
 */
int my_tables_read(struct my_tables *out, const struct my *my, struct my_conn *conn,
                   const struct my_database *database, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_tables_free(struct my_tables *tables);

/** Whether both have the same tables with the same columns, read the same way. */
bool my_tables_equal(const struct my_tables *a, const struct my_tables *b);

/** An identifier as in a label. Caller frees. */
char *my_label(const char *database, const char *name);

/** How a cell becomes a value, for columns[].as: "text", "hex" or an expression of @v. */
const char *my_column_as(const struct my_column *column);
