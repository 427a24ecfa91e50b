/* src/base/pool.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * pool: worker threads that apply one function to the items of a bounded queue.
 *
 * Every submitted item reaches the function exactly once, also after a failure (so that it can be
 * released there); the first error is kept and returned by stay_pool_finish().
 *
 * Layer: base. Thread-safety: any thread may submit; one thread finishes.
 */
#pragma once

#include "base/alloc.h"

#include <stdbool.h>

struct stay_pool;

/**
 * What a worker does with @item; @worker is 0 .. threads-1 and lets it use state of its own.
 *
 * @failed whether an earlier item of this pool failed: then only release @item and return 0.
 * @return 0, or -1 with @err set.
 */
typedef int stay_pool_fn(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err);

/**
 * Starts @threads workers (at least 1) behind a queue of @depth items.
 * @return 0, or -1 when a thread could not be started.
 */
STAY_CHECKED int stay_pool_new(struct stay_pool **out, unsigned threads, size_t depth,
                               stay_pool_fn *fn, void *ctx, struct stay_err *err);

/** Hands over @item, waiting for room. The pool owns it from here on. */
void stay_pool_submit(struct stay_pool *pool, void *item);

/** Whether any item has failed so far: a hint to stop producing. */
bool stay_pool_failed(const struct stay_pool *pool);

/**
 * Waits until every item is done, then ends the threads. May be called once, before
 * stay_pool_free().
 *
 * @return 0, or -1 with the first error.
 */
STAY_CHECKED int stay_pool_finish(struct stay_pool *pool, struct stay_err *err);

/** Finishes, when that was not done, and releases the pool. NULL is allowed. */
void stay_pool_free(struct stay_pool *pool);
STAY_DEFINE_AUTO(struct stay_pool, stay_pool_free)
