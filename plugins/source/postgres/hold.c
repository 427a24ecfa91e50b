/* plugins/source/postgres/hold.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hold.h"

#include "wait.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What the control connection asks is answered at once, except by a network that is gone. */
#define ANSWER_NS (60 * INT64_C(1000000000))

enum { BATCH = 200, TRY_MS = 2000, PAUSE_MS = 200, NS_PER_MS = 1000000 };
enum { TAKEN = 0, AGAIN = 1 };

int pg_hold_open(struct pg_hold *hold, const struct pg *pg, const struct pg_place *place,
                 struct backstay_error *err)
{
    *hold = (struct pg_hold){.place = *place, .deadline_ns = pg_now_ns() + pg->lock_timeout_ns};
    if (pg_connect(&hold->control, pg->host, place, err) != 0)
        return -1;
    const char *encoding = PQparameterStatus(hold->control->pq, "server_encoding");
    hold->control->patience_ns = ANSWER_NS;
    hold->encoding = plug_strdup(encoding ? encoding : "SQL_ASCII");
    return 0;
}

/* ---- locking */

static int lock_batch(struct pg_conn *conn, const struct pg_table *tables, size_t n,
                      const char *how, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "LOCK TABLE ");
    for (size_t i = 0; i < n; i++)
        plug_bytes_format(&sql, "%sONLY %s", i ? ", " : "", tables[i].qualified);
    plug_bytes_format(&sql, " IN ACCESS SHARE MODE %s", how);
    return pg_run(conn, err, sql.data);
}

static int lock_all(struct pg_hold *hold, const struct pg_tables *tables,
                    struct backstay_error *err)
{
    for (size_t i = 0; i < tables->n; i += BATCH)
        if (lock_batch(hold->holder, tables->items + i, PLUG_MIN(tables->n - i, (size_t)BATCH), "",
                       err) != 0)
            return -1;
    return 0;
}

/* Errors after which another try makes sense: a lock not to be had, a deadlock, a table that was
 * dropped or renamed meanwhile. */
static bool may_pass(const struct pg_conn *conn)
{
    static const char *const states[] = {"55P03", "40P01", "42P01", "3F000", "57014"};

    for (size_t i = 0; i < PLUG_COUNT(states); i++)
        if (pg_error_is(conn, states[i]))
            return true;
    return false;
}

/* A table that the list did not have when the locks were taken, but the snapshot has: it is as the
 * snapshot sees it if, once locked, its file and columns are still the same. */
static int lock_late(struct pg_hold *hold, const struct pg *pg, const struct pg_tables *late,
                     struct backstay_error *err)
{
    struct pg_tables current = {0};
    int outcome = TAKEN;

    if (lock_batch(hold->holder, late->items, late->n, "NOWAIT", err) != 0)
        return may_pass(hold->holder) ? AGAIN : -1;
    if (pg_tables_read(&current, pg, hold->control, err) != 0)
        return -1;
    for (size_t i = 0; i < late->n; i++) {
        const struct pg_table *table = pg_tables_find(&current, late->items[i].oid);
        if (table == NULL || strcmp(table->identity, late->items[i].identity) != 0 ||
            strcmp(table->qualified, late->items[i].qualified) != 0)
            outcome = AGAIN;
    }
    if (outcome == AGAIN)
        (void)pg->host->fail(pg->host, err, BACKSTAY_ERR_TRANSIENT,
                             "%s: tables were made and changed while all others were locked",
                             hold->control->label);
    pg_tables_free(&current);
    return outcome;
}

static int compare(struct pg_hold *hold, const struct pg *pg, const struct pg_tables *locked,
                   struct backstay_error *err)
{
    struct pg_tables late = {0};
    int outcome = TAKEN;

    for (size_t i = 0; i < hold->tables.n; i++) {
        const struct pg_table *seen = &hold->tables.items[i];
        const struct pg_table *before = pg_tables_find(locked, seen->oid);
        if (before && strcmp(before->qualified, seen->qualified) == 0)
            continue;
        late.items = plug_grow(late.items, &late.cap, late.n + 1, sizeof *late.items);
        late.items[late.n++] = *seen;
    }
    if (late.n)
        outcome = lock_late(hold, pg, &late, err);
    free(late.items); /* the tables are those of the snapshot's list */
    return outcome;
}

/* ---- the snapshot */

static int export(struct pg_hold *hold, struct backstay_error *err)
{
    PGresult *rows = pg_query(
        hold->holder, err,
        "SELECT pg_catalog.pg_export_snapshot(),"
        " (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8,"
        " pg_catalog.pg_is_in_recovery(), (CASE WHEN pg_catalog.pg_is_in_recovery()"
        " THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END)::text",
        NULL, 0);

    if (rows == NULL)
        return -1;
    free(hold->snapshot);
    free(hold->lsn);
    hold->snapshot = plug_strdup(pg_cell(rows, 0, 0));
    hold->instant_ns = pg_cell_number(rows, 0, 1) * 1000;
    hold->standby = pg_cell_true(rows, 0, 2);
    hold->lsn = plug_strdup(pg_cell(rows, 0, 3));
    PQclear(rows);
    return 0;
}

