/* src/base/buf.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/buf.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

void *stay_buf_reserve(struct stay_buf *buf, size_t extra)
{
    size_t need = buf->len + extra + 1;

    if (need > buf->cap) {
        size_t cap = buf->cap + buf->cap / 2;
        buf->cap = need > cap ? need : cap;
        if (buf->cap < 64)
            buf->cap = 64;
        buf->data = stay_realloc(buf->data, buf->cap, 1);
    }
    return buf->data + buf->len;
}

void stay_buf_add(struct stay_buf *buf, const void *data, size_t len)
{
    char *to = stay_buf_reserve(buf, len);

    if (len)
        memcpy(to, data, len);
    to[len] = '\0';
    buf->len += len;
}

void stay_buf_str(struct stay_buf *buf, const char *text)
{
    stay_buf_add(buf, text, strlen(text));
}

void stay_buf_char(struct stay_buf *buf, char c)
{
    stay_buf_add(buf, &c, 1);
}

void stay_buf_printf(struct stay_buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_list again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len > 0) {
        char *to = stay_buf_reserve(buf, (size_t)len);
        (void)vsnprintf(to, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void stay_buf_u64(struct stay_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    stay_buf_add(buf, digits + at, sizeof digits - at);
}

void stay_buf_i64(struct stay_buf *buf, int64_t value)
{
    if (value < 0)
        stay_buf_char(buf, '-');
    stay_buf_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void stay_buf_hex(struct stay_buf *buf, const void *data, size_t len)
{
    char *to = stay_buf_reserve(buf, 2 * len);

    stay_hex_encode(to, data, len);
    to[2 * len] = '\0';
    buf->len += 2 * len;
}

void stay_buf_consume(struct stay_buf *buf, size_t len)
{
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

void stay_buf_clear(struct stay_buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

char *stay_buf_take(struct stay_buf *buf)
{
    char *data = buf->data ? buf->data : stay_strdup("");

    *buf = (struct stay_buf){0};
    return data;
}

void stay_buf_free(struct stay_buf *buf)
{
    free(buf->data);
    *buf = (struct stay_buf){0};
}
