/* plugins/destination/local/read.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading, listing and removing. A listing descends only where its prefix leads, and passes over
 * what cannot be an object: links, devices, names that we would not have given.
 */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Errors that say "no such object"; a folder is not an object. */
static bool is_missing(int code)
{
    return code == ENOENT || code == ENOTDIR || code == EISDIR;
}

/* Opens the object @name. @return 0, BACKSTAY_MISSING, -1. */
static int open_object(const struct local *self, const char *name, int *fd, uint64_t *size,
                       struct backstay_error *err)
{
    struct stat st;

    *fd = local_openat(self, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (*fd < 0 && is_missing(errno))
        return BACKSTAY_MISSING;
    if (*fd < 0)
        return local_fail_errno(self, err, "open %s/%s", self->path, name);
    int rc = fstat(*fd, &st);
    if (rc == 0 && S_ISREG(st.st_mode)) {
        *size = (uint64_t)st.st_size;
        return 0;
    }
    if (rc != 0)
        rc = local_fail_errno(self, err, "look at %s/%s", self->path, name);
    else
        rc = BACKSTAY_MISSING;
    (void)close(*fd);
    return rc;
}

int local_get(void *arg, const char *name, uint64_t offset, void *data, size_t len, size_t *got,
              struct backstay_error *err)
{
    const struct local *self = arg;
    uint64_t size = 0;
    char *to = data;
    int fd;

    *got = 0;
    if (local_check_name(self, name, err) < 0)
        return -1;
    int rc = open_object(self, name, &fd, &size, err);
    if (rc != 0)
        return rc;
    while (*got < len && offset + *got < size && offset < size) {
        ssize_t n = pread(fd, to + *got, len - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = local_fail_errno(self, err, "read %s/%s", self->path, name);
        if (n <= 0)
            break;
        *got += (size_t)n;
    }
    (void)close(fd);
    return rc;
}

int local_remove(void *arg, const char *name, struct backstay_error *err)
{
    const struct local *self = arg;
    char folder[LOCAL_NAME_MAX + 1];
    const char *slash = strrchr(name, '/');

    if (local_check_name(self, name, err) < 0 || local_check_root(self, err) < 0)
        return -1;
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - name) : 1,
                   slash ? name : ".");
    int fd = local_openat(self, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && is_missing(errno))
        return BACKSTAY_MISSING;
    if (fd < 0)
        return local_fail_errno(self, err, "open folder %s/%s", self->path, folder);
    int rc = unlinkat(fd, slash ? slash + 1 : name, 0);
    if (rc != 0 && is_missing(errno))
        rc = BACKSTAY_MISSING;
    else if (rc != 0)
        rc = local_fail_errno(self, err, "remove %s/%s", self->path, name);
    (void)close(fd);
    return rc;
}

struct walk {
    const struct local *self;
    const char *prefix;
    size_t prefix_len;
    int (*each)(void *ctx, const struct backstay_object *object);
    void *ctx;
    struct backstay_error *err;
    size_t len; /* of name */
    char name[LOCAL_NAME_MAX + 2];
};

static int walk_folder(struct walk *walk, const char *folder);

/* Whether names that begin with the walk's can also begin with the prefix, or the other way round.
 */
static bool leads_to_prefix(const struct walk *walk)
{
    size_t common = walk->len < walk->prefix_len ? walk->len : walk->prefix_len;

    return memcmp(walk->name, walk->prefix, common) == 0;
}

static int visit_file(struct walk *walk, const struct stat *st)
{
    struct backstay_object object = {
        .size = sizeof object,
        .name = walk->name,
        .bytes = (uint64_t)st->st_size,
        .modified_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };

    if (walk->len < walk->prefix_len || !leads_to_prefix(walk))
        return 0;
    return walk->each(walk->ctx, &object);
}

/* Goes down into the folder that the walk's name now is. */
static int visit_folder(struct walk *walk)
{
    char folder[LOCAL_NAME_MAX + 1];

    if (strcmp(walk->name, LOCAL_TMP) == 0 || walk->len >= LOCAL_NAME_MAX)
        return 0;
    memcpy(folder, walk->name, walk->len + 1);
    memcpy(walk->name + walk->len++, "/", 2);
    return leads_to_prefix(walk) ? walk_folder(walk, folder) : 0;
}

static int visit(struct walk *walk, int fd, const char *entry)
{
    size_t before = walk->len;
    size_t len = strlen(entry);
    struct stat st;
    int rc = 0;

    if (!local_part_ok(entry, len) || before + len > LOCAL_NAME_MAX)
        return 0;
    memcpy(walk->name + before, entry, len + 1);
    walk->len += len;
    if (leads_to_prefix(walk)) {
        if (fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno != ENOENT) /* else it was removed meanwhile */
                rc = local_fail_errno(walk->self, walk->err, "look at %s/%s", walk->self->path,
                                      walk->name);
        } else if (S_ISREG(st.st_mode)) {
            rc = visit_file(walk, &st);
        } else if (S_ISDIR(st.st_mode)) {
            rc = visit_folder(walk);
        }
    }
    walk->len = before;
    return rc;
}

static int walk_entries(struct walk *walk, const char *name, DIR *folder)
{
    const struct backstay_host *host = walk->self->host;
    unsigned seen = 0;
    int rc = 0;

    while (rc == 0) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL && errno)
            return local_fail_errno(walk->self, walk->err, "read folder %s/%s", walk->self->path,
                                    name);
        if (entry == NULL)
            break;
        if (seen++ % 256 == 0 && host->cancelled(host))
            return host->fail(host, walk->err, BACKSTAY_ERR_CANCELLED, "stopped on request");
        rc = visit(walk, dirfd(folder), entry->d_name);
    }
    return rc;
}

static int walk_folder(struct walk *walk, const char *name)
{
    int fd = local_openat(walk->self, name, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0 && is_missing(errno))
        return 0;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        (void)local_fail_errno(walk->self, walk->err, "open folder %s/%s", walk->self->path, name);
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    int rc = walk_entries(walk, name, folder);
    (void)closedir(folder);
    return rc;
}

int local_list(void *arg, const char *prefix,
               int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
               struct backstay_error *err)
{
    const struct local *self = arg;
    const char *slash = strrchr(prefix, '/');
    struct walk walk = {self, prefix, strlen(prefix), each, ctx, err, 0, {0}};
    char folder[LOCAL_NAME_MAX + 1] = ".";

    if (local_check_prefix(self, prefix, err) < 0 || local_check_root(self, err) < 0)
        return -1;
    if (slash) {
        memcpy(folder, prefix, (size_t)(slash - prefix));
        folder[slash - prefix] = '\0';
        walk.len = (size_t)(slash - prefix) + 1;
        memcpy(walk.name, prefix, walk.len);
        if (strcmp(folder, LOCAL_TMP) == 0 || strncmp(folder, LOCAL_TMP "/", 4) == 0)
            return 0;
    }
    return walk_folder(&walk, folder);
}
