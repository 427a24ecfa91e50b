/* src/engine/idset.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * idset: the chunks that a run has met, 32 bytes each, in shards so that threads rarely meet.
 *
 * Layer: engine. Thread-safety: any thread.
 */
#pragma once

#include "codec/digest.h"

struct stay_idset;

struct stay_idset *stay_idset_new(void);
void stay_idset_free(struct stay_idset *set);
STAY_DEFINE_AUTO(struct stay_idset, stay_idset_free)

/** Adds @id. @return whether it was not there before. */
bool stay_idset_add(struct stay_idset *set, const struct stay_id *id);

bool stay_idset_has(struct stay_idset *set, const struct stay_id *id);
