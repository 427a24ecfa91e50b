/* plugins/shared/tasks.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tasks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 100 };

static const double long_s = 1.0;

/* ---- tasks */

size_t plug_tasks_add(struct plug_tasks *tasks, const struct plug_task *task)
{
    tasks->items = plug_grow(tasks->items, &tasks->cap, tasks->n + 1, sizeof *tasks->items);
    tasks->items[tasks->n] = *task;
    return tasks->n++;
}

void plug_tasks_after(struct plug_tasks *tasks, size_t later, size_t earlier)
{
    struct plug_task *task = &tasks->items[earlier];

    task->followers = plug_grow(task->followers, &task->followers_cap, task->n_followers + 1,
                                sizeof *task->followers);
    task->followers[task->n_followers++] = later;
    tasks->items[later].waits++;
}

void plug_tasks_lock(struct plug_tasks *tasks, size_t task, uint32_t table)
{
    struct plug_task *to = &tasks->items[task];

    for (size_t i = 0; i < to->n_locks; i++)
        if (to->locks[i] == table)
            return;
    to->locks = plug_grow(to->locks, &to->locks_cap, to->n_locks + 1, sizeof *to->locks);
    to->locks[to->n_locks++] = table;
}

void plug_tasks_free(struct plug_tasks *tasks)
{
    for (size_t i = 0; i < tasks->n; i++) {
        free(tasks->items[i].followers);
        free(tasks->items[i].locks);
    }
    free(tasks->items);
    free(tasks->ready);
    free(tasks->running);
    *tasks = (struct plug_tasks){0};
}

/* ---- ranks: from the last tasks to the first */

/* An order in which every task comes after those that it waits for; shorter than all tasks when
 * some wait for each other. @return its length. */
static size_t order_tasks(const struct plug_tasks *tasks, size_t *order)
{
    PLUG_AUTO_FREE unsigned *waits = plug_alloc(tasks->n, sizeof *waits);
    size_t n = 0;

    for (size_t i = 0; i < tasks->n; i++) {
        waits[i] = tasks->items[i].waits;
        if (waits[i] == 0)
            order[n++] = i;
    }
    for (size_t at = 0; at < n; at++) {
        const struct plug_task *task = &tasks->items[order[at]];
        for (size_t i = 0; i < task->n_followers; i++)
            if (--waits[task->followers[i]] == 0)
                order[n++] = task->followers[i];
    }
    return n;
}

static int rank_tasks(struct plug_tasks *tasks, struct backstay_error *err)
{
    PLUG_AUTO_FREE size_t *order = plug_alloc(tasks->n, sizeof *order);
    size_t n = order_tasks(tasks, order);

    if (n < tasks->n)
        return tasks->host->fail(tasks->host, err, BACKSTAY_ERR_CORRUPT,
                                 "tasks wait for each other in a circle");
    while (n-- > 0) {
        struct plug_task *task = &tasks->items[order[n]];
        double most = 0;
        for (size_t i = 0; i < task->n_followers; i++)
            most = PLUG_MAX(most, tasks->items[task->followers[i]].rank);
        task->rank = task->cost + most;
    }
    return 0;
}

/* ---- ready tasks; under the mutex */

static void add_ready(struct plug_tasks *tasks, size_t number)
{
    double rank = tasks->items[number].rank;
    size_t from = 0;
    size_t to = tasks->n_ready;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (tasks->items[tasks->ready[middle]].rank < rank)
            from = middle + 1;
        else
            to = middle;
    }
    tasks->ready =
        plug_grow(tasks->ready, &tasks->ready_cap, tasks->n_ready + 1, sizeof *tasks->ready);
    memmove(tasks->ready + from + 1, tasks->ready + from,
            (tasks->n_ready - from) * sizeof *tasks->ready);
    tasks->ready[from] = number;
    tasks->n_ready++;
    tasks->items[number].state = PLUG_TASK_READY;
}

static bool share_table(const struct plug_task *a, const struct plug_task *b)
{
    for (size_t i = 0; i < a->n_locks; i++)
        for (size_t k = 0; k < b->n_locks; k++)
            if (a->locks[i] == b->locks[k])
                return true;
    return false;
}

static bool conflicts(const struct plug_tasks *tasks, const struct plug_task *task)
{
    for (unsigned i = 0; i < tasks->n_running; i++) {
        const struct plug_task *other = &tasks->items[tasks->running[i]];
        if ((task->exclusive || other->exclusive) && share_table(task, other))
            return true;
    }
    return false;
}

static struct plug_task *take_ready(struct plug_tasks *tasks)
{
    for (size_t i = tasks->n_ready; i-- > 0;) {
        size_t number = tasks->ready[i];
        if (conflicts(tasks, &tasks->items[number]))
            continue;
        memmove(tasks->ready + i, tasks->ready + i + 1,
                (tasks->n_ready - i - 1) * sizeof *tasks->ready);
        tasks->n_ready--;
        tasks->running[tasks->n_running++] = number;
        tasks->items[number].state = PLUG_TASK_RUNNING;
        return &tasks->items[number];
    }
    return NULL;
}

