/* tests/conformance/destination/test_local_faults.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * local: what it leaves behind when a system call fails, and when it is killed between any two.
 */
#include "faulty_calls.h"
#include "local_place.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void objects_are_flushed_before_they_are_named_and_their_folders_after(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    faulty_calls_note();
    assert_ok(local_place_put(place, "packs/ab/x", 'x', 10), place->err);
    assert_string_equal(faulty_calls_noted(),
                        "mkdirat write fsync mkdirat fsync mkdirat fsync renameat fsync");
    faulty_calls_note();
    assert_ok(local_place_put(place, "packs/ab/y", 'y', 10), place->err);
    assert_string_equal(faulty_calls_noted(), "write fsync renameat fsync");
    faulty_calls_note();
    assert_ok(local_place_put_if_absent(place, "packs/ab/z", 'z', 10), place->err);
    assert_string_equal(faulty_calls_noted(), "write fsync linkat fsync unlinkat");
    faulty_calls_note();
    assert_int_equal(local_place_put_if_absent(place, "packs/ab/z", 'z', 10), BACKSTAY_EXISTS);
    assert_string_equal(faulty_calls_noted(), "write fsync linkat fsync unlinkat");
}

static void a_folder_of_an_earlier_run_is_flushed_once(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "packs/ab/x", 'x', 10), place->err);
    local_place_must_open(place, NULL, NULL);
    faulty_calls_note();
    assert_ok(local_place_put(place, "packs/ab/y", 'y', 10), place->err);
    assert_ok(local_place_put(place, "packs/ab/z", 'z', 10), place->err);
    assert_string_equal(faulty_calls_noted(),
                        "write fsync mkdirat fsync mkdirat fsync renameat fsync "
                        "write fsync renameat fsync");
}

static void without_sync_nothing_is_flushed(void **state)
{
    struct local_place *place = *state;
    char *log = NULL;
    size_t log_len = 0;
    FILE *stream = open_memstream(&log, &log_len);

    stay_log_setup(stream, STAY_LOG_TEXT, STAY_LOG_NOTE);
    local_place_must_open(place, "sync", "false");
    stay_log_reset();
    (void)fclose(stream);
    assert_string_equal(log, "backstay: warning: test: sync is off: a power cut may lose or damage "
                             "backups that were reported as stored; use it for throwaway "
                             "repositories only\n");
    free(log);
    faulty_calls_note();
    assert_ok(local_place_put(place, "packs/ab/x", 'x', 10), place->err);
    assert_ok(local_place_put_if_absent(place, "packs/ab/y", 'x', 10), place->err);
    assert_string_equal(faulty_calls_noted(),
                        "mkdirat write mkdirat mkdirat renameat write linkat unlinkat");
}

/* ---------------------------------------------------------------- calls that fail */

struct failure {
    const char *call;
    unsigned nth;
    int code;
    int kind;
    const char *text; /* %s: the path of the destination */
};

/* The calls of a put into a new folder, in their order. */
static const struct failure failures[] = {
    {"mkdirat", 1, EACCES, BACKSTAY_ERR_AUTH, NULL},
    {"write", 1, EIO, BACKSTAY_ERR_IO, "write to %s: Input/output error"},
    {"write", 1, EDQUOT, BACKSTAY_ERR_SPACE, NULL},
    {"fsync", 1, EIO, BACKSTAY_ERR_IO, "flush to %s: Input/output error"},
    {"fsync", 1, ENOSPC, BACKSTAY_ERR_SPACE, NULL},
    {"close", 1, EIO, BACKSTAY_ERR_IO, "close a file in %s: Input/output error"},
    {"mkdirat", 2, ENOSPC, BACKSTAY_ERR_SPACE, NULL},
    {"mkdirat", 3, EMFILE, BACKSTAY_ERR_TRANSIENT,
     "create folder %s/packs/ab: Too many open files"},
    {"fsync", 2, EIO, BACKSTAY_ERR_IO, "create folder %s/packs/ab: Input/output error"},
    {"renameat", 1, EXDEV, BACKSTAY_ERR_IO,
     "store packs/ab/x in %s: Invalid cross-device link; a symbolic link or a mount inside of a "
     "destination is refused"},
    {"renameat", 1, ESTALE, BACKSTAY_ERR_TRANSIENT, "store packs/ab/x in %s: Stale file handle"},
};

