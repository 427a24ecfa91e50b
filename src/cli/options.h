/* src/cli/options.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * options: reads the command line by the tables: --name VALUE, --name=VALUE, -n VALUE, -nVALUE,
 * bundles of flags, "--" before operands that begin with a hyphen. Options of the program may stand
 * anywhere, those of a command after its name.
 *
 * Layer: cli. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "cli/command.h"

/** The options that every command has. */
struct stay_globals {
    const char *config;
    bool json;
    bool quiet;
    bool verbose;
    bool debug;
    int log_format; /* enum stay_log_format */
    bool no_color;
    bool help;
    bool version;
};

enum { STAY_GLOBAL_OPTIONS = 9 };

extern const struct stay_option stay_global_options[STAY_GLOBAL_OPTIONS];

/** What a command line says. Zero-initialise; release with stay_parsed_free(). */
struct stay_parsed {
    const struct stay_command *command; /* NULL: none given */
    struct stay_globals globals;
    void *options; /* the struct of the command */
    struct stay_texts operands;
};

/**
 * Reads @argv, from argv[1] to the NULL at its end. What is found up to a mistake stays in @out.
 *
 * @return 0, or -1 with kind USAGE.
 */
STAY_CHECKED int stay_options_parse(struct stay_parsed *out, char *const *argv,
                                    struct stay_err *err);

void stay_parsed_free(struct stay_parsed *parsed);

static inline void stay_parsed_free_auto(struct stay_parsed *parsed)
{
    stay_parsed_free(parsed);
}

#define stay_auto_parsed __attribute__((cleanup(stay_parsed_free_auto)))
