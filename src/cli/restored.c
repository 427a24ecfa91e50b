/* src/cli/restored.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/restored.h"

#include "cli/exit.h"
#include "cli/facts.h"
#include "cli/place.h"
#include "cli/repo.h"

#include <string.h>

/* What is reported about, with texts that both forms need. */
struct report {
    struct stay_cli *cli;
    const struct stay_restore_options *options;
    const char *shown;
    const struct stay_restore_result *result;
    bool kept;    /* a scratch place stays */
    char *reach;  /* how to reach it */
    char *remove; /* the command that removes it */
};

/* A text of a plugin's, as it may be shown. */
static char *harmless(const char *text)
{
    char *shown = stay_place_mask(text, NULL);

    stay_output_disarm(shown);
    return shown;
}

/* A word that a shell takes as it is, in quotes where it needs them. */
static char *shell_word(const char *text)
{
    stay_auto_buf struct stay_buf out = {0};
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-+./:=@%,";

    if (*text && strspn(text, plain) == strlen(text))
        return stay_strdup(text);
    stay_buf_char(&out, '\'');
    for (; *text; text++)
        stay_buf_printf(&out, *text == '\'' ? "'\\'%c" : "%c", *text);
    stay_buf_char(&out, '\'');
    return stay_buf_take(&out);
}

static char *command_to_remove(const struct report *report)
{
    const char *config = report->cli->globals->config;
    stay_auto_str char *file = shell_word(config ? config : "");
    stay_auto_str char *marker = shell_word(report->result->scratch.marker);

    return stay_strf("backstay %s%s%sscratch remove %s %s", config ? "-c " : "", config ? file : "",
                     config ? " " : "", report->options->view->snapshot->source, marker);
}

/* ---- JSON */

