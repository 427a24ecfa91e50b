/* plugins/source/postgres/restore.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: one database on its way back: what the parts share.
 *
 *     schema.dump ─► toc: items ─► pre-data, one after the other
 *     tables ─► load: one task for each stream of rows ─┐
 *     items  ─► post: one task each ────────────────────┴► work: threads
 *     large objects, sequences, settings ─► by restore.c itself
 *
 * Thread-safety: tasks run in several threads; what they change is guarded as each says.
 */
#pragma once

#include "restore_toc.h"
#include "target.h"
#include "tasks.h"

/** A table on its way. */
struct pg_loaded {
    const json_t *saved; /* of tables.json */
    char *qualified;     /* "schema"."name" */
    char *root;          /* of a hash-partitioned table that it is a part of, or NULL */
    uint32_t oid;        /* on the server that was backed up */
    int64_t bytes;       /* of all its files */
    bool above_foreign;  /* it has a foreign table among its children */
    bool truncates;      /* it is new, and of a size where FREEZE pays */
    size_t done;         /* task after which its rows are there */
    atomic_llong rows;   /* that the server took */
    atomic_uint left;    /* streams that are still to come */
};

/** Some of the files of a table, loaded by one COPY. */
struct pg_stream {
    struct pg_restoring *restoring;
    struct pg_loaded *table;
    size_t first_file;
    size_t n_files;
};

/** Some large objects, loaded in one transaction. */
struct pg_batch {
    size_t first; /* index into large-objects.json */
    size_t n;
};

/** Tables whose statistics are made by one statement. */
struct pg_analysis {
    size_t first; /* index into tables */
    size_t n;
};

struct pg_restoring {
    const struct pg *pg;
    const struct backstay_host *host;
    const struct pg_wish *wish;
    struct backstay_feed *feed;
    struct pg_saved *saved;
    struct pg_into into;
    struct pg_tool tool; /* pg_restore */
    char *archive;       /* a copy of schema.dump */
    struct pg_toc before;
    struct pg_toc after;
    struct pg_loaded *tables; /* those whose rows are to be loaded */
    size_t n_tables;
    struct pg_stream *streams;
    size_t n_streams;
    struct pg_batch *batches;
    struct pg_analysis *analyses;
    size_t n_analyses;
    struct plug_tasks work;
    unsigned n_failed;        /* tasks; guarded by the mutex of work */
    atomic_bool rows_missing; /* nothing that needs all rows is worth its time any more */
};

/* ---- restore_choose.c */

/**
 * Keeps the items of chosen tables, and sets "wanted" in their rows of tables.json. Without a
 * choice everything stays.
 */
int pg_restore_choose(struct pg_restoring *restoring, struct backstay_error *err)
    __attribute__((warn_unused_result));

/* ---- load.c: rows */

/** Chooses the tables. Connected in restoring->into. */
int pg_load_plan(struct pg_restoring *restoring, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Adds the tasks that load them. */
void pg_load_add(struct pg_restoring *restoring);

/** The table of this oid, or NULL. */
struct pg_loaded *pg_load_find(const struct pg_restoring *restoring, uint32_t oid);

/* ---- load_stream.c */

/**
 * The statement that loads rows of @table (of tables.json). @into NULL: into itself. @options: more
 * of them, each with a comma before it. Caller frees.
 */
char *pg_copy_in_sql(const json_t *table, const char *into, const char *options);

/** The index of a file's entry, or UINT64_MAX. */
uint64_t pg_stream_entry(const struct pg_stream *stream, size_t file);

/** Loads the files of @stream in one transaction. @rows out: how many the server took. */
int pg_stream_load(const struct pg_stream *stream, struct pg_conn *conn, int64_t *rows,
                   struct backstay_error *err) __attribute__((warn_unused_result));

/* ---- load_objects.c */

/** Adds the tasks that load large objects. */
void pg_load_add_objects(struct pg_restoring *restoring);

/** The path of one, below the folder of its database. Caller frees. */
char *pg_load_object_path(const json_t *object);

/* ---- post.c: everything that comes after rows */

/** Looks at what the tables are. Connected in restoring->into. */
int pg_post_plan(struct pg_restoring *restoring, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Adds the tasks for the items of restoring->after, and for the planner's statistics. */
void pg_post_add(struct pg_restoring *restoring);

/** The statistics of what has none yet after that: materialized views, partitioned tables. */
int pg_post_analyze_rest(struct pg_restoring *restoring, struct backstay_error *err)
    __attribute__((warn_unused_result));
