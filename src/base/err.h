/* src/base/err.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * err: what went wrong, as a kind for programs and a sentence for people.
 *
 * Convention of the whole project: a function returns 0 for success, a positive value for a
 * documented outcome that its caller must handle, and -1 when the last parameter describes an
 * error. Kind and origin alone decide a retry and the exit code; the text never does.
 *
 * Layer: base. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include <stdarg.h>

#define STAY_CHECKED      __attribute__((warn_unused_result))
#define STAY_PRINTF(f, a) __attribute__((format(printf, f, a)))

/** The first eight are the plugin ABI's (backstay/plugin.h); plugin/host.c asserts that. */
enum stay_kind {
    STAY_ERR_NONE = 0,
    STAY_ERR_IO,        /* a system call or a peer failed in a way that a retry will not mend */
    STAY_ERR_TRANSIENT, /* may succeed when tried again later */
    STAY_ERR_CONFIG,    /* the configuration or an argument in it is wrong */
    STAY_ERR_AUTH,      /* credentials or rights are missing or wrong */
    STAY_ERR_CORRUPT,   /* stored or received bytes are not what they must be */
    STAY_ERR_SPACE,     /* no room left */
    STAY_ERR_CANCELLED, /* the user or the system asked us to stop */
    STAY_ERR_USAGE,     /* the command line is wrong */
    STAY_ERR_LOCKED,    /* somebody else holds what we need */
    STAY_ERR_KEY,       /* an encryption key is missing or wrong */
    STAY_ERR_ABSENT,    /* no such snapshot or recovery point */
    STAY_ERR_KINDS
};

/** Where it went wrong: chooses between exit codes of the same kind. */
enum stay_origin { STAY_ORIGIN_SELF = 0, STAY_ORIGIN_SOURCE, STAY_ORIGIN_DESTINATION };

struct stay_err {
    enum stay_kind kind;
    enum stay_origin origin;
    char text[1024]; /* one sentence without a full stop; truncated with "..." when too long */
};

/**
 * Describes a failure in @err and returns -1, so that `return stay_fail(...)` is one line.
 * @err may be NULL when the caller only needs the result.
 */
int stay_fail(struct stay_err *err, enum stay_kind kind, const char *fmt, ...) STAY_PRINTF(3, 4);

/** The same with a va_list. */
int stay_vfail(struct stay_err *err, enum stay_kind kind, const char *fmt, va_list ap)
    STAY_PRINTF(3, 0);

/**
 * Like stay_fail(), appending ": " and the text of errno. ENOSPC, EDQUOT and EFBIG turn @kind into
 * STAY_ERR_SPACE, EACCES and EPERM into STAY_ERR_AUTH, where @kind is STAY_ERR_IO.
 */
int stay_fail_errno(struct stay_err *err, enum stay_kind kind, const char *fmt, ...)
    STAY_PRINTF(3, 4);

/** Puts "@fmt: " before the text that is already there and returns -1. */
int stay_prefix(struct stay_err *err, const char *fmt, ...) STAY_PRINTF(2, 3);

/** The kind's name in lower case, for JSON and logs. */
const char *stay_kind_name(enum stay_kind kind);
