/* plugins/source/mysql/run.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * run: databases being read in one snapshot by several threads: what they share.
 *
 * Thread-safety: each function says.
 */
#pragma once

#include "crew.h"
#include "ddl.h"
#include "rowsum.h"
#include "snapshot.h"

/** A stretch of rows that becomes one entry. */
struct my_unit {
    size_t table;  /* index into snapshot.tables */
    char *where;   /* "WHERE ...", or "" for the whole table */
    unsigned part; /* from 1; 0: the table has one entry */
    int64_t bytes; /* an estimate */
    uint64_t sent; /* out: bytes of the entry */
    uint64_t rows; /* out */
};

/** What came out of a table, all of its units together. */
struct my_result {
    struct plug_rowsum sum;
    uint64_t wrong; /* texts that are no UTF-8 */
};

struct my_run {
    const struct my *my;
    struct backstay_sink *sink; /* NULL: a probe */
    struct plug_facts facts;    /* without a prefix */
    const struct my_place *place;
    struct my_database *databases;
    size_t n_databases;
    bool several; /* facts and details begin with "DB/" */
    struct my_snapshot snapshot;
    struct my_ddl *ddls; /* of each database; with a sink only */
    struct plug_crew crew;
    int64_t bytes_expected; /* an estimate */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct my_unit **units; /* in the order in which they were handed out */
    size_t n_units;
    size_t cap;
    struct my_walk *walks;     /* of each table: how far it is handed out */
    struct my_result *results; /* of each table */
    int64_t estimate_done;     /* what was estimated for the units that are read */
    uint64_t bytes_done;       /* and what they came to: for progress */
};

/** Begins and ends a run's memory. One thread. */
void my_run_begin(struct my_run *run, const struct my *my);
void my_run_end(struct my_run *run);

/**
 * Takes the snapshot, reads the structure when there is a sink, and all rows; records nothing but
 * the entries of rows. One thread.
 *
 * @return 0 or -1 with @err.
 */
int my_run_read(struct my_run *run, struct backstay_error *err) __attribute__((warn_unused_result));

/** Begins to hand out units, largest tables first; ends and releases them. One thread. */
void my_chunks_begin(struct my_run *run);
void my_chunks_end(struct my_run *run);

/**
 * The next unit, which lives as long as the run; a part's bounds are found on @conn. Any thread.
 *
 * @return 1; 0: there are no more; -1 with @err.
 */
int my_chunks_next(struct my_run *run, struct my_conn *conn, struct my_unit **out,
                   struct backstay_error *err) __attribute__((warn_unused_result));

/** Says of an error on @conn which table it is about. @return -1. */
int my_fail_table(const struct my_run *run, const struct my_conn *conn, size_t table,
                  struct backstay_error *err);

/** Reads one unit on one connection. Any thread. */
int my_read_unit(struct my_run *run, struct my_conn *conn, struct my_unit *unit,
                 struct backstay_error *err) __attribute__((warn_unused_result));

/** The path of a unit's entry below the folder of its database. Caller frees. */
char *my_unit_path(const struct my_run *run, const struct my_unit *unit);

/** "shop/", escaped. Caller frees. */
char *my_folder(const char *database);

/** The tables of a database: its objects of tables.json without their DDL. Takes units in the order
 * of their tables: after my_run_sort(). New reference. */
json_t *my_run_describe(const struct my_run *run, const struct my_database *database);
void my_run_sort(struct my_run *run);

/** Reports the facts. One thread. @return 0, or -1 with @err. */
int my_run_facts(struct my_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** The prefix of the facts of a database: "" or "shop/". Caller frees. */
char *my_run_prefix(const struct my_run *run, const char *label);

/**
 * The databases that the options name, in a list of n names. Caller frees each and the list.
 *
 * @return 0; -1 with @err.
 */
int my_databases(const struct my *my, const struct my_place *place, char ***out, size_t *n,
                 struct backstay_error *err) __attribute__((warn_unused_result));
