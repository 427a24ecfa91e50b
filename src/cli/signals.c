/* src/cli/signals.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Global state, because a signal handler has no other.
 */
#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction before[STAY_COUNT(caught)];
static struct sigaction pipe_before;
static struct stay_cancel *_Atomic target;

static void on_signal(int number)
{
    struct stay_cancel *cancel = atomic_load(&target);

    if (cancel)
        stay_cancel_request(cancel, number);
    /* The next one of any kind is final: who asks twice does not want to wait. */
    for (size_t i = 0; i < STAY_COUNT(caught); i++)
        (void)signal(caught[i], SIG_DFL);
}

void stay_signals_catch(struct stay_cancel *cancel)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    atomic_store(&target, cancel);
    (void)sigaction(SIGPIPE, &ignore, &pipe_before);
    for (size_t i = 0; i < STAY_COUNT(caught); i++) {
        (void)sigaction(caught[i], NULL, &before[i]);
        /* Under nohup and in the background of a shell they stay ignored. */
        if (before[i].sa_handler != SIG_IGN)
            (void)sigaction(caught[i], &action, NULL);
    }
}

void stay_signals_release(void)
{
    for (size_t i = 0; i < STAY_COUNT(caught); i++)
        (void)sigaction(caught[i], &before[i], NULL);
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
    atomic_store(&target, NULL);
}
