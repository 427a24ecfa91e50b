/* src/cli/cmd_scratch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay scratch remove
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exit.h"

static int run_remove(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    stay_auto(stay_source_free) struct stay_source *source = NULL;
    const char *name = cli->operands->items[0];
    const char *marker = cli->operands->items[1];

    (void)options;
    if (stay_cli_open_source(cli, name, &source, err) < 0 ||
        stay_source_scratch_remove(source, marker, err) < 0)
        return -1;
    if (cli->output.json)
        return stay_output_json(&cli->output,
                                json_pack("{s:o, s:o}", "source", stay_output_string(name),
                                          "removed", stay_output_string(marker)),
                                err);
    stay_output_say(&cli->output, "removed the scratch place %s of %s\n", marker, name);
    return STAY_EXIT_OK;
}

const struct stay_command stay_cmd_scratch_remove = {
    .name = "scratch remove",
    .group = "Backup and restore",
    .summary = "remove a scratch place before its time is over",
    .operands = "SOURCE MARKER",
    .description = "`backstay restore --to scratch` says the marker of the place that it leaves.",
    .least = 2,
    .most = 2,
    .run = run_remove,
};