/* One try. @return TAKEN, AGAIN (@err says why), or -1. */
static int take(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
{
    struct pg_tables wanted = {0};
    int outcome = -1;

    if (hold->holder == NULL && pg_connect(&hold->holder, pg->host, &hold->place, err) != 0)
        return -1;
    hold->holder->patience_ns = ANSWER_NS;
    if (pg_tables_read(&wanted, pg, hold->control, err) != 0)
        return -1;
    if (pg_runf(hold->holder, err,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = %d",
                TRY_MS) != 0 ||
        lock_all(hold, &wanted, err) != 0)
        outcome = may_pass(hold->holder) ? AGAIN : -1;
    else if (export(hold, err) == 0 && pg_tables_read(&hold->tables, pg, hold->holder, err) == 0)
        outcome = compare(hold, pg, &wanted, err);
    if (outcome == TAKEN && (pg_tables_sizes(&hold->tables, hold->holder, err) != 0 ||
                             pg_run(hold->holder, err, "SET LOCAL lock_timeout = 0") != 0))
        outcome = -1;
    hold->holder->patience_ns = 0; /* a COPY may have nothing to say for long */
    pg_tables_free(&wanted);
    return outcome;
}

/* ---- why not */

enum {
    CULPRIT_SCHEMA,
    CULPRIT_NAME,
    CULPRIT_LABEL,
    CULPRIT_PID,
    CULPRIT_USER,
    CULPRIT_SECONDS,
    CULPRIT_QUERY
};

/* Who holds a lock that ours conflicts with, or waits for one. */
static const char culprits_sql[] =
    "SELECT n.nspname, c.relname,"
    " pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),"
    " l.pid, coalesce(a.usename, '?'),"
    " coalesce(pg_catalog.round(pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp() - a.xact_start))::pg_catalog.int8, 0) AS age,"
    " coalesce(nullif(pg_catalog.left(a.query, 100), ''), '?')"
    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')"
    " AND n.nspname !~ '^pg_' AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d"
    "  WHERE d.datname = pg_catalog.current_database())"
    " ORDER BY l.granted DESC, age DESC";

/* @return the row of the first that is in the way of a table that we want, or -1. */
static int find_culprit(const PGresult *rows, const struct pg *pg)
{
    for (int i = 0; rows && i < PQntuples(rows); i++)
        if (pg_wants_table(pg, pg_cell(rows, i, CULPRIT_SCHEMA), pg_cell(rows, i, CULPRIT_NAME)))
            return i;
    return -1;
}

/* Leaves @err as it is when nobody is in the way any more. */
static void explain(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
{
    struct backstay_error unused = {.size = sizeof unused};
    PGresult *rows = pg_query(hold->control, &unused, culprits_sql, NULL, 0);
    int i = find_culprit(rows, pg);

    if (i >= 0)
        (void)pg->host->fail(pg->host, err, BACKSTAY_ERR_TRANSIENT,
                             "%s: table %s cannot be locked: session %s of %s has been holding or "
                             "awaiting an exclusive lock on it for %s s (%s); tried for %g s. Let "
                             "it end, or raise \"lock_timeout\"",
                             hold->control->label, pg_cell(rows, i, CULPRIT_LABEL),
                             pg_cell(rows, i, CULPRIT_PID), pg_cell(rows, i, CULPRIT_USER),
                             pg_cell(rows, i, CULPRIT_SECONDS), pg_cell(rows, i, CULPRIT_QUERY),
                             (double)pg->lock_timeout_ns / 1e9);
    PQclear(rows);
}

int pg_hold_give_way(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
{
    bool late = pg_now_ns() >= hold->deadline_ns;

    if (late)
        explain(hold, pg, err);
    else
        pg->host->log(pg->host, BACKSTAY_LOG_INFO, "%s; trying again", err->text);
    pg_hold_release(hold);
    if (late)
        return -1;
    (void)poll(NULL, 0, PAUSE_MS);
    if (pg->host->cancelled(pg->host))
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    return 0;
}

int pg_hold_take(struct pg_hold *hold, const struct pg *pg, struct backstay_error *err)
{
    int outcome;

    while ((outcome = take(hold, pg, err)) == AGAIN) {
        if (pg_now_ns() >= hold->deadline_ns)
            (void)pg->host->fail(pg->host, err, BACKSTAY_ERR_TRANSIENT,
                                 "%s: its tables could not all be locked in %g s, since they are "
                                 "being changed all the time; raise \"lock_timeout\" or leave out "
                                 "the tables that come and go (\"exclude_tables\")",
                                 hold->control->label, (double)pg->lock_timeout_ns / 1e9);
        if (pg_hold_give_way(hold, pg, err) != 0)
            return -1;
    }
    return outcome == TAKEN ? 0 : -1;
}

void pg_hold_release(struct pg_hold *hold)
{
    struct backstay_error unused = {.size = sizeof unused};

    if (hold->holder && (PQtransactionStatus(hold->holder->pq) == PQTRANS_ACTIVE ||
                         pg_run(hold->holder, &unused, "ROLLBACK") != 0)) {
        pg_interrupt(hold->holder); /* in the middle of a COPY */
        pg_disconnect(hold->holder);
        hold->holder = NULL;
    }
    pg_tables_free(&hold->tables);
}

void pg_hold_close(struct pg_hold *hold)
{
    pg_disconnect(hold->holder);
    pg_disconnect(hold->control);
    pg_tables_free(&hold->tables);
    free(hold->snapshot);
    free(hold->encoding);
    free(hold->lsn);
    *hold = (struct pg_hold){0};
}

int pg_hold_join(const struct pg_hold *hold, struct pg_conn *conn, struct backstay_error *err)
{
    int r = pg_runf(
        conn, err, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '%s'",
        hold->snapshot);

    if (r != 0 &&
        (pg_error_is(conn, "22023") || pg_error_is(conn, "42704") || pg_error_is(conn, "55000")))
        (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_TRANSIENT,
                               "%s: the session with the locks and the snapshot has ended; was it "
                               "terminated, or the server restarted?",
                               conn->label);
    return r;
}
