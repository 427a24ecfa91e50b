/* tests/conformance/source/test_mysql_scratch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scratch instances of the mysql plugin: what they are, and that they go. That they go whatever
 * becomes of their makers is the work of plugins/shared/server, which the tests of the postgres
 * plugin torture further.
 */
#include "mysql_fixture.h"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static bool is_gone(const char *path)
{
    return access(path, F_OK) != 0;
}

static pid_t pid_in(const char *folder, const char *name)
{
    char path[256];
    long pid = 0;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pid), 1);
    (void)fclose(file);
    assert_true(pid > 1);
    return (pid_t)pid;
}

/* Waits for a path to go, or to come. */
static bool wait_for(const char *path, bool gone, int seconds)
{
    for (int i = 0; i < seconds * 20; i++) {
        if (is_gone(path) == gone)
            return true;
        (void)poll(NULL, 0, 50);
    }
    return is_gone(path) == gone;
}

/* ---- what an instance is */

static void an_instance_answers_and_is_gone_after_its_removal(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } settings[] = {
        {"skip_networking", "1"},
        {"log_bin", "0"},
        {"local_infile", "1"},
        {"event_scheduler", "OFF"},
        {"innodb_flush_log_at_trx_commit", "0"},
        {"innodb_doublewrite", "0"},
        {"max_allowed_packet", "1073741824"},
    };
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char expected[256];
    struct stat st;

    mysql_scratch_make(fixture, &scratch, 0);
    assert_int_equal(my_scratch_kind(scratch.location), MY_SCRATCH_INSTANCE);
    (void)snprintf(expected, sizeof expected,
                   "mysql://root@localhost/?socket=%s/backstay-scratch.sock", scratch.marker);
    assert_string_equal(scratch.location, expected);
    (void)snprintf(expected, sizeof expected,
                   "mariadb --no-defaults --user=root --socket=%s/backstay-scratch.sock shop",
                   scratch.marker);
    assert_string_equal(scratch.hint, expected);
    for (size_t i = 0; i < PLUG_COUNT(settings); i++) {
        (void)snprintf(expected, sizeof expected, "SELECT @@GLOBAL.%s", settings[i].name);
        mysql_answers(fixture, scratch.location, expected, settings[i].value);
    }
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_not_equal(st.st_uid, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");
    assert_null(my_scratch_ended(&fixture->my, scratch.location));
    mysql_scratch_remove(fixture, &scratch);
    assert_true(is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    char *ended = my_scratch_ended(&fixture->my, scratch.location);
    assert_non_null(ended);
    free(ended);
    mysql_scratch_remove(fixture, &scratch);
}

static void options_of_the_source_do_not_reach_into_an_instance(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;

    fixture->my.ssl_ca = "/no/such/ca.pem";
    fixture->my.ssl_verify = 1;
    fixture->my.user = "shop";
    fixture->my.password = "secret";
    assert_int_equal(setenv("MYSQL_PWD", "secret", 1), 0);
    mysql_scratch_make(fixture, &scratch, 0);
    assert_int_equal(unsetenv("MYSQL_PWD"), 0);
    mysql_answers(fixture, scratch.location, "SELECT CURRENT_USER()", "root@localhost");
    mysql_scratch_remove(fixture, &scratch);
}

static void a_server_has_no_rights_secrets_or_network_of_ours(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char path[64];
    struct stat ours;
    struct stat its;
    struct stay_err err = {0};
    stay_auto(stay_buf_free) struct stay_buf text = {0};

    assert_int_equal(setenv("MYSQL_PWD", "not-for-others", 1), 0);
    mysql_scratch_make(fixture, &scratch, 0);
    assert_int_equal(unsetenv("MYSQL_PWD"), 0);
    pid_t pid = pid_in(scratch.marker, "server.pid");
    (void)snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    assert_int_equal(stat(path, &its), 0);
    assert_int_not_equal(its.st_uid, 0);
    (void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
    assert_ok(stay_fs_read(&text, path, MIB, &err), err);
    assert_null(memmem(text.data, text.len, "not-for-others", 14));
    (void)snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    assert_int_equal(stat("/proc/self/ns/net", &ours), 0);
    assert_int_equal(stat(path, &its), 0);
    assert_int_equal(its.st_ino == ours.st_ino, geteuid() != 0);
    mysql_scratch_remove(fixture, &scratch);
}

static void odd_and_long_folders_are_no_hindrance(void **state)
{
    static const char *const names[] = {
        "it's \"$o\" 9%", "a, b",
        "0123456789012345678901234567890123456789012345678901234567890123456789"};
    struct mysql_fixture *fixture = *state;

    for (size_t i = 0; i < PLUG_COUNT(names); i++) {
        struct backstay_scratch scratch;
        char odd[256];
        char command[1024];
        (void)snprintf(odd, sizeof odd, "%s/%s", fixture->folder, names[i]);
        assert_int_equal(mkdir(odd, 0755), 0);
        assert_int_equal(chmod(odd, 0777), 0);
        fixture->my.scratch_folder = odd;
        mysql_scratch_make(fixture, &scratch, 0);
        mysql_run(fixture, scratch.location, "CREATE DATABASE shop");
        (void)snprintf(command, sizeof command, "test \"$(%s -N -e 'SELECT 2')\" = 2",
                       scratch.hint);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
        mysql_scratch_remove(fixture, &scratch);
        assert_int_equal(rmdir(odd), 0);
    }
}

/* Debian's, and those that tests/support/fetch-mysql has brought. */
static void every_server_that_is_here_makes_one(void **state)
{
    static const struct {
        const char *bin;
        const char *series;
    } servers[] = {
        {"/usr/sbin", "10.11"},
        {"/var/cache/backstay-tests/mysql/mariadb-11.8/bin", "11.8"},
        {"/var/cache/backstay-tests/mysql/mysql-9/bin", "9."},
    };
    struct mysql_fixture *fixture = *state;
    unsigned made = 0;

    for (size_t i = 0; i < PLUG_COUNT(servers); i++) {
        struct backstay_scratch scratch;
        char sql[128];
        if (is_gone(servers[i].bin))
            continue;
        fixture->my.bin = servers[i].bin;
        mysql_scratch_make(fixture, &scratch, 0);
        (void)snprintf(sql, sizeof sql, "SELECT LEFT(VERSION(), %zu)", strlen(servers[i].series));
        mysql_answers(fixture, scratch.location, sql, servers[i].series);
        mysql_run(fixture, scratch.location,
                  "CREATE DATABASE shop; CREATE TABLE shop.t (a int PRIMARY KEY) ENGINE=InnoDB;"
                  "INSERT INTO shop.t VALUES (1)");
        mysql_scratch_remove(fixture, &scratch);
        print_message("%s\n", servers[i].bin);
        made++;
    }
    assert_true(made >= 1);
}

/* ---- its end */

static void a_killed_creator_takes_its_instance_along(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = mysql_scratch_in_child(fixture, &scratch, 0, 0);

    mysql_answers(fixture, scratch.location, "SELECT 1", "1");
    mysql_end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

static void a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = mysql_scratch_in_child(fixture, &scratch, 8, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");

    mysql_end_child(pid, SIGINT);
    (void)poll(NULL, 0, 1500);
    mysql_answers(fixture, scratch.location, "SELECT 1", "1");
    assert_int_equal(my_scratch_leftovers(&fixture->my), 0);
    assert_true(wait_for(scratch.marker, true, 25));
    assert_int_equal(plug_marker_started(server), 0);
}

static void what_a_crash_left_is_removed_by_the_next(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_scratch next;
    pid_t pid = mysql_scratch_in_child(fixture, &scratch, 0, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");

    assert_int_equal(my_scratch_leftovers(&fixture->my), 0);
    assert_int_equal(kill(pid_in(scratch.marker, "watch.pid"), SIGKILL), 0);
    mysql_end_child(pid, SIGKILL);
    assert_int_equal(my_scratch_leftovers(&fixture->my), 1);
    mysql_scratch_make(fixture, &next, 0);
    assert_true(is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    assert_non_null(
        strstr((const char *)fixture->host.log.data, ", which an earlier run left behind"));
    mysql_scratch_remove(fixture, &next);
}

static void an_instance_that_grows_too_large_is_ended_and_says_so(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;
    struct my_conn *conn;
    char path[256];

    fixture->my.scratch_space_bytes = 200 * (int64_t)MIB;
    mysql_scratch_make(fixture, &scratch, 0);
    (void)poll(NULL, 0, 1500);
    assert_null(my_scratch_ended(&fixture->my, scratch.location));
    mysql_run(fixture, scratch.location, "CREATE DATABASE shop; CREATE TABLE shop.t (a longblob)");
    (void)snprintf(path, sizeof path, "%s/ended", scratch.marker);
    assert_ok(my_scratch_place(&place, &fixture->my, scratch.location, &err), err);
    assert_ok(my_connect(&conn, &place, &err), err);
    for (int i = 0; i < 30 && is_gone(path); i++)
        (void)!my_run(conn, &err, "INSERT INTO shop.t VALUES (REPEAT('x', 20 << 20))");
    my_disconnect(conn);
    my_place_free(&place);
    assert_true(wait_for(path, false, 20));
    (void)snprintf(path, sizeof path, "%s/data", scratch.marker);
    assert_true(wait_for(path, true, 20));
    char *why = my_scratch_ended(&fixture->my, scratch.location);
    assert_non_null(why);
    assert_int_equal(strncmp(why, "it grew larger than 204800 KiB, the limit of scratch_space", 58),
                     0);
    free(why);
    mysql_scratch_remove(fixture, &scratch);
    assert_true(is_gone(scratch.marker));
}

static void a_cancelled_creation_leaves_nothing(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    int stopped = 0;

    for (int after = 1; after < 60; after += 6) {
        fixture->cancel_after = after;
        int r = mysql_scratch_try(fixture, &scratch, 0, &err);
        fixture->cancel_after = 0;
        if (r == 0) {
            mysql_scratch_remove(fixture, &scratch);
            break;
        }
        assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
        assert_int_equal(mysql_count(fixture->folder), 0);
        stopped++;
    }
    assert_true(stopped >= 2);
}

static void a_full_disk_is_told_and_cleaned_up(void **state)
{
    static const char *const sizes[] = {"size=4m,mode=777", "size=28m,mode=777",
                                        "size=100m,mode=777"};
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;

    for (size_t i = 0; i < PLUG_COUNT(sizes); i++) {
        assert_int_equal(mount("none", fixture->folder, "tmpfs", 0, sizes[i]), 0);
        int r = mysql_scratch_try(fixture, &scratch, 0, &err);
        size_t left = mysql_count(fixture->folder);
        assert_int_equal(umount(fixture->folder), 0);
        assert_int_equal(r, -1);
        print_message("%s: %s\n", sizes[i], err.text);
        assert_int_equal(err.kind, BACKSTAY_ERR_SPACE);
        assert_int_equal(left, 0);
    }
}

static void an_ordinary_user_makes_one_as_well(void **state)
{
    struct mysql_fixture *fixture = *state;
    struct backstay_scratch scratch;
    const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : NULL;
    struct stat st;
    pid_t pid = mysql_scratch_in_child(fixture, &scratch, 0, user ? user->pw_uid : 0);

    mysql_answers(fixture, scratch.location, "SELECT 1", "1");
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_uid, user ? user->pw_uid : geteuid());
    mysql_end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MYSQL_TEST(an_instance_answers_and_is_gone_after_its_removal),
        MYSQL_TEST(options_of_the_source_do_not_reach_into_an_instance),
        MYSQL_TEST(a_server_has_no_rights_secrets_or_network_of_ours),
        MYSQL_TEST(odd_and_long_folders_are_no_hindrance),
        MYSQL_TEST(every_server_that_is_here_makes_one),
        MYSQL_TEST(a_killed_creator_takes_its_instance_along),
        MYSQL_TEST(a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over),
        MYSQL_TEST(what_a_crash_left_is_removed_by_the_next),
        MYSQL_TEST(an_instance_that_grows_too_large_is_ended_and_says_so),
        MYSQL_TEST(a_cancelled_creation_leaves_nothing),
        MYSQL_TEST(a_full_disk_is_told_and_cleaned_up),
        MYSQL_TEST(an_ordinary_user_makes_one_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
