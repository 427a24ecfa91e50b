/* src/codec/chunker.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * chunker: keyed content-defined chunking.
 *
 * A gear rolling hash with two masks around the wanted mean, as in Xia et al., "FastCDC: a Fast and
 * Efficient Content-Defined Chunking Approach for Data Deduplication" (USENIX ATC 2016). The gear
 * table derives from a secret key of the repository, so that chunk sizes tell an onlooker nothing
 * about known files.
 *
 * Each chunk begins with a look at its first 4 KiB: bytes that are spread evenly (photos, video,
 * archives) will not compress, and change as a whole if at all. They are cut into large chunks and
 * marked dense. The decision depends on the content after the cut alone, so it moves with the
 * content as the cuts do.
 *
 * Layer: codec. Thread-safety: a chunker is constant once made; any thread may use it.
 */
#pragma once

#include "base/base.h"

enum {
    STAY_CHUNKER_KEY_BYTES = 32,
    STAY_CHUNK_MAX = 4 * 1024 * 1024 /* bytes; a reader's buffer is as large */
};

/** Sizes of one class of chunks in bytes; @mean is a power of two, @max 4 KiB .. STAY_CHUNK_MAX. */
struct stay_chunk_sizes {
    uint32_t min;
    uint32_t mean;
    uint32_t max;
};

/** What is recorded in a repository, so that every later backup cuts at the same places. */
struct stay_chunker_params {
    unsigned char key[STAY_CHUNKER_KEY_BYTES];
    struct stay_chunk_sizes plain;
    struct stay_chunk_sizes dense;
};

struct stay_chunker;

/** The sizes for new repositories, and a new random key. */
void stay_chunker_defaults(struct stay_chunker_params *out);

/** Whether the sizes are ones that the chunker and its buffers can work with. */
bool stay_chunker_valid(const struct stay_chunker_params *params);

/** @params must be valid. */
struct stay_chunker *stay_chunker_new(const struct stay_chunker_params *params);
void stay_chunker_free(struct stay_chunker *chunker);
STAY_DEFINE_AUTO(struct stay_chunker, stay_chunker_free)

/** The largest chunk of either class: a buffer of this size always yields one. */
size_t stay_chunker_max(const struct stay_chunker *chunker);

/**
 * Finds the first chunk of @data.
 *
 * @last   nothing comes after @data.
 * @dense  out: whether the chunk's content looks incompressible.
 * @return its length; 0 when more data is needed (never with @last, unless @len is 0, and never
 *         when @len is at least stay_chunker_max()).
 */
size_t stay_chunker_cut(const struct stay_chunker *chunker, const void *data, size_t len, bool last,
                        bool *dense);
