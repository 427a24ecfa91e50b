/* tests/conformance/source/test_postgres_scratch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scratch instances and scratch databases of the postgres plugin, on real servers: what they are,
 * and that they go, whatever becomes of who made them.
 */
#include "postgres_fixture.h"

#include "shared/server.h"
#include "source/postgres/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000, MIB = 1 << 20 };

/* ---- a host and an instance of the plugin */

struct fixture {
    struct postgres_host host; /* first: see ask_cancelled() */
    struct pg pg;
    char folder[64];  /* that of the scratch instances */
    int cancel_after; /* questions until the host says stop; 0: never */
};

static int ask_cancelled(const struct backstay_host *abi)
{
    struct fixture *fixture = abi->ctx;

    if (fixture->cancel_after == 0)
        return 0;
    if (fixture->cancel_after > 1)
        fixture->cancel_after--;
    return fixture->cancel_after == 1;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    postgres_host_init(&fixture->host);
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
static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    int r = rmdir(fixture->folder);

    if (r != 0)
        (void)fprintf(stderr, "%s: %s\n", fixture->folder, strerror(errno));
    postgres_host_free(&fixture->host);
    free(fixture);
    return r;
}

static size_t count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static int create(struct fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                  struct backstay_error *err)
{
    *err = (struct backstay_error){.size = sizeof *err};
    *out = (struct backstay_scratch){
        .size = sizeof *out,
        .keep_until_ns = keep_s ? (time(NULL) + keep_s) * (int64_t)SECOND_NS : 0,
    };
    return pg_scratch_create(&fixture->pg, out, err);
}

static void must_create(struct fixture *fixture, struct backstay_scratch *out, int64_t keep_s)
{
    struct backstay_error err;

    assert_ok(create(fixture, out, keep_s, &err), err);
}

static void must_remove(struct fixture *fixture, const struct backstay_scratch *scratch)
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

