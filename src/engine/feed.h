/* src/engine/feed.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * feed: the entries of a snapshot on their way back to a source plugin, in pull mode (one entry
 * from beginning to end) or in bulk mode (packs in their storage order, each frame decoded once).
 *
 * Layer: engine. Thread-safety: the ABI functions from any thread; the rest from one.
 */
#pragma once

#include "engine/progress.h"
#include "engine/tree.h"

struct stay_feed;

struct stay_feed_options {
    struct stay_dest *dest; /* borrowed, like the others */
    const struct stay_index *index;
    const struct stay_tree *tree;
    const uint32_t *entries; /* the chosen ones, ascending */
    size_t n;
    unsigned threads;
    const struct stay_cancel *cancel;
    struct stay_progress *progress; /* may be NULL */
};

struct stay_feed *stay_feed_new(const struct stay_feed_options *options);
void stay_feed_free(struct stay_feed *feed);
STAY_DEFINE_AUTO(struct stay_feed, stay_feed_free)

/** What the plugin is given. */
struct backstay_feed *stay_feed_abi(struct stay_feed *feed);

/** An entry that was not or not fully restored. */
struct stay_problem {
    char *path;
    char *text;
};

struct stay_feed_result {
    uint64_t restored;
    uint64_t kept;
    uint64_t bytes;
    const struct stay_problem *problems; /* borrowed from the feed */
    size_t n_problems;
};

void stay_feed_result(struct stay_feed *feed, struct stay_feed_result *out);
