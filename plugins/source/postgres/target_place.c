/* plugins/source/postgres/target_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A database takes the place of another one, which is kept.
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char *name_of_old(const struct pg_into *into)
{
    struct tm now;
    time_t t = time(NULL);
    char end[40];

    (void)gmtime_r(&t, &now);
    (void)strftime(end, sizeof end, "_before_%Y%m%d_%H%M%S", &now);
    return pg_into_derive(into->named, end);
}

/* @return how many sessions use the database that is there, -1 with @err. */
static int64_t count_sessions(const struct pg_into *into, struct backstay_error *err)
{
    const char *name = into->named;
    PGresult *rows = pg_query(into->server, err,
                              "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
                              " WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()",
                              &name, 1);

    if (rows == NULL)
        return -1;
    int64_t n = pg_cell_number(rows, 0, 0);
    PQclear(rows);
    return n;
}

static char *rename_sql(const char *from, const char *to)
{
    struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "ALTER DATABASE ");
    pg_add_ident(&sql, from);
    plug_bytes_text(&sql, " RENAME TO ");
    pg_add_ident(&sql, to);
    return sql.data;
}

static char *drop_sql(const char *name)
{
    struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "DROP DATABASE ");
    pg_add_ident(&sql, name);
    return sql.data;
}

/* It stays, and is called what was asked for from here on. */
static void take_name(struct pg_into *into)
{
    into->created = false;
    free(into->name);
    into->name = plug_strdup(into->named);
}

/* The new database is complete and stays: what is left is two statements. */
static int tell_busy(struct pg_into *into, const char *first, const char *second, int64_t sessions,
                     struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes name = {0};

    pg_add_literal(&name, into->named);
    (void)into->host->fail(
        into->host, err, BACKSTAY_ERR_CONFIG,
        "everything is restored into database %s, but %lld sessions use %s, which cannot be "
        "renamed "
        "while they do; end them (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
        "datname = %s), then run: %s; %s",
        into->name, (long long)sessions, into->named, name.data, first, second);
    take_name(into);
    return -1;
}

int pg_into_name(struct pg_into *into, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql = rename_sql(into->name, into->named);

    if (pg_run(into->server, err, sql) != 0)
        return -1;
    take_name(into);
    return 0;
}

int pg_into_replace(struct pg_into *into, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *old = name_of_old(into);
    PLUG_AUTO_FREE char *first = rename_sql(into->named, old);
    PLUG_AUTO_FREE char *second = rename_sql(into->name, into->named);
    PLUG_AUTO_FREE char *drop = drop_sql(old);
    int64_t sessions = count_sessions(into, err);

    if (sessions < 0)
        return -1;
    if (sessions > 0)
        return tell_busy(into, first, second, sessions, err);
    /* In one transaction: there is a database of that name at every moment. */
    if (pg_runf(into->server, err, "BEGIN; %s; %s; COMMIT", first, second) != 0) {
        struct backstay_error ignored = {.size = sizeof ignored};
        bool busy = pg_error_is(into->server, "55006");
        if (pg_run(into->server, &ignored, "ROLLBACK") == 0 && busy) {
            sessions = count_sessions(into, &ignored);
            return tell_busy(into, first, second, PLUG_MAX(sessions, 1), err);
        }
        return -1;
    }
    take_name(into);
    into->host->log(into->host, BACKSTAY_LOG_NOTE,
                    "the database that was replaced is kept as %s; when it is no longer needed: "
                    "%s;",
                    old, drop);
    return 0;
}
