/* src/engine/idset.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing over the ids themselves: they are hashes already. An id of zeros marks a free
 * slot; the content that hashes to it is not known to anybody.
 */
#include "engine/idset.h"

#include <pthread.h>
#include <string.h>

enum { SHARDS = 64, FIRST_CAP = 256 };

struct shard {
    pthread_mutex_t mutex;
    struct stay_id *slots;
    size_t cap; /* a power of two */
    size_t n;
};

struct stay_idset {
    struct shard shards[SHARDS];
};

struct stay_idset *stay_idset_new(void)
{
    struct stay_idset *set = stay_new(struct stay_idset);

    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&set->shards[i].mutex, NULL);
        set->shards[i].cap = FIRST_CAP;
        set->shards[i].slots = stay_calloc(FIRST_CAP, sizeof(struct stay_id));
    }
    return set;
}

void stay_idset_free(struct stay_idset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_destroy(&set->shards[i].mutex);
        free(set->shards[i].slots);
    }
    free(set);
}

static struct stay_id *find(struct stay_id *slots, size_t cap, const struct stay_id *id)
{
    static const struct stay_id none;
    uint64_t hash;

    memcpy(&hash, id->bytes + 8, sizeof hash);
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1))
        if (stay_id_equal(&slots[i], id) || stay_id_equal(&slots[i], &none))
            return &slots[i];
}

static void grow(struct shard *shard)
{
    static const struct stay_id none;
    size_t cap = shard->cap * 2;
    struct stay_id *slots = stay_calloc(cap, sizeof *slots);

    for (size_t i = 0; i < shard->cap; i++)
        if (!stay_id_equal(&shard->slots[i], &none))
            *find(slots, cap, &shard->slots[i]) = shard->slots[i];
    free(shard->slots);
    shard->slots = slots;
    shard->cap = cap;
}

bool stay_idset_add(struct stay_idset *set, const struct stay_id *id)
{
    struct shard *shard = &set->shards[id->bytes[0] % SHARDS];

    (void)pthread_mutex_lock(&shard->mutex);
    struct stay_id *slot = find(shard->slots, shard->cap, id);
    bool fresh = !stay_id_equal(slot, id);
    if (fresh) {
        *slot = *id;
        shard->n++;
        if (4 * shard->n > 3 * shard->cap)
            grow(shard);
    }
    (void)pthread_mutex_unlock(&shard->mutex);
    return fresh;
}

bool stay_idset_has(struct stay_idset *set, const struct stay_id *id)
{
    struct shard *shard = &set->shards[id->bytes[0] % SHARDS];

    (void)pthread_mutex_lock(&shard->mutex);
    bool has = stay_id_equal(find(shard->slots, shard->cap, id), id);
    (void)pthread_mutex_unlock(&shard->mutex);
    return has;
}
