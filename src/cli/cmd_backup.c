/* src/cli/cmd_backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay backup: reads sources once and stores a snapshot of each on every destination.
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/meter.h"
#include "cli/repo.h"
#include "engine/backup.h"

#include <stddef.h>
#include <string.h>

struct backup_options {
    struct stay_texts destinations;
    bool read_all;
};

static const struct stay_option backup_options[] = {
    {.name = "destination",
     .letter = 'd',
     .type = STAY_OPTION_LIST,
     .offset = offsetof(struct backup_options, destinations),
     .argument = "NAME",
     .help = "store here only; may be repeated"},
    {.name = "read-all",
     .type = STAY_OPTION_FLAG,
     .offset = offsetof(struct backup_options, read_all),
     .help = "trust no cache: read every file again"},
};

/* The destinations of the run, opened once for all sources. */
struct dests {
    struct stay_backup_dest items[STAY_DESTINATIONS_MAX];
    size_t n;
};

static void close_dests(struct dests *dests)
{
    for (size_t i = 0; i < dests->n; i++)
        stay_dest_free(dests->items[i].dest);
}

/* One that cannot be opened (its disk is not mounted, say) is noted and does not keep the others
 * from being written. A mistake in the command line or in the configuration ends the command. */
static int open_dests(struct stay_cli *cli, const struct stay_texts *names, struct dests *out,
                      struct stay_err *err)
{
    const struct stay_config_sections *all = &cli->config->destinations;
    size_t n = names->n ? names->n : all->n;

    if (n == 0)
        return stay_fail(err, STAY_ERR_CONFIG, "the configuration has no destinations");
    if (n > STAY_DESTINATIONS_MAX)
        return stay_fail(err, STAY_ERR_CONFIG, "more than %d destinations in one run",
                         STAY_DESTINATIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct stay_backup_dest *dest = &out->items[out->n];
        struct stay_err why = {0};
        dest->name = names->n ? names->items[i] : all->items[i].name;
        if (stay_cli_open_dest(cli, dest->name, false, &dest->dest, &why) < 0) {
            if (why.origin != STAY_ORIGIN_DESTINATION &&
                (why.kind == STAY_ERR_USAGE || why.kind == STAY_ERR_CONFIG)) {
                *err = why;
                return -1;
            }
            dest->open_error = why;
        }
        out->n++;
    }
    return 0;
}

