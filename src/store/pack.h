/* src/store/pack.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * pack: an object of many frames: a tar whose members are the stored frames, named by the SHA-256
 * of its bytes.
 *
 * Layer: store. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "store/frame.h"

enum {
    STAY_PACK_BYTES = 16 * 1024 * 1024, /* about */
    STAY_PACK_MAX = 256 * 1024 * 1024,  /* more is refused when reading */
    STAY_PACK_FRAMES_MAX = 999999,
    STAY_PACK_NAME_MAX = 80
};

/** A pack being filled, or what is known of one. Zero-initialise; release with stay_pack_free(). */
struct stay_pack {
    struct stay_id id; /* once closed */
    uint64_t bytes;    /* once closed */
    struct stay_buf tar;
    STAY_VEC(struct stay_frame_info) frames;
};

void stay_pack_free(struct stay_pack *pack);

/** Appends a stored frame of @info->stored bytes; takes over @info's chunk list. */
void stay_pack_add(struct stay_pack *pack, struct stay_frame_info *info, const void *data);

/** Writes the end of the tar and computes the name. */
void stay_pack_close(struct stay_pack *pack, struct stay_digest *digest);

/** "packs/ab/abcd….tar": the object's name. @return @out. */
char *stay_pack_name(char out[static STAY_PACK_NAME_MAX], const struct stay_id *id);

/** The id in an object's name. @return 0, or -1 when it is no pack's name. */
STAY_CHECKED int stay_pack_parse_name(struct stay_id *out, const char *name);

/**
 * Reads the frames' places and codecs out of a pack in memory (their raw sizes and chunks stay
 * unknown: 0 and none).
 *
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_pack_parse(struct stay_pack *out, const void *data, size_t len,
                                 struct stay_err *err);