static void assert_answer(const char *url, const char *sql, const char *expected)
{
    char *value = ask(url, sql);

    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
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

static bool is_gone(const char *path)
{
    return access(path, F_OK) != 0;
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
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    char expected[256];
    struct stat st;

    must_create(fixture, &scratch, 0);
    assert_int_equal(pg_scratch_kind(scratch.location), PG_SCRATCH_INSTANCE);
    (void)snprintf(expected, sizeof expected,
                   "postgresql:///postgres?host=%s&port=5432&user=backstay"
                   "&application_name=backstay-scratch",
                   scratch.marker);
    assert_string_equal(scratch.location, expected);
    (void)snprintf(expected, sizeof expected,
                   "psql 'postgresql:///shop?host=%s&port=5432&user=backstay'", scratch.marker);
    assert_string_equal(scratch.hint, expected);
    assert_answer(scratch.location, "SELECT current_user", "backstay");
    assert_answer(scratch.location, "SHOW listen_addresses", "");
    assert_answer(scratch.location, "SHOW fsync", "off");
    assert_answer(scratch.location, "SHOW wal_level", "minimal");
    assert_answer(scratch.location, "SHOW server_encoding", "UTF8");
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_not_equal(st.st_uid, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");
    pid_t watch = pid_in(scratch.marker, "watch.pid");
    must_remove(fixture, &scratch);
    assert_true(is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    assert_int_equal(plug_marker_started(watch), 0);
    must_remove(fixture, &scratch);
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
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    char lock[128];
    char text[8192];

    (void)snprintf(lock, sizeof lock, "%s/lock", fixture->folder);
    int fd = open(lock, O_RDWR | O_CREAT, 0600); /* as a careless library would */
    assert_true(fd >= 0);
    assert_int_equal(setenv("PGPASSWORD", "not-for-others", 1), 0);
    must_create(fixture, &scratch, 0);
    assert_int_equal(unsetenv("PGPASSWORD"), 0);
    const pid_t pids[] = {pid_in(scratch.marker, "server.pid"),
                          pid_in(scratch.marker, "watch.pid")};
    for (size_t i = 0; i < PLUG_COUNT(pids); i++) {
        read_proc(pids[i], "environ", text, sizeof text);
        assert_null(strstr(text, "not-for-others"));
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
    must_remove(fixture, &scratch);
}

static void a_long_folder_has_its_sockets_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    char sockets[128] = "";
    char deep[256];

    (void)snprintf(deep, sizeof deep, "%s/%080d", fixture->folder, 0);
    assert_int_equal(mkdir(deep, 0755), 0);
    assert_int_equal(chmod(deep, 0777), 0);
    fixture->pg.scratch_folder = deep;
    must_create(fixture, &scratch, 0);
    assert_answer(scratch.location, "SELECT 1", "1");
    assert_int_equal(sscanf(strstr(scratch.location, "host="), "host=%127[^&]", sockets), 1);
    assert_int_equal(strncmp(sockets, "/tmp/backstay-sockets-", 22), 0);
    assert_int_equal(strncmp(scratch.marker, "backstay-scratch-shop-", 22), 0);
    must_remove(fixture, &scratch);
    assert_true(is_gone(sockets));
    assert_int_equal(count_entries(deep), 0);
    assert_int_equal(rmdir(deep), 0);
}

/* Those of the matrix that tests/support/fetch-postgres has brought, and Debian's own. */
static void every_version_that_is_here_makes_one(void **state)
{
    static const char *const homes[] = {"/usr/lib/postgresql",
                                        "/var/cache/backstay-tests/postgresql"};
    struct fixture *fixture = *state;
    unsigned made = 0;

    for (int major = PG_OLDEST; major <= PG_NEWEST; major++) {
        for (size_t i = 0; i < PLUG_COUNT(homes); i++) {
            struct backstay_scratch scratch;
            char bin[128];
            char version[16];
            (void)snprintf(bin, sizeof bin, "%s/%d/bin", homes[i], major);
            (void)snprintf(version, sizeof version, "%d", major);
            if (is_gone(bin))
                continue;
            fixture->pg.scratch_bin = bin;
            must_create(fixture, &scratch, 0);
            assert_answer(scratch.location,
                          "SELECT current_setting('server_version_num')::int / 10000", version);
            assert_answer(scratch.location, "ANALYZE pg_class", "");
            must_remove(fixture, &scratch);
            print_message("version %d of %s\n", major, homes[i]);
            made++;
        }
    }
    assert_true(made >= 1);
}

/* ---- its end */

/* Creates an instance in a child, which then waits for its own end. The child's pid; its scratch
 * place is read from a pipe. */
static pid_t create_in_child(struct fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                             uid_t uid)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct backstay_error err;
        (void)setpgid(0, 0);
        if (uid && (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0))
            _exit(1);
        if (create(fixture, out, keep_s, &err) != 0) {
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

static void end_child(pid_t pid, int signal)
{
    int status;

    assert_int_equal(kill(-pid, signal), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void a_killed_creator_takes_its_instance_along(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = create_in_child(fixture, &scratch, 0, 0);

    assert_answer(scratch.location, "SELECT 1", "1");
    end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

static void a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    pid_t pid = create_in_child(fixture, &scratch, 6, 0);
    pid_t server = pid_in(scratch.marker, "server.pid");

    end_child(pid, SIGINT);
    (void)poll(NULL, 0, 1500);
    assert_answer(scratch.location, "SELECT 1", "1");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 0);
    assert_true(wait_for(scratch.marker, true, 20));
    assert_int_equal(plug_marker_started(server), 0);
}

static void what_a_crash_left_is_removed_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_scratch next;
    char foreign[128];
    char copied[128];
    char link[128];
    char command[1024];
    pid_t pid = create_in_child(fixture, &scratch, 0, 0);
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
    end_child(pid, SIGKILL);
    assert_answer(scratch.location, "SELECT 1", "1");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 1);
    must_create(fixture, &next, 0);
    assert_true(is_gone(scratch.marker));
    assert_int_equal(plug_marker_started(server), 0);
    assert_non_null(
        strstr((const char *)fixture->host.log.data, ", which an earlier run left behind"));
    must_remove(fixture, &next);
    assert_int_equal(count_entries(fixture->folder), 3);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(foreign), 0);
    (void)snprintf(command, sizeof command, "rm -r %s", copied);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void an_instance_that_grows_too_large_is_ended_and_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    char path[256];

    fixture->pg.scratch_space_bytes = 64 * (int64_t)MIB;
    must_create(fixture, &scratch, 0);
    assert_null(pg_scratch_ended(scratch.location));
    assert_answer(scratch.location,
                  "CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)", "");
    (void)snprintf(path, sizeof path, "%s/ended", scratch.marker);
    assert_true(wait_for(path, false, 20));
    (void)snprintf(path, sizeof path, "%s/data", scratch.marker);
    assert_true(wait_for(path, true, 20));
    char *why = pg_scratch_ended(scratch.location);
    assert_non_null(why);
    assert_int_equal(strncmp(why, "it grew larger than 65536 KiB, the limit of scratch_space", 57),
                     0);
    free(why);
    must_remove(fixture, &scratch);
    assert_true(is_gone(scratch.marker));
}

static void a_cancelled_creation_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    int stopped = 0;

    for (int after = 1; after < 30; after += 3) {
        fixture->cancel_after = after;
        int r = create(fixture, &scratch, 0, &err);
        fixture->cancel_after = 0;
        if (r == 0) {
            must_remove(fixture, &scratch);
            break;
        }
        assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
        assert_int_equal(count_entries(fixture->folder), 0);
        stopped++;
    }
    assert_true(stopped >= 3);
}

static void an_ordinary_user_makes_one_as_well(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    const struct passwd *user = getpwnam("nobody");
    struct stat st;

    assert_non_null(user);
    if (geteuid() != 0)
        user = NULL; /* the other tests are this one, then */
    pid_t pid = create_in_child(fixture, &scratch, 0, user ? user->pw_uid : 0);
    assert_answer(scratch.location, "SELECT current_user", "backstay");
    assert_int_equal(stat(scratch.marker, &st), 0);
    assert_int_equal(st.st_uid, user ? user->pw_uid : geteuid());
    end_child(pid, SIGKILL);
    assert_true(wait_for(scratch.marker, true, 20));
}

/* ---- errors */

static void a_version_that_is_not_installed_is_named(void **state)
{
    struct fixture *fixture = *state;
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
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    char text[256];

    if (geteuid() == 0) {
        fixture->pg.scratch_user = "no-such-user";
        assert_int_equal(create(fixture, &scratch, 0, &err), -1);
        assert_error(err, BACKSTAY_ERR_CONFIG,
                     "\"scratch_user\" is no-such-user: there is no such user on this machine");
        fixture->pg.scratch_user = "root";
        assert_int_equal(create(fixture, &scratch, 0, &err), -1);
        assert_error(err, BACKSTAY_ERR_CONFIG,
                     "\"scratch_user\" is root, which is root: a database server needs a user "
                     "without rights");
        fixture->pg.scratch_user = "postgres";
    }
    assert_int_equal(chmod(fixture->folder, 0), 0);
    assert_int_equal(create(fixture, &scratch, 0, &err), -1);
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
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;

    assert_int_equal(mount("none", fixture->folder, "tmpfs", 0, "size=8m,mode=777"), 0);
    int r = create(fixture, &scratch, 0, &err);
    size_t left = count_entries(fixture->folder);
    assert_int_equal(umount(fixture->folder), 0);
    assert_int_equal(r, -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_SPACE);
    assert_non_null(strstr(err.text, "No space left on device"));
    assert_int_equal(left, 0);
}

/* The only line that a preflight has about scratch places. Freed by the caller. */
static char *look(struct fixture *fixture, int major, int *severity)
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
    struct fixture *fixture = *state;
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
    struct fixture *fixture = *state;
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
static void start_two(struct fixture *fixture, struct two *two)
{
    must_create(fixture, &two->source, 0);
    must_create(fixture, &two->server, 0);
    assert_answer(two->server.location, "CREATE ROLE verify LOGIN CREATEDB", "");
    (void)snprintf(two->url, sizeof two->url, "host=%s user=verify", two->server.marker);
    fixture->pg.url = two->source.location;
    fixture->pg.scratch_server = two->url;
}

static void end_two(struct fixture *fixture, struct two *two)
{
    fixture->pg.scratch_server = NULL;
    must_remove(fixture, &two->source);
    must_remove(fixture, &two->server);
}

/* Does what a restore does: makes a database in the scratch place, and marks it. */
static void make_database(struct fixture *fixture, const struct backstay_scratch *scratch,
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
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;

    start_two(fixture, &two);
    must_create(fixture, &scratch, 0);
    assert_int_equal(pg_scratch_kind(scratch.location), PG_SCRATCH_DATABASES);
    make_database(fixture, &scratch, "shop");
    make_database(fixture, &scratch, "crm");
    assert_answer(two.server.location, count_databases, "2");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 0);
    assert_answer(two.server.location, "CREATE DATABASE backstay_scratch_of_somebody", "");
    fixture->cancel_after = 1;
    must_remove(fixture, &scratch);
    fixture->cancel_after = 0;
    assert_answer(two.server.location, count_databases, "1");
    end_two(fixture, &two);
}

