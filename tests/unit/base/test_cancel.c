/* tests/unit/base/test_cancel.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * cancel: a request is seen by all who ask, also when a signal handler made it.
 */
#include "base/cancel.h"

#include "support/cmocka.h"

#include <signal.h>

static struct stay_cancel cancel;

static void request(int signal)
{
    stay_cancel_request(&cancel, signal);
}

static void a_signal_handler_can_ask_to_stop(void **state)
{
    struct sigaction old;
    const struct sigaction action = {.sa_handler = request};

    (void)state;
    assert_false(stay_cancelled(&cancel));
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
    assert_true(stay_cancelled(&cancel));
    assert_int_equal(atomic_load(&cancel.signal), SIGUSR1);
}

static void who_cannot_be_cancelled_never_is(void **state)
{
    (void)state;
    assert_false(stay_cancelled(NULL));
}

static void stopping_is_an_error_of_its_own_kind(void **state)
{
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_fail_cancelled(&err), -1);
    assert_error(err, STAY_ERR_CANCELLED, "stopped on request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_handler_can_ask_to_stop),
        cmocka_unit_test(who_cannot_be_cancelled_never_is),
        cmocka_unit_test(stopping_is_an_error_of_its_own_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
