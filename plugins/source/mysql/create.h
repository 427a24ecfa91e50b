/* plugins/source/mysql/create.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * create: the answer of SHOW CREATE TABLE, taken apart into the table as it is best loaded and the
 * keys and foreign keys that it gets afterwards.
 *
 * Made one after the other they give the same SHOW CREATE TABLE again. Whatever is not understood,
 * or cannot be added later, stays where it is.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <jansson.h>

/**
 * Takes @create, the text of a base table, apart.
 *
 * @return a new object {create_bare, keys[], foreign_keys[]}. What is in @keys goes after ADD in
 * one ALTER TABLE, but for keys that begin with FULLTEXT, of which each needs one of its own; then
 * so the foreign keys.
 */
json_t *my_create_split(const char *create);

/** The same text in which no constant has bytes that are no UTF-8: those are in hexadecimal, since
 * a server refuses them from a client that speaks UTF-8. Caller frees. */
char *my_create_portable(const char *create);

/** What a table has. */
struct my_create_counts {
    size_t columns;
    size_t generated; /* of these */
    size_t indexes;   /* the primary key among them */
    size_t foreign_keys;
    size_t checks; /* of the table, not those of columns */
    size_t partitions;
    size_t versioned; /* 1: it keeps history */
};

/** Counts what the text of a table has. */
struct my_create_counts my_create_count(const char *create);
