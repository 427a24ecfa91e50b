/* plugins/source/media/plan.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first pass over the entries of a restore: makes folders, looks at what is there, and decides
 * what is wanted.
 */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { CANCEL_EVERY = 256 };

/* ---------------------------------------------------------------- leaders of hard links */

struct leader {
    uint64_t group; /* 0: a free slot */
    uint64_t index;
};

struct media_leaders {
    struct leader *slots;
    size_t n_slots;
    size_t n;
};

struct media_leaders *media_leaders_new(void)
{
    struct media_leaders *leaders = plug_alloc(1, sizeof *leaders);

    leaders->n_slots = 64;
    leaders->slots = plug_alloc(leaders->n_slots, sizeof *leaders->slots);
    return leaders;
}

void media_leaders_free(struct media_leaders *leaders)
{
    free(leaders->slots);
    free(leaders);
}

static struct leader *leader_slot(struct media_leaders *leaders, uint64_t group)
{
    size_t at = plug_mix(group) % leaders->n_slots;

    while (leaders->slots[at].group != 0 && leaders->slots[at].group != group)
        at = (at + 1) % leaders->n_slots;
    return &leaders->slots[at];
}

static void leaders_grow(struct media_leaders *leaders)
{
    struct leader *old = leaders->slots;
    size_t n_old = leaders->n_slots;

    leaders->n_slots *= 2;
    leaders->slots = plug_alloc(leaders->n_slots, sizeof *leaders->slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].group != 0)
            *leader_slot(leaders, old[i].group) = old[i];
    free(old);
}

bool media_leaders_find(struct media_leaders *leaders, uint64_t group, uint64_t index,
                        uint64_t *leader)
{
    struct leader *slot = leader_slot(leaders, group);

    if (slot->group != 0) {
        *leader = slot->index;
        return true;
    }
    if (index != UINT64_MAX) {
        *slot = (struct leader){.group = group, .index = index};
        if (++leaders->n * 2 > leaders->n_slots)
            leaders_grow(leaders);
    }
    return false;
}

/* ---------------------------------------------------------------- folders above an entry */

/* What the feed says about @path. @return its type, or 0 when it is not in the feed. */
static uint32_t type_in_feed(struct media_run *run, const char *path, size_t len)
{
    struct backstay_feed *feed = run->feed;
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    uint64_t low = 0;
    uint64_t high = feed->n_entries;
    uint32_t type = 0;

    while (low < high && type == 0) {
        uint64_t middle = low + (high - low) / 2;
        const struct backstay_entry *entry = feed->entry(feed, cursor, middle);
        if (entry == NULL)
            break;
        int order = memcmp(entry->path, path, PLUG_MIN(entry->path_len, len));
        if (order == 0 && entry->path_len == len)
            type = entry->type;
        else if (order < 0 || (order == 0 && entry->path_len < len))
            low = middle + 1;
        else
            high = middle;
    }
    feed->cursor_close(feed, cursor);
    return type;
}

/* Makes the folder @path, which no entry stands for. @return it open, or NULL with errno set. */
static struct media_place *make_above(struct media_run *run, const char *path, size_t len)
{
    size_t parent_len = media_parent_len(path, len);
    uint32_t type = type_in_feed(run, path, len);

    if (type != 0) {
        /* It was decided about before, and is not there: it failed, or is no folder. */
        errno = type == BACKSTAY_DIR ? ENOENT : type == BACKSTAY_SYMLINK ? ELOOP : ENOTDIR;
        return NULL;
    }
    struct media_place *parent = media_places_open(&run->places, path, parent_len, false);
    if (parent == NULL)
        return NULL;
    struct plug_bytes name = {0};
    size_t skip = parent_len > 0 ? parent_len + 1 : 0;
    plug_bytes_add(&name, path + skip, len - skip);
    int r = mkdirat(parent->fd, name.data, 0755);
    int error = errno;
    plug_bytes_free(&name);
    media_places_close(&run->places, parent);
    errno = error;
    return r == 0 ? media_places_open(&run->places, path, len, true) : NULL;
}

/*
 * Opens the folder that @path is in; where an entry was picked out of a tree, makes what is
 * missing above it. @return NULL with errno set.
 */
static struct media_place *open_parent(struct media_run *run, const char *path, size_t path_len)
{
    size_t len = media_parent_len(path, path_len);
    struct media_place *place = media_places_open(&run->places, path, len, false);

    if (place || errno != ENOENT || run->target->dry_run)
        return place;
    for (size_t end = 0; end < len;) {
        const char *slash = memchr(path + end + 1, '/', len - end - 1);
        end = slash ? (size_t)(slash - path) : len;
        if (place)
            media_places_close(&run->places, place);
        place = media_places_open(&run->places, path, end, false);
        if (place == NULL && errno == ENOENT)
            place = make_above(run, path, end);
        if (place == NULL)
            return NULL;
    }
    return place;
}

/* ---------------------------------------------------------------- what is there */

