/* tests/unit/cli/test_exit.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * exit: every kind of error has its code.
 */
#include "cli/exit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int code_of(enum stay_kind kind, enum stay_origin origin, int signal)
{
    const struct stay_err err = {.kind = kind, .origin = origin};

    return stay_exit_code(&err, signal);
}

static void the_kind_decides(void **state)
{
    (void)state;
    for (int origin = STAY_ORIGIN_SELF; origin <= STAY_ORIGIN_DESTINATION; origin++) {
        enum stay_origin from = (enum stay_origin)origin;
        assert_int_equal(code_of(STAY_ERR_USAGE, from, 0), 2);
        assert_int_equal(code_of(STAY_ERR_CORRUPT, from, 0), 4);
        assert_int_equal(code_of(STAY_ERR_CONFIG, from, 0), 10);
        assert_int_equal(code_of(STAY_ERR_LOCKED, from, 0), 11);
        assert_int_equal(code_of(STAY_ERR_KEY, from, 0), 12);
        assert_int_equal(code_of(STAY_ERR_ABSENT, from, 0), 15);
        assert_int_equal(code_of(STAY_ERR_SPACE, from, 0), 16);
    }
}

static void the_origin_decides_where_the_kind_does_not(void **state)
{
    static const enum stay_kind kinds[] = {STAY_ERR_IO, STAY_ERR_TRANSIENT, STAY_ERR_AUTH};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        assert_int_equal(code_of(kinds[i], STAY_ORIGIN_SELF, 0), 1);
        assert_int_equal(code_of(kinds[i], STAY_ORIGIN_DESTINATION, 0), 13);
        assert_int_equal(code_of(kinds[i], STAY_ORIGIN_SOURCE, 0), 14);
    }
}

static void a_cancelled_run_tells_the_signal(void **state)
{
    (void)state;
    assert_int_equal(code_of(STAY_ERR_CANCELLED, STAY_ORIGIN_SELF, 2), 130);
    assert_int_equal(code_of(STAY_ERR_CANCELLED, STAY_ORIGIN_SOURCE, 15), 143);
    assert_int_equal(code_of(STAY_ERR_CANCELLED, STAY_ORIGIN_SELF, 0), 143);
}

static void no_kind_of_error_is_success(void **state)
{
    (void)state;
    for (int kind = STAY_ERR_NONE; kind < STAY_ERR_KINDS; kind++)
        assert_int_not_equal(code_of((enum stay_kind)kind, STAY_ORIGIN_SELF, 0), 0);
}

static void every_code_is_in_the_table_once(void **state)
{
    (void)state;
    for (size_t i = 1; i < STAY_EXIT_ROWS; i++)
        assert_true(stay_exit_rows[i - 1].code < stay_exit_rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_decides),
        cmocka_unit_test(the_origin_decides_where_the_kind_does_not),
        cmocka_unit_test(a_cancelled_run_tells_the_signal),
        cmocka_unit_test(no_kind_of_error_is_success),
        cmocka_unit_test(every_code_is_in_the_table_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
