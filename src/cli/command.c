/* src/cli/command.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/command.h"

#include "cli/commands.h"

#include <string.h>

const struct stay_command *const stay_commands[] = {
    &stay_cmd_init,
    &stay_cmd_backup,
    &stay_cmd_restore,
    &stay_cmd_scratch_remove,
    &stay_cmd_export,
    &stay_cmd_list,
    &stay_cmd_show,
    &stay_cmd_ls,
    &stay_cmd_diff,
    &stay_cmd_doctor,
    &stay_cmd_check,
    &stay_cmd_stats,
    &stay_cmd_validate,
    &stay_cmd_config_show,
    &stay_cmd_plugin_list,
    &stay_cmd_plugin_show,
    &stay_cmd_version,
    &stay_cmd_help,
    NULL,
};

const struct stay_command *stay_command_find(const char *name)
{
    for (size_t i = 0; stay_commands[i]; i++)
        if (strcmp(stay_commands[i]->name, name) == 0)
            return stay_commands[i];
    return NULL;
}

bool stay_command_begins(const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; stay_commands[i]; i++)
        if (strncmp(stay_commands[i]->name, word, len) == 0 && stay_commands[i]->name[len] == ' ')
            return true;
    return false;
}
