/* plugins/shared/mem.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *plug_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (p == NULL)
        abort();
    return p;
}

void *plug_grow(void *items, size_t *cap, size_t want, size_t size)
{
    size_t room = *cap ? *cap : 16;

    if (items != NULL && want <= *cap)
        return items;
    while (room < want)
        room *= 2;
    void *p = reallocarray(items, room, size);
    if (p == NULL)
        abort();
    *cap = room;
    return p;
}

char *plug_strdup(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

char *plug_strf(const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    return text;
}

char *plug_bytes_reserve(struct plug_bytes *bytes, size_t extra)
{
    bytes->data = plug_grow(bytes->data, &bytes->cap, bytes->len + extra + 1, 1);
    return bytes->data + bytes->len;
}

void plug_bytes_add(struct plug_bytes *bytes, const void *data, size_t len)
{
    char *to = plug_bytes_reserve(bytes, len);

    if (len > 0)
        memcpy(to, data, len);
    to[len] = '\0';
    bytes->len += len;
}

void plug_bytes_text(struct plug_bytes *bytes, const char *text)
{
    plug_bytes_add(bytes, text, strlen(text));
}

void plug_bytes_format(struct plug_bytes *bytes, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    plug_bytes_add(bytes, text, (size_t)len);
    free(text);
}

void plug_bytes_cut(struct plug_bytes *bytes, size_t len)
{
    (void)plug_bytes_reserve(bytes, 0);
    bytes->len = len;
    bytes->data[len] = '\0';
}

void plug_bytes_free(struct plug_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct plug_bytes){0};
}

void plug_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

unsigned long plug_mix(unsigned long x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9UL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebUL;
    x ^= x >> 31;
    return x;
}
