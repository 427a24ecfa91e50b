/* plugins/source/postgres/copy.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * COPY in both directions; declared in conn.h.
 */
#include "wait.h"

#include <stdlib.h>

int pg_copy_begin(struct pg_conn *conn, struct backstay_error *err, const char *sql)
{
    PGresult *result = pg_query(conn, err, sql, NULL, 0);

    if (result == NULL)
        return -1;
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_IN)
        return 0;
    return conn->host->fail(conn->host, err, BACKSTAY_ERR_IO,
                            "%s: the server did not begin the COPY", conn->label);
}

/* The end of a COPY: what the server says of it. @return 0 or -1 with @err. */
static int copy_end(struct pg_conn *conn, const char *what, int64_t *rows,
                    struct backstay_error *err)
{
    PGresult *result = pg_collect(conn, what, err);

    if (result == NULL)
        return -1;
    if (rows)
        *rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return 0;
}

int pg_copy_row(struct pg_conn *conn, char **out, struct backstay_error *err)
{
    struct pg_wait wait = {0};

    for (bool lost = false;;) {
        int n = PQgetCopyData(conn->pq, out, 1);
        if (n > 0)
            return n;
        if (n == -1)
            return copy_end(conn, "read rows", NULL, err);
        if (n == -2 || lost)
            return pg_fail(conn, NULL, "read rows", err);
        lost = pg_wait_step(conn, &wait) < 0; /* its last words may still be there */
    }
}

static int cancelled(const struct pg_conn *conn, struct backstay_error *err)
{
    return conn->host->fail(conn->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
}

/* Without waiting here libpq would keep in memory whatever the server does not take yet. */
static int flush(struct pg_conn *conn, struct pg_wait *wait)
{
    int pending;

    while ((pending = PQflush(conn->pq)) > 0)
        if (pg_wait_step(conn, wait) < 0 || wait->asked_ns)
            return -1;
    return pending;
}

int pg_copy_send(struct pg_conn *conn, const void *data, size_t len, struct backstay_error *err)
{
    const char *at = data;
    struct pg_wait wait = {0};

    if (conn->host->cancelled(conn->host))
        return cancelled(conn, err);
    while (len > 0) {
        int n = (int)PLUG_MIN(len, (size_t)1 << 20);
        if (PQputCopyData(conn->pq, at, n) != 1 || flush(conn, &wait) < 0)
            return wait.asked_ns ? cancelled(conn, err) : pg_fail(conn, NULL, "load rows", err);
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int pg_copy_done(struct pg_conn *conn, const char *why, int64_t *rows, struct backstay_error *err)
{
    struct pg_wait wait = {0};

    if (PQputCopyEnd(conn->pq, why) != 1 || flush(conn, &wait) < 0)
        return wait.asked_ns ? cancelled(conn, err) : pg_fail(conn, NULL, "load rows", err);
    return copy_end(conn, "load rows", rows, err);
}
