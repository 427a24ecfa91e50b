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

/** What a plugin takes as backstay_target.options; NULL with *@n 0 for nothing. */
const struct backstay_option *const *stay_source_restore_options(const struct backstay_source *ops,
                                                                 size_t *n);

/**
 * Whether the plugin knows every option of @target.
 * @return 0, or -1 with kind USAGE, naming the first that it does not know.
 */
STAY_CHECKED int stay_source_check_target(const struct stay_source *source,
                                          const struct backstay_target *target,
                                          struct stay_err *err);

/** Whether its restores are compared with what was recorded: it offers probe() and covers(). */
bool stay_source_compares(const struct stay_source *source);

/** Whether a restore into @target brings back what @fact is about. For sources that compare. */
bool stay_source_covers(const struct stay_source *source, const struct backstay_target *target,
                        const char *fact);

/** Reports the facts of @target, or of the live source when it is NULL. */
STAY_CHECKED int stay_source_probe(struct stay_source *source, const struct backstay_target *target,
                                   struct backstay_report *report, struct stay_err *err);

/**
 * Makes a throwaway place to restore into.
 *
 * @out its keep_until_ns says how long; the texts of the result are terminated.
 */
STAY_CHECKED int stay_source_scratch_create(struct stay_source *source,
                                            struct backstay_scratch *out, struct stay_err *err);

/** Removes the place that @marker stands for. */
STAY_CHECKED int stay_source_scratch_remove(struct stay_source *source, const char *marker,
                                            struct stay_err *err);
