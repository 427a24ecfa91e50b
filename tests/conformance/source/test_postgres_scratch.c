/* tests/conformance/source/test_postgres_scratch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scratch instances of the postgres plugin: what they are, and that they go, whatever becomes of
 * who made them.
 */
#include "scratch_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

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
        if (scratch_is_gone(path) == gone)
            return true;
        (void)poll(NULL, 0, 50);
    }
    return scratch_is_gone(path) == gone;
}

/* ---- what an instance is */

static void an_instance_answers_and_is_gone_after_its_removal(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char expected[256];
    struct stat st;

    scratch_make(fixture, &scratch, 0);
    assert_int_equal(pg_scratch_kind(scratch.location), PG_SCRATCH_INSTANCE);
    (void)snprintf(expected, sizeof expected,
                   "postgresql:///postgres?host=%s&port=5432&user=backstay"
                   "&application_name=backstay-scratch",
                   scratch.marker);
    assert_string_equal(scratch.location, expected);
    (void)snprintf(expected, sizeof expected,
                   "psql 'postgresql:///shop?host=%s&port=5432&user=backstay'", scratch.marker);
    assert_string_equal(scratch.hint, expected);
    scratch_answers(scratch.location, "SELECT current_user", "backstay");
    scratch_answers(scratch.location, "SHOW listen_addresses", "");
    scratch_answers(scratch.location, "SHOW fsync", "off");
    scratch_answers(scratch.location, "SHOW wal_level", "minimal");
    scratch_answers(scratch.location, "SHOW server_encoding", "UTF8");
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_not_equal(st.st_uid, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");
    pid_t watch = pid_in(scratch.marker, "watch.pid");
    scratch_remove(fixture, &scratch);
    assert_true(scratch_is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    assert_int_equal(plug_marker_started(watch), 0);
    scratch_remove(fixture, &scratch);
}

/* The whole of a file of /proc, whose NULs become blanks. */
static void read_proc(pid_t pid, const char *name, char *out, size_t room)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, room - 1);
    close(fd);
    assert_true(n >= 0);
    out[n] = '\0';
    for (ssize_t i = 0; i < n; i++)
        if (out[i] == '\0')
            out[i] = ' ';
}

static bool has_open(pid_t pid, const char *target)
{
    char folder[64];
    bool found = false;

    (void)snprintf(folder, sizeof folder, "/proc/%ld/fd", (long)pid);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char link[400];
        char is[300];
        (void)snprintf(link, sizeof link, "%s/%s", folder, entry->d_name);
        ssize_t n = readlink(link, is, sizeof is - 1);
        is[n > 0 ? n : 0] = '\0';
        found |= strcmp(is, target) == 0;
    }
    closedir(dir);
    return found;
}

/* Whether process @pid has the network of this one. */
static bool shares_network(pid_t pid)
{
    char path[64];
    struct stat ours;
    struct stat its;

    (void)snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    assert_int_equal(stat("/proc/self/ns/net", &ours), 0);
    assert_int_equal(stat(path, &its), 0);
    return ours.st_ino == its.st_ino;
}

static void its_processes_have_no_rights_files_secrets_or_terminal_of_ours(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char lock[128];
    char text[8192];

    (void)snprintf(lock, sizeof lock, "%s/lock", fixture->folder);
    int fd = open(lock, O_RDWR | O_CREAT, 0600); /* as a careless library would */
    assert_true(fd >= 0);
    assert_int_equal(setenv("PGPASSWORD", "not-for-others", 1), 0);
    scratch_make(fixture, &scratch, 0);
    assert_int_equal(unsetenv("PGPASSWORD"), 0);
    const pid_t pids[] = {pid_in(scratch.marker, "server.pid"),
                          pid_in(scratch.marker, "watch.pid")};
    for (size_t i = 0; i < PLUG_COUNT(pids); i++) {
        read_proc(pids[i], "environ", text, sizeof text);
        assert_null(strstr(text, "not-for-others"));
        read_proc(pids[i], "oom_score_adj", text, sizeof text);
        assert_string_equal(text, "500\n");
        read_proc(pids[i], "cmdline", text, sizeof text);
        assert_null(strstr(text, "not-for-others"));
        read_proc(pids[i], "status", text, sizeof text);
        assert_null(strstr(text, "\nUid:\t0\t"));
        assert_non_null(strstr(text, geteuid() == 0 ? "\nGroups:\t \n" : "\nGroups:"));
        assert_false(has_open(pids[i], lock));
        assert_int_not_equal(getsid(pids[i]), getsid(0));
        assert_int_equal(shares_network(pids[i]), geteuid() != 0);
    }
    assert_true(has_open(getpid(), lock));
    close(fd);
    assert_int_equal(unlink(lock), 0);
    scratch_remove(fixture, &scratch);
}

