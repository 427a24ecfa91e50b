/* src/engine/sink_private.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of the sink share: sink.c takes entries in, sink_finish.c makes streams of
 * them.
 *
 * Layer: engine, for sink*.c only.
 */
#pragma once

#include "engine/sink.h"

#include <pthread.h>
#include <stdatomic.h>

/** The path of the record that keeps the pieces of the manifest itself; sorts before all others. */
#define STAY_SINK_SELF     "\0manifest"
#define STAY_SINK_SELF_LEN (sizeof STAY_SINK_SELF - 1)

/** Another name of a file whose content may come later. */
struct stay_sink_link {
    uint64_t group;
    char *path;
    char *line;
    void *token;
    uint32_t path_len;
    uint32_t line_len;
    uint32_t token_len;
};

struct stay_sink {
    struct backstay_sink abi;
    struct stay_pipeline *pipeline;
    const struct stay_last *last;
    struct stay_progress *progress;
    struct stay_collect *collect;
    atomic_uchar *adopted; /* per record of last */
    _Atomic uint64_t n_adopted;
    _Atomic uint64_t entries;
    _Atomic uint64_t files;
    _Atomic uint64_t bytes;
    _Atomic uint64_t bytes_read;
    _Atomic int64_t instant_ns;
    pthread_mutex_t mutex;                  /* guards what follows */
    STAY_VEC(struct stay_cutter *) cutters; /* idle */
    STAY_VEC(struct stay_note) notes;
    STAY_VEC(struct stay_sink_link) links;
    struct stay_map *groups; /* link group -> the lines of the entry with the content */
    struct stay_map *facts;  /* name -> value */
    json_t *details;
    struct stay_err error;
};

/** Keeps the first error and returns -1. */
int stay_sink_stop(struct stay_sink *sink, const struct stay_err *err);

/** Adds a note about @path (NULL: about all). */
void stay_sink_note(struct stay_sink *sink, const char *path, size_t path_len, const char *text);
