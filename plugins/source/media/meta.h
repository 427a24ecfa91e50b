/* plugins/source/media/meta.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * meta: from what the system says about a file to an entry: numbers, owner names, attributes, and
 * the token by which an unchanged file is known again.
 *
 * Thread-safety: the owner names are shared by all threads; a struct media_meta belongs to one.
 */
#pragma once

#include "media.h"
#include "mem.h"

#include <stdint.h>
#include <sys/stat.h>

struct media_owners;

struct media_owners *media_owners_new(void);
void media_owners_free(struct media_owners *owners);

/** The name of a user (@group false) or group, or NULL; valid as long as @owners. */
const char *media_owner_name(struct media_owners *owners, bool group, uint32_t id);

/** One thread's memory for the entry in hand. */
struct media_meta {
    const struct media *media;
    struct media_owners *owners;
    struct plug_bytes names;
    struct plug_bytes values;
    struct backstay_xattr *xattrs;
    size_t cap;
    uint32_t last_uid; /* with @user: most files belong to the owner of the file before */
    uint32_t last_gid;
    const char *user;
    const char *group;
    bool warm;
};

void media_meta_free(struct media_meta *meta);

/** Fills @entry from @st: all but content, attributes and link group. */
void media_meta_stat(struct media_meta *meta, struct backstay_entry *entry, const struct stat *st);

/**
 * Where attributes are read: from @fd, or, where that is negative, from @name in @dir_fd, which
 * may be of any type and is not opened.
 */
struct media_place_of {
    int fd;
    int dir_fd;
    const char *name;
};

/**
 * Adds the extended attributes (ACLs and capabilities among them) to @entry; they stay valid until
 * the next call.
 *
 * @failed receives the name of one that could not be read, or NULL; valid as long.
 * @return 0, or the errno that kept all of them, or @failed, from being read.
 */
int media_meta_xattrs(struct media_meta *meta, struct backstay_entry *entry,
                      const struct media_place_of *of, const char **failed);

/**
 * Writes the token of a state to @out.
 *
 * @seen_ns when @st was taken, or earlier.
 * @return its length; 0 when the state cannot be trusted, because a change right after it could
 *         leave the same times behind.
 */
size_t media_token_make(const struct media *media, const struct stat *st, int64_t seen_ns,
                        unsigned char out[BACKSTAY_TOKEN_MAX]);

/** The same without asking whether it can be trusted: to compare with an earlier one. */
size_t media_token_of(const struct media *media, const struct stat *st,
                      unsigned char out[BACKSTAY_TOKEN_MAX]);
