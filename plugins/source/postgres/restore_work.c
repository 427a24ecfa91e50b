/* plugins/source/postgres/restore_work.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore_work.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 100 };

static const double long_s = 1.0;

/* ---- tasks */

size_t pg_work_add(struct pg_work *work, const struct pg_task *task)
{
    work->tasks = plug_grow(work->tasks, &work->cap, work->n + 1, sizeof *work->tasks);
    work->tasks[work->n] = *task;
    return work->n++;
}

void pg_work_after(struct pg_work *work, size_t later, size_t earlier)
{
    struct pg_task *task = &work->tasks[earlier];

    task->followers = plug_grow(task->followers, &task->followers_cap, task->n_followers + 1,
                                sizeof *task->followers);
    task->followers[task->n_followers++] = later;
    work->tasks[later].waits++;
}

void pg_work_lock(struct pg_work *work, size_t task, uint32_t table)
{
    struct pg_task *to = &work->tasks[task];

    for (size_t i = 0; i < to->n_locks; i++)
        if (to->locks[i] == table)
            return;
    to->locks = plug_grow(to->locks, &to->locks_cap, to->n_locks + 1, sizeof *to->locks);
    to->locks[to->n_locks++] = table;
}

void pg_work_free(struct pg_work *work)
{
    for (size_t i = 0; i < work->n; i++) {
        free(work->tasks[i].followers);
        free(work->tasks[i].locks);
    }
    free(work->tasks);
    free(work->ready);
    free(work->running);
    *work = (struct pg_work){0};
}

/* ---- ranks: from the last tasks to the first */

/* An order in which every task comes after those that it waits for; shorter than all tasks when
 * some wait for each other. @return its length. */
static size_t order_tasks(const struct pg_work *work, size_t *order)
{
    PLUG_AUTO_FREE unsigned *waits = plug_alloc(work->n, sizeof *waits);
    size_t n = 0;

    for (size_t i = 0; i < work->n; i++) {
        waits[i] = work->tasks[i].waits;
        if (waits[i] == 0)
            order[n++] = i;
    }
    for (size_t at = 0; at < n; at++) {
        const struct pg_task *task = &work->tasks[order[at]];
        for (size_t i = 0; i < task->n_followers; i++)
            if (--waits[task->followers[i]] == 0)
                order[n++] = task->followers[i];
    }
    return n;
}

static int rank_tasks(struct pg_work *work, struct backstay_error *err)
{
    PLUG_AUTO_FREE size_t *order = plug_alloc(work->n, sizeof *order);
    size_t n = order_tasks(work, order);

    if (n < work->n)
        return work->host->fail(work->host, err, BACKSTAY_ERR_CORRUPT,
                                "items of schema.dump depend on each other in a circle");
    while (n-- > 0) {
        struct pg_task *task = &work->tasks[order[n]];
        double most = 0;
        for (size_t i = 0; i < task->n_followers; i++)
            most = PLUG_MAX(most, work->tasks[task->followers[i]].rank);
        task->rank = task->cost + most;
    }
    return 0;
}

/* ---- ready tasks; under the mutex */

static void add_ready(struct pg_work *work, size_t number)
{
    double rank = work->tasks[number].rank;
    size_t from = 0;
    size_t to = work->n_ready;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (work->tasks[work->ready[middle]].rank < rank)
            from = middle + 1;
        else
            to = middle;
    }
    work->ready = plug_grow(work->ready, &work->ready_cap, work->n_ready + 1, sizeof *work->ready);
    memmove(work->ready + from + 1, work->ready + from,
            (work->n_ready - from) * sizeof *work->ready);
    work->ready[from] = number;
    work->n_ready++;
    work->tasks[number].state = PG_TASK_READY;
}

static bool share_table(const struct pg_task *a, const struct pg_task *b)
{
    for (size_t i = 0; i < a->n_locks; i++)
        for (size_t k = 0; k < b->n_locks; k++)
            if (a->locks[i] == b->locks[k])
                return true;
    return false;
}

static bool conflicts(const struct pg_work *work, const struct pg_task *task)
{
    for (unsigned i = 0; i < work->n_running; i++) {
        const struct pg_task *other = &work->tasks[work->running[i]];
        if ((task->exclusive || other->exclusive) && share_table(task, other))
            return true;
    }
    return false;
}

static struct pg_task *take_ready(struct pg_work *work)
{
    for (size_t i = work->n_ready; i-- > 0;) {
        size_t number = work->ready[i];
        if (conflicts(work, &work->tasks[number]))
            continue;
        memmove(work->ready + i, work->ready + i + 1,
                (work->n_ready - i - 1) * sizeof *work->ready);
        work->n_ready--;
        work->running[work->n_running++] = number;
        work->tasks[number].state = PG_TASK_RUNNING;
        return &work->tasks[number];
    }
    return NULL;
}

