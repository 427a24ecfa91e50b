/* src/engine/tree.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tree: the streams of a snapshot, read back: its manifest as a list of entries, its facts and
 * notes as text. Needs the snapshot alone, no index.
 *
 * Damage does not end the reading: what lies in damaged frames is left out and counted, so that
 * everything else can still be listed and restored.
 *
 * Layer: engine. Thread-safety: constant once loaded.
 */
#pragma once

#include "engine/fetch.h"
#include "store/manifest.h"

/** A stream in memory, or in an unlinked file mapped into it. */
struct stay_text {
    const char *data;
    size_t len;
    size_t missing_bytes; /* replaced by newlines */
    struct stay_err first_damage;
    /* private */
    char *memory;
    struct stay_window *window; /* NULL: in memory */
};

void stay_text_free(struct stay_text *text);

/**
 * Reads one stream.
 *
 * @threads how many decode.
 * @scratch a folder for a temporary file, used when the stream is large.
 * @return 0, also when parts are missing; -1 when it cannot be read at all.
 */
STAY_CHECKED int stay_text_load(struct stay_text *out, struct stay_dest *dest,
                                const struct stay_snapshot *snapshot,
                                enum stay_snapshot_streams which, unsigned threads,
                                const char *scratch, struct stay_err *err);

struct stay_tree;

/** Reads the manifest. */
STAY_CHECKED int stay_tree_load(struct stay_tree **out, struct stay_dest *dest,
                                const struct stay_snapshot *snapshot, unsigned threads,
                                const char *scratch, struct stay_err *err);
void stay_tree_free(struct stay_tree *tree);
STAY_DEFINE_AUTO(struct stay_tree, stay_tree_free)

/** How many entries there are, damaged lines not counted. */
size_t stay_tree_count(const struct stay_tree *tree);

/** The lines of entry @number. */
const char *stay_tree_line(const struct stay_tree *tree, size_t number, size_t *len);

/** Decodes entry @number. */
STAY_CHECKED int stay_tree_entry(const struct stay_tree *tree, size_t number,
                                 struct stay_manifest_entry *out, struct stay_err *err);

/**
 * What is missing from the manifest: @bytes of text, @lines that could not be read.
 * @return NULL when nothing is, else why.
 */
const struct stay_err *stay_tree_damage(const struct stay_tree *tree, size_t *bytes, size_t *lines);

/** Which entries a user means: each is a path (with all below it) or a pattern; none: all. */
struct stay_patterns {
    const char *const *items;
    size_t n;
};

/**
 * Whether @path is meant. A pattern without '/' matches a name at any depth; '*' and '?' do not
 * cross '/', unless the pattern has "**".
 */
bool stay_patterns_match(const struct stay_patterns *patterns, const char *path);

/** The numbers of the entries that match, ascending; the caller frees it. */
STAY_CHECKED int stay_tree_select(const struct stay_tree *tree,
                                  const struct stay_patterns *patterns, uint32_t **out, size_t *n,
                                  struct stay_err *err);
