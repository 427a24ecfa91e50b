/* src/model/command.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * command: the output of a short shell command, with limits on its time and its length.
 *
 * Layer: model. Thread-safety: no state.
 */
#pragma once

#include "base/base.h"

struct stay_command_limits {
    int64_t time_ns;
    size_t output_bytes;
    const struct stay_cancel *cancel; /* may be NULL */
};

/**
 * Runs "sh -c @command" with an empty standard input and appends its standard output to @out. When
 * a limit is exceeded, or on cancellation, its whole process group is killed.
 *
 * @return 0; -1 when it could not be run, did not exit with 0 (the message ends with the last line
 *         that it wrote to stderr), took too long or wrote too much.
 */
STAY_CHECKED int stay_command_output(struct stay_buf *out, const char *command,
                                     const struct stay_command_limits *limits,
                                     struct stay_err *err);
