/* plugins/source/mysql/snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "position.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NOT_TAKEN = 1 };
enum { COMPARE_TRIES = 200, LOCK_TRIES = 3, CHANGE_TRIES = 20, PAUSE_NS = 100000000 };

/* FLUSH and LOCK TABLES end a transaction, so that they need a connection of their own; a read-only
 * transaction cannot be told from one that waits to write. */
static const char open_snapshot[] = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

const char *my_way_name(enum my_way way)
{
    static const char *const names[] = {
        [MY_WAY_COMPARE] = "snapshots of all connections at the same position of the binary log",
        [MY_WAY_STAGES] = "snapshots of all connections while commits wait (BACKUP STAGE)",
        [MY_WAY_LOCKS] = "snapshots of all connections while writers wait (LOCK TABLES)",
        [MY_WAY_SINGLE] = "one snapshot of one connection",
    };

    return names[way];
}

/* ---- which way */

static bool is_on(const char *value)
{
    return strcmp(value, "1") == 0 || strcmp(value, "ON") == 0;
}

int my_snapshot_ways(enum my_way *out, struct my_conn *conn, const struct my *my,
                     struct backstay_error *err)
{
    int n = 0;
    PLUG_AUTO_FREE char *logs = my_value(conn, err, "SELECT @@log_bin");
    PLUG_AUTO_FREE char *grants = logs ? my_grants_read(conn, err) : NULL;

    if (grants == NULL)
        return -1;
    bool free_of_locks = my->consistency != MY_LOCK;
    bool may_lock = my->consistency != MY_SNAPSHOT;
    if (conn->mariadb && is_on(logs) && free_of_locks)
        out[n++] = MY_WAY_COMPARE;
    if (conn->mariadb && may_lock && my_grants_have(grants, "RELOAD"))
        out[n++] = MY_WAY_STAGES;
    /* The right may be given for each database: trying tells. */
    if (may_lock)
        out[n++] = MY_WAY_LOCKS;
    if (free_of_locks)
        out[n++] = MY_WAY_SINGLE;
    return n;
}

/* ---- the snapshots */

/* All are told before any is heard, so that they begin as close to each other as can be. */
static int open_all(struct my_snapshot *snapshot, struct backstay_error *err)
{
    unsigned sent = 0;
    int r = 0;

    for (; sent < snapshot->n && r == 0; sent++) {
        my_wait_for(snapshot->conns[sent]);
        if (mysql_send_query(snapshot->conns[sent]->db, open_snapshot, strlen(open_snapshot)) != 0)
            r = my_fail(snapshot->conns[sent], open_snapshot, err);
    }
    for (unsigned i = 0; i < snapshot->n && r == 0; i++) {
        my_wait_for(snapshot->conns[i]);
        if (mysql_read_query_result(snapshot->conns[i]->db) != 0)
            r = my_fail(snapshot->conns[i], open_snapshot, err);
    }
    return r;
}

/* @return 1: all are at the same position; 0: they are not; -1 with @err. */
static int compare(struct my_snapshot *snapshot, struct backstay_error *err)
{
    bool same = true;

    for (unsigned i = 0; i < snapshot->n && same; i++) {
        PLUG_AUTO_FREE char *file = NULL;
        PLUG_AUTO_FREE char *position = NULL;
        if (my_position_own(snapshot->conns[i], &file, &position, err) != 0)
            return -1;
        if (i == 0)
            my_position_set(snapshot, file, position);
        same = strcmp(file, snapshot->file) == 0 && strcmp(position, snapshot->position) == 0;
    }
    return same;
}

static int take_by_comparing(struct my_snapshot *snapshot, struct backstay_error *err)
{
    for (int i = 0; i < COMPARE_TRIES; i++) {
        if (my_position_instant(snapshot, snapshot->conns[0], err) != 0 ||
            open_all(snapshot, err) != 0)
            return -1;
        int r = compare(snapshot, err);
        if (r != 0)
            return r > 0 ? 0 : -1;
    }
    return NOT_TAKEN;
}

