/* src/store/frame.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * frame: a group of chunks that are compressed together: a tar of files named by the SHA-256 of
 * their content.
 *
 * Layer: store. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "codec/compress.h"
#include "codec/digest.h"
#include "codec/ustar.h"

enum {
    STAY_FRAME_BYTES = 1024 * 1024,        /* of content, about */
    STAY_FRAME_META_BYTES = 256 * 1024,    /* of manifests, facts and notes */
    STAY_FRAME_RAW_MAX = 64 * 1024 * 1024, /* more is refused when reading */
    STAY_FRAME_NAME_MAX = 16
};

/** How a frame is stored. Its number appears in no file; its name does. */
enum stay_codec { STAY_CODEC_RAW = 0, STAY_CODEC_ZSTD = 1, STAY_CODECS };

/** A chunk inside of a frame: @offset is where its content begins in the frame's tar. */
struct stay_frame_chunk {
    struct stay_id id;
    uint32_t bytes;
    uint32_t offset;
};

/** A frame whose content another one is compressed against: member @number of a pack. */
struct stay_frame_base {
    struct stay_id pack;
    uint32_t number;
};

/** What index and snapshot say about a frame. */
struct stay_frame_info {
    uint64_t offset; /* of the stored frame in its pack */
    uint32_t stored; /* bytes in the pack */
    uint32_t raw;    /* bytes of the tar */
    enum stay_codec codec;
    STAY_VEC(struct stay_frame_chunk) chunks;
    STAY_VEC(struct stay_frame_base) bases; /* none, for all frames that this version writes */
};

void stay_frame_info_free(struct stay_frame_info *info);

/** A frame being filled. Zero-initialise; release with stay_frame_free(). */
struct stay_frame {
    struct stay_buf tar;
    struct stay_frame_info info;
};

/** Empties it for another use, keeping the memory of the tar. */
void stay_frame_reset(struct stay_frame *frame);
void stay_frame_free(struct stay_frame *frame);

/** How long the tar would be with one more chunk and its end. */
size_t stay_frame_with(const struct stay_frame *frame, size_t chunk_bytes);

/** Appends a chunk. */
void stay_frame_add(struct stay_frame *frame, const struct stay_id *id, const void *data,
                    size_t len);

/** Writes the end of the tar and sets info.raw. */
void stay_frame_close(struct stay_frame *frame);

/**
 * Encodes the closed frame. @dense: its content looks incompressible, so only a probe decides.
 *
 * @scratch   memory of the caller's for the compressed form.
 * @out, @len what to store; points into @scratch or into the frame.
 */
STAY_CHECKED int stay_frame_encode(struct stay_frame *frame, struct stay_compressor *compressor,
                                   bool dense, struct stay_buf *scratch, const void **out,
                                   size_t *len, struct stay_err *err);

/**
 * Decodes a stored frame.
 *
 * @out the tar; points into @data (RAW) or into @scratch.
 * @return 0, or -1 with kind CORRUPT; CONFIG for a frame that is built on others.
 */
STAY_CHECKED int stay_frame_decode(struct stay_compressor *compressor,
                                   const struct stay_frame_info *info, const void *data,
                                   struct stay_buf *scratch, const char **out,
                                   struct stay_err *err);

/** Reads the chunk list from a decoded tar into info->chunks; checks structure, not content. */
STAY_CHECKED int stay_frame_read_chunks(struct stay_frame_info *info, const char *tar,
                                        struct stay_err *err);

/** "000012.tar.zst": the name of member @number in its pack. @return @out. */
char *stay_frame_name(char out[static STAY_FRAME_NAME_MAX], unsigned number, enum stay_codec codec);

const char *stay_codec_name(enum stay_codec codec);

/** @return 0, or -1 when this version does not know the codec. */
STAY_CHECKED int stay_codec_parse(const char *name, enum stay_codec *out);
