/* plugins/shared/folders.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * folders: the entries of a feed by their paths, and the folders that they are in: one for each
 * database of a snapshot.
 *
 * Thread-safety: any thread; a list does not change once read.
 */
#pragma once

#include "mem.h"

#include <backstay/plugin.h>

struct plug_folder {
    char *path; /* "shop/", escaped as in the snapshot */
    uint64_t first, last;
};

struct plug_folders {
    struct plug_folder *items;
    size_t n;
    size_t cap;
};

/** The index of the entry folder + name, or UINT64_MAX. */
uint64_t plug_folder_find(struct backstay_feed *feed, const char *folder, const char *name);

/**
 * Reads the folders at the top. Release with plug_folders_free() in any case.
 *
 * @return 0; -1 with @err.
 */
int plug_folders_read(struct plug_folders *out, struct backstay_feed *feed,
                      const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));
void plug_folders_free(struct plug_folders *folders);
