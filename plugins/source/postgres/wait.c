/* plugins/source/postgres/wait.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 100, CANCEL_SECONDS = 3 };

#define ANSWER_NS (3 * INT64_C(1000000000))

int64_t pg_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* PQcancel() waits without limit for a server that may be out of reach. It is made for signal
 * handlers, so it may run in a child of a process with threads: there an alarm ends it. */
void pg_interrupt(const struct pg_conn *conn)
{
    char text[256];
    sigset_t none;
    PGcancel *cancel = PQgetCancel(conn->pq);
    pid_t child = cancel ? fork() : -1;

    if (child == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)alarm(CANCEL_SECONDS);
        (void)PQcancel(cancel, text, sizeof text);
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    PQfreeCancel(cancel);
}

static bool is_stopped(const struct pg_conn *conn)
{
    return conn->host->cancelled(conn->host) || (conn->stop && atomic_load(conn->stop));
}

int pg_wait_step(struct pg_conn *conn, struct pg_wait *wait)
{
    struct pollfd fd = {.fd = PQsocket(conn->pq), .events = POLLIN};
    int pending = PQflush(conn->pq);

    if (pending < 0 || fd.fd < 0 || conn->silent)
        return -1;
    if (pending > 0)
        fd.events |= POLLOUT;
    if (poll(&fd, 1, POLL_MS) > 0 && PQconsumeInput(conn->pq) == 0)
        return -1;
    int64_t now = pg_now_ns();
    if ((fd.revents & POLLIN) || wait->heard_ns == 0)
        wait->heard_ns = now;
    if (wait->asked_ns == 0 && is_stopped(conn)) {
        if (conn->patience_ns == 0)
            pg_interrupt(conn);
        wait->asked_ns = pg_now_ns();
    }
    conn->silent = (wait->asked_ns && now - wait->asked_ns > ANSWER_NS) ||
                   (conn->patience_ns && now - wait->heard_ns > conn->patience_ns);
    return conn->silent ? -1 : 0;
}

/* The next result, or NULL when there are no more. What a server said before it closed the
 * connection is still there to be read; libpq would wait for more. */
static PGresult *next_result(struct pg_conn *conn, struct pg_wait *wait)
{
    while (PQisBusy(conn->pq) || PQflush(conn->pq) > 0)
        if (pg_wait_step(conn, wait) < 0)
            return PQisBusy(conn->pq) ? NULL : PQgetResult(conn->pq);
    return PQgetResult(conn->pq);
}

static void drain(struct pg_conn *conn, struct pg_wait *wait)
{
    PGresult *result;

    while ((result = next_result(conn, wait)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            break;
    }
}

static bool is_good(ExecStatusType status)
{
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

PGresult *pg_collect(struct pg_conn *conn, const char *what, struct backstay_error *err)
{
    PGresult *last = NULL;
    PGresult *result;
    struct pg_wait wait = {0};

    while ((result = next_result(conn, &wait)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(last);
        last = result;
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
            return last;
        if (!is_good(status))
            break;
    }
    if (last && is_good(PQresultStatus(last)) && PQstatus(conn->pq) == CONNECTION_OK &&
        !conn->silent)
        return last;
    (void)pg_fail(conn, last, what, err);
    if (wait.asked_ns)
        (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    PQclear(last);
    drain(conn, &wait);
    return NULL;
}
