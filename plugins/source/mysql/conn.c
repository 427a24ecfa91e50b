/* plugins/source/mysql/conn.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Statements and their errors.
 */
#include "conn.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors */

/* Numbers that the client's header of one product does not know of the other. */
enum {
    NOT_GRANTED_PROXY = 1698,
    READ_TIMED_OUT = 1969,
    READ_TIMED_OUT_MYSQL = 3024,
    MUST_CHANGE_PASSWORD = 1820,
    KILLED = 1927,
    IDLE_TIMED_OUT = 4031
};

static int kind_of(unsigned number)
{
    static const struct {
        unsigned number;
        int kind;
    } rows[] = {
        {ER_ACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_DBACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_TABLEACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_COLUMNACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_SPECIFIC_ACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_PROCACCESS_DENIED_ERROR, BACKSTAY_ERR_AUTH},
        {ER_HOST_NOT_PRIVILEGED, BACKSTAY_ERR_AUTH},
        {ER_HOST_IS_BLOCKED, BACKSTAY_ERR_AUTH},
        {NOT_GRANTED_PROXY, BACKSTAY_ERR_AUTH},
        {MUST_CHANGE_PASSWORD, BACKSTAY_ERR_AUTH},
        {ER_BAD_DB_ERROR, BACKSTAY_ERR_CONFIG},
        {ER_CON_COUNT_ERROR, BACKSTAY_ERR_TRANSIENT},
        {ER_OUT_OF_RESOURCES, BACKSTAY_ERR_TRANSIENT},
        {ER_SERVER_SHUTDOWN, BACKSTAY_ERR_TRANSIENT},
        {ER_TOO_MANY_USER_CONNECTIONS, BACKSTAY_ERR_TRANSIENT},
        {ER_USER_LIMIT_REACHED, BACKSTAY_ERR_TRANSIENT},
        {ER_LOCK_WAIT_TIMEOUT, BACKSTAY_ERR_TRANSIENT},
        {ER_LOCK_DEADLOCK, BACKSTAY_ERR_TRANSIENT},
        {ER_QUERY_INTERRUPTED, BACKSTAY_ERR_TRANSIENT},
        {ER_TABLE_DEF_CHANGED, BACKSTAY_ERR_TRANSIENT},
        {ER_NET_READ_ERROR, BACKSTAY_ERR_TRANSIENT},
        {ER_NET_READ_INTERRUPTED, BACKSTAY_ERR_TRANSIENT},
        {ER_NET_ERROR_ON_WRITE, BACKSTAY_ERR_TRANSIENT},
        {ER_NET_WRITE_INTERRUPTED, BACKSTAY_ERR_TRANSIENT},
        {KILLED, BACKSTAY_ERR_TRANSIENT},
        {IDLE_TIMED_OUT, BACKSTAY_ERR_TRANSIENT},
        {READ_TIMED_OUT, BACKSTAY_ERR_TRANSIENT},
        {READ_TIMED_OUT_MYSQL, BACKSTAY_ERR_TRANSIENT},
        {CR_CONNECTION_ERROR, BACKSTAY_ERR_TRANSIENT},
        {CR_CONN_HOST_ERROR, BACKSTAY_ERR_TRANSIENT},
        {CR_UNKNOWN_HOST, BACKSTAY_ERR_TRANSIENT},
        {CR_SERVER_GONE_ERROR, BACKSTAY_ERR_TRANSIENT},
        {CR_SERVER_LOST, BACKSTAY_ERR_TRANSIENT},
        {CR_SERVER_LOST_EXTENDED, BACKSTAY_ERR_TRANSIENT},
        {ER_DISK_FULL, BACKSTAY_ERR_SPACE},
        {ER_RECORD_FILE_FULL, BACKSTAY_ERR_SPACE},
        {ER_NOT_KEYFILE, BACKSTAY_ERR_CORRUPT},
        {ER_CRASHED_ON_USAGE, BACKSTAY_ERR_CORRUPT},
        {ER_CRASHED_ON_REPAIR, BACKSTAY_ERR_CORRUPT},
    };

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (rows[i].number == number)
            return rows[i].kind;
    return BACKSTAY_ERR_IO;
}

