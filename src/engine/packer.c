/* src/engine/packer.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Order of writes: a pack's chunks enter an index object only after the pack is durable; a snapshot
 * is somebody else's work, after stay_packer_finish().
 */
#include "engine/packer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    UPLOADS = 2,          /* at once, for each destination */
    PACKS_PER_INDEX = 64, /* an index object now and then, so that a long run can be resumed */
    CHUNKS_PER_INDEX = 1 << 17, /* and so that writing one takes little memory */
    PACK_ROOM = STAY_PACK_BYTES + 4 * STAY_FRAME_BYTES
};

/* A closed pack on its way. Its bytes go when the last destination has it; the rest stays. */
struct parcel {
    struct stay_pack pack;
    atomic_uint waiting;
};

struct target {
    struct stay_packer *packer;
    struct stay_repository *repository;
    struct stay_pool *uploads;
    size_t number;
    pthread_mutex_t mutex;              /* guards what follows */
    STAY_VEC(struct stay_pack *) packs; /* durable */
    size_t indexed;                     /* of these, how many are in index objects */
    size_t chunks;                      /* in the others */
    STAY_VEC(struct stay_id) objects;
    uint64_t stored;
    struct stay_err error;
};

struct open_pack {
    uint32_t mask;
    struct parcel *parcel;
};

struct stay_packer {
    struct stay_progress *progress;
    size_t n;
    atomic_uint alive;
    pthread_mutex_t mutex; /* guards open and parcels */
    STAY_VEC(struct open_pack) open;
    STAY_VEC(struct parcel *) parcels;
    pthread_mutex_t room_mutex; /* guards in_memory and spare */
    pthread_cond_t room;
    size_t in_memory;
    size_t in_memory_max;
    STAY_VEC(struct stay_buf) spare;
    struct target targets[];
};

/* ---- room for packs in memory */

static void take_room(struct stay_packer *packer, struct stay_buf *tar)
{
    (void)pthread_mutex_lock(&packer->room_mutex);
    while (packer->in_memory == packer->in_memory_max)
        (void)pthread_cond_wait(&packer->room, &packer->room_mutex);
    packer->in_memory++;
    if (packer->spare.n)
        *tar = packer->spare.items[--packer->spare.n];
    (void)pthread_mutex_unlock(&packer->room_mutex);
    stay_buf_clear(tar);
    (void)stay_buf_reserve(tar, PACK_ROOM);
}

static void give_room(struct stay_packer *packer, struct stay_buf *tar)
{
    (void)pthread_mutex_lock(&packer->room_mutex);
    packer->in_memory--;
    *stay_vec_push(&packer->spare) = *tar;
    *tar = (struct stay_buf){0};
    (void)pthread_cond_signal(&packer->room);
    (void)pthread_mutex_unlock(&packer->room_mutex);
}

/* ---- uploads */

static void fail_target(struct target *target, const struct stay_err *why)
{
    (void)pthread_mutex_lock(&target->mutex);
    if (target->error.kind == STAY_ERR_NONE)
        target->error = *why;
    (void)pthread_mutex_unlock(&target->mutex);
    atomic_fetch_and(&target->packer->alive, ~(1u << target->number));
}

/* Stores an index object for the packs that have none yet. The target's mutex is held. */
static int write_index(struct target *target, struct stay_err *err)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf object = {0};
    size_t n = target->packs.n - target->indexed;
    struct stay_id id;
    char hex[STAY_ID_HEX + 1];

    if (n == 0)
        return 0;
    if (stay_index_encode(&object,
                          (const struct stay_pack *const *)target->packs.items + target->indexed, n,
                          err) < 0)
        return -1;
    stay_digest_of(digest, object.data, object.len, &id);
    stay_auto_str char *name = stay_strf("index/%s", stay_id_hex(hex, &id));
    if (stay_dest_put(target->repository->dest, name, object.data, object.len, err) < 0)
        return -1;
    *stay_vec_push(&target->objects) = id;
    target->indexed = target->packs.n;
    target->chunks = 0;
    return 0;
}

