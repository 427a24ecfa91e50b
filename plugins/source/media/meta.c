/* plugins/source/media/meta.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "meta.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* Version of what a recorded entry holds: raised when older records lack something. */
enum { TOKEN_VERSION = 1, OWNER_SLOTS = 1024, XATTR_LIST_MAX = 1 << 20 };

#define NS_PER_S    INT64_C(1000000000)
#define RACY_NS     INT64_C(50000000) /* the kernel's clock for files ticks every 1 to 10 ms */
#define RACY_COARSE (2 * NS_PER_S)    /* FAT counts in two seconds */

/* ---------------------------------------------------------------- owners */

struct owner {
    struct owner *next;
    uint32_t id;
    bool group;
    char *name; /* NULL: there is none */
};

struct media_owners {
    pthread_mutex_t lock;
    struct owner *slots[OWNER_SLOTS];
};

struct media_owners *media_owners_new(void)
{
    struct media_owners *owners = plug_alloc(1, sizeof *owners);

    pthread_mutex_init(&owners->lock, NULL);
    return owners;
}

void media_owners_free(struct media_owners *owners)
{
    if (owners == NULL)
        return;
    for (size_t i = 0; i < OWNER_SLOTS; i++) {
        while (owners->slots[i]) {
            struct owner *owner = owners->slots[i];
            owners->slots[i] = owner->next;
            free(owner->name);
            free(owner);
        }
    }
    pthread_mutex_destroy(&owners->lock);
    free(owners);
}

static char *copy_name(const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        abort();
    return copy;
}

static char *look_up(bool group, uint32_t id)
{
    struct plug_bytes buffer = {0};
    char *name = NULL;
    int error = ERANGE;

    /* A group with many members needs a large buffer; a mebibyte is beyond all reason. */
    for (size_t size = 4096; error == ERANGE && size <= 1 << 20; size *= 4) {
        char *memory = plug_bytes_reserve(&buffer, size);
        struct passwd pw;
        struct passwd *found_pw = NULL;
        struct group gr;
        struct group *found_gr = NULL;
        if (group)
            error = getgrgid_r(id, &gr, memory, size, &found_gr);
        else
            error = getpwuid_r(id, &pw, memory, size, &found_pw);
        if (error == 0 && found_gr)
            name = copy_name(gr.gr_name);
        if (error == 0 && found_pw)
            name = copy_name(pw.pw_name);
    }
    plug_bytes_free(&buffer);
    return name;
}

const char *media_owner_name(struct media_owners *owners, bool group, uint32_t id)
{
    size_t slot = plug_mix((unsigned long)id << 1 | group) % OWNER_SLOTS;
    struct owner *owner;

    pthread_mutex_lock(&owners->lock);
    for (owner = owners->slots[slot]; owner; owner = owner->next)
        if (owner->id == id && owner->group == group)
            break;
    if (owner == NULL) {
        owner = plug_alloc(1, sizeof *owner);
        *owner = (struct owner){
            .next = owners->slots[slot], .id = id, .group = group, .name = look_up(group, id)};
        owners->slots[slot] = owner;
    }
    pthread_mutex_unlock(&owners->lock);
    return owner->name;
}

/* ---------------------------------------------------------------- stat */

void media_meta_free(struct media_meta *meta)
{
    plug_bytes_free(&meta->names);
    plug_bytes_free(&meta->values);
    free(meta->xattrs);
}

static uint32_t type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return BACKSTAY_FILE;
    case S_IFDIR:
        return BACKSTAY_DIR;
    case S_IFLNK:
        return BACKSTAY_SYMLINK;
    case S_IFIFO:
        return BACKSTAY_FIFO;
    case S_IFCHR:
        return BACKSTAY_CHARDEV;
    case S_IFBLK:
        return BACKSTAY_BLOCKDEV;
    default:
        return BACKSTAY_SOCKET;
    }
}

void media_meta_stat(struct media_meta *meta, struct backstay_entry *entry, const struct stat *st)
{
    if (!meta->warm || meta->last_uid != st->st_uid)
        meta->user = media_owner_name(meta->owners, false, st->st_uid);
    if (!meta->warm || meta->last_gid != st->st_gid)
        meta->group = media_owner_name(meta->owners, true, st->st_gid);
    meta->last_uid = st->st_uid;
    meta->last_gid = st->st_gid;
    meta->warm = true;
    entry->type = type_of(st->st_mode);
    entry->flags = BACKSTAY_ENTRY_HAS_MODE;
    entry->mode = st->st_mode & 07777;
    entry->bytes = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    entry->mtime_s = st->st_mtim.tv_sec;
    entry->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
    entry->uid = st->st_uid;
    entry->gid = st->st_gid;
    entry->user = meta->user;
    entry->group = meta->group;
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
        entry->rdev_major = major(st->st_rdev);
        entry->rdev_minor = minor(st->st_rdev);
    }
}

/* ---------------------------------------------------------------- attributes */

/* The way to a name in an open folder for the calls that have no variant with a descriptor. */
static void proc_path(char out[static 300], const struct media_place_of *of)
{
    (void)snprintf(out, 300, "/proc/self/fd/%d/%s", of->dir_fd, of->name);
}

