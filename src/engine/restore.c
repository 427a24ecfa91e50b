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

static int feed_source(const struct stay_restore_options *options, struct stay_feed *feed,
                       struct stay_err *err)
{
    const struct backstay_target target = {
        .size = sizeof target,
        .overwrite = (uint32_t)options->overwrite,
        .location = options->location,
        .dry_run = options->dry_run,
    };

    int rc = stay_source_restore(options->source, &target, stay_feed_abi(feed), err);
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

int stay_restore(const struct stay_restore_options *options, struct stay_restore_result *result,
                 struct stay_err *err)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto_free uint32_t *entries = NULL;
    int64_t started = stay_clock_mono(options->clock);
    size_t n = 0;
    size_t bad_lines;

    *result = (struct stay_restore_result){0};
    if (select_entries(options, &entries, &n, err) < 0 ||
        stay_repository_index(options->repository, options->index_cache, &index, NULL, err) < 0 ||
        stay_repository_reindex(options->repository, options->view->snapshot, index, err) < 0)
        return -1;
    size_t sound = part_malformed(options->view->tree, entries, n);
    expect(options, sound);
    const struct stay_feed_options feed = {
        .dest = options->repository->dest,
        .index = index,
        .tree = options->view->tree,
        .entries = entries,
        .n = sound,
        .threads = options->threads,
        .cancel = options->cancel,
        .progress = options->progress,
    };
    result->feed = stay_feed_new(&feed);
    report_malformed(result->feed, options->view->tree, entries + sound, n - sound);
    int rc = feed_source(options, result->feed, err);
    stay_feed_result(result->feed, &result->counts);
    result->selected = n;
    result->elapsed_ns = stay_clock_mono(options->clock) - started;
    (void)stay_tree_damage(options->view->tree, &result->manifest_missing_bytes, &bad_lines);
    return rc;
}

void stay_restore_result_free(struct stay_restore_result *result)
{
    stay_feed_free(result->feed);
    *result = (struct stay_restore_result){0};
}
