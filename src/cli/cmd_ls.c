/* src/cli/cmd_ls.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay ls: the entries of a snapshot.
 */
#include "cli/commands.h"
#include "cli/entry.h"
#include "cli/exit.h"
#include "cli/repo.h"

#include <stddef.h>

struct ls_options {
    const char *destination;
    bool detailed;
};

static const struct stay_option ls_options[] = {
    {.name = "long",
     .letter = 'l',
     .type = STAY_OPTION_FLAG,
     .offset = offsetof(struct ls_options, detailed),
     .help = "with mode, owner, size and time"},
    STAY_OPTION_DESTINATION(struct ls_options),
};

static int list_entries(struct stay_cli *cli, const struct stay_view *view, bool detailed,
                        json_t *list, struct stay_err *err)
{
    const struct stay_patterns patterns = {cli->operands->items + 1, cli->operands->n - 1};
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    stay_auto_free uint32_t *numbers = NULL;
    size_t n;

    if (stay_tree_select(view->tree, &patterns, &numbers, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (stay_cancelled(&cli->cancel))
            return stay_fail_cancelled(err);
        if (stay_tree_entry(view->tree, numbers[i], &entry, err) < 0)
            return -1;
        if (cli->output.json)
            (void)json_array_append_new(list, stay_entry_json(&entry));
        else
            stay_entry_print(&cli->output, &entry, detailed);
    }
    if (n == 0 && patterns.n)
        return stay_fail(err, STAY_ERR_ABSENT, "nothing in snapshot %s matches \"%s\"",
                         view->snapshot->id, patterns.items[0]);
    return 0;
}

static int run_ls(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct ls_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_view_free) struct stay_view *view = NULL;
    stay_auto(json_decref) json_t *list = json_array();
    size_t bytes;
    size_t lines;

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[0], &view, err) < 0 ||
        list_entries(cli, view, options->detailed, list, err) < 0)
        return -1;
    if (cli->output.json &&
        stay_output_json(&cli->output,
                         json_pack("{s:s, s:O}", "snapshot", view->snapshot->id, "entries", list),
                         err) < 0)
        return -1;
    const struct stay_err *damage = stay_tree_damage(view->tree, &bytes, &lines);
    if (damage == NULL)
        return STAY_EXIT_OK;
    stay_log(STAY_LOG_ERROR, "%zu bytes of the manifest are lost, and the entries in them: %s",
             bytes, damage->text);
    return STAY_EXIT_PARTIAL;
}

const struct stay_command stay_cmd_ls = {
    .name = "ls",
    .group = "Look",
    .summary = "list the entries of a snapshot",
    .operands = "SNAPSHOT [PATTERN...]",
    .description = "SNAPSHOT and PATTERN are as for restore: see backstay restore --help.",
    .options = ls_options,
    .n_options = STAY_COUNT(ls_options),
    .options_size = sizeof(struct ls_options),
    .least = 1,
    .most = STAY_OPERANDS_ANY,
    .run = run_ls,
};
