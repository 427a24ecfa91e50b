/* src/base/fs_remove.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Removing a tree relative to open folders: paths in it may be longer than PATH_MAX, and nobody can
 * swap a symbolic link into a path that is not used. One folder is open at a time, so a tree may be
 * of any depth; the way up is "..", checked against what the folder above was.
 */
#include "base/fs.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder that is being emptied, as seen from the one above it. */
struct level {
    char *name;
    dev_t above_dev;
    ino_t above_ino;
};

struct removal {
    int fd; /* of the folder that is being emptied */
    STAY_VEC(struct level) levels;
};

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Opens the folder @name and makes sure that we may empty it. @return -1 with errno set. */
static int open_folder(int dir_fd, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat st;
    int fd = openat(dir_fd, name, flags);

    if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
        fd = openat(dir_fd, name, flags);
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700);
    return fd;
}

/*
 * Removes all but folders.
 *
 * @folder receives the name of the first folder, or NULL when there is none; the caller frees it.
 * @return 0, or -1 with errno set.
 */
static int remove_files(int fd, char **folder)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    const struct dirent *entry;
    int error = 0;

    *folder = NULL;
    if (dir == NULL) {
        if (own >= 0)
            close(own);
        return -1;
    }
    while (error == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        if (entry->d_type != DT_DIR && unlinkat(fd, entry->d_name, 0) == 0)
            continue;
        if (entry->d_type != DT_DIR && errno != EISDIR) {
            error = errno == ENOENT ? 0 : errno;
        } else {
            *folder = stay_strdup(entry->d_name);
            break;
        }
    }
    if (entry == NULL)
        error = errno;
    (void)closedir(dir);
    errno = error;
    return error == 0 ? 0 : -1;
}

static int go_down(struct removal *removal, char *name)
{
    struct stat st;
    struct stat below_st;
    stay_auto_fd int below = open_folder(removal->fd, name);
    bool is_known = below >= 0 && fstat(removal->fd, &st) == 0 && fstat(below, &below_st) == 0;

    if (is_known && below_st.st_dev != st.st_dev)
        errno = EBUSY; /* another file system is mounted there: its content is not ours to remove */
    if (!is_known || below_st.st_dev != st.st_dev) {
        free(name);
        return -1;
    }
    *stay_vec_push(&removal->levels) =
        (struct level){.name = name, .above_dev = st.st_dev, .above_ino = st.st_ino};
    close(removal->fd);
    removal->fd = stay_steal_fd(&below);
    return 0;
}

static int go_up(struct removal *removal)
{
    const struct level *level = &removal->levels.items[removal->levels.n - 1];
    stay_auto_fd int above = openat(removal->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (above < 0 || fstat(above, &st) != 0)
        return -1;
    if (st.st_dev != level->above_dev || st.st_ino != level->above_ino) {
        errno = ESTALE;
        return -1;
    }
    if (unlinkat(above, level->name, AT_REMOVEDIR) != 0)
        return -1;
    free(level->name);
    removal->levels.n--;
    close(removal->fd);
    removal->fd = stay_steal_fd(&above);
    return 0;
}

static int empty(struct removal *removal)
{
    for (;;) {
        char *folder;
        if (remove_files(removal->fd, &folder) != 0)
            return -1;
        if (folder == NULL && removal->levels.n == 0)
            return 0;
        if (folder ? go_down(removal, folder) != 0 : go_up(removal) != 0)
            return -1;
    }
}

int stay_fs_remove_tree(const char *path, struct stay_err *err)
{
    struct removal removal = {.fd = open_folder(AT_FDCWD, path)};

    if (removal.fd < 0 && errno == ENOENT)
        return 0;
    if (removal.fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        if (unlink(path) != 0 && errno != ENOENT)
            return stay_fail_errno(err, STAY_ERR_IO, "remove %s", path);
        return 0;
    }
    int rc = removal.fd < 0 ? -1 : empty(&removal);
    if (rc == 0)
        rc = rmdir(path);
    if (rc != 0)
        rc = stay_fail_errno(err, STAY_ERR_IO, "remove %s", path);
    while (removal.levels.n > 0)
        free(removal.levels.items[--removal.levels.n].name);
    stay_vec_free(&removal.levels);
    if (removal.fd >= 0)
        close(removal.fd);
    return rc;
}
