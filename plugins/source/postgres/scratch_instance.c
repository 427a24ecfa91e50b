/* plugins/source/postgres/scratch_instance.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An instance without network, for one restore: it may lose everything in a crash, so nothing
 * is written twice or waited for.
 *
 * Its socket is in a folder that only root and its user can enter, and whoever is one of these
 * could read and write the files of the instance anyway: so connections need no password.
 */
#include "scratch.h"
#include "throwaway.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const usual_users[] = {"postgres", "nobody", NULL};

static struct plug_server_kind kind_of(const struct pg *pg)
{
    return (struct plug_server_kind){
        .name = "postgres",
        .option = "scratch_folder",
        .folder = pg->scratch_folder,
        .signal = "QUIT",
        .socket_name_len = strlen(".s.PGSQL.5432"),
        .user = {.option = "scratch_user", .wanted = pg->scratch_user, .usual = usual_users},
    };
}

/* ---- the programs */

static int find_newest(struct pg_tool *out, const struct backstay_host *host,
                       struct backstay_error *err)
{
    struct pg_tool next;
    int r = pg_tool_find(out, host, "initdb", PG_OLDEST, NULL, err);

    if (r != 0)
        return r;
    struct backstay_error none = {.size = sizeof none};
    while (pg_tool_find(&next, host, "initdb", out->major + 1, NULL, &none) == 0) {
        pg_tool_free(out);
        *out = next;
    }
    return 0;
}

/* What a newer server answers is not always comparable, so it is used only where somebody has said
 * so by naming its folder. */
static int find_initdb(struct pg_tool *out, const struct pg *pg, int major,
                       struct backstay_error *err)
{
    const struct backstay_host *host = pg->host;
    struct backstay_error why = {.size = sizeof why};
    const char *bin = pg->scratch_bin;
    int least = bin || major == 0 ? PG_OLDEST : major;
    int r = major || bin ? pg_tool_find(out, host, "initdb", least, bin, &why)
                         : find_newest(out, host, &why);

    if (r != 0 && why.kind == BACKSTAY_ERR_CANCELLED)
        return host->fail(host, err, why.kind, "%s", why.text);
    if (r == 0 && (out->major == major || major == 0))
        return 0;
    if (r == 0 && bin && out->major > major) {
        host->log(host, BACKSTAY_LOG_WARN,
                  "the scratch instance is version %d, the snapshot is from %d: some facts cannot "
                  "be compared",
                  out->major, major);
        return 0;
    }
    if (r == 0)
        pg_tool_free(out);
    if (bin)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "make a scratch instance of PostgreSQL %d: \"scratch_bin\" is %s, which "
                          "has no initdb of that version or newer",
                          PLUG_MAX(major, (int)PG_OLDEST), bin);
    return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                      "make a scratch instance of PostgreSQL %d: the programs of that server are "
                      "not installed; install postgresql-%d, or give their folder with "
                      "\"scratch_bin\" or another server with \"scratch_server\"",
                      major ? major : PG_NEWEST, major ? major : PG_NEWEST);
}

/* ---- settings */

/* In containers it often has 64 MiB, too little for parallel work; in a changed root it may be a
 * folder that only root can write. */
static bool shared_memory_is_of_use(void)
{
    struct statvfs room;
    struct stat st;

    return statvfs("/dev/shm", &room) == 0 && stat("/dev/shm", &st) == 0 &&
           (st.st_mode & S_IWOTH) && (uint64_t)room.f_bavail * room.f_frsize >= (256U << 20);
}

/* A list of folders within a string: both have quotes of their own, as in SQL. */
static void add_socket_folder(struct plug_bytes *out, const char *path)
{
    PLUG_AUTO_BYTES struct plug_bytes item = {0};

    pg_add_ident(&item, path);
    plug_bytes_text(out, "unix_socket_directories = ");
    pg_add_literal(out, item.data);
    plug_bytes_text(out, "\n");
}

