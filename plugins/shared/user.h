/* plugins/shared/user.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * user: the system user that runs what needs none of our rights.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include <backstay/plugin.h>

#include <stdbool.h>
#include <sys/types.h>

struct plug_user {
    uid_t uid;
    gid_t gid;
    bool other;    /* not who we are: children must become it */
    char name[64]; /* for messages */
};

struct plug_user_wish {
    const char *option;       /* the name of the option that @wanted comes from */
    const char *wanted;       /* or NULL */
    const char *const *usual; /* names, ends with NULL */
};

/**
 * Chooses who runs a throwaway server: ourselves; when we are root, the user that is wanted, else
 * the first of the usual ones that exists.
 *
 * @return 0; -1 with @err (CONFIG).
 */
int plug_user_find(struct plug_user *out, const struct backstay_host *host,
                   const struct plug_user_wish *wish, struct backstay_error *err)
    __attribute__((warn_unused_result));