static ssize_t list_xattrs(const struct media_place_of *of, char *out, size_t room)
{
    char path[300];

    if (of->fd >= 0)
        return flistxattr(of->fd, out, room);
    proc_path(path, of);
    return llistxattr(path, out, room);
}

static ssize_t get_xattr(const struct media_place_of *of, const char *name, char *out, size_t room)
{
    char path[300];

    if (of->fd >= 0)
        return fgetxattr(of->fd, name, out, room);
    proc_path(path, of);
    return lgetxattr(path, name, out, room);
}

/* @return 0 with the names in meta->names, or an errno. */
static int read_names(struct media_meta *meta, const struct media_place_of *of)
{
    size_t room = 4096;

    plug_bytes_cut(&meta->names, 0);
    for (;;) {
        char *to = plug_bytes_reserve(&meta->names, room);
        ssize_t got = list_xattrs(of, to, room);
        if (got >= 0) {
            plug_bytes_cut(&meta->names, (size_t)got);
            return 0;
        }
        if (errno == EOPNOTSUPP || errno == ENOSYS)
            return 0;
        if (errno != ERANGE || room >= XATTR_LIST_MAX)
            return errno;
        room *= 16;
    }
}

/* Appends the value of @name. @return 0 with *@len set, or an errno. */
static int read_value(struct media_meta *meta, const struct media_place_of *of, const char *name,
                      size_t *len)
{
    size_t room = 256;

    for (;;) {
        char *to = plug_bytes_reserve(&meta->values, room);
        ssize_t got = get_xattr(of, name, to, room);
        if (got >= 0) {
            plug_bytes_cut(&meta->values, meta->values.len + (size_t)got);
            *len = (size_t)got;
            return 0;
        }
        if (errno != ERANGE || room >= XATTR_LIST_MAX)
            return errno;
        room *= 16;
    }
}

int media_meta_xattrs(struct media_meta *meta, struct backstay_entry *entry,
                      const struct media_place_of *of, const char **failed)
{
    *failed = NULL;
    if (!meta->media->xattrs)
        return 0;
    int trouble = read_names(meta, of);
    if (trouble != 0 || meta->names.len == 0)
        return trouble;
    plug_bytes_cut(&meta->values, 0);
    const char *end = meta->names.data + meta->names.len;
    uint32_t n = 0;
    for (const char *name = meta->names.data; name < end; name += strlen(name) + 1) {
        size_t len = 0;
        int error = read_value(meta, of, name, &len);
        if (error != 0 && error != ENODATA) {
            *failed = name;
            trouble = error;
        }
        if (error != 0)
            continue;
        meta->xattrs = plug_grow(meta->xattrs, &meta->cap, n + 1, sizeof *meta->xattrs);
        meta->xattrs[n++] = (struct backstay_xattr){.name = name, .value_len = len};
    }
    const char *value = meta->values.data;
    for (uint32_t i = 0; i < n; i++) {
        meta->xattrs[i].value = value;
        value += meta->xattrs[i].value_len;
    }
    entry->xattrs = meta->xattrs;
    entry->n_xattrs = n;
    return trouble;
}

/* ---------------------------------------------------------------- tokens */

static unsigned char *put(unsigned char *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
    return to + bytes;
}

size_t media_token_of(const struct media *media, const struct stat *st,
                      unsigned char out[BACKSTAY_TOKEN_MAX])
{
    unsigned char *at = out;

    /* What was left out of the record must not be taken for recorded when the option changes. */
    at = put(at, TOKEN_VERSION << 1 | media->xattrs, 1);
    at = put(at, media->ignore_inode ? 0 : st->st_dev, 8);
    at = put(at, media->ignore_inode ? 0 : st->st_ino, 8);
    at = put(at, (uint64_t)st->st_size, 8);
    at = put(at, (uint64_t)st->st_mtim.tv_sec, 8);
    at = put(at, (uint64_t)st->st_mtim.tv_nsec, 4);
    at = put(at, (uint64_t)st->st_ctim.tv_sec, 8);
    at = put(at, (uint64_t)st->st_ctim.tv_nsec, 4);
    return (size_t)(at - out);
}

/* Saturates: file systems store years that nanoseconds in 64 bits do not reach. */
static int64_t ns_of(const struct timespec *t)
{
    const int64_t most = INT64_MAX / NS_PER_S - 1;

    if (t->tv_sec > most || t->tv_sec < -most)
        return t->tv_sec > 0 ? INT64_MAX : INT64_MIN;
    return (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

size_t media_token_make(const struct media *media, const struct stat *st, int64_t seen_ns,
                        unsigned char out[BACKSTAY_TOKEN_MAX])
{
    bool coarse = st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0;
    int64_t limit = seen_ns - (coarse ? RACY_COARSE : RACY_NS);
    int64_t mtime = ns_of(&st->st_mtim);

    if (ns_of(&st->st_ctim) >= limit)
        return 0;
    /* A modification time in the future was set by hand, which shows in the time of change. */
    if (mtime >= limit && mtime <= seen_ns)
        return 0;
    return media_token_of(media, st, out);
}
