/* src/plugin/source.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * source: a configured source, as the rest of the program uses it.
 *
 * Puts the convention of struct stay_err around the plugin's functions, marks errors with
 * STAY_ORIGIN_SOURCE and prefixes them "source NAME". A function that the plugin does not offer
 * fails with kind CONFIG and says so. No retries: a plugin knows best what can be repeated.
 *
 * Layer: plugin. Thread-safety: one call at a time.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

struct stay_source;
struct stay_host; /* plugin/host.h */

/** Opens a source of a plugin's. @host is owned by the result from here on, also on failure. */
STAY_CHECKED int stay_source_open(struct stay_source **out, struct stay_host *host,
                                  const char *type, const struct backstay_source *ops,
                                  struct stay_err *err);

/** A source from functions and an object of one's own (tests). */
struct stay_source *stay_source_wrap(const char *name, const char *type,
                                     const struct backstay_source *ops, void *self);

/** Closes and releases it. NULL is allowed. */
void stay_source_free(struct stay_source *source);
STAY_DEFINE_AUTO(struct stay_source, stay_source_free)

/** The configured name, and the plugin's. */
const char *stay_source_name(const struct stay_source *source);
const char *stay_source_type(const struct stay_source *source);

STAY_CHECKED int stay_source_check(struct stay_source *source, struct backstay_report *report,
                                   struct stay_err *err);
STAY_CHECKED int stay_source_backup(struct stay_source *source, struct backstay_sink *sink,
                                    struct stay_err *err);
STAY_CHECKED int stay_source_restore(struct stay_source *source,
                                     const struct backstay_target *target,
                                     struct backstay_feed *feed, struct stay_err *err);
