/* src/store/index_private.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the index module share: its tables.
 *
 * Layer: store, for index*.c only.
 */
#pragma once

#include "store/index.h"

struct stay_index {
    STAY_VEC(struct stay_index_pack) packs;
    STAY_VEC(struct stay_index_frame) frames;
    STAY_VEC(struct stay_index_chunk) chunks;
    STAY_VEC(struct stay_frame_base) bases;
    STAY_VEC(struct stay_id) objects; /* index objects that the tables hold */
    size_t n_sorted;                  /* chunks before this one are sorted */
    struct stay_map *pack_numbers;    /* id -> number + 1 */
    bool *absent;                     /* per pack, for the first n_absent_known */
    size_t n_absent_known;
    void *mapping; /* not NULL: the tables lie in it and must not be written or freed */
    size_t mapped_bytes;
};
