/* src/store/lock.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * lock: at most one run of a source at a time on this machine.
 *
 * Layer: store. Uses: base. Thread-safety: one lock object belongs to one thread.
 */
#pragma once

#include "base/base.h"

struct stay_lock;

enum { STAY_LOCK_BUSY = 1 };

/**
 * Takes the lock @name in @state_dir without waiting.
 *
 * @out receives the lock on success only; the caller releases it with stay_lock_free().
 * @return 0; STAY_LOCK_BUSY when another process holds it; -1 with @err set.
 */
STAY_CHECKED int stay_lock_take(struct stay_lock **out, const char *state_dir, const char *name,
                                struct stay_err *err);

/** Releases the lock. NULL is allowed. The file stays: unlinking it would race with a taker. */
void stay_lock_free(struct stay_lock *lock);
STAY_DEFINE_AUTO(struct stay_lock, stay_lock_free)
