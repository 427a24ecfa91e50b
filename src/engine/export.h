/* src/engine/export.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * export: entries of a snapshot as one plain archive that any tar opens.
 *
 * Layer: engine. Thread-safety: one thread.
 */
#pragma once

#include "engine/feed.h"
#include "engine/view.h"

struct stay_export_options {
    const struct stay_repository *repository; /* borrowed, like the others */
    const struct stay_view *view;
    const char *index_cache; /* NULL: none */
    int fd;                  /* where the archive goes */
    int level;               /* of its compression */
    struct stay_patterns patterns;
    const struct stay_cancel *cancel;
    struct stay_progress *progress;
};

/**
 * Writes the archive. An entry that cannot be read ends it: a tar that lacks something would pass
 * for a whole one.
 */
STAY_CHECKED int stay_export(const struct stay_export_options *options, struct stay_err *err);