static int take_single(struct my_snapshot *snapshot, struct backstay_error *err)
{
    while (snapshot->n > 1)
        my_disconnect(snapshot->conns[--snapshot->n]);
    if (my_position_instant(snapshot, snapshot->conns[0], err) != 0 || open_all(snapshot, err) != 0)
        return -1;
    return snapshot->conns[0]->mariadb && compare(snapshot, err) < 0 ? -1 : 0;
}

/* What a refused or timed-out lock leaves to others: the next way. */
static int no_lock(const struct my_snapshot *snapshot, const struct my_conn *lock,
                   const struct backstay_error *err)
{
    if (lock->interrupted || mysql_thread_id(lock->db) == 0)
        return -1;
    snapshot->my->host->log(snapshot->my->host, BACKSTAY_LOG_INFO, "%s", err->text);
    return NOT_TAKEN;
}

/* With the locks of @lock held: what happens here is waited for. */
static int take_locked(struct my_snapshot *snapshot, struct my_conn *lock, const char *release,
                       struct backstay_error *err)
{
    int r = my_position_instant(snapshot, lock, err);

    if (r == 0)
        r = open_all(snapshot, err);
    if (r == 0)
        my_position_server(snapshot, lock);
    if (r == 0)
        r = my_run(lock, err, release);
    return r;
}

static int take_by_stages(struct my_snapshot *snapshot, struct my_conn *lock,
                          struct backstay_error *err)
{
    static const char *const stages[] = {"BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL",
                                         "BACKUP STAGE BLOCK_COMMIT"};

    for (size_t i = 0; i < PLUG_COUNT(stages); i++)
        if (my_run(lock, err, stages[i]) != 0)
            return no_lock(snapshot, lock, err);
    return take_locked(snapshot, lock, "BACKUP STAGE END", err);
}

static char *lock_statement(const struct my_tables *tables)
{
    struct plug_bytes sql = {0};

    for (size_t i = 0; i < tables->n; i++) {
        if (!tables->items[i].snapshot)
            continue;
        plug_bytes_text(&sql, sql.len ? ", " : "LOCK TABLES ");
        plug_bytes_format(&sql, "%s READ", tables->items[i].qualified);
    }
    return sql.data;
}

static int take_by_locks(struct my_snapshot *snapshot, struct my_conn *lock,
                         struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql = lock_statement(&snapshot->tables);

    if (sql == NULL)
        return take_locked(snapshot, lock, "DO 0", err);
    if (my_run(lock, err, sql) != 0)
        return no_lock(snapshot, lock, err);
    return take_locked(snapshot, lock, "UNLOCK TABLES", err);
}

static void pause_between_tries(const struct my_snapshot *snapshot)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};

    if (!snapshot->my->host->cancelled(snapshot->my->host))
        (void)nanosleep(&pause, NULL);
}

/* A lock that was given up is tried again: the transaction that we waited for may have ended. */
static int take_with_locks(struct my_snapshot *snapshot, const struct my_place *place,
                           struct backstay_error *err)
{
    int r = NOT_TAKEN;

    for (int i = 0; i < LOCK_TRIES && r == NOT_TAKEN; i++) {
        struct my_conn *lock = NULL;
        if (i > 0)
            pause_between_tries(snapshot);
        if (my_connect(&lock, place, err) != 0)
            return -1;
        lock->stop = snapshot->conns[0]->stop;
        r = snapshot->way == MY_WAY_STAGES ? take_by_stages(snapshot, lock, err)
                                           : take_by_locks(snapshot, lock, err);
        bool denied = r == NOT_TAKEN && err->kind == BACKSTAY_ERR_AUTH;
        my_disconnect(lock);
        if (denied)
            break;
    }
    return r;
}

static int take(struct my_snapshot *snapshot, const struct my_place *place,
                struct backstay_error *err)
{
    switch (snapshot->way) {
    case MY_WAY_COMPARE:
        return take_by_comparing(snapshot, err);
    case MY_WAY_SINGLE:
        return take_single(snapshot, err);
    default:
        return take_with_locks(snapshot, place, err);
    }
}

