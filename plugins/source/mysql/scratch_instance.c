/* plugins/source/mysql/scratch_instance.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An instance without network, for one restore: it may lose everything in a crash, so nothing is
 * written twice or waited for.
 *
 * Its socket is in a folder that only root and its user can enter, and whoever is one of these
 * could read and write the files of the instance anyway: so its root has no password.
 */
#include "scratch.h"
#include "throwaway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static const char *const usual_users[] = {"mysql", "nobody", NULL};

static struct plug_server_kind kind_of(const struct my *my)
{
    return (struct plug_server_kind){
        .name = "mysql",
        .option = "scratch_folder",
        .folder = my->scratch_folder,
        .signal = "KILL",
        .socket_name_len = strlen(MY_SCRATCH_SOCKET),
        .user = {.option = "scratch_user", .wanted = my->scratch_user, .usual = usual_users},
    };
}

/* ---- settings */

/* What only one product or some series know begins with loose_. */
static const char fixed_settings[] = "[mysqld]\n"
                                     "skip_networking\n"
                                     "loose_mysqlx = OFF\n"
                                     "skip_name_resolve\n"
                                     "skip_log_bin\n"
                                     "event_scheduler = OFF\n"
                                     "local_infile = ON\n"
                                     "max_allowed_packet = 1G\n"
                                     "max_connections = 200\n"
                                     "table_open_cache = 4000\n"
                                     "performance_schema = OFF\n"
                                     "character_set_server = utf8mb4\n"
                                     "innodb_flush_log_at_trx_commit = 0\n"
                                     "innodb_doublewrite = 0\n"
                                     "innodb_autoinc_lock_mode = 2\n"
                                     "loose_innodb_flush_method = nosync\n"
                                     "innodb_log_buffer_size = 64M\n"
                                     "innodb_sort_buffer_size = 64M\n"
                                     "innodb_online_alter_log_max_size = 1G\n"
                                     "innodb_max_dirty_pages_pct = 90\n"
                                     "innodb_buffer_pool_dump_at_shutdown = OFF\n"
                                     "innodb_buffer_pool_load_at_startup = OFF\n"
                                     "innodb_strict_mode = OFF\n"
                                     "key_buffer_size = 32M\n"
                                     "myisam_sort_buffer_size = 64M\n"
                                     "loose_aria_sort_buffer_size = 64M\n"
                                     "loose_aria_pagecache_buffer_size = 64M\n";

/* The log of changes is the one large file that an empty instance has. */
static char *settings_text(const struct my *my)
{
    int64_t memory = plug_throwaway_memory_mib();
    int64_t pool = plug_throwaway_between(64, memory / 4, 4096);
    int64_t log = plug_throwaway_between(64, pool / 2, 512);
    struct plug_bytes text = {0};

    if (my->scratch_space_bytes)
        log = plug_throwaway_between(8, my->scratch_space_bytes / MIB / 4, log);
    plug_bytes_text(&text, fixed_settings);
    plug_bytes_format(&text, "innodb_buffer_pool_size = %lldM\n", (long long)pool);
    plug_bytes_format(&text, "loose_innodb_log_file_size = %lldM\n", (long long)log);
    plug_bytes_format(&text, "loose_innodb_redo_log_capacity = %lldM\n", (long long)log);
    return text.data;
}

/* ---- starting */

