/* tests/conformance/source/test_postgres_scratch_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scratch databases on a server that is there, and what is said when a scratch place cannot be
 * made or is none.
 */
#include "scratch_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- errors */

static void a_version_that_is_not_installed_is_named(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch = {.size = sizeof scratch, .server_version = "12.7"};
    struct backstay_error err = {.size = sizeof err};

    assert_int_equal(pg_scratch_create(&fixture->pg, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "make a scratch instance of PostgreSQL 12: the programs of that server are not "
                 "installed; install postgresql-12, or give their folder with \"scratch_bin\" or "
                 "another server with \"scratch_server\"");
    fixture->pg.scratch_bin = fixture->folder;
    scratch.server_version = "15.18";
    assert_int_equal(pg_scratch_create(&fixture->pg, &scratch, &err), -1);
    (void)snprintf(scratch.hint, sizeof scratch.hint,
                   "make a scratch instance of PostgreSQL 15: \"scratch_bin\" is %s, which has no "
                   "initdb of that version or newer",
                   fixture->folder);
    assert_error(err, BACKSTAY_ERR_CONFIG, scratch.hint);
}

static void users_and_folders_that_cannot_be_are_named(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    char text[256];

    if (geteuid() == 0) {
        fixture->pg.scratch_user = "no-such-user";
        assert_int_equal(scratch_try(fixture, &scratch, 0, &err), -1);
        assert_error(err, BACKSTAY_ERR_CONFIG,
                     "\"scratch_user\" is no-such-user: there is no such user on this machine");
        fixture->pg.scratch_user = "root";
        assert_int_equal(scratch_try(fixture, &scratch, 0, &err), -1);
        assert_error(err, BACKSTAY_ERR_CONFIG,
                     "\"scratch_user\" is root, which is root: a database server needs a user "
                     "without rights");
        fixture->pg.scratch_user = "postgres";
    }
    assert_int_equal(chmod(fixture->folder, 0), 0);
    assert_int_equal(scratch_try(fixture, &scratch, 0, &err), -1);
    assert_int_equal(chmod(fixture->folder, 0777), 0);
    assert_int_equal(err.kind, BACKSTAY_ERR_CONFIG);
    (void)snprintf(text, sizeof text, "make a scratch place in %s: it is not there, or the user ",
                   fixture->folder);
    assert_int_equal(strncmp(err.text, text, strlen(text)), 0);
    assert_non_null(strstr(err.text, "cannot enter it; give another place with "
                                     "\"scratch_folder\""));
}

static void a_full_disk_is_told_and_cleaned_up(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;

    assert_int_equal(mount("none", fixture->folder, "tmpfs", 0, "size=8m,mode=777"), 0);
    int r = scratch_try(fixture, &scratch, 0, &err);
    size_t left = scratch_count(fixture->folder);
    assert_int_equal(umount(fixture->folder), 0);
    assert_int_equal(r, -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_SPACE);
    assert_non_null(strstr(err.text, "No space left on device"));
    assert_int_equal(left, 0);
}

/* The only line that a preflight has about scratch places. Freed by the caller. */
static char *look(struct scratch_fixture *fixture, int major, int *severity)
{
    struct fake_report report;

    fake_report_init(&report);
    pg_scratch_look(&fixture->pg, major, &report.abi);
    assert_int_equal(report.findings.n, 1);
    assert_string_equal(report.findings.items[0].subject, "restore to scratch");
    char *text = strdup(report.findings.items[0].text);
    *severity = report.findings.items[0].severity;
    fake_report_free(&report);
    return text;
}

static void a_preflight_tells_whether_scratch_places_can_be_made(void **state)
{
    struct scratch_fixture *fixture = *state;
    int severity;
    char *text = look(fixture, 15, &severity);

    assert_int_equal(severity, BACKSTAY_OK);
    assert_int_equal(strncmp(text, "instances are made by /", 23), 0);
    assert_non_null(strstr(text, "/initdb, version 15, run by the user "));
    free(text);
    text = look(fixture, 12, &severity);
    assert_int_equal(severity, BACKSTAY_INFO);
    assert_non_null(strstr(text, "install postgresql-12"));
    free(text);
    fixture->pg.scratch_server = "host=/nowhere user=verify";
    text = look(fixture, 15, &severity);
    assert_int_equal(severity, BACKSTAY_WARNING);
    assert_non_null(strstr(text, "/nowhere"));
    free(text);
}

static void only_scratch_places_of_ours_are_removed(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch = {.size = sizeof scratch};
    struct backstay_error err = {.size = sizeof err};
    char text[512];

    (void)snprintf(scratch.marker, sizeof scratch.marker, "/etc");
    assert_int_equal(pg_scratch_remove(&fixture->pg, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "/etc is no scratch place: their names begin with backstay-scratch-");
    (void)snprintf(scratch.marker, sizeof scratch.marker, "%s/backstay-scratch-x", fixture->folder);
    assert_int_equal(mkdir(scratch.marker, 0700), 0);
    assert_int_equal(pg_scratch_remove(&fixture->pg, &scratch, &err), -1);
    (void)snprintf(text, sizeof text,
                   "remove the scratch place %s: its backstay-scratch.json does not say that this "
                   "user made it on this machine; remove it by hand if it is yours",
                   scratch.marker);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
    assert_int_equal(rmdir(scratch.marker), 0);
}

/* ---- databases on a server that is there */

struct two {
    struct backstay_scratch source;
    struct backstay_scratch server;
    char url[600];
};

/* Two servers: one that is backed up, one for scratch databases with a role that may make them. */
static void start_two(struct scratch_fixture *fixture, struct two *two)
{
    scratch_make(fixture, &two->source, 0);
    scratch_make(fixture, &two->server, 0);
    scratch_answers(two->server.location, "CREATE ROLE verify LOGIN CREATEDB", "");
    (void)snprintf(two->url, sizeof two->url, "host=%s user=verify", two->server.marker);
    fixture->pg.url = two->source.location;
    fixture->pg.scratch_server = two->url;
}

static void end_two(struct scratch_fixture *fixture, struct two *two)
{
    fixture->pg.scratch_server = NULL;
    scratch_remove(fixture, &two->source);
    scratch_remove(fixture, &two->server);
}

/* Does what a restore does: makes a database in the scratch place, and marks it. */
static void make_database(struct scratch_fixture *fixture, const struct backstay_scratch *scratch,
                          const char *name)
{
    const struct pg_place place = pg_scratch_place(&fixture->pg, scratch->location, NULL);
    char *there = pg_scratch_database(scratch->location, name);
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *conn;

    assert_ok(pg_connect(&conn, &fixture->host.abi, &place, &err), err);
    assert_ok(pg_runf(conn, &err, "CREATE DATABASE %s TEMPLATE template0", there), err);
    assert_ok(pg_scratch_mark(conn, &fixture->pg, scratch->location, there, &err), err);
    pg_disconnect(conn);
    free(there);
}

static const char count_databases[] =
    "SELECT count(*) FROM pg_database WHERE datname LIKE 'backstay\\_scratch\\_%'";

static void databases_on_a_scratch_server_are_marked_and_removed(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;

    start_two(fixture, &two);
    scratch_make(fixture, &scratch, 0);
    assert_int_equal(pg_scratch_kind(scratch.location), PG_SCRATCH_DATABASES);
    make_database(fixture, &scratch, "shop");
    make_database(fixture, &scratch, "crm");
    scratch_answers(two.server.location, count_databases, "2");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 0);
    scratch_answers(two.server.location, "CREATE DATABASE backstay_scratch_of_somebody", "");
    fixture->cancel_after = 1;
    scratch_remove(fixture, &scratch);
    fixture->cancel_after = 0;
    scratch_answers(two.server.location, count_databases, "1");
    end_two(fixture, &two);
}

static void databases_of_a_crash_are_removed_by_the_next_run(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;

    start_two(fixture, &two);
    pid_t pid = scratch_make_in_child(fixture, &scratch, 0, 0);
    scratch_end_child(pid, SIGKILL);
    scratch_make(fixture, &scratch, -100);
    make_database(fixture, &scratch, "shop");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 1);
    scratch_make(fixture, &scratch, 0);
    scratch_answers(two.server.location, count_databases, "0");
    end_two(fixture, &two);
}

