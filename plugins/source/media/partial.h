/* plugins/source/media/partial.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * partial: files that are being written in pieces, in any order, by several threads; only some of
 * them are open at a time. And: where in a sparse file a stretch of its content belongs.
 *
 * Functions that return -1 set errno: EBADMSG when the entry contradicts itself or the data.
 *
 * Thread-safety: any thread may call the functions on struct media_partials.
 */
#pragma once

#include "restore.h"

/** The stretches of data of a sparse file. */
struct media_holes {
    struct backstay_extent *extents;
    uint64_t *starts; /* where in the content each begins; one more for the end */
    size_t n;
};

/** Copies the extents of @entry; to be released with media_holes_free(). @return 0 or -1. */
int media_holes_new(struct media_holes *holes, const struct backstay_entry *entry);
void media_holes_free(struct media_holes *holes);

/** Writes @len bytes of content, which begin at @offset of the content. @return 0 or -1. */
int media_holes_write(const struct media_holes *holes, int fd, uint64_t offset, const char *data,
                      size_t len);

/** Writes all of @data at @offset of the file. @return 0 or -1. */
int media_write_at(int fd, const char *data, size_t len, uint64_t offset);

struct media_partials;

struct media_partials *media_partials_new(const struct media_run *run);

/** Removes the temporary files of what was not taken, too. */
void media_partials_free(struct media_partials *partials);

/**
 * Writes a piece of entry @index into its temporary file in @dir_fd, which is made by the first.
 * @return 0 or -1.
 */
int media_partial_write(struct media_partials *partials, uint64_t index, int dir_fd,
                        const struct backstay_entry *entry, uint64_t offset, const void *data,
                        size_t len);

/** Hands over the open and complete temporary file of entry @index. @return it, or -1. */
int media_partial_take(struct media_partials *partials, uint64_t index, int dir_fd);
