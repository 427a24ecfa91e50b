/* plugins/shared/mem.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mem: the little memory management that plugins need, since they link to nothing of the host.
 *
 * Running out of memory aborts: these are for our own, bounded sizes.
 *
 * Thread-safety: as malloc(3).
 */
#pragma once

#include <stddef.h>

/** @n zeroed elements of @size bytes; the caller frees them. */
void *plug_alloc(size_t n, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/** Grows @items to room for @want elements of @size bytes; *@cap is how many fit so far. */
void *plug_grow(void *items, size_t *cap, size_t want, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/** A copy of @text; the caller frees it. */
char *plug_strdup(const char *text) __attribute__((returns_nonnull, warn_unused_result));

/** A formatted text; the caller frees it. */
char *plug_strf(const char *fmt, ...)
    __attribute__((returns_nonnull, warn_unused_result, format(printf, 1, 2)));

/** A growing run of bytes. Zero-initialise; @data is followed by a NUL once something was added. */
struct plug_bytes {
    char *data;
    size_t len;
    size_t cap;
};

/** Makes room for @extra more bytes and a NUL, and returns where they go. */
char *plug_bytes_reserve(struct plug_bytes *bytes, size_t extra) __attribute__((returns_nonnull));

void plug_bytes_add(struct plug_bytes *bytes, const void *data, size_t len);

/** Appends a text, and a formatted one. */
void plug_bytes_text(struct plug_bytes *bytes, const char *text);
void plug_bytes_format(struct plug_bytes *bytes, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** Shortens the run to @len bytes. */
void plug_bytes_cut(struct plug_bytes *bytes, size_t len);

void plug_bytes_free(struct plug_bytes *bytes);

/** Frees what a pointer variable points to; for PLUG_AUTO_FREE. */
void plug_free_pointer(void *pointer);

/** A pointer from malloc(3), a run of bytes: released when the block ends. */
#define PLUG_AUTO_FREE  __attribute__((cleanup(plug_free_pointer)))
#define PLUG_AUTO_BYTES __attribute__((cleanup(plug_bytes_free)))

/** Spreads the bits of @x; one to one, so that different inputs stay different. */
unsigned long plug_mix(unsigned long x);

#define PLUG_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLUG_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define PLUG_MAX(a, b)    ((a) > (b) ? (a) : (b))
