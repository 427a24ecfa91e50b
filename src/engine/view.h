/* src/engine/view.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * view: one snapshot, opened for reading: its document and its entries.
 *
 * Layer: engine. Thread-safety: constant once opened.
 */
#pragma once

#include "engine/tree.h"

struct stay_view {
    struct stay_snapshot_ref ref;
    struct stay_snapshot *snapshot;
    struct stay_tree *tree;
};

/**
 * Opens the snapshot that @spec means (see stay_repository_find()).
 *
 * @scratch a folder for temporary files.
 */
STAY_CHECKED int stay_view_open(struct stay_view **out, const struct stay_repository *repository,
                                const char *spec, unsigned threads, const char *scratch,
                                struct stay_err *err);
void stay_view_free(struct stay_view *view);
STAY_DEFINE_AUTO(struct stay_view, stay_view_free)
