/* plugins/source/postgres/scratch_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Databases on the server of the option scratch_server. Their names begin with a random one, the
 * rest of which is the name in the snapshot; their comments are markers (see marker), so that
 * another run knows that they are ours and until when.
 */
#include "marker.h"
#include "scratch.h"
#include "throwaway.h"

#include <stdlib.h>
#include <string.h>

/* ---- names: backstay-scratch-databases:backstay_scratch_0123456789ab?until=SECONDS&kept=1 */

static const char *base_of(const char *marker, size_t *len)
{
    const char *base = marker + strlen(PG_SCRATCH_SCHEME);

    *len = strcspn(base, "?");
    return base;
}

/* ---- is it another server? */

/* Tells two servers apart, also when they are copies of each other, and is known to every role. */
static char *identity(struct pg_conn *conn, struct backstay_error *err)
{
    return pg_value(conn, err,
                    "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text");
}

/* Its database may be what is lost. */
static int connect_source(struct pg_conn **out, const struct pg *pg, struct backstay_error *err)
{
    const char *const databases[] = {NULL, "postgres"};
    int r = -1;

    for (size_t i = 0; r != 0 && i < PLUG_COUNT(databases); i++) {
        struct pg_place place = pg_place_of(pg, databases[i]);
        r = pg_connect(out, pg->host, &place, err);
    }
    return r;
}

/* A source that cannot be reached, perhaps since it is lost, is no reason to have no copy. */
static int refuse_the_source(const struct pg *pg, struct pg_conn *there, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};
    struct pg_conn *here;

    if (connect_source(&here, pg, &why) != 0) {
        pg->host->log(pg->host, BACKSTAY_LOG_INFO,
                      "the scratch server is not compared with the source: %s", why.text);
        return 0;
    }
    PLUG_AUTO_FREE char *a = identity(here, &why);
    PLUG_AUTO_FREE char *b = identity(there, &why);
    pg_disconnect(here);
    if (a == NULL || b == NULL) {
        pg->host->log(pg->host, BACKSTAY_LOG_WARN,
                      "whether the scratch server is the source itself cannot be told: %s",
                      why.text);
        return 0;
    }
    if (strcmp(a, b) == 0)
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG,
                              "\"scratch_server\" is the server that is backed up (%s): name "
                              "another one, or remove the option to get an instance of its own",
                              there->label);
    return 0;
}

static int refuse_without_rights(const struct pg *pg, struct pg_conn *conn,
                                 struct backstay_error *err)
{
    PLUG_AUTO_FREE char *role =
        pg_value(conn, err,
                 "SELECT CASE WHEN rolcreatedb OR rolsuper THEN '' ELSE pg_catalog.quote_ident("
                 "rolname) END FROM pg_catalog.pg_roles WHERE rolname = current_user");

    if (role == NULL)
        return -1;
    if (role[0] == '\0')
        return 0;
    return pg->host->fail(
        pg->host, err, BACKSTAY_ERR_AUTH,
        "%s: the role may not create databases; run there: ALTER ROLE %s CREATEDB", conn->label,
        role);
}

static int refuse_older(const struct pg *pg, const struct pg_conn *conn, int major,
                        struct backstay_error *err)
{
    if (conn->major >= major)
        return 0;
    return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG,
                          "%s is version %d, the snapshot is from %d: a newer dump cannot be "
                          "restored into an older server; name a newer \"scratch_server\"",
                          conn->label, conn->major, major);
}

/* ---- creating */

static int connect_there(struct pg_conn **out, const struct pg *pg, struct backstay_error *err)
{
    const struct backstay_host *host = pg->host;

    if (pg->scratch_server == NULL)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "this scratch place is on another server, and \"scratch_server\" is not "
                          "set");
    struct pg_place place = pg_scratch_place(pg, PG_SCRATCH_SCHEME, NULL);
    return pg_connect(out, host, &place, err);
}

/* The connection without its password as a command, where it fits. */
static void set_hint(struct backstay_scratch *out, const struct pg_conn *conn, const char *database)
{
    PLUG_AUTO_FREE char *conninfo = pg_conninfo(conn, database);
    PLUG_AUTO_BYTES struct plug_bytes hint = {0};

    plug_bytes_text(&hint, "psql \"");
    for (const char *c = conninfo; *c; c++) {
        if (strchr("\"$`\\", *c))
            plug_bytes_text(&hint, "\\");
        plug_bytes_add(&hint, c, 1);
    }
    plug_bytes_text(&hint, "\"");
    if (hint.len < sizeof out->hint)
        memcpy(out->hint, hint.data, hint.len + 1);
}

static void describe(struct backstay_scratch *out, const struct pg *pg, const struct pg_conn *conn)
{
    PLUG_AUTO_BYTES struct plug_bytes marker = {0};
    PLUG_AUTO_FREE char *first = pg_scratch_first_database(pg);

    plug_throwaway_add_base(&marker, PG_SCRATCH_SCHEME PG_SCRATCH_DATABASE);
    (void)snprintf(out->marker, sizeof out->marker, "%s", marker.data);
    (void)snprintf(out->location, sizeof out->location, "%s?until=%lld&kept=%d", marker.data,
                   (long long)plug_throwaway_expires(out, pg->scratch_time_ns),
                   plug_throwaway_is_kept(out));
    PLUG_AUTO_FREE char *name = pg_scratch_database(marker.data, first);
    if (BACKSTAY_HAS(out, hint))
        set_hint(out, conn, name);
}

