/* src/plugin/dest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * dest: a configured destination, as the rest of the program uses it.
 *
 * Puts the convention of struct stay_err around the plugin's functions, retries TRANSIENT failures
 * with exponential backoff and full jitter (5 tries, 0.1 s doubling to at most 5 s, given up at
 * once when cancelled), marks errors with STAY_ORIGIN_DESTINATION and prefixes them "destination
 * NAME". A function that the plugin does not offer fails with kind CONFIG and says so.
 *
 * Layer: plugin. Thread-safety: all functions but free may be called from any thread at once.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

struct stay_dest;
struct stay_host; /* plugin/host.h */

enum { STAY_DEST_EXISTS = 1, STAY_DEST_MISSING = 1 };

/** One listed object. */
struct stay_dest_object {
    char *name;
    uint64_t bytes;
    int64_t modified_ns;
};

/** A listing, sorted by name. Zero-initialise; release with stay_dest_list_free(). */
struct stay_dest_list {
    struct stay_dest_object *items;
    size_t n;
    size_t cap;
};

/**
 * Opens a destination of a plugin's: @ops->open(host, create).
 *
 * @host is owned by the result from here on, also when this fails.
 */
STAY_CHECKED int stay_dest_open(struct stay_dest **out, struct stay_host *host,
                                const struct backstay_destination *ops, bool create,
                                struct stay_err *err);

/**
 * A destination from functions and an object of one's own (tests). @self is closed with ops->close,
 * where there is one, by stay_dest_free(). @cancel may be NULL.
 */
struct stay_dest *stay_dest_wrap(const char *name, const struct backstay_destination *ops,
                                 void *self, const struct stay_cancel *cancel);

/** How a retry waits: up to @most_ns, ended early when @cancel asks for it. */
typedef void stay_dest_wait_fn(void *ctx, int64_t most_ns, const struct stay_cancel *cancel);

/** Replaces the wait between tries, which is random between 0 and @most_ns (tests). */
void stay_dest_set_wait(struct stay_dest *dest, stay_dest_wait_fn *wait, void *ctx);

/** Closes and releases it. NULL is allowed. */
void stay_dest_free(struct stay_dest *dest);
STAY_DEFINE_AUTO(struct stay_dest, stay_dest_free)

/** The configured name. */
const char *stay_dest_name(const struct stay_dest *dest);

STAY_CHECKED int stay_dest_put(struct stay_dest *dest, const char *name, const void *data,
                               size_t len, struct stay_err *err);

/**
 * Where a retry finds the object there and its content is @data, an earlier try has stored it: 0.
 *
 * @return 0, STAY_DEST_EXISTS, -1.
 */
STAY_CHECKED int stay_dest_put_if_absent(struct stay_dest *dest, const char *name, const void *data,
                                         size_t len, struct stay_err *err);

/** Exactly @len bytes at @offset; fewer are an error of kind CORRUPT. @return 0, STAY_DEST_MISSING,
 * -1. */
STAY_CHECKED int stay_dest_get(struct stay_dest *dest, const char *name, uint64_t offset,
                               void *data, size_t len, struct stay_err *err);

/**
 * The whole object, appended to @out.
 *
 * @limit_bytes a larger object is an error of kind CORRUPT.
 * @return 0, STAY_DEST_MISSING, -1.
 */
STAY_CHECKED int stay_dest_get_all(struct stay_dest *dest, const char *name, size_t limit_bytes,
                                   struct stay_buf *out, struct stay_err *err);

/** All objects whose names begin with @prefix, sorted by name. */
STAY_CHECKED int stay_dest_list(struct stay_dest *dest, const char *prefix,
                                struct stay_dest_list *out, struct stay_err *err);
void stay_dest_list_free(struct stay_dest_list *list);

/** @return 0 (also when a retry finds it gone), STAY_DEST_MISSING, -1. */
STAY_CHECKED int stay_dest_remove(struct stay_dest *dest, const char *name, struct stay_err *err);

/** @out->known is 0 where the destination cannot tell. */
STAY_CHECKED int stay_dest_space(struct stay_dest *dest, struct backstay_space *out,
                                 struct stay_err *err);

/** The plugin's preflight, never repeated: a second run would report everything twice. */
STAY_CHECKED int stay_dest_check(struct stay_dest *dest, struct backstay_report *report,
                                 struct stay_err *err);

/** A listing that releases itself at the end of the scope. */
static inline void stay_dest_list_free_auto(struct stay_dest_list *list)
{
    stay_dest_list_free(list);
}

#define stay_auto_dest_list __attribute__((cleanup(stay_dest_list_free_auto)))
