/* plugins/source/postgres/plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The tables of options, and what makes an instance of them.
 */
#include "postgres.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPT_URL,
    OPT_HOST,
    OPT_PORT,
    OPT_USER,
    OPT_PASSWORD,
    OPT_DATABASE,
    OPT_DATABASES,
    OPT_SCHEMAS,
    OPT_EXCLUDE_SCHEMAS,
    OPT_TABLES,
    OPT_EXCLUDE_TABLES,
    OPT_STRUCTURE_ONLY,
    OPT_JOBS,
    OPT_LOCK_TIMEOUT,
    OPT_ABORT_WHEN_BLOCKING,
    OPT_SPLIT,
    OPT_GLOBALS,
    OPT_BIN,
    OPT_SCRATCH_BIN,
    OPT_SCRATCH_SERVER,
    OPT_SCRATCH_FOLDER,
    OPT_SCRATCH_USER,
    OPT_SCRATCH_TIME,
    OPT_SCRATCH_SPACE,
    OPTIONS
};

static const struct backstay_option *const options[OPTIONS] = {
    [OPT_URL] =
        PLUG_OPTION("url", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                    "The connection: postgresql://user@host/db?sslmode=verify-full, or "
                    "\"host=... dbname=...\"; what it leaves open comes from PGHOST and the "
                    "like, ~/.pgpass and the service file"),
    [OPT_HOST] = PLUG_OPTION("host", BACKSTAY_OPTION_STRING, 0, NULL,
                             "The server's name, address or socket folder, instead of a url"),
    [OPT_PORT] = PLUG_OPTION("port", BACKSTAY_OPTION_INT, 0, NULL, "Its port"),
    [OPT_USER] = PLUG_OPTION("user", BACKSTAY_OPTION_STRING, 0, NULL, "The role to connect as"),
    [OPT_PASSWORD] = PLUG_OPTION("password", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                                 "Its password"),
    [OPT_DATABASE] = PLUG_OPTION("database", BACKSTAY_OPTION_STRING, 0, NULL,
                                 "The database, when the url names none or another"),
    [OPT_DATABASES] = PLUG_OPTION("databases", BACKSTAY_OPTION_LIST, 0, NULL,
                                  "Several databases of the server in one snapshot, or \"all\""),
    [OPT_SCHEMAS] = PLUG_OPTION("schemas", BACKSTAY_OPTION_LIST, 0, NULL,
                                "Patterns with * and ?: only these schemas"),
    [OPT_EXCLUDE_SCHEMAS] = PLUG_OPTION("exclude_schemas", BACKSTAY_OPTION_LIST, 0, NULL,
                                        "Patterns: not these schemas"),
    [OPT_TABLES] =
        PLUG_OPTION("tables", BACKSTAY_OPTION_LIST, 0, NULL,
                    "Patterns, \"schema.table\": only these tables, and no other objects "
                    "than theirs"),
    [OPT_EXCLUDE_TABLES] = PLUG_OPTION("exclude_tables", BACKSTAY_OPTION_LIST, 0, NULL,
                                       "Patterns: not these tables, neither structure nor rows"),
    [OPT_STRUCTURE_ONLY] = PLUG_OPTION("structure_only", BACKSTAY_OPTION_LIST, 0, NULL,
                                       "Patterns: tables that are kept without their rows, such as "
                                       "sessions or logs"),
    [OPT_JOBS] = PLUG_OPTION("jobs", BACKSTAY_OPTION_INT, 0, NULL,
                             "Connections that read or load at once; otherwise \"threads\" of the "
                             "configuration"),
    [OPT_LOCK_TIMEOUT] =
        PLUG_OPTION("lock_timeout", BACKSTAY_OPTION_DURATION, 0, "60s",
                    "How long to try for the locks on all tables before giving up"),
    [OPT_ABORT_WHEN_BLOCKING] =
        PLUG_OPTION("abort_when_blocking", BACKSTAY_OPTION_DURATION, 0, "30s",
                    "Give up when another session has waited for our locks this long; 0s: never"),
    [OPT_SPLIT] = PLUG_OPTION("split", BACKSTAY_OPTION_SIZE, 0, "256MiB",
                              "Tables larger than this are read in several parts at once"),
    [OPT_GLOBALS] = PLUG_OPTION("globals", BACKSTAY_OPTION_BOOL, 0, "true",
                                "Keep roles, memberships and settings too (never passwords)"),
    [OPT_BIN] = PLUG_OPTION("bin", BACKSTAY_OPTION_PATH, 0, NULL,
                            "Folder of pg_dump and pg_restore; otherwise the one that fits the "
                            "server best is searched"),
    [OPT_SCRATCH_BIN] =
        PLUG_OPTION("scratch_bin", BACKSTAY_OPTION_PATH, 0, NULL,
                    "Folder of initdb and postgres for scratch instances; otherwise "
                    "searched"),
    [OPT_SCRATCH_SERVER] =
        PLUG_OPTION("scratch_server", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                    "The url of a server for scratch databases, with a role that "
                    "may create databases, instead of instances of our own"),
    [OPT_SCRATCH_FOLDER] = PLUG_OPTION("scratch_folder", BACKSTAY_OPTION_PATH, 0, NULL,
                                       "Where scratch instances live; otherwise below $TMPDIR or "
                                       "/var/tmp"),
    [OPT_SCRATCH_USER] = PLUG_OPTION("scratch_user", BACKSTAY_OPTION_STRING, 0, NULL,
                                     "The system user that runs scratch instances when Backstay is "
                                     "root; otherwise postgres or nobody"),
    [OPT_SCRATCH_TIME] =
        PLUG_OPTION("scratch_time", BACKSTAY_OPTION_DURATION, 0, "24h",
                    "A scratch place for which no other time is asked ends after this"),
    [OPT_SCRATCH_SPACE] = PLUG_OPTION("scratch_space", BACKSTAY_OPTION_SIZE, 0, NULL,
                                      "A scratch instance that grows larger than this is ended"),
};

