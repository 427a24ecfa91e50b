/* plugins/source/mysql/utf8.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "utf8.h"

size_t my_utf8_character(const void *text, size_t len)
{
    const unsigned char *at = text;
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

bool my_utf8_valid(const void *text, size_t len)
{
    const unsigned char *at = text;

    while (len > 0) {
        size_t n = *at < 0x80 ? 1 : my_utf8_character(at, len);
        if (n == 0)
            return false;
        at += n;
        len -= n;
    }
    return true;
}
