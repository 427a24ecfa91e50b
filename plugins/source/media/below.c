/* plugins/source/media/below.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "below.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE_BYTES = 4000 }; /* the kernel takes 4095 */

/* Opens one component, which must be a folder of its own right. */
static int open_step(int dir_fd, const char *name, int flags)
{
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    return openat(dir_fd, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_by_kernel(int dir_fd, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

    return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
}

/* Where the first piece of @path ends: at a slash, or at its end. */
static size_t piece_len(const char *path, bool step_by_step)
{
    size_t len = strlen(path);
    const char *slash = NULL;

    if (step_by_step)
        slash = memchr(path, '/', len);
    else if (len > PIECE_BYTES)
        slash = memrchr(path, '/', PIECE_BYTES);
    return slash ? (size_t)(slash - path) : len;
}

static int open_in_pieces(int dir_fd, char *path, int flags, bool step_by_step)
{
    int at = dir_fd;

    for (char *rest = path;;) {
        size_t len = piece_len(rest, step_by_step);
        char end = rest[len];
        int piece_flags = end == '\0' ? flags : O_PATH;
        rest[len] = '\0';
        int next =
            step_by_step ? open_step(at, rest, piece_flags) : open_by_kernel(at, rest, piece_flags);
        rest[len] = end;
        int error = errno;
        if (at != dir_fd)
            close(at);
        errno = error;
        if (next < 0 || end == '\0')
            return next;
        at = next;
        rest += len + 1;
    }
}

int media_open_below(int dir_fd, char *path, int flags, bool *step_by_step)
{
    if (!__atomic_load_n(step_by_step, __ATOMIC_RELAXED)) {
        int fd = open_in_pieces(dir_fd, path, flags, false);
        /* EPERM: a sandbox that does not know the call. */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        __atomic_store_n(step_by_step, true, __ATOMIC_RELAXED);
    }
    return open_in_pieces(dir_fd, path, flags, true);
}
