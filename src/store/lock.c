/* src/store/lock.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * flock(2) rather than a PID file: the kernel drops the lock when the holder dies, so there is
 * no stale state to judge after a crash.
 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct stay_lock {
    int fd;
};

int stay_lock_take(struct stay_lock **out, const char *state_dir, const char *name,
                   struct stay_err *err)
{
    stay_auto_str char *path = stay_strf("%s/%s.lock", state_dir, name);
    stay_auto_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "open lock %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return STAY_LOCK_BUSY;
        return stay_fail_errno(err, STAY_ERR_IO, "lock %s", path);
    }
    *out = stay_new(struct stay_lock);
    (*out)->fd = stay_steal_fd(&fd);
    return 0;
}

void stay_lock_free(struct stay_lock *lock)
{
    if (lock == NULL)
        return;
    (void)close(lock->fd);
    free(lock);
}
