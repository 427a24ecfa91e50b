/* src/engine/sink.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * sink: what a source plugin sends its entries to: content goes into the pipeline, entries into the
 * manifest, facts and notes beside it.
 *
 * Layer: engine. Thread-safety: the ABI functions from any thread; the rest from one.
 */
#pragma once

#include "engine/collect.h"
#include "engine/cutter.h"

struct stay_sink;

struct stay_sink_options {
    struct stay_pipeline *pipeline; /* borrowed */
    const struct stay_last *last;   /* borrowed; NULL: everything is read */
    const char *scratch;            /* a folder for temporary files */
    size_t memory_bytes;            /* for the list of entries */
    struct stay_progress *progress; /* may be NULL */
    int64_t now_ns;                 /* the instant unless the source says another */
};

struct stay_sink *stay_sink_new(const struct stay_sink_options *options);
void stay_sink_free(struct stay_sink *sink);
STAY_DEFINE_AUTO(struct stay_sink, stay_sink_free)

/** What the plugin is given. */
struct backstay_sink *stay_sink_abi(struct stay_sink *sink);

/** Why an ABI call returned -1, where the pipeline does not know. NULL: it does, or nothing did. */
const struct stay_err *stay_sink_error(const struct stay_sink *sink);

/** What a run gathered: the streams of its snapshot as pieces, counts, details. */
struct stay_sink_result {
    struct stay_pieces streams[STAY_STREAMS];
    struct stay_snapshot_counts counts;
    int64_t instant_ns;
    json_t *details;
    bool cache_current; /* the file of stay_last is right as it is */
};

void stay_sink_result_free(struct stay_sink_result *result);

/**
 * After the source is done: sorts the manifest and sends the streams into the pipeline.
 *
 * @last_path where the file for the next run's stay_last goes; NULL: nowhere. It is complete when
 *            this returns, but only to be put into place after the snapshot is durable.
 * @writer    receives it; NULL when there is nothing to write.
 */
STAY_CHECKED int stay_sink_finish(struct stay_sink *sink, const char *last_path,
                                  struct stay_sink_result *result, struct stay_last_writer **writer,
                                  struct stay_err *err);

/** One thing that was not as it should be. */
struct stay_note {
    char *path; /* NULL: not about one entry */
    char *text;
};

const struct stay_note *stay_sink_notes(const struct stay_sink *sink, size_t *n);
