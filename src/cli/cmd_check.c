/* src/cli/cmd_check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay check: whether a repository is what it says.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/meter.h"
#include "cli/repo.h"
#include "engine/check.h"

#include <stddef.h>
#include <string.h>

struct check_options {
    const char *destination;
    const char *read_data;
};

static const struct stay_option check_options[] = {
    {.name = "read-data",
     .type = STAY_OPTION_OPTIONAL,
     .offset = offsetof(struct check_options, read_data),
     .argument = "PERCENT",
     .help = "also read the packs, all or a part of them (--read-data=5%), and compare every byte"},
    STAY_OPTION_DESTINATION(struct check_options),
};

enum { SHOWN_LOSSES = 20 };

static int parse_percent(const char *text, unsigned *out, struct stay_err *err)
{
    stay_auto_str char *digits = stay_strdup(text ? text : "0");
    size_t len = strlen(digits);
    int64_t value = 0;

    *out = text ? 100 : 0;
    if (text == NULL || len == 0)
        return 0;
    if (digits[len - 1] == '%')
        digits[len - 1] = '\0';
    if (stay_str_i64(digits, &value) < 0 || value < 1 || value > 100)
        return stay_fail(err, STAY_ERR_USAGE,
                         "--read-data=%s: a percentage from 1%% to 100%% is wanted", text);
    *out = (unsigned)value;
    return 0;
}

static json_t *findings_json(const struct stay_check_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->findings.n; i++) {
        const struct stay_finding *finding = &result->findings.items[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "kind",
                                                    stay_finding_kind_name(finding->kind), "object",
                                                    stay_output_string(finding->object), "path",
                                                    stay_output_string(finding->path), "text",
                                                    stay_output_string(finding->text)));
    }
    return list;
}

static void print_findings(struct stay_cli *cli, const struct stay_check_result *result)
{
    size_t losses = 0;

    for (size_t i = 0; i < result->findings.n; i++) {
        const struct stay_finding *finding = &result->findings.items[i];
        stay_auto_str char *path = finding->path ? stay_strdup(finding->path) : NULL;
        if (path)
            stay_output_disarm(path);
        if (finding->kind == STAY_FINDING_LOSS && losses++ >= SHOWN_LOSSES)
            continue;
        stay_output_text(&cli->output, "%s: %s: %s%s%s\n", stay_finding_kind_name(finding->kind),
                         finding->object, path ? path : "", path ? ": " : "", finding->text);
    }
    if (losses > SHOWN_LOSSES)
        stay_output_text(&cli->output, "... and %zu more entries lost; --json lists all\n",
                         losses - SHOWN_LOSSES);
}

static int report(struct stay_cli *cli, const struct stay_check_result *result,
                  struct stay_err *err)
{
    char bytes[16];

    if (cli->output.json) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "sound", json_boolean(result->n_damage == 0));
        stay_doc_set_u64(object, "snapshots", result->snapshots);
        stay_doc_set_u64(object, "entries", result->entries);
        stay_doc_set_u64(object, "packs", result->packs);
        stay_doc_set_u64(object, "packs_read", result->packs_read);
        stay_doc_set_u64(object, "bytes_read", result->bytes_read);
        (void)json_object_set_new(object, "findings", findings_json(result));
        if (stay_output_json(&cli->output, object, err) < 0)
            return -1;
        return result->n_damage ? STAY_EXIT_VERIFY : STAY_EXIT_OK;
    }
    print_findings(cli, result);
    stay_output_say(
        &cli->output, "%llu snapshots with %llu entries, %llu packs: %s; %llu packs read (%s)\n",
        (unsigned long long)result->snapshots, (unsigned long long)result->entries,
        (unsigned long long)result->packs, result->n_damage ? "DAMAGED" : "all references hold",
        (unsigned long long)result->packs_read, stay_str_bytes(bytes, result->bytes_read));
    if (result->n_damage)
        stay_log(STAY_LOG_ERROR,
                 "the repository is damaged (%zu findings): restore what is needed now; the next "
                 "backup stores again what it finds missing",
                 result->n_damage);
    return result->n_damage ? STAY_EXIT_VERIFY : STAY_EXIT_OK;
}

static int run_check(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct check_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_meter_free) struct stay_meter *meter = NULL;
    struct stay_progress progress = {.phase = NULL};
    const struct stay_meter_options meter_options = {
        .to = cli->messages, .terminal = stay_cli_on_terminal(cli), .quiet = cli->globals->quiet};
    struct stay_check_result result;
    unsigned percent;

    if (parse_percent(options->read_data, &percent, err) < 0 ||
        stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_meter_start(&meter, &progress, &meter_options, err) < 0)
        return -1;
    const struct stay_check_options check = {
        .repository = repo.repository,
        .data_percent = percent,
        .threads = (unsigned)cli->config->threads,
        .scratch = repo.scratch,
        .cancel = &cli->cancel,
        .progress = &progress,
    };
    int rc = stay_check(&check, &result, err);
    stay_meter_free(stay_steal(&meter));
    if (rc == 0)
        rc = report(cli, &result, err);
    stay_check_result_free(&result);
    return rc;
}

const struct stay_command stay_cmd_check = {
    .name = "check",
    .group = "Look",
    .summary = "check that a repository is complete and undamaged",
    .operands = "",
    .description =
        "Without --read-data: every document and reference, and that each pack is there. With it, "
        "every byte of the packs is read, decoded and compared with its hash.\n\n"
        "Damage is named with the files that cannot be restored because of it; the exit code is "
        "then 4.",
    .options = check_options,
    .n_options = STAY_COUNT(check_options),
    .options_size = sizeof(struct check_options),
    .run = run_check,
};
