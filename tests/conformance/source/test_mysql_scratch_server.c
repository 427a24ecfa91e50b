/* tests/conformance/source/test_mysql_scratch_server.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scratch databases of the mysql plugin on a server that is there, and what is said when a scratch
 * place cannot be made or is none.
 */
#include "mysql_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- errors */

static void a_server_that_is_not_installed_is_named(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch = {.size = sizeof scratch, .server_version = "99.1.0"};
    struct backstay_error err = {.size = sizeof err};
    char text[512];

    assert_int_equal(my_scratch_create(&fixture->my, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "make a scratch instance of MySQL 99.1: no such server or a newer one is "
                 "installed; install mysql-server, or give the folder of its program with \"bin\" "
                 "or another server with \"scratch_server\"");
    fixture->my.bin = fixture->folder;
    scratch.server_version = "10.11.6-MariaDB-log";
    assert_int_equal(my_scratch_create(&fixture->my, &scratch, &err), -1);
    (void)snprintf(text, sizeof text,
                   "make a scratch instance of MariaDB 10.11: \"bin\" is %s, which has no server "
                   "of that product (mariadbd or mysqld)",
                   fixture->folder);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
}

static void only_scratch_places_of_ours_are_removed(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch = {.size = sizeof scratch};
    struct backstay_error err = {.size = sizeof err};

    (void)snprintf(scratch.marker, sizeof scratch.marker, "/etc");
    assert_int_equal(my_scratch_remove(&fixture->my, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "/etc is no scratch place: their names begin with backstay-scratch-");
    (void)snprintf(scratch.marker, sizeof scratch.marker, MY_SCRATCH_SCHEME "shop");
    assert_int_equal(my_scratch_remove(&fixture->my, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG, "backstay-scratch-databases:shop is no scratch place");
    (void)snprintf(scratch.marker, sizeof scratch.marker,
                   MY_SCRATCH_SCHEME "backstay_scratch_0123456789ab");
    assert_int_equal(my_scratch_remove(&fixture->my, &scratch, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "this scratch place is on another server, and \"scratch_server\" is not set");
}

static void a_preflight_tells_whether_scratch_places_can_be_made(void **state)
{
    static const struct {
        const char *version;
        const char *server;
        int severity;
        const char *text;
    } rows[] = {
        {"10.11.1-MariaDB", NULL, BACKSTAY_OK, ", run by the user "},
        {"99.0.1", NULL, BACKSTAY_INFO, "install mysql-server"},
        {"10.11.1-MariaDB", "mysql://verify@localhost/?socket=/nowhere", BACKSTAY_WARNING,
         "/nowhere"},
    };
    struct mysql_fixture *fixture = *state;

    for (size_t i = 0; i < PLUG_COUNT(rows); i++) {
        struct fake_report report;
        fake_report_init(&report);
        fixture->my.scratch_server = rows[i].server;
        my_scratch_look(&fixture->my, rows[i].version, &report.abi);
        assert_int_equal(report.findings.n, 1);
        assert_string_equal(report.findings.items[0].subject, "restore to scratch");
        assert_int_equal(report.findings.items[0].severity, rows[i].severity);
        assert_non_null(strstr(report.findings.items[0].text, rows[i].text));
        fake_report_free(&report);
    }
}

static void versions_are_read_from_what_servers_say(void **state)
{
    static const struct {
        const char *text;
        const char *name;
    } rows[] = {
        {"10.11.19-MariaDB-0+deb12u1-log", "MariaDB 10.11"},
        {"8.0.36-28.1", "MySQL 8.0"},
        {"9.7.4", "MySQL 9.7"},
        {"something", "MySQL 0.0"},
    };

    (void)state;
    for (size_t i = 0; i < PLUG_COUNT(rows); i++) {
        const struct my_series series = my_series_of(rows[i].text);
        char *name = my_series_name(&series);
        assert_string_equal(name, rows[i].name);
        free(name);
    }
}

/* ---- databases on a server that is there */

struct two {
    struct backstay_scratch source;
    struct backstay_scratch server;
    char url[600];
};

/* Two servers: one that is backed up, one for scratch databases with an account that may make
 * them. The url of that is none of an instance, as its name differs. */
static void start_two(struct mysql_fixture *fixture, struct two *two)
{
    mysql_scratch_make(fixture, &two->source, 0);
    mysql_scratch_make(fixture, &two->server, 0);
    mysql_run(fixture, two->server.location,
              "CREATE USER verify IDENTIFIED BY 'secret';"
              "GRANT ALL ON `backstay\\_scratch\\_%`.* TO verify");
    (void)snprintf(two->url, sizeof two->url,
                   "mysql://verify:secret@localhost/?socket=%s/backstay-scratch.sock",
                   two->server.marker);
    fixture->my.url = two->source.location;
    fixture->my.scratch_server = two->url;
}

static void end_two(struct mysql_fixture *fixture, struct two *two)
{
    fixture->my.scratch_server = NULL;
    mysql_scratch_remove(fixture, &two->source);
    mysql_scratch_remove(fixture, &two->server);
}

/* Does what a restore does: makes a database in the scratch place. */
static void make_database(struct mysql_fixture *fixture, const struct backstay_scratch *scratch,
                          const char *name)
{
    char *there = my_scratch_database(scratch->location, name);
    char sql[256];

    (void)snprintf(sql, sizeof sql, "CREATE DATABASE `%s`; CREATE TABLE `%s`.t (a int)", there,
                   there);
    mysql_run(fixture, scratch->location, sql);
    free(there);
}

static const char count_databases[] = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE "
                                      "SCHEMA_NAME LIKE 'backstay\\_scratch\\_%'";

static void databases_on_a_scratch_server_are_marked_and_removed(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;
    char expected[1024];

    start_two(fixture, &two);
    mysql_scratch_make(fixture, &scratch, 0);
    assert_int_equal(my_scratch_kind(scratch.location), MY_SCRATCH_DATABASES);
    (void)snprintf(expected, sizeof expected,
                   "mariadb --socket=%s/backstay-scratch.sock --user=verify --password %s_shop",
                   two.server.marker, scratch.marker + strlen(MY_SCRATCH_SCHEME));
    assert_string_equal(scratch.hint, expected);
    make_database(fixture, &scratch, "shop");
    make_database(fixture, &scratch, "crm");
    mysql_answers(fixture, two.server.location, count_databases, "3");
    assert_int_equal(my_scratch_leftovers(&fixture->my), 0);
    mysql_run(fixture, two.server.location, "CREATE DATABASE backstay_scratch_of_somebody");
    fixture->cancel_after = 1;
    mysql_scratch_remove(fixture, &scratch);
    fixture->cancel_after = 0;
    mysql_answers(fixture, two.server.location, count_databases, "1");
    end_two(fixture, &two);
}

static void databases_of_a_crash_are_removed_by_the_next_run(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;

    start_two(fixture, &two);
    pid_t pid = mysql_scratch_in_child(fixture, &scratch, 0, 0);
    make_database(fixture, &scratch, "shop");
    assert_int_equal(my_scratch_leftovers(&fixture->my), 0);
    mysql_end_child(pid, SIGKILL);
    assert_int_equal(my_scratch_leftovers(&fixture->my), 1);
    mysql_scratch_make(fixture, &scratch, -100);
    make_database(fixture, &scratch, "shop");
    mysql_answers(fixture, two.server.location, count_databases, "2");
    assert_int_equal(my_scratch_leftovers(&fixture->my), 1);
    mysql_scratch_make(fixture, &scratch, 600);
    mysql_answers(fixture, two.server.location, count_databases, "1");
    mysql_scratch_remove(fixture, &scratch);
    end_two(fixture, &two);
}

static void scratch_servers_that_cannot_be_are_refused(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    struct two two;
    char text[1024];

    start_two(fixture, &two);
    fixture->my.url = two.server.location;
    assert_int_equal(mysql_scratch_try(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "\"scratch_server\" is the server that is backed up (MariaDB on "
                   "%s/backstay-scratch.sock): name another one, or remove the option to get an "
                   "instance of its own",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
    fixture->my.url = two.source.location;
    scratch = (struct backstay_scratch){.size = sizeof scratch, .server_version = "8.0.36"};
    assert_int_equal(my_scratch_create(&fixture->my, &scratch, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CONFIG);
    assert_non_null(strstr(err.text, ", the snapshot is from MySQL 8.0: name a \"scratch_server\" "
                                     "of the same product that is not older"));
    mysql_run(fixture, two.server.location, "REVOKE ALL ON `backstay\\_scratch\\_%`.* FROM verify");
    assert_int_equal(mysql_scratch_try(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "MariaDB on %s/backstay-scratch.sock: the account may not create databases for "
                   "scratch places; run there: GRANT ALL ON `backstay\\_scratch\\_%%`.* TO "
                   "'verify'@'%%'",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_AUTH, text);
    const char *grant = strstr(err.text, "GRANT ALL");
    assert_non_null(grant);
    mysql_run(fixture, two.server.location, grant);
    mysql_scratch_make(fixture, &scratch, 0);
    mysql_scratch_remove(fixture, &scratch);
    end_two(fixture, &two);
}

static void names_on_a_scratch_server_stay_within_63_bytes(void **state)
{
    static const char location[] = MY_SCRATCH_SCHEME "backstay_scratch_0123456789ab";
    char name[64];

    (void)state;
    char *a = my_scratch_database(location, "shop");
    assert_string_equal(a, "backstay_scratch_0123456789ab_shop");
    free(a);
    a = my_scratch_database("mysql:///x", "shop");
    assert_string_equal(a, "shop");
    free(a);
    for (size_t i = 0; i < 62; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    memcpy(name + 62, "1", 2);
    a = my_scratch_database(location, name);
    name[62] = '2';
    char *b = my_scratch_database(location, name);
    assert_true(strlen(a) <= 63 && strlen(a) > 60);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MYSQL_TEST(a_server_that_is_not_installed_is_named),
        MYSQL_TEST(only_scratch_places_of_ours_are_removed),
        MYSQL_TEST(a_preflight_tells_whether_scratch_places_can_be_made),
        MYSQL_TEST(versions_are_read_from_what_servers_say),
        MYSQL_TEST(databases_on_a_scratch_server_are_marked_and_removed),
        MYSQL_TEST(databases_of_a_crash_are_removed_by_the_next_run),
        MYSQL_TEST(scratch_servers_that_cannot_be_are_refused),
        MYSQL_TEST(names_on_a_scratch_server_stay_within_63_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