static void scratch_servers_that_cannot_be_are_refused(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    struct two two;
    char text[1024];

    start_two(fixture, &two);
    fixture->pg.url = two.server.location;
    assert_int_equal(scratch_try(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "\"scratch_server\" is the server that is backed up (database postgres on %s): "
                   "name another one, or remove the option to get an instance of its own",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
    fixture->pg.url = two.source.location;
    scratch_answers(two.server.location, "ALTER ROLE verify NOCREATEDB", "");
    assert_int_equal(scratch_try(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "database postgres on %s: the role may not create databases; run there: ALTER "
                   "ROLE verify CREATEDB",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_AUTH, text);
    scratch_answers(two.server.location, "ALTER ROLE verify CREATEDB", "");
    scratch = (struct backstay_scratch){.size = sizeof scratch, .server_version = "99.1"};
    assert_int_equal(pg_scratch_create(&fixture->pg, &scratch, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CONFIG);
    assert_non_null(strstr(err.text, "the snapshot is from 99: a newer dump cannot be restored"));
    end_two(fixture, &two);
}

static void names_on_a_scratch_server_stay_within_63_bytes(void **state)
{
    static const char location[] = PG_SCRATCH_SCHEME "backstay_scratch_0123456789ab?until=1&kept=0";
    char name[64];

    (void)state;
    char *a = pg_scratch_database(location, "shop");
    assert_string_equal(a, "backstay_scratch_0123456789ab_shop");
    free(a);
    a = pg_scratch_database("postgresql:///x", "shop");
    assert_string_equal(a, "shop");
    free(a);
    for (size_t i = 0; i < 62; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    memcpy(name + 62, "1", 2);
    a = pg_scratch_database(location, name);
    name[62] = '2';
    char *b = pg_scratch_database(location, name);
    assert_true(strlen(a) <= 63 && strlen(a) > 60);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_version_that_is_not_installed_is_named),
        SCRATCH_TEST(users_and_folders_that_cannot_be_are_named),
        SCRATCH_TEST(a_full_disk_is_told_and_cleaned_up),
        SCRATCH_TEST(a_preflight_tells_whether_scratch_places_can_be_made),
        SCRATCH_TEST(only_scratch_places_of_ours_are_removed),
        SCRATCH_TEST(databases_on_a_scratch_server_are_marked_and_removed),
        SCRATCH_TEST(databases_of_a_crash_are_removed_by_the_next_run),
        SCRATCH_TEST(scratch_servers_that_cannot_be_are_refused),
        SCRATCH_TEST(names_on_a_scratch_server_stay_within_63_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
