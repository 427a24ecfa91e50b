/* src/cli/cmd_list.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay list: the snapshots of a repository.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/repo.h"
#include "cli/table.h"

#include <stddef.h>

struct list_options {
    const char *destination;
};

static const struct stay_option list_options[] = {STAY_OPTION_DESTINATION(struct list_options)};

static const struct stay_column columns[] = {
    {"SNAPSHOT", false}, {"SOURCE", false}, {"TIME (UTC)", false}, {"ENTRIES", true},
    {"SIZE", true},      {"STORED", true},  {"NOTE", false},
};

static void add_row(struct stay_table *table, const struct stay_snapshot *snapshot)
{
    char time[40];
    char bytes[16];
    char stored[16];
    stay_auto_str char *entries = stay_strf("%llu", (unsigned long long)snapshot->counts.entries);
    stay_auto_str char *note =
        snapshot->counts.warnings
            ? stay_strf("%llu warnings", (unsigned long long)snapshot->counts.warnings)
            : stay_strdup("");

    stay_table_row(
        table, (const char *const[]){snapshot->id, snapshot->source,
                                     stay_repo_time(time, snapshot->instant_ns), entries,
                                     stay_str_bytes(bytes, snapshot->counts.bytes),
                                     stay_str_bytes(stored, snapshot->counts.bytes_stored), note});
}

static json_t *snapshot_json(const struct stay_snapshot *snapshot, const char *name)
{
    char instant[40];
    json_t *object = json_object();

    stay_doc_set_text(object, "id", snapshot->id);
    stay_doc_set_text(object, "source", snapshot->source);
    stay_doc_set_text(object, "type", snapshot->type);
    stay_doc_set_text(object, "instant", stay_time_iso(instant, snapshot->instant_ns));
    stay_doc_set_text(object, "host", snapshot->host);
    stay_doc_set_text(object, "object", name);
    (void)json_object_set_new(object, "counts", stay_snapshot_counts_json(&snapshot->counts));
    return object;
}

/* A damaged snapshot is listed as such: it must not look as if it had never been. */
static void add_damaged(struct stay_table *table, json_t *list, const struct stay_snapshot_ref *ref,
                        const struct stay_err *why)
{
    char time[40];
    char instant[40];

    stay_table_row(table, (const char *const[]){ref->id, ref->source,
                                                stay_repo_time(time, ref->instant_ns), "?", "?",
                                                "?", "DAMAGED"});
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", ref->id, "source", ref->source,
                        "instant", stay_time_iso(instant, ref->instant_ns), "object", ref->name,
                        "damaged", stay_output_string(why->text)));
}

static int list_all(const struct stay_repo *repo, const struct stay_snapshot_list *refs,
                    struct stay_table *table, json_t *list, struct stay_err *err)
{
    int exit = STAY_EXIT_OK;

    for (size_t i = 0; i < refs->n; i++) {
        stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
        struct stay_err why = {0};
        if (stay_repository_snapshot(repo->repository, refs->items[i].name, &snapshot, &why) == 0) {
            add_row(table, snapshot);
            (void)json_array_append_new(list, snapshot_json(snapshot, refs->items[i].name));
        } else if (why.kind == STAY_ERR_CORRUPT) {
            stay_log(STAY_LOG_ERROR, "%s", why.text);
            add_damaged(table, list, &refs->items[i], &why);
            exit = STAY_EXIT_VERIFY;
        } else {
            *err = why;
            return -1;
        }
    }
    return exit;
}

static int run_list(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    const struct list_options *chosen = options;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));
    struct stay_snapshot_list refs = {0};
    const char *source = cli->operands->n ? cli->operands->items[0] : NULL;

    if (stay_repo_open(cli, chosen->destination, &repo, err) < 0 ||
        stay_repository_snapshots(repo.repository, source, &refs, err) < 0)
        return -1;
    json_t *list = json_array();
    int rc = list_all(&repo, &refs, table, list, err);
    if (rc >= 0 && cli->output.json) {
        if (stay_output_json(&cli->output, json_pack("{s:O}", "snapshots", list), err) < 0)
            rc = -1;
    } else if (rc >= 0 && refs.n == 0) {
        stay_output_say(&cli->output, "no snapshots on destination %s\n",
                        stay_dest_name(repo.dest));
    } else if (rc >= 0) {
        stay_table_print(table, &cli->output);
    }
    json_decref(list);
    stay_vec_free(&refs);
    return rc;
}

const struct stay_command stay_cmd_list = {
    .name = "list",
    .group = "Look",
    .summary = "list the snapshots of a repository, oldest first",
    .operands = "[SOURCE]",
    .options = list_options,
    .n_options = STAY_COUNT(list_options),
    .options_size = sizeof(struct list_options),
    .least = 0,
    .most = 1,
    .run = run_list,
};
