/* plugins/source/postgres/conn.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conn.h"

#include "pooler.h"
#include "wait.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 100, SETUP_SECONDS = 60 };

#define CONNECT_SECONDS "10" /* for one host; a url may say otherwise */
#define NS_PER_S        INT64_C(1000000000)

/* What the text of rows depends on; the rest keeps the server's owner from stopping us half way. */
static const char session_settings[] =
    "SELECT pg_catalog.set_config('search_path', '', false);"
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;"
    "SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = 'UTC';"
    "SET extra_float_digits = 3; SET bytea_output = hex; SET xmloption = content;"
    "SET row_security = off; SET synchronize_seqscans = off; SET default_transaction_read_only = "
    "off;"
    "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN"
    " ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',"
    "  'idle_session_timeout', 'transaction_timeout') AND setting <> '0';"
    /* CVE-2024-7348: a table that becomes a view under our hands runs no code of its owner's. */
    "SELECT pg_catalog.set_config(name, 'view, foreign-table', false) FROM pg_catalog.pg_settings"
    " WHERE name = 'restrict_nonsystem_relation_kind';";

/* ---- errors */

static int kind_of(const char *state)
{
    static const struct {
        const char *prefix;
        int kind;
    } rows[] = {
        {"28", BACKSTAY_ERR_AUTH},         {"42501", BACKSTAY_ERR_AUTH},
        {"3D000", BACKSTAY_ERR_CONFIG},    {"53100", BACKSTAY_ERR_SPACE},
        {"08", BACKSTAY_ERR_TRANSIENT},    {"57P", BACKSTAY_ERR_TRANSIENT},
        {"40", BACKSTAY_ERR_TRANSIENT},    {"53", BACKSTAY_ERR_TRANSIENT},
        {"55P03", BACKSTAY_ERR_TRANSIENT}, {"57014", BACKSTAY_ERR_TRANSIENT},
        {"XX001", BACKSTAY_ERR_CORRUPT},   {"XX002", BACKSTAY_ERR_CORRUPT},
    };

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].kind;
    return BACKSTAY_ERR_IO;
}

