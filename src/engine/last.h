/* src/engine/last.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * last: what the last snapshot of a source held, in a local file: each entry's path, the token of
 * its state, and its manifest line. It answers "is this entry unchanged?" without reading anything
 * of the repository. It is a cache: without it, everything is read again and deduplicated.
 *
 * Layer: engine. Thread-safety: reading from any thread; writing from one.
 */
#pragma once

#include "codec/digest.h"

#include <backstay/plugin.h>

struct stay_last;

/** Maps the file. NULL when there is none or it is not sound. */
struct stay_last *stay_last_open(const char *path);
void stay_last_free(struct stay_last *last);
STAY_DEFINE_AUTO(struct stay_last, stay_last_free)

size_t stay_last_count(const struct stay_last *last);

/** The number of the record with this path and token, or -1. */
int64_t stay_last_find(const struct stay_last *last, const char *path, size_t path_len,
                       const void *token, size_t token_len);

/** One record, in the order of paths. */
struct stay_last_record {
    const char *path;
    const char *line; /* the manifest lines of the entry */
    const void *token;
    uint32_t path_len;
    uint32_t line_len;
    uint32_t token_len;
};

void stay_last_get(const struct stay_last *last, size_t number, struct stay_last_record *out);

struct stay_last_writer;

/** Begins a new file beside @path. */
STAY_CHECKED int stay_last_create(struct stay_last_writer **out, const char *path,
                                  struct stay_err *err);

/** Appends a record; they come in the order of paths. */
STAY_CHECKED int stay_last_add(struct stay_last_writer *writer,
                               const struct stay_last_record *record, struct stay_err *err);

/** Completes the file and puts it in the place of the old one. */
STAY_CHECKED int stay_last_commit(struct stay_last_writer *writer, struct stay_err *err);

/** Releases the writer; what was not committed is removed. NULL is allowed. */
void stay_last_writer_free(struct stay_last_writer *writer);
STAY_DEFINE_AUTO(struct stay_last_writer, stay_last_writer_free)
