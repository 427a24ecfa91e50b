/* plugins/source/postgres/pooler.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A pooler gives each client a cancel key of its own making, so the process id of the key is not
 * that of the server process. Whether it keeps sessions shows in the process ids of transactions:
 * a pool that hands out the connection given back last gives ours to a second client, one that goes
 * round gives us another each time.
 */
#include "pooler.h"

#include <stdlib.h>

static const char pid_sql[] = "SELECT pg_catalog.pg_backend_pid()";

enum { ROUNDS = 3, SAME_AGAIN = 3 };

static int read_pid(struct pg_conn *conn, int64_t *pid, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *text = pg_value(conn, err, pid_sql);

    if (text == NULL)
        return -1;
    *pid = strtoll(text, NULL, 10);
    return 0;
}

int pg_pooler_between(struct pg_conn *conn, struct backstay_error *err)
{
    int64_t pid;

    if (read_pid(conn, &pid, err) != 0)
        return -1;
    return pid != PQbackendPID(conn->pq);
}

/* @return 1: two transactions of ours were in different sessions; 0: not this time; -1. */
static int round_of(struct pg_conn *conn, struct pg_conn *second, struct backstay_error *err)
{
    int64_t first;
    int64_t again;
    int64_t other;

    if (read_pid(conn, &first, err) != 0)
        return -1;
    for (int i = 0; i < SAME_AGAIN; i++) {
        if (read_pid(conn, &again, err) != 0)
            return -1;
        if (again != first)
            return 1;
    }
    if (pg_run(second, err, "BEGIN") != 0 || read_pid(second, &other, err) != 0)
        return -1;
    if (other == first)
        return 1;
    if (read_pid(conn, &again, err) != 0 || pg_run(second, err, "COMMIT") != 0)
        return -1;
    return again != first;
}

static int refuse(const struct pg_conn *conn, struct backstay_error *err)
{
    return conn->host->fail(
        conn->host, err, BACKSTAY_ERR_CONFIG,
        "connect to %s: a connection pooler (such as pgbouncer) in transaction mode answers there; "
        "a snapshot and its locks need a session of their own: connect to the server itself, or to "
        "a pool in session mode",
        conn->label);
}

int pg_pooler_refuse(struct pg_conn *conn, const struct pg_place *place, struct backstay_error *err)
{
    struct pg_conn *second = NULL;
    int r = pg_pooler_between(conn, err);

    if (r <= 0)
        return r;
    r = pg_connect_plain(&second, conn->host, place, err);
    for (int i = 0; r == 0 && i < ROUNDS; i++)
        r = round_of(conn, second, err);
    /* In statement mode the pooler itself refuses BEGIN. */
    if (r > 0 || (r < 0 && second && pg_error_is(second, "08P01")))
        r = refuse(conn, err);
    pg_disconnect(second);
    return r;
}
