/* tests/conformance/source/mariadb_fixture.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * MariaDB refuses to run as root: there, the servers run as the user mysql. They end with the test,
 * however it ends.
 */
#include "mariadb_fixture.h"

#include "base/fs.h"
#include "server_process.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char user_name[] = "mysql";
static const char install_program[] = "/usr/bin/mariadb-install-db";
static const char server_program[] = "/usr/sbin/mariadbd";

/* ---------------------------------------------------------------- servers */

static struct mariadb_server *running;

static void stop_all(void)
{
    while (running)
        mariadb_server_stop(running);
}

static struct mariadb_server *new_server(void)
{
    struct mariadb_server *server = stay_new(struct mariadb_server);
    static bool registered;

    if (!registered && atexit(stop_all) == 0)
        registered = true;
    server->next = running;
    running = server;
    return server;
}

static void forget(const struct mariadb_server *server)
{
    struct mariadb_server **link = &running;

    while (*link && *link != server)
        link = &(*link)->next;
    if (*link)
        *link = server->next;
}

static void make_folder(struct mariadb_server *server)
{
    char pattern[] = "/tmp/backstay-my-XXXXXX";
    const struct passwd *entry = getpwnam(user_name);

    if (access(server_program, X_OK) != 0)
        fail_msg("%s is not here: install mariadb-server", server_program);
    assert_non_null(mkdtemp(pattern));
    server->folder = stay_strdup(pattern);
    server->socket = stay_strf("%s/socket", pattern);
    if (geteuid() == 0 && entry && chown(pattern, entry->pw_uid, entry->pw_gid) != 0)
        fail_msg("chown %s", pattern);
}

static void initialise(const struct mariadb_server *server)
{
    stay_auto_str char *data = stay_strf("--datadir=%s/data", server->folder);
    stay_auto_str char *log = stay_strf("%s/install.log", server->folder);
    stay_auto_str char *temporary = stay_strf("--tmpdir=%s", server->folder);
    const char *const arguments[] = {"--no-defaults",  data,
                                     temporary,        "--auth-root-authentication-method=normal",
                                     "--skip-test-db", NULL};

    server_process_run(log, server_process_as(user_name, install_program, arguments));
}

static void wait_ready(const struct mariadb_server *server)
{
    for (int i = 0; i < 1500; i++) {
        MYSQL *db = mysql_init(NULL);
        bool ready = mysql_real_connect(db, NULL, "root", NULL, NULL, 0, server->socket, 0) != NULL;
        mysql_close(db);
        if (ready)
            return;
        if (waitpid(server->pid, NULL, WNOHANG) != 0)
            break;
        (void)usleep(20000);
    }
    fail_msg("MariaDB does not start: see %s/log", server->folder);
}

struct mariadb_server *mariadb_server_start(bool without_log)
{
    struct mariadb_server *server = new_server();

    make_folder(server);
    initialise(server);
    stay_auto_str char *data = stay_strf("--datadir=%s/data", server->folder);
    stay_auto_str char *socket = stay_strf("--socket=%s", server->socket);
    stay_auto_str char *log = stay_strf("%s/log", server->folder);
    /* A server that starts removes the temporary files of others from a folder that it shares. */
    stay_auto_str char *temporary = stay_strf("--tmpdir=%s", server->folder);
    const char *const arguments[] = {"--no-defaults",
                                     data,
                                     temporary,
                                     socket,
                                     "--skip-networking",
                                     "--innodb-flush-method=nosync",
                                     "--innodb-flush-log-at-trx-commit=0",
                                     "--innodb-buffer-pool-size=64M",
                                     "--character-set-server=utf8mb4",
                                     "--server-id=1",
                                     without_log ? NULL : "--log-bin=binlog",
                                     NULL};
    server->pid =
        server_process_start(log, server_process_as(user_name, server_program, arguments));
    wait_ready(server);
    return server;
}

void mariadb_server_stop(struct mariadb_server *server)
{
    struct stay_err err = {0};

    if (server == NULL)
        return;
    forget(server);
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
    }
    if (server->folder && stay_fs_remove_tree(server->folder, &err) != 0)
        print_error("%s\n", err.text);
    free(server->folder);
    free(server->socket);
    free(server);
}

/* ---------------------------------------------------------------- statements */

char *mariadb_url(const struct mariadb_server *server, const char *account)
{
    return stay_strf("mysql://%s@localhost/shop?socket=%s", account, server->socket);
}

struct my_conn *mariadb_login(const struct my *my, const char *url)
{
    struct backstay_error err = {.size = sizeof err};
    struct my_conn *conn = NULL;
    struct my_place place;

    assert_ok(my_place_read(&place, my, url, &err), err);
    assert_ok(my_connect(&conn, &place, &err), err);
    my_place_free(&place);
    return conn;
}

void mariadb_sql(struct my_conn *conn, const char *sql)
{
    struct backstay_error err = {.size = sizeof err};

    assert_ok(my_run(conn, &err, sql), err);
}

char *mariadb_value(struct my_conn *conn, const char *sql)
{
    struct backstay_error err = {.size = sizeof err};
    char *value = my_value(conn, &err, sql);

    if (value == NULL)
        fail_msg("%s", err.text);
    return value;
}

/* ---------------------------------------------------------------- the fixture */

static const char first_statements[] =
    "CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE USER plain@localhost;"
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO plain@localhost";

int mariadb_fixture_make(void **state)
{
    struct mariadb_fixture *fixture = stay_new(struct mariadb_fixture);

    /* No option file of whoever runs the test. */
    (void)unsetenv("HOME");
    fixture->server = mariadb_server_start(false);
    fake_host_init(&fixture->host);
    fixture->my = (struct my){.host = &fixture->host.abi,
                              .ssl_verify = -1,
                              .jobs = 2,
                              .lock_timeout_ns = 1000000000,
                              .split_bytes = 1 << 20};
    stay_auto_str char *server_url =
        stay_strf("mysql://root@localhost/?socket=%s", fixture->server->socket);
    struct my_conn *first = mariadb_login(&fixture->my, server_url);
    mariadb_sql(first, first_statements);
    my_disconnect(first);
    fixture->url = mariadb_url(fixture->server, "root");
    fixture->my.url = fixture->url;
    fixture->conn = mariadb_login(&fixture->my, fixture->url);
    *state = fixture;
    return 0;
}

int mariadb_fixture_remove(void **state)
{
    struct mariadb_fixture *fixture = *state;

    my_disconnect(fixture->conn);
    mariadb_server_stop(fixture->server);
    fake_host_free(&fixture->host);
    free(fixture->url);
    free(fixture);
    return 0;
}
