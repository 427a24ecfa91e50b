/* src/store/repository.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * repository: our layout on a destination: making one, opening it, its index and snapshots.
 *
 * Layer: store. Thread-safety: constant after opening; the destination allows parallel use.
 */
#pragma once

#include "codec/chunker.h"
#include "plugin/dest.h"
#include "store/index.h"
#include "store/snapshot.h"

enum { STAY_REPOSITORY_ID = 32, STAY_DOC_MAX = 512 * 1024 * 1024 };

/** The version of the repository format that this program reads and writes. */
enum { STAY_FORMAT_VERSION = 1 };

/** A text that lies beside backstay.json, and what it must be. */
struct stay_repository_file {
    char name[64];
    struct stay_id sum;
};

enum { STAY_REPOSITORY_FILES = 8 };

/** An opened repository. @dest is borrowed. */
struct stay_repository {
    struct stay_dest *dest;
    char id[STAY_REPOSITORY_ID + 1];
    struct stay_chunker_params chunker;
    int64_t created_ns;
    struct stay_repository_file files[STAY_REPOSITORY_FILES];
    size_t n_files;
};

enum { STAY_REPOSITORY_EXISTS = 1 };

/**
 * Makes a repository on @dest: README.txt, restore.sh and last, atomically, backstay.json.
 *
 * @like  chunker parameters to take over, so that two destinations cut alike; NULL: new ones.
 * @return 0; STAY_REPOSITORY_EXISTS when there is one already (which is left alone); -1.
 */
STAY_CHECKED int stay_repository_init(struct stay_dest *dest,
                                      const struct stay_chunker_params *like,
                                      const struct stay_clock *clock, struct stay_err *err);

/** Opens it. Fails with kind CONFIG where there is none, saying how to make one. */
STAY_CHECKED int stay_repository_open(struct stay_repository **out, struct stay_dest *dest,
                                      struct stay_err *err);
void stay_repository_free(struct stay_repository *repository);
STAY_DEFINE_AUTO(struct stay_repository, stay_repository_free)

/**
 * Told of each index object that cannot be read; without it, a warning in the log says so. The
 * index works without the object: what it lists counts as not stored.
 */
struct stay_index_watch {
    void (*damaged)(void *ctx, const char *object, const struct stay_err *why);
    void *ctx;
};

/**
 * Loads the whole index and compares it with the packs that exist: a chunk in a pack that is gone
 * or has another size counts as not stored.
 *
 * @cache  a local file that saves reading the repository the next time; NULL: none.
 * @watch  NULL: damage goes to the log.
 */
STAY_CHECKED int stay_repository_index(const struct stay_repository *repository, const char *cache,
                                       struct stay_index **out,
                                       const struct stay_index_watch *watch, struct stay_err *err);

/**
 * Reads the packs of @snapshot that the index does not know and adds what is in them: an index that
 * was lost or damaged does not keep anybody from restoring.
 *
 * @return 0, also when a pack cannot be read (a warning in the log says so).
 */
STAY_CHECKED int stay_repository_reindex(const struct stay_repository *repository,
                                         const struct stay_snapshot *snapshot,
                                         struct stay_index *index, struct stay_err *err);

/**
 * Decodes every frame of a pack in memory and compares the chunks with their names.
 *
 * @out receives the frames with their chunk lists; release with stay_pack_free().
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_pack_read(struct stay_pack *out, const struct stay_id *id, const void *data,
                                size_t len, struct stay_compressor *compressor,
                                struct stay_err *err);

/** Snapshots by their names, oldest first. Release with stay_vec_free(). */
struct stay_snapshot_list {
    struct stay_snapshot_ref *items;
    size_t n;
    size_t cap;
};

/** @source NULL: of all sources. */
STAY_CHECKED int stay_repository_snapshots(const struct stay_repository *repository,
                                           const char *source, struct stay_snapshot_list *out,
                                           struct stay_err *err);

/** Reads one. */
STAY_CHECKED int stay_repository_snapshot(const struct stay_repository *repository,
                                          const char *name, struct stay_snapshot **out,
                                          struct stay_err *err);

/**
 * Finds the snapshot that a user means: "latest" where there is one source, "SOURCE@latest",
 * "SOURCE@TIME" (the newest not after it), a prefix of its id of 4 digits or more (also after
 * "SOURCE@").
 *
 * @return 0, or -1 with kind ABSENT naming what there is.
 */
STAY_CHECKED int stay_repository_find(const struct stay_repository *repository, const char *spec,
                                      struct stay_snapshot_ref *out, struct stay_err *err);

/** The texts that lie in every repository. */
struct stay_asset {
    const char *name;
    const unsigned char *data;
    size_t len;
};

const struct stay_asset *stay_assets(size_t *n);
