/* src/cli/cmd_restore.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay restore: a snapshot, or some of it, into a folder, a database or a scratch place.
 */
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/exit.h"
#include "cli/meter.h"
#include "cli/place.h"
#include "cli/repo.h"
#include "cli/restored.h"

#include <stddef.h>
#include <string.h>

struct restore_options {
    const char *destination;
    const char *to;
    const char *keep;
    const char *database;
    const char *jobs;
    const char *yes_replace;
    struct stay_texts tables;
    int overwrite;
    bool dry_run;
    bool schema_only;
    bool data_only;
    bool no_owner;
    bool replace;
    bool no_compare;
};

#define AT(member) offsetof(struct restore_options, member)

static const struct stay_option restore_options[] = {
    {"to", 0, STAY_OPTION_TEXT, true, AT(to), "WHERE", NULL,
     "a folder (created when it is missing), the URL of a database, env:NAME or file:PATH for "
     "where such a URL is, or the word scratch: a throwaway database"},
    {"overwrite", 0, STAY_OPTION_CHOICE, false, AT(overwrite), "never|changed|always", "never",
     "what to do with files that exist: leave them, replace those whose type, size or time differ, "
     "or replace all"},
    {"dry-run", 'n', STAY_OPTION_FLAG, false, AT(dry_run), NULL, NULL,
     "change nothing, say what would be done"},
    {"keep", 0, STAY_OPTION_TEXT, false, AT(keep), "DURATION", NULL,
     "how long a scratch place stays, like 90m or 2d; 0 removes it after the comparison (default: "
     "1h)"},
    {"table", 0, STAY_OPTION_LIST, false, AT(tables), "NAME", NULL,
     "only this table; may be repeated"},
    {"database", 0, STAY_OPTION_TEXT, false, AT(database), "NAME", NULL,
     "only this database of the snapshot"},
    {"schema-only", 0, STAY_OPTION_FLAG, false, AT(schema_only), NULL, NULL, "no rows"},
    {"data-only", 0, STAY_OPTION_FLAG, false, AT(data_only), NULL, NULL,
     "only rows, into tables that exist"},
    {"no-owner", 0, STAY_OPTION_FLAG, false, AT(no_owner), NULL, NULL,
     "everything belongs to the role that restores; no rights are granted"},
    {"jobs", 'j', STAY_OPTION_TEXT, false, AT(jobs), "N", NULL,
     "how many connections work at once"},
    {"replace", 0, STAY_OPTION_FLAG, false, AT(replace), NULL, NULL,
     "replace a database that exists; asks for its name"},
    {"yes-replace", 0, STAY_OPTION_TEXT, false, AT(yes_replace), "NAME", NULL,
     "the same without asking: NAME is the name of the database"},
    {"no-compare", 0, STAY_OPTION_FLAG, false, AT(no_compare), NULL, NULL,
     "do not compare the facts of the copy with those of the snapshot"},
    STAY_OPTION_DESTINATION(struct restore_options),
};

enum { JOBS_MAX = 1024 };

#define KEEP_DEFAULT_NS (3600 * STAY_NS_PER_S)
#define KEEP_MAX_NS     (366 * INT64_C(86400) * STAY_NS_PER_S)

/* The options as the source's plugin is given them. */
struct pairs {
    STAY_VEC(struct backstay_pair) list;
    bool limited; /* some leave something out */
};

static void add_pair(struct pairs *pairs, const char *key, const char *value)
{
    if (value)
        *stay_vec_push(&pairs->list) = (struct backstay_pair){key, value};
}

static int make_pairs(const struct restore_options *options, struct pairs *out,
                      struct stay_err *err)
{
    int64_t jobs = 0;

