/* src/cli/commands.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * commands: the rows that the files cmd_NAME.c define.
 *
 * Layer: cli. Thread-safety: constant data.
 */
#pragma once

#include "cli/command.h"

extern const struct stay_command stay_cmd_backup;
extern const struct stay_command stay_cmd_check;
extern const struct stay_command stay_cmd_config_show;
extern const struct stay_command stay_cmd_diff;
extern const struct stay_command stay_cmd_doctor;
extern const struct stay_command stay_cmd_export;
extern const struct stay_command stay_cmd_help;
extern const struct stay_command stay_cmd_init;
extern const struct stay_command stay_cmd_list;
extern const struct stay_command stay_cmd_ls;
extern const struct stay_command stay_cmd_plugin_list;
extern const struct stay_command stay_cmd_plugin_show;
extern const struct stay_command stay_cmd_restore;
extern const struct stay_command stay_cmd_scratch_remove;
extern const struct stay_command stay_cmd_show;
extern const struct stay_command stay_cmd_stats;
extern const struct stay_command stay_cmd_validate;
extern const struct stay_command stay_cmd_version;
