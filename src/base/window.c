/* src/base/window.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * MADV_DONTNEED on a shared mapping of a file only drops the process's page table entries: what was
 * written is in the page cache and comes back on the next access.
 */
#include "base/window.h"

#include <sys/mman.h>

enum { RESIDENT_BYTES = 32 * 1024 * 1024 };

int stay_window_open(struct stay_window *window, int fd, size_t len, int prot)
{
    void *data = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

    if (data == MAP_FAILED)
        return -1;
    window->data = data;
    window->len = len;
    atomic_store(&window->touched, 0);
    return 0;
}

void stay_window_touch(struct stay_window *window, size_t bytes)
{
    size_t before = atomic_fetch_add_explicit(&window->touched, bytes, memory_order_relaxed);

    if (before + bytes < RESIDENT_BYTES)
        return;
    atomic_store_explicit(&window->touched, 0, memory_order_relaxed);
    if (window->data)
        (void)madvise(window->data, window->len, MADV_DONTNEED);
}

void stay_window_close(struct stay_window *window)
{
    if (window->data)
        (void)munmap(window->data, window->len);
    window->data = NULL;
    window->len = 0;
}
