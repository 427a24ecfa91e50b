/* src/base/cancel.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * cancel: a request to stop, set once (by a signal handler, say) and asked for everywhere.
 *
 * Layer: base. Thread-safety: any thread and any signal handler.
 */
#pragma once

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct stay_cancel {
    atomic_int signal; /* 0: go on; else the signal number that asked us to stop */
};

static inline void stay_cancel_request(struct stay_cancel *cancel, int signal)
{
    atomic_store(&cancel->signal, signal);
}

/** Whether to stop. @cancel may be NULL: never. */
static inline bool stay_cancelled(const struct stay_cancel *cancel)
{
    return cancel && atomic_load(&cancel->signal) != 0;
}

/** Describes the cancellation and returns -1. */
static inline int stay_fail_cancelled(struct stay_err *err)
{
    return stay_fail(err, STAY_ERR_CANCELLED, "stopped on request");
}
