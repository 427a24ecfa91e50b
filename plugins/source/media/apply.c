/* plugins/source/media/apply.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The order matters: a change of owner clears set-uid bits and capabilities, so it comes first;
 * user attributes need write permission, so they come before the mode; an ACL may clear the
 * set-gid bit, so the mode comes after it; everything changes times, so they come last.
 */
#include "apply.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL_PREFIX "system.posix_acl_"

/* One entry being worked on. */
struct work {
    struct media_applier *applier;
    const struct media_thing *thing;
    const struct backstay_entry *entry;
    struct backstay_error *err;
    int result;
    char proc[64];
};

/* Reads the umask without changing it, which would be seen by other threads. */
static int read_umask(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    unsigned mask = 0;
    bool found = false;

    if (status == NULL)
        return -1;
    while (!found && fgets(line, sizeof line, status))
        found = sscanf(line, "Umask: %o", &mask) == 1;
    (void)fclose(status);
    return found ? (int)mask : -1;
}

void media_applier_init(struct media_applier *applier, const struct backstay_host *host)
{
    *applier = (struct media_applier){.host = host, .euid = geteuid(), .umask = read_umask()};
}

static void failed(struct work *work, const char *what, const char *detail)
{
    const struct backstay_host *host = work->applier->host;
    int error = errno;

    if (work->result == 0)
        work->result = host->fail(host, work->err, media_kind(error), "%s%s was not restored: %s",
                                  what, detail, media_why(error));
}

/* ---------------------------------------------------------------- owner and mode */

static void warn_not_root(struct media_applier *applier)
{
    const struct backstay_host *host = applier->host;

    if (!__atomic_exchange_n(&applier->warned, true, __ATOMIC_RELAXED))
        host->log(host, BACKSTAY_LOG_WARN,
                  "not root: owners (and set-uid bits of files of others) were not restored");
}

/* @return whether it has the right owner now. */
static bool apply_owner(struct work *work)
{
    const struct media_thing *thing = work->thing;
    const struct backstay_entry *entry = work->entry;
    char owner[32];

    if (thing->known && thing->uid == entry->uid && thing->gid == entry->gid)
        return true;
    if (fchownat(thing->fd, "", entry->uid, entry->gid, AT_EMPTY_PATH) == 0)
        return true;
    if (errno == EPERM && work->applier->euid != 0) {
        struct stat st;
        warn_not_root(work->applier);
        return fstat(thing->fd, &st) == 0 && st.st_uid == entry->uid && st.st_gid == entry->gid;
    }
    (void)snprintf(owner, sizeof owner, "%u:%u", entry->uid, entry->gid);
    failed(work, "owner ", owner);
    return false;
}

static void apply_mode(struct work *work, bool owned, bool touched)
{
    const struct media_thing *thing = work->thing;
    mode_t mode = work->entry->mode & 07777;

    if (work->entry->type == BACKSTAY_SYMLINK)
        return;
    if (!owned && work->entry->type != BACKSTAY_DIR)
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
    if (thing->known && !touched && thing->mode == mode)
        return;
    int r = thing->by_path ? chmod(work->proc, mode) : fchmod(thing->fd, mode);
    if (r != 0)
        failed(work, "mode", "");
}

/* ---------------------------------------------------------------- attributes */

static bool has_xattr(const struct backstay_entry *entry, const char *name)
{
    for (uint32_t i = 0; i < entry->n_xattrs; i++)
        if (strcmp(entry->xattrs[i].name, name) == 0)
            return true;
    return false;
}

/* Attributes that users and administrators set; security.* is the system's to label. */
static bool may_remove(const char *name)
{
    return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 ||
           strncmp(name, ACL_PREFIX, sizeof ACL_PREFIX - 1) == 0;
}

static void remove_others(struct work *work)
{
    const struct media_thing *thing = work->thing;
    char *list = plug_alloc(1, XATTR_LIST_MAX);
    ssize_t len = thing->by_path ? listxattr(work->proc, list, XATTR_LIST_MAX)
                                 : flistxattr(thing->fd, list, XATTR_LIST_MAX);

    for (const char *name = list; len > 0 && name < list + len; name += strlen(name) + 1) {
        if (has_xattr(work->entry, name) || !may_remove(name))
            continue;
        int r = thing->by_path ? removexattr(work->proc, name) : fremovexattr(thing->fd, name);
        if (r != 0 && errno != ENODATA)
            failed(work, "the lack of attribute ", name);
    }
    free(list);
}

/* @return whether anything was set. */
static bool apply_xattrs(struct work *work)
{
    const struct media_thing *thing = work->thing;
    const struct backstay_entry *entry = work->entry;

    if (thing->inherits_acl || thing->replaced)
        remove_others(work);
    for (uint32_t i = 0; i < entry->n_xattrs; i++) {
        const struct backstay_xattr *x = &entry->xattrs[i];
        int r = thing->by_path ? setxattr(work->proc, x->name, x->value, x->value_len, 0)
                               : fsetxattr(thing->fd, x->name, x->value, x->value_len, 0);
        if (r != 0)
            failed(work, "extended attribute ", x->name);
    }
    return entry->n_xattrs > 0 || thing->inherits_acl || thing->replaced;
}

/* ---------------------------------------------------------------- all of it */

static void apply_time(struct work *work)
{
    const struct backstay_entry *entry = work->entry;
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = entry->mtime_s, .tv_nsec = (long)entry->mtime_ns},
    };
    int r = work->thing->by_path ? utimensat(AT_FDCWD, work->proc, times, 0)
                                 : futimens(work->thing->fd, times);

    if (r != 0)
        failed(work, "time", "");
}

int media_apply(struct media_applier *applier, const struct media_thing *thing,
                const struct backstay_entry *entry, struct backstay_error *err)
{
    struct work work = {.applier = applier, .thing = thing, .entry = entry, .err = err};
    bool owned = false;

    (void)snprintf(work.proc, sizeof work.proc, "/proc/self/fd/%d", thing->fd);
    if (entry->flags & BACKSTAY_ENTRY_HAS_MODE)
        owned = apply_owner(&work);
    bool touched = apply_xattrs(&work);
    if (entry->flags & BACKSTAY_ENTRY_HAS_MODE) {
        apply_mode(&work, owned, touched);
        apply_time(&work);
    }
    return work.result;
}
