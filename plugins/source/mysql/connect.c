/* plugins/source/mysql/connect.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Beginning and end of a connection, and how the client library waits.
 */
#include "conn.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { POLL_MS = 100, CONNECT_SECONDS = 10, KILL_SECONDS = 3, NEEDS_TLS = 3159 };
enum { OLDEST_MARIADB = 100500, OLDEST_MYSQL = 80000 };

/* ---- how the server is reached */

/* A user's certificate may be asked for on loopback as well. */
static bool wants_tls(const struct my_place *place)
{
    return place->ssl_ca || place->ssl_cert || place->ssl_verify > 0 || !my_place_is_local(place);
}

static bool verifies(const struct my_place *place)
{
    return place->ssl_verify > 0 ||
           (place->ssl_verify < 0 && (place->ssl_ca || !my_place_is_local(place)));
}

/* No file of ours goes to a server that asks for one unless a loader put its own functions here. */
static int refuse_file(void **file, const char *name, void *ctx)
{
    struct my_conn *conn = ctx;

    (void)name;
    conn->asked_wrong = true;
    *file = conn;
    return 1;
}

static int read_nothing(void *file, char *buffer, unsigned len)
{
    (void)file;
    (void)buffer;
    (void)len;
    return -1;
}

static void end_nothing(void *file)
{
    (void)file;
}

static int explain(void *file, char *text, unsigned len)
{
    (void)file;
    (void)snprintf(text, len, "the server asked for a file that was not offered");
    return CR_UNKNOWN_ERROR;
}

