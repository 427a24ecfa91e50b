/* tests/conformance/source/mysql_fixture.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mysql_fixture: an instance of the mysql plugin with a host that keeps what is logged. Its scratch
 * places are in a folder of the test, which must be empty at its end; they are the servers that
 * tests need as well.
 *
 * Layer: tests. Uses: base.
 */
#pragma once

#include "base/base.h"
#include "shared/server.h"
#include "source/mysql/scratch.h"
#include "support/cmocka.h"
#include "support/fake_feed.h"
#include "support/fake_host.h"

struct mysql_fixture {
    struct fake_host host; /* first: the host's context is it */
    struct my my;
    char folder[64];  /* that of the scratch instances */
    int cancel_after; /* questions until the host says stop; 0: never */
};

/** cmocka's setup and teardown of a test: *@state is a struct mysql_fixture. */
int mysql_fixture_make(void **state);
int mysql_fixture_remove(void **state);

/** Creates a scratch place that is kept for @keep_s seconds (0: not at all). */
int mysql_scratch_try(struct mysql_fixture *fixture, struct backstay_scratch *out, int64_t keep_s,
                      struct backstay_error *err);
void mysql_scratch_make(struct mysql_fixture *fixture, struct backstay_scratch *out,
                        int64_t keep_s);
void mysql_scratch_remove(struct mysql_fixture *fixture, const struct backstay_scratch *scratch);

/** Creates one in a child that leads a process group and then waits for its own end, which
 * mysql_end_child() brings with @signal to the group. @uid not 0: as this user. */
pid_t mysql_scratch_in_child(struct mysql_fixture *fixture, struct backstay_scratch *out,
                             int64_t keep_s, uid_t uid);
void mysql_end_child(pid_t pid, int signal);

/** Runs statements that must succeed at a location; asserts the first value of one. */
void mysql_run(struct mysql_fixture *fixture, const char *location, const char *sql);
void mysql_answers(struct mysql_fixture *fixture, const char *location, const char *sql,
                   const char *expected);

/** How many visible names a folder has. */
size_t mysql_count(const char *folder);

#define MYSQL_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, mysql_fixture_make, mysql_fixture_remove)
