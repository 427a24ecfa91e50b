/* src/base/buf.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * buf: a growing run of bytes, always followed by a NUL so that text can be used as a C string.
 *
 * Layer: base. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/alloc.h"

#include <stdint.h>

/** Zero-initialise; release with stay_buf_free(). @data may be NULL while @len is 0. */
struct stay_buf {
    char *data;
    size_t len;
    size_t cap;
};

/** Makes room for @extra more bytes (and a NUL) and returns where they go; @len is unchanged. */
void *stay_buf_reserve(struct stay_buf *buf, size_t extra);

void stay_buf_add(struct stay_buf *buf, const void *data, size_t len);
void stay_buf_str(struct stay_buf *buf, const char *text);
void stay_buf_char(struct stay_buf *buf, char c);
void stay_buf_printf(struct stay_buf *buf, const char *fmt, ...) STAY_PRINTF(2, 3);

/** Appends @value in decimal; a good deal faster than printf. */
void stay_buf_u64(struct stay_buf *buf, uint64_t value);
void stay_buf_i64(struct stay_buf *buf, int64_t value);

/** Appends 2 * @len lower-case hexadecimal digits. */
void stay_buf_hex(struct stay_buf *buf, const void *data, size_t len);

/** Removes the first @len bytes. */
void stay_buf_consume(struct stay_buf *buf, size_t len);

/** Forgets the content, keeps the memory. */
void stay_buf_clear(struct stay_buf *buf);

/** The content as a C string that the caller frees; @buf is empty afterwards. */
char *stay_buf_take(struct stay_buf *buf);

/** Releases the memory; @buf may be used again. */
void stay_buf_free(struct stay_buf *buf);

static inline void stay_buf_free_auto(struct stay_buf *buf)
{
    stay_buf_free(buf);
}

#define stay_auto_buf __attribute__((cleanup(stay_buf_free_auto), unused))
