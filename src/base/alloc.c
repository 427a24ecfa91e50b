/* src/base/alloc.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/alloc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *or_abort(void *p, size_t size)
{
    if (p == NULL) {
        (void)fprintf(stderr, "backstay: out of memory (%zu bytes wanted)\n", size);
        abort();
    }
    return p;
}

void *stay_calloc(size_t n, size_t size)
{
    return or_abort(calloc(n ? n : 1, size ? size : 1), n * size);
}

void *stay_malloc(size_t size)
{
    return or_abort(malloc(size ? size : 1), size);
}

void *stay_realloc(void *p, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        return or_abort(NULL, SIZE_MAX);
    return or_abort(realloc(p, total ? total : 1), total);
}

char *stay_memdup(const void *p, size_t len)
{
    char *copy = stay_malloc(len + 1);

    if (len)
        memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}

char *stay_strdup(const char *s)
{
    return stay_memdup(s, strlen(s));
}

char *stay_strf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    return or_abort(len < 0 ? NULL : text, 0);
}

void stay_wipe(void *p, size_t len)
{
    explicit_bzero(p, len);
}

void stay_free_auto(void *pp)
{
    free(*(void **)pp);
}

void stay_fd_auto(const int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        (void)close(*fd);
    errno = saved;
}
