/* src/codec/compress.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * compress: Zstandard frames (RFC 8878) of one buffer each, with size and content checksum.
 *
 * Layer: codec. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/base.h"

struct stay_compressor;

enum { STAY_COMPRESS_NO_GAIN = 1, STAY_COMPRESS_LEVEL = 3, STAY_COMPRESS_LEVEL_MAX = 19 };

/** @level 1 .. STAY_COMPRESS_LEVEL_MAX. */
struct stay_compressor *stay_compressor_new(int level);
void stay_compressor_free(struct stay_compressor *compressor);
STAY_DEFINE_AUTO(struct stay_compressor, stay_compressor_free)

/**
 * Compresses @data into @out (replacing its content), then decompresses that again and compares:
 * what this returns can be read back.
 *
 * @return 0; STAY_COMPRESS_NO_GAIN when less than 3% would be gained, @out is then undefined; -1
 *         when the comparison fails (kind CORRUPT: bad memory or a bad library).
 */
STAY_CHECKED int stay_compress(struct stay_compressor *compressor, const void *data, size_t len,
                               struct stay_buf *out, struct stay_err *err);

/**
 * Whether @data is worth compressing at all, judged by compressing a piece out of its middle as
 * fast as possible.
 */
bool stay_compress_worth(struct stay_compressor *compressor, const void *data, size_t len);

/**
 * Decompresses the one Zstandard frame at @data, whose content must be exactly @out_len bytes.
 *
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_decompress(struct stay_compressor *compressor, const void *data, size_t len,
                                 void *out, size_t out_len, struct stay_err *err);

/**
 * Decompresses the one Zstandard frame at @data, whose content size stands in its header.
 *
 * @limit_bytes a larger content is refused before memory is taken.
 */
STAY_CHECKED int stay_decompress_all(struct stay_compressor *compressor, const void *data,
                                     size_t len, size_t limit_bytes, struct stay_buf *out,
                                     struct stay_err *err);

/** Like stay_compress(), always (no gain asked for), for whole objects. */
STAY_CHECKED int stay_compress_all(struct stay_compressor *compressor, const void *data, size_t len,
                                   struct stay_buf *out, struct stay_err *err);

/** The content size that the Zstandard frame at @data claims. @return 0, or -1 (CORRUPT). */
STAY_CHECKED int stay_decompressed_size(const void *data, size_t len, uint64_t *out,
                                        struct stay_err *err);