/* libpq's texts end with a line break and may have several lines. */
static char *one_line(const char *text)
{
    char *line = plug_strdup(text ? text : "");
    size_t len = strlen(line);

    while (len && (line[len - 1] == '\n' || line[len - 1] == ' '))
        line[--len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\n' || line[i] == '\t')
            line[i] = ' ';
    return line;
}

static char *message_of(const struct pg_conn *conn, const PGresult *result)
{
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (primary == NULL) {
        /* What follows of libpq's own texts is guesses at the reason. */
        PLUG_AUTO_FREE char *text = plug_strdup(PQerrorMessage(conn->pq));
        text[strcspn(text, "\n")] = '\0';
        return one_line(text);
    }
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    PLUG_AUTO_FREE char *text =
        plug_strf("%s%s%s%s%s", primary, detail ? "; " : "", detail ? detail : "",
                  hint ? "; hint: " : "", hint ? hint : "");
    return one_line(text);
}

int pg_fail(struct pg_conn *conn, const PGresult *result, const char *what,
            struct backstay_error *err)
{
    PLUG_AUTO_FREE char *message = message_of(conn, result);
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    bool lost = PQstatus(conn->pq) == CONNECTION_BAD || conn->silent;

    if (conn->silent) {
        free(message);
        message = plug_strdup("the server does not answer any more; is the network all right?");
    }
    if (state == NULL)
        state = lost ? "08006" : "";
    (void)snprintf(conn->sqlstate, sizeof conn->sqlstate, "%s", state);
    return conn->host->fail(conn->host, err, lost ? BACKSTAY_ERR_TRANSIENT : kind_of(state),
                            "%s: %s: %s", conn->label, what, message);
}

bool pg_error_is(const struct pg_conn *conn, const char *sqlstate)
{
    return strncmp(conn->sqlstate, sqlstate, strlen(sqlstate)) == 0;
}

static void note(void *ctx, const char *message)
{
    const struct backstay_host *host = ctx;
    PLUG_AUTO_FREE char *line = one_line(message);

    host->log(host, BACKSTAY_LOG_DEBUG, "server: %s", line);
}

/* ---- connecting */

struct pg_place pg_place_of(const struct pg *pg, const char *database)
{
    return (struct pg_place){
        .url = pg->url,
        .host = pg->server_host,
        .port = pg->port,
        .user = pg->user,
        .password = pg->password,
        .database = database ? database : pg->database,
    };
}

/* Later keywords win over earlier ones, and only the first dbname is read as a url. A network that
 * is gone is noticed after two minutes, not after the two hours that are the system's default. */
static PGconn *start(const struct pg_place *place)
{
    const char *const keys[] = {"connect_timeout",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "dbname",
                                "host",
                                "port",
                                "user",
                                "password",
                                "dbname",
                                "fallback_application_name",
                                NULL};
    const char *const values[] = {CONNECT_SECONDS,
                                  "60",
                                  "10",
                                  "6",
                                  place->url,
                                  place->host,
                                  place->port,
                                  place->user,
                                  place->password,
                                  place->database,
                                  "backstay",
                                  NULL};
    const char *used_keys[PLUG_COUNT(keys)];
    const char *used_values[PLUG_COUNT(keys)];
    size_t n = 0;

    for (size_t i = 0; keys[i]; i++) {
        if (values[i] == NULL)
            continue;
        used_keys[n] = keys[i];
        used_values[n++] = values[i];
    }
    used_keys[n] = used_values[n] = NULL;
    return PQconnectStartParams(used_keys, used_values, 1);
}

/* What libpq itself heeds only when it connects without us. @return seconds; 0: for ever. */
static int64_t connect_seconds(PGconn *pq)
{
    PQconninfoOption *options = PQconninfo(pq);
    int64_t seconds = 0;
    int64_t hosts = 1;

    for (const PQconninfoOption *option = options; option && option->keyword; option++) {
        if (option->val && strcmp(option->keyword, "connect_timeout") == 0)
            seconds = strtoll(option->val, NULL, 10);
        if (option->val && strcmp(option->keyword, "host") == 0)
            for (const char *at = option->val; (at = strchr(at, ',')) != NULL; at++)
                hosts++;
    }
    PQconninfoFree(options);
    return seconds > 0 ? PLUG_MAX(seconds, 2) * hosts : 0;
}

enum { CONNECTED = 0, STOPPED = 1, TOO_LATE = 2 };

/* @return CONNECTED, STOPPED, TOO_LATE, or -1 (PQerrorMessage tells). */
static int wait_connected(const struct pg_conn *conn, int64_t seconds)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    int64_t deadline = pg_now_ns() + seconds * NS_PER_S;

    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        struct pollfd fd = {.fd = PQsocket(conn->pq),
                            .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        if (conn->host->cancelled(conn->host))
            return STOPPED;
        if (fd.fd < 0)
            return -1;
        if (seconds && pg_now_ns() > deadline)
            return TOO_LATE;
        if (poll(&fd, 1, POLL_MS) != 0)
            state = PQconnectPoll(conn->pq);
    }
    return state == PGRES_POLLING_OK ? CONNECTED : -1;
}

static char *label_of(PGconn *pq)
{
    const char *host = PQhost(pq);
    bool folder = host == NULL || host[0] == '/' || host[0] == '\0';

    return plug_strf("database %s on %s%s%s", PQdb(pq) ? PQdb(pq) : "",
                     host && host[0] ? host : "localhost", folder ? "" : ":",
                     folder || PQport(pq) == NULL ? "" : PQport(pq));
}

static int refuse(struct pg_conn *conn, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *why = one_line(PQerrorMessage(conn->pq));
    bool denied = strstr(why, "permission denied for database") != NULL;
    bool auth = PQconnectionNeedsPassword(conn->pq) || PQconnectionUsedPassword(conn->pq) ||
                denied || strstr(why, "pg_hba") || strstr(why, "authentication failed");
    bool absent = strstr(why, "does not exist") != NULL;
    PLUG_AUTO_FREE char *grant = denied ? pg_grant_connect(conn) : plug_strdup("");
    const char *todo = PQconnectionNeedsPassword(conn->pq)
                           ? "; a password is asked for: give it in the url or in ~/.pgpass"
                           : "";

    return conn->host->fail(conn->host, err,
                            auth     ? BACKSTAY_ERR_AUTH
                            : absent ? BACKSTAY_ERR_CONFIG
                                     : BACKSTAY_ERR_TRANSIENT,
                            "connect to %s: %s%s%s%s", conn->label, why, todo, denied ? "; " : "",
                            grant);
}