    if (options->schema_only && options->data_only)
        return stay_fail(err, STAY_ERR_USAGE,
                         "--schema-only and --data-only leave nothing to restore: leave one out");
    if (options->jobs && (stay_str_i64(options->jobs, &jobs) < 0 || jobs < 1 || jobs > JOBS_MAX))
        return stay_fail(err, STAY_ERR_USAGE,
                         "option `--jobs` must be a number from 1 to %d, not `%s`", JOBS_MAX,
                         options->jobs);
    for (size_t i = 0; i < options->tables.n; i++)
        add_pair(out, "table", options->tables.items[i]);
    add_pair(out, "database", options->database);
    add_pair(out, "schema_only", options->schema_only ? "true" : NULL);
    add_pair(out, "data_only", options->data_only ? "true" : NULL);
    out->limited = out->list.n > 0;
    add_pair(out, "no_owner", options->no_owner ? "true" : NULL);
    add_pair(out, "jobs", options->jobs);
    add_pair(out, "replace",
             options->yes_replace ? options->yes_replace
             : options->replace   ? ""
                                  : NULL);
    return 0;
}

static int check_scratch_options(const struct restore_options *options, bool scratch,
                                 int64_t *keep_ns, struct stay_err *err)
{
    *keep_ns = KEEP_DEFAULT_NS;
    if (options->keep && !scratch)
        return stay_fail(err, STAY_ERR_USAGE,
                         "--keep is about a scratch place: it goes with --to scratch");
    if (options->keep && strcmp(options->keep, "0") == 0)
        *keep_ns = 0;
    else if (options->keep &&
             (stay_str_duration(options->keep, keep_ns) < 0 || *keep_ns > KEEP_MAX_NS))
        return stay_fail(err, STAY_ERR_USAGE,
                         "option `--keep` must be a duration like 90m or 2d, up to 366d, not `%s`",
                         options->keep);
    if (scratch && options->dry_run)
        return stay_fail(err, STAY_ERR_USAGE,
                         "--dry-run makes no scratch place that it could look at: leave one out");
    if (scratch && (options->replace || options->yes_replace))
        return stay_fail(err, STAY_ERR_USAGE,
                         "a scratch place is empty: there is nothing that --replace could replace");
    return 0;
}

/* The source as configured; on a machine that does not have it, one of the same type. */
static int open_source(struct stay_cli *cli, const struct stay_snapshot *snapshot,
                       const char *location, struct stay_source **out, struct stay_err *err)
{
    if (stay_config_section(&cli->config->sources, snapshot->source))
        return stay_cli_open_source(cli, snapshot->source, out, err);
    return stay_cli_open_source_as(cli, snapshot->source, snapshot->type, location, out, err);
}

/* Lets the user type the name of what is replaced; the plugin compares it. */
static int confirm_replace(struct stay_cli *cli, const struct restore_options *options,
                           const struct stay_place *place, char **name, struct stay_err *err)
{
    stay_auto_str char *question =
        stay_strf("This replaces the database at %s.\nType its name to go on:", place->shown);

    if (!options->replace || options->yes_replace)
        return 0;
    if (!stay_confirm_possible(cli))
        return stay_fail(err, STAY_ERR_USAGE,
                         "--replace asks for the name of the database, and there is no terminal to "
                         "ask at: give it with --yes-replace NAME");
    if (stay_confirm_ask(cli, question, name, err) < 0)
        return -1;
    if (**name == '\0')
        return stay_fail(err, STAY_ERR_USAGE, "no name was typed: nothing is replaced");
    return 0;
}

/* Refuses what the source cannot do before anybody is asked and anything is made. */
static int prepare(struct stay_cli *cli, const struct restore_options *options,
                   const struct stay_place *place, const struct stay_source *source,
                   struct pairs *pairs, char **name, struct stay_err *err)
{
    const struct backstay_target target = {
        .size = sizeof target,
        .location = place->location,
        .options = pairs->list.items,
        .n_options = (uint32_t)pairs->list.n,
    };

    if (stay_source_check_target(source, &target, err) < 0 ||
        confirm_replace(cli, options, place, name, err) < 0)
        return -1;
    if (*name)
        pairs->list.items[pairs->list.n - 1].value = *name;
    return 0;
}