static void a_long_folder_has_its_sockets_elsewhere(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char sockets[128] = "";
    char deep[256];

    (void)snprintf(deep, sizeof deep, "%s/%080d", fixture->folder, 0);
    assert_int_equal(mkdir(deep, 0755), 0);
    assert_int_equal(chmod(deep, 0777), 0);
    fixture->pg.scratch_folder = deep;
    scratch_make(fixture, &scratch, 0);
    scratch_answers(scratch.location, "SELECT 1", "1");
    assert_int_equal(sscanf(strstr(scratch.location, "host="), "host=%127[^&]", sockets), 1);
    assert_int_equal(strncmp(sockets, "/tmp/backstay-sockets-", 22), 0);
    assert_int_equal(strncmp(scratch.marker, "backstay-scratch-shop-", 22), 0);
    scratch_remove(fixture, &scratch);
    assert_true(scratch_is_gone(sockets));
    assert_int_equal(scratch_count(deep), 0);
    assert_int_equal(rmdir(deep), 0);
}

static void odd_names_of_folders_are_quoted_everywhere(void **state)
{
    static const char *const names[] = {"it's \"$o\" 9%", "a, b"};
    struct scratch_fixture *fixture = *state;

    for (size_t i = 0; i < PLUG_COUNT(names); i++) {
        struct backstay_scratch scratch;
        char odd[128];
        char command[1024];
        (void)snprintf(odd, sizeof odd, "%s/%s", fixture->folder, names[i]);
        assert_int_equal(mkdir(odd, 0755), 0);
        fixture->pg.scratch_folder = odd;
        scratch_make(fixture, &scratch, 0);
        scratch_answers(scratch.location, "CREATE DATABASE shop", "");
        (void)snprintf(command, sizeof command, "test \"$(%s -Atc 'SELECT 2')\" = 2", scratch.hint);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
        scratch_remove(fixture, &scratch);
        assert_int_equal(rmdir(odd), 0);
    }
}

/* Those of the matrix that tests/support/fetch-postgres has brought, and Debian's own. */
static void every_version_that_is_here_makes_one(void **state)
{
    static const char *const homes[] = {"/usr/lib/postgresql",
                                        "/var/cache/backstay-tests/postgresql"};
    struct scratch_fixture *fixture = *state;
    unsigned made = 0;

    for (int major = PG_OLDEST; major <= PG_NEWEST; major++) {
        for (size_t i = 0; i < PLUG_COUNT(homes); i++) {
            struct backstay_scratch scratch;
            char bin[128];
            char version[16];
            (void)snprintf(bin, sizeof bin, "%s/%d/bin", homes[i], major);
            (void)snprintf(version, sizeof version, "%d", major);
            if (scratch_is_gone(bin))
                continue;
            fixture->pg.scratch_bin = bin;
            scratch_make(fixture, &scratch, 0);
            scratch_answers(scratch.location,
                            "SELECT current_setting('server_version_num')::int / 10000", version);
            scratch_answers(scratch.location, "ANALYZE pg_class", "");
            scratch_remove(fixture, &scratch);
            print_message("version %d of %s\n", major, homes[i]);
            made++;
        }
    }
    assert_true(made >= 1);
}

/* ---- its end */

static void a_killed_creator_takes_its_instance_along(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = scratch_make_in_child(fixture, &scratch, 0, 0);

    scratch_answers(scratch.location, "SELECT 1", "1");
    scratch_end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

static void a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = scratch_make_in_child(fixture, &scratch, 15, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");

    scratch_end_child(pid, SIGINT);
    (void)poll(NULL, 0, 1500);
    scratch_answers(scratch.location, "SELECT 1", "1");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 0);
    assert_true(wait_for(scratch.marker, true, 40));
    assert_int_equal(plug_marker_started(server), 0);
}

