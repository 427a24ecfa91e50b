/* tests/conformance/source/scratch_fixture.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * scratch_fixture: an instance of the postgres plugin whose scratch places are in a folder of the
 * test, which must be empty at its end.
 *
 * Layer: tests.
 */
#pragma once

#include "postgres_fixture.h"
#include "shared/server.h"
#include "source/postgres/scratch.h"

struct scratch_fixture {
    struct fake_host host; /* first: the host's context is it */
    struct pg pg;
    char folder[64];  /* that of the scratch instances */
    int cancel_after; /* questions until the host says stop; 0: never */
};

/** cmocka's setup and teardown of a test: *@state is a struct scratch_fixture. */
int scratch_fixture_make(void **state);
int scratch_fixture_remove(void **state);

/** Creates a scratch place that is kept for @keep_s seconds (0: not at all). */
int scratch_try(struct scratch_fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                struct backstay_error *err);
void scratch_make(struct scratch_fixture *fixture, struct backstay_scratch *out, int64_t keep_s);
void scratch_remove(struct scratch_fixture *fixture, const struct backstay_scratch *scratch);

/** Creates one in a child that leads a process group and then waits for its own end, which
 * scratch_end_child() brings with @signal to the group. @uid not 0: as this user. */
pid_t scratch_make_in_child(struct scratch_fixture *fixture, struct backstay_scratch *out,
                            int64_t keep_s, uid_t uid);
void scratch_end_child(pid_t pid, int signal);

/** Asserts the first value of a statement; "" for one that has none. */
void scratch_answers(const char *url, const char *sql, const char *expected);

/** How many visible names a folder has, and whether a path is absent. */
size_t scratch_count(const char *folder);
bool scratch_is_gone(const char *path);

#define SCRATCH_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, scratch_fixture_make, scratch_fixture_remove)