static void databases_of_a_crash_are_removed_by_the_next_run(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct two two;

    start_two(fixture, &two);
    pid_t pid = create_in_child(fixture, &scratch, 0, 0);
    end_child(pid, SIGKILL);
    must_create(fixture, &scratch, -100);
    make_database(fixture, &scratch, "shop");
    assert_int_equal(pg_scratch_leftovers(&fixture->pg), 1);
    must_create(fixture, &scratch, 0);
    assert_answer(two.server.location, count_databases, "0");
    end_two(fixture, &two);
}

static void scratch_servers_that_cannot_be_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_scratch scratch;
    struct backstay_error err;
    struct two two;
    char text[1024];

    start_two(fixture, &two);
    fixture->pg.url = two.server.location;
    assert_int_equal(create(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "\"scratch_server\" is the server that is backed up (database postgres on %s): "
                   "name another one, or remove the option to get an instance of its own",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
    fixture->pg.url = two.source.location;
    assert_answer(two.server.location, "ALTER ROLE verify NOCREATEDB", "");
    assert_int_equal(create(fixture, &scratch, 0, &err), -1);
    (void)snprintf(text, sizeof text,
                   "database postgres on %s: the role may not create databases; run there: ALTER "
                   "ROLE verify CREATEDB",
                   two.server.marker);
    assert_error(err, BACKSTAY_ERR_AUTH, text);
    assert_answer(two.server.location, "ALTER ROLE verify CREATEDB", "");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_instance_answers_and_is_gone_after_its_removal),
        TEST(its_processes_have_no_rights_files_secrets_or_terminal_of_ours),
        TEST(a_long_folder_has_its_sockets_elsewhere),
        TEST(every_version_that_is_here_makes_one),
        TEST(a_killed_creator_takes_its_instance_along),
        TEST(a_kept_instance_outlives_ctrl_c_and_goes_when_its_time_is_over),
        TEST(what_a_crash_left_is_removed_and_nothing_else),
        TEST(an_instance_that_grows_too_large_is_ended_and_says_so),
        TEST(a_cancelled_creation_leaves_nothing),
        TEST(an_ordinary_user_makes_one_as_well),
        TEST(a_version_that_is_not_installed_is_named),
        TEST(users_and_folders_that_cannot_be_are_named),
        TEST(a_full_disk_is_told_and_cleaned_up),
        TEST(a_preflight_tells_whether_scratch_places_can_be_made),
        TEST(only_scratch_places_of_ours_are_removed),
        TEST(databases_on_a_scratch_server_are_marked_and_removed),
        TEST(databases_of_a_crash_are_removed_by_the_next_run),
        TEST(scratch_servers_that_cannot_be_are_refused),
        TEST(names_on_a_scratch_server_stay_within_63_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
