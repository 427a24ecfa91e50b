/* plugins/source/media/apply.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * apply: gives a restored thing its owner, attributes, mode and time.
 *
 * Thread-safety: any thread may call everything; a struct media_thing belongs to one.
 */
#pragma once

#include "media.h"

#include <stdint.h>
#include <sys/types.h>

/** What holds for a whole restore. */
struct media_applier {
    const struct backstay_host *host;
    uid_t euid;
    int umask;   /* -1: not known */
    bool warned; /* that owners could not be restored */
};

void media_applier_init(struct media_applier *applier, const struct backstay_host *host);

/** Something that was made, as it is before anything is applied. */
struct media_thing {
    int fd;
    bool by_path;      /* @fd is O_PATH, as for what cannot be opened */
    bool known;        /* @uid, @gid and @mode are what it has now */
    bool inherits_acl; /* it got an ACL from its folder */
    bool replaced;     /* it was there before: other attributes than the entry's are removed */
    uid_t uid;
    gid_t gid;
    mode_t mode;
};

/**
 * Applies what @entry says, as far as possible.
 *
 * @return 0, or -1 with the first thing that failed in @err; the rest was tried all the same.
 */
int media_apply(struct media_applier *applier, const struct media_thing *thing,
                const struct backstay_entry *entry, struct backstay_error *err);