static void a_put_that_fails_says_why_and_leaves_nothing(void **state)
{
    struct local_place *place = *state;
    char text[400];

    for (size_t i = 0; i < STAY_COUNT(failures); i++) {
        const struct failure *failure = &failures[i];
        struct stay_err err = {0};
        assert_ok(stay_fs_remove_tree(place->path, &err), err);
        local_place_must_open(place, NULL, NULL);
        faulty_calls_fail(failure->call, failure->nth, failure->code);
        int rc = local_place_put(place, "packs/ab/x", 'x', 1000);
        assert_int_equal(faulty_calls_disarm(), 1);
        assert_int_equal(rc, -1);
        assert_int_equal(place->err.kind, failure->kind);
        if (failure->text) {
            const char *path = strstr(failure->text, "%s");
            (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(path - failure->text),
                           failure->text, place->path, path + 2);
            assert_string_equal(place->err.text, text);
        }
        assert_true(local_place_misses(place, "packs/ab/x"));
        assert_int_equal(local_place_unfinished(place), 0);
        assert_ok(local_place_put(place, "packs/ab/x", 'x', 1000), place->err);
    }
}

static void a_folder_that_cannot_be_flushed_is_a_failure(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *text =
        stay_strf("flush the folder of a/x in %s: Input/output error", place->path);

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "a/first", 'x', 10), place->err);
    faulty_calls_fail("fsync", 2, EIO);
    int rc = local_place_put(place, "a/x", 'x', 10);
    assert_int_equal(faulty_calls_disarm(), 1);
    assert_int_equal(rc, -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    faulty_calls_fail("fsync", 2, EIO);
    rc = local_place_put_if_absent(place, "a/first", 'y', 10);
    assert_int_equal(faulty_calls_disarm(), 1);
    assert_int_equal(rc, -1);
    assert_true(local_place_holds(place, "a/first", 'x', 10));
}

static void interrupted_and_short_writes_are_continued(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    faulty_calls_hinder_writes();
    int rc = local_place_put(place, "x", 'x', 100000);
    (void)faulty_calls_disarm();
    assert_ok(rc, place->err);
    assert_true(local_place_holds(place, "x", 'x', 100000));
}

static void a_file_system_without_hard_links_will_do(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    faulty_calls_fail("linkat", 1, EPERM);
    int rc = local_place_put_if_absent(place, "x", 'a', 10);
    assert_int_equal(faulty_calls_disarm(), 1);
    assert_ok(rc, place->err);
    faulty_calls_fail("linkat", 1, EOPNOTSUPP);
    rc = local_place_put_if_absent(place, "x", 'b', 10);
    assert_int_equal(faulty_calls_disarm(), 1);
    assert_int_equal(rc, BACKSTAY_EXISTS);
    assert_true(local_place_holds(place, "x", 'a', 10));
    assert_int_equal(local_place_unfinished(place), 0);
}