static void set_up(MYSQL *db, const struct my_place *place, bool tls, unsigned seconds)
{
    const my_bool yes = 1;
    const my_bool verify = verifies(place);
    const unsigned tcp = MYSQL_PROTOCOL_TCP;

    (void)mysql_optionsv(db, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    (void)mysql_optionsv(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_optionsv(db, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "backstay");
    if (place->socket == NULL && place->port)
        (void)mysql_optionsv(db, MYSQL_OPT_PROTOCOL, &tcp);
    if (!tls)
        return;
    (void)mysql_optionsv(db, MYSQL_OPT_SSL_ENFORCE, &yes);
    (void)mysql_optionsv(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (place->ssl_ca)
        (void)mysql_optionsv(db, MYSQL_OPT_SSL_CA, place->ssl_ca);
    if (place->ssl_cert)
        (void)mysql_optionsv(db, MYSQL_OPT_SSL_CERT, place->ssl_cert);
    if (place->ssl_key)
        (void)mysql_optionsv(db, MYSQL_OPT_SSL_KEY, place->ssl_key);
}

static MYSQL *reach(MYSQL *db, const struct my_place *place)
{
    return mysql_real_connect(db, place->host, place->user, place->password, place->database,
                              place->port, place->socket, CLIENT_MULTI_STATEMENTS);
}

static void begin_library(void)
{
    if (mysql_library_init(0, NULL, NULL) != 0)
        abort();
}

static MYSQL *new_handle(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, begin_library);
    MYSQL *db = mysql_init(NULL);
    if (db == NULL)
        abort();
    return db;
}

/* ---- waiting */

/* The library's hook tells nothing but the socket that it waits for. */
static _Thread_local struct my_conn *waiting;

void my_wait_for(struct my_conn *conn)
{
    waiting = conn;
}

static bool is_stopped(const struct my_conn *conn)
{
    return conn->host->cancelled(conn->host) || (conn->stop && atomic_load(conn->stop));
}

/* Kills what our connection has the server do; else it would go on until it has rows for us. */
static void kill_statement(struct my_conn *conn)
{
    const unsigned seconds = KILL_SECONDS;
    const struct my_place *place = &conn->place;
    PLUG_AUTO_FREE char *sql = plug_strf("KILL QUERY %lu", mysql_thread_id(conn->db));
    MYSQL *side = new_handle();

    set_up(side, place, conn->tls, seconds);
    (void)mysql_optionsv(side, MYSQL_OPT_READ_TIMEOUT, &seconds);
    (void)mysql_optionsv(side, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    if (reach(side, place) == NULL || mysql_query(side, sql) != 0)
        conn->host->log(conn->host, BACKSTAY_LOG_DEBUG, "%s: %s: %s", conn->label, sql,
                        mysql_error(side));
    mysql_close(side);
}

/* Why a socket could not be connected, which the library would look for in errno. */
static int give_reason(int fd)
{
    int reason = 0;
    socklen_t len = sizeof reason;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) == 0)
        errno = reason;
    return -1;
}

static int give_up(struct my_conn *conn)
{
    bool first = !conn->interrupted;

    conn->interrupted = true;
    if (first && conn->ready)
        kill_statement(conn);
    return -1;
}

/* @timeout in ms, negative: none. @return > 0: the socket is ready; 0: timed out; -1: give up. */
static int wait_for(my_socket handle, my_bool is_read, int timeout)
{
    struct my_conn *conn = waiting;
    struct pollfd fd = {.fd = handle, .events = is_read ? POLLIN : POLLOUT};
    int left = timeout;

    for (;;) {
        int step = left >= 0 && left < POLL_MS ? left : POLL_MS;
        if (conn->interrupted || is_stopped(conn))
            return give_up(conn);
        int r = poll(&fd, 1, step);
        if (r > 0 && !conn->ready && (fd.revents & POLLERR))
            return give_reason(handle);
        if (r > 0 || (r < 0 && errno != EINTR))
            return r;
        if (left >= 0 && r == 0)
            left -= step;
        if (left == 0)
            return 0;
    }
}

/* ---- the session */

/* Each of these alone, since servers know different ones; all that exist must be settable. */
static const struct {
    const char *sql;
    int mariadb; /* 1: of MariaDB; 0: of MySQL; -1: of both */
    unsigned since;
} settings[] = {
    {"SET SESSION sql_mode = ''", -1, 0},
    {"SET NAMES utf8mb4", -1, 0},
    {"SET SESSION time_zone = '+00:00'", -1, 0},
    {"SET SESSION sql_quote_show_create = 1", -1, 0},
    {"SET SESSION wait_timeout = 2147483", -1, 0},
    {"SET SESSION net_write_timeout = 86400, net_read_timeout = 86400", -1, 0},
    {"SET SESSION autocommit = 1, completion_type = 0, sql_auto_is_null = 0", -1, 0},
    {"SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_safe_updates = "
     "0",
     -1, 0},
    {"SET SESSION group_concat_max_len = 4294967295", -1, 0},
    {"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", -1, 0},
    {"SET SESSION max_statement_time = 0", 1, 0},
    {"SET SESSION idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0,"
     " idle_write_transaction_timeout = 0",
     1, 0},
    {"SET SESSION max_execution_time = 0", 0, 0},
    {"SET SESSION information_schema_stats_expiry = 0", 0, 0},
    {"SET SESSION print_identified_with_as_hex = 1", 0, 80017},
    {"SET SESSION show_gipk_in_create_table_and_information_schema = 1", 0, 80030},
};

static int set_session(struct my_conn *conn, struct backstay_error *err)
{
    int64_t seconds = (conn->my->lock_timeout_ns + 999999999) / 1000000000;

    for (size_t i = 0; i < PLUG_COUNT(settings); i++) {
        if (settings[i].mariadb >= 0 && (settings[i].mariadb == 1) != conn->mariadb)
            continue;
        if (conn->version >= settings[i].since && my_run(conn, err, settings[i].sql) != 0)
            return -1;
    }
    return my_runf(conn, err, "SET SESSION lock_wait_timeout = %lld",
                   (long long)PLUG_MAX(seconds, 1));
}

/* A cut network is noticed after two minutes instead of never. */
static void keep_alive(const struct my_conn *conn)
{
    const int idle = 60;
    const int interval = 10;
    const int count = 6;
    const int on = 1;
    int fd = mysql_get_socket(conn->db);

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* ---- connecting */

static char *label_of(const struct my_conn *conn, const char *product)
{
    const struct my_place *place = &conn->place;
    const char *host = place->host ? place->host : "localhost";

    if (place->socket)
        return plug_strf("%s on %s", product, place->socket);
    return place->port ? plug_strf("%s on %s:%u", product, host, place->port)
                       : plug_strf("%s on %s", product, host);
}

/* What to do about what the library says of a server's TLS. */
static const char *tls_advice(const char *why)
{
    static const struct {
        const char *said;
        const char *advice;
    } rows[] = {
        {"does not support it", "switch TLS on in the server, or connect by its socket"},
        {"alidation of SSL server certificate failed",
         "its certificate is for other names than the one in the url: use one that it has"},
    };

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (strstr(why, rows[i].said))
            return rows[i].advice;
    return "\"ssl_ca\" names the authorities that the server's certificate is verified with";
}

static int refuse(struct my_conn *conn, struct backstay_error *err)
{
    const char *why = mysql_error(conn->db);
    bool tls = conn->tls && mysql_errno(conn->db) == CR_SSL_CONNECTION_ERROR;
    struct backstay_error cause = {.size = sizeof cause};

    (void)my_fail(conn, "connect", &cause);
    if (conn->interrupted || !tls)
        return conn->host->fail(conn->host, err, cause.kind, "%s", cause.text);
    return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG, "%s: connect: %s; %s",
                            conn->label, why, tls_advice(why));
}

static int connect_once(struct my_conn *conn, bool tls)
{
    if (conn->db)
        mysql_close(conn->db);
    conn->db = new_handle();
    conn->tls = tls;
    set_up(conn->db, &conn->place, tls, CONNECT_SECONDS);
    (void)mysql_optionsv(conn->db, MARIADB_OPT_IO_WAIT, wait_for);
    my_wait_for(conn);
    return reach(conn->db, &conn->place) ? 0 : -1;
}

static int greet(struct my_conn *conn, struct backstay_error *err)
{
    const char *text = mysql_get_server_info(conn->db);

    conn->ready = true;
    conn->mariadb = mariadb_connection(conn->db) != 0;
    conn->version = (unsigned)mysql_get_server_version(conn->db);
    free(conn->label);
    conn->label = label_of(conn, conn->mariadb ? "MariaDB" : "MySQL");
    mysql_set_local_infile_handler(conn->db, refuse_file, read_nothing, end_nothing, explain, conn);
    keep_alive(conn);
    if (conn->tls && mysql_get_ssl_cipher(conn->db) == NULL)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG,
                                "%s: the connection is not encrypted, and must be: switch TLS on "
                                "in the server",
                                conn->label);
    if (conn->version < (conn->mariadb ? OLDEST_MARIADB : OLDEST_MYSQL))
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG,
                                "%s is version %s: MariaDB 10.5 and MySQL 8.0 are the oldest that "
                                "are supported",
                                conn->label, text);
    return set_session(conn, err);
}

