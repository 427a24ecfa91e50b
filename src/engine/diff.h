/* src/engine/diff.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * diff: what is different between two snapshots, by their manifests alone.
 *
 * Layer: engine. Thread-safety: one thread.
 */
#pragma once

#include "engine/tree.h"

enum stay_change {
    STAY_CHANGE_ADDED,
    STAY_CHANGE_REMOVED,
    STAY_CHANGE_TYPE,    /* a file became a folder, ... */
    STAY_CHANGE_CONTENT, /* (and perhaps the metadata) */
    STAY_CHANGE_META     /* mode, owner, time, attributes: the content is the same */
};

/**
 * Calls @each for every entry that is different, in the order of paths.
 *
 * @before, @after of that call: NULL where the entry is not there.
 * @return 0; what @each returned when that is not 0; -1.
 */
STAY_CHECKED int stay_diff(const struct stay_tree *a, const struct stay_tree *b,
                           int (*each)(void *ctx, enum stay_change change,
                                       const struct stay_manifest_entry *before,
                                       const struct stay_manifest_entry *after),
                           void *ctx, struct stay_err *err);

/** '+', '-', 'T', 'M', 'U': as the first letter of a line. */
char stay_change_letter(enum stay_change change);

/** "added", "removed", "type", "content", "metadata". */
const char *stay_change_name(enum stay_change change);
