/* src/cli/command.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * command: the table of commands and their options, from which parsing and help derive.
 *
 * To add a command: one row in a file cmd_NAME.c, one line in each of the two lists of commands.h
 * and command.c.
 *
 * Layer: cli. Thread-safety: constant data.
 */
#pragma once

#include "base/base.h"

#include <limits.h>

struct stay_cli; /* cli/cli.h */

/** What an option's value is, and the type of the member that receives it. */
enum stay_option_type {
    STAY_OPTION_FLAG,     /* bool */
    STAY_OPTION_TEXT,     /* const char *; NULL when absent */
    STAY_OPTION_OPTIONAL, /* the same, "" for --name alone; a value comes as --name=VALUE only */
    STAY_OPTION_CHOICE,   /* int: which of the words in @argument, "never|changed|always" */
    STAY_OPTION_NUMBER,   /* int64_t */
    STAY_OPTION_SIZE,     /* int64_t, bytes */
    STAY_OPTION_LIST      /* struct stay_texts: the option may be repeated */
};

/** Several values; they point into argv. */
struct stay_texts {
    const char **items;
    size_t n;
    size_t cap;
};

struct stay_option {
    const char *name; /* without the two hyphens */
    char letter;      /* 0: no short form */
    enum stay_option_type type;
    bool required;
    size_t offset;            /* of the member in the command's own struct of options */
    const char *argument;     /* how help calls the value; NULL for a flag */
    const char *default_text; /* parsed like a given value; NULL: zero, -1 for a choice */
    const char *help;         /* begins in lower case, no full stop */
};

enum { STAY_OPERANDS_ANY = UINT_MAX };

struct stay_command {
    const char *name;        /* one word, or two: "config show" */
    const char *group;       /* the heading in the list of commands */
    const char *summary;     /* one line, begins in lower case, no full stop */
    const char *operands;    /* "SNAPSHOT [PATTERN...]", or "" */
    const char *description; /* paragraphs for help, separated by "\n\n"; or NULL */
    const struct stay_option *options;
    size_t n_options;
    size_t options_size; /* of the struct that receives them; 0: none */
    unsigned least;      /* operands */
    unsigned most;

    /**
     * Runs it. @options points to the filled-in struct of options.
     *
     * @return an exit code (exit.h), or -1 with @err set.
     */
    int (*run)(struct stay_cli *cli, const void *options, struct stay_err *err);
};

/** All commands, those of a group together; ends with NULL. */
extern const struct stay_command *const stay_commands[];

/** The command @name ("config show"), or NULL. */
const struct stay_command *stay_command_find(const char *name);

/** Whether @word is the first of a command of two words. */
bool stay_command_begins(const char *word);
