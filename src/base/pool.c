/* src/base/pool.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/pool.h"

#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct worker {
    struct stay_pool *pool;
    pthread_t thread;
    unsigned number;
};

struct stay_pool {
    struct stay_queue *queue;
    stay_pool_fn *fn;
    void *ctx;
    atomic_bool failed;
    pthread_mutex_t mutex; /* guards first_error */
    struct stay_err first_error;
    unsigned started;
    bool finished;
    struct worker workers[];
};

static void keep_first_error(struct stay_pool *pool, const struct stay_err *err)
{
    (void)pthread_mutex_lock(&pool->mutex);
    if (!atomic_load(&pool->failed)) {
        pool->first_error = *err;
        if (err->kind == STAY_ERR_NONE)
            (void)stay_fail(&pool->first_error, STAY_ERR_IO, "a worker failed without saying why");
        atomic_store(&pool->failed, true);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *arg)
{
    const struct worker *worker = arg;
    struct stay_pool *pool = worker->pool;
    void *item;

    while (stay_queue_pop(pool->queue, &item) == 0) {
        struct stay_err err = {0};
        if (pool->fn(pool->ctx, item, worker->number, atomic_load(&pool->failed), &err) < 0)
            keep_first_error(pool, &err);
    }
    return NULL;
}

int stay_pool_new(struct stay_pool **out, unsigned threads, size_t depth, stay_pool_fn *fn,
                  void *ctx, struct stay_err *err)
{
    threads = threads ? threads : 1;
    stay_auto(stay_pool_free) struct stay_pool *pool =
        stay_calloc(1, sizeof *pool + threads * sizeof pool->workers[0]);

    pool->queue = stay_queue_new(depth);
    pool->fn = fn;
    pool->ctx = ctx;
    (void)pthread_mutex_init(&pool->mutex, NULL);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *worker = &pool->workers[i];
        *worker = (struct worker){.pool = pool, .number = i};
        errno = pthread_create(&worker->thread, NULL, work, worker);
        if (errno)
            return stay_fail_errno(err, STAY_ERR_IO, "start worker thread %u", i + 1);
        pool->started++;
    }
    *out = stay_steal(&pool);
    return 0;
}

void stay_pool_submit(struct stay_pool *pool, void *item)
{
    if (stay_queue_push(pool->queue, item) != 0)
        abort(); /* submitting after finish is a bug in the caller */
}

bool stay_pool_failed(const struct stay_pool *pool)
{
    return atomic_load(&pool->failed);
}

int stay_pool_finish(struct stay_pool *pool, struct stay_err *err)
{
    if (!pool->finished) {
        stay_queue_close(pool->queue);
        for (unsigned i = 0; i < pool->started; i++)
            (void)pthread_join(pool->workers[i].thread, NULL);
        pool->finished = true;
    }
    if (!atomic_load(&pool->failed))
        return 0;
    if (err)
        *err = pool->first_error;
    return -1;
}

void stay_pool_free(struct stay_pool *pool)
{
    if (pool == NULL)
        return;
    (void)!stay_pool_finish(pool, NULL);
    stay_queue_free(pool->queue);
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
