/* src/base/json.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"

#include <stdbool.h>
#include <string.h>

/* The length of the valid UTF-8 sequence at @s (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
    unsigned char c = s[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) || (c == 0xf0 && s[1] < 0x90) ||
        (c == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_escaped(struct stay_buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        stay_buf_char(buf, '\\');
        stay_buf_char(buf, (char)c);
        break;
    case '\n':
        stay_buf_str(buf, "\\n");
        break;
    case '\t':
        stay_buf_str(buf, "\\t");
        break;
    default:
        stay_buf_printf(buf, "\\u%04x", c);
    }
}

void stay_json_add_string(struct stay_buf *buf, const void *text, size_t len)
{
    const unsigned char *s = text;

    stay_buf_char(buf, '"');
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && is_plain(s[run]))
            run++;
        stay_buf_add(buf, s + i, run - i);
        i = run;
        if (i == len)
            break;
        size_t n = utf8_length(s + i, len - i);
        if (n > 1)
            stay_buf_add(buf, s + i, n);
        else if (n == 1)
            add_escaped(buf, s[i]);
        else
            stay_buf_printf(buf, "\\udc%02x", s[i]);
        i += n ? n : 1;
    }
    stay_buf_char(buf, '"');
}

static int hex4(const char *text, unsigned *out)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char c = text[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (unsigned)((c | 0x20) - 'a' + 10);
        else
            return -1;
        value = value << 4 | digit;
    }
    *out = value;
    return 0;
}

static void add_utf8(struct stay_buf *out, unsigned code)
{
    if (code < 0x80) {
        stay_buf_char(out, (char)code);
    } else if (code < 0x800) {
        stay_buf_char(out, (char)(0xc0 | code >> 6));
        stay_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        stay_buf_char(out, (char)(0xe0 | code >> 12));
        stay_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        stay_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        stay_buf_char(out, (char)(0xf0 | code >> 18));
        stay_buf_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        stay_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        stay_buf_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* A \u escape at @text, which points behind the 'u'. @return bytes taken or -1. */
static long read_unicode(struct stay_buf *out, const char *text, size_t len)
{
    unsigned code;
    unsigned low;

    if (len < 4 || hex4(text, &code) < 0 || code == 0)
        return -1;
    if (code >= 0xd800 && code < 0xdc00) {
        if (len < 10 || text[4] != '\\' || text[5] != 'u' || hex4(text + 6, &low) < 0 ||
            low < 0xdc00 || low > 0xdfff)
            return -1;
        add_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        return 10;
    }
    if (code >= 0xdc80 && code <= 0xdcff)
        stay_buf_char(out, (char)(code & 0xff));
    else if (code >= 0xdc00 && code <= 0xdfff)
        return -1;
    else
        add_utf8(out, code);
    return 4;
}

static long read_escape(struct stay_buf *out, const char *text, size_t len)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";

    if (len == 0 || text[0] == '\0')
        return -1;
    if (text[0] == 'u') {
        long n = read_unicode(out, text + 1, len - 1);
        return n < 0 ? -1 : n + 1;
    }
    const char *at = strchr(from, text[0]);
    if (at == NULL)
        return -1;
    stay_buf_char(out, to[at - from]);
    return 1;
}

long stay_json_read_string(struct stay_buf *out, const char *text, size_t len)
{
    size_t i = 1;

    if (len < 2 || text[0] != '"')
        return -1;
    while (i < len) {
        size_t run = i;
        while (run < len && text[run] != '"' && text[run] != '\\' &&
               (unsigned char)text[run] >= 0x20)
            run++;
        stay_buf_add(out, text + i, run - i);
        i = run;
        if (i == len || (unsigned char)text[i] < 0x20)
            return -1;
        if (text[i] == '"')
            return (long)i + 1;
        long n = read_escape(out, text + i + 1, len - i - 1);
        if (n < 0)
            return -1;
        i += 1 + (size_t)n;
    }
    return -1;
}
