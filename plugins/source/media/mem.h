/* plugins/source/media/mem.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mem: the little memory management that a plugin needs, since it links to nothing of the host.
 *
 * Running out of memory aborts: these are for our own, bounded sizes.
 *
 * Thread-safety: as malloc(3).
 */
#pragma once

#include <stddef.h>

/** @n zeroed elements of @size bytes; the caller frees them. */
void *media_alloc(size_t n, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/** Grows @items to room for @want elements of @size bytes; *@cap is how many fit so far. */
void *media_grow(void *items, size_t *cap, size_t want, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/** A growing run of bytes. Zero-initialise; @data is followed by a NUL once something was added. */
struct media_bytes {
    char *data;
    size_t len;
    size_t cap;
};

/** Makes room for @extra more bytes and a NUL, and returns where they go. */
char *media_bytes_reserve(struct media_bytes *bytes, size_t extra) __attribute__((returns_nonnull));

void media_bytes_add(struct media_bytes *bytes, const void *data, size_t len);

/** Shortens the run to @len bytes. */
void media_bytes_cut(struct media_bytes *bytes, size_t len);

void media_bytes_free(struct media_bytes *bytes);

/** Spreads the bits of @x; one to one, so that different inputs stay different. */
unsigned long media_mix(unsigned long x);

#define MEDIA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MEDIA_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MEDIA_MAX(a, b)    ((a) > (b) ? (a) : (b))