static void what_a_crash_left_is_removed_and_nothing_else(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_scratch next;
    char foreign[128];
    char copied[128];
    char link[128];
    char command[1024];
    pid_t pid = scratch_make_in_child(fixture, &scratch, 0, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");

    (void)snprintf(foreign, sizeof foreign, "%s/backstay-scratch-foreign", fixture->folder);
    (void)snprintf(copied, sizeof copied, "%s/backstay-scratch-copied", fixture->folder);
    (void)snprintf(link, sizeof link, "%s/backstay-scratch-link", fixture->folder);
    (void)snprintf(command, sizeof command,
                   "mkdir %s && mkdir %s && cp %s/backstay-scratch.json %s && ln -s %s %s", foreign,
                   copied, scratch.marker, copied, foreign, link);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 0);
    assert_int_equal(kill(pid_in(scratch.marker, "watch.pid"), SIGKILL), 0);
    scratch_end_child(pid, SIGKILL);
    scratch_answers(scratch.location, "SELECT 1", "1");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 1);
    scratch_make(fixture, &next, 0);
    assert_true(scratch_is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    assert_non_null(
        strstr((const char *)fixture->host.log.data, ", which an earlier run left behind"));
    scratch_remove(fixture, &next);
    assert_int_equal(scratch_count(fixture->folder), 3);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(foreign), 0);
    (void)snprintf(command, sizeof command, "rm -r %s", copied);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void an_instance_that_grows_too_large_is_ended_and_says_so(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    char path[256];

    fixture->pg.scratch_space_bytes = 64 * (int64_t)MIB;
    scratch_make(fixture, &scratch, 0);
    assert_null(pg_scratch_ended(scratch.location));
    scratch_answers(scratch.location,
                    "CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
                    "");
    (void)snprintf(path, sizeof path, "%s/ended", scratch.marker);
    assert_true(wait_for(path, false, 20));
    (void)snprintf(path, sizeof path, "%s/data", scratch.marker);
    assert_true(wait_for(path, true, 20));
    char *why = pg_scratch_ended(scratch.location);
    assert_non_null(why);
    assert_int_equal(strncmp(why, "it grew larger than 65536 KiB, the limit of scratch_space", 57),
                     0);
    free(why);
    scratch_remove(fixture, &scratch);
    assert_true(scratch_is_gone(scratch.marker));
}

static void a_cancelled_creation_leaves_nothing(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    int stopped = 0;

    for (int after = 1; after < 30; after += 3) {
        fixture->cancel_after = after;
        int r = scratch_try(fixture, &scratch, 0, &err);
        fixture->cancel_after = 0;
        if (r == 0) {
            scratch_remove(fixture, &scratch);
            break;
        }
        assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
        assert_int_equal(scratch_count(fixture->folder), 0);
        stopped++;
    }
    assert_true(stopped >= 3);
}

static void an_ordinary_user_makes_one_as_well(void **state)
{
    struct scratch_fixture *fixture = *state;
    struct backstay_scratch scratch;
    const struct passwd *user = getpwnam("nobody");
    struct stat st;

    assert_non_null(user);
    if (geteuid() != 0)
        user = NULL; /* the other tests are this one, then */
    pid_t pid = scratch_make_in_child(fixture, &scratch, 0, user ? user->pw_uid : 0);
    scratch_answers(scratch.location, "SELECT current_user", "backstay");
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_uid, user ? user->pw_uid : geteuid());
    scratch_end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_instance_answers_and_is_gone_after_its_removal),
        SCRATCH_TEST(its_processes_have_no_rights_files_secrets_or_terminal_of_ours),
        SCRATCH_TEST(a_long_folder_has_its_sockets_elsewhere),
        SCRATCH_TEST(odd_names_of_folders_are_quoted_everywhere),
        SCRATCH_TEST(every_version_that_is_here_makes_one),
        SCRATCH_TEST(a_killed_creator_takes_its_instance_along),
        SCRATCH_TEST(a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over),
        SCRATCH_TEST(what_a_crash_left_is_removed_and_nothing_else),
        SCRATCH_TEST(an_instance_that_grows_too_large_is_ended_and_says_so),
        SCRATCH_TEST(a_cancelled_creation_leaves_nothing),
        SCRATCH_TEST(an_ordinary_user_makes_one_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
