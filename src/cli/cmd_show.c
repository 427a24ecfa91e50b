/* src/cli/cmd_show.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay show: one snapshot: when, how much, facts, and what was not as it should be.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/repo.h"

#include <stddef.h>
#include <string.h>

struct show_options {
    const char *destination;
};

static const struct stay_option show_options[] = {STAY_OPTION_DESTINATION(struct show_options)};

/* Bytes that are not UTF-8 are lone surrogates in our streams (base/json.h); JSON for others has
 * U+FFFD in their place. */
static void replace_surrogates(char *text)
{
    for (char *c = strchr(text, '\\'); c; c = strchr(c + 2, '\\')) {
        if (strncmp(c, "\\udc", 4) == 0 && strlen(c) >= 6)
            memcpy(c + 2, "fffd", 4);
        if (c[1] == '\0')
            return;
    }
}

/* The lines of a stream of facts or notes as a JSON list; a damaged line is left out with a word.
 */
static json_t *lines_json(const struct stay_text *text, const char *what)
{
    json_t *list = json_array();

    for (size_t at = 0; at < text->len;) {
        const char *line = text->data + at;
        const char *end = memchr(line, '\n', text->len - at);
        size_t len = end ? (size_t)(end - line) : text->len - at;
        stay_auto_buf struct stay_buf copy = {0};
        json_t *object = NULL;
        stay_buf_add(&copy, line, len);
        replace_surrogates(copy.data);
        if (len && stay_doc_parse(&object, copy.data, copy.len, what, NULL) == 0)
            (void)json_array_append_new(list, object);
        else if (len)
            stay_log(STAY_LOG_ERROR, "a line of the %s is damaged", what);
        at += len + 1;
    }
    return list;
}

static int load_lines(const struct stay_repo *repo, const struct stay_snapshot *snapshot,
                      enum stay_snapshot_streams which, json_t **out, struct stay_err *err)
{
    struct stay_text text = {0};

    if (stay_text_load(&text, repo->dest, snapshot, which, 1, repo->scratch, err) < 0)
        return -1;
    if (text.missing_bytes)
        stay_log(STAY_LOG_ERROR, "%s", text.first_damage.text);
    *out = lines_json(&text, stay_snapshot_stream_name(which));
    stay_text_free(&text);
    return 0;
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

static void print_pairs(struct stay_cli *cli, const char *title, const json_t *list,
                        const char *key, const char *value)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list))
        stay_output_text(&cli->output, "\n%s\n", title);
    json_array_foreach(list, i, item)
    {
        const char *left = json_string_value(json_object_get(item, key));
        const char *right = json_string_value(json_object_get(item, value));
        stay_auto_str char *line =
            stay_strf("%s%s%s", left ? left : "", left ? ": " : "", right ? right : "");
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
                           const json_t *facts, const json_t *notes)
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
    print_pairs(cli, "facts", facts, "name", "value");
    print_pairs(cli, "warnings", notes, "path", "text");
}

static json_t *snapshot_json(const struct stay_snapshot *snapshot, const char *name, json_t *facts,
                             json_t *notes)
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
    (void)json_object_set(object, "facts", facts);
    (void)json_object_set(object, "warnings", notes);
    stay_doc_set_u64(object, "packs", snapshot->packs.n);
    return object;
}

static int show(struct stay_cli *cli, const struct stay_repo *repo,
                const struct stay_snapshot_ref *ref, struct stay_err *err)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
    stay_auto(json_decref) json_t *facts = NULL;
    stay_auto(json_decref) json_t *notes = NULL;

    if (stay_repository_snapshot(repo->repository, ref->name, &snapshot, err) < 0 ||
        load_lines(repo, snapshot, STAY_FACTS, &facts, err) < 0 ||
        load_lines(repo, snapshot, STAY_NOTES, &notes, err) < 0)
        return -1;
    if (cli->output.json)
        return stay_output_json(&cli->output, snapshot_json(snapshot, ref->name, facts, notes),
                                err);
    print_snapshot(cli, snapshot, facts, notes);
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
