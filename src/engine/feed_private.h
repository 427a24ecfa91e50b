/* src/engine/feed_private.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the feed share.
 *
 * Layer: engine, for feed*.c only.
 */
#pragma once

#include "engine/feed.h"

#include <pthread.h>
#include <stdatomic.h>

struct stay_feed {
    struct backstay_feed abi;
    struct stay_feed_options options;
    _Atomic uint64_t restored;
    _Atomic uint64_t kept;
    _Atomic uint64_t bytes;
    pthread_mutex_t mutex; /* guards what follows */
    STAY_VEC(struct stay_problem) problems;
};

/** Notes that the entry with @path is not or not fully restored; the first reason is kept. */
void stay_feed_problem(struct stay_feed *feed, const char *path, const char *text);

/** Decodes entry @index of the feed. */
STAY_CHECKED int stay_feed_decode(struct stay_feed *feed, uint64_t index,
                                  struct stay_manifest_entry *out, struct stay_err *err);

/**
 * The content of a chunk that cannot be read where @bad says, from another place where it is
 * stored.
 * @return it, valid until @fetch is used again; NULL when there is none.
 */
const char *stay_feed_other_copy(struct stay_feed *feed, struct stay_fetch *fetch,
                                 const struct stay_index_chunk *bad);

/** Counts content that was handed out. */
void stay_feed_count(struct stay_feed *feed, uint64_t bytes);

/** Bulk mode: backstay_feed.bulk. */
int stay_feed_bulk(struct backstay_feed *abi, const struct backstay_bulk *ops, void *ctx,
                   const unsigned char *wanted);
