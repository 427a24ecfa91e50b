/* tests/support/cmocka.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * cmocka: its header with the ones that it expects before it, and assertions about struct stay_err.
 *
 * Layer: tests.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** Asserts the kind and the whole text of a struct stay_err or struct backstay_error. */
#define assert_error(err, kind_, text_)                                                            \
    do {                                                                                           \
        assert_string_equal((err).text, (text_));                                                  \
        assert_int_equal((int)(err).kind, (int)(kind_));                                           \
    } while (0)

/** Asserts that @call returns 0, and shows @err's text where it does not. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, (err).text);                                                 \
    } while (0)
