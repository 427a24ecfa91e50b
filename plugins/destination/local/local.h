/* plugins/destination/local/local.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * local: what the files of this plugin share: one instance, and what each file offers the others.
 *
 * Everything below the root is reached through a descriptor of the root, taken at open(): a disk
 * that is unmounted in the middle cannot make us write into the empty mount point under it.
 *
 * Thread-safety: all functions but local_open() and local_close() from any thread at once.
 */
#pragma once

#include <backstay/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/** The longest object name, and the longest of its parts. */
enum { LOCAL_NAME_MAX = 1024, LOCAL_PART_MAX = 255 };

/** Unfinished objects live in this folder below the root. */
#define LOCAL_TMP "tmp"

/** A folder whose own entry is known to be on the disk. */
struct local_folder {
    struct local_folder *next;
    char name[];
};

struct local {
    const struct backstay_host *host;
    char *path;
    int root;
    dev_t dev; /* of the root, when it was opened */
    ino_t ino;
    bool sync;
    uint64_t min_free_bytes;
    uint32_t min_free_percent; /* not 0: of the whole file system, instead of the bytes */
    atomic_uint_fast64_t in_flight_bytes;
    atomic_uint counter;
    pthread_mutex_t mutex; /* guards folders */
    struct local_folder *folders;
};

/** A temporary file that is being filled. */
struct local_temp {
    int fd;
    char name[96]; /* relative to the root */
};

/* local.c */

/** openat(2) below the root, without following any symbolic link and without leaving the root. */
int local_openat(const struct local *self, const char *name, int flags, mode_t mode);

/** Describes errno: "@fmt: reason; what to do". The kind follows from errno. @return -1. */
int local_fail_errno(const struct local *self, struct backstay_error *err, const char *fmt, ...)
    BACKSTAY_PRINTF(3, 4);

/** Fails when the root is no longer what its path leads to. @return 0 or -1. */
int local_check_root(const struct local *self, struct backstay_error *err);

/* name.c */

/** Whether the @len bytes at @part may be one part of an object name. */
bool local_part_ok(const char *part, size_t len);

/** Fails unless @name is the name of an object. @return 0 or -1. */
int local_check_name(const struct local *self, const char *name, struct backstay_error *err);

/** Fails unless @prefix can begin names of objects. @return 0 or -1. */
int local_check_prefix(const struct local *self, const char *prefix, struct backstay_error *err);

/* write.c */

/** Creates an empty temporary file. @return 0 or -1. */
int local_temp_open(struct local *self, struct local_temp *temp, struct backstay_error *err);

/** Closes and removes it, where that was not done yet. Keeps errno. */
void local_temp_drop(const struct local *self, struct local_temp *temp);

/** Removes temporary files that a crash left behind more than a day ago. */
void local_temp_sweep(const struct local *self);

int local_put(void *arg, const char *name, const void *data, size_t len,
              struct backstay_error *err);
int local_put_if_absent(void *arg, const char *name, const void *data, size_t len,
                        struct backstay_error *err);

/* folder.c */

/**
 * Opens the folder of the object @name, creating what is missing so that it survives a crash.
 *
 * @out receives a descriptor that the caller closes. @return 0 or -1.
 */
int local_folder_open(struct local *self, const char *name, int *out, struct backstay_error *err);

/** Creates the root @path and its missing parents so that they survive a crash. @return 0 or -1. */
int local_folder_create_root(const struct local *self, struct backstay_error *err);

void local_folder_forget_all(struct local *self);

/* read.c */

int local_get(void *arg, const char *name, uint64_t offset, void *data, size_t len, size_t *got,
              struct backstay_error *err);
int local_list(void *arg, const char *prefix,
               int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
               struct backstay_error *err);
int local_remove(void *arg, const char *name, struct backstay_error *err);

/* space.c */

/** Sets aside @len bytes, or fails when less than min_free would be left. @return 0 or -1. */
int local_space_take(struct local *self, const char *name, size_t len, struct backstay_error *err);

/** Gives them back: they are on the disk, or will not be. */
void local_space_give(struct local *self, size_t len);

int local_space(void *arg, struct backstay_space *out, struct backstay_error *err);

/* check.c */

int local_check(void *arg, struct backstay_report *report, struct backstay_error *err);
