/* plugins/destination/local/name.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A name is checked before it becomes a path, so that no caller can reach outside of the root.
 */
#include "local.h"

#include <string.h>

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool only_name_chars(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_name_char(text[i]))
            return false;
    return len <= LOCAL_PART_MAX;
}

bool local_part_ok(const char *part, size_t len)
{
    bool is_dots = (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0);

    return len > 0 && !is_dots && only_name_chars(part, len);
}

/* Checks the parts that end with a slash; @last is what follows them. */
static bool folders_ok(const char *name, const char **last)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(name, '/')) {
        if (!local_part_ok(name, (size_t)(slash - name)))
            return false;
        name = slash + 1;
    }
    *last = name;
    return true;
}

static bool is_reserved(const char *name)
{
    size_t len = strlen(LOCAL_TMP);

    return strncmp(name, LOCAL_TMP, len) == 0 && (name[len] == '\0' || name[len] == '/');
}

int local_check_name(const struct local *self, const char *name, struct backstay_error *err)
{
    const char *last;

    if (strlen(name) > LOCAL_NAME_MAX || !folders_ok(name, &last) ||
        !local_part_ok(last, strlen(last)))
        return self->host->fail(self->host, err, BACKSTAY_ERR_IO,
                                "object name \"%.300s\" is not allowed: use parts of 1 to %d of "
                                "the characters A-Z a-z 0-9 . _ - joined by \"/\"",
                                name, LOCAL_PART_MAX);
    if (is_reserved(name))
        return self->host->fail(self->host, err, BACKSTAY_ERR_IO,
                                "object name \"%.300s\" is not allowed: \"" LOCAL_TMP
                                "\" holds unfinished objects",
                                name);
    return 0;
}

int local_check_prefix(const struct local *self, const char *prefix, struct backstay_error *err)
{
    const char *last;

    if (strlen(prefix) > LOCAL_NAME_MAX || !folders_ok(prefix, &last) ||
        !only_name_chars(last, strlen(last)))
        return self->host->fail(self->host, err, BACKSTAY_ERR_IO,
                                "no object name can begin with \"%.300s\"", prefix);
    return 0;
}
