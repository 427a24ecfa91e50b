/* plugins/source/postgres/catalog.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * catalog: the tables of a database, as the options choose them, and how each is read and loaded.
 *
 * Thread-safety: a list does not change once read.
 */
#pragma once

#include "conn.h"

struct pg_table {
    char *schema;
    char *name;
    char *qualified; /* "schema"."name", always quoted: for SQL */
    char *label;     /* schema.name, quoted where SQL needs it: for facts and people */
    char *whole;     /* NULL, or the label of the hash-partitioned table that it is a part of */
    char *columns;   /* ("a", "b"): those that have values of their own; "" for none */
    char *condition; /* "WHERE ..." of an extension's configuration table, or "" */
    char *owner;     /* the role */
    char *identity;  /* changes when what a reader would get changes: file, columns, name */
    uint32_t oid;
    int64_t bytes; /* of its heap */
    int64_t blocks;
    bool heap; /* can be read by ranges of ctid */
    bool unlogged;
    bool extension; /* an extension's configuration table: made by CREATE EXTENSION */
    bool structure_only;
    bool portable; /* the text of its rows is the same in every major version */
};

struct pg_tables {
    struct pg_table *items; /* ascending by oid */
    size_t n;
    size_t cap;
};

/** Whether the options choose this schema, this table. */
bool pg_wants_schema(const struct pg *pg, const char *schema);
bool pg_wants_table(const struct pg *pg, const char *schema, const char *name);

/**
 * Reads the ordinary tables (no views, no partitioned parents, no foreign or temporary tables) that
 * the options choose. Empties @out first.
 *
 * @return 0, release with pg_tables_free(); -1 with @err.
 */
int pg_tables_read(struct pg_tables *out, const struct pg *pg, struct pg_conn *conn,
                   struct backstay_error *err) __attribute__((warn_unused_result));
void pg_tables_free(struct pg_tables *tables);

/** The table of this oid, or NULL. */
const struct pg_table *pg_tables_find(const struct pg_tables *tables, uint32_t oid);

/** Fills in @bytes and @blocks of each table; waits for locks that the connection does not hold. */
int pg_tables_sizes(struct pg_tables *tables, struct pg_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** A range of blocks of a table; whole tables have @count 0. */
struct pg_range {
    int64_t first;
    int64_t count;
    bool last; /* open at its end */
};

/** The COPY ... TO STDOUT statement that reads a table or a range of it, in @encoding: that of the
 * database, so that nothing is converted. Caller frees. */
char *pg_copy_out_sql(const struct pg_table *table, const struct pg_range *range,
                      const char *encoding);
