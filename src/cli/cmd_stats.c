/* src/cli/cmd_stats.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay stats: how much a repository protects, and what it takes.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/repo.h"
#include "engine/stats.h"

#include <stddef.h>

struct stats_options {
    const char *destination;
};

static const struct stay_option stats_options[] = {STAY_OPTION_DESTINATION(struct stats_options)};

static double ratio_of(const struct stay_stats *stats)
{
    uint64_t stored = stats->stored_bytes + stats->other_bytes;

    return stored ? (double)stats->raw_bytes / (double)stored : 0.0;
}

static json_t *stats_json(const struct stay_stats *stats)
{
    json_t *object = json_object();

    stay_doc_set_u64(object, "snapshots", stats->snapshots);
    stay_doc_set_u64(object, "raw_bytes", stats->raw_bytes);
    stay_doc_set_u64(object, "unique_bytes", stats->unique_bytes);
    stay_doc_set_u64(object, "stored_bytes", stats->stored_bytes);
    stay_doc_set_u64(object, "other_bytes", stats->other_bytes);
    (void)json_object_set_new(object, "ratio", json_real(ratio_of(stats)));
    stay_doc_set_u64(object, "packs", stats->packs);
    stay_doc_set_u64(object, "frames", stats->frames);
    stay_doc_set_u64(object, "chunks", stats->chunks);
    if (stats->space.known) {
        stay_doc_set_u64(object, "free_bytes", stats->space.free_bytes);
        stay_doc_set_u64(object, "total_bytes", stats->space.total_bytes);
    }
    return object;
}

static void row(struct stay_cli *cli, const char *name, uint64_t bytes, const char *what)
{
    char text[16];

    stay_output_text(&cli->output, "%-9s %12s  %s\n", name, stay_str_bytes(text, bytes), what);
}

static int run_stats(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct stats_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    struct stay_stats stats;

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_stats(repo.repository, repo.cache, &stats, err) < 0)
        return -1;
    if (cli->output.json)
        return stay_output_json(&cli->output, stats_json(&stats), err);
    stay_output_text(&cli->output, "%llu snapshots, %llu packs, %llu different chunks\n",
                     (unsigned long long)stats.snapshots, (unsigned long long)stats.packs,
                     (unsigned long long)stats.chunks);
    row(cli, "raw", stats.raw_bytes, "all files of all snapshots");
    row(cli, "unique", stats.unique_bytes, "after deduplication, manifests included");
    row(cli, "stored", stats.stored_bytes, "after compression, in packs");
    row(cli, "other", stats.other_bytes, "index, snapshots, records");
    stay_output_text(&cli->output, "%-9s %12.1f  raw bytes for each byte kept\n", "ratio",
                     ratio_of(&stats));
    if (stats.space.known)
        row(cli, "free", stats.space.free_bytes, "on the destination, to be used");
    return STAY_EXIT_OK;
}

const struct stay_command stay_cmd_stats = {
    .name = "stats",
    .group = "Look",
    .summary = "show how much a repository protects and what it takes",
    .operands = "",
    .options = stats_options,
    .n_options = STAY_COUNT(stats_options),
    .options_size = sizeof(struct stats_options),
    .run = run_stats,
};
