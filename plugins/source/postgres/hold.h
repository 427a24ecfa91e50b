/* plugins/source/postgres/hold.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * hold: all tables of a database locked against change, and a snapshot taken after that.
 *
 * TRUNCATE and ALTER TABLE that rewrites are not safe under MVCC: a snapshot that is older than
 * them sees an empty table without an error. So every table is locked (ACCESS SHARE, which stops
 * nothing but them) before the snapshot is taken, and the list of tables is compared with what the
 * snapshot sees. Where a lock cannot be had, all are released before the next try, so that whoever
 * waits for us gets on.
 *
 * Thread-safety: the holder belongs to one thread at a time.
 */
#pragma once

#include "catalog.h"

struct pg_hold {
    struct pg_place place;
    struct pg_conn *holder;  /* holds the locks and the snapshot until it is disconnected */
    struct pg_conn *control; /* not in a transaction */
    struct pg_tables tables; /* as the snapshot sees them, all of them locked, with sizes */
    char *snapshot;          /* for SET TRANSACTION SNAPSHOT */
    char *encoding;          /* of the database */
    char *lsn;
    int64_t instant_ns; /* of the snapshot, by the server's clock; ns since 1970 */
    bool standby;
    int64_t deadline_ns; /* CLOCK_MONOTONIC: no more tries after this */
};

/** Connects to @place, whose texts must stay; takes nothing yet. */
int pg_hold_open(struct pg_hold *hold, const struct pg *pg, const struct pg_place *place,
                 struct backstay_error *err) __attribute__((warn_unused_result));

/**
 * Takes locks and snapshot, with as many tries as the time allows.
 *
 * @return 0; -1 with @err, which names the table that could not be locked and who has it.
 */
int pg_hold_take(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Releases locks and snapshot; pg_hold_take() may be called again. */
void pg_hold_release(struct pg_hold *hold);

/** Releases everything and disconnects. */
void pg_hold_close(struct pg_hold *hold);

/**
 * Releases all after a try that failed with @err, and waits a little before the next one.
 *
 * @return 0: there is time for one; -1: there is not, and @err names who is in the way when
 * somebody is.
 */
int pg_hold_give_way(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Begins a transaction on @conn that sees what the holder sees. */
int pg_hold_join(const struct pg_hold *hold, struct pg_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));