static int greet(struct pg_conn *conn, struct backstay_error *err)
{
    (void)PQsetNoticeProcessor(conn->pq, note, (void *)(uintptr_t)conn->host);
    free(conn->label);
    conn->label = label_of(conn->pq);
    conn->database = plug_strdup(PQdb(conn->pq));
    conn->version = PQserverVersion(conn->pq);
    conn->major = conn->version / 10000;
    if (conn->major < PG_OLDEST)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CONFIG,
                                "%s is version %d: %d is the oldest that is supported", conn->label,
                                conn->major, PG_OLDEST);
    if (PQsetnonblocking(conn->pq, 1) != 0)
        return pg_fail(conn, NULL, "set up", err);
    return 0;
}

int pg_connect_plain(struct pg_conn **out, const struct backstay_host *host,
                     const struct pg_place *place, struct backstay_error *err)
{
    struct pg_conn *conn = plug_alloc(1, sizeof *conn);

    conn->host = host;
    conn->pq = start(place);
    if (conn->pq == NULL)
        abort();
    conn->label = label_of(conn->pq);
    int64_t seconds = connect_seconds(conn->pq);
    int r = wait_connected(conn, seconds);
    if (r == STOPPED)
        r = host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    else if (r == TOO_LATE)
        r = host->fail(host, err, BACKSTAY_ERR_TRANSIENT,
                       "connect to %s: no answer within %lld s; are host and port right, does the "
                       "server run, and does a firewall let us through?",
                       conn->label, (long long)seconds);
    else if (r < 0)
        r = refuse(conn, err);
    else
        r = greet(conn, err);
    if (r != 0) {
        pg_disconnect(conn);
        return -1;
    }
    *out = conn;
    return 0;
}

int pg_connect(struct pg_conn **out, const struct backstay_host *host, const struct pg_place *place,
               struct backstay_error *err)
{
    struct pg_conn *conn;

    if (pg_connect_plain(&conn, host, place, err) != 0)
        return -1;
    conn->patience_ns = SETUP_SECONDS * NS_PER_S;
    if (pg_pooler_refuse(conn, place, err) != 0 || pg_run(conn, err, session_settings) != 0) {
        pg_disconnect(conn);
        return -1;
    }
    conn->patience_ns = 0;
    *out = conn;
    return 0;
}

void pg_disconnect(struct pg_conn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn->pq);
    free(conn->database);
    free(conn->label);
    free(conn);
}

/* ---- statements */

/* The beginning of a statement, for messages. */
static char *excerpt(const char *sql)
{
    char *text = one_line(sql);

    if (strlen(text) > 120)
        memcpy(text + 117, "...", 4);
    return text;
}

static PGresult *answer(struct pg_conn *conn, struct backstay_error *err, const char *sql, int sent)
{
    PLUG_AUTO_FREE char *what = excerpt(sql);

    conn->sqlstate[0] = '\0';
    if (sent)
        return pg_collect(conn, what, err);
    (void)pg_fail(conn, NULL, what, err);
    return NULL;
}

PGresult *pg_query(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                   const char *const *params, int n)
{
    int sent = params ? PQsendQueryParams(conn->pq, sql, n, NULL, params, NULL, NULL, 0)
                      : PQsendQuery(conn->pq, sql);

    return answer(conn, err, sql, sent);
}

PGresult *pg_query_bytes(struct pg_conn *conn, struct backstay_error *err, const char *sql,
                         const void *data, size_t len)
{
    const Oid bytea = 17;
    const char *value = data;
    int length = (int)len;
    int binary = 1;

    return answer(
        conn, err, sql,
        PQsendQueryParams(conn->pq, sql, data != NULL, &bytea, &value, &length, &binary, binary));
}

int pg_run(struct pg_conn *conn, struct backstay_error *err, const char *sql)
{
    PGresult *result = pg_query(conn, err, sql, NULL, 0);
    int r = result ? 0 : -1;

    PQclear(result);
    return r;
}

int pg_runf(struct pg_conn *conn, struct backstay_error *err, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    int r = pg_run(conn, err, text);
    free(text);
    return r;
}
