/* src/codec/archive.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * archive: one plain tar for people (pax format, compressed with Zstandard), through libarchive.
 *
 * Layer: codec. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct stay_archive;

struct stay_archive_extent {
    uint64_t offset;
    uint64_t length;
};

struct stay_archive_xattr {
    const char *name;
    const void *value;
    size_t value_len;
};

/** One member. Times and owners are written as they are. */
struct stay_archive_member {
    const char *path; /* bytes, relative */
    mode_t mode;      /* type and permissions, as in struct stat */
    uint32_t uid;
    uint32_t gid;
    const char *user;  /* or NULL */
    const char *group; /* or NULL */
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint64_t bytes;
    const char *target;   /* of a symbolic link, or NULL */
    const char *hardlink; /* the member that this is another name of, or NULL */
    uint32_t rdev_major;
    uint32_t rdev_minor;
    const struct stay_archive_extent *extents; /* of a sparse file */
    size_t n_extents;
    bool sparse;
    const struct stay_archive_xattr *xattrs;
    size_t n_xattrs;
};

/** Writes to @fd, which stays open. @level of compression. */
STAY_CHECKED int stay_archive_new(struct stay_archive **out, int fd, int level,
                                  struct stay_err *err);

/** Begins a member; its content follows in any number of stay_archive_data(). */
STAY_CHECKED int stay_archive_add(struct stay_archive *archive,
                                  const struct stay_archive_member *member, struct stay_err *err);

/** Content of the member added last; at @offset of the file. Offsets ascend. */
STAY_CHECKED int stay_archive_data(struct stay_archive *archive, uint64_t offset, const void *data,
                                   size_t len, struct stay_err *err);

/** Writes the end of the archive. */
STAY_CHECKED int stay_archive_close(struct stay_archive *archive, struct stay_err *err);

/** NULL is allowed. */
void stay_archive_free(struct stay_archive *archive);
STAY_DEFINE_AUTO(struct stay_archive, stay_archive_free)
