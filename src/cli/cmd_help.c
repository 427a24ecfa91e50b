/* src/cli/cmd_help.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay help [TOPIC...]
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

#include <string.h>

static int fail_topic(const char *topic, struct stay_err *err)
{
    STAY_VEC(const char *) names = {0};

    *stay_vec_push(&names) = "exit-codes";
    *stay_vec_push(&names) = "configuration";
    for (size_t i = 0; stay_commands[i]; i++)
        *stay_vec_push(&names) = stay_commands[i]->name;
    const char *nearest = stay_str_nearest(topic, names.items, names.n);
    stay_vec_free(&names);
    if (nearest)
        return stay_fail(err, STAY_ERR_USAGE, "there is no help on `%s`, did you mean `%s`?", topic,
                         nearest);
    return stay_fail(err, STAY_ERR_USAGE,
                     "there is no help on `%s`: name a command, `configuration` or `exit-codes`",
                     topic);
}

static int run(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    const struct stay_texts *words = cli->operands;
    FILE *to = cli->output.to;

    (void)options;
    cli->output.begun = true;
    if (words->n == 0) {
        stay_help_program(to);
        return 0;
    }
    stay_auto_str char *topic = words->n == 1
                                    ? stay_strdup(words->items[0])
                                    : stay_strf("%s %s", words->items[0], words->items[1]);
    const struct stay_command *command = stay_command_find(topic);
    if (command)
        stay_help_command(to, command);
    else if (strcmp(topic, "exit-codes") == 0)
        stay_help_exit_codes(to);
    else if (strcmp(topic, "configuration") == 0)
        stay_help_configuration(to);
    else
        return fail_topic(topic, err);
    return 0;
}

const struct stay_command stay_cmd_help = {
    .name = "help",
    .group = "About",
    .summary = "explain a command, the configuration, the exit codes",
    .operands = "[COMMAND | configuration | exit-codes]",
    .most = 2,
    .run = run,
};