static int read_tables(struct my_snapshot *snapshot, struct my_tables *out,
                       struct backstay_error *err)
{
    for (size_t i = 0; i < snapshot->n_databases; i++)
        if (my_tables_read(out, snapshot->my, snapshot->conns[0], &snapshot->databases[i], err) !=
            0)
            return -1;
    return 0;
}

/* MariaDB only forgets what a transaction has touched when it is rolled back to a savepoint of a
 * session that the binary log ignores: else an ALTER TABLE waits until the whole backup ends. */
static int leave_log(struct my_snapshot *snapshot, struct my_conn *conn, struct backstay_error *err)
{
    struct backstay_error ignored = {.size = sizeof ignored};
    PLUG_AUTO_FREE char *logs = my_value(conn, err, "SELECT @@log_bin");

    if (logs == NULL)
        return -1;
    if (conn->mariadb && is_on(logs) && my_run(conn, &ignored, "SET SESSION sql_log_bin = 0") != 0)
        snapshot->keeps_definitions = true;
    return 0;
}

static int connect_all(struct my_snapshot *snapshot, const struct my_snapshot_wish *wish,
                       struct backstay_error *err)
{
    snapshot->conns = plug_alloc(wish->jobs, sizeof *snapshot->conns);
    for (; snapshot->n < wish->jobs; snapshot->n++) {
        struct my_conn **conn = &snapshot->conns[snapshot->n];
        if (my_connect(conn, wish->place, err) != 0)
            return -1;
        (*conn)->stop = wish->stop;
        if (leave_log(snapshot, *conn, err) != 0 ||
            my_run(*conn, err, "SET SESSION character_set_results = NULL") != 0) {
            my_disconnect(*conn);
            return -1;
        }
    }
    return 0;
}

static int try_ways(struct my_snapshot *snapshot, const struct my_snapshot_wish *wish,
                    struct backstay_error *err)
{
    enum my_way ways[4];
    int n = my_snapshot_ways(ways, snapshot->conns[0], wish->my, err);
    int r = n < 0 ? -1 : NOT_TAKEN;

    for (int i = 0; i < n && r == NOT_TAKEN; i++) {
        snapshot->way = ways[i];
        r = take(snapshot, wish->place, err);
    }
    if (r == NOT_TAKEN && err->kind != BACKSTAY_ERR_NONE)
        return -1;
    if (r == NOT_TAKEN)
        return wish->my->host->fail(
            wish->my->host, err, BACKSTAY_ERR_TRANSIENT,
            "%s: the connections could not be brought to one state, since others commit all the "
            "time; allow locks with \"consistency\": auto, or set \"jobs\" to 1",
            snapshot->conns[0]->label);
    return r;
}

static int end_transactions(struct my_snapshot *snapshot, struct backstay_error *err)
{
    for (unsigned i = 0; i < snapshot->n; i++)
        if (my_run(snapshot->conns[i], err, "ROLLBACK") != 0)
            return -1;
    return 0;
}

/* ---- definitions */

bool my_was_changed(const struct my_conn *conn)
{
    static const unsigned numbers[] = {ER_TABLE_DEF_CHANGED, ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR,
                                       ER_KEY_DOES_NOT_EXISTS, ER_BAD_DB_ERROR};

    for (size_t i = 0; i < PLUG_COUNT(numbers); i++)
        if (conn->error == numbers[i])
            return true;
    return false;
}

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static char *look_at_all(const struct my_tables *tables)
{
    struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SAVEPOINT backstay");
    for (size_t i = 0; i < tables->n; i++)
        if (!tables->items[i].no_rows)
            plug_bytes_format(&sql, "; SELECT 1 FROM %s LIMIT 1", tables->items[i].qualified);
    return sql.data;
}

