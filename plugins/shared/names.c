/* plugins/shared/names.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "names.h"

#include <string.h>

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c >= 0x80;
}

void plug_names_escape(struct plug_bytes *path, const char *name)
{
    for (; *name; name++) {
        if (is_plain((unsigned char)*name))
            plug_bytes_add(path, name, 1);
        else
            plug_bytes_format(path, "%%%02X", (unsigned char)*name);
    }
}

/* One star at a time is remembered: a later one makes an earlier one needless to go back to. */
bool plug_names_match(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *from = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool plug_names_match_any(const char *const *patterns, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (plug_names_match(patterns[i], text))
            return true;
    return false;
}
