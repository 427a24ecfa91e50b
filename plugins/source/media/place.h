/* plugins/source/media/place.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * place: folders below the target of a restore, opened without ever following a symbolic link, and
 * kept open for a while, since files that follow each other mostly share a folder.
 *
 * Thread-safety: any thread may call everything.
 */
#pragma once

#include "mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** One open folder. Its members are read by others, written by place.c alone. */
struct media_place {
    int fd;            /* O_PATH: enough to reach what is in it */
    bool fresh;        /* made by this restore: nothing is in it that the restore did not make */
    bool learned;      /* the rest is known; read with __ATOMIC_ACQUIRE */
    bool odd_modes;    /* what is made here does not get the mode that was asked for */
    bool inherits_acl; /* what is made here gets an ACL from the folder's default */
    uid_t uid;         /* who owns what is made here */
    gid_t gid;
    unsigned refs; /* from here on: the cache's */
    struct media_place *next;
    struct media_place *newer;
    struct media_place *older;
    size_t len;
    char path[];
};

struct media_places {
    pthread_mutex_t lock;
    int root_fd;
    bool step_by_step; /* the kernel has no openat2(2) */
    unsigned n;
    struct media_place *slots[512];
    struct media_place *oldest;
    struct media_place *newest;
};

/** @root_fd stays the caller's. */
void media_places_init(struct media_places *places, int root_fd);

/** Closes all; none may be in use. */
void media_places_done(struct media_places *places);

/**
 * Opens the folder @path (@len bytes, from the root of the target; 0: the root itself).
 *
 * @fresh it was just made; kept with the place.
 * @return the place, to be handed back with media_places_close(); NULL with errno set: ELOOP or
 *         ENOTDIR when a part of the path is a symbolic link or no folder.
 */
struct media_place *media_places_open(struct media_places *places, const char *path, size_t len,
                                      bool fresh);
void media_places_close(struct media_places *places, struct media_place *place);

/** Notes, from the first file that was made in @place, what becomes of files made there. */
void media_place_learn(struct media_places *places, struct media_place *place, int made_fd,
                       mode_t expected);

/** The length of the path of the folder that @path is in; 0 for the root. */
size_t media_parent_len(const char *path, size_t len);

/** The last component of @path, NUL-terminated as @path is. */
const char *media_base_name(const char *path, size_t len);
