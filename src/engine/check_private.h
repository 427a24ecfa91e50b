/* src/engine/check_private.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of check share: check.c the order of things, check_documents.c records and texts,
 * check_data.c packs, check_snapshots.c references, check_entries.c manifests.
 *
 * Layer: engine, for check*.c only.
 */
#pragma once

#include "engine/check.h"

#include <pthread.h>
#include <stdatomic.h>

struct stay_check {
    const struct stay_check_options *options;
    struct stay_check_result *result;
    pthread_mutex_t mutex; /* guards result->findings */
    struct stay_index *index;
    struct stay_dest_list objects; /* all of the repository's */
    struct stay_dest_list locks;
    struct stay_snapshot_list snapshots;
    struct stay_map *records; /* snapshot's name -> a record says it was made */
    atomic_uchar *bad_frames; /* per frame of the index */
    atomic_bool any_bad_frame;
};

/** Adds a finding. Any thread. */
void stay_check_note(struct stay_check *check, enum stay_finding_kind kind, const char *object,
                     const char *path, const char *fmt, ...) STAY_PRINTF(5, 6);

/** Marks a frame of the index as unreadable. Any thread. */
void stay_check_bad_frame(struct stay_check *check, size_t frame);

/** Texts, index objects, records, locks, and objects that are none of ours. */
STAY_CHECKED int stay_check_documents(struct stay_check *check, struct stay_err *err);

/** Packs against the index and the list of objects. */
STAY_CHECKED int stay_check_packs(struct stay_check *check, struct stay_err *err);

/** Reads packs. */
STAY_CHECKED int stay_check_data(struct stay_check *check, struct stay_err *err);

/** Frames that are built on others which are missing or damaged: after packs and data. */
void stay_check_bases(struct stay_check *check);

/** Every snapshot, and what of it is lost. */
STAY_CHECKED int stay_check_snapshots(struct stay_check *check, struct stay_err *err);

/** One snapshot under examination. */
struct stay_check_exam {
    struct stay_check *check;
    const char *name;
    const struct stay_snapshot *snapshot;
    const struct stay_index_frame *frames;
    unsigned char *referenced; /* per frame of the index: the snapshot names it */
};

/** Adds damage of the snapshot. Any thread. */
void stay_check_damage(const struct stay_check_exam *exam, const char *text);

/** Every entry of a manifest: its order, and whether its chunks can be read. */
STAY_CHECKED int stay_check_entries(const struct stay_check_exam *exam,
                                    const struct stay_tree *tree, struct stay_err *err);