static bool same_target(const struct backstay_entry *entry, int dir_fd)
{
    struct plug_bytes target = {0};
    char *to = plug_bytes_reserve(&target, entry->target_len + 1);
    ssize_t len = readlinkat(dir_fd, media_base_name(entry->path, entry->path_len), to,
                             entry->target_len + 1);
    bool same = len >= 0 && (size_t)len == entry->target_len &&
                memcmp(to, entry->target, entry->target_len) == 0;

    plug_bytes_free(&target);
    return same;
}

/* Whether @entry, found as @st in @dir_fd, needs no restoring. */
static bool is_same(const struct backstay_entry *entry, const struct stat *st, int dir_fd)
{
    dev_t rdev = makedev(entry->rdev_major, entry->rdev_minor);

    switch (entry->type) {
    case BACKSTAY_FILE:
        return S_ISREG(st->st_mode) && (uint64_t)st->st_size == entry->bytes &&
               st->st_mtim.tv_sec == entry->mtime_s && st->st_mtim.tv_nsec == (long)entry->mtime_ns;
    case BACKSTAY_DIR:
        return S_ISDIR(st->st_mode);
    case BACKSTAY_SYMLINK:
        return S_ISLNK(st->st_mode) && same_target(entry, dir_fd);
    case BACKSTAY_FIFO:
        return S_ISFIFO(st->st_mode);
    case BACKSTAY_CHARDEV:
        return S_ISCHR(st->st_mode) && st->st_rdev == rdev;
    case BACKSTAY_BLOCKDEV:
        return S_ISBLK(st->st_mode) && st->st_rdev == rdev;
    default:
        return false;
    }
}

/* ---------------------------------------------------------------- deciding */

static void say(const struct media_run *run, const char *what, const struct backstay_entry *entry)
{
    if (run->target->dry_run)
        run->host->log(run->host, BACKSTAY_LOG_INFO, "would %s %s", what,
                       entry->path_len > 0 ? entry->path : run->target->location);
}

/* Keeps what is there. */
static enum media_state keep(struct media_run *run, uint64_t index,
                             const struct backstay_entry *entry)
{
    say(run, "keep", entry);
    run->feed->done(run->feed, index, 1);
    return MEDIA_KEPT;
}

static enum media_state refuse(struct media_run *run, uint64_t index, const char *why)
{
    run->feed->problem(run->feed, index, "not restored: %s", why);
    return MEDIA_FAILED;
}

static enum media_state make_folder(struct media_run *run, uint64_t index,
                                    const struct backstay_entry *entry, int dir_fd)
{
    const char *name = media_base_name(entry->path, entry->path_len);

    say(run, "create", entry);
    if (run->target->dry_run)
        return MEDIA_FOLDER;
    /* Closed to others until all that is in it is restored. */
    if (mkdirat(dir_fd, name, 0700) != 0)
        return refuse(run, index, media_why(errno));
    struct media_place *place = media_places_open(&run->places, entry->path, entry->path_len, true);
    if (place == NULL)
        return refuse(run, index, media_why(errno));
    media_places_close(&run->places, place);
    return MEDIA_FOLDER;
}

/* As its owner, we may have to open up a folder for the time of the restore. */
static void make_writable(struct media_run *run, const struct backstay_entry *entry,
                          const struct stat *there)
{
    char path[64];

    if (run->target->dry_run || run->applier.euid == 0 || (there->st_mode & 0700) == 0700)
        return;
    struct media_place *place =
        media_places_open(&run->places, entry->path, entry->path_len, false);
    if (place == NULL)
        return;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", place->fd);
    (void)chmod(path, (there->st_mode & 07777) | 0700);
    media_places_close(&run->places, place);
}

static enum media_state decide_folder(struct media_run *run, uint64_t index,
                                      const struct backstay_entry *entry, int dir_fd,
                                      const struct stat *there)
{
    bool never = run->target->overwrite == BACKSTAY_OVERWRITE_NEVER;

    if (there == NULL)
        return make_folder(run, index, entry, dir_fd);
    if (S_ISDIR(there->st_mode)) {
        if (never)
            return keep(run, index, entry);
        say(run, "replace the attributes of", entry);
        make_writable(run, entry, there);
        return MEDIA_FOLDER;
    }
    if (never)
        return refuse(run, index, "something that is not a folder is in its place");
    if (!run->target->dry_run &&
        unlinkat(dir_fd, media_base_name(entry->path, entry->path_len), 0) != 0)
        return refuse(run, index, media_why(errno));
    return make_folder(run, index, entry, dir_fd);
}

/* What is not a folder, where @there is. */
static enum media_state decide_existing(struct media_run *run, uint64_t index,
                                        const struct backstay_entry *entry, int dir_fd,
                                        const struct stat *there)
{
    uint32_t overwrite = run->target->overwrite;

    if (overwrite == BACKSTAY_OVERWRITE_NEVER ||
        (overwrite == BACKSTAY_OVERWRITE_CHANGED && is_same(entry, there, dir_fd)))
        return MEDIA_KEPT;
    if (!S_ISDIR(there->st_mode))
        return MEDIA_REPLACE;
    if (run->target->dry_run)
        return MEDIA_NEW;
    if (unlinkat(dir_fd, media_base_name(entry->path, entry->path_len), AT_REMOVEDIR) == 0)
        return MEDIA_NEW;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return refuse(run, index, "a folder that is not empty is in its place");
    return refuse(run, index, media_why(errno));
}

