/* src/cli/cmd_diff.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay diff: what is different between two snapshots.
 */
#include "cli/commands.h"
#include "cli/entry.h"
#include "cli/exit.h"
#include "cli/repo.h"
#include "engine/diff.h"

#include <stddef.h>

struct diff_options {
    const char *destination;
};

static const struct stay_option diff_options[] = {STAY_OPTION_DESTINATION(struct diff_options)};

struct differences {
    struct stay_cli *cli;
    json_t *list;
    uint64_t counts[STAY_CHANGE_META + 1];
};

static int add(void *ctx, enum stay_change change, const struct stay_manifest_entry *before,
               const struct stay_manifest_entry *after)
{
    struct differences *differences = ctx;
    const struct stay_manifest_entry *entry = after ? after : before;

    differences->counts[change]++;
    if (differences->cli->output.json) {
        json_t *object = stay_entry_json(entry);
        (void)json_object_set_new(object, "change", json_string(stay_change_name(change)));
        (void)json_array_append_new(differences->list, object);
        return 0;
    }
    stay_output_text(&differences->cli->output, "%c ", stay_change_letter(change));
    stay_entry_print(&differences->cli->output, entry, false);
    return 0;
}

static int report(struct stay_cli *cli, const struct differences *differences, const char *a,
                  const char *b, struct stay_err *err)
{
    const uint64_t *counts = differences->counts;

    if (cli->output.json)
        return stay_output_json(
            &cli->output,
            json_pack("{s:s, s:s, s:O}", "a", a, "b", b, "changes", differences->list), err);
    stay_output_say(&cli->output,
                    "%s to %s: %llu added, %llu removed, %llu changed, %llu with other metadata "
                    "alone\n",
                    a, b, (unsigned long long)counts[STAY_CHANGE_ADDED],
                    (unsigned long long)counts[STAY_CHANGE_REMOVED],
                    (unsigned long long)(counts[STAY_CHANGE_CONTENT] + counts[STAY_CHANGE_TYPE]),
                    (unsigned long long)counts[STAY_CHANGE_META]);
    return STAY_EXIT_OK;
}

static int run_diff(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct diff_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_view_free) struct stay_view *a = NULL;
    stay_auto(stay_view_free) struct stay_view *b = NULL;
    stay_auto(json_decref) json_t *list = json_array();
    struct differences differences = {.cli = cli, .list = list};

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[0], &a, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[1], &b, err) < 0 ||
        stay_diff(a->tree, b->tree, add, &differences, err) < 0)
        return -1;
    return report(cli, &differences, a->snapshot->id, b->snapshot->id, err);
}

const struct stay_command stay_cmd_diff = {
    .name = "diff",
    .group = "Look",
    .summary = "list what is different between two snapshots",
    .operands = "SNAPSHOT SNAPSHOT",
    .description = "Each line begins with + (added), - (removed), M (other content), T (another "
                   "type) or U (other metadata alone).",
    .options = diff_options,
    .n_options = STAY_COUNT(diff_options),
    .options_size = sizeof(struct diff_options),
    .least = 2,
    .most = 2,
    .run = run_diff,
};
