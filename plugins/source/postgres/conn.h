/* plugins/source/postgres/conn.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * conn: a connection to a server, its queries, and what their errors mean (hides most of libpq).
 *
 * Every statement is sent without blocking and waited for in steps, so that a cancelled run cancels
 * it on the server, too.
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "postgres.h"
#include "quote.h"

#include <libpq-fe.h>
#include <stdatomic.h>

struct pg_conn {
    const struct backstay_host *host;
    PGconn *pq;
    char *database;          /* its name */
    char *label;             /* "database shop on db.example:5432", for messages */
    int version;             /* of the server: 150018 */
    int major;               /* 15 */
    char sqlstate[6];        /* of the last error; "" when it had none */
    const atomic_bool *stop; /* not NULL: what it does is cancelled when this becomes true */
    int64_t patience_ns;     /* how long the server may say nothing at all; 0: for ever */
    bool silent;             /* it has said nothing for too long: the connection is of no use */
};

/** Where to connect to. Members that are NULL come from the url or from libpq's own defaults. */
struct pg_place {
    const char *url;
    const char *host;
    const char *port;
    const char *user;
    const char *password;
    const char *database; /* wins over that of the url */
};

/** The place that the options name. @database NULL: the one that is configured. */
struct pg_place pg_place_of(const struct pg *pg, const char *database);

/**
 * Connects, and sets the session up for reading exactly (as pg_dump does): no
 * time-outs, no search path, ISO dates, full float precision, client_encoding UTF8.
 *
 * @return 0, the caller closes *@out; -1 with @err: AUTH for a refused role, CONFIG for a database
 * that does not exist or a pooler that does not keep sessions, TRANSIENT when the server cannot be
 * reached.
 */
int pg_connect(struct pg_conn **out, const struct backstay_host *host, const struct pg_place *place,
               struct backstay_error *err) __attribute__((warn_unused_result));

/** Connects and leaves the session as the server made it. Otherwise as pg_connect(). */
int pg_connect_plain(struct pg_conn **out, const struct backstay_host *host,
                     const struct pg_place *place, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Disconnects. NULL is allowed. */
void pg_disconnect(struct pg_conn *conn);

/**
 * Runs statements that return nothing of interest. @sql may hold several, without parameters.
 *
 * @return 0 or -1 with @err; conn->sqlstate then tells which error it was.
 */
int pg_run(struct pg_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));
int pg_runf(struct pg_conn *conn, struct backstay_error *err, const char *fmt, ...)
    __attribute__((warn_unused_result, format(printf, 3, 4)));

/**
 * Runs a query. @params: @n texts for $1, $2 ..., NULL members are SQL NULLs.
 *
 * @return the rows, released with PQclear() by the caller; NULL with @err.
 */
PGresult *pg_query(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                   const char *const *params, int n) __attribute__((warn_unused_result));

/**
 * Runs one statement whose cells come in binary form. @data, when not NULL, is its $1, a bytea of
 * @len bytes (at most 1 GiB).
 *
 * @return as pg_query(); cells are read with PQgetvalue() and PQgetlength().
 */
PGresult *pg_query_bytes(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                         const void *data, size_t len) __attribute__((warn_unused_result));

/** The first column of the first row; "" when there is none or it is NULL. Caller frees. NULL:
 * @err. */
char *pg_value(struct pg_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));

/** A cell as text ("" for NULL), whether it is true, and as a number. */
const char *pg_cell(const PGresult *rows, int row, int column);
bool pg_cell_true(const PGresult *rows, int row, int column);
int64_t pg_cell_number(const PGresult *rows, int row, int column);

/**
 * Starts a COPY statement. For TO STDOUT read rows with pg_copy_row(); for FROM STDIN write with
 * pg_copy_send() and end with pg_copy_done().
 */
int pg_copy_begin(struct pg_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));

/**
 * The next row (with its line end) of a COPY TO STDOUT.
 *
 * @out receives it; released with PQfreemem() by the caller.
 * @return its length; 0 at the end, when the server has said that all is well; -1 with @err.
 */
int pg_copy_row(struct pg_conn *conn, char **out, struct backstay_error *err)
    __attribute__((warn_unused_result));

int pg_copy_send(struct pg_conn *conn, const void *data, size_t len, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Ends a COPY FROM STDIN. @why not NULL: makes the server discard it. @rows out: how many it took.
 */
int pg_copy_done(struct pg_conn *conn, const char *why, int64_t *rows, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Describes the last error of the connection: "what: message". Sets sqlstate. @return -1. */
int pg_fail(struct pg_conn *conn, const PGresult *result, const char *what,
            struct backstay_error *err);

/** Whether the last error was of this SQLSTATE or class (its first characters). */
bool pg_error_is(const struct pg_conn *conn, const char *sqlstate);
