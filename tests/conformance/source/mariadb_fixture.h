/* tests/conformance/source/mariadb_fixture.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mariadb_fixture: real MariaDB servers in temporary folders, those of Debian's mariadb-server, and
 * what the plugin's parts want around them.
 *
 * Layer: tests. Uses: base.
 */
#pragma once

#include "base/base.h"
#include "source/mysql/conn.h"
#include "support/cmocka.h"
#include "support/fake_feed.h"
#include "support/fake_host.h"

#include <sys/types.h>

struct mariadb_server {
    char *folder; /* the data, the socket, the log */
    char *socket;
    pid_t pid;
    struct mariadb_server *next; /* of those that run */
};

/**
 * Starts a server that keeps a binary log unless @without_log; ends the test when it cannot be
 * started. root has no password. One that a failed test leaves behind is stopped and removed when
 * the program ends.
 */
struct mariadb_server *mariadb_server_start(bool without_log);

/** Stops it and removes its folder. NULL is allowed. */
void mariadb_server_stop(struct mariadb_server *server);

/** What most tests begin with: a server with a database shop and an account plain that may read. */
struct mariadb_fixture {
    struct mariadb_server *server;
    struct fake_host host;
    struct my my;
    char *url;            /* root's, of the database shop */
    struct my_conn *conn; /* by that url */
};

/** cmocka's setup and teardown of a group: *@state is a struct mariadb_fixture. */
int mariadb_fixture_make(void **state);
int mariadb_fixture_remove(void **state);

/** The url of @account, of the database shop. Caller frees. */
char *mariadb_url(const struct mariadb_server *server, const char *account);

/** Connects; ends the test when that fails. Close with my_disconnect(). */
struct my_conn *mariadb_login(const struct my *my, const char *url);

/** Runs statements that must succeed; one. */
void mariadb_sql(struct my_conn *conn, const char *sql);

/** The one value of a query that must succeed. Caller frees. */
char *mariadb_value(struct my_conn *conn, const char *sql);
