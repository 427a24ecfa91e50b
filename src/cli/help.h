/* src/cli/help.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * help: explains the program, a command, the exit codes and the configuration, out of their tables.
 *
 * Layer: cli. Thread-safety: no state.
 */
#pragma once

#include "cli/command.h"

#include <stdio.h>

/** The list of commands. */
void stay_help_program(FILE *to);

/** One command: usage, description, options. */
void stay_help_command(FILE *to, const struct stay_command *command);

void stay_help_exit_codes(FILE *to);

/** The keys of the configuration and the forms of references. */
void stay_help_configuration(FILE *to);

/** Writes @text in lines of at most 80 columns, each indented by @indent; the first is not. */
void stay_help_wrap(FILE *to, const char *text, int indent);