/* ---- threads */

static void wait_a_little(struct plug_tasks *tasks)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&tasks->changed, &tasks->mutex, &until);
}

/* The next task; waits while others run, since they may make some ready. NULL: no more. */
static struct plug_task *next_task(struct plug_tasks *tasks)
{
    struct plug_task *task = NULL;

    (void)pthread_mutex_lock(&tasks->mutex);
    while (!atomic_load(&tasks->stopped)) {
        task = take_ready(tasks);
        if (task || tasks->n_running == 0)
            break;
        wait_a_little(tasks);
    }
    (void)pthread_mutex_unlock(&tasks->mutex);
    return task;
}

static void keep_first(struct plug_tasks *tasks, const struct backstay_error *err)
{
    if (tasks->first.kind == BACKSTAY_ERR_NONE)
        tasks->first = *err;
}

/* What waits for a task that failed is not done, and no more what waits for that in turn; but a
 * point comes after all that will ever be done. */
static void release_followers(struct plug_tasks *tasks, const struct plug_task *task, bool done)
{
    for (size_t i = 0; i < task->n_followers; i++) {
        struct plug_task *follower = &tasks->items[task->followers[i]];
        if (follower->state != PLUG_TASK_WAITING)
            continue;
        if (done || follower->point) {
            if (--follower->waits == 0)
                add_ready(tasks, task->followers[i]);
        } else {
            follower->state = PLUG_TASK_FAILED;
            release_followers(tasks, follower, false);
        }
    }
}

static void end_task(struct plug_tasks *tasks, struct plug_task *task, int result,
                     const struct backstay_error *err)
{
    size_t number = (size_t)(task - tasks->items);
    unsigned at = 0;

    (void)pthread_mutex_lock(&tasks->mutex);
    while (tasks->running[at] != number)
        at++;
    tasks->running[at] = tasks->running[--tasks->n_running];
    task->state = result == 0 ? PLUG_TASK_DONE : PLUG_TASK_FAILED;
    if (result != 0) {
        keep_first(tasks, err);
        if (!tasks->failed(tasks->ctx, task, err))
            atomic_store(&tasks->stopped, true);
    }
    release_followers(tasks, task, result == 0);
    (void)pthread_cond_broadcast(&tasks->changed);
    (void)pthread_mutex_unlock(&tasks->mutex);
}

static void stop(struct plug_tasks *tasks, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&tasks->mutex);
    keep_first(tasks, err);
    atomic_store(&tasks->stopped, true);
    (void)pthread_cond_broadcast(&tasks->changed);
    (void)pthread_mutex_unlock(&tasks->mutex);
}

/* The names and times of long tasks say where a restore spends its time. */
static int run_task(const struct plug_tasks *tasks, struct plug_task *task, void *own,
                    struct backstay_error *err)
{
    struct timespec from;
    struct timespec to;

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    int r = task->run(task, own, err);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (task->name && s >= long_s)
        tasks->host->log(tasks->host, BACKSTAY_LOG_INFO, "%s took %.1f s", task->name, s);
    return r;
}

static void *run_thread(void *ctx)
{
    struct plug_tasks *tasks = ctx;
    struct backstay_error err = {.size = sizeof err};
    struct plug_task *task;
    void *own = NULL;

    if (tasks->enter(tasks->ctx, &own, &err) != 0) {
        stop(tasks, &err);
        return NULL;
    }
    while ((task = next_task(tasks)) != NULL)
        end_task(tasks, task, run_task(tasks, task, own, &err), &err);
    tasks->leave(tasks->ctx, own);
    return NULL;
}

int plug_tasks_run(struct plug_tasks *tasks, struct backstay_error *err)
{
    unsigned n = (unsigned)PLUG_MIN((size_t)tasks->jobs, tasks->n);
    PLUG_AUTO_FREE pthread_t *threads = plug_alloc(n, sizeof *threads);
    unsigned started = 0;

    if (rank_tasks(tasks, err) != 0)
        return -1;
    tasks->first = (struct backstay_error){.size = sizeof tasks->first};
    tasks->running = plug_alloc(n, sizeof *tasks->running);
    for (size_t i = 0; i < tasks->n; i++)
        if (tasks->items[i].waits == 0)
            add_ready(tasks, i);
    (void)pthread_mutex_init(&tasks->mutex, NULL);
    (void)pthread_cond_init(&tasks->changed, NULL);
    while (started < n && pthread_create(&threads[started], NULL, run_thread, tasks) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_cond_destroy(&tasks->changed);
    (void)pthread_mutex_destroy(&tasks->mutex);
    if (n > 0 && started == 0)
        return tasks->host->fail(tasks->host, err, BACKSTAY_ERR_IO, "no thread can be started");
    if (tasks->first.kind == BACKSTAY_ERR_NONE)
        return 0;
    *err = tasks->first;
    return -1;
}