static int upload(struct target *target, struct parcel *parcel, struct stay_err *err)
{
    char name[STAY_PACK_NAME_MAX];
    struct stay_pack *pack = &parcel->pack;

    if (stay_dest_put(target->repository->dest, stay_pack_name(name, &pack->id), pack->tar.data,
                      pack->tar.len, err) < 0)
        return -1;
    (void)pthread_mutex_lock(&target->mutex);
    *stay_vec_push(&target->packs) = pack;
    target->stored += pack->bytes;
    for (size_t i = 0; i < pack->frames.n; i++)
        target->chunks += pack->frames.items[i].chunks.n;
    int rc = 0;
    if (target->packs.n - target->indexed >= PACKS_PER_INDEX || target->chunks >= CHUNKS_PER_INDEX)
        rc = write_index(target, err);
    (void)pthread_mutex_unlock(&target->mutex);
    return rc;
}

static int upload_item(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct target *target = ctx;
    struct parcel *parcel = item;
    struct stay_packer *packer = target->packer;
    int rc = 0;

    (void)worker;
    if (!failed && (atomic_load(&packer->alive) & 1u << target->number)) {
        rc = upload(target, parcel, err);
        if (rc < 0)
            fail_target(target, err);
        else if (packer->progress)
            stay_progress_add(&packer->progress->bytes_stored, parcel->pack.bytes);
    }
    if (atomic_fetch_sub(&parcel->waiting, 1) == 1)
        give_room(packer, &parcel->pack.tar);
    return rc;
}

/* ---- packs */

static void send(struct stay_packer *packer, const struct open_pack *open,
                 struct stay_digest *digest)
{
    struct parcel *parcel = open->parcel;
    unsigned n = (unsigned)__builtin_popcount(open->mask);

    stay_pack_close(&parcel->pack, digest);
    atomic_store(&parcel->waiting, n);
    for (size_t i = 0; i < packer->n; i++)
        if (open->mask & 1u << i)
            stay_pool_submit(packer->targets[i].uploads, parcel);
}

/* Takes out the fullest pack when as many are open as may be in memory beside one on its way. */
static bool crowded(struct stay_packer *packer, struct open_pack *out)
{
    size_t fullest = 0;

    if (packer->open.n + 1 < packer->in_memory_max)
        return false;
    for (size_t i = 1; i < packer->open.n; i++)
        if (packer->open.items[i].parcel->pack.tar.len >
            packer->open.items[fullest].parcel->pack.tar.len)
            fullest = i;
    *out = packer->open.items[fullest];
    packer->open.items[fullest] = packer->open.items[--packer->open.n];
    return true;
}

static struct open_pack *open_for(struct stay_packer *packer, uint32_t mask,
                                  struct stay_digest *digest)
{
    struct open_pack evicted;

    for (size_t i = 0; i < packer->open.n; i++)
        if (packer->open.items[i].mask == mask)
            return &packer->open.items[i];
    if (crowded(packer, &evicted))
        send(packer, &evicted, digest);
    struct parcel *parcel = stay_new(struct parcel);
    take_room(packer, &parcel->pack.tar);
    *stay_vec_push(&packer->parcels) = parcel;
    struct open_pack *open = stay_vec_push(&packer->open);
    *open = (struct open_pack){mask, parcel};
    return open;
}

void stay_packer_add(struct stay_packer *packer, uint32_t mask, struct stay_frame_info *info,
                     const void *data, struct stay_digest *digest)
{
    struct open_pack full = {0};

    (void)pthread_mutex_lock(&packer->mutex);
    struct open_pack *open = open_for(packer, mask, digest);
    stay_pack_add(&open->parcel->pack, info, data);
    if (open->parcel->pack.tar.len >= STAY_PACK_BYTES) {
        full = *open;
        *open = packer->open.items[--packer->open.n];
    }
    (void)pthread_mutex_unlock(&packer->mutex);
    if (full.parcel)
        send(packer, &full, digest);
}

