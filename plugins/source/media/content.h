/* plugins/source/media/content.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * content: reads one regular file and hands it to the sink, and notices when the file changes
 * under its hands.
 *
 * A small file is read in one go, and again when it changed meanwhile; a large one is streamed.
 * What had changed all the same is recorded with BACKSTAY_ENTRY_CHANGED and a warning. Of a sparse
 * file only the data is read.
 *
 * Thread-safety: a struct media_content belongs to one thread.
 */
#pragma once

#include "meta.h"
#include "walk.h"

enum { MEDIA_CONTENT_PIECE = 1 << 20, MEDIA_CONTENT_NONE = 1 };

struct media_content {
    const struct media *media;
    struct backstay_sink *sink;
    struct media_meta *meta;
    struct media_walk *walk;
    unsigned worker;
    char *buffer; /* MEDIA_CONTENT_PIECE bytes */
    struct backstay_extent *extents;
    size_t extents_cap;
};

/** What became of a file. */
struct media_sent {
    uint64_t bytes; /* the size that was recorded */
    struct stat st; /* the state that was read */
    bool clean;     /* it is the very file that was asked for, and did not change */
};

/**
 * Reads the file at @spot and records it.
 *
 * @link_group as in the entry.
 * @sent is filled in when it was recorded.
 * @return 0; MEDIA_CONTENT_NONE when it could not be read, which was warned of; -1: stop.
 */
int media_content_send(struct media_content *content, const struct media_spot *spot,
                       uint64_t link_group, struct media_sent *sent);

/** Notes what media_meta_xattrs() could not read. @return 0, or -1: stop. */
int media_content_xattr_trouble(struct backstay_sink *sink, const struct media_spot *spot,
                                const char *failed, int error);

void media_content_free(struct media_content *content);
