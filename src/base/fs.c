/* src/base/fs.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int stay_fs_write_all(int fd, const char *path, const void *data, size_t len, struct stay_err *err)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_fail_errno(err, STAY_ERR_IO, "write %s", path);
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int stay_fs_read(struct stay_buf *out, const char *path, size_t limit_bytes, struct stay_err *err)
{
    stay_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t total = 0;

    if (fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "open %s", path);
    for (;;) {
        size_t want = 65536;
        char *to = stay_buf_reserve(out, want);
        ssize_t n = read(fd, to, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return stay_fail_errno(err, STAY_ERR_IO, "read %s", path);
        total += (size_t)n;
        if (total > limit_bytes)
            return stay_fail(err, STAY_ERR_CORRUPT, "%s is larger than %zu bytes", path,
                             limit_bytes);
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        if (n == 0)
            return 0;
    }
}

static char *parent_of(const char *path)
{
    stay_auto_str char *copy = stay_strdup(path);

    return stay_strdup(dirname(copy));
}

int stay_fs_sync_folder(const char *path, struct stay_err *err)
{
    stay_auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "open folder %s", path);
    if (fsync(fd) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "fsync folder %s", path);
    return 0;
}

static int write_durable(int fd, const char *path, const void *data, size_t len, mode_t mode,
                         struct stay_err *err)
{
    if (stay_fs_write_all(fd, path, data, len, err) < 0)
        return -1;
    if (fchmod(fd, mode) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "set mode of %s", path);
    if (fsync(fd) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "fsync %s", path);
    return 0;
}

int stay_fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                         struct stay_err *err)
{
    stay_auto_str char *temporary = stay_strf("%s.XXXXXX", path);
    stay_auto_str char *folder = parent_of(path);
    stay_auto_fd int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "create %s", temporary);
    if (write_durable(fd, temporary, data, len, mode, err) < 0) {
        (void)unlink(temporary);
        return -1;
    }
    if (rename(temporary, path) != 0) {
        (void)stay_fail_errno(err, STAY_ERR_IO, "rename %s to %s", temporary, path);
        (void)unlink(temporary);
        return -1;
    }
    return stay_fs_sync_folder(folder, err);
}

int stay_fs_mkdirs(const char *path, mode_t mode, struct stay_err *err)
{
    if (mkdir(path, mode) == 0)
        return 0;
    if (errno == EEXIST) {
        struct stat st;
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return 0;
        return stay_fail(err, STAY_ERR_IO, "%s exists and is not a folder", path);
    }
    if (errno != ENOENT)
        return stay_fail_errno(err, STAY_ERR_IO, "create folder %s", path);
    stay_auto_str char *parent = parent_of(path);
    if (strcmp(parent, path) == 0)
        return stay_fail_errno(err, STAY_ERR_IO, "create folder %s", path);
    if (stay_fs_mkdirs(parent, mode, err) < 0)
        return -1;
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return stay_fail_errno(err, STAY_ERR_IO, "create folder %s", path);
    return 0;
}

int stay_fs_make_scratch(char **out_path, const char *prefix, struct stay_err *err)
{
    stay_auto_str char *path = stay_strf("%sXXXXXX", prefix);

    if (mkdtemp(path) == NULL)
        return stay_fail_errno(err, STAY_ERR_IO, "create folder %s", path);
    *out_path = stay_steal(&path);
    return 0;
}

int stay_fs_unnamed(int *out_fd, const char *folder, struct stay_err *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        stay_auto_str char *path = stay_strf("%s/.backstay-XXXXXX", folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
            return stay_fail_errno(err, STAY_ERR_IO, "create a temporary file in %s", folder);
        (void)unlink(path);
    }
    *out_fd = fd;
    return 0;
}

bool stay_fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
