/* plugins/source/postgres/restore_toc.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_toc: the archive of pg_dump taken apart into its items, each with the SQL that makes it.
 *
 * pg_restore writes them as one script; the list that it prints of the same archive says which
 * headers in that script are its own, so that no text of a comment or a function passes for one.
 * The SQL goes to the server through libpq, never through psql: nothing in it is a command of a
 * client.
 *
 * Thread-safety: does not change while several threads use it.
 */
#pragma once

#include "tool.h"

enum { PG_CLASS_RELATION = 1259 };

struct pg_item {
    int id;
    uint32_t class_oid; /* of the catalog, on the server that was backed up */
    uint32_t oid;       /* of the object there */
    char *kind;         /* "TABLE", "FK CONSTRAINT" */
    char *label;        /* "TABLE public.orders": for people */
    int *needs;         /* ids of others; ascending is not promised */
    size_t n_needs;
    char *sql;   /* with the settings that it depends on */
    bool shared; /* others may have made it already */
};

/** Where item @id is in a list. */
struct pg_position {
    int id;
    size_t index;
};

struct pg_toc {
    struct pg_item *items; /* in an order in which they can be made one after the other */
    size_t n;
    size_t cap;
    struct pg_position *positions; /* ascending by id */
    char **settings;               /* statements for a session before any item */
    size_t n_settings;
    size_t settings_cap;
};

struct pg_toc_options {
    const struct backstay_host *host;
    const struct pg_tool *tool; /* pg_restore */
    const char *archive;        /* a file */
    const char *section;        /* "pre-data", "post-data" */
    bool no_owner;              /* no owners, no grants */
    bool no_tablespaces;
};

/** @return 0, release with pg_toc_free(); -1 with @err. */
int pg_toc_read(struct pg_toc *out, const struct pg_toc_options *options,
                struct backstay_error *err) __attribute__((warn_unused_result));
void pg_toc_free(struct pg_toc *toc);

/** The item @id, or NULL. */
const struct pg_item *pg_toc_find(const struct pg_toc *toc, int id);

/** Removes the items whose mark is 0. */
void pg_toc_keep(struct pg_toc *toc, const unsigned char *marks);

/** Whether the item is of this kind. */
bool pg_item_is(const struct pg_item *item, const char *kind);

/**
 * Sets a session up for items. A setting that the server does not know is left out: pg_restore
 * writes those of its own version.
 */
int pg_toc_prepare(const struct pg_toc *toc, struct pg_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

enum { PG_ITEM_EXISTS = 1 };

/**
 * Makes one item.
 *
 * @return 0; PG_ITEM_EXISTS when a shared one is there already (a transaction is then to be rolled
 * back); -1 with @err, which names the item.
 */
int pg_item_make(const struct pg_item *item, struct pg_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Takes a script and a list apart; what pg_toc_read() does once it has both. For tests. */
int pg_toc_parse(struct pg_toc *out, char *script, char *list);
