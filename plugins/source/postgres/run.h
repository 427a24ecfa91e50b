/* plugins/source/postgres/run.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * run: one database being read by several threads: what they share.
 *
 *     pg_hold_take ─► side thread: pg_dump ─► opens the gate ─► settings, sequences, large objects
 *                 ├► worker 0, on the connection that holds the locks: rows
 *                 ├► worker 1 ...: rows, each table locked again without waiting
 *                 └► watch: is anybody waiting for our locks?
 *
 * pg_dump takes its own locks, and may find an ALTER TABLE between ours and its own that waits for
 * us while pg_dump waits for it. The watch sees that, everything is released and begun again; so
 * nothing is recorded in the sink before pg_dump is done: that is what the gate is for.
 *
 * Thread-safety: each function says.
 */
#pragma once

#include "conn.h"
#include "crew.h"
#include "hold.h"
#include "rowsum.h"
#include "send.h"
#include "tool.h"

/** A stretch of rows that becomes one entry. */
struct pg_unit {
    size_t table; /* index into hold.tables */
    struct pg_range range;
    unsigned part; /* from 1; 0: the table has one entry */
    int64_t bytes; /* of heap */
    uint64_t sent; /* out: bytes of the entry */
    uint64_t rows; /* out */
};

struct pg_run {
    const struct pg *pg;
    struct backstay_sink *sink; /* NULL: a probe */
    struct plug_facts facts;
    char *folder; /* "shop/", escaped */
    char *name;   /* of the database */
    struct pg_place place;
    struct pg_hold hold;
    struct pg_tool dump;   /* not for a probe */
    struct pg_tool reader; /* pg_restore, of the same version or newer */
    char **dump_args;      /* ends with NULL */
    struct pg_unit *units; /* largest first */
    size_t n_units;
    struct plug_rowsum *sums; /* of each table */
    unsigned jobs;

    struct pg_conn *side; /* of the side thread, once pg_run_side() has made it */
    struct plug_crew crew;
    /* Guarded by the crew's mutex: */
    bool claimed;      /* pg_dump is done, and recording has begun: there is no other try */
    bool again;        /* locks have to be released and taken anew */
    int64_t heap_done; /* bytes of heap read, and of entries made of them: for progress */
    uint64_t bytes_done;
};

/** Begins and ends a run's memory. */
void pg_run_begin(struct pg_run *run, const struct pg *pg);
void pg_run_end(struct pg_run *run);

/** Forgets the units and results of a try. */
void pg_run_reset(struct pg_run *run);

/** Stops all threads for another try, unless recording has begun. Any thread. @return -1. */
int pg_run_retry(struct pg_run *run, const struct backstay_error *err);

/**
 * The connection of the side thread, which takes the place of pg_dump's: a backup uses no more
 * connections than it says. Side thread.
 *
 * @return it, closed by pg_run_reset(); NULL with @err.
 */
struct pg_conn *pg_run_side(struct pg_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Begins recording: no other try after this. Any thread. @return 0, or -1: stopped. */
int pg_run_claim(struct pg_run *run) __attribute__((warn_unused_result));

/** Makes the list of units out of hold.tables. */
void pg_run_plan(struct pg_run *run);

/** Reads all units with the workers and returns when all have ended. */
int pg_run_read(struct pg_run *run, struct backstay_error *err) __attribute__((warn_unused_result));

/** One unit on one connection. @return 0; 1: it could not be locked; -1: @err. */
int pg_read_unit(struct pg_run *run, struct pg_conn *conn, struct pg_unit *unit,
                 struct backstay_error *err) __attribute__((warn_unused_result));

/** The path of a unit's entry below the folder of its database. Caller frees. */
char *pg_unit_path(const struct pg_run *run, const struct pg_unit *unit);

/** Finds out what pg_dump is to leave out. Uses hold.control. */
int pg_dump_prepare(struct pg_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Sends schema.dump. After pg_dump_prepare().
 *
 * @return 0; 1: pg_dump met others who change things (@err says how); -1 with @err.
 */
int pg_dump_schema(struct pg_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/**
 * Whether the definitions that pg_dump has read are still those of the snapshot.
 *
 * @return 0; 1: something was changed or dropped meanwhile (@err says what); -1 with @err.
 */
int pg_dump_kept(struct pg_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Watches for sessions that wait for us until the run is stopped or @ended. A thread's function.
 */
struct pg_watch {
    struct pg_run *run;
    atomic_bool ended;
};
void *pg_watch_run(void *watch);

/** Records the facts of the tables, and sends tables.json when there is a sink. */
int pg_run_account(struct pg_run *run) __attribute__((warn_unused_result));

/** Reads one database: locks, snapshot, rows, and with a sink everything else. */
int pg_run_database(struct pg_run *run, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** The databases that the options name, in a list of n names. Caller frees each and the list. */
int pg_databases(const struct pg *pg, char ***out, size_t *n, struct backstay_error *err)
    __attribute__((warn_unused_result));
