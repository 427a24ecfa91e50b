/* plugins/source/mysql/quote.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Constants are written so that neither NO_BACKSLASH_ESCAPES nor the charset of whoever runs the
 * statement changes what they mean.
 */
#include "conn.h"

#include <string.h>

void my_add_ident(struct plug_bytes *sql, const char *name)
{
    plug_bytes_text(sql, "`");
    for (size_t len; *name; name += len) {
        len = strcspn(name, "`");
        plug_bytes_add(sql, name, len);
        if (name[len] == '`') {
            plug_bytes_text(sql, "``");
            len++;
        }
    }
    plug_bytes_text(sql, "`");
}

/* The length of the UTF-8 character at @at, of @len bytes at most; 0: it is none. */
static size_t character(const unsigned char *at, size_t len)
{
    unsigned char c = at[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f) || (c == 0xf0 && at[1] < 0x90) ||
        (c == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

void my_add_literal(struct plug_bytes *sql, const void *data, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *bytes = data;
    bool plain = true;
    bool text = true;

    for (size_t i = 0, n; i < len && text; i += n) {
        n = character(bytes + i, len - i);
        text = n > 0;
        plain = plain && bytes[i] >= ' ' && bytes[i] < 0x7f && bytes[i] != '\'' && bytes[i] != '\\';
    }
    if (text && plain) {
        plug_bytes_text(sql, "'");
        plug_bytes_add(sql, bytes, len);
        plug_bytes_text(sql, "'");
        return;
    }
    plug_bytes_text(sql, text ? "_utf8mb4 X'" : "X'");
    char *at = plug_bytes_reserve(sql, 2 * len);
    for (size_t i = 0; i < len; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
    sql->len += 2 * len;
    plug_bytes_text(sql, "'");
}

char *my_qualified(const char *database, const char *name)
{
    struct plug_bytes out = {0};

    my_add_ident(&out, database);
    plug_bytes_text(&out, ".");
    my_add_ident(&out, name);
    return out.data;
}
