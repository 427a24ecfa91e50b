/* src/cli/exit.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/exit.h"

#include <signal.h>

const struct stay_exit_row stay_exit_rows[STAY_EXIT_ROWS] = {
    {STAY_EXIT_OK, "all is well"},
    {STAY_EXIT_FAILURE, "it failed for a reason that has no code of its own"},
    {STAY_EXIT_USAGE, "the command line is wrong"},
    {STAY_EXIT_PARTIAL, "completed with warnings, or in part: the output says what is missing"},
    {STAY_EXIT_VERIFY, "verification failed: stored data is damaged or is not what it should be"},
    {STAY_EXIT_OBJECTIVE, "an objective is breached"},
    {STAY_EXIT_CONFIG, "the configuration is missing or wrong"},
    {STAY_EXIT_LOCKED, "another run holds the lock"},
    {STAY_EXIT_KEY, "an encryption key is missing or wrong"},
    {STAY_EXIT_DESTINATION, "a destination cannot be reached or used"},
    {STAY_EXIT_SOURCE, "a source cannot be reached or read"},
    {STAY_EXIT_ABSENT, "there is no such snapshot or recovery point"},
    {STAY_EXIT_SPACE, "there is no room left"},
    {STAY_EXIT_SIGNAL, "plus the number of a signal: stopped by it (130: Ctrl-C, 143: SIGTERM)"},
};

static int by_origin(enum stay_origin origin)
{
    switch (origin) {
    case STAY_ORIGIN_SOURCE:
        return STAY_EXIT_SOURCE;
    case STAY_ORIGIN_DESTINATION:
        return STAY_EXIT_DESTINATION;
    default:
        return STAY_EXIT_FAILURE;
    }
}

int stay_exit_code(const struct stay_err *err, int signal)
{
    switch (err->kind) {
    case STAY_ERR_USAGE:
        return STAY_EXIT_USAGE;
    case STAY_ERR_CONFIG:
        return STAY_EXIT_CONFIG;
    case STAY_ERR_LOCKED:
        return STAY_EXIT_LOCKED;
    case STAY_ERR_KEY:
        return STAY_EXIT_KEY;
    case STAY_ERR_ABSENT:
        return STAY_EXIT_ABSENT;
    case STAY_ERR_SPACE:
        return STAY_EXIT_SPACE;
    case STAY_ERR_CORRUPT:
        return STAY_EXIT_VERIFY;
    case STAY_ERR_CANCELLED:
        return STAY_EXIT_SIGNAL + (signal ? signal : SIGTERM);
    default:
        return by_origin(err->origin);
    }
}