/* Sets the bit of a file whose content is to come. @return the state of the entry. */
static enum media_state want(struct media_run *run, uint64_t index,
                             const struct backstay_entry *entry, enum media_state state)
{
    uint64_t leader;

    if (entry->type != BACKSTAY_FILE) {
        run->has_nodes = true;
        return state;
    }
    if (entry->link_group != 0 &&
        media_leaders_find(run->leaders, entry->link_group, index, &leader)) {
        run->has_nodes = true;
        return state;
    }
    run->wanted[index / 8] |= (unsigned char)(1u << (index % 8));
    return state;
}

static enum media_state decide_other(struct media_run *run, uint64_t index,
                                     const struct backstay_entry *entry, int dir_fd,
                                     const struct stat *there)
{
    enum media_state state = MEDIA_NEW;
    uint64_t leader;

    if (there)
        state = decide_existing(run, index, entry, dir_fd, there);
    if (state == MEDIA_FAILED)
        return state;
    if (state == MEDIA_KEPT) {
        bool equal = run->target->overwrite == BACKSTAY_OVERWRITE_CHANGED;
        /* What is known to be equal may serve the other names; as may it be one of them itself. */
        if (equal && entry->type == BACKSTAY_FILE && entry->link_group != 0 &&
            media_leaders_find(run->leaders, entry->link_group, index, &leader))
            return want(run, index, entry, MEDIA_REPLACE);
        return keep(run, index, entry);
    }
    say(run, state == MEDIA_NEW ? "create" : "replace", entry);
    if (run->target->dry_run) {
        run->feed->done(run->feed, index, 0);
        return state;
    }
    return want(run, index, entry, state);
}

static enum media_state decide_root(struct media_run *run, uint64_t index,
                                    const struct backstay_entry *entry)
{
    if (entry->type != BACKSTAY_DIR)
        return refuse(run, index, "the snapshot says that it is not a folder");
    if (run->root_fresh) {
        say(run, "create", entry);
        return MEDIA_FOLDER;
    }
    if (run->target->overwrite == BACKSTAY_OVERWRITE_NEVER)
        return keep(run, index, entry);
    say(run, "replace the attributes of", entry);
    return MEDIA_FOLDER;
}

/* The host has checked this; but what ".." would do is worth a second look. */
static bool is_plain(const struct backstay_entry *entry)
{
    const char *end = entry->path + entry->path_len;

    for (const char *at = entry->path; at <= end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t len = (size_t)((slash ? slash : end) - at);
        if (len == 0 || (len <= 2 && memcmp(at, "..", len) == 0))
            return false;
        at += len + 1;
    }
    return strlen(entry->path) == entry->path_len;
}

static enum media_state decide(struct media_run *run, uint64_t index,
                               const struct backstay_entry *entry)
{
    struct media_place *parent = NULL;
    struct stat st;
    bool there = false;

    if (entry->path_len == 0)
        return decide_root(run, index, entry);
    if (!is_plain(entry))
        return refuse(run, index, "its path leads elsewhere");
    if (entry->type == BACKSTAY_SOCKET)
        return keep(run, index, entry);
    if (run->root_fd >= 0)
        parent = open_parent(run, entry->path, entry->path_len);
    /* In a dry run the folder may be one that would be made. */
    if (parent == NULL && !(run->target->dry_run && (run->root_fd < 0 || errno == ENOENT)))
        return refuse(run, index, media_place_why(errno));
    if (parent && !parent->fresh) {
        const char *name = media_base_name(entry->path, entry->path_len);
        there = fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    }
    int dir_fd = parent ? parent->fd : -1;
    enum media_state state = entry->type == BACKSTAY_DIR
                                 ? decide_folder(run, index, entry, dir_fd, there ? &st : NULL)
                                 : decide_other(run, index, entry, dir_fd, there ? &st : NULL);
    if (parent)
        media_places_close(&run->places, parent);
    return state;
}

static void open_fresh_root(struct media_run *run)
{
    struct media_place *root = NULL;

    if (run->root_fresh && run->root_fd >= 0)
        root = media_places_open(&run->places, "", 0, true);
    if (root)
        media_places_close(&run->places, root);
}

int media_plan(struct media_run *run, struct backstay_error *err)
{
    struct backstay_feed *feed = run->feed;
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    int r = 0;

    open_fresh_root(run);
    for (uint64_t i = 0; r == 0 && i < feed->n_entries; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry == NULL || (i % CANCEL_EVERY == 0 && media_run_cancelled(run, err) != 0)) {
            r = -1;
        } else {
            enum media_state state = decide(run, i, entry);
            run->states[i] = (unsigned char)state;
            if (run->target->dry_run && state == MEDIA_FOLDER)
                feed->done(feed, i, 0);
        }
    }
    feed->cursor_close(feed, cursor);
    return r;
}
