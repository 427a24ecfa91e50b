/* src/store/manifest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * manifest: the list of a snapshot's entries, one JSON line each, sorted by the bytes of the path.
 *
 * An entry with more than STAY_MANIFEST_IDS chunks goes on in lines {"part":N,"chunks":[…]} right
 * behind its own. docs/format.md has every member.
 *
 * Layer: store. Thread-safety: one struct stay_manifest_entry belongs to one thread.
 */
#pragma once

#include "codec/digest.h"

#include <backstay/plugin.h>

enum { STAY_MANIFEST_IDS = 1000, STAY_MANIFEST_PATH_MAX = 1 << 20 };

/** Appends the line (or lines) of @entry, whose content is the @n chunks @ids. */
void stay_manifest_encode(struct stay_buf *out, const struct backstay_entry *entry,
                          const struct stay_id *ids, size_t n);

/**
 * A decoded entry, to be used again and again. Zero-initialise; release with
 * stay_manifest_entry_free(). What @entry points to is valid until the next decode.
 */
struct stay_manifest_entry {
    struct backstay_entry entry;
    STAY_VEC(struct stay_id) chunks;
    /* private */
    struct stay_buf strings;
    STAY_VEC(struct backstay_xattr) xattrs;
    STAY_VEC(struct backstay_extent) extents;
    STAY_VEC(struct backstay_pair) pairs;
};

void stay_manifest_entry_free(struct stay_manifest_entry *entry);

static inline void stay_manifest_entry_free_auto(struct stay_manifest_entry *entry)
{
    stay_manifest_entry_free(entry);
}

#define stay_auto_manifest_entry __attribute__((cleanup(stay_manifest_entry_free_auto)))

/**
 * Decodes the lines of one entry (@text has no more and no less). Refuses what is not well-formed,
 * unknown types, paths with "..", ".", empty or NUL components, extents outside of the file.
 *
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_manifest_decode(struct stay_manifest_entry *out, const char *text, size_t len,
                                      struct stay_err *err);

/** How many bytes of @text belong to the first entry: its line and its parts; 0 at the end. */
size_t stay_manifest_first(const char *text, size_t len);

/** The sum of the lengths of the extents, or bytes where there are none: the content's length. */
uint64_t stay_manifest_content_bytes(const struct backstay_entry *entry);

/** "file", "dir", ... */
const char *stay_manifest_type_name(uint32_t type);

/** What a backup needs of a line that it takes over as it is. */
struct stay_manifest_peek {
    bool is_file;
    uint64_t bytes;
    struct stay_id *ids; /* reused between calls; the caller frees it */
    size_t n;
    size_t cap;
};

/** Reads size and chunks out of an entry's lines, which this program wrote. @return 0, or -1. */
STAY_CHECKED int stay_manifest_peek(struct stay_manifest_peek *out, const char *text, size_t len);

/**
 * Appends @text, the lines of a file, with its content (size, holes and chunks) replaced by that of
 * @from, the lines of another.
 */
void stay_manifest_splice(struct stay_buf *out, const char *text, size_t len, const char *from,
                          size_t from_len);
