/* src/base/map.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Deleting shifts the following run back instead of leaving a tombstone, so a look-up never slows
 * down with age. Keys are hashed with FNV-1a over 8 bytes at a time: the keys are our own (paths,
 * inodes), and a hostile one costs time, not correctness.
 */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

struct slot {
    void *key; /* NULL: free */
    size_t len;
    uint64_t hash;
    void *value;
};

struct stay_map {
    struct slot *slots;
    size_t cap; /* a power of two */
    size_t n;
    void (*free_value)(void *);
};

uint64_t stay_map_hash(const void *key, size_t len)
{
    const unsigned char *bytes = key;
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ len;

    while (len >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
        bytes += 8;
        len -= 8;
    }
    while (len--)
        hash = (hash ^ *bytes++) * UINT64_C(0x100000001b3);
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

struct stay_map *stay_map_new(void (*free_value)(void *value))
{
    struct stay_map *map = stay_new(struct stay_map);

    map->cap = 16;
    map->slots = stay_calloc(map->cap, sizeof *map->slots);
    map->free_value = free_value;
    return map;
}

void stay_map_free(struct stay_map *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->cap; i++) {
        if (map->slots[i].key && map->free_value)
            map->free_value(map->slots[i].value);
        free(map->slots[i].key);
    }
    free(map->slots);
    free(map);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct slot *find(const struct stay_map *map, const void *key, size_t len, uint64_t hash)
{
    size_t i = hash & (map->cap - 1);

    for (;;) {
        struct slot *slot = &map->slots[i];
        if (slot->key == NULL)
            return slot;
        if (slot->hash == hash && slot->len == len && memcmp(slot->key, key, len) == 0)
            return slot;
        i = (i + 1) & (map->cap - 1);
    }
}

void *stay_map_get(const struct stay_map *map, const void *key, size_t len)
{
    return find(map, key, len, stay_map_hash(key, len))->value;
}

static void grow(struct stay_map *map)
{
    struct slot *old = map->slots;
    size_t old_cap = map->cap;

    map->cap *= 2;
    map->slots = stay_calloc(map->cap, sizeof *map->slots);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].key)
            *find(map, old[i].key, old[i].len, old[i].hash) = old[i];
    free(old);
}

void stay_map_set(struct stay_map *map, const void *key, size_t len, void *value)
{
    uint64_t hash = stay_map_hash(key, len);
    struct slot *slot = find(map, key, len, hash);

    if (slot->key) {
        if (map->free_value && slot->value != value)
            map->free_value(slot->value);
        slot->value = value;
        return;
    }
    if (4 * (map->n + 1) > 3 * map->cap) {
        grow(map);
        slot = find(map, key, len, hash);
    }
    *slot = (struct slot){stay_memdup(key, len), len, hash, value};
    map->n++;
}

/* Moves later members of the probe run into the hole, unless they already sit at or after home. */
static void close_hole(struct stay_map *map, size_t hole)
{
    size_t mask = map->cap - 1;

    for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct slot){0};
}

bool stay_map_remove(struct stay_map *map, const void *key, size_t len)
{
    struct slot *slot = find(map, key, len, stay_map_hash(key, len));

    if (slot->key == NULL)
        return false;
    if (map->free_value)
        map->free_value(slot->value);
    free(slot->key);
    close_hole(map, (size_t)(slot - map->slots));
    map->n--;
    return true;
}

size_t stay_map_count(const struct stay_map *map)
{
    return map->n;
}

bool stay_map_next(const struct stay_map *map, size_t *at, const void **key, size_t *len,
                   void **value)
{
    while (*at < map->cap && map->slots[*at].key == NULL)
        (*at)++;
    if (*at == map->cap)
        return false;
    const struct slot *slot = &map->slots[(*at)++];
    *key = slot->key;
    *len = slot->len;
    *value = slot->value;
    return true;
}
