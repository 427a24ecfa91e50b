/* plugins/source/postgres/backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A backup: the databases one after the other, each in a snapshot of its own.
 */
#include "run.h"

#include "check.h"
#include "meta.h"
#include "names.h"
#include "preflight.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AGAIN = 1, SKEW_S = 60 };

/* ---- beside the rows: pg_dump first, since the gate waits for it */

static int send_below(struct pg_run *run, const char *name, json_t *json,
                      struct backstay_error *err)
{
    PLUG_AUTO_FREE char *path = plug_strf("%s%s", run->folder, name);

    if (plug_send_json(run->sink, path, json) == 0)
        return 0;
    return run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
}

static int send_database(struct pg_run *run, struct pg_conn *conn, struct backstay_error *err)
{
    json_t *json = NULL;

    if (pg_database_read(conn, &json, err) != 0)
        return -1;
    (void)json_object_set_new(json, "dump_version", json_integer(run->dump.version));
    return send_below(run, "database.json", json, err);
}

static int send_sequences(struct pg_run *run, struct pg_conn *conn, struct backstay_error *err)
{
    json_t *json = NULL;

    if (pg_sequences_read(run->pg, conn, &json, err) != 0)
        return -1;
    int r = pg_sequences_facts(json, &run->facts);
    if (run->sink && r == 0)
        return send_below(run, "sequences.json", json, err);
    json_decref(json);
    return r;
}

static int read_meta(struct pg_run *run, struct backstay_error *err)
{
    struct pg_conn *conn = pg_run_side(run, err);
    const struct pg_large_objects large = {.conn = conn,
                                           .snapshot = run->hold.snapshot,
                                           .sink = run->sink,
                                           .folder = run->folder,
                                           .facts = &run->facts};

    if (conn == NULL || pg_run(conn, err, "SET lock_timeout = '60s'") != 0 ||
        pg_hold_join(&run->hold, conn, err) != 0 ||
        (run->sink && send_database(run, conn, err) != 0) || send_sequences(run, conn, err) != 0 ||
        pg_inventory(run->pg, conn, &run->facts, err) != 0 || pg_run(conn, err, "COMMIT") != 0)
        return -1;
    return pg_large_objects_read(&large, err);
}

static void *run_side(void *ctx)
{
    struct pg_run *run = ctx;
    struct backstay_error err = {.size = sizeof err};
    int r = run->sink ? pg_dump_schema(run, &err) : 0;

    if (r > 0)
        r = pg_run_retry(run, &err);
    if (r == 0) {
        plug_crew_open(&run->crew);
        r = read_meta(run, &err);
    }
    if (r != 0)
        (void)plug_crew_stop(&run->crew, &err);
    return NULL;
}

/* ---- one database */

static int fail_thread(struct pg_run *run, struct backstay_error *err)
{
    return run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_IO, "a thread cannot be started");
}

/* With the locks held. @return 0, AGAIN: the locks must be released and taken anew, -1. */
static int read_held(struct pg_run *run, struct backstay_error *err)
{
    struct pg_watch watch = {.run = run};
    bool watched = true;
    pthread_t side;
    pthread_t watcher;

    if (run->sink && pg_dump_prepare(run, err) != 0)
        return -1;
    pg_run_plan(run);
    if (pthread_create(&side, NULL, run_side, run) != 0)
        return fail_thread(run, err);
    if (pthread_create(&watcher, NULL, pg_watch_run, &watch) != 0) {
        (void)fail_thread(run, err);
        (void)plug_crew_stop(&run->crew, err);
        watched = false;
    }
    int r = pg_run_read(run, err);
    (void)pthread_join(side, NULL);
    atomic_store(&watch.ended, true);
    if (watched)
        (void)pthread_join(watcher, NULL);
    if (r == 0 && !atomic_load(&run->crew.stopped))
        return 0;
    (void)plug_crew_fail(&run->crew, err);
    return run->again ? AGAIN : -1;
}

