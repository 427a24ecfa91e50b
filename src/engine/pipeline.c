/* src/engine/pipeline.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/pipeline.h"

#include "engine/idset.h"
#include "engine/references.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* A frame on its way to the workers. */
struct job {
    struct stay_frame frame;
    uint32_t mask;
    bool dense;
};

struct stay_builder {
    struct stay_digest *digest;
    struct stay_buf buffer;
    size_t frame_bytes;
    STAY_VEC(struct job *) open; /* one for each mask and density that was met */
};

struct worker {
    struct stay_compressor *compressor;
    struct stay_digest *digest;
    struct stay_buf scratch;
};

struct place {
    struct stay_index *index;
    atomic_uchar *used; /* per frame that the index had at the beginning */
    size_t n_frames;
};

struct stay_pipeline {
    struct stay_chunker *chunker;
    struct stay_packer *packer;
    struct stay_pool *pool;
    struct stay_idset *fresh; /* chunks that this run has taken charge of */
    const struct stay_cancel *cancel;
    _Atomic uint64_t new_bytes;
    pthread_mutex_t mutex;                    /* guards what follows */
    STAY_VEC(struct stay_builder *) builders; /* idle; the last one given back on top */
    STAY_VEC(struct job *) spare;
    unsigned n_workers;
    struct worker *workers;
    size_t n;
    struct place places[];
};

enum { MIB = 1024 * 1024, FIXED_BYTES = 48 * MIB, PACKS_MOST = 4 };

/* ---- workers */

static int encode_job(void *ctx, void *item, unsigned number, bool failed, struct stay_err *err)
{
    struct stay_pipeline *pipeline = ctx;
    struct worker *worker = &pipeline->workers[number];
    struct job *job = item;
    const void *data;
    size_t len;
    int rc = 0;

    if (!failed) {
        rc = stay_frame_encode(&job->frame, worker->compressor, job->dense, &worker->scratch, &data,
                               &len, err);
        if (rc == 0)
            stay_packer_add(pipeline->packer, job->mask, &job->frame.info, data, worker->digest);
    }
    stay_frame_reset(&job->frame);
    (void)pthread_mutex_lock(&pipeline->mutex);
    *stay_vec_push(&pipeline->spare) = job;
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return rc;
}

/* ---- builders */

struct stay_builder *stay_pipeline_take(struct stay_pipeline *pipeline, size_t frame_bytes)
{
    struct stay_builder *builder = NULL;

    (void)pthread_mutex_lock(&pipeline->mutex);
    for (size_t i = pipeline->builders.n; i-- > 0 && builder == NULL;) {
        if (pipeline->builders.items[i]->frame_bytes == frame_bytes) {
            builder = pipeline->builders.items[i];
            pipeline->builders.items[i] = pipeline->builders.items[--pipeline->builders.n];
        }
    }
    (void)pthread_mutex_unlock(&pipeline->mutex);
    if (builder == NULL) {
        builder = stay_new(struct stay_builder);
        builder->digest = stay_digest_new();
        builder->frame_bytes = frame_bytes;
    }
    return builder;
}

void stay_pipeline_give(struct stay_pipeline *pipeline, struct stay_builder *builder)
{
    (void)pthread_mutex_lock(&pipeline->mutex);
    *stay_vec_push(&pipeline->builders) = builder;
    (void)pthread_mutex_unlock(&pipeline->mutex);
}

struct stay_buf *stay_builder_buffer(struct stay_builder *builder)
{
    return &builder->buffer;
}

static void free_job(struct job *job)
{
    stay_frame_free(&job->frame);
    free(job);
}

static void free_builder(struct stay_builder *builder)
{
    for (size_t i = 0; i < builder->open.n; i++)
        free_job(builder->open.items[i]);
    stay_vec_free(&builder->open);
    stay_digest_free(builder->digest);
    stay_buf_free(&builder->buffer);
    free(builder);
}

static struct job *new_job(struct stay_pipeline *pipeline, uint32_t mask, bool dense)
{
    struct job *job = NULL;

    (void)pthread_mutex_lock(&pipeline->mutex);
    if (pipeline->spare.n)
        job = pipeline->spare.items[--pipeline->spare.n];
    (void)pthread_mutex_unlock(&pipeline->mutex);
    if (job == NULL)
        job = stay_new(struct job);
    job->mask = mask;
    job->dense = dense;
    return job;
}

static void submit(struct stay_pipeline *pipeline, struct job *job)
{
    stay_frame_close(&job->frame);
    stay_pool_submit(pipeline->pool, job);
}

