/* plugins/shared/crew.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * crew: threads that work off a list of units, stop together at the first error, and may have to
 * wait at a gate before they record anything.
 *
 * Thread-safety: each function says.
 */
#pragma once

#include <backstay/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { PLUG_CREW_HAND_OVER = 1 };

struct plug_crew {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    size_t n_units;
    size_t next;    /* unit */
    size_t *handed; /* units that only worker 0 can do */
    size_t n_handed;
    size_t handed_cap;
    unsigned others;             /* workers other than worker 0 that still run */
    bool open;                   /* the gate */
    struct backstay_error first; /* the error that stopped the crew */
    atomic_bool stopped;
};

struct plug_crew_options {
    const struct backstay_host *host;
    unsigned workers; /* at least 1; worker 0 is the calling thread */
    size_t n_units;
    void *ctx;

    /** What worker @worker needs for itself (a connection). @return 0 or -1 with @err. */
    int (*enter)(void *ctx, unsigned worker, void **own, struct backstay_error *err);

    /** Releases it; @own is NULL when enter() failed. */
    void (*leave)(void *ctx, unsigned worker, void *own);

    /** Does one unit. @return 0; PLUG_CREW_HAND_OVER: worker 0 has to do it; -1 with @err. */
    int (*work)(void *ctx, void *own, size_t unit, struct backstay_error *err);
};

/** Begins and ends a crew's memory. One thread. */
void plug_crew_begin(struct plug_crew *crew);
void plug_crew_end(struct plug_crew *crew);

/** Makes it as new: gate closed, no error. One thread, when no worker runs. */
void plug_crew_reset(struct plug_crew *crew);

/** Units are taken in their order. @return 0 when all are done, or -1 with @err: the first error.
 */
int plug_crew_run(struct plug_crew *crew, const struct plug_crew_options *options,
                  struct backstay_error *err) __attribute__((warn_unused_result));

/** Stops all workers; the first error is the one that counts. Any thread. @return -1. */
int plug_crew_stop(struct plug_crew *crew, const struct backstay_error *err);

/** Whether it was stopped. Any thread. */
bool plug_crew_stopped(const struct plug_crew *crew);

/** Copies the error that stopped it to @err. One thread, when no worker runs. @return -1. */
int plug_crew_fail(const struct plug_crew *crew, struct backstay_error *err);

/** Waits until the gate is open. Any thread. @return 0, or -1: stopped. */
int plug_crew_pass(struct plug_crew *crew) __attribute__((warn_unused_result));

/** Opens the gate. Any thread. */
void plug_crew_open(struct plug_crew *crew);
