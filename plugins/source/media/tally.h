/* plugins/source/media/tally.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tally: the facts of a tree: how many of each kind, and how many bytes.
 *
 * Sockets do not count: they are never restored, and the facts of a copy must equal the facts of
 * what it was made from.
 *
 * Thread-safety: a tally belongs to one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MEDIA_TALLY_FACTS = 5 };

struct media_tally {
    uint64_t files;
    uint64_t folders;
    uint64_t symlinks;
    uint64_t others;
    uint64_t sockets;
    uint64_t bytes; /* of files, each name of a file counted */
};

void media_tally_add(struct media_tally *tally, mode_t mode, uint64_t bytes);
void media_tally_merge(struct media_tally *into, const struct media_tally *from);
uint64_t media_tally_entries(const struct media_tally *tally);

/** Writes fact @i (below MEDIA_TALLY_FACTS) to @value. @return its name. */
const char *media_tally_fact(const struct media_tally *tally, size_t i, char value[static 24]);

/** The type of the file system of @path ("ext4"), or NULL when it is none of the well known. */
const char *media_file_system(const char *path);
