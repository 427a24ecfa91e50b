/* src/cli/program.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * program: one run of the program, from its command line to its exit code.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "base/base.h"

#include <stdio.h>

/** The world as a run sees it. */
struct stay_program_world {
    FILE *output;
    FILE *messages;
    const char *(*get)(void *ctx, const char *name); /* a variable of the environment, or NULL */
    void *ctx;
    bool signals; /* whether to catch them */
};

/** Runs the command line @argv (ended by NULL, like main's). @return the exit code. */
int stay_program_run(char *const *argv, const struct stay_program_world *world);
