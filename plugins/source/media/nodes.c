/* plugins/source/media/nodes.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What has no content of its own: symbolic links, FIFOs, device nodes, and further names of files
 * that were restored before. Made after all contents, so that no content ever meets a link.
 */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One entry on its way. */
struct node {
    struct media_run *run;
    uint64_t index;
    const struct backstay_entry *entry;
    struct media_place *place;
    const char *at; /* the name to make it under: its own, or a temporary one */
    const char *name;
    bool replace;
    struct backstay_error *err;
};

static int fail(const struct node *node, const char *what)
{
    const struct backstay_host *host = node->run->host;

    return host->fail(host, node->err, media_kind(errno), "not restored: %s: %s", what,
                      errno == EBADMSG ? "the description makes no sense" : media_why(errno));
}

/* ---------------------------------------------------------------- links, FIFOs, devices */

static int make(const struct node *node)
{
    const struct backstay_entry *entry = node->entry;
    dev_t rdev = makedev(entry->rdev_major, entry->rdev_minor);

    switch (entry->type) {
    case BACKSTAY_SYMLINK:
        if (entry->target_len == 0 || memchr(entry->target, '\0', entry->target_len)) {
            errno = EBADMSG;
            return fail(node, "create symbolic link");
        }
        return symlinkat(entry->target, node->place->fd, node->at) == 0
                   ? 0
                   : fail(node, "create symbolic link");
    case BACKSTAY_FIFO:
        return mknodat(node->place->fd, node->at, S_IFIFO | 0600, 0) == 0
                   ? 0
                   : fail(node, "create FIFO");
    case BACKSTAY_CHARDEV:
        return mknodat(node->place->fd, node->at, S_IFCHR | 0600, rdev) == 0
                   ? 0
                   : fail(node, "create device node (needs root)");
    case BACKSTAY_BLOCKDEV:
        return mknodat(node->place->fd, node->at, S_IFBLK | 0600, rdev) == 0
                   ? 0
                   : fail(node, "create device node (needs root)");
    default:
        errno = EBADMSG;
        return fail(node, "create");
    }
}

static mode_t type_of(const struct backstay_entry *entry)
{
    switch (entry->type) {
    case BACKSTAY_SYMLINK:
        return S_IFLNK;
    case BACKSTAY_FIFO:
        return S_IFIFO;
    case BACKSTAY_CHARDEV:
        return S_IFCHR;
    default:
        return S_IFBLK;
    }
}

static int dress(const struct node *node)
{
    struct media_thing thing = {.by_path = true, .replaced = node->entry->type != BACKSTAY_SYMLINK};
    struct stat st;

    thing.fd = openat(node->place->fd, node->at, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (thing.fd < 0)
        return fail(node, "open");
    /* In a folder that others may write to, something else could have got the name. */
    int r = -1;
    if (fstat(thing.fd, &st) != 0 || (st.st_mode & S_IFMT) != type_of(node->entry))
        r = (errno = ESTALE, fail(node, "set attributes"));
    else
        r = media_apply(&node->run->applier, &thing, node->entry, node->err);
    close(thing.fd);
    return r;
}

static int make_node(const struct node *node)
{
    int r = make(node);

    if (r != 0)
        return r;
    r = dress(node);
    if (node->replace && renameat(node->place->fd, node->at, node->place->fd, node->name) != 0) {
        r = fail(node, "replace");
        (void)unlinkat(node->place->fd, node->at, 0);
    }
    return r;
}

/* ---------------------------------------------------------------- hard links */

static bool same_inode(const struct node *node, const struct media_place *place, const char *name)
{
    struct stat a;
    struct stat b;

    return fstatat(place->fd, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(node->place->fd, node->name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* @return 0; 1 when it is linked already; -1. */
static int link_to(const struct node *node, const struct backstay_entry *leader)
{
    struct media_run *run = node->run;
    size_t len = media_parent_len(leader->path, leader->path_len);
    const char *name = media_base_name(leader->path, leader->path_len);
    struct media_place *place = media_places_open(&run->places, leader->path, len, false);
    int r = 0;

    if (place == NULL)
        return fail(node, "open the folder of what it is a hard link to");
    if (node->replace && same_inode(node, place, name))
        r = 1;
    else if (linkat(place->fd, name, node->place->fd, node->at, 0) != 0)
        r = fail(node, "create hard link");
    else if (node->replace && renameat(node->place->fd, node->at, node->place->fd, node->name) != 0)
        r = fail(node, "replace");
    if (r < 0 && node->replace)
        (void)unlinkat(node->place->fd, node->at, 0);
    media_places_close(&run->places, place);
    return r;
}

static int make_link(const struct node *node, struct backstay_cursor *cursor)
{
    struct media_run *run = node->run;
    struct backstay_feed *feed = run->feed;
    uint64_t leader = UINT64_MAX;

    (void)media_leaders_find(run->leaders, node->entry->link_group, UINT64_MAX, &leader);
    const struct backstay_entry *entry =
        leader < feed->n_entries ? feed->entry(feed, cursor, leader) : NULL;
    if (entry && (run->states[leader] == MEDIA_DONE || run->states[leader] == MEDIA_KEPT))
        return link_to(node, entry);
    return run->host->fail(run->host, node->err, BACKSTAY_ERR_IO,
                           "not restored: it is a hard link to %s, which was not restored",
                           entry ? entry->path : "?");
}

/* ---------------------------------------------------------------- all of them */

static bool is_node(const struct media_run *run, uint64_t index)
{
    unsigned char state = run->states[index];
    bool content = run->wanted[index / 8] >> (index % 8) & 1;

    return !content && (state == MEDIA_NEW || state == MEDIA_REPLACE);
}

/* @return 0; 1 when it was there already; -1. */
static int make_one(struct node *node, struct backstay_cursor *leaders)
{
    struct media_run *run = node->run;
    const struct backstay_entry *entry = node->entry;
    size_t len = media_parent_len(entry->path, entry->path_len);
    char temp[MEDIA_TEMP_NAME];

    node->place = media_places_open(&run->places, entry->path, len, false);
    if (node->place == NULL)
        return run->host->fail(run->host, node->err, BACKSTAY_ERR_IO, "not restored: %s",
                               media_place_why(errno));
    node->name = node->at = media_base_name(entry->path, entry->path_len);
    node->replace = run->states[node->index] == MEDIA_REPLACE;
    if (node->replace) {
        media_temp_name(run, node->index, temp);
        node->at = temp;
    }
    int r = entry->type == BACKSTAY_FILE ? make_link(node, leaders) : make_node(node);
    media_places_close(&run->places, node->place);
    return r;
}

int media_nodes_make(struct media_run *run, struct backstay_error *err)
{
    struct backstay_feed *feed = run->feed;
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    struct backstay_cursor *leaders = feed->cursor_open(feed);
    int r = 0;

    for (uint64_t i = 0; r == 0 && i < feed->n_entries; i++) {
        struct backstay_error problem = {.size = sizeof problem};
        struct node node = {.run = run, .index = i, .err = &problem};
        if (!is_node(run, i))
            continue;
        node.entry = feed->entry(feed, cursor, i);
        if (node.entry == NULL || media_run_cancelled(run, err) != 0) {
            r = -1;
            continue;
        }
        int made = make_one(&node, leaders);
        run->states[i] = made < 0 ? MEDIA_FAILED : MEDIA_DONE;
        if (made < 0)
            feed->problem(feed, i, "%s", problem.text);
        else
            feed->done(feed, i, made);
    }
    feed->cursor_close(feed, leaders);
    feed->cursor_close(feed, cursor);
    return r;
}