static const struct backstay_option *const restore_options[] = {
    PLUG_OPTION("database", BACKSTAY_OPTION_STRING, 0, NULL,
                "Which database of the snapshot, when it has several"),
    PLUG_OPTION("table", BACKSTAY_OPTION_LIST, 0, NULL, "Only these tables, \"schema.table\""),
    PLUG_OPTION("schema_only", BACKSTAY_OPTION_BOOL, 0, NULL, "The structure without rows"),
    PLUG_OPTION("data_only", BACKSTAY_OPTION_BOOL, 0, NULL,
                "The rows, into a structure that is there"),
    PLUG_OPTION("no_owner", BACKSTAY_OPTION_BOOL, 0, NULL,
                "Everything belongs to the role that restores, and nobody is granted anything"),
    PLUG_OPTION("jobs", BACKSTAY_OPTION_INT, 0, NULL, "Connections that load at once"),
    PLUG_OPTION("replace", BACKSTAY_OPTION_STRING, 0, NULL,
                "The name of the existing database that is replaced"),
};

static struct pg_patterns patterns_of(const struct backstay_host *host, unsigned option)
{
    const struct backstay_value *value = plug_value(host, option);

    return (struct pg_patterns){value->items, value->set ? value->n_items : 0};
}

static void read_connection(struct pg *pg)
{
    const struct backstay_host *host = pg->host;

    pg->url = plug_text(host, OPT_URL);
    pg->server_host = plug_text(host, OPT_HOST);
    pg->port = plug_text(host, OPT_PORT);
    pg->user = plug_text(host, OPT_USER);
    pg->password = plug_text(host, OPT_PASSWORD);
    pg->database = plug_text(host, OPT_DATABASE);
    pg->databases = patterns_of(host, OPT_DATABASES);
}

static void read_scratch(struct pg *pg)
{
    const struct backstay_host *host = pg->host;

    pg->scratch_bin = plug_text(host, OPT_SCRATCH_BIN);
    pg->scratch_server = plug_text(host, OPT_SCRATCH_SERVER);
    pg->scratch_folder = plug_text(host, OPT_SCRATCH_FOLDER);
    pg->scratch_user = plug_text(host, OPT_SCRATCH_USER);
    pg->scratch_time_ns = plug_number(host, OPT_SCRATCH_TIME, 0);
    pg->scratch_space_bytes = plug_number(host, OPT_SCRATCH_SPACE, 0);
}

static int read_options(struct pg *pg, struct backstay_error *err)
{
    const struct backstay_host *host = pg->host;
    int64_t jobs = plug_number(host, OPT_JOBS, host->jobs);

    read_connection(pg);
    read_scratch(pg);
    pg->schemas = patterns_of(host, OPT_SCHEMAS);
    pg->exclude_schemas = patterns_of(host, OPT_EXCLUDE_SCHEMAS);
    pg->tables = patterns_of(host, OPT_TABLES);
    pg->exclude_tables = patterns_of(host, OPT_EXCLUDE_TABLES);
    pg->structure_only = patterns_of(host, OPT_STRUCTURE_ONLY);
    pg->lock_timeout_ns = plug_number(host, OPT_LOCK_TIMEOUT, 0);
    pg->abort_when_blocking_ns = plug_number(host, OPT_ABORT_WHEN_BLOCKING, 0);
    pg->split_bytes = plug_number(host, OPT_SPLIT, 256 << 20);
    pg->globals = plug_flag(host, OPT_GLOBALS, true);
    pg->bin = plug_text(host, OPT_BIN);
    if (jobs < 1 || jobs > 64)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "\"jobs\" is %lld: 1 to 64 are possible",
                          (long long)jobs);
    if (pg->split_bytes < (1 << 20))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "\"split\" must be 1MiB at least");
    if (pg->url && (pg->server_host || pg->port))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "\"url\" and \"host\" or \"port\" are both given; keep the url");
    pg->jobs = (unsigned)jobs;
    return 0;
}

static int pg_open(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    struct pg *pg = plug_alloc(1, sizeof *pg);

    pg->host = host;
    if (read_options(pg, err) != 0) {
        free(pg);
        return -1;
    }
    *self = pg;
    return 0;
}

static void pg_close(void *self)
{
    struct pg *pg = self;

    if (pg == NULL)
        return;
    pg_copies_clear(pg);
    free(pg);
}

static const struct backstay_source source = {
    .size = sizeof source,
    .open = pg_open,
    .close = pg_close,
    .check = pg_check,
    .backup = pg_backup,
    .restore = pg_restore,
    .probe = pg_probe,
    .scratch_create = pg_scratch_create,
    .scratch_remove = pg_scratch_remove,
    .restore_options = restore_options,
    .n_restore_options = PLUG_COUNT(restore_options),
    .covers = pg_covers,
};

static const struct backstay_plugin plugin = {
    .size = sizeof plugin,
    .abi = BACKSTAY_ABI,
    .kind = BACKSTAY_SOURCE,
    .n_options = OPTIONS,
    .name = "postgres",
    .version = BACKSTAY_VERSION,
    .summary = "Databases of a PostgreSQL server, managed ones included",
    .options = options,
    .source = &source,
};

const struct backstay_plugin *backstay_plugin(void)
{
    return &plugin;
}
