/* plugins/source/mysql/quote.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Constants are written so that neither NO_BACKSLASH_ESCAPES nor the charset of whoever runs the
 * statement changes what they mean.
 */
#include "conn.h"

#include "utf8.h"

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

void my_add_literal(struct plug_bytes *sql, const void *data, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *bytes = data;
    bool plain = true;
    bool text = true;

    for (size_t i = 0, n; i < len && text; i += n) {
        n = my_utf8_character(bytes + i, len - i);
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
