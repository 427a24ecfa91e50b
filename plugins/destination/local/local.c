/* plugins/destination/local/local.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * local: a destination in a folder of this machine: a disk, a mounted share.
 *
 * This file: the option table, opening and closing, and how errno becomes an error.
 */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPTION_PATH, OPTION_MIN_FREE, OPTION_SYNC, N_OPTIONS };

static const struct backstay_option path_option = {
    .size = sizeof(struct backstay_option),
    .type = BACKSTAY_OPTION_PATH,
    .flags = BACKSTAY_OPTION_REQUIRED,
    .name = "path",
    .help = "Folder that holds the repository; init creates it",
};

static const struct backstay_option min_free_option = {
    .size = sizeof(struct backstay_option),
    .type = BACKSTAY_OPTION_SPACE,
    .name = "min_free",
    .help = "Space that stays free on its file system: nothing is written that would leave less",
};

static const struct backstay_option sync_option = {
    .size = sizeof(struct backstay_option),
    .type = BACKSTAY_OPTION_BOOL,
    .name = "sync",
    .default_text = "true",
    .help = "Flush each object to the disk before it counts; false only for throwaway repositories",
};

static const struct backstay_option *const options[N_OPTIONS] = {
    [OPTION_PATH] = &path_option,
    [OPTION_MIN_FREE] = &min_free_option,
    [OPTION_SYNC] = &sync_option,
};

int local_openat(const struct local *self, const char *name, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, self->root, name, &how, sizeof how);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        /* An old kernel, or a container whose filter does not know the call. */
        return openat(self->root, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    return (int)fd;
}

static int kind_of_errno(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return BACKSTAY_ERR_SPACE;
    case EACCES:
    case EPERM:
        return BACKSTAY_ERR_AUTH;
    case EAGAIN:
    case EBUSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ESTALE:
    case ETIMEDOUT:
        return BACKSTAY_ERR_TRANSIENT;
    default:
        return BACKSTAY_ERR_IO;
    }
}

/* What the user can do about it, or an empty text. */
static void advise(const struct local *self, int code, char *out, size_t size)
{
    struct statvfs vfs;

    out[0] = '\0';
    if (kind_of_errno(code) == BACKSTAY_ERR_SPACE && self->root >= 0 &&
        fstatvfs(self->root, &vfs) == 0)
        (void)snprintf(out, size,
                       " (%" PRIu64 " of %" PRIu64 " bytes are free); make room there and run it "
                       "again",
                       (uint64_t)vfs.f_bavail * vfs.f_frsize,
                       (uint64_t)vfs.f_blocks * vfs.f_frsize);
    else if (kind_of_errno(code) == BACKSTAY_ERR_AUTH)
        (void)snprintf(out, size, "; user %u needs the right to read and write there",
                       (unsigned)geteuid());
    else if (code == EROFS)
        (void)snprintf(out, size, "; mount it writable");
    else if (code == EOPNOTSUPP)
        (void)snprintf(out, size,
                       "; its file system has neither hard links nor a rename that does not "
                       "replace: use another one");
    else if (code == ELOOP || code == EXDEV)
        (void)snprintf(out, size,
                       "; a symbolic link or a mount inside of a destination is refused");
}

int local_fail_errno(const struct local *self, struct backstay_error *err, const char *fmt, ...)
{
    int code = errno;
    char what[700];
    char advice[160];
    char reason[96];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    advise(self, code, advice, sizeof advice);
    return self->host->fail(self->host, err, kind_of_errno(code), "%s: %s%s", what,
                            strerror_r(code, reason, sizeof reason), advice);
}

int local_check_root(const struct local *self, struct backstay_error *err)
{
    struct stat st;

    if (stat(self->path, &st) == 0 && st.st_dev == self->dev && st.st_ino == self->ino)
        return 0;
    return self->host->fail(self->host, err, BACKSTAY_ERR_IO,
                            "folder %s is no longer the one that was opened: was its disk "
                            "unmounted, or another one mounted over it? Mount it and run it again",
                            self->path);
}

