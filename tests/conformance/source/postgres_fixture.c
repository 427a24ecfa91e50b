/* tests/conformance/source/postgres_fixture.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * PostgreSQL refuses to run as root: there, the servers run as the user postgres. They end with the
 * test, however it ends.
 */
#include "postgres_fixture.h"

#include "base/fs.h"
#include "server_process.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char user_name[] = "postgres";

/* ---------------------------------------------------------------- programs */

static char *find_folder(int major, int last, const char *program)
{
    const char *cache = getenv("BACKSTAY_TEST_CACHE");

    for (int found = major; found <= last; found++) {
        char *folders[] = {
            stay_strf("/usr/lib/postgresql/%d/bin", found),
            stay_strf("%s/postgresql/%d/bin", cache ? cache : "/var/cache/backstay-tests", found)};
        char *answer = NULL;
        for (size_t i = 0; i < STAY_COUNT(folders) && answer == NULL; i++) {
            stay_auto_str char *path = stay_strf("%s/%s", folders[i], program);
            if (access(path, X_OK) == 0)
                answer = stay_strdup(folders[i]);
        }
        for (size_t i = 0; i < STAY_COUNT(folders); i++)
            free(folders[i]);
        if (answer)
            return answer;
    }
    fail_msg("%s of PostgreSQL %d is not here: run tests/support/fetch-postgres %d", program, major,
             major);
    return NULL;
}

/* ---------------------------------------------------------------- servers */

static void make_folder(struct postgres_server *server)
{
    char pattern[] = "/tmp/backstay-pg-XXXXXX";
    const struct passwd *entry = getpwnam(user_name);

    assert_non_null(mkdtemp(pattern));
    server->folder = stay_strdup(pattern);
    if (geteuid() == 0 && entry && chown(pattern, entry->pw_uid, entry->pw_gid) != 0)
        fail_msg("chown %s", pattern);
}

static void initialise(const struct postgres_server *server)
{
    stay_auto_str char *program = stay_strf("%s/initdb", server->bin);
    stay_auto_str char *data = stay_strf("%s/data", server->folder);
    stay_auto_str char *log = stay_strf("%s/initdb.log", server->folder);
    const char *const arguments[] = {
        "--no-sync",        "-D",           data, "-U", "postgres", "--encoding=UTF8",
        "--locale=C.UTF-8", "--auth=trust", NULL};

    server_process_run(log, server_process_as(user_name, program, arguments));
}

static void wait_ready(struct postgres_server *server)
{
    const char *const keys[] = {"host", "user", "dbname", NULL};
    const char *const values[] = {server->folder, "postgres", "postgres", NULL};

    for (int i = 0; i < 1500; i++) {
        if (PQpingParams(keys, values, 0) == PQPING_OK)
            return;
        if (waitpid(server->pid, NULL, WNOHANG) != 0)
            break;
        (void)usleep(20000);
    }
    fail_msg("PostgreSQL %d does not start: see %s/log", server->major, server->folder);
}

static struct postgres_server *running;

static void stop_all(void)
{
    while (running)
        postgres_server_stop(running);
}

static struct postgres_server *new_server(int major)
{
    struct postgres_server *server = stay_new(struct postgres_server);
    static bool registered;

    if (!registered && atexit(stop_all) == 0)
        registered = true;
    server->major = major;
    server->next = running;
    running = server;
    return server;
}

static void forget(const struct postgres_server *server)
{
    struct postgres_server **link = &running;

    while (*link && *link != server)
        link = &(*link)->next;
    if (*link)
        *link = server->next;
}

struct postgres_server *postgres_server_start(int major)
{
    struct postgres_server *server = new_server(major);

