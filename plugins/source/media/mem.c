/* plugins/source/media/mem.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

void *media_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (p == NULL)
        abort();
    return p;
}

void *media_grow(void *items, size_t *cap, size_t want, size_t size)
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

char *media_bytes_reserve(struct media_bytes *bytes, size_t extra)
{
    bytes->data = media_grow(bytes->data, &bytes->cap, bytes->len + extra + 1, 1);
    return bytes->data + bytes->len;
}

void media_bytes_add(struct media_bytes *bytes, const void *data, size_t len)
{
    char *to = media_bytes_reserve(bytes, len);

    if (len > 0)
        memcpy(to, data, len);
    to[len] = '\0';
    bytes->len += len;
}

void media_bytes_cut(struct media_bytes *bytes, size_t len)
{
    (void)media_bytes_reserve(bytes, 0);
    bytes->len = len;
    bytes->data[len] = '\0';
}

void media_bytes_free(struct media_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct media_bytes){0};
}

unsigned long media_mix(unsigned long x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9UL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebUL;
    x ^= x >> 31;
    return x;
}
