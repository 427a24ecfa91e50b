/* src/cli/restored.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restored: what became of a restore, for people and as JSON.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "cli/cli.h"
#include "engine/restore.h"

/**
 * Says what was restored where, what the comparison shows, and how to reach what is left.
 *
 * @shown the place, without passwords.
 * @return an exit code; -1 with @err when the copy could not be compared, or nothing be written.
 */
STAY_CHECKED int stay_restored_report(struct stay_cli *cli,
                                      const struct stay_restore_options *options, const char *shown,
                                      const struct stay_restore_result *result,
                                      struct stay_err *err);