/* ---- threads */

static void wait_a_little(struct pg_work *work)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&work->changed, &work->mutex, &until);
}

/* The next task; waits while others run, since they may make some ready. NULL: no more. */
static struct pg_task *next_task(struct pg_work *work)
{
    struct pg_task *task = NULL;

    (void)pthread_mutex_lock(&work->mutex);
    while (!atomic_load(&work->stopped)) {
        task = take_ready(work);
        if (task || work->n_running == 0)
            break;
        wait_a_little(work);
    }
    (void)pthread_mutex_unlock(&work->mutex);
    return task;
}

static void keep_first(struct pg_work *work, const struct backstay_error *err)
{
    if (work->first.kind == BACKSTAY_ERR_NONE)
        work->first = *err;
}

/* What waits for a task that failed is not done, and no more what waits for that in turn; but a
 * point comes after all that will ever be done. */
static void release_followers(struct pg_work *work, const struct pg_task *task, bool done)
{
    for (size_t i = 0; i < task->n_followers; i++) {
        struct pg_task *follower = &work->tasks[task->followers[i]];
        if (follower->state != PG_TASK_WAITING)
            continue;
        if (done || follower->point) {
            if (--follower->waits == 0)
                add_ready(work, task->followers[i]);
        } else {
            follower->state = PG_TASK_FAILED;
            release_followers(work, follower, false);
        }
    }
}

static void end_task(struct pg_work *work, struct pg_task *task, int result,
                     const struct backstay_error *err)
{
    size_t number = (size_t)(task - work->tasks);
    unsigned at = 0;

    (void)pthread_mutex_lock(&work->mutex);
    while (work->running[at] != number)
        at++;
    work->running[at] = work->running[--work->n_running];
    task->state = result == 0 ? PG_TASK_DONE : PG_TASK_FAILED;
    if (result != 0) {
        keep_first(work, err);
        if (!work->failed(work->ctx, task, err))
            atomic_store(&work->stopped, true);
    }
    release_followers(work, task, result == 0);
    (void)pthread_cond_broadcast(&work->changed);
    (void)pthread_mutex_unlock(&work->mutex);
}

static void stop(struct pg_work *work, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&work->mutex);
    keep_first(work, err);
    atomic_store(&work->stopped, true);
    (void)pthread_cond_broadcast(&work->changed);
    (void)pthread_mutex_unlock(&work->mutex);
}

/* The names and times of long tasks say where a restore spends its time. */
static int run_task(const struct pg_work *work, struct pg_task *task, struct pg_conn *conn,
                    struct backstay_error *err)
{
    struct timespec from;
    struct timespec to;

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    int r = task->run(task, conn, err);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (task->name && s >= long_s)
        work->host->log(work->host, BACKSTAY_LOG_INFO, "%s took %.1f s", task->name, s);
    return r;
}

static void *run_thread(void *ctx)
{
    struct pg_work *work = ctx;
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *conn = NULL;
    struct pg_task *task;

    if (work->connect(work->ctx, &conn, &err) != 0) {
        stop(work, &err);
        return NULL;
    }
    conn->stop = &work->stopped;
    while ((task = next_task(work)) != NULL)
        end_task(work, task, run_task(work, task, conn, &err), &err);
    pg_disconnect(conn);
    return NULL;
}

int pg_work_run(struct pg_work *work, struct backstay_error *err)
{
    unsigned n = (unsigned)PLUG_MIN((size_t)work->jobs, work->n);
    PLUG_AUTO_FREE pthread_t *threads = plug_alloc(n, sizeof *threads);
    unsigned started = 0;

    if (rank_tasks(work, err) != 0)
        return -1;
    work->first = (struct backstay_error){.size = sizeof work->first};
    work->running = plug_alloc(n, sizeof *work->running);
    for (size_t i = 0; i < work->n; i++)
        if (work->tasks[i].waits == 0)
            add_ready(work, i);
    (void)pthread_mutex_init(&work->mutex, NULL);
    (void)pthread_cond_init(&work->changed, NULL);
    while (started < n && pthread_create(&threads[started], NULL, run_thread, work) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_cond_destroy(&work->changed);
    (void)pthread_mutex_destroy(&work->mutex);
    if (n > 0 && started == 0)
        return work->host->fail(work->host, err, BACKSTAY_ERR_IO, "no thread can be started");
    if (work->first.kind == BACKSTAY_ERR_NONE)
        return 0;
    *err = work->first;
    return -1;
}
