/* src/cli/confirm.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * confirm: asks somebody at a terminal for a word.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "cli/cli.h"

/** Whether there is somebody to ask. */
bool stay_confirm_possible(const struct stay_cli *cli);

/**
 * Writes @question and reads a line.
 *
 * @out what was typed, for the caller to free; "" for nothing.
 * @return 0, or -1: CANCELLED when stopped meanwhile, IO.
 */
STAY_CHECKED int stay_confirm_ask(struct stay_cli *cli, const char *question, char **out,
                                  struct stay_err *err);
