/* src/store/frame_doc.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * frame_doc: how index objects and snapshots describe a frame in JSON.
 *
 * Layer: store. Thread-safety: no state.
 */
#pragma once

#include "store/doc.h"
#include "store/frame.h"

/** Bases as a list of {"pack", "number"}. */
json_t *stay_frame_doc_bases(const struct stay_frame_base *bases, size_t n);

/**
 * Reads "codec" and "bases".
 * @return 0, or -1: kind CORRUPT, also for a codec that this version does not know.
 */
STAY_CHECKED int stay_frame_doc_codec(struct stay_frame_info *out, const json_t *object,
                                      struct stay_err *err);

/** Reads these and "offset", "stored", "raw" of a frame in a pack of @pack_bytes. */
STAY_CHECKED int stay_frame_doc_place(struct stay_frame_info *out, const json_t *object,
                                      uint64_t pack_bytes, struct stay_err *err);
