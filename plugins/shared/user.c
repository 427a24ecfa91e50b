/* plugins/shared/user.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "user.h"

#include "mem.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { BUFFER = 16384 };

static bool look_up(struct plug_user *out, const char *name)
{
    PLUG_AUTO_FREE char *buffer = plug_alloc(BUFFER, 1);
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwnam_r(name, &entry, buffer, BUFFER, &found) != 0 || found == NULL)
        return false;
    *out = (struct plug_user){.uid = found->pw_uid, .gid = found->pw_gid, .other = true};
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    return true;
}

static void ourselves(struct plug_user *out)
{
    *out = (struct plug_user){.uid = geteuid(), .gid = getegid()};
    (void)snprintf(out->name, sizeof out->name, "number %lu", (unsigned long)out->uid);
}

int plug_user_find(struct plug_user *out, const struct backstay_host *host,
                   const struct plug_user_wish *wish, struct backstay_error *err)
{
    bool found = false;

    if (geteuid() != 0) {
        ourselves(out);
        return 0;
    }
    if (wish->wanted && !look_up(out, wish->wanted))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "\"%s\" is %s: there is no such user on this machine", wish->option,
                          wish->wanted);
    for (size_t i = 0; wish->wanted == NULL && !found && wish->usual[i]; i++)
        found = look_up(out, wish->usual[i]);
    if (wish->wanted == NULL && !found)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "a database server does not run as root, and none of its usual users is "
                          "there: name one with \"%s\"",
                          wish->option);
    if (out->uid == 0)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "\"%s\" is %s, which is root: a database server needs a user without "
                          "rights",
                          wish->option, out->name);
    return 0;
}
