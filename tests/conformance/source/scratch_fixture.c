/* tests/conformance/source/scratch_fixture.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scratch_fixture.h"

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

static int ask_cancelled(const struct backstay_host *abi)
{
    struct scratch_fixture *fixture = abi->ctx;

    if (fixture->cancel_after == 0)
        return 0;
    if (fixture->cancel_after > 1)
        fixture->cancel_after--;
    return fixture->cancel_after == 1;
}

int scratch_fixture_make(void **state)
{
    struct scratch_fixture *fixture = calloc(1, sizeof *fixture);

    fake_host_init(&fixture->host);
    fixture->host.abi.name = "shop";
    fixture->host.abi.cancelled = ask_cancelled;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/var/tmp/backstay-test-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL || chmod(fixture->folder, 0777) != 0)
        return -1;
    fixture->pg = (struct pg){
        .host = &fixture->host.abi,
        .scratch_folder = fixture->folder,
        .scratch_time_ns = (int64_t)60 * SECOND_NS,
        .database = "shop",
    };
    *state = fixture;
    return 0;
}

/* Fails when a test has left anything in the folder. */
int scratch_fixture_remove(void **state)
{
    struct scratch_fixture *fixture = *state;
    int r = rmdir(fixture->folder);

    if (r != 0)
        (void)fprintf(stderr, "%s: %s\n", fixture->folder, strerror(errno));
    fake_host_free(&fixture->host);
    free(fixture);
    return r;
}

size_t scratch_count(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

int scratch_try(struct scratch_fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                struct backstay_error *err)
{
    *err = (struct backstay_error){.size = sizeof *err};
    *out = (struct backstay_scratch){
        .size = sizeof *out,
        .keep_until_ns = keep_s ? (time(NULL) + keep_s) * (int64_t)SECOND_NS : 0,
    };
    return pg_scratch_create(&fixture->pg, out, err);
}

void scratch_make(struct scratch_fixture *fixture, struct backstay_scratch *out, int64_t keep_s)
{
    struct backstay_error err;

    assert_ok(scratch_try(fixture, out, keep_s, &err), err);
}

void scratch_remove(struct scratch_fixture *fixture, const struct backstay_scratch *scratch)
{
    struct backstay_error err = {.size = sizeof err};

    assert_ok(pg_scratch_remove(&fixture->pg, scratch, &err), err);
}

/* The first value of a statement. Freed by the caller; NULL: no answer. */
static char *ask(const char *url, const char *sql)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *rows = PQexec(conn, sql);
    char *value = NULL;

    if (PQresultStatus(rows) == PGRES_TUPLES_OK && PQntuples(rows) > 0)
        value = strdup(PQgetvalue(rows, 0, 0));
    else if (PQresultStatus(rows) == PGRES_COMMAND_OK)
        value = strdup("");
    else
        (void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
    PQclear(rows);
    PQfinish(conn);
    return value;
}

void scratch_answers(const char *url, const char *sql, const char *expected)
{
    char *value = ask(url, sql);

    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
}

bool scratch_is_gone(const char *path)
{
    return access(path, F_OK) != 0;
}

/* Creates an instance in a child, which then waits for its own end. The child's pid; its scratch
 * place is read from a pipe. */
pid_t scratch_make_in_child(struct scratch_fixture *fixture, struct backstay_scratch *out,
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
        if (scratch_try(fixture, out, keep_s, &err) != 0) {
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

void scratch_end_child(pid_t pid, int signal)
{
    int status;

    assert_int_equal(kill(-pid, signal), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}
