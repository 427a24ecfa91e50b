/* plugins/destination/local/folder.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An object is durable only when its folder's own entry is, too. Whoever made that folder may have
 * crashed before its fsync, so the first use of a folder by this instance flushes its parents.
 */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_known(struct local *self, const char *name)
{
    const struct local_folder *folder;

    (void)pthread_mutex_lock(&self->mutex);
    for (folder = self->folders; folder; folder = folder->next)
        if (strcmp(folder->name, name) == 0)
            break;
    (void)pthread_mutex_unlock(&self->mutex);
    return folder != NULL;
}

/* Without memory the folder stays unknown, which costs a flush, not correctness. */
static void remember(struct local *self, const char *name)
{
    size_t len = strlen(name) + 1;
    struct local_folder *folder = is_known(self, name) ? NULL : malloc(sizeof *folder + len);

    if (folder == NULL)
        return;
    memcpy(folder->name, name, len);
    (void)pthread_mutex_lock(&self->mutex);
    folder->next = self->folders;
    self->folders = folder;
    (void)pthread_mutex_unlock(&self->mutex);
}

void local_folder_forget_all(struct local *self)
{
    (void)pthread_mutex_lock(&self->mutex);
    while (self->folders) {
        struct local_folder *next = self->folders->next;
        free(self->folders);
        self->folders = next;
    }
    (void)pthread_mutex_unlock(&self->mutex);
}

static int sync_fd(const struct local *self, int fd)
{
    return self->sync ? fsync(fd) : 0;
}

static bool is_link(int folder, const char *name)
{
    int saved = errno;
    struct stat st;
    bool link = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);

    errno = saved;
    return link;
}

/* Creates @part in the folder *@at, flushes that and goes down into it. */
static int step_down(struct local *self, int *at, const char *part, bool known)
{
    if (mkdirat(*at, part, 0700) != 0) {
        if (errno != EEXIST)
            return -1;
        if (!known && sync_fd(self, *at) != 0)
            return -1;
    } else if (sync_fd(self, *at) != 0) {
        return -1;
    }
    int next = openat(*at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) {
        if (errno == ENOTDIR && is_link(*at, part))
            errno = ELOOP;
        return -1;
    }
    (void)close(*at);
    *at = next;
    return 0;
}

/* Walks to @folder part by part; *@out is the last folder reached, also on failure, or -1. */
static int make_folders(struct local *self, const char *folder, int *out)
{
    char path[LOCAL_NAME_MAX + 1];
    char *part = path;

    (void)snprintf(path, sizeof path, "%s", folder);
    *out = openat(self->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out < 0)
        return -1;
    while (*part) {
        char *slash = strchrnul(part, '/');
        bool is_last = *slash == '\0';
        *slash = '\0';
        if (step_down(self, out, part, is_known(self, path)) < 0)
            return -1;
        remember(self, path);
        if (is_last)
            break;
        *slash = '/';
        part = slash + 1;
    }
    return 0;
}

int local_folder_open(struct local *self, const char *name, int *out, struct backstay_error *err)
{
    char folder[LOCAL_NAME_MAX + 1];
    const char *slash = strrchr(name, '/');

    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - name) : 0, name);
    if (is_known(self, folder)) {
        *out = local_openat(self, folder, O_RDONLY | O_DIRECTORY, 0);
        if (*out >= 0)
            return 0;
    }
    if (make_folders(self, folder, out) == 0)
        return 0;
    (void)local_fail_errno(self, err, "create folder %s/%s", self->path, folder);
    if (*out >= 0)
        (void)close(*out);
    return -1;
}

/* Flushes the folder that holds @path, whose last slash is at @slash. */
static int sync_parent(const char *path, const char *slash)
{
    char *parent = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        (void)close(fd);
    free(parent);
    return rc;
}

int local_folder_create_root(const struct local *self, struct backstay_error *err)
{
    char *path = self->path;
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    for (char *at = path + 1; at <= path + len; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char cut = *at;
        *at = '\0';
        int rc = mkdir(path, 0700);
        if (rc == 0 && strrchr(path, '/'))
            rc = sync_parent(path, strrchr(path, '/'));
        else if (rc != 0 && (errno == EEXIST || errno == EISDIR))
            rc = 0;
        if (rc != 0)
            (void)local_fail_errno(self, err, "create folder %s", path);
        *at = cut;
        if (rc != 0)
            return -1;
    }
    return 0;
}
