/* tests/unit/store/test_lock.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * lock: one holder at a time, also between processes, and none left behind by a dead one.
 */
#include "store/lock.h"

#include "support/cmocka.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    char *folder = NULL;
    int rc = stay_fs_make_scratch(&folder, "/tmp/backstay-lock-", NULL);

    *state = folder;
    return rc;
}

static int teardown(void **state)
{
    int rc = stay_fs_remove_tree(*state, NULL);

    free(*state);
    return rc;
}

static void second_taker_finds_the_lock_busy(void **state)
{
    stay_auto(stay_lock_free) struct stay_lock *first = NULL;
    struct stay_lock *second = NULL;
    struct stay_err err = {0};

    assert_ok(stay_lock_take(&first, *state, "media", &err), err);
    assert_int_equal(stay_lock_take(&second, *state, "media", &err), STAY_LOCK_BUSY);
    assert_null(second);
}

static void another_name_is_another_lock(void **state)
{
    stay_auto(stay_lock_free) struct stay_lock *first = NULL;
    stay_auto(stay_lock_free) struct stay_lock *second = NULL;
    struct stay_err err = {0};

    assert_ok(stay_lock_take(&first, *state, "media", &err), err);
    assert_ok(stay_lock_take(&second, *state, "db", &err), err);
}

static void a_released_lock_can_be_taken_and_its_file_stays(void **state)
{
    stay_auto_str char *path = stay_strf("%s/media.lock", (const char *)*state);
    struct stay_lock *lock = NULL;
    struct stay_err err = {0};

    for (int i = 0; i < 3; i++) {
        assert_ok(stay_lock_take(&lock, *state, "media", &err), err);
        stay_lock_free(lock);
        assert_true(stay_fs_exists(path));
    }
    stay_lock_free(NULL);
}

/* Takes the lock, says so through @fd, and waits to be killed. */
static void hold_forever(const char *folder, int fd)
{
    struct stay_lock *lock = NULL;

    if (stay_lock_take(&lock, folder, "media", NULL) != 0 || write(fd, "x", 1) != 1)
        _exit(1);
    (void)alarm(60);
    for (;;)
        (void)pause();
}

static void the_lock_of_a_killed_process_is_free(void **state)
{
    stay_auto(stay_lock_free) struct stay_lock *lock = NULL;
    struct stay_lock *busy = NULL;
    struct stay_err err = {0};
    int ends[2];
    char c;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hold_forever(*state, ends[1]);
    assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(stay_lock_take(&busy, *state, "media", &err), STAY_LOCK_BUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(stay_lock_take(&lock, *state, "media", &err), err);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    stay_auto_str char *folder = stay_strf("%s/none", (const char *)*state);
    stay_auto_str char *expected =
        stay_strf("open lock %s/media.lock: No such file or directory", folder);
    struct stay_lock *lock = NULL;
    struct stay_err err = {0};

    assert_int_equal(stay_lock_take(&lock, folder, "media", &err), -1);
    assert_error(err, STAY_ERR_IO, expected);
    assert_null(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_taker_finds_the_lock_busy),
        cmocka_unit_test(another_name_is_another_lock),
        cmocka_unit_test(a_released_lock_can_be_taken_and_its_file_stays),
        cmocka_unit_test(the_lock_of_a_killed_process_is_free),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