/* Connects, and refuses a server on which the databases cannot or must not be made. */
static int connect_for(struct pg_conn **out, const struct pg *pg, int major,
                       struct backstay_error *err)
{
    struct pg_conn *conn;

    if (connect_there(&conn, pg, err) != 0)
        return -1;
    int r = refuse_without_rights(pg, conn, err);
    if (r == 0)
        r = refuse_older(pg, conn, major, err);
    if (r == 0)
        r = refuse_the_source(pg, conn, err);
    if (r == 0)
        *out = conn;
    else
        pg_disconnect(conn);
    return r;
}

int pg_scratch_server_create(const struct pg *pg, struct backstay_scratch *out,
                             struct backstay_error *err)
{
    const char *version = BACKSTAY_HAS(out, server_version) ? out->server_version : NULL;
    struct pg_conn *conn;

    if (connect_for(&conn, pg, version ? atoi(version) : 0, err) != 0)
        return -1;
    describe(out, pg, conn);
    pg_disconnect(conn);
    return 0;
}

bool pg_scratch_server_possible(const struct pg *pg, int major, char **how)
{
    struct backstay_error why = {.size = sizeof why};
    struct pg_conn *conn;

    if (connect_for(&conn, pg, major, &why) != 0) {
        *how = plug_strdup(why.text);
        return false;
    }
    *how =
        plug_strf("databases are made on the server of %s, version %d", conn->label, conn->major);
    pg_disconnect(conn);
    return true;
}

int pg_scratch_mark(struct pg_conn *conn, const struct pg *pg, const char *location,
                    const char *database, struct backstay_error *err)
{
    const char *until = strstr(location, "?until=");
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (pg_scratch_kind(location) != PG_SCRATCH_DATABASES)
        return 0;
    struct plug_marker marker = plug_marker_mine("postgres", pg->host->name);
    marker.expires = until ? strtoll(until + strlen("?until="), NULL, 10) : marker.created;
    marker.kept = strstr(location, "&kept=1") != NULL;
    PLUG_AUTO_FREE char *text = plug_marker_text(&marker);
    plug_marker_free(&marker);
    plug_bytes_text(&sql, "COMMENT ON DATABASE ");
    pg_add_ident(&sql, database);
    plug_bytes_text(&sql, " IS ");
    pg_add_literal(&sql, text);
    return pg_run(conn, err, sql.data);
}

/* ---- removing */

static int drop(struct pg_conn *conn, const char *database, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "DROP DATABASE IF EXISTS ");
    pg_add_ident(&sql, database);
    plug_bytes_text(&sql, " WITH (FORCE)");
    return pg_run(conn, err, sql.data);
}

static PGresult *databases_there(struct pg_conn *conn, const char *base, size_t len,
                                 struct backstay_error *err)
{
    PLUG_AUTO_FREE char *prefix = plug_strf("%.*s", (int)len, base);
    const char *const params[] = {prefix};

    return pg_query(conn, err,
                    "SELECT datname, pg_catalog.shobj_description(oid, 'pg_database')"
                    " FROM pg_catalog.pg_database WHERE NOT datistemplate"
                    " AND pg_catalog.starts_with(datname::text, $1)",
                    params, 1);
}

/* Goes by the name alone: it has 48 random bits, and the mark is missing when the restore was
 * stopped between making the database and marking it. */
int pg_scratch_server_remove(const struct pg *pg, const char *marker, struct backstay_error *err)
{
    const struct backstay_host deaf_host = plug_host_deaf(pg->host);
    struct pg deaf = *pg;
    struct pg_conn *conn;
    size_t len;
    const char *base = base_of(marker, &len);

    if (strncmp(base, PG_SCRATCH_DATABASE, strlen(PG_SCRATCH_DATABASE)) != 0 ||
        len < strlen(PG_SCRATCH_DATABASE) + 12)
        return pg->host->fail(pg->host, err, BACKSTAY_ERR_CONFIG, "%s is no scratch place", marker);
    deaf.host = &deaf_host;
    if (connect_there(&conn, &deaf, err) != 0)
        return -1;
    PGresult *rows = databases_there(conn, base, len, err);
    int r = rows ? 0 : -1;
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        struct backstay_error why = {.size = sizeof why};
        if (drop(conn, pg_cell(rows, i, 0), r == 0 ? err : &why) != 0)
            r = -1;
    }
    PQclear(rows);
    pg_disconnect(conn);
    return r;
}

unsigned pg_scratch_server_reap(const struct pg *pg, bool count_only)
{
    const struct backstay_host *host = pg->host;
    struct backstay_error why = {.size = sizeof why};
    struct pg_conn *conn;
    unsigned n = 0;

    if (connect_there(&conn, pg, &why) != 0)
        return 0;
    PGresult *rows = databases_there(conn, PG_SCRATCH_DATABASE, strlen(PG_SCRATCH_DATABASE), &why);
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        const char *name = pg_cell(rows, i, 0);
        if (!plug_throwaway_is_over(pg_cell(rows, i, 1)))
            continue;
        n++;
        if (count_only)
            continue;
        if (drop(conn, name, &why) != 0) {
            host->log(host, BACKSTAY_LOG_WARN, "%s", why.text);
            n--;
        } else {
            host->log(host, BACKSTAY_LOG_NOTE,
                      "removed the database %s, which an earlier run left behind", name);
        }
    }
    PQclear(rows);
    pg_disconnect(conn);
    return n;
}
