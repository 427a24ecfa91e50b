/* plugins/source/mysql/restore.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: the databases of a snapshot on their way back: what the parts share.
 *
 *     database, sequences ─► each table: bare ─► rows, in one stream or several ─► keys
 *     all tables ─► foreign keys ─► routines ─► views ─► triggers ─► events
 *
 * Thread-safety: tasks run in several threads; what they change is guarded as each says.
 */
#pragma once

#include "target.h"
#include "tasks.h"

struct my_run_back;

/** A table on its way. */
struct my_loaded {
    struct my_restoring *restoring;
    const json_t *saved; /* of tables.json */
    char *into;          /* `database`.`table` */
    int64_t bytes;       /* of all its files */
    atomic_llong rows;   /* that the server took */
    atomic_uint left;    /* streams that are still to come */
};

/** Some of the files of a table, loaded by one statement. */
struct my_stream {
    struct my_loaded *table;
    size_t first_file;
    size_t n_files;
};

/** One database. */
struct my_restoring {
    struct my_run_back *run;
    struct my_saved *saved;
    struct my_into into;
    struct my_apply apply;
    struct my_loaded *tables; /* the chosen ones */
    size_t n_tables;
    struct my_stream *streams;
    size_t n_streams;
    json_t *views; /* names of those that are made, or NULL */
    bool quiet;    /* what cannot be made yet is not worth a note */
};

/** The whole. */
struct my_run_back {
    struct my *my;
    const struct backstay_host *host;
    const struct my_wish *wish;
    struct backstay_feed *feed;
    struct my_target target;
    struct my_saved_list saved;
    struct my_restoring *databases; /* the chosen ones */
    size_t n_databases;
    struct plug_tasks tasks;
    unsigned n_failed;        /* tasks; guarded by the mutex of tasks */
    atomic_bool rows_missing; /* nothing that needs all rows is worth its time any more */
};

/* ---- restore_choose.c */

/** Whether a table is asked for. */
bool my_restore_wants(const struct my_wish *wish, const json_t *table);

/** Whether an object of a database is to be made: my_apply.wants, its context a struct
 * my_restoring. */
bool my_restore_wants_object(void *ctx, const char *kind, const char *name, const char *table);

/** Sets databases of @run, and looks whether all tables that are asked for are there. */
int my_restore_choose(struct my_run_back *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/* ---- restore_after.c */

/** Foreign keys, routines, views, triggers, events of all databases. */
int my_restore_after(struct my_run_back *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Tells what a person should know: my_apply.note, its context a struct my_restoring. */
void my_restore_note(void *ctx, const char *kind, const char *name, const char *text);

/* ---- load.c: tables and their rows */

/** Adds the tasks that make, load and index the tables of all databases. */
void my_load_add(struct my_run_back *run);

/** Releases what that took. */
void my_load_free(struct my_restoring *restoring);

/* ---- load_stream.c */

/** The index of a file's entry, or UINT64_MAX. */
uint64_t my_stream_entry(const struct my_stream *stream, size_t file);

/** Loads the files of @stream in one transaction. @rows out: how many the server took. */
int my_stream_load(const struct my_stream *stream, struct my_conn *conn, int64_t *rows,
                   struct backstay_error *err) __attribute__((warn_unused_result));

/* ---- load_insert.c */

struct my_insert;

/** Reads bytes of a file; as read(2), -1 with @err. */
typedef ssize_t my_read_fn(void *ctx, void *data, size_t len, struct backstay_error *err);

/**
 * Loads lines of LOAD DATA by INSERT statements, each of at most half of @packet_bytes unless one
 * row is larger.
 *
 * @return 0; -1 with @err.
 */
int my_insert_lines(struct my_conn *conn, const struct my_stream *stream, int64_t packet_bytes,
                    my_read_fn *read, void *ctx, int64_t *rows, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** A failure when the last statement has left warnings, which name what is wrong with which row;
 * but for those that @table's ENUMs cannot do without. */
int my_load_check_warnings(struct my_conn *conn, const json_t *table, struct backstay_error *err)
    __attribute__((warn_unused_result));
