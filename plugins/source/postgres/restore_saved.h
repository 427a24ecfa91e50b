/* plugins/source/postgres/restore_saved.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_saved: the databases that a snapshot has, found among its entries.
 *
 * Thread-safety: does not change once read.
 */
#pragma once

#include "conn.h"
#include "send.h"

/** One database of the snapshot. */
struct pg_saved {
    char *folder;         /* "shop/", escaped */
    char *name;           /* "shop" */
    json_t *database;     /* DB/database.json */
    json_t *tables;       /* DB/tables.json */
    json_t *sequences;    /* DB/sequences.json, or NULL */
    json_t *objects;      /* DB/large-objects.json, or NULL */
    uint64_t first, last; /* its entries, indexes into the feed */
    uint64_t schema;      /* DB/schema.dump */
};

struct pg_saved_list {
    struct pg_saved *items;
    size_t n;
    size_t cap;
    json_t *globals; /* globals.json, or NULL */
    uint64_t globals_index;
};

/**
 * Finds the databases. Their documents are read by pg_saved_load().
 *
 * @return 0, release with pg_saved_free(); -1 with @err.
 */
int pg_saved_read(struct pg_saved_list *out, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));
void pg_saved_free(struct pg_saved_list *list);

/** Reads the documents of one database. */
int pg_saved_load(struct pg_saved *saved, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** The index of the entry folder + name of @saved, or UINT64_MAX. */
uint64_t pg_saved_find(const struct pg_saved *saved, struct backstay_feed *feed, const char *name);
