/* tests/unit/cli/test_signals.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * signals: the first asks, the second ends. Each in a process of its own.
 */
#include "cli/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stay_cancel cancel;

/* Runs @work in a child. @return its wait status. */
static int in_child(int (*work)(int number), int number)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(work(number));
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int raise_once(int number)
{
    stay_signals_catch(&cancel);
    (void)raise(number);
    return atomic_load(&cancel.signal);
}

static int raise_twice(int number)
{
    stay_signals_catch(&cancel);
    (void)raise(number);
    (void)raise(number == SIGINT ? SIGTERM : number);
    return 0;
}

static int raise_ignored(int number)
{
    (void)signal(number, SIG_IGN);
    stay_signals_catch(&cancel);
    (void)raise(number);
    return atomic_load(&cancel.signal) == 0 ? 77 : 0;
}

static int raise_after_release(int number)
{
    stay_signals_catch(&cancel);
    stay_signals_release();
    (void)raise(number);
    return 0;
}

static void the_first_signal_asks_to_stop(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(numbers); i++) {
        int status = in_child(raise_once, numbers[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), numbers[i]);
    }
}

static void the_second_signal_ends_the_program(void **state)
{
    (void)state;
    int status = in_child(raise_twice, SIGINT);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    status = in_child(raise_twice, SIGTERM);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void an_ignored_signal_stays_ignored(void **state)
{
    (void)state;
    int status = in_child(raise_ignored, SIGHUP);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 77);
}

static void a_broken_pipe_does_not_end_the_program(void **state)
{
    (void)state;
    int status = in_child(raise_once, SIGPIPE);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void after_release_signals_act_as_before(void **state)
{
    (void)state;
    int status = in_child(raise_after_release, SIGTERM);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_asks_to_stop),
        cmocka_unit_test(the_second_signal_ends_the_program),
        cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(a_broken_pipe_does_not_end_the_program),
        cmocka_unit_test(after_release_signals_act_as_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
