/* plugins/shared/tasks.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tasks: tasks with what they wait for, done by several threads, each with something of its own (a
 * connection). Of the tasks that are ready, the one goes first that most work hangs on: a table's
 * rows before small ones, its indexes before the rows of smaller tables.
 *
 * Two tasks that would wait for each other's lock on a table do not run at the same time: one of
 * the connections would be idle.
 *
 * Thread-safety: tasks are added by one thread before plug_tasks_run(); that function starts and
 * joins its threads.
 */
#pragma once

#include "mem.h"

#include <backstay/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct plug_task {
    int (*run)(struct plug_task *task, void *own, struct backstay_error *err);
    void *ctx;         /* for run() */
    const void *what;  /* for run() */
    const char *name;  /* for the log, or NULL */
    double cost;       /* about how long it takes, in any unit */
    size_t *followers; /* tasks that wait for this one */
    size_t n_followers;
    size_t followers_cap;
    unsigned waits;  /* for so many others */
    uint32_t *locks; /* tables */
    size_t n_locks;
    size_t locks_cap;
    bool point;     /* comes also after tasks that failed */
    bool exclusive; /* its locks allow no other task on these tables */

    double rank; /* cost, and that of the longest chain of followers */
    enum {
        PLUG_TASK_WAITING,
        PLUG_TASK_READY,
        PLUG_TASK_RUNNING,
        PLUG_TASK_DONE,
        PLUG_TASK_FAILED
    } state;
};

struct plug_tasks {
    const struct backstay_host *host;
    struct plug_task *items;
    size_t n;
    size_t cap;
    unsigned jobs;

    /** What a thread needs for itself; released by leave() when enter() did not fail. */
    int (*enter)(void *ctx, void **own, struct backstay_error *err);
    void (*leave)(void *ctx, void *own);

    /** A task failed. @return whether the tasks that do not wait for it are still to be done.
     * Called by one thread at a time. */
    bool (*failed)(void *ctx, struct plug_task *task, const struct backstay_error *err);
    void *ctx;

    pthread_mutex_t mutex; /* guards what follows, and the states of tasks */
    pthread_cond_t changed;
    size_t *ready; /* ascending by rank */
    size_t n_ready;
    size_t ready_cap;
    size_t *running;
    unsigned n_running;
    atomic_bool stopped;
    struct backstay_error first;
};

/** Adds a task and returns its number. */
size_t plug_tasks_add(struct plug_tasks *tasks, const struct plug_task *task);

/** Task @later begins when @earlier is done. */
void plug_tasks_after(struct plug_tasks *tasks, size_t later, size_t earlier);

/** Task @task needs the table of this number. */
void plug_tasks_lock(struct plug_tasks *tasks, size_t task, uint32_t table);

/**
 * Does all tasks.
 *
 * @return 0; -1 with @err, the first failure, also when all others were done.
 */
int plug_tasks_run(struct plug_tasks *tasks, struct backstay_error *err)
    __attribute__((warn_unused_result));
void plug_tasks_free(struct plug_tasks *tasks);
