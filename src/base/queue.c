/* src/base/queue.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/queue.h"

#include <pthread.h>
#include <stdbool.h>

struct stay_queue {
    pthread_mutex_t mutex;
    pthread_cond_t has_room;
    pthread_cond_t has_item;
    size_t capacity;
    size_t first;
    size_t n;
    bool closed;
    void *items[];
};

struct stay_queue *stay_queue_new(size_t capacity)
{
    if (capacity == 0)
        capacity = 1;
    struct stay_queue *queue = stay_calloc(1, sizeof *queue + capacity * sizeof queue->items[0]);

    (void)pthread_mutex_init(&queue->mutex, NULL);
    (void)pthread_cond_init(&queue->has_room, NULL);
    (void)pthread_cond_init(&queue->has_item, NULL);
    queue->capacity = capacity;
    return queue;
}

void stay_queue_free(struct stay_queue *queue)
{
    if (queue == NULL)
        return;
    (void)pthread_cond_destroy(&queue->has_item);
    (void)pthread_cond_destroy(&queue->has_room);
    (void)pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

int stay_queue_push(struct stay_queue *queue, void *item)
{
    (void)pthread_mutex_lock(&queue->mutex);
    while (queue->n == queue->capacity && !queue->closed)
        (void)pthread_cond_wait(&queue->has_room, &queue->mutex);
    bool closed = queue->closed;
    if (!closed) {
        queue->items[(queue->first + queue->n++) % queue->capacity] = item;
        (void)pthread_cond_signal(&queue->has_item);
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return closed ? STAY_QUEUE_CLOSED : 0;
}

int stay_queue_pop(struct stay_queue *queue, void **item)
{
    (void)pthread_mutex_lock(&queue->mutex);
    while (queue->n == 0 && !queue->closed)
        (void)pthread_cond_wait(&queue->has_item, &queue->mutex);
    bool empty = queue->n == 0;
    if (!empty) {
        *item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->n--;
        (void)pthread_cond_signal(&queue->has_room);
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return empty ? STAY_QUEUE_CLOSED : 0;
}

void stay_queue_close(struct stay_queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->has_room);
    (void)pthread_cond_broadcast(&queue->has_item);
    (void)pthread_mutex_unlock(&queue->mutex);
}
