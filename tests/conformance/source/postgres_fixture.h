/* tests/conformance/source/postgres_fixture.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * postgres_fixture: real PostgreSQL servers in temporary folders, and what the plugin's parts want
 * around them.
 *
 * The binaries are Debian's in /usr/lib/postgresql or those that tests/support/fetch-postgres has
 * brought; a server that cannot be had fails the test with what to do.
 *
 * Layer: tests. Uses: base.
 */
#pragma once

#include "base/base.h"
#include "source/postgres/meta.h"
#include "support/cmocka.h"
#include "support/fake_feed.h"
#include "support/fake_host.h"

#include <sys/types.h>

struct postgres_server {
    int major;
    char *bin;    /* of initdb and postgres */
    char *tools;  /* of pg_dump and pg_restore: the same major or the next newer */
    char *folder; /* the data, the socket, the log */
    pid_t pid;
    struct postgres_server *next; /* of those that run */
};

/**
 * Starts a server; ends the test when it cannot be started. Everybody may connect as any role. One
 * that a failed test leaves behind is stopped and removed when the program ends.
 */
struct postgres_server *postgres_server_start(int major);

/** Stops it and removes its folder. NULL is allowed. */
void postgres_server_stop(struct postgres_server *server);

/** The major that a test is for: @variable of the environment, or @otherwise. */
int postgres_major(const char *variable, int otherwise);

/** What most tests begin with: a server with a database shop and a role plain that owns nothing. */
struct postgres_fixture {
    struct postgres_server *server;
    struct fake_host host;
    struct pg_conn *conn; /* to the database shop, as superuser */
};

/** cmocka's setup and teardown of a group: *@state is a struct postgres_fixture. The server is of
 * the major that BACKSTAY_TEST_POSTGRES says, otherwise 15. */
int postgres_fixture_make(void **state);
int postgres_fixture_remove(void **state);

/** Connects as @role; ends the test when that fails. Close with pg_disconnect(). */
struct pg_conn *postgres_connect(const struct postgres_server *server, struct fake_host *host,
                                 const char *database, const char *role);

/** Runs statements that must succeed. */
void postgres_sql(struct pg_conn *conn, const char *sql);

/** The one value of a query that must succeed. Caller frees. */
char *postgres_value(struct pg_conn *conn, const char *sql);

/** Runs tools/@argv[0], connected to @database, which must succeed. @argv ends with NULL. */
void postgres_tool(const struct postgres_server *server, const char *database,
                   const char *const *argv);

/** Dumps @from as the plugin does, structure and no rows, and restores it into @to. */
void postgres_copy_structure(const struct postgres_server *from_server, const char *from,
                             const struct postgres_server *to_server, const char *to);
