/* src/cli/cmd_restore.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay restore: a snapshot, or some of it, into a folder.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/meter.h"
#include "cli/repo.h"
#include "engine/restore.h"

#include <stddef.h>
#include <string.h>

struct restore_options {
    const char *destination;
    const char *to;
    int overwrite;
    bool dry_run;
};

static const struct stay_option restore_options[] = {
    {.name = "to",
     .type = STAY_OPTION_TEXT,
     .required = true,
     .offset = offsetof(struct restore_options, to),
     .argument = "FOLDER",
     .help = "where to; it is created when it is missing"},
    {.name = "overwrite",
     .type = STAY_OPTION_CHOICE,
     .offset = offsetof(struct restore_options, overwrite),
     .argument = "never|changed|always",
     .default_text = "never",
     .help = "what to do with files that exist: leave them, replace those whose type, size or "
             "time differ, or replace all"},
    {.name = "dry-run",
     .letter = 'n',
     .type = STAY_OPTION_FLAG,
     .offset = offsetof(struct restore_options, dry_run),
     .help = "change nothing, say what would be done"},
    STAY_OPTION_DESTINATION(struct restore_options),
};

/* The source as configured; on a machine that does not have it, one of the same type. */
static int open_source(struct stay_cli *cli, const struct stay_snapshot *snapshot, const char *to,
                       struct stay_source **out, struct stay_err *err)
{
    if (stay_config_section(&cli->config->sources, snapshot->source))
        return stay_cli_open_source(cli, snapshot->source, out, err);
    return stay_cli_open_source_as(cli, snapshot->source, snapshot->type, to, out, err);
}

static json_t *problems_json(const struct stay_feed_result *counts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < counts->n_problems; i++)
        (void)json_array_append_new(
            list, json_pack("{s:o, s:o}", "path", stay_output_string(counts->problems[i].path),
                            "text", stay_output_string(counts->problems[i].text)));
    return list;
}

static int report(struct stay_cli *cli, const struct stay_view *view,
                  const struct restore_options *options, const struct stay_restore_result *result,
                  struct stay_err *err)
{
    const struct stay_feed_result *counts = &result->counts;
    bool partial = counts->n_problems > 0 || result->manifest_missing_bytes > 0;
    char bytes[16];
    char elapsed[24];

    if (result->manifest_missing_bytes)
        stay_log(STAY_LOG_ERROR,
                 "the manifest is damaged: entries listed in %zu lost bytes of it are not restored",
                 result->manifest_missing_bytes);
    if (cli->output.json) {
        json_t *object = json_object();
        stay_doc_set_text(object, "snapshot", view->snapshot->id);
        (void)json_object_set_new(object, "to", stay_output_string(options->to));
        (void)json_object_set_new(object, "dry_run", json_boolean(options->dry_run));
        stay_doc_set_u64(object, "selected", result->selected);
        stay_doc_set_u64(object, "restored", counts->restored);
        stay_doc_set_u64(object, "kept", counts->kept);
        stay_doc_set_u64(object, "bytes", counts->bytes);
        (void)json_object_set_new(object, "seconds", json_real((double)result->elapsed_ns / 1e9));
        (void)json_object_set_new(object, "problems", problems_json(counts));
        stay_doc_set_u64(object, "manifest_missing_bytes", result->manifest_missing_bytes);
        if (stay_output_json(&cli->output, object, err) < 0)
            return -1;
    } else {
        stay_output_say(&cli->output, "%s %llu entries of snapshot %s (%s) to %s in %s%s",
                        options->dry_run ? "would restore" : "restored",
                        (unsigned long long)counts->restored, view->snapshot->id,
                        stay_str_bytes(bytes, counts->bytes), options->to,
                        stay_str_elapsed(elapsed, result->elapsed_ns), counts->kept ? "" : "\n");
        if (counts->kept)
            stay_output_say(&cli->output, "; left %llu as they were\n",
                            (unsigned long long)counts->kept);
    }
    if (counts->n_problems)
        stay_log(STAY_LOG_ERROR, "%zu entries were not or not fully restored", counts->n_problems);
    return partial ? STAY_EXIT_PARTIAL : STAY_EXIT_OK;
}

static int run_restore(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct restore_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_view_free) struct stay_view *view = NULL;
    stay_auto(stay_source_free) struct stay_source *source = NULL;
    stay_auto(stay_meter_free) struct stay_meter *meter = NULL;
    struct stay_progress progress = {.phase = NULL};
    const struct stay_meter_options meter_options = {
        .to = cli->messages, .terminal = stay_cli_on_terminal(cli), .quiet = cli->globals->quiet};
    struct stay_restore_result result;

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[0], &view, err) < 0 ||
        open_source(cli, view->snapshot, options->to, &source, err) < 0 ||
        stay_meter_start(&meter, &progress, &meter_options, err) < 0)
        return -1;
    const struct stay_restore_options restore = {
        .repository = repo.repository,
        .view = view,
        .source = source,
        .index_cache = repo.cache,
        .location = options->to,
        .overwrite = (enum backstay_overwrite)options->overwrite,
        .dry_run = options->dry_run,
        .patterns = {cli->operands->items + 1, cli->operands->n - 1},
        .threads = (unsigned)cli->config->threads,
        .cancel = &cli->cancel,
        .progress = &progress,
        .clock = stay_clock_system(),
    };
    int rc = stay_restore(&restore, &result, err);
    stay_meter_free(stay_steal(&meter));
    if (rc == 0)
        rc = report(cli, view, options, &result, err);
    stay_restore_result_free(&result);
    return rc;
}

const struct stay_command stay_cmd_restore = {
    .name = "restore",
    .group = "Backup and restore",
    .summary = "restore a snapshot, or some of it, into a folder",
    .operands = "SNAPSHOT [PATTERN...]",
    .description =
        "SNAPSHOT is SOURCE@latest, SOURCE@2026-11-22T02:30 (the newest not after that, UTC), the "
        "first digits of an id, or latest alone where there is one source.\n\n"
        "A PATTERN is a path (with all that is below it) or has *, ?, [...] or **; one without a "
        "slash matches a name at any depth. Without patterns everything is restored.\n\n"
        "Every byte is compared with the hash under which it was stored. Entries that cannot be "
        "restored are named and do not keep others from being restored; the exit code is then 3.",
    .options = restore_options,
    .n_options = STAY_COUNT(restore_options),
    .options_size = sizeof(struct restore_options),
    .least = 1,
    .most = STAY_OPERANDS_ANY,
    .run = run_restore,
};