/* ---- life */

int stay_packer_new(struct stay_packer **out, const struct stay_packer_options *options,
                    struct stay_err *err)
{
    stay_auto(stay_packer_free) struct stay_packer *packer =
        stay_calloc(1, sizeof *packer + options->n * sizeof packer->targets[0]);

    (void)pthread_mutex_init(&packer->mutex, NULL);
    (void)pthread_mutex_init(&packer->room_mutex, NULL);
    (void)pthread_cond_init(&packer->room, NULL);
    packer->progress = options->progress;
    packer->in_memory_max = STAY_MAX(options->packs_in_memory, (size_t)3);
    for (size_t i = 0; i < options->n; i++) {
        struct target *target = &packer->targets[i];
        target->packer = packer;
        target->repository = options->repositories[i];
        target->number = i;
        (void)pthread_mutex_init(&target->mutex, NULL);
        packer->n++;
        if (stay_pool_new(&target->uploads, UPLOADS, packer->in_memory_max, upload_item, target,
                          err) < 0)
            return -1;
    }
    atomic_store(&packer->alive, (1u << options->n) - 1);
    *out = stay_steal(&packer);
    return 0;
}

static void drop_spare(struct stay_packer *packer)
{
    for (size_t i = 0; i < packer->spare.n; i++)
        stay_buf_free(&packer->spare.items[i]);
    stay_vec_free(&packer->spare);
}

void stay_packer_free(struct stay_packer *packer)
{
    if (packer == NULL)
        return;
    for (size_t i = 0; i < packer->n; i++) {
        stay_pool_free(packer->targets[i].uploads);
        stay_vec_free(&packer->targets[i].packs);
        stay_vec_free(&packer->targets[i].objects);
        (void)pthread_mutex_destroy(&packer->targets[i].mutex);
    }
    for (size_t i = 0; i < packer->parcels.n; i++) {
        stay_pack_free(&packer->parcels.items[i]->pack);
        free(packer->parcels.items[i]);
    }
    drop_spare(packer);
    stay_vec_free(&packer->parcels);
    stay_vec_free(&packer->open);
    (void)pthread_cond_destroy(&packer->room);
    (void)pthread_mutex_destroy(&packer->room_mutex);
    (void)pthread_mutex_destroy(&packer->mutex);
    free(packer);
}

uint32_t stay_packer_alive(const struct stay_packer *packer)
{
    return atomic_load(&packer->alive);
}

void stay_packer_finish(struct stay_packer *packer, struct stay_digest *digest)
{
    for (size_t i = 0; i < packer->open.n; i++)
        send(packer, &packer->open.items[i], digest);
    packer->open.n = 0;
    for (size_t i = 0; i < packer->n; i++) {
        struct target *target = &packer->targets[i];
        struct stay_err err = {0};
        (void)!stay_pool_finish(target->uploads, &err);
        (void)pthread_mutex_lock(&target->mutex);
        bool failed = target->error.kind != STAY_ERR_NONE;
        err = (struct stay_err){0};
        int rc = failed ? 0 : write_index(target, &err);
        (void)pthread_mutex_unlock(&target->mutex);
        if (rc < 0)
            fail_target(target, &err);
    }
    drop_spare(packer);
}

const struct stay_err *stay_packer_error(const struct stay_packer *packer, size_t i)
{
    const struct stay_err *error = &packer->targets[i].error;

    return error->kind == STAY_ERR_NONE ? NULL : error;
}

const struct stay_pack *const *stay_packer_packs(const struct stay_packer *packer, size_t i,
                                                 size_t *n)
{
    *n = packer->targets[i].packs.n;
    return (const struct stay_pack *const *)packer->targets[i].packs.items;
}

const struct stay_id *stay_packer_objects(const struct stay_packer *packer, size_t i, size_t *n)
{
    *n = packer->targets[i].objects.n;
    return packer->targets[i].objects.items;
}

uint64_t stay_packer_stored(const struct stay_packer *packer, size_t i)
{
    return packer->targets[i].stored;
}
