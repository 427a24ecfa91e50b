/* src/engine/cutter.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * cutter: one stream of content, cut into chunks and handed to the pipeline.
 *
 * Layer: engine. Thread-safety: one object belongs to one thread at a time.
 */
#pragma once

#include "engine/pipeline.h"

/** The pieces of one stream. */
struct stay_pieces {
    struct stay_id *ids;
    uint32_t *bytes;
    size_t n;
    size_t cap;
    uint64_t total;
};

void stay_pieces_free(struct stay_pieces *pieces);

struct stay_cutter;

/** A stream whose frames hold about @frame_bytes. */
struct stay_cutter *stay_cutter_new(struct stay_pipeline *pipeline, size_t frame_bytes);

/** Gives the builder back and releases the cutter. NULL is allowed. */
void stay_cutter_free(struct stay_cutter *cutter);
STAY_DEFINE_AUTO(struct stay_cutter, stay_cutter_free)

/** Appends to the stream. @return 0, or -1: the pipeline has stopped. */
STAY_CHECKED int stay_cutter_write(struct stay_cutter *cutter, const void *data, size_t len);

/** Cuts what is left. @return 0 or -1, as above. */
STAY_CHECKED int stay_cutter_end(struct stay_cutter *cutter);

/** The whole content at once, without copying; nothing else is written before or after. */
STAY_CHECKED int stay_cutter_whole(struct stay_cutter *cutter, const void *data, size_t len);

/** What was cut so far; borrowed. */
const struct stay_pieces *stay_cutter_pieces(const struct stay_cutter *cutter);

/** Begins another stream with the same memory. */
void stay_cutter_reset(struct stay_cutter *cutter);
