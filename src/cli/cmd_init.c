/* src/cli/cmd_init.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay init: makes a repository on each destination that has none.
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "store/repository.h"

#include <string.h>

struct made {
    json_t *list;
    struct stay_chunker_params like; /* of the first repository: all cut alike */
    bool has_like;
};

static int init_one(struct stay_cli *cli, const char *name, struct made *made, struct stay_err *err)
{
    stay_auto(stay_dest_free) struct stay_dest *dest = NULL;
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;

    if (stay_cli_open_dest(cli, name, true, &dest, err) < 0)
        return -1;
    int rc =
        stay_repository_init(dest, made->has_like ? &made->like : NULL, stay_clock_system(), err);
    if (rc < 0 || stay_repository_open(&repository, dest, err) < 0)
        return -1;
    if (!made->has_like) {
        made->like = repository->chunker;
        made->has_like = true;
    }
    bool existed = rc == STAY_REPOSITORY_EXISTS;
    stay_output_say(&cli->output,
                    existed ? "destination %s: repository %.8s is there already\n"
                            : "destination %s: made repository %.8s\n",
                    name, repository->id);
    (void)json_array_append_new(made->list,
                                json_pack("{s:s, s:s, s:b}", "destination", name, "repository",
                                          repository->id, "created", !existed));
    return 0;
}

static int run_init(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    struct made made = {.list = json_array()};
    int rc = 0;

    (void)options;
    if (stay_cli_config(cli, err) < 0) {
        json_decref(made.list);
        return -1;
    }
    const struct stay_config_sections *all = &cli->config->destinations;
    for (size_t i = 0; i < all->n && rc == 0; i++)
        rc = init_one(cli, all->items[i].name, &made, err);
    if (rc == 0 && all->n == 0)
        rc = stay_fail(err, STAY_ERR_CONFIG, "the configuration has no destinations");
    if (rc == 0 && cli->output.json)
        return stay_output_json(&cli->output, json_pack("{s:o}", "repositories", made.list), err);
    json_decref(made.list);
    return rc < 0 ? -1 : STAY_EXIT_OK;
}

const struct stay_command stay_cmd_init = {
    .name = "init",
    .group = "Backup and restore",
    .summary = "make a repository on each destination that has none",
    .operands = "",
    .description = "Creates the folder or bucket prefix where that is allowed, and writes into it "
                   "backstay.json, README.txt and restore.sh, the script that restores without "
                   "backstay. A repository that is there already is left alone.",
    .run = run_init,
};
