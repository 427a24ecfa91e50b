/* plugins/source/media/restore.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore.h"

#include "folder.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- for all parts */

void media_temp_name(const struct media_run *run, uint64_t index, char out[static MEDIA_TEMP_NAME])
{
    (void)snprintf(out, MEDIA_TEMP_NAME, ".backstay-%08x-%" PRIu64, run->nonce, index);
}

const char *media_place_why(int error)
{
    if (error == ELOOP || error == EXDEV)
        return "a part of its path is a symbolic link, and nothing is written through it";
    if (error == ENOTDIR)
        return "a part of its path is not a folder";
    return media_why(error);
}

int media_move_in(int dir_fd, const char *temp, const char *name, bool replace)
{
    struct stat st;

    if (replace)
        return renameat(dir_fd, temp, dir_fd, name);
    if (renameat2(dir_fd, temp, dir_fd, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* The file system does not know the flag: looking first is the next best. */
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(dir_fd, temp, dir_fd, name);
}

int media_run_cancelled(const struct media_run *run, struct backstay_error *err)
{
    if (!run->host->cancelled(run->host))
        return 0;
    return run->host->fail(run->host, err, BACKSTAY_ERR_CANCELLED, "stopped on request");
}

/* ---------------------------------------------------------------- the target */

static bool is_empty(int fd)
{
    struct media_names names = {0};
    void *buffer = plug_alloc(1, MEDIA_NAMES_BUFFER);
    bool empty = media_names_read(&names, fd, buffer) == 0 && names.n == 0;

    media_names_free(&names);
    free(buffer);
    return empty;
}

/* Creates @path and its missing parents; @mode is that of @path itself. */
static int make_folders(const char *path, mode_t mode)
{
    struct plug_bytes at = {0};
    int r = 0;

    plug_bytes_add(&at, path, strlen(path));
    while (at.len > 1 && at.data[at.len - 1] == '/')
        plug_bytes_cut(&at, at.len - 1);
    for (char *slash = strchr(at.data + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = mkdir(at.data, 0755) != 0 && errno != EEXIST ? -1 : 0;
        *slash = '/';
    }
    if (r == 0)
        r = mkdir(at.data, mode);
    int error = errno;
    plug_bytes_free(&at);
    errno = error;
    return r;
}

static bool feed_has_root(struct media_run *run)
{
    struct backstay_cursor *cursor = run->feed->cursor_open(run->feed);
    const struct backstay_entry *first = NULL;

    if (run->feed->n_entries > 0)
        first = run->feed->entry(run->feed, cursor, 0);
    bool has = first && first->path_len == 0;
    run->feed->cursor_close(run->feed, cursor);
    return has;
}

static int open_target(struct media_run *run, struct backstay_error *err)
{
    const struct backstay_host *host = run->host;
    const char *location = run->target->location;

    run->root_fd = open(location, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->root_fd < 0 && errno == ENOENT) {
        run->root_fresh = true;
        if (run->target->dry_run)
            return 0;
        /* Closed to others until the folder's own mode is restored at the end. */
        if (make_folders(location, feed_has_root(run) ? 0700 : 0755) != 0)
            return host->fail(host, err, media_kind(errno),
                              "create the folder %s to restore into: %s", location,
                              media_why(errno));
        run->root_fd = open(location, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (run->root_fd < 0 && errno == ENOTDIR)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "restore into %s: it is not a folder; name another one", location);
    if (run->root_fd < 0)
        return host->fail(host, err, media_kind(errno), "open the folder %s to restore into: %s",
                          location, media_why(errno));
    run->root_fresh = run->root_fresh || is_empty(run->root_fd);
    return 0;
}

/* ---------------------------------------------------------------- folders, at the end */

static int finish_folder(struct media_run *run, const struct backstay_entry *entry,
                         struct backstay_error *err)
{
    /* Also a new folder may have attributes that are not its own: an inherited ACL. */
    struct media_thing thing = {.replaced = true};
    int fd = run->root_fd;
    int error = 0;

    if (entry->path_len > 0) {
        size_t parent_len = media_parent_len(entry->path, entry->path_len);
        struct media_place *parent =
            media_places_open(&run->places, entry->path, parent_len, false);
        if (parent == NULL)
            return run->host->fail(run->host, err, media_kind(errno),
                                   "attributes were not restored: %s", media_place_why(errno));
        fd = openat(parent->fd, media_base_name(entry->path, entry->path_len),
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        error = errno;
        media_places_close(&run->places, parent);
    }
    if (fd < 0)
        return run->host->fail(run->host, err, media_kind(error),
                               "attributes were not restored: open: %s", media_why(error));
    thing.fd = fd;
    int r = media_apply(&run->applier, &thing, entry, err);
    if (fd != run->root_fd)
        close(fd);
    return r;
}

/* From the last to the first: what is in a folder comes before the folder is closed to us. */
static int finish_folders(struct media_run *run, struct backstay_error *err)
{
    struct backstay_feed *feed = run->feed;
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    int r = 0;

    for (uint64_t i = feed->n_entries; r == 0 && i-- > 0;) {
        struct backstay_error problem = {.size = sizeof problem};
        if (run->states[i] != MEDIA_FOLDER)
            continue;
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry == NULL || media_run_cancelled(run, err) != 0)
            r = -1;
        else if (finish_folder(run, entry, &problem) != 0)
            feed->problem(feed, i, "%s", problem.text);
        else
            feed->done(feed, i, 0);
    }
    feed->cursor_close(feed, cursor);
    return r;
}

/* ---------------------------------------------------------------- the whole */

static int deliver(struct media_run *run)
{
    struct media_output *output = media_output_new(run);
    int r = run->feed->bulk(run->feed, media_output_ops(), output, run->wanted);

    media_output_free(output);
    return r;
}

static int write_all(struct media_run *run, struct backstay_error *err)
{
    const struct backstay_host *host = run->host;

    if (deliver(run) != 0 || media_run_cancelled(run, err) != 0)
        return -1;
    if (run->has_nodes && media_nodes_make(run, err) != 0)
        return -1;
    if (finish_folders(run, err) != 0)
        return -1;
    if (syncfs(run->root_fd) != 0)
        return host->fail(host, err, media_kind(errno),
                          "flush what was restored into %s to the disk: %s", run->target->location,
                          media_why(errno));
    return 0;
}

int media_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
                  struct backstay_error *err)
{
    const struct media *media = self;
    struct media_run run = {
        .media = media, .host = media->host, .target = target, .feed = feed, .root_fd = -1};

    if (open_target(&run, err) != 0)
        return -1;
    if (getrandom(&run.nonce, sizeof run.nonce, 0) != sizeof run.nonce)
        run.nonce = (uint32_t)getpid();
    media_places_init(&run.places, run.root_fd);
    media_applier_init(&run.applier, media->host);
    run.states = plug_alloc(feed->n_entries, 1);
    run.wanted = plug_alloc(feed->n_entries / 8 + 1, 1);
    run.leaders = media_leaders_new();
    int r = media_plan(&run, err);
    if (r == 0 && !target->dry_run)
        r = write_all(&run, err);
    media_leaders_free(run.leaders);
    free(run.wanted);
    free(run.states);
    media_places_done(&run.places);
    if (run.root_fd >= 0)
        close(run.root_fd);
    return r;
}
