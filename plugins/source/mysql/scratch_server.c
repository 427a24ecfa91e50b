/* plugins/source/mysql/scratch_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Databases on the server of the option scratch_server. Their names begin with a random one, the
 * rest of which is the name in the snapshot. The database with the random name alone holds the
 * marker (see marker), so that another run knows that they are ours and until when.
 */
#include "marker.h"
#include "scratch.h"
#include "throwaway.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASE_LEN = sizeof MY_SCRATCH_DATABASE - 1 + 12, SAME_START_S = 2 };

#define MARKER_TABLE "backstay_scratch"

/* ---- is it another server? */

/* What tells two servers apart and is known to every account: names alone are the same in many
 * containers. */
struct identity {
    char *names;
    int64_t started; /* seconds since 1970 */
};

static int identify(struct identity *out, struct my_conn *conn, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *now = my_value(conn, err, "SELECT UNIX_TIMESTAMP()");
    MYSQL_RES *rows = now ? my_query(conn, err, "SHOW GLOBAL STATUS LIKE 'Uptime'") : NULL;
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;

    if (row)
        out->started = strtoll(now, NULL, 10) - my_cell_number(row, 1);
    if (rows)
        mysql_free_result(rows);
    if (row)
        out->names =
            my_value(conn, err, "SELECT CONCAT_WS(' ', @@hostname, @@port, @@socket, @@datadir)");
    return out->names ? 0 : -1;
}

/* Its database may be what is lost. */
static int connect_source(struct my_conn **out, const struct my *my, struct backstay_error *err)
{
    struct my_place place;

    if (my_place_read(&place, my, my->url, err) != 0)
        return -1;
    free(place.database);
    place.database = NULL;
    int r = my_connect(out, &place, err);
    my_place_free(&place);
    return r;
}

static int compare(const struct my *my, struct my_conn *here, struct my_conn *there,
                   struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};
    struct identity a = {0};
    struct identity b = {0};
    int r = 0;

    if (identify(&a, here, &why) != 0 || identify(&b, there, &why) != 0)
        my->host->log(my->host, BACKSTAY_LOG_WARN,
                      "whether the scratch server is the source itself cannot be told: %s",
                      why.text);
    else if (strcmp(a.names, b.names) == 0 && llabs(a.started - b.started) <= SAME_START_S)
        r = my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                           "\"scratch_server\" is the server that is backed up (%s): name another "
                           "one, or remove the option to get an instance of its own",
                           there->label);
    free(a.names);
    free(b.names);
    return r;
}

/* A source that cannot be reached, perhaps since it is lost, is no reason to have no copy. */
static int refuse_the_source(const struct my *my, struct my_conn *there, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};
    struct my_conn *here;

    if (connect_source(&here, my, &why) != 0) {
        my->host->log(my->host, BACKSTAY_LOG_INFO,
                      "the scratch server is not compared with the source: %s", why.text);
        return 0;
    }
    int r = compare(my, here, there, err);
    my_disconnect(here);
    return r;
}

static int refuse_other_product(const struct my *my, const struct my_conn *conn,
                                const char *version, struct backstay_error *err)
{
    const struct my_series want = my_series_of(version);
    PLUG_AUTO_FREE char *name = my_series_name(&want);

    if (want.major == 0 ||
        (want.mariadb == conn->mariadb && conn->version / 100 >= want.major * 100 + want.minor))
        return 0;
    return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                          "%s is version %u.%u, the snapshot is from %s: name a "
                          "\"scratch_server\" of the same product that is not older",
                          conn->label, conn->version / 10000, conn->version / 100 % 100, name);
}

/* ---- creating */

/* Connects, and refuses a server on which the databases cannot or must not be made. */
static int connect_there(struct my_conn **out, const struct my *my, struct backstay_error *err)
{
    struct my_place place;

    if (my_scratch_place(&place, my, MY_SCRATCH_SCHEME, err) != 0)
        return -1;
    int r = my_connect(out, &place, err);
    my_place_free(&place);
    return r;
}

static int connect_for(struct my_conn **out, const struct my *my, const char *version,
                       struct backstay_error *err)
{
    struct my_conn *conn;

