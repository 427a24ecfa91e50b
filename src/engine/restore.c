/* src/engine/restore.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/restore.h"

#include <string.h>

static int select_entries(const struct stay_restore_options *options, uint32_t **entries, size_t *n,
                          struct stay_err *err)
{
    if (stay_tree_select(options->view->tree, &options->patterns, entries, n, err) < 0)
        return -1;
    if (*n == 0 && options->patterns.n > 0)
        return stay_fail(err, STAY_ERR_ABSENT,
                         "nothing in snapshot %s matches \"%s\"; \"backstay ls %s\" shows what is "
                         "in it",
                         options->view->snapshot->id, options->patterns.items[0],
                         options->view->snapshot->id);
    return 0;
}

static void expect(const struct stay_restore_options *options, size_t n)
{
    struct stay_progress *progress = options->progress;

    if (progress == NULL)
        return;
    atomic_store(&progress->phase, "restoring");
    atomic_store(&progress->entries_total, n);
    if (options->patterns.n == 0)
        atomic_store(&progress->bytes_total, options->view->snapshot->counts.bytes);
}

static int feed_source(const struct stay_restore_options *options,
                       const struct backstay_target *target, struct stay_feed *feed,
                       struct stay_err *err)
{
    int rc = stay_source_restore(options->source, target, stay_feed_abi(feed), err);

    if (rc < 0 && stay_cancelled(options->cancel))
        return stay_fail_cancelled(err);
    return rc;
}

/* Moves entries that break the rules of the format to the end. @return how many are left before. */
static size_t part_malformed(const struct stay_tree *tree, uint32_t *entries, size_t n)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    STAY_VEC(uint32_t) bad = {0};
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (stay_tree_entry(tree, entries[i], &entry, NULL) == 0)
            entries[kept++] = entries[i];
        else
            *stay_vec_push(&bad) = entries[i];
    }
    if (bad.n)
        memcpy(entries + kept, bad.items, bad.n * sizeof *bad.items);
    stay_vec_free(&bad);
    return kept;
}

/* Only a forger, or a mistake of ours, writes such entries: each is a problem, and the others are
 * restored. */
static void report_malformed(struct stay_feed *feed, const struct stay_tree *tree,
                             const uint32_t *entries, size_t n)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    struct backstay_feed *abi = stay_feed_abi(feed);

    for (size_t i = 0; i < n; i++) {
        struct stay_err why = {0};
        if (stay_tree_entry(tree, entries[i], &entry, &why) < 0)
            abi->problem(abi, UINT64_MAX, "%s", why.text);
    }
}

/* Brings the chosen entries to the target. */
static int restore_entries(const struct stay_restore_options *options,
                           const struct backstay_target *target, uint32_t *entries,
                           struct stay_restore_result *result, struct stay_err *err)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    const struct stay_tree *tree = options->view->tree;
    size_t bad_lines;

    if (stay_repository_index(options->repository, options->index_cache, &index, NULL, err) < 0 ||
        stay_repository_reindex(options->repository, options->view->snapshot, index, err) < 0)
        return -1;
    size_t sound = part_malformed(tree, entries, result->selected);
    expect(options, sound);
    const struct stay_feed_options feed = {
        .dest = options->repository->dest,
        .index = index,
        .tree = tree,
        .entries = entries,
        .n = sound,
        .threads = options->threads,
        .cancel = options->cancel,
        .progress = options->progress,
    };
    result->feed = stay_feed_new(&feed);
    report_malformed(result->feed, tree, entries + sound, result->selected - sound);
    int rc = feed_source(options, target, result->feed, err);
    stay_feed_result(result->feed, &result->counts);
    (void)stay_tree_damage(tree, &result->manifest_missing_bytes, &bad_lines);
    return rc;
}

/* A place that ends itself must outlive the restore into it, however large that is: the slowest
 * one that is worth waiting for takes a second for this many bytes. */
static int64_t end_of_scratch(const struct stay_restore_options *options)
{
    const uint64_t bytes_per_s = (uint64_t)8 << 20;
    uint64_t seconds = options->view->snapshot->counts.bytes / bytes_per_s;

    if (options->keep_ns == 0)
        return 0;
    return stay_clock_now(options->clock) + options->keep_ns +
           (int64_t)STAY_MIN(seconds, (uint64_t)1 << 32) * STAY_NS_PER_S;
}

