/* src/engine/check.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * check: whether everything that a repository says is so.
 *
 * Without data: every document's seal and identity, every reference from snapshots to packs, frames
 * and chunks, every pack's presence and size, every manifest decoded and its chunks looked up. With
 * data: every pack's hash, every frame decoded, every chunk's hash, compared with the index.
 *
 * Layer: engine. Thread-safety: one thread; threads of its own inside.
 */
#pragma once

#include "engine/progress.h"
#include "engine/tree.h"
#include "store/record.h"

struct stay_check_options {
    const struct stay_repository *repository; /* borrowed */
    unsigned data_percent;                    /* of the packs to be read: 0 .. 100 */
    unsigned threads;
    const char *scratch;
    const struct stay_cancel *cancel;
    struct stay_progress *progress;
};

enum stay_finding_kind {
    STAY_FINDING_NOTE,   /* worth knowing; nothing is lost */
    STAY_FINDING_DAMAGE, /* something is not what it must be */
    STAY_FINDING_LOSS    /* an entry of a snapshot that cannot be restored */
};

struct stay_finding {
    enum stay_finding_kind kind;
    char *object; /* the object's name, or the snapshot's for a loss */
    char *path;   /* of the entry, for a loss */
    char *text;
};

struct stay_check_result {
    STAY_VEC(struct stay_finding) findings;
    size_t n_damage; /* damage and losses */
    uint64_t snapshots;
    uint64_t packs;
    uint64_t packs_read;
    uint64_t entries; /* of all snapshots */
    uint64_t bytes_read;
};

/**
 * Checks a repository. What it finds wrong is in the result, not an error.
 * @return 0; -1 when it could not look. The result is to be released in both cases.
 */
STAY_CHECKED int stay_check(const struct stay_check_options *options,
                            struct stay_check_result *result, struct stay_err *err);
void stay_check_result_free(struct stay_check_result *result);

const char *stay_finding_kind_name(enum stay_finding_kind kind);