static const struct backstay_value *value_of(const struct backstay_host *host, uint32_t option)
{
    static const struct backstay_value absent = {.size = sizeof absent};

    return option < host->n_values ? host->values[option] : &absent;
}

static void read_options(struct local *self)
{
    const struct backstay_value *min_free = value_of(self->host, OPTION_MIN_FREE);
    const struct backstay_value *sync = value_of(self->host, OPTION_SYNC);

    if (min_free->set && min_free->number > 0) {
        if (min_free->percent)
            self->min_free_percent = (uint32_t)min_free->number;
        else
            self->min_free_bytes = (uint64_t)min_free->number;
    }
    self->sync = !sync->set || sync->number != 0;
    if (!self->sync)
        self->host->log(self->host, BACKSTAY_LOG_WARN,
                        "sync is off: a power cut may lose or damage backups that were reported as "
                        "stored; use it for throwaway repositories only");
}

static int check_rights(const struct local *self, struct backstay_error *err)
{
    if (faccessat(self->root, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0)
        return 0;
    if (errno == EROFS) {
        self->host->log(self->host, BACKSTAY_LOG_NOTE,
                        "%s is on a read-only file system: it can be restored from, not written to",
                        self->path);
        return 0;
    }
    return local_fail_errno(self, err, "open folder %s", self->path);
}

static int open_root(struct local *self, struct backstay_error *err)
{
    struct stat st;

    self->root = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->root < 0 && errno == ENOENT)
        return self->host->fail(self->host, err, BACKSTAY_ERR_CONFIG,
                                "folder %s does not exist: mount its disk, or create the "
                                "repository with `backstay init`",
                                self->path);
    if (self->root < 0 && errno == ENOTDIR)
        return self->host->fail(self->host, err, BACKSTAY_ERR_CONFIG, "%s is not a folder",
                                self->path);
    if (self->root < 0 || fstat(self->root, &st) != 0)
        return local_fail_errno(self, err, "open folder %s", self->path);
    self->dev = st.st_dev;
    self->ino = st.st_ino;
    return check_rights(self, err);
}

static void local_close(void *arg)
{
    struct local *self = arg;

    if (self == NULL)
        return;
    if (self->root >= 0)
        (void)close(self->root);
    local_folder_forget_all(self);
    (void)pthread_mutex_destroy(&self->mutex);
    free(self->path);
    free(self);
}

static struct local *new_local(const struct backstay_host *host)
{
    struct local *self = calloc(1, sizeof *self);

    if (self == NULL)
        return NULL;
    self->host = host;
    self->root = -1;
    (void)pthread_mutex_init(&self->mutex, NULL);
    self->path = strdup(value_of(host, OPTION_PATH)->text);
    if (self->path == NULL) {
        local_close(self);
        return NULL;
    }
    return self;
}

static int local_open(const struct backstay_host *host, int create, void **out,
                      struct backstay_error *err)
{
    const struct backstay_value *path = value_of(host, OPTION_PATH);

    if (!path->set || path->text == NULL || path->text[0] == '\0')
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "option path is missing");
    struct local *self = new_local(host);
    if (self == NULL)
        return host->fail(host, err, BACKSTAY_ERR_IO, "out of memory");
    if ((create && local_folder_create_root(self, err) < 0) || open_root(self, err) < 0) {
        local_close(self);
        return -1;
    }
    read_options(self);
    local_temp_sweep(self);
    *out = self;
    return 0;
}

static const struct backstay_destination local = {
    .size = sizeof local,
    .open = local_open,
    .close = local_close,
    .check = local_check,
    .put = local_put,
    .put_if_absent = local_put_if_absent,
    .get = local_get,
    .list = local_list,
    .remove = local_remove,
    .space = local_space,
};

const struct backstay_plugin *backstay_plugin(void)
{
    static const struct backstay_plugin plugin = {
        .size = sizeof plugin,
        .abi = BACKSTAY_ABI,
        .kind = BACKSTAY_DESTINATION,
        .n_options = N_OPTIONS,
        .name = "local",
        .version = BACKSTAY_VERSION,
        .summary = "A folder of this machine: a disk or a mounted share",
        .options = options,
        .destination = &local,
    };

    return &plugin;
}