static void append(struct stay_pipeline *pipeline, struct stay_builder *builder, uint32_t mask,
                   bool dense, const struct stay_id *id, const void *data, size_t len)
{
    struct job **job = NULL;

    for (size_t i = 0; i < builder->open.n && job == NULL; i++)
        if (builder->open.items[i]->mask == mask && builder->open.items[i]->dense == dense)
            job = &builder->open.items[i];
    if (job == NULL) {
        job = stay_vec_push(&builder->open);
        *job = new_job(pipeline, mask, dense);
    }
    if ((*job)->frame.tar.len > 0 && stay_frame_with(&(*job)->frame, len) > builder->frame_bytes) {
        submit(pipeline, *job);
        *job = new_job(pipeline, mask, dense);
    }
    stay_frame_add(&(*job)->frame, id, data, len);
}

/* ---- chunks */

static void mark_used(struct place *place, uint32_t frame)
{
    if (frame < place->n_frames &&
        atomic_load_explicit(&place->used[frame], memory_order_relaxed) == 0)
        atomic_store_explicit(&place->used[frame], 1, memory_order_relaxed);
}

/* The living destinations that lack the chunk; those that have it note that it is used. */
static uint32_t missing_at(struct stay_pipeline *pipeline, const struct stay_id *id)
{
    uint32_t alive = stay_packer_alive(pipeline->packer);
    uint32_t missing = 0;

    for (size_t i = 0; i < pipeline->n; i++) {
        const struct stay_index_chunk *chunk;
        if (!(alive & 1u << i))
            continue;
        chunk = stay_index_find(pipeline->places[i].index, id);
        if (chunk)
            mark_used(&pipeline->places[i], chunk->frame);
        else
            missing |= 1u << i;
    }
    return missing;
}

bool stay_pipeline_stopped(const struct stay_pipeline *pipeline)
{
    return stay_cancelled(pipeline->cancel) || stay_packer_alive(pipeline->packer) == 0 ||
           stay_pool_failed(pipeline->pool);
}

int stay_pipeline_chunk(struct stay_pipeline *pipeline, struct stay_builder *builder,
                        const void *data, size_t len, bool dense, struct stay_id *id)
{
    if (stay_pipeline_stopped(pipeline))
        return -1;
    stay_digest_of(builder->digest, data, len, id);
    uint32_t mask = missing_at(pipeline, id);
    if (mask == 0 || !stay_idset_add(pipeline->fresh, id))
        return 0;
    append(pipeline, builder, mask, dense, id, data, len);
    stay_progress_add(&pipeline->new_bytes, len);
    return 0;
}

bool stay_pipeline_known(struct stay_pipeline *pipeline, const struct stay_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (missing_at(pipeline, &ids[i]) != 0 && !stay_idset_has(pipeline->fresh, &ids[i]))
            return false;
    return true;
}

/* ---- life */

static void make_workers(struct stay_pipeline *pipeline, unsigned threads, int level)
{
    pipeline->n_workers = threads;
    pipeline->workers = stay_calloc(threads, sizeof *pipeline->workers);
    for (unsigned i = 0; i < threads; i++) {
        pipeline->workers[i].compressor = stay_compressor_new(level);
        pipeline->workers[i].digest = stay_digest_new();
    }
}

/* What the limit leaves for packs: a sixth, after what threads need in any case. */
static size_t packs_for(size_t memory_limit, unsigned threads)
{
    size_t fixed = FIXED_BYTES + (size_t)threads * 16 * MIB;
    size_t rest = memory_limit > fixed ? memory_limit - fixed : 0;
    size_t packs = rest / 6 / STAY_PACK_BYTES;

    return STAY_MIN(STAY_MAX(packs, (size_t)3), (size_t)PACKS_MOST);
}

int stay_pipeline_new(struct stay_pipeline **out, const struct stay_pipeline_options *options,
                      struct stay_err *err)
{
    unsigned threads = options->threads ? options->threads : 1;
    stay_auto(stay_pipeline_free) struct stay_pipeline *pipeline =
        stay_calloc(1, sizeof *pipeline + options->n * sizeof pipeline->places[0]);
    const struct stay_packer_options packer = {
        .repositories = options->repositories,
        .n = options->n,
        .packs_in_memory = packs_for(options->memory_limit, threads),
        .progress = options->progress,
    };