int my_connect(struct my_conn **out, const struct my_place *place, struct backstay_error *err)
{
    struct my_conn *conn = plug_alloc(1, sizeof *conn);
    bool tls = wants_tls(place);

    conn->my = place->my;
    conn->host = place->my->host;
    conn->place = my_place_copy(place);
    conn->label = label_of(conn, "the server");
    int r = connect_once(conn, tls);
    /* On loopback, encryption only costs; a server or an account may insist on it all the same. */
    if (r != 0 && !tls && !conn->interrupted &&
        (mysql_errno(conn->db) == NEEDS_TLS || mysql_errno(conn->db) == ER_ACCESS_DENIED_ERROR)) {
        unsigned number = mysql_errno(conn->db);
        r = connect_once(conn, true);
        if (r != 0 && number == ER_ACCESS_DENIED_ERROR)
            r = connect_once(conn, false);
    }
    r = r == 0 ? greet(conn, err) : refuse(conn, err);
    if (r != 0) {
        my_disconnect(conn);
        return -1;
    }
    *out = conn;
    return 0;
}

void my_break(struct my_conn *conn)
{
    conn->interrupted = true;
    (void)shutdown(mysql_get_socket(conn->db), SHUT_RDWR);
}

void my_disconnect(struct my_conn *conn)
{
    if (conn == NULL)
        return;
    my_wait_for(conn);
    mysql_close(conn->db);
    my_wait_for(NULL);
    free(conn->label);
    my_place_free(&conn->place);
    free(conn);
}