static int restore(struct stay_cli *cli, const struct restore_options *options,
                   const struct stay_place *place, struct pairs *pairs, struct stay_err *err)
{
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_view_free) struct stay_view *view = NULL;
    stay_auto(stay_source_free) struct stay_source *source = NULL;
    stay_auto(stay_meter_free) struct stay_meter *meter = NULL;
    stay_auto_str char *name = NULL;
    struct stay_progress progress = {.phase = NULL};
    const struct stay_meter_options meter_options = {
        .to = cli->messages, .terminal = stay_cli_on_terminal(cli), .quiet = cli->globals->quiet};
    struct stay_restore_result result;
    int64_t keep_ns;

    if (check_scratch_options(options, place->location == NULL, &keep_ns, err) < 0 ||
        stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[0], &view, err) < 0 ||
        open_source(cli, view->snapshot, place->location, &source, err) < 0 ||
        prepare(cli, options, place, source, pairs, &name, err) < 0 ||
        stay_meter_start(&meter, &progress, &meter_options, err) < 0)
        return -1;
    const struct stay_restore_options engine = {
        .repository = repo.repository,
        .view = view,
        .source = source,
        .index_cache = repo.cache,
        .location = place->location,
        .keep_ns = keep_ns,
        .overwrite = (enum backstay_overwrite)options->overwrite,
        .dry_run = options->dry_run,
        .pairs = pairs->list.items,
        .n_pairs = (uint32_t)pairs->list.n,
        .limited = pairs->limited || cli->operands->n > 1,
        .compare = !options->no_compare,
        .patterns = {cli->operands->items + 1, cli->operands->n - 1},
        .threads = (unsigned)cli->config->threads,
        .temporary = repo.scratch,
        .cancel = &cli->cancel,
        .progress = &progress,
        .clock = stay_clock_system(),
    };
    int rc = stay_restore(&engine, &result, err);
    stay_meter_free(stay_steal(&meter));
    if (rc == 0)
        rc = stay_restored_report(cli, &engine, place->shown, &result, err);
    stay_restore_result_free(&result);
    return rc;
}

static int run_restore(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct restore_options *options = given;
    stay_auto_place struct stay_place place = {0};
    struct pairs pairs = {0};

    int rc = make_pairs(options, &pairs, err);
    if (rc == 0)
        rc = stay_place_resolve(&place, options->to, &cli->resolver, err);
    if (rc == 0)
        rc = restore(cli, options, &place, &pairs, err);
    stay_vec_free(&pairs.list);
    return rc;
}

const struct stay_command stay_cmd_restore = {
    .name = "restore",
    .group = "Backup and restore",
    .summary = "restore a snapshot, or some of it, and compare what came back",
    .operands = "SNAPSHOT [PATTERN...]",
    .description =
        "SNAPSHOT is SOURCE@latest, SOURCE@2026-11-22T02:30 (the newest not after that, UTC), the "
        "first digits of an id, or latest alone where there is one source.\n\n"
        "A PATTERN is a path (with all that is below it) or has *, ?, [...] or **; one without a "
        "slash matches a name at any depth. Without patterns everything is restored.\n\n"
        "Every byte is compared with the hash under which it was stored. Entries that cannot be "
        "restored are named and do not keep others from being restored; the exit code is then 3. "
        "Of a database, the copy is then asked for the facts that were recorded at backup (rows, "
        "digests, counts): each that differs is named, and the exit code is 4.\n\n"
        "A scratch place is made by the source: it is empty, belongs to nobody else, and removes "
        "itself when its time is over; when the restore fails or is stopped, at once. A password "
        "on a command line can be seen by others on this machine: better keep it in a password "
        "file, or the whole URL in a variable or file (--to env:NAME, --to file:PATH). A folder "
        "named scratch is ./scratch.",
    .options = restore_options,
    .n_options = STAY_COUNT(restore_options),
    .options_size = sizeof(struct restore_options),
    .least = 1,
    .most = STAY_OPERANDS_ANY,
    .run = run_restore,
};