    (void)pthread_mutex_init(&pipeline->mutex, NULL);
    pipeline->cancel = options->cancel;
    pipeline->chunker = stay_chunker_new(&options->repositories[0]->chunker);
    pipeline->fresh = stay_idset_new();
    for (size_t i = 0; i < options->n; i++) {
        struct place *place = &pipeline->places[i];
        place->index = options->indexes[i];
        (void)stay_index_frames(place->index, &place->n_frames);
        place->used = stay_calloc(place->n_frames, sizeof *place->used);
        pipeline->n++;
    }
    make_workers(pipeline, threads, options->level);
    if (stay_packer_new(&pipeline->packer, &packer, err) < 0 ||
        stay_pool_new(&pipeline->pool, threads, 2 * (size_t)threads, encode_job, pipeline, err) < 0)
        return -1;
    *out = stay_steal(&pipeline);
    return 0;
}

void stay_pipeline_free(struct stay_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    stay_pool_free(pipeline->pool);
    stay_packer_free(pipeline->packer);
    for (size_t i = 0; i < pipeline->builders.n; i++)
        free_builder(pipeline->builders.items[i]);
    for (size_t i = 0; i < pipeline->spare.n; i++)
        free_job(pipeline->spare.items[i]);
    for (unsigned i = 0; i < pipeline->n_workers; i++) {
        stay_compressor_free(pipeline->workers[i].compressor);
        stay_digest_free(pipeline->workers[i].digest);
        stay_buf_free(&pipeline->workers[i].scratch);
    }
    for (size_t i = 0; i < pipeline->n; i++)
        free((void *)pipeline->places[i].used);
    stay_vec_free(&pipeline->builders);
    stay_vec_free(&pipeline->spare);
    free(pipeline->workers);
    stay_idset_free(pipeline->fresh);
    stay_chunker_free(pipeline->chunker);
    (void)pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
}

const struct stay_chunker *stay_pipeline_chunker(const struct stay_pipeline *pipeline)
{
    return pipeline->chunker;
}

static int outcome(struct stay_pipeline *pipeline, struct stay_err *err)
{
    if (stay_cancelled(pipeline->cancel))
        return stay_fail_cancelled(err);
    if (stay_packer_alive(pipeline->packer))
        return 0;
    for (size_t i = 0; i < pipeline->n; i++)
        if (stay_packer_error(pipeline->packer, i))
            *err = *stay_packer_error(pipeline->packer, i);
    return -1;
}

int stay_pipeline_finish(struct stay_pipeline *pipeline, struct stay_err *err)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();

    for (size_t i = 0; i < pipeline->builders.n; i++) {
        struct stay_builder *builder = pipeline->builders.items[i];
        for (size_t k = 0; k < builder->open.n; k++)
            submit(pipeline, builder->open.items[k]);
        builder->open.n = 0;
    }
    int rc = stay_pool_finish(pipeline->pool, err);
    stay_packer_finish(pipeline->packer, digest);
    return rc < 0 ? -1 : outcome(pipeline, err);
}

const struct stay_err *stay_pipeline_error(const struct stay_pipeline *pipeline, size_t i)
{
    return stay_packer_error(pipeline->packer, i);
}

uint64_t stay_pipeline_stored(const struct stay_pipeline *pipeline, size_t i)
{
    return stay_packer_stored(pipeline->packer, i);
}

uint64_t stay_pipeline_new_bytes(const struct stay_pipeline *pipeline)
{
    return atomic_load(&pipeline->new_bytes);
}

/* ---- what a snapshot refers to */

/* Adds a pack that this run has stored. One that the index had, but that was lost, is used again.
 */
static void add_pack(struct place *place, const struct stay_pack *pack)
{
    int64_t known = stay_index_find_pack(place->index, &pack->id);
    size_t n;

    stay_index_add(place->index, pack);
    if (known < 0)
        return;
    const struct stay_index_pack *entry = &stay_index_packs(place->index, &n)[known];
    for (uint32_t k = 0; k < entry->n_frames; k++)
        mark_used(place, entry->first_frame + k);
}

void stay_pipeline_references(struct stay_pipeline *pipeline, size_t i,
                              struct stay_snapshot *snapshot)
{
    struct place *place = &pipeline->places[i];
    size_t n;
    const struct stay_pack *const *fresh = stay_packer_packs(pipeline->packer, i, &n);

    stay_idset_free(pipeline->fresh); /* its memory is wanted for the index now */
    pipeline->fresh = NULL;
    for (size_t k = 0; k < n; k++)
        add_pack(place, fresh[k]);
    const struct stay_id *objects = stay_packer_objects(pipeline->packer, i, &n);
    for (size_t k = 0; k < n; k++)
        stay_index_note(place->index, &objects[k]);
    stay_index_sort(place->index);
    (void)stay_index_frames(place->index, &n);
    stay_auto_free unsigned char *used = stay_calloc(n, 1);
    for (size_t k = 0; k < n; k++)
        used[k] = k >= place->n_frames || atomic_load(&place->used[k]);
    stay_references_add(snapshot, place->index, used);
}