static json_t *copies_json(const struct stay_backup_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->n_copies; i++) {
        const struct stay_backup_copy *copy = &result->copies[i];
        json_t *object = json_object();
        stay_doc_set_text(object, "destination", copy->dest);
        (void)json_object_set_new(object, "stored", json_boolean(copy->snapshot[0] != '\0'));
        if (copy->snapshot[0]) {
            stay_doc_set_text(object, "snapshot", copy->snapshot);
            stay_doc_set_u64(object, "bytes_stored", copy->bytes_stored);
        } else {
            (void)json_object_set_new(object, "error", stay_output_string(copy->error.text));
        }
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *result_json(const char *source, const struct stay_backup_result *result)
{
    char instant[40];
    json_t *object = json_object();

    stay_doc_set_text(object, "source", source);
    stay_doc_set_text(object, "id", result->id);
    stay_doc_set_text(object, "instant", stay_time_iso(instant, result->instant_ns));
    (void)json_object_set_new(object, "seconds", json_real((double)result->elapsed_ns / 1e9));
    (void)json_object_set_new(object, "counts", stay_snapshot_counts_json(&result->counts));
    (void)json_object_set_new(object, "copies", copies_json(result));
    return object;
}

static void print_result(struct stay_cli *cli, const char *source,
                         const struct stay_backup_result *result)
{
    const struct stay_snapshot_counts *counts = &result->counts;
    char bytes[16];
    char read[16];
    char stored[16];
    char elapsed[24];

    stay_output_say(
        &cli->output, "%s: snapshot %s: %llu entries, %s; read %s, stored %s more, in %s\n", source,
        result->id, (unsigned long long)counts->entries, stay_str_bytes(bytes, counts->bytes),
        stay_str_bytes(read, counts->bytes_read), stay_str_bytes(stored, counts->bytes_stored),
        stay_str_elapsed(elapsed, result->elapsed_ns));
    if (counts->warnings)
        stay_log(STAY_LOG_WARN, "%s: %llu warnings; \"backstay show %s\" lists them", source,
                 (unsigned long long)counts->warnings, result->id);
    for (size_t i = 0; i < result->n_copies; i++)
        if (!result->copies[i].snapshot[0])
            stay_log(STAY_LOG_ERROR, "%s: the copy on %s is missing: %s", source,
                     result->copies[i].dest, result->copies[i].error.text);
}

static int back_up(struct stay_cli *cli, const char *name, const struct backup_options *options,
                   const struct dests *dests, struct stay_backup_result *result,
                   struct stay_err *err)
{
    stay_auto(stay_source_free) struct stay_source *source = NULL;
    stay_auto(stay_meter_free) struct stay_meter *meter = NULL;
    struct stay_progress progress = {.phase = NULL};
    const struct stay_meter_options meter_options = {
        .to = cli->messages, .terminal = stay_cli_on_terminal(cli), .quiet = cli->globals->quiet};

    if (stay_cli_open_source(cli, name, &source, err) < 0 ||
        stay_meter_start(&meter, &progress, &meter_options, err) < 0)
        return -1;
    const struct stay_backup_options backup = {
        .source = source,
        .dests = dests->items,
        .n_dests = dests->n,
        .app = cli->config->app,
        .state_dir = cli->config->state_dir,
        .level = (int)cli->config->compression,
        .threads = (unsigned)cli->config->threads,
        .memory_limit = (size_t)cli->config->memory_limit,
        .read_all = options->read_all,
        .cancel = &cli->cancel,
        .progress = &progress,
        .clock = stay_clock_system(),
    };
    return stay_backup(&backup, result, err);
}

/* What became of the sources so far. */
struct tally {
    json_t *list;
    int exit;
    struct stay_err first; /* the first failure decides the exit code */
};

static void fail_source(struct tally *tally, const char *name, const struct stay_err *why)
{
    json_t *object =
        json_pack("{s:s, s:o}", "source", name, "error", stay_output_string(why->text));

    (void)json_array_append_new(tally->list, object);
    if (tally->first.kind == STAY_ERR_NONE)
        tally->first = *why;
}

/* A missing copy weighs as its own error does when it was the only one asked for, else the run is
 * complete in part. */
static void count_result(struct tally *tally, const char *name,
                         const struct stay_backup_result *result)
{
    (void)json_array_append_new(tally->list, result_json(name, result));
    if (result->n_missing || result->counts.warnings)
        tally->exit = STAY_EXIT_PARTIAL;
}

static int back_up_all(struct stay_cli *cli, const struct backup_options *options,
                       const struct stay_texts *names, struct tally *tally, struct stay_err *err)
{
    struct dests dests = {0};
    int rc = open_dests(cli, &options->destinations, &dests, err);

    for (size_t i = 0; i < names->n && rc == 0; i++) {
        struct stay_backup_result result;
        struct stay_err why = {0};
        if (stay_cancelled(&cli->cancel)) {
            rc = stay_fail_cancelled(err);
        } else if (back_up(cli, names->items[i], options, &dests, &result, &why) == 0) {
            count_result(tally, names->items[i], &result);
            print_result(cli, names->items[i], &result);
        } else if (why.kind == STAY_ERR_USAGE) {
            *err = why;
            rc = -1;
        } else {
            fail_source(tally, names->items[i], &why);
            if (names->n > 1)
                stay_log(STAY_LOG_ERROR, "%s: %s", names->items[i], why.text);
        }
    }
    close_dests(&dests);
    return rc;
}

static int run_backup(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    struct tally tally = {.list = json_array()};
    struct stay_texts all = {0};

    if (stay_cli_config(cli, err) < 0) {
        json_decref(tally.list);
        return -1;
    }
    for (size_t i = 0; i < cli->config->sources.n; i++)
        *stay_vec_push(&all) = cli->config->sources.items[i].name;
    const struct stay_texts *names = cli->operands->n ? cli->operands : &all;
    int rc = names->n ? back_up_all(cli, options, names, &tally, err)
                      : stay_fail(err, STAY_ERR_CONFIG, "the configuration has no sources");
    stay_vec_free(&all);
    if (rc == 0 && cli->output.json)
        rc = stay_output_json(&cli->output, json_pack("{s:O}", "backups", tally.list), err);
    json_decref(tally.list);
    if (rc == 0 && tally.first.kind != STAY_ERR_NONE) {
        *err = tally.first;
        return -1;
    }
    return rc < 0 ? -1 : tally.exit;
}

const struct stay_command stay_cmd_backup = {
    .name = "backup",
    .group = "Backup and restore",
    .summary = "store a snapshot of each source on every destination",
    .operands = "[SOURCE...]",
    .description =
        "Reads each named source once (all, when none is named) and writes to every destination "
        "what that one does not have yet. A snapshot is listed only when all of it is stored.\n\n"
        "Files that are as they were at the last backup are not read. A file that could not be "
        "read or that changed while it was read is a warning, is noted in the snapshot, and makes "
        "the exit code 3; so does a destination that failed while another succeeded.",
    .options = backup_options,
    .n_options = STAY_COUNT(backup_options),
    .options_size = sizeof(struct backup_options),
    .least = 0,
    .most = STAY_OPERANDS_ANY,
    .run = run_backup,
};
