/* tests/conformance/source/mysql_fixture.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "mysql_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000 };

/* ---- the host */

static int ask_cancelled(const struct backstay_host *abi)
{
    struct mysql_fixture *fixture = abi->ctx;

    if (fixture->cancel_after == 0)
        return 0;
    if (fixture->cancel_after > 1)
        fixture->cancel_after--;
    return fixture->cancel_after == 1;
}

/* ---- the fixture */

int mysql_fixture_make(void **state)
{
    struct mysql_fixture *fixture = calloc(1, sizeof *fixture);

    fake_host_init(&fixture->host);
    fixture->host.abi.name = "shop";
    fixture->host.abi.cancelled = ask_cancelled;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/var/tmp/backstay-test-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL || chmod(fixture->folder, 0777) != 0)
        return -1;
    fixture->my = (struct my){
        .host = &fixture->host.abi,
        .ssl_verify = -1,
        .jobs = 2,
        .lock_timeout_ns = (int64_t)5 * SECOND_NS,
        .split_bytes = 64 << 20,
        .users = true,
        .scratch_folder = fixture->folder,
        .scratch_time_ns = (int64_t)60 * SECOND_NS,
        .database = "shop",
    };
    *state = fixture;
    return 0;
}

/* Fails when a test has left anything in the folder. */
int mysql_fixture_remove(void **state)
{
    struct mysql_fixture *fixture = *state;
    int r = rmdir(fixture->folder);

    if (r != 0)
        (void)fprintf(stderr, "%s: %s\n", fixture->folder, strerror(errno));
    fake_host_free(&fixture->host);
    free(fixture);
    return r;
}

size_t mysql_count(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* ---- scratch places */

int mysql_scratch_try(struct mysql_fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                      struct backstay_error *err)
{
    *err = (struct backstay_error){.size = sizeof *err};
    *out = (struct backstay_scratch){
        .size = sizeof *out,
        .keep_until_ns = keep_s ? (time(NULL) + keep_s) * (int64_t)SECOND_NS : 0,
    };
    return my_scratch_create(&fixture->my, out, err);
}

void mysql_scratch_make(struct mysql_fixture *fixture, struct backstay_scratch *out, int64_t keep_s)
{
    struct backstay_error err;

    assert_ok(mysql_scratch_try(fixture, out, keep_s, &err), err);
}

void mysql_scratch_remove(struct mysql_fixture *fixture, const struct backstay_scratch *scratch)
{
    struct backstay_error err = {.size = sizeof err};

    assert_ok(my_scratch_remove(&fixture->my, scratch, &err), err);
}

/* The scratch place that the child makes is read from a pipe. */
pid_t mysql_scratch_in_child(struct mysql_fixture *fixture, struct backstay_scratch *out,
                             int64_t keep_s, uid_t uid)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct backstay_error err;
        (void)setpgid(0, 0);
        if (uid && (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0))
            _exit(1);
        if (mysql_scratch_try(fixture, out, keep_s, &err) != 0) {
            (void)fprintf(stderr, "%s\n", err.text);
            _exit(1);
        }
        if (write(ends[1], out, sizeof *out) != sizeof *out)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    return pid;
}

void mysql_end_child(pid_t pid, int signal)
{
    int status;

    assert_int_equal(kill(-pid, signal), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* ---- statements */

static struct my_conn *reach(struct mysql_fixture *fixture, const char *location)
{
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;
    struct my_conn *conn;

    assert_ok(my_scratch_place(&place, &fixture->my, location, &err), err);
    assert_ok(my_connect(&conn, &place, &err), err);
    my_place_free(&place);
    return conn;
}

void mysql_run(struct mysql_fixture *fixture, const char *location, const char *sql)
{
    struct my_conn *conn = reach(fixture, location);
    struct backstay_error err = {.size = sizeof err};

    assert_ok(my_run(conn, &err, sql), err);
    my_disconnect(conn);
}

void mysql_answers(struct mysql_fixture *fixture, const char *location, const char *sql,
                   const char *expected)
{
    struct my_conn *conn = reach(fixture, location);
    struct backstay_error err = {.size = sizeof err};
    char *value = my_value(conn, &err, sql);

    if (value == NULL)
        fail_msg("%s", err.text);
    assert_string_equal(value, expected);
    free(value);
    my_disconnect(conn);
}