    if (connect_there(&conn, my, err) != 0)
        return -1;
    int r = refuse_other_product(my, conn, version, err);
    if (r == 0)
        r = refuse_the_source(my, conn, err);
    if (r == 0)
        *out = conn;
    else
        my_disconnect(conn);
    return r;
}

static int refuse_without_rights(struct my_conn *conn, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};
    PLUG_AUTO_FREE char *account =
        my_value(conn, &why,
                 "SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@',"
                 " QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))");

    return conn->host->fail(conn->host, err, BACKSTAY_ERR_AUTH,
                            "%s: the account may not create databases for scratch places; run "
                            "there: GRANT ALL ON `backstay\\_scratch\\_%%`.* TO %s",
                            conn->label, account ? account : "it");
}

static int drop(struct my_conn *conn, const char *database, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "DROP DATABASE IF EXISTS ");
    my_add_ident(&sql, database);
    return my_run(conn, err, sql.data);
}

/* @base the database of the marker, which has no odd characters. */
static int mark(struct my_conn *conn, const struct my *my, const char *base,
                const struct backstay_scratch *scratch, struct backstay_error *err)
{
    struct plug_marker marker = plug_marker_mine("mysql", my->host->name);
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    marker.expires = plug_throwaway_expires(scratch, my->scratch_time_ns);
    marker.kept = plug_throwaway_is_kept(scratch);
    PLUG_AUTO_FREE char *text = plug_marker_text(&marker);
    plug_marker_free(&marker);
    if (my_runf(conn, err, "CREATE DATABASE `%s` CHARACTER SET utf8mb4", base) != 0)
        return conn->error == ER_DBACCESS_DENIED_ERROR ? refuse_without_rights(conn, err) : -1;
    plug_bytes_format(&sql, "INSERT INTO `%s`." MARKER_TABLE " VALUES (", base);
    my_add_literal(&sql, text, strlen(text));
    plug_bytes_text(&sql, ")");
    if (my_runf(conn, err, "CREATE TABLE `%s`." MARKER_TABLE " (marker text NOT NULL)", base) ==
            0 &&
        my_run(conn, err, sql.data) == 0)
        return 0;
    struct backstay_error why = {.size = sizeof why};
    if (drop(conn, base, &why) != 0)
        my->host->log(my->host, BACKSTAY_LOG_WARN, "%s", why.text);
    return -1;
}

static void add_option(struct plug_bytes *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    plug_bytes_format(out, " --%s=", name);
    plug_throwaway_add_word(out, value);
}

/* The connection without its password as a command, where it fits. */
static void set_hint(struct backstay_scratch *out, const struct my_conn *conn, const char *database)
{
    const struct my_place *place = &conn->place;
    PLUG_AUTO_BYTES struct plug_bytes hint = {0};

    plug_bytes_text(&hint, conn->mariadb ? "mariadb" : "mysql");
    add_option(&hint, "socket", place->socket);
    add_option(&hint, "host", place->socket ? NULL : place->host);
    if (place->port && place->socket == NULL)
        plug_bytes_format(&hint, " --port=%u", place->port);
    add_option(&hint, "user", place->user);
    if (place->password)
        plug_bytes_text(&hint, " --password");
    plug_bytes_text(&hint, " ");
    plug_throwaway_add_word(&hint, database);
    if (hint.len < sizeof out->hint)
        memcpy(out->hint, hint.data, hint.len + 1);
}

static void describe(struct backstay_scratch *out, const struct my *my, const struct my_conn *conn,
                     const char *marker)
{
    PLUG_AUTO_FREE char *first = my_scratch_first_database(my);

    (void)snprintf(out->marker, sizeof out->marker, "%s", marker);
    (void)snprintf(out->location, sizeof out->location, "%s", marker);
    PLUG_AUTO_FREE char *name = my_scratch_database(marker, first ? first : "");
    if (BACKSTAY_HAS(out, hint))
        set_hint(out, conn, name);
}

int my_scratch_server_create(const struct my *my, struct backstay_scratch *out,
                             struct backstay_error *err)
{
    const char *version = BACKSTAY_HAS(out, server_version) ? out->server_version : NULL;
    PLUG_AUTO_BYTES struct plug_bytes marker = {0};
    struct my_conn *conn;

