/* plugins/destination/local/write.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An object is written under a temporary name, flushed, and only then given its name; then the
 * folder is flushed. rename(2) replaces, link(2) refuses to: both are atomic.
 */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_BYTES = 4 << 20, STALE_SECONDS = 24 * 3600 };

int local_temp_open(struct local *self, struct local_temp *temp, struct backstay_error *err)
{
    for (int tries = 0; tries < 100; tries++) {
        uint32_t random = 0;
        (void)!getrandom(&random, sizeof random, 0);
        (void)snprintf(temp->name, sizeof temp->name, LOCAL_TMP "/%ld-%u-%08" PRIx32,
                       (long)getpid(), atomic_fetch_add(&self->counter, 1), random);
        temp->fd = local_openat(self, temp->name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (temp->fd >= 0)
            return 0;
        if (errno == ENOENT && (mkdirat(self->root, LOCAL_TMP, 0700) == 0 || errno == EEXIST))
            continue;
        if (errno != EEXIST)
            break;
    }
    temp->name[0] = '\0';
    return local_fail_errno(self, err, "create a file in %s/" LOCAL_TMP, self->path);
}

void local_temp_drop(const struct local *self, struct local_temp *temp)
{
    int saved = errno;

    if (temp->fd >= 0)
        (void)close(temp->fd);
    if (temp->name[0])
        (void)unlinkat(self->root, temp->name, 0);
    *temp = (struct local_temp){.fd = -1};
    errno = saved;
}

void local_temp_sweep(const struct local *self)
{
    int fd = local_openat(self, LOCAL_TMP, O_RDONLY | O_DIRECTORY, 0);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    time_t limit = time(NULL) - STALE_SECONDS;
    const struct dirent *entry;
    struct stat st;

    if (folder == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((entry = readdir(folder)) != NULL)
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime < limit)
            (void)unlinkat(fd, entry->d_name, 0);
    (void)closedir(folder);
}

static int write_slices(const struct local *self, int fd, const char *data, size_t len,
                        struct backstay_error *err)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len < SLICE_BYTES ? len : SLICE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return local_fail_errno(self, err, "write to %s", self->path);
        data += n;
        len -= (size_t)n;
        if (len > 0 && self->host->cancelled(self->host))
            return self->host->fail(self->host, err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    }
    return 0;
}

/* Afterwards the content is on the disk, under its temporary name. */
static int fill(const struct local *self, struct local_temp *temp, const void *data, size_t len,
                struct backstay_error *err)
{
    if (write_slices(self, temp->fd, data, len, err) < 0)
        return -1;
    if (self->sync && fsync(temp->fd) != 0)
        return local_fail_errno(self, err, "flush to %s", self->path);
    int fd = temp->fd;
    temp->fd = -1;
    if (close(fd) != 0)
        return local_fail_errno(self, err, "close a file in %s", self->path);
    return 0;
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

/* On a network file system a repeated request reports EEXIST about the link that it just made. */
static bool is_linked(const struct local *self, const struct local_temp *temp)
{
    struct stat st;

    return fstatat(self->root, temp->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1;
}

/* @return 0, BACKSTAY_EXISTS, or -1 with errno. */
static int give_name_exclusive(const struct local *self, struct local_temp *temp, int folder,
                               const char *base)
{
    if (linkat(self->root, temp->name, folder, base, 0) == 0)
        return 0;
    if (errno == EEXIST)
        return is_linked(self, temp) ? 0 : BACKSTAY_EXISTS;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
        return -1;
    /* No hard links here (FAT, some network and FUSE file systems). */
    if (renameat2(self->root, temp->name, folder, base, RENAME_NOREPLACE) == 0) {
        temp->name[0] = '\0';
        return 0;
    }
    if (errno == EEXIST)
        return BACKSTAY_EXISTS;
    if (errno == EINVAL || errno == ENOSYS)
        errno = EOPNOTSUPP;
    return -1;
}

static int give_name(const struct local *self, struct local_temp *temp, int folder,
                     const char *base)
{
    if (renameat(self->root, temp->name, folder, base) != 0)
        return -1;
    temp->name[0] = '\0';
    return 0;
}

/* What stands in the way of an exclusive name must be an object, not a folder. */
static int check_existing(const struct local *self, const char *name, int folder,
                          struct backstay_error *err)
{
    struct stat st;

    if (fstatat(folder, base_of(name), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return local_fail_errno(self, err, "store %s in %s", name, self->path);
    }
    return 0;
}

static int publish(struct local *self, const char *name, struct local_temp *temp, bool exclusive,
                   struct backstay_error *err)
{
    int folder;
    int rc;

    if (local_folder_open(self, name, &folder, err) < 0)
        return -1;
    if (exclusive)
        rc = give_name_exclusive(self, temp, folder, base_of(name));
    else
        rc = give_name(self, temp, folder, base_of(name));
    if (rc < 0)
        (void)local_fail_errno(self, err, "store %s in %s", name, self->path);
    else if (rc == BACKSTAY_EXISTS && check_existing(self, name, folder, err) < 0)
        rc = -1;
    else if (self->sync && fsync(folder) != 0) /* also of a winner that has not come to it yet */
        rc = local_fail_errno(self, err, "flush the folder of %s in %s", name, self->path);
    (void)close(folder);
    return rc;
}

static int store(struct local *self, const char *name, const void *data, size_t len, bool exclusive,
                 struct backstay_error *err)
{
    struct local_temp temp = {.fd = -1};
    int rc = -1;

    if (local_check_name(self, name, err) < 0 || local_check_root(self, err) < 0 ||
        local_space_take(self, name, len, err) < 0)
        return -1;
    if (local_temp_open(self, &temp, err) == 0 && fill(self, &temp, data, len, err) == 0)
        rc = publish(self, name, &temp, exclusive, err);
    local_temp_drop(self, &temp);
    local_space_give(self, len);
    return rc;
}

int local_put(void *arg, const char *name, const void *data, size_t len, struct backstay_error *err)
{
    return store(arg, name, data, len, false, err);
}

int local_put_if_absent(void *arg, const char *name, const void *data, size_t len,
                        struct backstay_error *err)
{
    return store(arg, name, data, len, true, err);
}
