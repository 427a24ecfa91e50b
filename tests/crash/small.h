/* tests/crash/small.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * small: a repository in memory of a few dozen kilobytes, with everything in it that a large one
 * has: several packs, frames of each kind, files of several chunks, shared chunks, several
 * snapshots. And the operations on it that tests repeat ten thousand times.
 *
 * Layer: tests. Uses: engine. Thread-safety: one thread.
 */
#pragma once

#include "engine/backup.h"
#include "engine/check.h"
#include "engine/restore.h"
#include "support/memory_dest.h"
#include "support/memory_source.h"

enum { SMALL_SNAPSHOTS = 3 };

/** The repository, and what the source was at each snapshot. */
struct small {
    struct stay_memory_dest *memory;
    struct stay_dest *dest;
    char *folder; /* of this test's, for caches and temporary files */
    struct stay_memory_source *files[SMALL_SNAPSHOTS];
    char ids[SMALL_SNAPSHOTS][STAY_SNAPSHOT_ID + 1];
    char names[SMALL_SNAPSHOTS][STAY_SNAPSHOT_NAME_MAX];
    size_t n_snapshots;
};

/** The log says nothing from here on. */
void small_quiet(void);

/** An empty repository. */
void small_open(struct small *small);
void small_close(struct small *small);

/** The source as it is at snapshot @number, made from the one before it. */
struct stay_memory_source *small_files(const struct small *small, size_t number);

/** Makes all snapshots. */
void small_fill(struct small *small);

/** A store with the same content, without history. */
struct stay_memory_dest *small_copy(struct stay_memory_dest *memory);

/** Where a run keeps its caches: a new folder below the test's own; the caller frees it. */
char *small_state(const struct small *small, const char *name);

/** Backs @files up to @dest. */
int small_backup(struct stay_dest *dest, struct stay_memory_source *files, const char *state,
                 struct stay_backup_result *result, struct stay_err *err);

/** check --read-data. @result is to be released if this returns 0 or -1. */
int small_check(struct stay_dest *dest, const char *scratch, struct stay_check_result *result,
                struct stay_err *err);

/** A restore, as far as tests look at it. */
struct small_restored {
    size_t missing_bytes; /* of the manifest */
    size_t n_problems;
    char *problems; /* "PATH: TEXT" lines */
};

/** Restores a snapshot into @files. Release @out in any case. */
int small_restore(struct stay_dest *dest, const char *spec, struct stay_memory_source *files,
                  const char *scratch, struct small_restored *out, struct stay_err *err);
void small_restored_free(struct small_restored *restored);

/** Fails the test unless check finds no damage; @when says what has happened. */
void small_assert_clean(struct stay_dest *dest, const char *scratch, const char *when);

/** Fails the test unless everything of @files comes back from snapshot @spec. */
void small_assert_restores(struct stay_dest *dest, const char *spec,
                           struct stay_memory_source *files, const char *scratch, const char *when);
