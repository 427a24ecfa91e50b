/* src/base/err.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void mark_truncated(struct stay_err *err, int wanted)
{
    if (wanted >= (int)sizeof err->text)
        memcpy(err->text + sizeof err->text - 4, "...", 4);
}

int stay_vfail(struct stay_err *err, enum stay_kind kind, const char *fmt, va_list ap)
{
    if (err == NULL)
        return -1;
    err->kind = kind;
    err->origin = STAY_ORIGIN_SELF;
    mark_truncated(err, vsnprintf(err->text, sizeof err->text, fmt, ap));
    return -1;
}

int stay_fail(struct stay_err *err, enum stay_kind kind, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)stay_vfail(err, kind, fmt, ap);
    va_end(ap);
    return -1;
}

static enum stay_kind kind_of_errno(enum stay_kind kind, int code)
{
    if (kind != STAY_ERR_IO)
        return kind;
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STAY_ERR_SPACE;
    case EACCES:
    case EPERM:
        return STAY_ERR_AUTH;
    default:
        return kind;
    }
}

int stay_fail_errno(struct stay_err *err, enum stay_kind kind, const char *fmt, ...)
{
    int code = errno;
    char reason[128];
    va_list ap;

    if (err == NULL)
        return -1;
    va_start(ap, fmt);
    (void)stay_vfail(err, kind_of_errno(kind, code), fmt, ap);
    va_end(ap);
    size_t len = strlen(err->text);
    const char *text = strerror_r(code, reason, sizeof reason);
    mark_truncated(err, (int)len + snprintf(err->text + len, sizeof err->text - len, ": %s", text));
    errno = code;
    return -1;
}

int stay_prefix(struct stay_err *err, const char *fmt, ...)
{
    char old[sizeof err->text];
    va_list ap;

    if (err == NULL)
        return -1;
    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    int len = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof err->text) {
        mark_truncated(err, (int)sizeof err->text);
        return -1;
    }
    size_t room = sizeof err->text - (size_t)len;
    mark_truncated(err, len + snprintf(err->text + len, room, ": %s", old));
    return -1;
}

const char *stay_kind_name(enum stay_kind kind)
{
    static const char *const names[STAY_ERR_KINDS] = {
        [STAY_ERR_NONE] = "none",           [STAY_ERR_IO] = "io",
        [STAY_ERR_TRANSIENT] = "transient", [STAY_ERR_CONFIG] = "config",
        [STAY_ERR_AUTH] = "auth",           [STAY_ERR_CORRUPT] = "corrupt",
        [STAY_ERR_SPACE] = "space",         [STAY_ERR_CANCELLED] = "cancelled",
        [STAY_ERR_USAGE] = "usage",         [STAY_ERR_LOCKED] = "locked",
        [STAY_ERR_KEY] = "key",             [STAY_ERR_ABSENT] = "absent",
    };

    return (unsigned)kind < STAY_ERR_KINDS ? names[kind] : "unknown";
}
