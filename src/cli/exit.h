/* src/cli/exit.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * exit: what the program's exit code says, in one table.
 *
 * Layer: cli. Thread-safety: no state.
 */
#pragma once

#include "base/base.h"

enum stay_exit {
    STAY_EXIT_OK = 0,
    STAY_EXIT_FAILURE = 1,
    STAY_EXIT_USAGE = 2,
    STAY_EXIT_PARTIAL = 3,
    STAY_EXIT_VERIFY = 4,
    STAY_EXIT_OBJECTIVE = 5,
    STAY_EXIT_CONFIG = 10,
    STAY_EXIT_LOCKED = 11,
    STAY_EXIT_KEY = 12,
    STAY_EXIT_DESTINATION = 13,
    STAY_EXIT_SOURCE = 14,
    STAY_EXIT_ABSENT = 15,
    STAY_EXIT_SPACE = 16,
    STAY_EXIT_SIGNAL = 128 /* plus the number of the signal */
};

struct stay_exit_row {
    enum stay_exit code;
    const char *meaning;
};

enum { STAY_EXIT_ROWS = 14 };

extern const struct stay_exit_row stay_exit_rows[STAY_EXIT_ROWS];

/** The exit code for @err, by its kind and origin; @signal is the one that cancelled the run, or 0.
 */
int stay_exit_code(const struct stay_err *err, int signal);
