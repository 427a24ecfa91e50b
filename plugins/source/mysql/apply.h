/* plugins/source/mysql/apply.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * apply: makes again what ddl.h has read, step by step, in an order that its functions say.
 *
 * Thread-safety: a struct my_apply may be used by any number of threads, each with a connection.
 */
#pragma once

#include "ddl.h"

/** What is to be made where. The members are borrowed. */
struct my_apply {
    const json_t *tables;  /* tables.json, whole: the caller chooses what it asks for */
    const json_t *objects; /* objects.json */
    const char *from;      /* the database's name at the backup */
    const char *into;      /* and where it goes */
    bool no_owner;         /* every DEFINER becomes the account that restores */
    bool no_events;        /* events stay disabled: they would change a copy that is compared */
    /* NULL, or: whether an object of @objects (or a table, kind "table") is wanted */
    bool (*wants)(void *ctx, const char *kind, const char *name, const char *table);
    void *ctx;
    /* what a person should know: an object that was made otherwise than it was */
    void (*note)(void *ctx, const char *kind, const char *name, const char *text);
};

/**
 * Sets a session up for the statements below: nothing that the server adds, changes or refuses by
 * its own settings. Each connection of a restore once.
 */
int my_apply_session(struct my_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Looks, before anything is made, whether the server can make all of it: collations, charsets,
 * engines, features of the other product, rights to keep DEFINER. Calls @finding for each thing
 * that it cannot, with the tables or objects and what to do.
 *
 * @return how many there were; -1 with @err: could not look.
 */
int my_apply_preflight(struct my_conn *conn, const struct my_apply *apply,
                       void (*finding)(void *ctx, const char *subject, const char *text), void *ctx,
                       struct backstay_error *err) __attribute__((warn_unused_result));

/** CREATE DATABASE IF NOT EXISTS with charset and collation; then they are set when it was there.
 */
int my_apply_database(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err) __attribute__((warn_unused_result));

/** MariaDB's sequences, with their values. They come before the tables, whose defaults name them.
 */
int my_apply_sequences(struct my_conn *conn, const struct my_apply *apply,
                       struct backstay_error *err) __attribute__((warn_unused_result));

/** Of one table (an object of tables.json): the bare table; all its keys in one statement; all its
 * foreign keys, when all tables have their keys. Nothing to do is success. */
int my_apply_table(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                   struct backstay_error *err) __attribute__((warn_unused_result));
int my_apply_keys(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                  struct backstay_error *err) __attribute__((warn_unused_result));
int my_apply_foreign_keys(struct my_conn *conn, const struct my_apply *apply, const json_t *table,
                          struct backstay_error *err) __attribute__((warn_unused_result));

/** Routines and packages; views, in whatever order they can be made; then triggers; then events,
 * which are enabled when all else is there. Called once, after the foreign keys. */
int my_apply_routines(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err) __attribute__((warn_unused_result));
int my_apply_views(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
    __attribute__((warn_unused_result));
int my_apply_triggers(struct my_conn *conn, const struct my_apply *apply,
                      struct backstay_error *err) __attribute__((warn_unused_result));
int my_apply_events(struct my_conn *conn, const struct my_apply *apply, struct backstay_error *err)
    __attribute__((warn_unused_result));
