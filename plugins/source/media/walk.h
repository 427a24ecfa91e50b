/* plugins/source/media/walk.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * walk: visits everything in a directory tree that is selected, with several threads.
 *
 * The threads share a stack of work: folders to list, and runs of names of a listed folder. Taking
 * the newest first keeps neighbours together and the stack short: it grows with the depth of the
 * tree, not with its size. A visitor who is about to take long over one file says so with
 * media_walk_share(), and other threads take over the rest of its run.
 *
 * Thread-safety: the visitor's functions are called from several threads at once.
 */
#pragma once

#include "media.h"

#include <stdint.h>
#include <sys/stat.h>

struct media_walker;

/** Something that was found. All of it is valid during the call only. */
struct media_spot {
    const char *path; /* from the root, NUL-terminated; "" is the root itself */
    size_t path_len;
    int dir_fd;       /* the folder that it is in; -1 for folders, which are open themselves */
    const char *name; /* its name in there */
    int fd;           /* a folder, opened; -1 when it could not be */
    int error;        /* why it could not be opened or looked at: an errno; else 0 */
    const struct stat *st;
    int64_t seen_ns; /* not later than the moment of the stat */
};

/** Who comes along. A function returns 0, or -1 to end the walk. */
struct media_visitor {
    void *ctx;
    int (*folder)(void *ctx, unsigned worker, const struct media_spot *spot);
    int (*entry)(void *ctx, unsigned worker, const struct media_spot *spot);

    /** @what could not be done at spot->path: spot->error says why; spot->st is NULL. */
    int (*trouble)(void *ctx, unsigned worker, const struct media_spot *spot, const char *what);
};

/** What to walk. */
struct media_walk {
    const struct media *media;
    const char *root;
    struct media_visitor visitor;
    struct media_walker *walker; /* set during the walk */
    uint64_t names;              /* out: how many names were found, unselected ones included */
};

/**
 * Walks with host->jobs threads; returns after all of them have ended.
 *
 * @return 0; -1 when the root is missing or not readable or the host cancelled (@err is set), or
 *         when the visitor ended it (@err is not touched).
 */
int media_walk_run(struct media_walk *walk, struct backstay_error *err);

/** From within entry(): lets other threads have the names that @worker would visit next. */
void media_walk_share(struct media_walk *walk, unsigned worker);

/** Wall time in nanoseconds. */
int64_t media_now_ns(void);