    if (connect_for(&conn, my, version, err) != 0)
        return -1;
    plug_throwaway_add_base(&marker, MY_SCRATCH_SCHEME MY_SCRATCH_DATABASE);
    int r = mark(conn, my, marker.data + strlen(MY_SCRATCH_SCHEME), out, err);
    if (r == 0)
        describe(out, my, conn, marker.data);
    my_disconnect(conn);
    return r;
}

/* Rights are not known before a database is made: grants may come from roles or patterns. */
bool my_scratch_server_possible(const struct my *my, const char *version, char **how)
{
    struct backstay_error why = {.size = sizeof why};
    struct my_conn *conn;

    if (connect_for(&conn, my, version, &why) != 0) {
        *how = plug_strdup(why.text);
        return false;
    }
    *how = plug_strf("databases are made on %s, version %u.%u", conn->label, conn->version / 10000,
                     conn->version / 100 % 100);
    my_disconnect(conn);
    return true;
}

/* ---- removing */

/* The databases whose names begin with @base; one for the marker comes last. NULL: @err. */
static MYSQL_RES *databases_there(struct my_conn *conn, const char *base,
                                  struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
                          " WHERE LEFT(SCHEMA_NAME, CHAR_LENGTH(");
    my_add_literal(&sql, base, strlen(base));
    plug_bytes_text(&sql, ")) = ");
    my_add_literal(&sql, base, strlen(base));
    plug_bytes_text(&sql, " ORDER BY SCHEMA_NAME DESC");
    return my_query(conn, err, sql.data);
}

/* Goes by the names alone: they have 48 random bits. The marker goes last, so that what could not
 * be removed now is removed by a later run. */
static int drop_all(struct my_conn *conn, const char *base, struct backstay_error *err)
{
    MYSQL_RES *rows = databases_there(conn, base, err);
    int r = rows ? 0 : -1;
    MYSQL_ROW row;

    while (r == 0 && (row = mysql_fetch_row(rows)) != NULL)
        r = drop(conn, my_cell(row, 0), err);
    if (rows)
        mysql_free_result(rows);
    return r;
}

int my_scratch_server_remove(const struct my *my, const char *marker, struct backstay_error *err)
{
    const struct backstay_host deaf_host = plug_host_deaf(my->host);
    const char *base = marker + strlen(MY_SCRATCH_SCHEME);
    struct my deaf = *my;
    struct my_conn *conn;

    if (strncmp(base, MY_SCRATCH_DATABASE, strlen(MY_SCRATCH_DATABASE)) != 0 ||
        strlen(base) != BASE_LEN)
        return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG, "%s is no scratch place", marker);
    deaf.host = &deaf_host;
    if (connect_there(&conn, &deaf, err) != 0)
        return -1;
    int r = drop_all(conn, base, err);
    my_disconnect(conn);
    return r;
}

static bool is_over(struct my_conn *conn, const char *base)
{
    struct backstay_error none = {.size = sizeof none};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (strlen(base) != BASE_LEN)
        return false;
    plug_bytes_text(&sql, "SELECT marker FROM ");
    my_add_ident(&sql, base);
    plug_bytes_text(&sql, "." MARKER_TABLE);
    PLUG_AUTO_FREE char *text = my_value(conn, &none, sql.data);
    return text && plug_throwaway_is_over(text);
}

unsigned my_scratch_server_reap(const struct my *my, bool count_only)
{
    const struct backstay_host *host = my->host;
    struct backstay_error why = {.size = sizeof why};
    struct my_conn *conn;
    unsigned n = 0;
    MYSQL_ROW row;

    if (connect_there(&conn, my, &why) != 0)
        return 0;
    MYSQL_RES *rows = databases_there(conn, MY_SCRATCH_DATABASE, &why);
    while (rows && (row = mysql_fetch_row(rows)) != NULL) {
        const char *base = my_cell(row, 0);
        if (!is_over(conn, base))
            continue;
        if (!count_only && drop_all(conn, base, &why) != 0) {
            host->log(host, BACKSTAY_LOG_WARN, "%s", why.text);
            continue;
        }
        n++;
        if (!count_only)
            host->log(host, BACKSTAY_LOG_NOTE,
                      "removed the databases %s..., which an earlier run left behind", base);
    }
    if (rows)
        mysql_free_result(rows);
    my_disconnect(conn);
    return n;
}
