/* src/engine/progress.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * progress: counters that the engine writes and somebody else may draw.
 *
 * Layer: engine. Thread-safety: atomics, any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct stay_progress {
    const char *_Atomic phase; /* a literal such as "reading"; NULL: not begun */
    _Atomic uint64_t entries_done;
    _Atomic uint64_t entries_total; /* 0: not known */
    _Atomic uint64_t bytes_done;
    _Atomic uint64_t bytes_total; /* 0: not known */
    _Atomic uint64_t bytes_stored;
    _Atomic uint64_t unchanged; /* of entries_done: not read again */
};

static inline void stay_progress_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
