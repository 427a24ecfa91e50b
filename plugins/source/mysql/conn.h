/* plugins/source/mysql/conn.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * conn: a connection to a server, its statements, and what their errors mean (hides most of
 * MariaDB Connector/C).
 *
 * The client library waits for the server in a function of ours, which looks ten times a second
 * whether the host has cancelled or the connection's @stop has become true; then the statement is
 * killed on the server and the call returns with an error. The connection is of no use after that.
 *
 * Thread-safety: a connection belongs to one thread at a time.
 */
#pragma once

#include "place.h"

#include <mysql.h>
#include <stdatomic.h>

struct my_conn {
    const struct backstay_host *host;
    const struct my *my;
    MYSQL *db;
    char *label;      /* "MariaDB on db.example:3306", for messages */
    bool mariadb;     /* and not MySQL */
    bool tls;         /* whether what is said is encrypted */
    unsigned version; /* 101119 for 10.11.19, 80036 for 8.0.36, 90704 for 9.7.4 */
    unsigned error;   /* number of the last error; 0: none */
    char sqlstate[6];
    const atomic_bool *stop; /* NULL, or: end what it does when this becomes true */
    bool interrupted;        /* it was */
    bool ready;              /* logged in */
    bool asked_wrong;        /* the server asked for a local file that nobody offered */
    struct my_place place;   /* a copy */
};

/**
 * Connects, and sets the session up for reading exactly: utf8mb4, time zone +00:00, no time-outs,
 * a sql_mode that changes nothing, sql_quote_show_create, lock_wait_timeout from the options.
 *
 * TLS is required, and the certificate verified, unless the server is reached by a socket or on
 * loopback, or the options say otherwise: caching_sha2_password would hand the password to a man in
 * the middle. LOAD DATA LOCAL is possible, but reads nothing before
 * mysql_set_local_infile_handler().
 *
 * @place is copied.
 * @return 0, the caller closes *@out; -1 with @err: AUTH, CONFIG, TRANSIENT.
 */
int my_connect(struct my_conn **out, const struct my_place *place, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_disconnect(struct my_conn *conn);

/** Runs a statement that answers nothing of interest. @return 0 or -1 with @err. */
int my_run(struct my_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));
int my_runf(struct my_conn *conn, struct backstay_error *err, const char *fmt, ...)
    __attribute__((warn_unused_result, format(printf, 3, 4)));

/** Runs a query and stores what it answers; mysql_free_result() by the caller. NULL: @err. */
MYSQL_RES *my_query(struct my_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));

/** The first column of the first row; "" when there is none or it is NULL. Caller frees. NULL:
 * @err. */
char *my_value(struct my_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));

/** Runs a query whose rows are fetched one by one with my_row(); mysql_free_result() by the caller.
 * NULL: @err. */
MYSQL_RES *my_stream(struct my_conn *conn, struct backstay_error *err, const char *sql)
    __attribute__((warn_unused_result));

/**
 * The next row of a stream; @lengths are those of its cells.
 *
 * @return 1; 0 at the end, when the server has said that all is well; -1 with @err.
 */
int my_row(struct my_conn *conn, MYSQL_RES *rows, MYSQL_ROW *row, unsigned long **lengths,
           struct backstay_error *err) __attribute__((warn_unused_result));

/** Ends the connection in the midst of a stream: what the server still has for us would have to be
 * read to its end. */
void my_break(struct my_conn *conn);

/** A cell of a stored result as text ("" for NULL), and as a number. */
const char *my_cell(MYSQL_ROW row, unsigned column);
int64_t my_cell_number(MYSQL_ROW row, unsigned column);

/** Describes the last error of the connection: "LABEL: WHAT: message". @return -1. */
int my_fail(struct my_conn *conn, const char *what, struct backstay_error *err);

/** Makes @conn the one that this thread waits for: before a call of the client library that is not
 * one of the above (mysql_ping() and the like). */
void my_wait_for(struct my_conn *conn);

/** Appends an identifier in backticks; a text (utf8mb4) or, where it cannot be one, bytes as a
 * constant that no sql_mode or charset changes. */
void my_add_ident(struct plug_bytes *sql, const char *name);
void my_add_literal(struct plug_bytes *sql, const void *data, size_t len);

/** `database`.`table`. Caller frees. */
char *my_qualified(const char *database, const char *name);
