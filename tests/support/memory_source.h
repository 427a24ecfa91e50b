/* tests/support/memory_source.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * memory_source: a source whose files are in memory, and that restores into memory: for tests that
 * restore ten thousand times.
 *
 *     stay_auto(stay_memory_source_free) struct stay_memory_source *files =
 *         stay_memory_source_new();
 *     stay_memory_source_set(files, "a/b", "text", 4);
 *     stay_source_wrap("media", "memory", stay_memory_source_ops(), files);
 *
 * Layer: tests. Uses: base. Thread-safety: the restore of one object takes the host's threads; the
 * rest is for one thread.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

struct stay_memory_source;

struct stay_memory_source *stay_memory_source_new(void);

/** Releases it with its content. NULL is allowed. */
void stay_memory_source_free(struct stay_memory_source *source);
STAY_DEFINE_AUTO(struct stay_memory_source, stay_memory_source_free)

/** The functions of the ABI; their self is the struct stay_memory_source. There is no open(). */
const struct backstay_source *stay_memory_source_ops(void);

/** Sets a file's content, whatever it was; it then counts as changed. */
void stay_memory_source_set(struct stay_memory_source *source, const char *path, const void *data,
                            size_t len);

/** Removes a file that is there. */
void stay_memory_source_drop(struct stay_memory_source *source, const char *path);

/** A copy as it is now, without what was restored. */
struct stay_memory_source *stay_memory_source_copy(const struct stay_memory_source *source);

/** How many files there are; they are numbered from 0 in the order of their paths. */
size_t stay_memory_source_count(const struct stay_memory_source *source);
const char *stay_memory_source_path(const struct stay_memory_source *source, size_t number);
const struct stay_buf *stay_memory_source_content(const struct stay_memory_source *source,
                                                  size_t number);

/** What a restored file is, compared with the file of the same path. */
enum stay_memory_restored {
    STAY_MEMORY_SAME,    /* restored, with the content that it has here */
    STAY_MEMORY_OTHER,   /* restored, with another content */
    STAY_MEMORY_NOTHING, /* not restored */
};

enum stay_memory_restored stay_memory_source_restored(const struct stay_memory_source *source,
                                                      size_t number);

/** How many restored files have a path that no file has. */
size_t stay_memory_source_strangers(const struct stay_memory_source *source);

/** Forgets what was restored. */
void stay_memory_source_forget(struct stay_memory_source *source);
