/* src/engine/restore.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: entries of a snapshot, back into the world through their source plugin.
 *
 * Layer: engine. Thread-safety: one thread; threads of its own inside.
 */
#pragma once

#include "engine/feed.h"
#include "engine/view.h"
#include "plugin/source.h"

struct stay_restore_options {
    const struct stay_repository *repository; /* borrowed, like the others */
    const struct stay_view *view;
    struct stay_source *source;
    const char *index_cache; /* NULL: none */
    const char *location;
    enum backstay_overwrite overwrite;
    bool dry_run;
    struct stay_patterns patterns;
    unsigned threads;
    const struct stay_cancel *cancel;
    struct stay_progress *progress;
    const struct stay_clock *clock;
};

struct stay_restore_result {
    struct stay_feed *feed; /* owns the problems; release with stay_restore_result_free() */
    struct stay_feed_result counts;
    uint64_t selected;
    int64_t elapsed_ns;
    size_t manifest_missing_bytes; /* of damaged manifest text: entries in it are lost */
};

/**
 * Restores. Problems with single entries do not end it: they are in the result.
 *
 * @return 0; -1 when it could not be carried through. The result is to be released in both cases.
 */
STAY_CHECKED int stay_restore(const struct stay_restore_options *options,
                              struct stay_restore_result *result, struct stay_err *err);
void stay_restore_result_free(struct stay_restore_result *result);
