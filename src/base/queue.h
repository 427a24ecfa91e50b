/* src/base/queue.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * queue: a bounded first-in first-out of pointers between threads.
 *
 * Layer: base. Thread-safety: any number of threads may push and pop.
 */
#pragma once

#include "base/alloc.h"

struct stay_queue;

enum { STAY_QUEUE_CLOSED = 1 };

/** A queue for at most @capacity items (at least 1). */
struct stay_queue *stay_queue_new(size_t capacity);

/** Releases the queue; items still in it are the caller's. NULL is allowed. */
void stay_queue_free(struct stay_queue *queue);
STAY_DEFINE_AUTO(struct stay_queue, stay_queue_free)

/** Appends @item, waiting for room. @return 0, or STAY_QUEUE_CLOSED (the item stays the caller's). */
STAY_CHECKED int stay_queue_push(struct stay_queue *queue, void *item);

/** Takes the oldest item, waiting for one. @return 0, or STAY_QUEUE_CLOSED when closed and empty. */
STAY_CHECKED int stay_queue_pop(struct stay_queue *queue, void **item);

/** No more pushes: waiting threads wake up; what is inside can still be popped. */
void stay_queue_close(struct stay_queue *queue);