/* The script that fills a MariaDB's data folder is not always beside the server. */
static char *install_script(const struct my_program *program)
{
    static const char *const folders[] = {"bin", "scripts", "sbin"};

    for (size_t i = 0; i < PLUG_COUNT(folders); i++) {
        char *path = plug_strf("%s/%s/mariadb-install-db", program->base, folders[i]);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return plug_strdup("/usr/bin/mariadb-install-db");
}

/* A MariaDB that starts removes what looks temporary in its folder for that, which must not be one
 * that a server of production uses. The script knows no quotes, so the environment says it. */
#define IN_THE_FOLDER                                                                              \
    "/bin/sh", "-c",                                                                               \
        "cd \"$1\" && mkdir files tmp && TMPDIR=\"$1/tmp\" && export TMPDIR && shift && exec "     \
        "\"$@\"",                                                                                  \
        "sh"

static int initialise(struct plug_server *server, const struct my_program *program,
                      struct backstay_error *err)
{
    const struct backstay_host *host = server->host;
    PLUG_AUTO_FREE char *script = install_script(program);
    PLUG_AUTO_FREE char *data = plug_strf("--datadir=%s/data", server->path);
    PLUG_AUTO_FREE char *base = plug_strf("--basedir=%s", program->base);
    const char *const mariadb[] = {IN_THE_FOLDER,
                                   server->path,
                                   script,
                                   "--no-defaults",
                                   base,
                                   data,
                                   "--auth-root-authentication-method=normal",
                                   "--skip-test-db",
                                   "--skip-name-resolve",
                                   "--innodb-flush-method=nosync",
                                   "--innodb-log-file-size=8M",
                                   NULL};
    const char *const mysql[] = {IN_THE_FOLDER,           server->path, program->path,
                                 "--no-defaults",         base,         data,
                                 "--initialize-insecure", NULL};
    struct plug_child child = plug_server_child(server, program->series.mariadb ? mariadb : mysql);
    int r = plug_child_run(&child, err);

    if (r > 0) {
        PLUG_AUTO_FREE char *why = plug_child_why(&child);
        r = host->fail(host, err,
                       plug_throwaway_is_full(why) ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO,
                       "make a scratch instance in %s: %s: %s", server->path,
                       program->series.mariadb ? script : program->path, why);
    }
    plug_bytes_free(&child.said);
    return r;
}

static char *server_script(const struct plug_server *server, const struct my_program *program)
{
    struct plug_bytes text = {0};

    plug_bytes_text(&text, "exec ");
    plug_throwaway_add_word(&text, program->path);
    plug_bytes_text(&text, " --defaults-file=\"$PWD/my.cnf\" --datadir=\"$PWD/data\""
                           " --tmpdir=\"$PWD/tmp\" --pid-file=\"$PWD/data/pid\""
                           " --secure-file-priv=\"$PWD/files\" --basedir=");
    plug_throwaway_add_word(&text, program->base);
    plug_bytes_text(&text, " --socket=");
    plug_throwaway_add_word(&text, server->sockets);
    plug_bytes_text(&text, "/" MY_SCRATCH_SOCKET "\n");
    return text.data;
}

struct waiting {
    const struct my *my;
    const struct plug_server *server;
    struct my_place place;
    struct my_conn *conn; /* once it answers */
};

static int answers(void *ctx, struct backstay_error *err)
{
    struct waiting *waiting = ctx;

    if (access(waiting->place.socket, F_OK) != 0)
        return 0;
    if (my_connect(&waiting->conn, &waiting->place, err) == 0)
        return 1;
    return err->kind == BACKSTAY_ERR_AUTH || err->kind == BACKSTAY_ERR_CONFIG ? -1 : 0;
}

/* MariaDB has a setting for that. */
static int stop_log(struct my_conn *conn, struct backstay_error *err)
{
    if (conn->mariadb || conn->version < 80021)
        return 0;
    return my_run(conn, err, "ALTER INSTANCE DISABLE INNODB REDO_LOG");
}

static int wait_ready(const struct my *my, const struct plug_server *server,
                      struct backstay_error *err)
{
    struct waiting waiting = {.my = my, .server = server};

    waiting.place = (struct my_place){.my = my, .ssl_verify = 0};
    waiting.place.user = plug_strdup("root");
    waiting.place.password = plug_strdup("");
    waiting.place.socket = plug_strf("%s/" MY_SCRATCH_SOCKET, server->sockets);
    int r = plug_throwaway_wait(server, answers, &waiting, err);
    if (r == 0)
        r = stop_log(waiting.conn, err);
    my_disconnect(waiting.conn);
    my_place_free(&waiting.place);
    return r;
}

static int set_up(struct plug_server *server, const struct my *my, const struct my_program *program,
                  struct backstay_error *err)
{
    PLUG_AUTO_FREE char *settings = settings_text(my);
    PLUG_AUTO_FREE char *script = server_script(server, program);

    if (initialise(server, program, err) != 0 ||
        plug_server_put(server, "my.cnf", settings, err) != 0 ||
        plug_server_put(server, "server", script, err) != 0 ||
        plug_server_start(server, "KILL", my->scratch_space_bytes, err) != 0)
        return -1;
    return wait_ready(my, server, err);
}

/* ---- what the host is told */

static void describe(struct backstay_scratch *out, const struct my *my,
                     const struct plug_server *server, const struct my_program *program)
{
    PLUG_AUTO_BYTES struct plug_bytes location = {0};
    PLUG_AUTO_BYTES struct plug_bytes hint = {0};
    PLUG_AUTO_FREE char *database = my_scratch_first_database(my);

    plug_bytes_text(&location, "mysql://root@localhost/?socket=");
    plug_throwaway_add_url(&location, server->sockets);
    (void)snprintf(out->location, sizeof out->location, "%s/" MY_SCRATCH_SOCKET, location.data);
    (void)snprintf(out->marker, sizeof out->marker, "%s",
                   plug_server_short_name(server->path, sizeof out->marker - 1));
    if (!BACKSTAY_HAS(out, hint))
        return;
    plug_bytes_format(&hint, "%s --no-defaults --user=root --socket=",
                      program->series.mariadb ? "mariadb" : "mysql");
    plug_throwaway_add_word(&hint, server->sockets);
    plug_bytes_text(&hint, "/" MY_SCRATCH_SOCKET);
    if (database) {
        plug_bytes_text(&hint, " ");
        plug_throwaway_add_word(&hint, database);
    }
    (void)snprintf(out->hint, sizeof out->hint, "%s", hint.data);
}

static int make(struct backstay_scratch *out, const struct my *my, const struct my_program *program,
                struct backstay_error *err)
{
    const struct plug_server_kind kind = kind_of(my);
    struct backstay_error why = {.size = sizeof why};
    struct plug_server server;

    if (plug_server_create(&server, my->host, &kind,
                           plug_throwaway_expires(out, my->scratch_time_ns), err) != 0)
        return -1;
    int r = set_up(&server, my, program, err);
    if (r == 0 && plug_throwaway_is_kept(out))
        r = plug_server_keep(&server, err);
    if (r == 0)
        describe(out, my, &server, program);
    if (r != 0 && plug_server_remove(my->host, &kind, server.path, &why) != 0)
        my->host->log(my->host, BACKSTAY_LOG_WARN, "%s", why.text);
    plug_server_free(&server);
    return r;
}

int my_instance_create(const struct my *my, struct backstay_scratch *out,
                       struct backstay_error *err)
{
    const char *version = BACKSTAY_HAS(out, server_version) ? out->server_version : NULL;
    const struct my_series want = my_series_of(version);
    struct my_program program;

    if (my_program_find(&program, my, &want, err) != 0)
        return -1;
    if (want.major && (program.series.major != want.major || program.series.minor != want.minor))
        my->host->log(my->host, BACKSTAY_LOG_NOTE,
                      "the scratch instance is version %s, the snapshot is from %s",
                      program.version, version);
    int r = make(out, my, &program, err);
    my_program_free(&program);
    return r;
}

int my_instance_remove(const struct my *my, const char *marker, struct backstay_error *err)
{
    const struct plug_server_kind kind = kind_of(my);

    return plug_server_remove(my->host, &kind, marker, err);
}

unsigned my_instance_reap(const struct my *my, bool count_only)
{
    const struct plug_server_kind kind = kind_of(my);

    return plug_server_reap(my->host, &kind, count_only);
}

bool my_instance_possible(const struct my *my, const char *version, char **how)
{
    const struct plug_server_kind kind = kind_of(my);
    const struct my_series want = my_series_of(version);
    struct backstay_error why = {.size = sizeof why};
    struct plug_user user = {0};
    struct my_program program;

    if (plug_user_find(&user, my->host, &kind.user, &why) != 0 ||
        my_program_find(&program, my, &want, &why) != 0) {
        *how = plug_strdup(why.text);
        return false;
    }
    *how = plug_strf("instances are made by %s, version %s, run by the user %s", program.path,
                     program.version, user.name);
    my_program_free(&program);
    return true;
}
