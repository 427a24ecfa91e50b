/* src/engine/pipeline.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * pipeline: from pieces of content to durable packs on every destination.
 *
 *     the plugin's threads: cut, hash, look up, gather frames
 *       -> worker pool: compress, decompress and compare
 *         -> packer: packs, uploads, index
 *
 * A chunk is stored where it is missing: each destination is looked up by itself, and one that has
 * it already does not get it again. All queues are bounded, so a slow destination slows the readers
 * and memory stays under its limit.
 *
 * Layer: engine. Thread-safety: each function says.
 */
#pragma once

#include "engine/packer.h"

struct stay_pipeline;

/** Where one thread or stream gathers its frames. */
struct stay_builder;

struct stay_pipeline_options {
    struct stay_repository *const *repositories; /* borrowed, like the indexes */
    struct stay_index *const *indexes;
    size_t n;
    int level;                        /* of compression */
    unsigned threads;                 /* that compress */
    size_t memory_limit;              /* bytes, for the whole process */
    const struct stay_cancel *cancel; /* may be NULL */
    struct stay_progress *progress;   /* may be NULL */
};

STAY_CHECKED int stay_pipeline_new(struct stay_pipeline **out,
                                   const struct stay_pipeline_options *options,
                                   struct stay_err *err);
void stay_pipeline_free(struct stay_pipeline *pipeline);
STAY_DEFINE_AUTO(struct stay_pipeline, stay_pipeline_free)

/** The cutter of this pipeline: that of the first repository, for all. */
const struct stay_chunker *stay_pipeline_chunker(const struct stay_pipeline *pipeline);

/**
 * Takes a builder, preferably one used a moment ago. @frame_bytes: how much goes into a frame. Any
 * thread; it then belongs to one thread until it is given back.
 */
struct stay_builder *stay_pipeline_take(struct stay_pipeline *pipeline, size_t frame_bytes);
void stay_pipeline_give(struct stay_pipeline *pipeline, struct stay_builder *builder);

/** A buffer of the builder's for its user, kept between uses. */
struct stay_buf *stay_builder_buffer(struct stay_builder *builder);

/**
 * Hashes a chunk and stores it where it is missing.
 *
 * @id out.
 * @return 0, or -1: stop (cancelled, or nowhere left to store; see stay_pipeline_finish()).
 */
STAY_CHECKED int stay_pipeline_chunk(struct stay_pipeline *pipeline, struct stay_builder *builder,
                                     const void *data, size_t len, bool dense, struct stay_id *id);

/**
 * Whether every living destination already has all of @ids; if so, they count as used by this
 * snapshot. Any thread.
 */
bool stay_pipeline_known(struct stay_pipeline *pipeline, const struct stay_id *ids, size_t n);

/** Whether there is no use in going on. Any thread. */
bool stay_pipeline_stopped(const struct stay_pipeline *pipeline);

/**
 * Stores all that is begun; all builders must have been given back.
 *
 * @return 0 when at least one destination has everything; -1 with the reason.
 */
STAY_CHECKED int stay_pipeline_finish(struct stay_pipeline *pipeline, struct stay_err *err);

/** Why destination @i does not have everything; NULL: it does. */
const struct stay_err *stay_pipeline_error(const struct stay_pipeline *pipeline, size_t i);

/** Bytes stored on destination @i by this run. */
uint64_t stay_pipeline_stored(const struct stay_pipeline *pipeline, size_t i);

/** Bytes of content in chunks that were new to some destination. */
uint64_t stay_pipeline_new_bytes(const struct stay_pipeline *pipeline);

/**
 * After finish: adds the new packs to the index of destination @i and lists in @snapshot all packs
 * and frames that this run used there.
 */
void stay_pipeline_references(struct stay_pipeline *pipeline, size_t i,
                              struct stay_snapshot *snapshot);
