/* plugins/source/postgres/restore_work.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_work: tasks with what they wait for, done by several threads, each on a connection of
 * its own. Of the tasks that are ready, the one goes first that most work hangs on: a table's rows
 * before small ones, its indexes before the rows of smaller tables.
 *
 * Two tasks that would wait for each other's lock on a table do not run at the same time: one of
 * the connections would be idle.
 *
 * Thread-safety: tasks are added by one thread before pg_work_run(); that function starts and joins
 * its threads.
 */
#pragma once

#include "conn.h"

#include <pthread.h>

struct pg_task {
    int (*run)(struct pg_task *task, struct pg_conn *conn, struct backstay_error *err);
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
    enum { PG_TASK_WAITING, PG_TASK_READY, PG_TASK_RUNNING, PG_TASK_DONE, PG_TASK_FAILED } state;
};

struct pg_work {
    const struct backstay_host *host;
    struct pg_task *tasks;
    size_t n;
    size_t cap;
    unsigned jobs;

    /** A connection for one thread. */
    int (*connect)(void *ctx, struct pg_conn **out, struct backstay_error *err);

    /** A task failed. @return whether the tasks that do not wait for it are still to be done.
     * Called by one thread at a time. */
    bool (*failed)(void *ctx, struct pg_task *task, const struct backstay_error *err);
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
size_t pg_work_add(struct pg_work *work, const struct pg_task *task);

/** Task @later begins when @earlier is done. */
void pg_work_after(struct pg_work *work, size_t later, size_t earlier);

/** Task @task needs the table of this oid. */
void pg_work_lock(struct pg_work *work, size_t task, uint32_t table);

/**
 * Does all tasks.
 *
 * @return 0; -1 with @err, the first failure, also when all others were done.
 */
int pg_work_run(struct pg_work *work, struct backstay_error *err)
    __attribute__((warn_unused_result));
void pg_work_free(struct pg_work *work);
