/* tests/conformance/destination/faulty_calls.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * faulty_calls: system calls that fail, or kill the process, when a test says so.
 *
 * The program defines write, fsync, close, renameat, renameat2, linkat, mkdirat and unlinkat; the
 * dynamic linker finds these before those of the C library, also for a plugin.
 *
 * Layer: tests. Thread-safety: arm and disarm when no other thread runs.
 */
#pragma once

#include <stdbool.h>

/**
 * The @nth call of @name from now on (1: the next) fails with @code, without being made. Up to four
 * such orders stand at once.
 */
void faulty_calls_fail(const char *name, unsigned nth, int code);

/** The next call of @name is made, and then says that it failed with @code. */
void faulty_calls_fail_after(const char *name, int code);

/** The process is killed right before its @nth call of any of them. */
void faulty_calls_kill(unsigned nth);

/** Every write takes at most a third of its bytes, and every other one is interrupted. */
void faulty_calls_hinder_writes(void);

/** From now on the names of all calls but close are noted. */
void faulty_calls_note(void);

/** What was noted, "write fsync renameat". */
const char *faulty_calls_noted(void);

/** Everything works again. @return how many calls failed. */
unsigned faulty_calls_disarm(void);