static const char fixed_settings[] =
    "listen_addresses = ''\n"
    "unix_socket_permissions = 0700\n"
    "cluster_name = 'backstay scratch'\n"
    "fsync = off\n"
    "full_page_writes = off\n"
    "synchronous_commit = off\n"
    "wal_level = minimal\n"
    "max_wal_senders = 0\n"
    "archive_mode = off\n"
    /* A restored subscription must not take over the slot of the original. */
    "max_logical_replication_workers = 0\n"
    "wal_init_zero = off\n"
    "max_wal_size = 4GB\n"
    "checkpoint_timeout = 1h\n"
    "autovacuum = off\n"
    "bgwriter_lru_maxpages = 0\n"
    "jit = off\n"
    "max_connections = 100\n"
    "max_locks_per_transaction = 1024\n"
    "restart_after_crash = off\n"
    "logging_collector = off\n"
    "log_destination = stderr\n"
    "log_timezone = UTC\n"
    "timezone = UTC\n"
    "lc_messages = C\n"
    "log_checkpoints = off\n"
    /* Statements may hold secrets. */
    "log_min_error_statement = panic\n";

static char *settings_text(const struct plug_server *server)
{
    struct plug_bytes text = {0};
    long processors = PLUG_MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
    int64_t memory = plug_throwaway_memory_mib();

    plug_bytes_text(&text, fixed_settings);
    plug_bytes_format(&text, "shared_buffers = %lldMB\n",
                      (long long)plug_throwaway_between(32, memory / 16, 512));
    plug_bytes_format(&text, "maintenance_work_mem = %lldMB\n",
                      (long long)plug_throwaway_between(32, memory / 32, 512));
    plug_bytes_format(&text, "max_parallel_maintenance_workers = %ld\n",
                      PLUG_MIN(processors, 8L) / 2);
    if (!shared_memory_is_of_use())
        plug_bytes_text(&text, "dynamic_shared_memory_type = mmap\n");
    add_socket_folder(&text, server->sockets);
    return text.data;
}

/* ---- starting */

static int run_initdb(struct plug_server *server, const struct pg_tool *initdb,
                      struct backstay_error *err)
{
    const struct backstay_host *host = server->host;
    PLUG_AUTO_FREE char *data = plug_strf("%s/data", server->path);
    const char *argv[16] = {initdb->path,
                            "-D",
                            data,
                            "-U",
                            PG_SCRATCH_ROLE,
                            "--no-sync",
                            "--encoding=UTF8",
                            "--locale=C",
                            "--auth-local=trust",
                            "--auth-host=reject"};
    size_t n = 10;

    /* They are on from 18 on; here they would only cost time. */
    if (initdb->major >= 18)
        argv[n] = "--no-data-checksums";
    struct plug_child child = plug_server_child(server, argv);
    int r = plug_child_run(&child, err);
    if (r > 0) {
        PLUG_AUTO_FREE char *why = plug_child_why(&child);
        r = host->fail(host, err,
                       plug_throwaway_is_full(why) ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO,
                       "make a scratch instance in %s: %s: %s", server->path, initdb->path, why);
    }
    plug_bytes_free(&child.said);
    return r;
}

/* Data and settings are in the folder that it is started in. */
static char *server_script(const struct pg_tool *initdb)
{
    PLUG_AUTO_FREE char *folder =
        plug_strf("%.*s", (int)(strrchr(initdb->path, '/') - initdb->path), initdb->path);
    struct plug_bytes text = {0};

    plug_bytes_text(&text, "exec ");
    plug_throwaway_add_word(&text, folder);
    plug_bytes_text(&text, "/postgres -D \"$PWD/data\" -c config_file=\"$PWD/postgresql.conf\"\n");
    return text.data;
}

static int answers(void *ctx, struct backstay_error *err)
{
    const struct plug_server *server = ctx;
    const char *const keys[] = {"host", "port", "user", "dbname", "connect_timeout", NULL};
    const char *const values[] = {server->sockets, "5432", PG_SCRATCH_ROLE, "postgres", "10", NULL};

    (void)err;
    return PQpingParams(keys, values, 0) == PQPING_OK;
}

