/* src/engine/collect.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * collect: gathers the manifest records of a run, which come in any order from any thread, and
 * hands them out sorted by path. What does not fit in memory goes to temporary files as sorted runs
 * that are merged at the end, so a tree may have any number of entries.
 *
 * Layer: engine. Thread-safety: add from any thread; each() from one, at the end.
 */
#pragma once

#include "engine/last.h"

struct stay_collect;

/**
 * @scratch     a folder for temporary files.
 * @limit_bytes what may be held in memory.
 */
struct stay_collect *stay_collect_new(const char *scratch, size_t limit_bytes);
void stay_collect_free(struct stay_collect *collect);
STAY_DEFINE_AUTO(struct stay_collect, stay_collect_free)

/** Copies a record. */
STAY_CHECKED int stay_collect_add(struct stay_collect *collect,
                                  const struct stay_last_record *record, struct stay_err *err);

/** Calls @each for every record, in the order of paths, until it returns non-zero. */
STAY_CHECKED int stay_collect_each(struct stay_collect *collect,
                                   int (*each)(void *ctx, const struct stay_last_record *record,
                                               struct stay_err *err),
                                   void *ctx, struct stay_err *err);

size_t stay_collect_count(const struct stay_collect *collect);

/** The order of manifests: by the bytes of the paths, a prefix first. */
int stay_path_compare(const char *a, size_t a_len, const char *b, size_t b_len);