int pg_run_database(struct pg_run *run, struct backstay_error *err)
{
    int r;

    if (pg_hold_open(&run->hold, run->pg, &run->place, err) != 0)
        return -1;
    do {
        pg_run_reset(run);
        if (pg_hold_take(&run->hold, run->pg, err) != 0)
            return -1;
        r = read_held(run, err);
    } while (r == AGAIN && pg_hold_give_way(&run->hold, run->pg, err) == 0);
    if (r == 0 && pg_run_account(run) != 0)
        r = run->pg->host->fail(run->pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    return r == 0 ? 0 : -1;
}

/* ---- which databases */

static void keep_name(char ***out, size_t *n, const char *name)
{
    char **grown = reallocarray(*out, *n + 1, sizeof *grown);

    if (grown == NULL)
        abort();
    grown[(*n)++] = plug_strdup(name);
    *out = grown;
}

static int all_databases(const struct pg *pg, char ***out, size_t *n, struct backstay_error *err)
{
    struct pg_place place = pg_place_of(pg, NULL);
    struct pg_conn *conn = NULL;
    PGresult *rows = NULL;

    int r = pg_connect(&conn, pg->host, &place, err);
    /* A url without a database means one that is named like the role, which need not be there. */
    if (r != 0 && err->kind == BACKSTAY_ERR_CONFIG && place.database == NULL) {
        place.database = "postgres";
        r = pg_connect(&conn, pg->host, &place, err);
    }
    if (r == 0)
        rows = pg_query(conn, err,
                        "SELECT datname FROM pg_catalog.pg_database"
                        " WHERE datallowconn AND NOT datistemplate"
                        /* The provider's own; its customers may not enter them. */
                        " AND NOT (datname IN ('rdsadmin', 'cloudsqladmin', 'azure_maintenance',"
                        " 'azure_sys') AND NOT pg_catalog.has_database_privilege(oid, 'CONNECT'))"
                        " ORDER BY datname",
                        NULL, 0);
    for (int i = 0; rows && i < PQntuples(rows); i++)
        keep_name(out, n, pg_cell(rows, i, 0));
    PQclear(rows);
    pg_disconnect(conn);
    return rows ? 0 : -1;
}

int pg_databases(const struct pg *pg, char ***out, size_t *n, struct backstay_error *err)
{
    struct pg_place place = pg_place_of(pg, NULL);
    struct pg_conn *conn = NULL;

    *out = NULL;
    *n = 0;
    if (pg->databases.n == 1 && strcmp(pg->databases.items[0], "all") == 0)
        return all_databases(pg, out, n, err);
    for (size_t i = 0; i < pg->databases.n; i++)
        keep_name(out, n, pg->databases.items[i]);
    if (*n)
        return 0;
    if (pg_connect(&conn, pg->host, &place, err) != 0)
        return -1;
    keep_name(out, n, conn->database);
    pg_disconnect(conn);
    return 0;
}

/* ---- the whole */

struct backup {
    const struct pg *pg;
    struct backstay_sink *sink;
    char **names;
    size_t n;
};

static int look(void *ctx, struct backstay_report *report, struct backstay_error *err)
{
    return pg_preflight(ctx, report, err);
}

static int send_globals(const struct backup *backup, struct backstay_error *err)
{
    struct pg_place place = pg_place_of(backup->pg, backup->names[0]);
    struct pg_conn *conn = NULL;
    json_t *json = NULL;

    if (!backup->pg->globals)
        return 0;
    int r = pg_connect(&conn, backup->pg->host, &place, err);
    if (r == 0)
        r = pg_globals_read(conn, &json, err);
    pg_disconnect(conn);
    if (r == 0 && plug_send_json(backup->sink, "globals.json", json) != 0)
        r = backup->pg->host->fail(backup->pg->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    return r;
}

static void describe(const struct backup *backup, struct pg_run *run)
{
    struct backstay_sink *sink = backup->sink;
    const char *prefix = backup->n > 1 ? run->facts.prefix : "";
    PLUG_AUTO_FREE char *lsn = plug_strf("%slsn", prefix);
    PLUG_AUTO_FREE char *database = plug_strf("%sdatabase", prefix);
    PLUG_AUTO_FREE char *dump = plug_strf("%d.%d", run->dump.major, run->dump.version % 10000);
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t skew = run->hold.instant_ns / 1000000000 - now.tv_sec;
    /* The run took its time: the server's clock can only look late here, not early. */
    if (skew > SKEW_S)
        (void)sink->warn(sink, NULL, 0, "the server's clock is %lld s ahead of this machine's",
                         (long long)skew);
    const char *version = PQparameterStatus(run->hold.control->pq, "server_version");
    (void)sink->detail(sink, "server_version", version ? version : "");
    (void)sink->detail(sink, "pg_dump", dump);
    (void)sink->detail(sink, database, run->name);
    (void)sink->detail(sink, lsn, run->hold.lsn);
    if (run->hold.standby)
        (void)sink->detail(sink, "standby", "true");
}

static int back_up(struct backup *backup, const char *name, int64_t *instant,
                   struct backstay_error *err)
{
    const struct pg *pg = backup->pg;
    PLUG_AUTO_BYTES struct plug_bytes folder = {0};
    PLUG_AUTO_FREE char *prefix = backup->n > 1 ? plug_strf("%s/", name) : plug_strdup("");
    struct pg_run run;
    struct pg_conn *conn = NULL;

    pg_run_begin(&run, pg);
    plug_names_escape(&folder, name);
    run.folder = plug_strf("%s/", folder.data);
    run.name = plug_strdup(name);
    run.place = pg_place_of(pg, name);
    run.sink = backup->sink;
    run.facts = plug_facts_of_sink(backup->sink, prefix);
    int r = pg_connect(&conn, pg->host, &run.place, err);
    if (r == 0)
        r = pg_tool_find(&run.dump, pg->host, "pg_dump", conn->major, pg->bin, err);
    if (r == 0)
        r = pg_tool_find(&run.reader, pg->host, "pg_restore", run.dump.major, pg->bin, err);
    pg_disconnect(conn);
    if (r == 0)
        r = pg_run_database(&run, err);
    if (r == 0) {
        describe(backup, &run);
        if (*instant == 0 || run.hold.instant_ns < *instant)
            *instant = run.hold.instant_ns;
    }
    pg_run_end(&run);
    return r;
}

int pg_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    struct pg *pg = self;
    struct backup backup = {.pg = pg, .sink = sink};
    int64_t instant = 0;
    int r = plug_preflight(pg->host, sink, look, pg, err);

    if (r == 0)
        r = pg_databases(pg, &backup.names, &backup.n, err);
    if (r == 0 && backup.n > 0)
        r = send_globals(&backup, err);
    for (size_t i = 0; i < backup.n && r == 0; i++)
        r = back_up(&backup, backup.names[i], &instant, err);
    if (r == 0 && instant > 0)
        r = sink->instant(sink, instant);
    for (size_t i = 0; i < backup.n; i++)
        free(backup.names[i]);
    free(backup.names);
    return r;
}
