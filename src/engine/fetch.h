/* src/engine/fetch.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fetch: frames out of a repository, decoded, with every chunk's hash compared before it is used.
 *
 * Layer: engine. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "store/repository.h"

struct stay_fetch;

struct stay_fetch *stay_fetch_new(struct stay_dest *dest);
void stay_fetch_free(struct stay_fetch *fetch);
STAY_DEFINE_AUTO(struct stay_fetch, stay_fetch_free)

/**
 * Reads @len bytes at @offset of a pack, to be decoded by stay_fetch_decode(). Frames that lie
 * beside each other are read at once this way.
 */
STAY_CHECKED int stay_fetch_range(struct stay_fetch *fetch, const struct stay_id *pack,
                                  uint64_t offset, size_t len, struct stay_err *err);

/**
 * Decodes a frame that lies in the range read last.
 *
 * @tar out: valid until the next call.
 */
STAY_CHECKED int stay_fetch_decode(struct stay_fetch *fetch, const struct stay_frame_info *info,
                                   const char **tar, struct stay_err *err);

/** Reads and decodes one frame; nothing is read when it is the one from the last call. */
STAY_CHECKED int stay_fetch_frame(struct stay_fetch *fetch, const struct stay_id *pack,
                                  const struct stay_frame_info *info, const char **tar,
                                  struct stay_err *err);

/** Whether @len bytes at @offset of a decoded frame are the chunk @id. @return 0, or -1 (CORRUPT).
 */
STAY_CHECKED int stay_fetch_verify(struct stay_fetch *fetch, const char *tar, uint32_t offset,
                                   uint32_t len, const struct stay_id *id, struct stay_err *err);