int my_fail(struct my_conn *conn, const char *what, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *message = plug_strdup(mysql_error(conn->db));

    conn->error = mysql_errno(conn->db);
    (void)snprintf(conn->sqlstate, sizeof conn->sqlstate, "%s", mysql_sqlstate(conn->db));
    if (conn->interrupted)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    for (char *at = message; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    return conn->host->fail(conn->host, err, kind_of(conn->error), "%s: %s: %s", conn->label, what,
                            *message ? message : "the connection was lost");
}

/* ---- statements */

/* What a message repeats of a statement: it may be long. */
static char *beginning_of(const char *sql)
{
    enum { MOST = 120 };
    size_t len = strlen(sql);
    size_t keep = len <= MOST ? len : MOST;

    while (keep < len && keep > 0 && ((unsigned char)sql[keep] & 0xc0) == 0x80)
        keep--;
    return plug_strf("%.*s%s", (int)keep, sql, keep < len ? "..." : "");
}

static int fail_at(struct my_conn *conn, const char *sql, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *what = beginning_of(sql);

    return my_fail(conn, what, err);
}

static int begin(struct my_conn *conn, const char *sql)
{
    conn->error = 0;
    my_wait_for(conn);
    return mysql_real_query(conn->db, sql, strlen(sql));
}

int my_run(struct my_conn *conn, struct backstay_error *err, const char *sql)
{
    if (begin(conn, sql) != 0)
        return fail_at(conn, sql, err);
    for (;;) {
        MYSQL_RES *rows = mysql_use_result(conn->db);
        if (rows)
            mysql_free_result(rows);
        if (mysql_errno(conn->db))
            return fail_at(conn, sql, err);
        int r = mysql_next_result(conn->db);
        if (r > 0)
            return fail_at(conn, sql, err);
        if (r < 0)
            return 0;
    }
}

int my_runf(struct my_conn *conn, struct backstay_error *err, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    int r = my_run(conn, err, text);
    free(text);
    return r;
}

/* A statement that was said to be a query. */
static MYSQL_RES *no_rows(struct my_conn *conn, const char *sql, struct backstay_error *err)
{
    if (mysql_errno(conn->db))
        (void)fail_at(conn, sql, err);
    else
        (void)conn->host->fail(conn->host, err, BACKSTAY_ERR_IO, "%s: no rows are answered to %s",
                               conn->label, sql);
    return NULL;
}

MYSQL_RES *my_query(struct my_conn *conn, struct backstay_error *err, const char *sql)
{
    if (begin(conn, sql) != 0) {
        (void)fail_at(conn, sql, err);
        return NULL;
    }
    MYSQL_RES *rows = mysql_store_result(conn->db);
    return rows ? rows : no_rows(conn, sql, err);
}

char *my_value(struct my_conn *conn, struct backstay_error *err, const char *sql)
{
    MYSQL_RES *rows = my_query(conn, err, sql);

    if (rows == NULL)
        return NULL;
    MYSQL_ROW row = mysql_fetch_row(rows);
    char *value = plug_strdup(row ? my_cell(row, 0) : "");
    mysql_free_result(rows);
    return value;
}

MYSQL_RES *my_stream(struct my_conn *conn, struct backstay_error *err, const char *sql)
{
    if (begin(conn, sql) != 0) {
        (void)fail_at(conn, sql, err);
        return NULL;
    }
    MYSQL_RES *rows = mysql_use_result(conn->db);
    return rows ? rows : no_rows(conn, sql, err);
}

int my_row(struct my_conn *conn, MYSQL_RES *rows, MYSQL_ROW *row, unsigned long **lengths,
           struct backstay_error *err)
{
    my_wait_for(conn);
    *row = mysql_fetch_row(rows);
    if (*row) {
        *lengths = mysql_fetch_lengths(rows);
        return 1;
    }
    return mysql_errno(conn->db) ? my_fail(conn, "read rows", err) : 0;
}

const char *my_cell(MYSQL_ROW row, unsigned column)
{
    return row[column] ? row[column] : "";
}

int64_t my_cell_number(MYSQL_ROW row, unsigned column)
{
    return row[column] ? strtoll(row[column], NULL, 10) : 0;
}
