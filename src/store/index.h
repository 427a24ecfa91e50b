/* src/store/index.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * index: which chunk is in which frame of which pack. In memory, or mapped from the local cache, 44
 * bytes a chunk, sorted by id.
 *
 * Layer: store. Thread-safety: once sorted, any thread may find and mark; building is for one.
 */
#pragma once

#include "store/pack.h"

struct stay_index_pack {
    struct stay_id id;
    uint64_t bytes;
    uint32_t first_frame; /* its frames stand together, in their order */
    uint32_t n_frames;
};

struct stay_index_frame {
    uint64_t offset;
    uint32_t pack;
    uint32_t number; /* of the member in its pack */
    uint32_t stored;
    uint32_t raw;
    uint32_t codec;
    uint32_t n_bases;
    uint32_t first_base;
    uint32_t reserved;
};

struct stay_index_chunk {
    struct stay_id id;
    uint32_t frame;
    uint32_t bytes;
    uint32_t offset; /* of the content in the frame's tar */
};

struct stay_index;

struct stay_index *stay_index_new(void);
void stay_index_free(struct stay_index *index);
STAY_DEFINE_AUTO(struct stay_index, stay_index_free)

/** Adds a pack with its frames and chunks. One that is known already only counts as existing. */
void stay_index_add(struct stay_index *index, const struct stay_pack *pack);

/**
 * Adds the content of one index object (compressed JSON lines).
 * @return 0, or -1 with kind CORRUPT; then nothing of it was added.
 */
STAY_CHECKED int stay_index_decode(struct stay_index *index, const void *data, size_t len,
                                   struct stay_err *err);

/** Writes an index object for @n packs into @out. */
STAY_CHECKED int stay_index_encode(struct stay_buf *out, const struct stay_pack *const *packs,
                                   size_t n, struct stay_err *err);

/** Makes what was added since the last call findable. */
void stay_index_sort(struct stay_index *index);

/**
 * Says which packs exist (ids sorted): chunks in others are not found any more.
 *
 * @return how many packs of the index are missing.
 */
size_t stay_index_keep(struct stay_index *index, const struct stay_id *packs, size_t n);

/** The place of a chunk in a pack that exists, or NULL. */
const struct stay_index_chunk *stay_index_find(const struct stay_index *index,
                                               const struct stay_id *id);

/** All places of a chunk, also in packs that do not exist. @return the first of *@n in a row. */
const struct stay_index_chunk *stay_index_copies(const struct stay_index *index,
                                                 const struct stay_id *id, size_t *n);

/** As stay_index_find(); else a place in a pack that should exist: parts of it may be readable. */
const struct stay_index_chunk *stay_index_find_any(const struct stay_index *index,
                                                   const struct stay_id *id);

/** The number of a pack, or -1. */
int64_t stay_index_find_pack(const struct stay_index *index, const struct stay_id *id);

/* The tables, for walking. Chunks are sorted by id after stay_index_sort(). */
const struct stay_index_pack *stay_index_packs(const struct stay_index *index, size_t *n);
const struct stay_index_frame *stay_index_frames(const struct stay_index *index, size_t *n);
const struct stay_index_chunk *stay_index_chunks(const struct stay_index *index, size_t *n);

/** The bases of a frame: none, for all frames that this version writes. */
const struct stay_frame_base *stay_index_bases(const struct stay_index *index,
                                               const struct stay_index_frame *frame, size_t *n);

/** The number in the table of frames of what a base names, or -1. */
int64_t stay_index_find_base(const struct stay_index *index, const struct stay_frame_base *base);

/** Whether a pack was in the list given to stay_index_keep() (true before that call). */
bool stay_index_has_pack(const struct stay_index *index, uint32_t pack);

/** Describes a frame in the form that decoding needs: without its chunk list, its bases borrowed.
 */
struct stay_frame_info stay_index_frame_info(const struct stay_index *index,
                                             const struct stay_index_frame *frame);

/** The same with a copy of the bases, for stay_frame_info_free(). */
struct stay_frame_info stay_index_frame_info_owned(const struct stay_index *index,
                                                   const struct stay_index_frame *frame);

/** Remembers that the tables hold all of the index object @id, for the local cache. */
void stay_index_note(struct stay_index *index, const struct stay_id *id);

/**
 * Saves the tables and the ids of the index objects that they hold to a local file, so that the
 * next run maps them instead of reading the repository. Does nothing while another run saves there.
 */
STAY_CHECKED int stay_index_save(const struct stay_index *index, const char *path,
                                 struct stay_err *err);

enum { STAY_INDEX_STALE = 1 };

/**
 * Maps a saved index, when it is sound and came from exactly @objects (sorted) or a part of them.
 *
 * @n_covered out: how many of @objects it covers; these are marked in @covered.
 * @return 0; STAY_INDEX_STALE when there is none that fits.
 */
STAY_CHECKED int stay_index_map(struct stay_index **out, const char *path,
                                const struct stay_id *objects, size_t n, bool *covered,
                                size_t *n_covered);
