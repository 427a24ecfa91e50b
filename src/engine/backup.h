/* src/engine/backup.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * backup: one run: a source is read once, and each destination gets a complete snapshot of it.
 *
 * Layer: engine. Thread-safety: one thread; threads of its own inside.
 */
#pragma once

#include "engine/sink.h"
#include "plugin/source.h"

/** One destination of a run. */
struct stay_backup_dest {
    struct stay_dest *dest; /* borrowed; NULL: could not be opened, @open_error says why */
    const char *name;
    struct stay_err open_error;
};

struct stay_backup_options {
    struct stay_source *source; /* borrowed */
    const struct stay_backup_dest *dests;
    size_t n_dests;
    const char *app;       /* NULL: none */
    const char *state_dir; /* exists; holds locks/ and cache/, which are created */
    int level;
    unsigned threads;
    size_t memory_limit;
    bool read_all; /* trust no cache: read every entry */
    const struct stay_cancel *cancel;
    struct stay_progress *progress;
    const struct stay_clock *clock;
};

/** How it went on one destination. */
struct stay_backup_copy {
    const char *dest;                      /* its name; borrowed from the options */
    char snapshot[STAY_SNAPSHOT_NAME_MAX]; /* the object; empty: this copy is missing */
    struct stay_err error;                 /* why it is missing */
    uint64_t bytes_stored;
};

struct stay_backup_result {
    char id[STAY_SNAPSHOT_ID + 1];
    int64_t instant_ns;
    int64_t elapsed_ns;
    struct stay_snapshot_counts counts;
    struct stay_backup_copy copies[STAY_DESTINATIONS_MAX];
    size_t n_copies;
    size_t n_missing; /* copies that could not be made */
};

/**
 * Runs a backup.
 *
 * @return 0 when at least one copy was made (see n_missing and counts.warnings); -1 when none was:
 *         then no snapshot of this run is listed anywhere.
 */
STAY_CHECKED int stay_backup(const struct stay_backup_options *options,
                             struct stay_backup_result *result, struct stay_err *err);
