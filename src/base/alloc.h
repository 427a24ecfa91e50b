/* src/base/alloc.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * alloc: allocation that aborts instead of failing, and cleanup at the end of a scope.
 *
 * Running out of memory aborts: these are for our own, bounded sizes. A size that comes from data
 * is checked against a limit before it gets here.
 *
 * Layer: base. Thread-safety: as malloc(3).
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>

#if defined(__GNUC__) && !defined(__clang__)
#define STAY_ALLOC __attribute__((malloc, malloc(free, 1), returns_nonnull, warn_unused_result))
#else
#define STAY_ALLOC __attribute__((malloc, returns_nonnull, warn_unused_result))
#endif

/** @n zeroed elements of @size bytes; the caller frees them. */
void *stay_calloc(size_t n, size_t size) STAY_ALLOC;

/** @size bytes, not initialised; the caller frees them. */
void *stay_malloc(size_t size) STAY_ALLOC;

/** realloc(3) to @n elements of @size bytes, checked for overflow. */
void *stay_realloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull))
STAY_CHECKED;

/** A copy of @len bytes at @p with a NUL appended; the caller frees it. */
char *stay_memdup(const void *p, size_t len) STAY_ALLOC;

/** A copy of @s; the caller frees it. */
char *stay_strdup(const char *s) STAY_ALLOC;

/** printf into a new string; the caller frees it. */
char *stay_strf(const char *fmt, ...) STAY_PRINTF(1, 2) STAY_ALLOC;

/** Overwrites @len bytes at @p in a way that the compiler keeps. */
void stay_wipe(void *p, size_t len);

/** A zeroed object of type @T. */
#define stay_new(T) ((T *)stay_calloc(1, sizeof(T)))

/**
 * Calls @fn with the variable's value at the end of its scope. That is a use, which clang does not
 * see: hence "unused".
 */
#define stay_auto(fn) __attribute__((cleanup(fn##_auto), unused))

/** Declares what stay_auto(fn) needs for a pointer to @T. */
#define STAY_DEFINE_AUTO(T, fn)                                                                    \
    static inline void fn##_auto(T **p)                                                            \
    {                                                                                              \
        fn(*p);                                                                                    \
    }

/** Takes the value out of a variable that cleans up after itself. */
#define stay_steal(p)                                                                              \
    ({                                                                                             \
        __auto_type stay_p_ = (p);                                                                 \
        __typeof__(*stay_p_) stay_v_ = *stay_p_;                                                   \
        *stay_p_ = NULL;                                                                           \
        stay_v_;                                                                                   \
    })

void stay_free_auto(void *pp);
void stay_fd_auto(const int *fd);

/** For any pointer from the allocators above: freed at the end of the scope. */
#define stay_auto_free __attribute__((cleanup(stay_free_auto), unused))
#define stay_auto_str  stay_auto_free

/** For a file descriptor, closed at the end of the scope when it is not negative. */
#define stay_auto_fd __attribute__((cleanup(stay_fd_auto), unused))

/** Takes a descriptor out of a stay_auto_fd variable. */
static inline int stay_steal_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define STAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STAY_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define STAY_MAX(a, b)    ((a) > (b) ? (a) : (b))
