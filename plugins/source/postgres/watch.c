/* plugins/source/postgres/watch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An ALTER TABLE that waits for our locks makes every later reader of that table wait behind it: a
 * backup can stop a shop without touching it. So somebody looks.
 */
#include "run.h"
#include "wait.h"

#include <poll.h>
#include <stdlib.h>

enum { LOOK_MS = 1000, JAM_MS = 100, STEP_MS = 50 };

/* Who waits for a session of ours (pg_dump's has our application_name), and since when. */
static const char waiting_sql[] =
    "SELECT l.pid, coalesce(n.nspname || '.' || c.relname, '?'),"
    " coalesce(nullif(pg_catalog.left(a.query, 100), ''), '?')"
    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE NOT l.granted AND a.application_name <> 'backstay' AND EXISTS (SELECT"
    " FROM pg_catalog.pg_stat_activity o WHERE o.pid = ANY (pg_catalog.pg_blocking_pids(l.pid))"
    " AND (o.application_name = 'backstay' AND o.usename = current_user OR o.pid = $1::int))"
    " LIMIT 1";

/* Who waits for the holder's locks while pg_dump waits for them: a deadlock that the server does
 * not see, since we are not waiting for pg_dump there. */
static const char jam_sql[] =
    "SELECT l.pid, coalesce(n.nspname || '.' || c.relname, '?'),"
    " coalesce(nullif(pg_catalog.left(a.query, 100), ''), '?')"
    " FROM pg_catalog.pg_locks d JOIN pg_catalog.pg_stat_activity o ON o.pid = d.pid"
    " CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(d.pid)) b(pid)"
    " JOIN pg_catalog.pg_locks l ON l.pid = b.pid AND NOT l.granted"
    " JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE NOT d.granted AND o.application_name = 'backstay' AND o.usename = current_user"
    " AND $1::int = ANY (pg_catalog.pg_blocking_pids(l.pid)) LIMIT 1";

/* @return NULL also when that cannot be found out. A server that does not answer here will not end
 * a COPY either. */
static PGresult *find(struct pg_run *run, const char *sql, const char *holder)
{
    const struct backstay_host *host = run->pg->host;
    struct backstay_error err = {.size = sizeof err};
    PGresult *rows = pg_query(run->hold.control, &err, sql, &holder, 1);

    if (rows == NULL)
        host->log(host, BACKSTAY_LOG_DEBUG, "watch: %s", err.text);
    if (rows == NULL && run->hold.control->silent)
        (void)host->fail(host, &err, BACKSTAY_ERR_TRANSIENT,
                         "%s: the server does not answer any more; is the network all right?",
                         run->hold.control->label);
    if (rows == NULL &&
        (run->hold.control->silent || PQstatus(run->hold.control->pq) == CONNECTION_BAD))
        (void)plug_crew_stop(&run->crew, &err);
    return rows;
}

/* Waiting on would only make everybody wait who comes after that session. */
static void look_for_jam(struct pg_run *run, const char *holder)
{
    const struct backstay_host *host = run->pg->host;
    struct backstay_error err = {.size = sizeof err};
    PGresult *rows = find(run, jam_sql, holder);

    if (rows && PQntuples(rows) > 0) {
        (void)host->fail(host, &err, BACKSTAY_ERR_TRANSIENT,
                         "%s: pg_dump cannot lock what we have locked: session %s (%s) came "
                         "between, and waits for our lock on %s",
                         run->hold.control->label, pg_cell(rows, 0, 0), pg_cell(rows, 0, 2),
                         pg_cell(rows, 0, 1));
        (void)pg_run_retry(run, &err);
    }
    PQclear(rows);
}

static void give_up(struct pg_run *run, const PGresult *rows, double seconds)
{
    const struct backstay_host *host = run->pg->host;
    struct backstay_error err = {.size = sizeof err};

    (void)host->fail(
        host, &err, BACKSTAY_ERR_TRANSIENT,
        "%s: given up, since session %s (%s) has waited for %.0f s for our lock on %s, "
        "and others wait behind it (\"abort_when_blocking\"); run the backup at "
        "another time than such changes",
        run->hold.control->label, pg_cell(rows, 0, 0), pg_cell(rows, 0, 2), seconds,
        pg_cell(rows, 0, 1));
    (void)plug_crew_stop(&run->crew, &err);
}

/* @since: when somebody was first seen to wait without a break; 0: nobody does. */
static void look(struct pg_run *run, const char *holder, int64_t *since)
{
    const struct backstay_host *host = run->pg->host;
    PGresult *rows = find(run, waiting_sql, holder);
    int64_t now = pg_now_ns();

    if (rows == NULL)
        return;
    if (PQntuples(rows) == 0) {
        *since = 0;
    } else if (*since == 0) {
        *since = now;
        host->log(host, BACKSTAY_LOG_NOTE, "session %s (%s) waits for our lock on %s",
                  pg_cell(rows, 0, 0), pg_cell(rows, 0, 2), pg_cell(rows, 0, 1));
    } else if (run->pg->abort_when_blocking_ns > 0 &&
               now - *since >= run->pg->abort_when_blocking_ns) {
        give_up(run, rows, (double)(now - *since) / 1e9);
    }
    PQclear(rows);
}

static bool is_dumping(struct pg_run *run)
{
    (void)pthread_mutex_lock(&run->crew.mutex);
    bool dumping = run->sink && !run->claimed;
    (void)pthread_mutex_unlock(&run->crew.mutex);
    return dumping;
}

void *pg_watch_run(void *ctx)
{
    struct pg_watch *watch = ctx;
    struct pg_run *run = watch->run;
    PLUG_AUTO_FREE char *holder = plug_strf("%d", PQbackendPID(run->hold.holder->pq));
    int64_t since = 0;

    run->hold.control->stop = &run->crew.stopped;
    for (int waited = STEP_MS; !atomic_load(&watch->ended) && !atomic_load(&run->crew.stopped);
         waited += STEP_MS) {
        (void)poll(NULL, 0, STEP_MS);
        if (waited % JAM_MS == 0 && is_dumping(run))
            look_for_jam(run, holder);
        if (waited % LOOK_MS == 0)
            look(run, holder, &since);
    }
    run->hold.control->stop = NULL;
    return NULL;
}
