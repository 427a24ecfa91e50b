/* src/store/snapshot.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshot: the document of one recovery point of one source. It holds no file names, and names
 * everything that a restore needs: packs, frames, and where the manifest is, so that neither index
 * nor catalogue is needed to begin.
 *
 * Layer: store. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "store/doc.h"
#include "store/frame.h"

enum { STAY_SNAPSHOT_ID = 8, STAY_RUN_ID = 16, STAY_SNAPSHOT_NAME_MAX = 160, STAY_SOURCE_MAX = 64 };

/** Consecutive frames of one pack with the same codec; one that has bases is by itself. */
struct stay_snapshot_frames {
    uint32_t first;
    uint32_t last;
    enum stay_codec codec;
    STAY_VEC(struct stay_frame_base) bases;
};

struct stay_snapshot_pack {
    struct stay_id id;
    uint64_t bytes;
    STAY_VEC(struct stay_snapshot_frames) frames;
};

/** A frame that holds pieces of the streams below: found without an index. */
struct stay_snapshot_frame {
    uint32_t pack; /* into packs */
    uint32_t number;
    struct stay_frame_info info; /* without a chunk list */
};

struct stay_snapshot_chunk {
    struct stay_id id;
    uint32_t bytes;
    uint32_t frame;  /* into stream_frames */
    uint32_t offset; /* in that frame's tar */
};

/** Text stored as chunks: manifest, facts, notes. */
struct stay_snapshot_stream {
    uint64_t bytes;
    STAY_VEC(struct stay_snapshot_chunk) chunks;
};

enum stay_snapshot_streams { STAY_MANIFEST, STAY_FACTS, STAY_NOTES, STAY_STREAMS };

struct stay_snapshot_counts {
    uint64_t entries;
    uint64_t files;
    uint64_t warnings;
    uint64_t unchanged;    /* entries that were not read again */
    uint64_t bytes;        /* of all files */
    uint64_t bytes_read;   /* by this run */
    uint64_t bytes_new;    /* in chunks that were not there */
    uint64_t bytes_stored; /* in packs, by this run */
};

struct stay_snapshot {
    char id[STAY_SNAPSHOT_ID + 1];
    char run[STAY_RUN_ID + 1];
    char *source;
    char *type;
    char *app; /* NULL: none configured */
    char *host;
    char *version;
    int64_t instant_ns;
    int64_t started_ns;
    int64_t finished_ns;
    struct stay_snapshot_counts counts;
    json_t *details; /* an object of strings */
    STAY_VEC(struct stay_snapshot_pack) packs;
    STAY_VEC(struct stay_snapshot_frame) stream_frames;
    struct stay_snapshot_stream streams[STAY_STREAMS];
};

void stay_snapshot_free(struct stay_snapshot *snapshot);
STAY_DEFINE_AUTO(struct stay_snapshot, stay_snapshot_free)

/** Appends the sealed document. */
void stay_snapshot_encode(struct stay_buf *out, const struct stay_snapshot *snapshot,
                          const char *repository_id);

/**
 * Reads a sealed document that was stored under @name; it must say so itself, and belong to this
 * repository, so that a swapped or forged one is noticed.
 *
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_snapshot_decode(struct stay_snapshot **out, const struct stay_buf *text,
                                      const char *name, const char *repository_id,
                                      struct stay_err *err);

/** "snapshots/SOURCE/20261122T023000Z-1a2b3c4d.json". @return @out. */
char *stay_snapshot_name(char out[static STAY_SNAPSHOT_NAME_MAX], const char *source,
                         int64_t instant_ns, const char *id);

/** What an object's name tells. */
struct stay_snapshot_ref {
    char name[STAY_SNAPSHOT_NAME_MAX];
    char source[STAY_SOURCE_MAX + 1];
    char id[STAY_SNAPSHOT_ID + 1];
    int64_t instant_ns; /* whole seconds */
};

/** @return 0, or -1 when @name is not a snapshot's. */
STAY_CHECKED int stay_snapshot_parse_name(struct stay_snapshot_ref *out, const char *name);

/** The counts as a JSON object. */
json_t *stay_snapshot_counts_json(const struct stay_snapshot_counts *counts);

/** "manifest", "facts", "notes". */
const char *stay_snapshot_stream_name(enum stay_snapshot_streams stream);
