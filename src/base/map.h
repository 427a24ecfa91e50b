/* src/base/map.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * map: from byte strings to pointers, by open addressing with linear probing.
 *
 * Layer: base. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

struct stay_map;

/** A fast hash of bytes; the same on every machine of one byte order, for local files. */
uint64_t stay_map_hash(const void *key, size_t len);

/** @free_value is called for every value that is replaced or dropped; NULL to keep them. */
struct stay_map *stay_map_new(void (*free_value)(void *value));

/** Releases the map, its copies of the keys and (through free_value) its values. NULL is allowed. */
void stay_map_free(struct stay_map *map);
STAY_DEFINE_AUTO(struct stay_map, stay_map_free)

/** The value of @key, or NULL. */
void *stay_map_get(const struct stay_map *map, const void *key, size_t len);

/** Sets @key (which is copied) to @value, which must not be NULL. */
void stay_map_set(struct stay_map *map, const void *key, size_t len, void *value);

/** Removes @key. @return whether it was there. */
bool stay_map_remove(struct stay_map *map, const void *key, size_t len);

size_t stay_map_count(const struct stay_map *map);

/** Walks all pairs in no particular order: start with *@at = 0 until it returns false. */
bool stay_map_next(const struct stay_map *map, size_t *at, const void **key, size_t *len,
                   void **value);
