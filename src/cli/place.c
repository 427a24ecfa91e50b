/* src/cli/place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Masking rather takes too much than too little: a password with characters that a URL should have
 * encoded is a password all the same.
 */
#include "cli/place.h"

#include <string.h>

#define MASK "***"

/* Takes @len bytes for a password. */
static void take_password(const char *text, size_t len, struct stay_buf *out,
                          void (*each)(const char *password))
{
    if (each && len) {
        char *password = stay_memdup(text, len);
        each(password);
        stay_wipe(password, len);
        free(password);
    }
    stay_buf_str(out, MASK);
}

/* "SCHEME://USER:PASSWORD@" at the beginning of @text. @return bytes taken, 0 where there is none.
 */
static size_t mask_authority(const char *text, struct stay_buf *out,
                             void (*each)(const char *password))
{
    const char *start = strstr(text, "://");

    if (start == NULL || strcspn(text, " ='\"/") < (size_t)(start - text))
        return 0;
    start += 3;
    const char *at = strrchr(start, '@');
    const char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
    if (colon == NULL)
        return 0;
    stay_buf_add(out, text, (size_t)(colon + 1 - text));
    take_password(colon + 1, (size_t)(at - colon - 1), out, each);
    return (size_t)(at - text);
}

/* How long the value at @text is, quotes included. */
static size_t value_length(const char *text)
{
    size_t i = 1;

    if (*text != '\'')
        return strcspn(text, " \t\n&");
    for (; text[i] && text[i] != '\''; i++)
        if (text[i] == '\\' && text[i + 1])
            i++;
    return text[i] ? i + 1 : i;
}

/* "password = VALUE" at @text. @return bytes taken, 0 where that is not what stands there. */
static size_t mask_keyword(const char *text, struct stay_buf *out,
                           void (*each)(const char *password))
{
    static const char keyword[] = "password";
    size_t i = sizeof keyword - 1;

    if (!stay_str_starts(text, keyword))
        return 0;
    i += strspn(text + i, " ");
    if (text[i] != '=')
        return 0;
    i++;
    i += strspn(text + i, " ");
    size_t len = value_length(text + i);
    stay_buf_add(out, text, i);
    if (text[i] == '\'' && len > 2)
        take_password(text + i + 1, len - 2, out, each);
    else
        take_password(text + i, len, out, each);
    return i + len;
}

char *stay_place_mask(const char *location, void (*each)(const char *password))
{
    struct stay_buf out = {0};
    const char *at = location + mask_authority(location, &out, each);

    while (*at) {
        size_t taken = mask_keyword(at, &out, each);
        if (taken == 0)
            stay_buf_char(&out, *at++);
        at += taken;
    }
    return out.len ? stay_buf_take(&out) : stay_strdup("");
}

/* Programs say a password as it is written in the URL, or decoded. */
static void hide(const char *password)
{
    char *decoded = stay_strdup(password);
    char *to = decoded;

    for (const char *from = password; *from; from++) {
        unsigned char byte;
        if (*from == '%' && stay_hex_decode(&byte, from + 1, 1) == 0 && byte) {
            *to++ = (char)byte;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    stay_log_hide(password);
    if (strcmp(decoded, password) != 0)
        stay_log_hide(decoded);
    stay_wipe(decoded, strlen(decoded));
    free(decoded);
}

int stay_place_resolve(struct stay_place *out, const char *text,
                       const struct stay_resolver *resolver, struct stay_err *err)
{
    struct stay_resolver here = *resolver;

    *out = (struct stay_place){0};
    if (strcmp(text, STAY_PLACE_SCRATCH) == 0) {
        out->shown = stay_strdup("a scratch place");
        return 0;
    }
    here.base_folder = NULL;
    if (stay_reference_resolve(&out->location, text, &here, err) < 0)
        return stay_prefix(err, "--to");
    if (*out->location == '\0')
        return stay_fail(err, STAY_ERR_USAGE, "--to %s: it is empty", text);
    out->shown = stay_place_mask(out->location, hide);
    return 0;
}

void stay_place_free(struct stay_place *place)
{
    if (place->location)
        stay_wipe(place->location, strlen(place->location));
    free(place->location);
    free(place->shown);
    *place = (struct stay_place){0};
}
