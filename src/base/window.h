/* src/base/window.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * window: a file mapped into memory, of which no more than a part stays resident.
 *
 * Pages of a mapped file count as memory of the process although the kernel could take them back.
 * Whoever reads through a window says how much; every so often all pages are given back, and the
 * ones that are needed again come from the page cache.
 *
 * Layer: base. Thread-safety: any thread may read and touch; opening and closing is for one.
 */
#pragma once

#include "base/alloc.h"

#include <stdatomic.h>

struct stay_window {
    void *data; /* NULL: nothing is mapped */
    size_t len;
    _Atomic size_t touched; /* since pages were given back */
};

/**
 * Maps @len bytes of @fd, which may be closed afterwards; @prot as for mmap(2).
 * @return 0, or -1 (errno is set).
 */
STAY_CHECKED int stay_window_open(struct stay_window *window, int fd, size_t len, int prot);

/** Says that @bytes of it were or will be looked at. What was written stays. */
void stay_window_touch(struct stay_window *window, size_t bytes);

/** Unmaps it. Allowed when nothing is mapped. */
void stay_window_close(struct stay_window *window);
