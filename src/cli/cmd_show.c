/* src/cli/cmd_show.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay show: one snapshot: when, how much, facts, and what was not as it should be.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/repo.h"
#include "engine/lines.h"

#include <stddef.h>
#include <string.h>

struct show_options {
    const char *destination;
};

static const struct stay_option show_options[] = {STAY_OPTION_DESTINATION(struct show_options)};

static int load_lines(const struct stay_repo *repo, const struct stay_snapshot *snapshot,
                      enum stay_snapshot_streams which, struct stay_lines *out,
                      struct stay_err *err)
{
    if (stay_lines_load(out, repo->dest, snapshot, which, repo->scratch, err) < 0)
        return -1;
    if (out->damage.kind != STAY_ERR_NONE)
        stay_log(STAY_LOG_ERROR, "%s", out->damage.text);
    return 0;
}

static json_t *lines_json(const struct stay_lines *lines, const char *key, const char *value)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lines->n; i++) {
        json_t *object = json_object();
        if (lines->items[i].key)
            (void)json_object_set_new(object, key, stay_output_string(lines->items[i].key));
        (void)json_object_set_new(object, value, stay_output_string(lines->items[i].value));
        (void)json_array_append_new(list, object);
    }
    return list;
}

static void row(struct stay_cli *cli, const char *name, const char *value)
{
    stay_output_text(&cli->output, "%-12s %s\n", name, value);
}

static void row_bytes(struct stay_cli *cli, const char *name, uint64_t bytes)
{
    char text[16];

    row(cli, name, stay_str_bytes(text, bytes));
}

static void print_lines(struct stay_cli *cli, const char *title, const struct stay_lines *lines)
{
    if (lines->n)
        stay_output_text(&cli->output, "\n%s\n", title);
    for (size_t i = 0; i < lines->n; i++) {
        const char *key = lines->items[i].key;
        stay_auto_str char *line =
            stay_strf("%s%s%s", key ? key : "", key ? ": " : "", lines->items[i].value);
        stay_output_disarm(line);
        stay_output_text(&cli->output, "  %s\n", line);
    }
}

static void print_details(struct stay_cli *cli, const struct stay_snapshot *snapshot)
{
    const char *name;
    json_t *value;

    json_object_foreach(snapshot->details, name, value)
    {
        const char *text = json_string_value(value);
        stay_auto_str char *line = stay_strdup(text ? text : "?");
        stay_output_disarm(line);
        row(cli, name, line);
    }
}

static void print_snapshot(struct stay_cli *cli, const struct stay_snapshot *snapshot,
                           const struct stay_lines *facts, const struct stay_lines *notes)
{
    const struct stay_snapshot_counts *counts = &snapshot->counts;
    char time[40];
    char elapsed[24];
    stay_auto_str char *entries =
        stay_strf("%llu, of these %llu files; %llu unchanged since the snapshot before",
                  (unsigned long long)counts->entries, (unsigned long long)counts->files,
                  (unsigned long long)counts->unchanged);

    row(cli, "snapshot", snapshot->id);
    row(cli, "source", snapshot->source);
    row(cli, "type", snapshot->type);
    row(cli, "instant", stay_time_iso(time, snapshot->instant_ns));
    row(cli, "took", stay_str_elapsed(elapsed, snapshot->finished_ns - snapshot->started_ns));
    row(cli, "host", snapshot->host);
    row(cli, "version", snapshot->version);
    row(cli, "entries", entries);
    row_bytes(cli, "size", counts->bytes);
    row_bytes(cli, "read", counts->bytes_read);
    row_bytes(cli, "new", counts->bytes_new);
    row_bytes(cli, "stored", counts->bytes_stored);
    print_details(cli, snapshot);
    print_lines(cli, "facts", facts);
    print_lines(cli, "warnings", notes);
}

static json_t *snapshot_json(const struct stay_snapshot *snapshot, const char *name,
                             const struct stay_lines *facts, const struct stay_lines *notes)
{
    char time[40];
    json_t *object = json_object();

    stay_doc_set_text(object, "id", snapshot->id);
    stay_doc_set_text(object, "object", name);
    stay_doc_set_text(object, "source", snapshot->source);
    stay_doc_set_text(object, "type", snapshot->type);
    stay_doc_set_text(object, "host", snapshot->host);
    stay_doc_set_text(object, "version", snapshot->version);
    stay_doc_set_text(object, "instant", stay_time_iso(time, snapshot->instant_ns));
    stay_doc_set_text(object, "started", stay_time_iso(time, snapshot->started_ns));
    stay_doc_set_text(object, "finished", stay_time_iso(time, snapshot->finished_ns));
    (void)json_object_set_new(object, "counts", stay_snapshot_counts_json(&snapshot->counts));
    (void)json_object_set(object, "details", snapshot->details);
    (void)json_object_set_new(object, "facts", lines_json(facts, "name", "value"));
    (void)json_object_set_new(object, "warnings", lines_json(notes, "path", "text"));
    stay_doc_set_u64(object, "packs", snapshot->packs.n);
    return object;
}

static int show(struct stay_cli *cli, const struct stay_repo *repo,
                const struct stay_snapshot_ref *ref, struct stay_err *err)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
    stay_auto_lines struct stay_lines facts = {0};
    stay_auto_lines struct stay_lines notes = {0};

    if (stay_repository_snapshot(repo->repository, ref->name, &snapshot, err) < 0 ||
        load_lines(repo, snapshot, STAY_FACTS, &facts, err) < 0 ||
        load_lines(repo, snapshot, STAY_NOTES, &notes, err) < 0)
        return -1;
    if (cli->output.json)
        return stay_output_json(&cli->output, snapshot_json(snapshot, ref->name, &facts, &notes),
                                err);
    print_snapshot(cli, snapshot, &facts, &notes);
    return STAY_EXIT_OK;
}

static int run_show(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct show_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    struct stay_snapshot_ref ref;

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repository_find(repo.repository, cli->operands->items[0], &ref, err) < 0)
        return -1;
    return show(cli, &repo, &ref, err);
}

const struct stay_command stay_cmd_show = {
    .name = "show",
    .group = "Look",
    .summary = "show one snapshot: when, how much, facts, warnings",
    .operands = "SNAPSHOT",
    .options = show_options,
    .n_options = STAY_COUNT(show_options),
    .options_size = sizeof(struct show_options),
    .least = 1,
    .most = 1,
    .run = run_show,
};