static int set_up(struct plug_server *server, const struct pg *pg, const struct pg_tool *initdb,
                  struct backstay_error *err)
{
    PLUG_AUTO_FREE char *settings = settings_text(server);
    PLUG_AUTO_FREE char *script = server_script(initdb);

    if (run_initdb(server, initdb, err) != 0 ||
        plug_server_put(server, "postgresql.conf", settings, err) != 0 ||
        plug_server_put(server, "server", script, err) != 0 ||
        plug_server_start(server, "QUIT", pg->scratch_space_bytes, err) != 0)
        return -1;
    return plug_throwaway_wait(server, answers, server, err);
}

/* ---- what the host is told */

static void describe(struct backstay_scratch *out, const struct pg *pg,
                     const struct plug_server *server)
{
    PLUG_AUTO_BYTES struct plug_bytes sockets = {0};
    PLUG_AUTO_BYTES struct plug_bytes database = {0};
    PLUG_AUTO_FREE char *name = pg_scratch_first_database(pg);

    plug_throwaway_add_url(&sockets, server->sockets);
    plug_throwaway_add_url(&database, name);
    (void)snprintf(out->location, sizeof out->location,
                   "postgresql:///postgres?host=%s&port=5432&user=" PG_SCRATCH_ROLE
                   "&application_name=" PG_SCRATCH_APPLICATION,
                   sockets.data);
    (void)snprintf(out->marker, sizeof out->marker, "%s",
                   plug_server_short_name(server->path, sizeof out->marker - 1));
    if (BACKSTAY_HAS(out, hint))
        (void)snprintf(out->hint, sizeof out->hint,
                       "psql 'postgresql:///%s?host=%s&port=5432&user=" PG_SCRATCH_ROLE "'",
                       database.len ? database.data : "", sockets.data);
}

int pg_instance_create(const struct pg *pg, struct backstay_scratch *out,
                       struct backstay_error *err)
{
    const struct plug_server_kind kind = kind_of(pg);
    const char *version = BACKSTAY_HAS(out, server_version) ? out->server_version : NULL;
    struct plug_server server;
    struct pg_tool initdb;

    if (find_initdb(&initdb, pg, version ? atoi(version) : 0, err) != 0)
        return -1;
    int r = plug_server_create(&server, pg->host, &kind,
                               plug_throwaway_expires(out, pg->scratch_time_ns), err);
    if (r == 0) {
        r = set_up(&server, pg, &initdb, err);
        if (r == 0 && plug_throwaway_is_kept(out))
            r = plug_server_keep(&server, err);
        if (r == 0)
            describe(out, pg, &server);
        struct backstay_error why = {.size = sizeof why};
        if (r != 0 && plug_server_remove(pg->host, &kind, server.path, &why) != 0)
            pg->host->log(pg->host, BACKSTAY_LOG_WARN, "%s", why.text);
        plug_server_free(&server);
    }
    pg_tool_free(&initdb);
    return r;
}

int pg_instance_remove(const struct pg *pg, const char *marker, struct backstay_error *err)
{
    const struct plug_server_kind kind = kind_of(pg);

    return plug_server_remove(pg->host, &kind, marker, err);
}

unsigned pg_instance_reap(const struct pg *pg, bool count_only)
{
    const struct plug_server_kind kind = kind_of(pg);

    return plug_server_reap(pg->host, &kind, count_only);
}

bool pg_instance_possible(const struct pg *pg, int major, char **how)
{
    const struct plug_server_kind kind = kind_of(pg);
    struct backstay_error why = {.size = sizeof why};
    struct plug_user user = {0};
    struct pg_tool initdb;

    if (plug_user_find(&user, pg->host, &kind.user, &why) != 0 ||
        find_initdb(&initdb, pg, major, &why) != 0) {
        *how = plug_strdup(why.text);
        return false;
    }
    *how = plug_strf("instances are made by %s, version %d, run by the user %s", initdb.path,
                     initdb.major, user.name);
    pg_tool_free(&initdb);
    return true;
}
