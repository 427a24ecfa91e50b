/* plugins/source/mysql/snapshot.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshot: one state of the server, seen by several connections; and the position in the binary
 * log of that very state.
 *
 * FLUSH TABLES WITH READ LOCK is not among the ways: when a query runs for long on a table, all
 * later ones on it wait until that one ends, even after the FLUSH has given up. LOCK TABLES ...
 * READ lets readers pass, waits for writers at most for the option `lock_timeout`, and leaves no
 * trace when it gives up.
 *
 * Thread-safety: one object belongs to one thread; each of its connections to one thread at a time.
 */
#pragma once

#include "catalog.h"

enum my_way {
    MY_WAY_COMPARE, /* snapshots without locks, until all are at the same position (MariaDB) */
    MY_WAY_STAGES,  /* commits wait for a moment: BACKUP STAGE BLOCK_COMMIT (MariaDB) */
    MY_WAY_LOCKS,   /* writers wait for a moment: LOCK TABLES ... READ */
    MY_WAY_SINGLE   /* one connection, one snapshot */
};

struct my_snapshot {
    const struct my *my;
    struct my_conn **conns; /* each in a transaction that sees the state; all rows in the charset of
                               their column */
    unsigned n;
    enum my_way way;
    const struct my_database *databases; /* borrowed */
    size_t n_databases;
    struct my_tables tables; /* of that state */
    int64_t instant_ns;      /* by the server's clock, since 1970; not later than the state */
    int64_t let_go_ns;       /* of CLOCK_MONOTONIC: from then on, definitions may change */
    bool keeps_definitions;  /* no: until the end; MariaDB with a binary log, when we may not keep
                                out of it (BINLOG ADMIN) */
    char *file;              /* of the binary log, "" when there is none or we may not know */
    char *position;
    char *gtid;
    char *source_gtid; /* of a replica: what of its source the state has */
};

/** What to take a snapshot of. */
struct my_snapshot_wish {
    const struct my *my;
    const struct my_place *place;
    const struct my_database *databases;
    size_t n_databases;
    unsigned jobs;
    const atomic_bool *stop;
};

/**
 * Opens the connections and takes the snapshot, in the best way that the server grants and the
 * option `consistency` allows. Nobody waits for us longer than `lock_timeout`.
 *
 * A snapshot keeps rows, not definitions: rows of a table that is altered or emptied after it
 * cannot be read any more. So each connection holds the definitions of all tables from changing,
 * until my_snapshot_relax().
 *
 * @return 0; -1 with @err. Release with my_snapshot_close() in any case.
 */
int my_snapshot_open(struct my_snapshot *out, const struct my_snapshot_wish *wish,
                     struct backstay_error *err) __attribute__((warn_unused_result));
void my_snapshot_close(struct my_snapshot *snapshot);

/** The ways that would be tried, the best first, into @out of room for four. Looks at settings and
 * grants only. @return how many, or -1 with @err. */
int my_snapshot_ways(enum my_way *out, struct my_conn *conn, const struct my *my,
                     struct backstay_error *err) __attribute__((warn_unused_result));

/** What a way is called, and what it does: "snapshots compared by their positions". */
const char *my_way_name(enum my_way way);

/** Whether @grants, lines of SHOW GRANTS, give @right on all of the server. */
bool my_grants_have(const char *grants, const char *right);

/** The grants of the current user and its active roles, one on each line. Caller frees. NULL:
 * @err. */
char *my_grants_read(struct my_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Lets definitions change that @conn holds, so that nobody's ALTER TABLE waits for the end of the
 * backup; the snapshot stays. */
int my_snapshot_relax(struct my_conn *conn, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** The same, when it is time to. */
int my_snapshot_relax_in_time(const struct my_snapshot *snapshot, struct my_conn *conn,
                              struct backstay_error *err) __attribute__((warn_unused_result));

/** Whether the last error of @conn is that a table is not as it was. */
bool my_was_changed(const struct my_conn *conn);
