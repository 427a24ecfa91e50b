/* tests/conformance/destination/suite.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * suite: what every destination must do, as one set of tests over a factory.
 *
 * Layer: tests.
 */
#pragma once

#include "base/base.h"
#include "support/cmocka.h"

#include <backstay/plugin.h>

/** A destination under test. */
struct suite_dest {
    const struct backstay_destination *ops;
    void *self;
    struct stay_cancel cancel; /* what its host says when it asks whether to stop */
    void *ctx;                 /* the factory's */
};

/** Makes destinations. A factory that fails says why with fail_msg(). */
struct suite_factory {
    /** Fills @dest in with a new and empty destination. */
    void (*open)(struct suite_dest *dest);

    /** Closes it and opens it again: the objects must still be there. */
    void (*reopen)(struct suite_dest *dest);

    /** Closes it and removes all that it stored. */
    void (*close)(struct suite_dest *dest);
};

/** Runs all tests. @return what main() should. */
int suite_run(const struct suite_factory *factory);

/* ---------------------------------------------------------------- between the suite's files */

/** A test of the suite: its state is a struct suite_dest, new and empty. */
#define SUITE_TEST(function)                                                                       \
    {                                                                                              \
        .name = #function, .test_func = (function), .setup_func = suite_setup,                     \
        .teardown_func = suite_teardown                                                            \
    }

int suite_setup(void **state);
int suite_teardown(void **state);

extern const struct CMUnitTest suite_list_tests[];
extern const size_t suite_list_count;
extern const struct CMUnitTest suite_thread_tests[];
extern const size_t suite_thread_count;

/** Stores, and fails the test when that fails. */
void suite_put(struct suite_dest *dest, const char *name, const void *data, size_t len);

/** Reads the whole object and fails the test unless it is exactly @data. */
void suite_expect(struct suite_dest *dest, const char *name, const void *data, size_t len);

/** Fails the test unless there is no such object. */
void suite_expect_missing(struct suite_dest *dest, const char *name);

/** Fails the test unless the names with @prefix are @names (sorted), each listed once. */
void suite_expect_list(struct suite_dest *dest, const char *prefix, const char *const *names,
                       size_t n);
