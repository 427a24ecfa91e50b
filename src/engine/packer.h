/* src/engine/packer.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * packer: stored frames go in, durable packs and their index objects come out on each destination.
 *
 * A frame carries a mask of the destinations that lack what is in it; frames with the same mask
 * share packs. Each destination has upload threads of its own; one that fails is left out from then
 * on and the others go on. The number of packs in memory is bounded.
 *
 * Layer: engine. Thread-safety: stay_packer_add() from any thread; the rest from one.
 */
#pragma once

#include "engine/progress.h"
#include "store/repository.h"

struct stay_packer;

enum { STAY_DESTINATIONS_MAX = 16 };

struct stay_packer_options {
    struct stay_repository *const *repositories; /* borrowed; at most STAY_DESTINATIONS_MAX */
    size_t n;
    size_t packs_in_memory; /* at least 3 */
    struct stay_progress *progress;
};

STAY_CHECKED int stay_packer_new(struct stay_packer **out,
                                 const struct stay_packer_options *options, struct stay_err *err);
void stay_packer_free(struct stay_packer *packer);
STAY_DEFINE_AUTO(struct stay_packer, stay_packer_free)

/** Adds a stored frame for the destinations in @mask; takes over @info's chunk list. */
void stay_packer_add(struct stay_packer *packer, uint32_t mask, struct stay_frame_info *info,
                     const void *data, struct stay_digest *digest);

/** The destinations that have not failed. */
uint32_t stay_packer_alive(const struct stay_packer *packer);

/** Stores what is begun, then the index objects; afterwards all of it is durable. */
void stay_packer_finish(struct stay_packer *packer, struct stay_digest *digest);

/** Why destination @i was left out; NULL: it was not. */
const struct stay_err *stay_packer_error(const struct stay_packer *packer, size_t i);

/** The packs that were stored on destination @i, and the index objects. After finish. */
const struct stay_pack *const *stay_packer_packs(const struct stay_packer *packer, size_t i,
                                                 size_t *n);
const struct stay_id *stay_packer_objects(const struct stay_packer *packer, size_t i, size_t *n);

/** Bytes of packs that were stored on destination @i. */
uint64_t stay_packer_stored(const struct stay_packer *packer, size_t i);
