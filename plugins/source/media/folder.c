/* plugins/source/media/folder.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "folder.h"

#include "below.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_OPEN = 256 };

int media_open_quietly(int dir_fd, const char *name, int flags)
{
    int fd = openat(dir_fd, name, flags | O_NOATIME | O_CLOEXEC);

    if (fd < 0 && errno == EPERM)
        fd = openat(dir_fd, name, flags | O_CLOEXEC);
    return fd;
}

/* ---------------------------------------------------------------- the list of open folders */

static void list_append(struct media_folders *set, struct media_folder *folder)
{
    folder->newer = NULL;
    folder->older = set->newest;
    *(set->newest ? &set->newest->newer : &set->oldest) = folder;
    set->newest = folder;
    set->n_open++;
}

static void list_remove(struct media_folders *set, struct media_folder *folder)
{
    *(folder->newer ? &folder->newer->older : &set->newest) = folder->older;
    *(folder->older ? &folder->older->newer : &set->oldest) = folder->newer;
    folder->newer = folder->older = NULL;
    set->n_open--;
}

static void close_folder(struct media_folders *set, struct media_folder *folder)
{
    list_remove(set, folder);
    close(folder->fd);
    folder->fd = -1;
}

static void close_the_oldest(struct media_folders *set)
{
    struct media_folder *at = set->oldest;

    while (at && set->n_open > set->max_open) {
        struct media_folder *newer = at->newer;
        if (at->pins == 0)
            close_folder(set, at);
        at = newer;
    }
}

/* ---------------------------------------------------------------- life */

void media_folders_init(struct media_folders *set, int root_fd, bool included)
{
    struct rlimit limit;

    *set = (struct media_folders){.max_open = MOST_OPEN};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < MOST_OPEN)
        set->max_open = (unsigned)PLUG_MAX(limit.rlim_cur / 4, 8);
    pthread_mutex_init(&set->lock, NULL);
    set->root = media_folder_new(set, NULL, "");
    set->root->included = included;
    set->root->fd = root_fd;
    set->root->pins = 1;
    list_append(set, set->root);
}

void media_folders_done(struct media_folders *set)
{
    media_folder_drop(set, set->root);
    pthread_mutex_destroy(&set->lock);
}

struct media_folder *media_folder_new(struct media_folders *set, struct media_folder *parent,
                                      const char *name)
{
    size_t len = strlen(name);
    struct media_folder *folder = plug_alloc(1, sizeof *folder + len + 1);

    memcpy(folder->name, name, len + 1);
    folder->refs = 1;
    folder->fd = -1;
    if (parent)
        folder->parent = media_folder_ref(set, parent);
    return folder;
}

struct media_folder *media_folder_ref(struct media_folders *set, struct media_folder *folder)
{
    pthread_mutex_lock(&set->lock);
    folder->refs++;
    pthread_mutex_unlock(&set->lock);
    return folder;
}

void media_folder_drop(struct media_folders *set, struct media_folder *folder)
{
    pthread_mutex_lock(&set->lock);
    while (folder && --folder->refs == 0) {
        struct media_folder *parent = folder->parent;
        if (folder->fd >= 0)
            close_folder(set, folder);
        free(folder);
        folder = parent;
    }
    pthread_mutex_unlock(&set->lock);
}

void media_folder_path(const struct media_folder *folder, struct plug_bytes *path)
{
    size_t total = 0;

    for (const struct media_folder *at = folder; at->parent; at = at->parent)
        total += strlen(at->name) + 1;
    if (total == 0) {
        plug_bytes_add(path, "", 0);
        return;
    }
    char *start = plug_bytes_reserve(path, total);
    char *to = start + total - 1;
    *to = '\0';
    for (const struct media_folder *at = folder; at->parent; at = at->parent) {
        size_t len = strlen(at->name);
        to -= len;
        memcpy(to, at->name, len);
        if (to > start)
            *--to = '/';
    }
    path->len += total - 1;
}

/* ---------------------------------------------------------------- opening */

/* Opens @folder relative to its ancestor @from, which is open and pinned. */
static int open_from(struct media_folders *set, const struct media_folder *from,
                     const struct media_folder *folder)
{
    struct plug_bytes path = {0};
    size_t skip = 0;

    if (folder->parent == from)
        return media_open_quietly(from->fd, folder->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    media_folder_path(from, &path);
    if (path.len > 0)
        skip = path.len + 1;
    plug_bytes_cut(&path, 0);
    media_folder_path(folder, &path);
    int fd = media_open_below(from->fd, path.data + skip, O_RDONLY, &set->step_by_step);
    int error = errno;
    plug_bytes_free(&path);
    errno = error;
    return fd;
}

static struct media_folder *open_ancestor(struct media_folder *folder)
{
    while (folder->fd < 0)
        folder = folder->parent;
    return folder;
}

/* Called with the lock held, which it gives up while it opens. @return 0 or -1. */
static int open_folder(struct media_folders *set, struct media_folder *folder)
{
    struct media_folder *from = open_ancestor(folder);

    from->pins++;
    pthread_mutex_unlock(&set->lock);
    int fd = open_from(set, from, folder);
    int error = errno;
    pthread_mutex_lock(&set->lock);
    from->pins--;
    errno = error;
    if (fd < 0)
        return -1;
    if (folder->fd >= 0) {
        /* Another thread was faster. */
        close(fd);
        return 0;
    }
    folder->fd = fd;
    folder->pins++;
    list_append(set, folder);
    close_the_oldest(set);
    folder->pins--;
    return 0;
}

int media_folder_pin(struct media_folders *set, struct media_folder *folder)
{
    int fd = -1;

    pthread_mutex_lock(&set->lock);
    if (folder->fd >= 0 || open_folder(set, folder) == 0) {
        folder->pins++;
        fd = folder->fd;
    }
    pthread_mutex_unlock(&set->lock);
    return fd;
}

void media_folder_unpin(struct media_folders *set, struct media_folder *folder)
{
    pthread_mutex_lock(&set->lock);
    folder->pins--;
    pthread_mutex_unlock(&set->lock);
}
