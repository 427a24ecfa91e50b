/* src/engine/restore.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: entries of a snapshot, back into the world through their source plugin.
 *
 * Layer: engine. Thread-safety: one thread; threads of its own inside.
 */
#pragma once

#include "engine/facts.h"
#include "engine/feed.h"
#include "engine/view.h"
#include "plugin/source.h"

struct stay_restore_options {
    const struct stay_repository *repository; /* borrowed, like the others */
    const struct stay_view *view;
    struct stay_source *source;
    const char *index_cache; /* NULL: none */
    const char *location;    /* NULL: a scratch place of the source's */
    int64_t keep_ns;         /* how long a scratch place stays when all went well; 0: not at all */
    enum backstay_overwrite overwrite;
    bool dry_run;
    const struct backstay_pair *pairs; /* options for the source's restore */
    uint32_t n_pairs;
    bool limited; /* the pairs or patterns leave something out */
    bool compare; /* compare facts afterwards, where the source can */
    struct stay_patterns patterns;
    unsigned threads;
    const char *temporary; /* a folder */
    const struct stay_cancel *cancel;
    struct stay_progress *progress;
    const struct stay_clock *clock;
};

struct stay_restore_result {
    struct stay_feed *feed; /* owns the problems; release with stay_restore_result_free() */
    struct stay_feed_result counts;
    uint64_t selected;
    size_t manifest_missing_bytes; /* of damaged manifest text: entries in it are lost */

    struct backstay_scratch scratch; /* marker "": none is left */
    struct stay_err scratch_error;   /* kind not NONE: it is left although it should not be */

    bool compared;
    struct stay_comparison comparison; /* when @compared */
    struct stay_err compare_error;     /* kind not NONE: restored, and could not be compared */

    int64_t scratch_ns; /* how long each phase took */
    int64_t restore_ns;
    int64_t compare_ns;
    int64_t elapsed_ns; /* all of it */
};

/**
 * Restores, and compares the facts of the copy with those of the snapshot. Problems with single
 * entries do not end it: they are in the result, and so is what the comparison shows.
 *
 * A scratch place is removed when this fails, when it is cancelled, and when it is not to be kept.
 *
 * @return 0; -1 when it could not be carried through. The result is to be released in both cases.
 */
STAY_CHECKED int stay_restore(const struct stay_restore_options *options,
                              struct stay_restore_result *result, struct stay_err *err);
void stay_restore_result_free(struct stay_restore_result *result);
