/* plugins/source/mysql/target.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "target.h"

#include "server.h"

#include <mysqld_error.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PAUSE_MS = 500, DROP_TRIES = 20, NAME_MAX_CHARS = 64, INTERLEAVED = 2 };

/* ---- the server */

/* As many as can be, for messages; how many there were is known without. In MySQL it takes a right
 * that not every account has. */
static int keep_warnings(struct my_conn *conn, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};

    if (my_run(conn, &why, "SET SESSION max_error_count = 65535") == 0 ||
        conn->error == ER_SPECIFIC_ACCESS_DENIED_ERROR)
        return 0;
    return conn->host->fail(conn->host, err, why.kind, "%s", why.text);
}

int my_target_connect(const struct my_target *target, bool patient, struct my_conn **out,
                      struct backstay_error *err)
{
    struct my_conn *conn;

    if (my_connect(&conn, &target->place, err) != 0)
        return -1;
    /* Without unique_checks, MariaDB sorts the rows of an empty table once more, which takes twice
     * the time of rows that are in order, and lets nobody else load into it. */
    if (my_apply_session(conn, err) == 0 &&
        my_run(conn, err, "SET SESSION unique_checks = 1") == 0 && keep_warnings(conn, err) == 0 &&
        (!patient || my_run(conn, err,
                            "SET SESSION lock_wait_timeout = 86400,"
                            " innodb_lock_wait_timeout = 86400") == 0)) {
        *out = conn;
        return 0;
    }
    my_disconnect(conn);
    return -1;
}

int my_target_open(struct my_target *target, struct backstay_error *err)
{
    target->scratch = my_scratch_kind(target->location);
    if (my_scratch_place(&target->place, target->my, target->location, err) != 0)
        return -1;
    target->database = target->place.database;
    target->place.database = NULL;
    if (my_target_connect(target, false, &target->conn, err) != 0)
        return -1;
    MYSQL_RES *rows = my_query(target->conn, err,
                               "SELECT @@GLOBAL.local_infile, @@GLOBAL.max_allowed_packet,"
                               " @@GLOBAL.innodb_autoinc_lock_mode");
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    if (row) {
        atomic_store(&target->local, my_cell_number(row, 0) != 0);
        target->packet_bytes = my_cell_number(row, 1);
        target->interleaved = my_cell_number(row, 2) == INTERLEAVED;
    }
    if (rows)
        mysql_free_result(rows);
    return row ? 0 : -1;
}

void my_target_close(struct my_target *target)
{
    my_disconnect(target->conn);
    my_place_free(&target->place);
    free(target->database);
    target->conn = NULL;
    target->database = NULL;
}

/* ---- names */

static int look_up(const struct my_target *target, const char *name, bool *exists,
                   struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ");
    my_add_literal(&sql, name, strlen(name));
    PLUG_AUTO_FREE char *count = my_value(target->conn, err, sql.data);
    if (count == NULL)
        return -1;
    *exists = strcmp(count, "0") != 0;
    return 0;
}

/* Names have 64 characters, of one to four bytes. */
char *my_into_derive(const char *base, const char *end)
{
    size_t most = NAME_MAX_CHARS - strlen(end);
    size_t len = 0;

    for (size_t n = 0; base[len]; len++) {
        if (((unsigned char)base[len] & 0xc0) != 0x80 && n++ == most)
            break;
    }
    return plug_strf("%.*s%s", (int)len, base, end);
}

static int name_beside(struct my_into *into, struct backstay_error *err)
{
    uint32_t random = 0;
    char end[32];
    bool taken = true;

    while (taken) {
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            abort();
        (void)snprintf(end, sizeof end, "_backstay_%08x", random);
        free(into->name);
        into->name = my_into_derive(into->named, end);
        if (look_up(into->target, into->name, &taken, err) != 0)
            return -1;
    }
    return 0;
}

int my_into_open(struct my_into *into, const struct my_saved *saved, struct backstay_error *err)
{
    const struct my_target *target = into->target;

    if (target->scratch != MY_SCRATCH_NONE)
        into->named = my_scratch_database(target->location, saved->name);
    else
        into->named = plug_strdup(target->database ? target->database : saved->name);
    into->name = plug_strdup(into->named);
    if (look_up(target, into->named, &into->exists, err) != 0)
        return -1;
    return into->exists && target->wish->replace ? name_beside(into, err) : 0;
}

void my_into_close(struct my_into *into)
{
    free(into->name);
    free(into->named);
    into->name = into->named = NULL;
}

/* ---- making */

int my_into_make(struct my_into *into, const struct my_apply *apply, struct backstay_error *err)
{
    const struct my_wish *wish = into->target->wish;
    bool creates = !into->exists || wish->replace;

    into->made = true;
    if (!creates && my_wish_is_partial(wish))
        return 0;
    into->created = creates;
    return my_apply_database(into->target->conn, apply, err);
}

/* ---- the end of a failure */

static int drop_once(struct my_into *into, const struct backstay_host *host,
                     struct backstay_error *err)
{
    struct my deaf = *into->target->my;
    struct my_place place = into->target->place;
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    struct my_conn *conn;

    deaf.host = host;
    place.my = &deaf;
    plug_bytes_text(&sql, "DROP DATABASE IF EXISTS ");
    my_add_ident(&sql, into->name);
    if (my_connect(&conn, &place, err) != 0)
        return -1;
    int r = my_run(conn, err, sql.data);
    my_disconnect(conn);
    return r;
}

/* Also after a cancellation, which would stop every other statement, and when the connection was
 * lost with everything else: a server that crashed is back soon. */
static int drop(struct my_into *into, struct backstay_error *err)
{
    const struct backstay_host patient = plug_host_deaf(into->target->host);
    int tries = into->target->scratch == MY_SCRATCH_INSTANCE ? 1 : DROP_TRIES;
    int r = drop_once(into, &patient, err);

    while (r != 0 && err->kind == BACKSTAY_ERR_TRANSIENT && --tries > 0) {
        (void)poll(NULL, 0, PAUSE_MS);
        r = drop_once(into, &patient, err);
    }
    return r;
}

static void add_to(struct backstay_error *err, char *text)
{
    size_t len = strlen(err->text);

    (void)snprintf(err->text + len, sizeof err->text - len, "; %s", text);
    free(text);
}

void my_into_abandon(struct my_into *into, struct backstay_error *err)
{
    struct backstay_error why = {.size = sizeof why};

    if (!into->created) {
        if (into->made)
            add_to(err, plug_strf("what was restored into database %s before that is still there",
                                  into->named));
        return;
    }
    if (drop(into, &why) == 0)
        add_to(err, plug_strf("the new database %s was removed again", into->name));
    else
        add_to(err, plug_strf("the new database %s is incomplete and could not be removed: %s",
                              into->name, why.text));
    into->created = false;
}
