/* src/engine/stats.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * stats: how much is protected and what it takes.
 *
 * Layer: engine. Thread-safety: one thread.
 */
#pragma once

#include "store/repository.h"

struct stay_stats {
    uint64_t snapshots;
    uint64_t raw_bytes;    /* of all files of all snapshots */
    uint64_t unique_bytes; /* of all different chunks */
    uint64_t stored_bytes; /* of all packs */
    uint64_t other_bytes;  /* of all other objects: index, snapshots, records */
    uint64_t packs;
    uint64_t frames;
    uint64_t chunks; /* different ones */
    struct backstay_space space;
};

/** @cache the local index file; NULL: none. */
STAY_CHECKED int stay_stats(const struct stay_repository *repository, const char *cache,
                            struct stay_stats *out, struct stay_err *err);