/* Fails as a file system does that can neither link nor rename without replacing. */
static void a_file_system_that_cannot_decide_is_refused(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *text =
        stay_strf("store x in %s: Operation not supported; its file system has neither hard links "
                  "nor a rename that does not replace: use another one",
                  place->path);

    local_place_must_open(place, NULL, NULL);
    faulty_calls_fail("linkat", 1, EPERM);
    faulty_calls_fail("renameat2", 1, EINVAL);
    int rc = local_place_put_if_absent(place, "x", 'a', 10);
    assert_int_equal(faulty_calls_disarm(), 2);
    assert_int_equal(rc, -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    assert_int_equal(local_place_count(place), 0);
    assert_int_equal(local_place_unfinished(place), 0);
}

static void a_link_that_was_made_although_it_says_it_exists_is_ours(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    faulty_calls_fail_after("linkat", EEXIST);
    int rc = local_place_put_if_absent(place, "x", 'a', 10);
    assert_int_equal(faulty_calls_disarm(), 1);
    assert_ok(rc, place->err);
    assert_true(local_place_holds(place, "x", 'a', 10));
    assert_int_equal(local_place_unfinished(place), 0);
}

/* ---------------------------------------------------------------- crashes */

enum { OLD_BYTES = 3000, NEW_BYTES = 200000 };

/* Runs @step in a child that dies before its @nth call. @return whether it did die. */
static bool dies(struct local_place *place, unsigned nth,
                 int (*step)(struct local_place *, const char *, char, size_t))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        faulty_calls_kill(nth);
        int rc = step(place, "packs/ab/x", 'n', NEW_BYTES);
        faulty_calls_kill(0);
        _exit(rc == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFSIGNALED(status);
}

static void killed_before_any_call_a_put_leaves_all_or_nothing(void **state)
{
    struct local_place *place = *state;
    unsigned nth = 1;
    struct stay_err err = {0};

    for (bool died = true; died; nth++) {
        assert_ok(stay_fs_remove_tree(place->path, &err), err);
        local_place_must_open(place, NULL, NULL);
        died = dies(place, nth, local_place_put);
        local_place_must_open(place, NULL, NULL);
        if (local_place_count(place) == 0)
            assert_true(died && local_place_misses(place, "packs/ab/x"));
        else
            assert_true(local_place_holds(place, "packs/ab/x", 'n', NEW_BYTES));
        assert_ok(local_place_put(place, "packs/ab/x", 'a', 5), place->err);
        assert_true(local_place_holds(place, "packs/ab/x", 'a', 5));
        assert_int_equal(local_place_count(place), 1);
    }
    assert_true(nth > 10); /* as many calls as there are steps, so that the test tests something */
}

static void killed_before_any_call_a_replacement_leaves_the_old_or_the_new(void **state)
{
    struct local_place *place = *state;
    unsigned nth = 1;
    bool seen_old = false;

    for (bool died = true; died; nth++) {
        local_place_must_open(place, NULL, NULL);
        assert_ok(local_place_put(place, "packs/ab/x", 'o', OLD_BYTES), place->err);
        died = dies(place, nth, local_place_put);
        bool is_old = local_place_holds(place, "packs/ab/x", 'o', OLD_BYTES);
        assert_true(is_old || local_place_holds(place, "packs/ab/x", 'n', NEW_BYTES));
        assert_true(died || !is_old);
        assert_int_equal(local_place_count(place), 1);
        seen_old = seen_old || is_old;
    }
    assert_true(seen_old && nth > 5);
}

static void killed_before_any_call_an_exclusive_put_leaves_all_or_nothing(void **state)
{
    struct local_place *place = *state;
    struct backstay_error err = {.size = sizeof err};
    unsigned nth = 1;

    local_place_must_open(place, NULL, NULL);
    for (bool died = true; died; nth++) {
        died = dies(place, nth, local_place_put_if_absent);
        bool is_there = local_place_holds(place, "packs/ab/x", 'n', NEW_BYTES);
        assert_true(is_there || local_place_misses(place, "packs/ab/x"));
        assert_true(died || is_there);
        assert_int_equal(local_place_put_if_absent(place, "packs/ab/x", 'b', 5),
                         is_there ? BACKSTAY_EXISTS : 0);
        assert_int_equal(place->dest.ops->remove(place->dest.self, "packs/ab/x", &err), 0);
    }
    assert_true(nth > 5);
}

int main(void)
{
#define IN_PLACE(test)                                                                             \
    cmocka_unit_test_setup_teardown(test, local_place_setup, local_place_teardown)
    const struct CMUnitTest tests[] = {
        IN_PLACE(objects_are_flushed_before_they_are_named_and_their_folders_after),
        IN_PLACE(a_folder_of_an_earlier_run_is_flushed_once),
        IN_PLACE(without_sync_nothing_is_flushed),
        IN_PLACE(a_put_that_fails_says_why_and_leaves_nothing),
        IN_PLACE(a_folder_that_cannot_be_flushed_is_a_failure),
        IN_PLACE(interrupted_and_short_writes_are_continued),
        IN_PLACE(a_file_system_without_hard_links_will_do),
        IN_PLACE(a_file_system_that_cannot_decide_is_refused),
        IN_PLACE(a_link_that_was_made_although_it_says_it_exists_is_ours),
        IN_PLACE(killed_before_any_call_a_put_leaves_all_or_nothing),
        IN_PLACE(killed_before_any_call_a_replacement_leaves_the_old_or_the_new),
        IN_PLACE(killed_before_any_call_an_exclusive_put_leaves_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
