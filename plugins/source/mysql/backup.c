/* plugins/source/mysql/backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A backup: all databases in one snapshot.
 */
#include "check.h"
#include "preflight.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SKEW_S = 60 };

static int stopped(const struct my_run *run, struct backstay_error *err)
{
    return run->my->host->fail(run->my->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
}

/* ---- details */

static int read_detail(struct my_run *run, struct my_conn *conn, const char *name, const char *sql,
                       struct backstay_error *err)
{
    PLUG_AUTO_FREE char *value = my_value(conn, err, sql);

    if (value == NULL)
        return -1;
    return *value && run->sink->detail(run->sink, name, value) != 0 ? stopped(run, err) : 0;
}

static int read_details(struct my_run *run, struct backstay_error *err)
{
    static const struct {
        const char *name;
        const char *sql;
    } rows[] = {
        {"server_version", "SELECT VERSION()"},
        {"server_comment", "SELECT @@version_comment"},
        {"server_id", "SELECT @@server_id"},
        {"character_set_server", "SELECT @@character_set_server"},
        {"collation_server", "SELECT @@collation_server"},
        {"sql_mode", "SELECT @@GLOBAL.sql_mode"},
        {"lower_case_table_names", "SELECT @@lower_case_table_names"},
    };
    const struct my_snapshot *snapshot = &run->snapshot;
    struct backstay_sink *sink = run->sink;

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (read_detail(run, snapshot->conns[0], rows[i].name, rows[i].sql, err) != 0)
            return -1;
    int r = sink->detail(sink, "consistency", my_way_name(snapshot->way));
    if (*snapshot->file)
        r |= sink->detail(sink, "binlog_file", snapshot->file) |
             sink->detail(sink, "binlog_position", snapshot->position);
    if (*snapshot->gtid)
        r |= sink->detail(sink, "gtid", snapshot->gtid);
    if (*snapshot->source_gtid)
        r |= sink->detail(sink, "source_gtid", snapshot->source_gtid);
    for (size_t i = 0; i < run->n_databases; i++) {
        PLUG_AUTO_FREE char *prefix = my_run_prefix(run, run->databases[i].label);
        PLUG_AUTO_FREE char *name = plug_strf("%sdatabase", prefix);
        r |= sink->detail(sink, name, run->databases[i].name);
    }
    return r != 0 ? stopped(run, err) : 0;
}

/* ---- afterwards */

static int warn_wrong(struct my_run *run, struct backstay_error *err)
{
    struct backstay_sink *sink = run->sink;
    int r = 0;

    for (size_t i = 0; i < run->snapshot.tables.n && r == 0; i++)
        if (run->results[i].wrong)
            r = sink->warn(sink, NULL, 0,
                           "table %s: %llu texts have bytes that are none of their character set; "
                           "they are kept, but a server refuses them when they are loaded",
                           run->snapshot.tables.items[i].label,
                           (unsigned long long)run->results[i].wrong);
    return r != 0 ? stopped(run, err) : 0;
}

static void add_ddl(json_t *tables, const json_t *ddl)
{
    json_t *table;
    size_t i;

    json_array_foreach(tables, i, table)(void)
        json_object_update(table, json_object_get(ddl, plug_json_get(table, "name")));
}

static int send_database(struct my_run *run, size_t i, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *folder = my_folder(run->databases[i].name);
    PLUG_AUTO_FREE char *path = plug_strf("%stables.json", folder);
    json_t *tables = my_run_describe(run, &run->databases[i]);

    add_ddl(tables, run->ddls[i].tables);
    int r = my_scripts_send(run->sink, folder, tables, run->ddls[i].objects);
    if (r == 0)
        r = plug_send_json(run->sink, path, json_incref(tables));
    json_decref(tables);
    return r != 0 ? stopped(run, err) : 0;
}

static int finish(struct my_run *run, struct backstay_error *err)
{
    struct backstay_sink *sink = run->sink;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t skew = run->snapshot.instant_ns / 1000000000 - now.tv_sec;
    /* The run took its time: the server's clock can only look late here, not early. */
    if (skew > SKEW_S &&
        sink->warn(sink, NULL, 0, "the server's clock is %lld s ahead of this machine's",
                   (long long)skew) != 0)
        return stopped(run, err);
    my_run_sort(run);
    if (read_details(run, err) != 0 || warn_wrong(run, err) != 0)
        return -1;
    for (size_t i = 0; i < run->n_databases; i++)
        if (send_database(run, i, err) != 0)
            return -1;
    if (run->my->users && my_users_send(run->place, sink, err) != 0)
        return -1;
    if (my_run_facts(run, err) != 0)
        return -1;
    return sink->instant(sink, run->snapshot.instant_ns) != 0 ? stopped(run, err) : 0;
}

static int look(void *ctx, struct backstay_report *report, struct backstay_error *err)
{
    return my_preflight(ctx, report, err);
}

int my_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    struct my *my = self;
    struct my_place place;
    char **names = NULL;
    size_t n = 0;
    struct my_run run;

    if (plug_preflight(my->host, sink, look, my, err) != 0 ||
        my_place_read(&place, my, my->url, err) != 0)
        return -1;
    int r = my_databases(my, &place, &names, &n, err);
    my_run_begin(&run, my);
    run.sink = sink;
    run.place = &place;
    run.facts = plug_facts_of_sink(sink, "");
    run.databases = plug_alloc(n + 1, sizeof *run.databases);
    run.n_databases = n;
    run.several = n > 1;
    for (size_t i = 0; i < n; i++)
        run.databases[i] = (struct my_database){names[i], names[i]};
    if (r == 0)
        r = my_run_read(&run, err);
    if (r == 0)
        r = finish(&run, err);
    free(run.databases);
    my_run_end(&run);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    my_place_free(&place);
    return r;
}
