/* src/engine/references.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * references: which packs and frames a snapshot names: those that hold its chunks, and whatever
 * these are built on.
 *
 * Layer: engine. Thread-safety: no state.
 */
#pragma once

#include "store/index.h"
#include "store/snapshot.h"

/** Adds to @used (one byte for each frame of @index) the frames that used ones are built on. */
void stay_references_close(const struct stay_index *index, unsigned char *used);

/** Lists the frames marked in @used, and what they are built on, in @snapshot. */
void stay_references_add(struct stay_snapshot *snapshot, const struct stay_index *index,
                         unsigned char *used);
