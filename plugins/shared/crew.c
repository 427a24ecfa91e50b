/* plugins/shared/crew.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "crew.h"

#include "mem.h"

#include <stdlib.h>

struct worker {
    struct plug_crew *crew;
    const struct plug_crew_options *options;
    unsigned number;
};

void plug_crew_begin(struct plug_crew *crew)
{
    *crew = (struct plug_crew){.first = {.size = sizeof crew->first}};
    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
}

void plug_crew_reset(struct plug_crew *crew)
{
    free(crew->handed);
    crew->handed = NULL;
    crew->n_units = crew->next = crew->n_handed = crew->handed_cap = 0;
    crew->open = false;
    crew->first.kind = BACKSTAY_ERR_NONE;
    atomic_store(&crew->stopped, false);
}

void plug_crew_end(struct plug_crew *crew)
{
    plug_crew_reset(crew);
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->mutex);
}

/* ---- stopping, and the gate */

int plug_crew_stop(struct plug_crew *crew, const struct backstay_error *err)
{
    (void)pthread_mutex_lock(&crew->mutex);
    if (crew->first.kind == BACKSTAY_ERR_NONE)
        crew->first = *err;
    atomic_store(&crew->stopped, true);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
    return -1;
}

bool plug_crew_stopped(const struct plug_crew *crew)
{
    return atomic_load_explicit(&crew->stopped, memory_order_relaxed);
}

int plug_crew_fail(const struct plug_crew *crew, struct backstay_error *err)
{
    uint32_t size = err->size;

    if (crew->first.kind != BACKSTAY_ERR_NONE)
        *err = crew->first;
    err->size = size;
    return -1;
}

int plug_crew_pass(struct plug_crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    while (!crew->open && !atomic_load(&crew->stopped))
        (void)pthread_cond_wait(&crew->changed, &crew->mutex);
    (void)pthread_mutex_unlock(&crew->mutex);
    return atomic_load(&crew->stopped) ? -1 : 0;
}

void plug_crew_open(struct plug_crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    crew->open = true;
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
}

/* ---- units */

/* The next unit; worker 0 waits for what others may hand to it. @return false: no more. */
static bool next_unit(struct plug_crew *crew, bool first, size_t *unit)
{
    bool found = false;

    (void)pthread_mutex_lock(&crew->mutex);
    while (!atomic_load(&crew->stopped)) {
        found = true;
        if (first && crew->n_handed)
            *unit = crew->handed[--crew->n_handed];
        else if (crew->next < crew->n_units)
            *unit = crew->next++;
        else
            found = false;
        if (found || !first || crew->others == 0)
            break;
        (void)pthread_cond_wait(&crew->changed, &crew->mutex);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
    return found;
}

static void hand_over(struct plug_crew *crew, size_t unit)
{
    (void)pthread_mutex_lock(&crew->mutex);
    crew->handed =
        plug_grow(crew->handed, &crew->handed_cap, crew->n_handed + 1, sizeof *crew->handed);
    crew->handed[crew->n_handed++] = unit;
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
}

static int work_off(const struct worker *worker, void *own, struct backstay_error *err)
{
    const struct plug_crew_options *options = worker->options;
    size_t unit;
    int r = 0;

    while (r >= 0 && next_unit(worker->crew, worker->number == 0, &unit)) {
        r = options->work(options->ctx, own, unit, err);
        if (r == PLUG_CREW_HAND_OVER)
            hand_over(worker->crew, unit);
    }
    return r < 0 ? -1 : 0;
}

static void run_worker(const struct worker *worker)
{
    const struct plug_crew_options *options = worker->options;
    struct backstay_error err = {.size = sizeof err};
    void *own = NULL;

    if (options->enter(options->ctx, worker->number, &own, &err) != 0 ||
        work_off(worker, own, &err) != 0)
        (void)plug_crew_stop(worker->crew, &err);
    options->leave(options->ctx, worker->number, own);
}

static void *run_thread(void *ctx)
{
    struct worker *worker = ctx;
    struct plug_crew *crew = worker->crew;

    run_worker(worker);
    (void)pthread_mutex_lock(&crew->mutex);
    crew->others--;
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

int plug_crew_run(struct plug_crew *crew, const struct plug_crew_options *options,
                  struct backstay_error *err)
{
    unsigned n =
        (unsigned)PLUG_MIN((size_t)options->workers, PLUG_MAX(options->n_units, (size_t)1));
    PLUG_AUTO_FREE pthread_t *threads = plug_alloc(n, sizeof *threads);
    PLUG_AUTO_FREE struct worker *workers = plug_alloc(n, sizeof *workers);
    unsigned started = 1;

    crew->n_units = options->n_units;
    crew->others = n - 1;
    for (unsigned i = 0; i < n; i++)
        workers[i] = (struct worker){crew, options, i};
    while (started < n &&
           pthread_create(&threads[started], NULL, run_thread, &workers[started]) == 0)
        started++;
    (void)pthread_mutex_lock(&crew->mutex);
    crew->others -= n - started; /* fewer threads than wanted do the same work */
    (void)pthread_mutex_unlock(&crew->mutex);
    run_worker(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    return plug_crew_stopped(crew) ? plug_crew_fail(crew, err) : 0;
}