static void set_seconds(json_t *object, const char *key, int64_t ns)
{
    (void)json_object_set_new(object, key, json_real((double)ns / (double)STAY_NS_PER_S));
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

static json_t *phases_json(const struct stay_restore_result *result)
{
    json_t *object = json_object();

    set_seconds(object, "scratch", result->scratch_ns);
    set_seconds(object, "restore", result->restore_ns);
    set_seconds(object, "compare", result->compare_ns);
    return object;
}

static json_t *facts_json(const struct stay_restore_result *result)
{
    if (result->compared)
        return stay_facts_json(&result->comparison);
    if (result->compare_error.kind == STAY_ERR_NONE)
        return json_null();
    return json_pack("{s:s, s:o}", "outcome", "failed", "error",
                     stay_output_string(result->compare_error.text));
}

static json_t *scratch_json(const struct report *report)
{
    const struct backstay_scratch *scratch = &report->result->scratch;
    stay_auto_str char *location = harmless(scratch->location);
    char until[40];
    json_t *object = json_object();

    (void)json_object_set_new(object, "location", stay_output_string(location));
    (void)json_object_set_new(object, "marker", stay_output_string(scratch->marker));
    (void)json_object_set_new(object, "reach", stay_output_string(report->reach));
    (void)json_object_set_new(object, "remove", stay_output_string(report->remove));
    (void)json_object_set_new(object, "until",
                              scratch->keep_until_ns
                                  ? json_string(stay_time_iso(until, scratch->keep_until_ns))
                                  : json_null());
    return object;
}

static int report_json(const struct report *report, struct stay_err *err)
{
    const struct stay_restore_result *result = report->result;
    json_t *object = json_object();

    stay_doc_set_text(object, "snapshot", report->options->view->snapshot->id);
    (void)json_object_set_new(
        object, "to",
        stay_output_string(report->options->location ? report->shown : STAY_PLACE_SCRATCH));
    (void)json_object_set_new(object, "dry_run", json_boolean(report->options->dry_run));
    stay_doc_set_u64(object, "selected", result->selected);
    stay_doc_set_u64(object, "restored", result->counts.restored);
    stay_doc_set_u64(object, "kept", result->counts.kept);
    stay_doc_set_u64(object, "bytes", result->counts.bytes);
    set_seconds(object, "seconds", result->elapsed_ns);
    (void)json_object_set_new(object, "phases", phases_json(result));
    (void)json_object_set_new(object, "problems", problems_json(&result->counts));
    stay_doc_set_u64(object, "manifest_missing_bytes", result->manifest_missing_bytes);
    (void)json_object_set_new(object, "facts", facts_json(result));
    (void)json_object_set_new(object, "scratch", report->kept ? scratch_json(report) : json_null());
    return stay_output_json(&report->cli->output, object, err);
}

/* ---- text */

static void print_restored(const struct report *report)
{
    const struct stay_restore_result *result = report->result;
    const struct stay_feed_result *counts = &result->counts;
    struct stay_output *output = &report->cli->output;
    char bytes[16];
    char elapsed[24];

    stay_output_say(output, "%s %llu entries of snapshot %s (%s) to %s in %s%s",
                    report->options->dry_run ? "would restore" : "restored",
                    (unsigned long long)counts->restored, report->options->view->snapshot->id,
                    stay_str_bytes(bytes, counts->bytes), report->shown,
                    stay_str_elapsed(elapsed, result->scratch_ns + result->restore_ns),
                    counts->kept ? "" : "\n");
    if (counts->kept)
        stay_output_say(output, "; left %llu as they were\n", (unsigned long long)counts->kept);
}

static void print_scratch(const struct report *report)
{
    struct stay_output *output = &report->cli->output;
    const struct backstay_scratch *scratch = &report->result->scratch;
    char until[40];

    if (report->options->location)
        return;
    if (!report->kept) {
        stay_output_say(output, "the scratch place is removed again\n");
        return;
    }
    stay_output_text(output, "to reach it: %s\n", report->reach);
    if (scratch->keep_until_ns)
        stay_output_text(output, "it stays until %s UTC; to remove it before: %s\n",
                         stay_repo_time(until, scratch->keep_until_ns), report->remove);
    else
        stay_output_text(output, "to remove it: %s\n", report->remove);
}

/* ---- both */

static int log_shortcomings(const struct stay_restore_result *result)
{
    if (result->manifest_missing_bytes)
        stay_log(STAY_LOG_ERROR,
                 "the manifest is damaged: entries listed in %zu lost bytes of it are not restored",
                 result->manifest_missing_bytes);
    if (result->counts.n_problems)
        stay_log(STAY_LOG_ERROR, "%zu entries were not or not fully restored",
                 result->counts.n_problems);
    bool partial = result->counts.n_problems > 0 || result->manifest_missing_bytes > 0 ||
                   result->scratch_error.kind != STAY_ERR_NONE;
    return partial ? STAY_EXIT_PARTIAL : STAY_EXIT_OK;
}

static bool was_to_compare(const struct report *report)
{
    return !report->options->dry_run && stay_source_compares(report->options->source);
}

/* @return the exit code, or -1. */
static int report_all(const struct report *report, struct stay_err *err)
{
    const struct stay_restore_result *result = report->result;

    if (report->cli->output.json && report_json(report, err) < 0)
        return -1;
    print_restored(report);
    int code = log_shortcomings(result);
    if (result->compared) {
        int facts = stay_facts_print(&report->cli->output, &result->comparison);
        code = STAY_MAX(code, facts);
    } else if (was_to_compare(report) && !report->options->compare) {
        stay_output_say(&report->cli->output, "facts: not compared (--no-compare)\n");
    }
    print_scratch(report);
    if (result->compare_error.kind == STAY_ERR_NONE)
        return code;
    *err = result->compare_error;
    return stay_prefix(err, "restored, but not compared with what was backed up");
}

int stay_restored_report(struct stay_cli *cli, const struct stay_restore_options *options,
                         const char *shown, const struct stay_restore_result *result,
                         struct stay_err *err)
{
    struct report report = {
        .cli = cli,
        .options = options,
        .shown = shown,
        .result = result,
        .kept = result->scratch.marker[0] != '\0',
    };

    if (report.kept) {
        bool hint = result->scratch.hint[0] != '\0';
        report.reach = harmless(hint ? result->scratch.hint : result->scratch.location);
        report.remove = command_to_remove(&report);
    }
    int rc = report_all(&report, err);
    free(report.reach);
    free(report.remove);
    return rc;
}
