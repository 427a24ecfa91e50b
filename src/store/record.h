/* src/store/record.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * record: an immutable document about one run, kept in the repository, and the lock object that
 * says that the run is under way.
 *
 * The lock is written before anything else and removed after everything else. A snapshot whose run
 * still has a lock was interrupted between its snapshot and its record; one with neither record nor
 * lock has lost its record.
 *
 * Layer: store. Thread-safety: no state.
 */
#pragma once

#include "store/repository.h"

enum { STAY_RECORD_NAME_MAX = 128 };

/** What a record of a backup says. */
struct stay_record {
    const char *kind;   /* "backup" */
    const char *result; /* "ok", "warnings", "failed" */
    const char *run;
    const char *source;
    const char *host;
    const char *snapshot; /* the object's name; NULL: none was made */
    const char *error;    /* NULL: none */
    int64_t started_ns;
    int64_t finished_ns;
    const struct stay_snapshot_counts *counts; /* may be NULL */
};

/** "records/2026/11/20261122T023000Z-backup-RUN.json". @return @out. */
char *stay_record_name(char out[static STAY_RECORD_NAME_MAX], const struct stay_record *record);

STAY_CHECKED int stay_record_put(const struct stay_repository *repository,
                                 const struct stay_record *record, struct stay_err *err);

/** A record as far as checking needs it. */
struct stay_record_seen {
    char *name;
    char *snapshot; /* NULL: names none */
    char *run;
};

/** Reads the record stored under @name. @return 0, or -1 with kind CORRUPT. */
STAY_CHECKED int stay_record_get(const struct stay_repository *repository, const char *name,
                                 struct stay_record_seen *out, struct stay_err *err);
void stay_record_seen_free(struct stay_record_seen *record);

/** Notes that @run is under way. */
STAY_CHECKED int stay_run_lock(const struct stay_repository *repository, const char *run,
                               const char *source, const char *host, int64_t now_ns,
                               struct stay_err *err);

/** Removes the note. */
STAY_CHECKED int stay_run_unlock(const struct stay_repository *repository, const char *run,
                                 struct stay_err *err);

/** The runs that are noted as under way (or were cut off): a sorted list of "locks/RUN.json". */
STAY_CHECKED int stay_run_locks(const struct stay_repository *repository,
                                struct stay_dest_list *out, struct stay_err *err);