/* @return 0; NOT_TAKEN: a table was changed since the snapshot, or is being changed; -1. */
static int hold_definitions(struct my_snapshot *snapshot, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql = look_at_all(&snapshot->tables);

    snapshot->let_go_ns = now_ns() + snapshot->my->lock_timeout_ns / 2;
    for (unsigned i = 0; i < snapshot->n; i++) {
        struct my_conn *conn = snapshot->conns[i];
        if (my_run(conn, err, sql) != 0)
            return my_was_changed(conn) || conn->error == ER_LOCK_WAIT_TIMEOUT ||
                           conn->error == ER_LOCK_DEADLOCK
                       ? NOT_TAKEN
                       : -1;
    }
    return 0;
}

int my_snapshot_relax(struct my_conn *conn, struct backstay_error *err)
{
    return my_run(conn, err, "ROLLBACK TO SAVEPOINT backstay");
}

int my_snapshot_relax_in_time(const struct my_snapshot *snapshot, struct my_conn *conn,
                              struct backstay_error *err)
{
    return now_ns() < snapshot->let_go_ns ? 0 : my_snapshot_relax(conn, err);
}

/* ---- the whole */

/* @return 0; NOT_TAKEN: the tables are others than they were; -1 with @err. */
static int settle(struct my_snapshot *snapshot, struct backstay_error *err)
{
    struct my_tables now = {0};
    int r = read_tables(snapshot, &now, err);

    if (r == 0 && !my_tables_equal(&snapshot->tables, &now))
        r = NOT_TAKEN;
    my_tables_free(&snapshot->tables);
    snapshot->tables = now;
    return r;
}

/* @return 0; NOT_TAKEN: a definition was changed meanwhile; -1 with @err. */
static int try_once(struct my_snapshot *snapshot, const struct my_snapshot_wish *wish,
                    struct backstay_error *err)
{
    err->kind = BACKSTAY_ERR_NONE;
    if (end_transactions(snapshot, err) != 0 || try_ways(snapshot, wish, err) != 0)
        return -1;
    int r = hold_definitions(snapshot, err);
    if (r < 0)
        return -1;
    return settle(snapshot, err) != 0 ? NOT_TAKEN : r;
}

int my_snapshot_open(struct my_snapshot *out, const struct my_snapshot_wish *wish,
                     struct backstay_error *err)
{
    int r = NOT_TAKEN;

    *out = (struct my_snapshot){.my = wish->my,
                                .databases = wish->databases,
                                .n_databases = wish->n_databases,
                                .file = plug_strdup(""),
                                .position = plug_strdup(""),
                                .gtid = plug_strdup(""),
                                .source_gtid = plug_strdup("")};
    if (connect_all(out, wish, err) != 0 || read_tables(out, &out->tables, err) != 0)
        return -1;
    for (int i = 0; i < CHANGE_TRIES && r == NOT_TAKEN; i++) {
        if (i > 0)
            pause_between_tries(out);
        r = try_once(out, wish, err);
    }
    if (r == NOT_TAKEN)
        return wish->my->host->fail(wish->my->host, err, BACKSTAY_ERR_TRANSIENT,
                                    "%s: tables are created, changed or dropped all the time; run "
                                    "the backup when that is over",
                                    out->conns[0]->label);
    if (r == 0 && out->keeps_definitions)
        wish->my->host->log(wish->my->host, BACKSTAY_LOG_INFO,
                            "%s: without the right BINLOG ADMIN, an ALTER TABLE of others waits "
                            "until the backup ends",
                            out->conns[0]->label);
    if (r == 0) {
        my_position_gtid(out, out->conns[0]);
        my_position_source(out, out->conns[0]);
    }
    return r;
}

void my_snapshot_close(struct my_snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->n; i++)
        my_disconnect(snapshot->conns[i]);
    free(snapshot->conns);
    my_tables_free(&snapshot->tables);
    free(snapshot->file);
    free(snapshot->position);
    free(snapshot->gtid);
    free(snapshot->source_gtid);
    *snapshot = (struct my_snapshot){0};
}
