/* plugins/source/media/folder.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * folder: the folders that a walk still has to do with, as a tree of names.
 *
 * A folder knows its parent and its own name, so that a path of any length costs one name, and it
 * can be opened relative to an ancestor although no path longer than PATH_MAX can be. Only some of
 * them are open at a time: those that nobody has pinned are closed, oldest first, and what is below
 * them is opened from the next ancestor that is open; no symbolic link is followed on the way.
 *
 * Thread-safety: any thread may call everything; a set has one lock, taken per folder, not per
 * file.
 */
#pragma once

#include "mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct media_folder {
    struct media_folder *parent; /* a counted reference; NULL for the root */
    struct media_folder *newer;  /* among the open ones */
    struct media_folder *older;
    unsigned refs;
    unsigned pins;
    int fd;
    bool included; /* an include pattern matched it or a folder above it */
    char name[];
};

struct media_folders {
    pthread_mutex_t lock;
    struct media_folder *root;
    struct media_folder *oldest;
    struct media_folder *newest;
    unsigned n_open;
    unsigned max_open;
    bool step_by_step; /* see below.h */
};

/** Starts a set at the open folder @root_fd, which then belongs to it. */
void media_folders_init(struct media_folders *set, int root_fd, bool included);

/** Closes and releases what is left. */
void media_folders_done(struct media_folders *set);

/** A folder called @name in @parent; the caller drops it with media_folder_drop(). */
struct media_folder *media_folder_new(struct media_folders *set, struct media_folder *parent,
                                      const char *name);

struct media_folder *media_folder_ref(struct media_folders *set, struct media_folder *folder);
void media_folder_drop(struct media_folders *set, struct media_folder *folder);

/**
 * Opens the folder, if it is not, and keeps it open until media_folder_unpin().
 *
 * @return its descriptor, or -1 with errno set.
 */
int media_folder_pin(struct media_folders *set, struct media_folder *folder);
void media_folder_unpin(struct media_folders *set, struct media_folder *folder);

/** Appends the path from the root to @path, without a slash at either end. */
void media_folder_path(const struct media_folder *folder, struct plug_bytes *path);

/** openat(2) that leaves the access time alone where the file's owner or root asks. */
int media_open_quietly(int dir_fd, const char *name, int flags);
