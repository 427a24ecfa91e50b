/* plugins/source/postgres/wait.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * wait: answers of the server, waited for in steps, so that no wait outlives a cancellation or a
 * network that has gone silent.
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "conn.h"

/** One wait for an answer; begins as {0}. */
struct pg_wait {
    int64_t heard_ns; /* when the server last said something, or the wait began */
    int64_t asked_ns; /* when it was asked to cancel; 0: it was not */
};

/** CLOCK_MONOTONIC, ns. */
int64_t pg_now_ns(void);

/**
 * Sends what is left to send and waits a little for something to read. When the run is cancelled,
 * the server is asked to cancel the statement, and given a few seconds to answer. A connection with
 * a limited patience does short things only: there nothing is cancelled.
 *
 * @return 0: look again; -1: the connection is lost or silent.
 */
int pg_wait_step(struct pg_conn *conn, struct pg_wait *wait);

/** The first error among the results of what was sent, else the last result. NULL: @err. */
PGresult *pg_collect(struct pg_conn *conn, const char *what, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Asks the server to cancel what the connection is doing; takes a few seconds at most. */
void pg_interrupt(const struct pg_conn *conn);