    server->bin = find_folder(major, major, "postgres");
    server->tools = find_folder(major, PG_NEWEST, "pg_dump");
    make_folder(server);
    initialise(server);
    stay_auto_str char *program = stay_strf("%s/postgres", server->bin);
    stay_auto_str char *data = stay_strf("%s/data", server->folder);
    stay_auto_str char *log = stay_strf("%s/log", server->folder);
    stay_auto_str char *socket = stay_strf("unix_socket_directories=%s", server->folder);
    const char *const arguments[] = {"-D", data,
                                     "-c", socket,
                                     "-c", "listen_addresses=",
                                     "-c", "fsync=off",
                                     "-c", "full_page_writes=off",
                                     "-c", "synchronous_commit=off",
                                     "-c", "autovacuum=off",
                                     "-c", "port=5432",
                                     NULL};
    server->pid = server_process_start(log, server_process_as(user_name, program, arguments));
    wait_ready(server);
    return server;
}

void postgres_server_stop(struct postgres_server *server)
{
    struct stay_err err = {0};

    if (server == NULL)
        return;
    forget(server);
    if (server->pid > 0) {
        (void)kill(server->pid, SIGINT);
        (void)waitpid(server->pid, NULL, 0);
    }
    if (server->folder && stay_fs_remove_tree(server->folder, &err) != 0)
        print_error("%s\n", err.text);
    free(server->folder);
    free(server->bin);
    free(server->tools);
    free(server);
}

int postgres_major(const char *variable, int otherwise)
{
    const char *text = getenv(variable);

    return text && text[0] ? atoi(text) : otherwise;
}

void postgres_tool(const struct postgres_server *server, const char *database,
                   const char *const *argv)
{
    stay_auto_str char *program = stay_strf("%s/%s", server->tools, argv[0]);
    stay_auto_str char *log = stay_strf("%s/tool.log", server->folder);
    const char *words[32] = {program, "-h", server->folder, "-U", "postgres", "-d", database};
    size_t n = 7;

    for (argv++; *argv; argv++)
        words[n++] = *argv;
    server_process_run(log, words);
}

void postgres_copy_structure(const struct postgres_server *from_server, const char *from,
                             const struct postgres_server *to_server, const char *to)
{
    stay_auto_str char *file = stay_strf("%s/%s.dump", to_server->folder, from);
    const char *const dump[] = {"pg_dump", "-Fc", "--section=pre-data", "--section=post-data", "-f",
                                file,      NULL};
    const char *const restore[] = {"pg_restore", "--exit-on-error", file, NULL};

    postgres_tool(from_server, from, dump);
    postgres_tool(to_server, to, restore);
}

/* ---------------------------------------------------------------- statements */

struct pg_conn *postgres_connect(const struct postgres_server *server, struct fake_host *host,
                                 const char *database, const char *role)
{
    const struct pg_place place = {
        .host = server->folder, .port = "5432", .user = role, .database = database};
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *conn = NULL;

    assert_ok(pg_connect(&conn, &host->abi, &place, &err), err);
    return conn;
}

void postgres_sql(struct pg_conn *conn, const char *sql)
{
    struct backstay_error err = {.size = sizeof err};

    assert_ok(pg_run(conn, &err, sql), err);
}

char *postgres_value(struct pg_conn *conn, const char *sql)
{
    struct backstay_error err = {.size = sizeof err};
    char *value = pg_value(conn, &err, sql);

    if (value == NULL)
        fail_msg("%s", err.text);
    return value;
}

/* ---------------------------------------------------------------- the fixture */

int postgres_fixture_make(void **state)
{
    struct postgres_fixture *fixture = stay_new(struct postgres_fixture);

    fixture->server = postgres_server_start(postgres_major("BACKSTAY_TEST_POSTGRES", 15));
    fake_host_init(&fixture->host);
    struct pg_conn *first =
        postgres_connect(fixture->server, &fixture->host, "postgres", "postgres");
    postgres_sql(first, "CREATE DATABASE shop");
    postgres_sql(first, "CREATE ROLE plain LOGIN");
    pg_disconnect(first);
    fixture->conn = postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
    *state = fixture;
    return 0;
}

int postgres_fixture_remove(void **state)
{
    struct postgres_fixture *fixture = *state;

    pg_disconnect(fixture->conn);
    postgres_server_stop(fixture->server);
    fake_host_free(&fixture->host);
    free(fixture);
    return 0;
}