static int make_scratch(const struct stay_restore_options *options, struct backstay_scratch *out,
                        struct stay_err *err)
{
    const json_t *details = options->view->snapshot->details;
    struct backstay_scratch made = {
        .size = sizeof made,
        .keep_until_ns = end_of_scratch(options),
        .server_version = json_string_value(json_object_get(details, "server_version")),
    };

    if (options->progress)
        atomic_store(&options->progress->phase, "preparing a scratch place");
    int rc = stay_source_scratch_create(options->source, &made, err);
    if (rc == 0)
        *out = made;
    if (rc < 0 && stay_cancelled(options->cancel))
        return stay_fail_cancelled(err);
    return rc;
}

static void remove_scratch(const struct stay_restore_options *options,
                           struct stay_restore_result *result)
{
    const char *marker = result->scratch.marker;

    if (stay_source_scratch_remove(options->source, marker, &result->scratch_error) == 0)
        result->scratch = (struct backstay_scratch){0};
    else
        stay_log(STAY_LOG_ERROR, "the scratch place %s is left behind: %s", marker,
                 result->scratch_error.text);
}

/* A copy that could not be asked is restored all the same: that it fails is part of the result. */
static int compare(const struct stay_restore_options *options, const struct backstay_target *target,
                   struct stay_restore_result *result, struct stay_err *err)
{
    const struct stay_repository *repository = options->repository;
    stay_auto_lines struct stay_lines recorded = {0};
    const struct stay_comparison_options comparison = {
        .source = options->source,
        .target = target,
        .recorded = &recorded,
        .limited = options->limited,
        .cancel = options->cancel,
        .progress = options->progress,
    };

    if (stay_lines_load(&recorded, repository->dest, options->view->snapshot, STAY_FACTS,
                        options->temporary, &result->compare_error) == 0 &&
        stay_facts_compare(&comparison, &result->comparison, &result->compare_error) == 0)
        result->compared = true;
    return stay_cancelled(options->cancel) ? stay_fail_cancelled(err) : 0;
}

/* Sets *@phase_ns to the time since *@since_ns, which becomes now. */
static void end_phase(const struct stay_clock *clock, int64_t *since_ns, int64_t *phase_ns)
{
    int64_t now = stay_clock_mono(clock);

    *phase_ns = now - *since_ns;
    *since_ns = now;
}

static int run_phases(const struct stay_restore_options *options, struct backstay_target *target,
                      uint32_t *entries, struct stay_restore_result *result, struct stay_err *err)
{
    int64_t since = stay_clock_mono(options->clock);

    if (options->location == NULL) {
        if (make_scratch(options, &result->scratch, err) < 0)
            return -1;
        target->location = result->scratch.location;
        end_phase(options->clock, &since, &result->scratch_ns);
    }
    int rc = restore_entries(options, target, entries, result, err);
    end_phase(options->clock, &since, &result->restore_ns);
    if (rc == 0 && options->compare && !options->dry_run && stay_source_compares(options->source)) {
        rc = compare(options, target, result, err);
        end_phase(options->clock, &since, &result->compare_ns);
    }
    return rc;
}

int stay_restore(const struct stay_restore_options *options, struct stay_restore_result *result,
                 struct stay_err *err)
{
    stay_auto_free uint32_t *entries = NULL;
    int64_t started = stay_clock_mono(options->clock);
    size_t n = 0;
    struct backstay_target target = {
        .size = sizeof target,
        .overwrite = (uint32_t)options->overwrite,
        .location = options->location,
        .options = options->n_pairs ? options->pairs : NULL,
        .n_options = options->n_pairs,
        .dry_run = options->dry_run,
    };

    *result = (struct stay_restore_result){0};
    if (stay_source_check_target(options->source, &target, err) < 0 ||
        select_entries(options, &entries, &n, err) < 0)
        return -1;
    result->selected = n;
    int rc = run_phases(options, &target, entries, result, err);
    if (result->scratch.marker[0] && (rc < 0 || options->keep_ns == 0))
        remove_scratch(options, result);
    result->elapsed_ns = stay_clock_mono(options->clock) - started;
    return rc;
}

void stay_restore_result_free(struct stay_restore_result *result)
{
    stay_feed_free(result->feed);
    stay_comparison_free(&result->comparison);
    *result = (struct stay_restore_result){0};
}
