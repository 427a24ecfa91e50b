/* plugins/source/media/backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a backup does with each thing that the walk finds: asks whether it is unchanged, and sends
 * it when it is not.
 */
#include "content.h"
#include "links.h"
#include "meta.h"
#include "tally.h"
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXPECT_EVERY = 2048 };

struct thread {
    struct backup *backup;
    struct media_meta meta;
    struct media_content content;
    struct media_tally tally;
    struct plug_bytes target;
    unsigned new_entries; /* since the host was told */
    uint64_t new_bytes;
} __attribute__((aligned(64)));

struct backup {
    const struct media *media;
    struct backstay_sink *sink;
    struct media_links *links;
    struct media_owners *owners;
    struct media_walk walk;
    struct thread *threads;
    uint64_t found; /* entries of all threads so far, for progress */
    uint64_t found_bytes;
};

/* ---------------------------------------------------------------- helpers */

/* Counts an entry; now and then tells the host how much was found: names run ahead of entries. */
static void count(struct thread *thread, const struct stat *st, uint64_t bytes)
{
    struct backup *backup = thread->backup;
    struct backstay_sink *sink = backup->sink;

    media_tally_add(&thread->tally, st->st_mode, bytes);
    thread->new_bytes += bytes;
    if (++thread->new_entries < EXPECT_EVERY)
        return;
    uint64_t sum = __atomic_add_fetch(&backup->found_bytes, thread->new_bytes, __ATOMIC_RELAXED);
    thread->new_entries = 0;
    thread->new_bytes = 0;
    sink->expect(sink, __atomic_load_n(&backup->walk.names, __ATOMIC_RELAXED) + 1, sum);
}

/* Whether the host took the entry over from the last snapshot. @return 1, 0, or -1: stop. */
static int is_unchanged(struct thread *thread, const struct media_spot *spot)
{
    struct backstay_sink *sink = thread->backup->sink;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    size_t len = media_token_of(thread->backup->media, spot->st, token);

    return sink->unchanged(sink, spot->path, spot->path_len, token, len);
}

/* An entry with all but its attributes. */
static struct backstay_entry describe(struct thread *thread, const struct media_spot *spot)
{
    struct backstay_entry entry = {
        .size = sizeof entry, .path = spot->path, .path_len = spot->path_len};

    media_meta_stat(&thread->meta, &entry, spot->st);
    return entry;
}

static int add_xattrs(struct thread *thread, const struct media_spot *spot,
                      struct backstay_entry *entry)
{
    const struct media_place_of of = {.fd = spot->fd, .dir_fd = spot->dir_fd, .name = spot->name};
    const char *failed;
    int error = media_meta_xattrs(&thread->meta, entry, &of, &failed);

    if (error == 0)
        return 0;
    return media_content_xattr_trouble(thread->backup->sink, spot, failed, error);
}

/* ---------------------------------------------------------------- each kind of thing */

static int backup_folder(void *ctx, unsigned worker, const struct media_spot *spot)
{
    struct backup *backup = ctx;
    struct thread *thread = &backup->threads[worker];
    struct backstay_sink *sink = backup->sink;
    unsigned char token[BACKSTAY_TOKEN_MAX];

    count(thread, spot->st, 0);
    if (spot->error != 0 && sink->warn(sink, spot->path, spot->path_len,
                                       "folder is unreadable, nothing in it was recorded: %s",
                                       media_why(spot->error)) != 0)
        return -1;
    int r = spot->error == 0 ? is_unchanged(thread, spot) : 0;
    if (r != 0)
        return r < 0 ? -1 : 0;
    struct backstay_entry entry = describe(thread, spot);
    if (spot->error == 0 && add_xattrs(thread, spot, &entry) != 0)
        return -1;
    size_t len = 0;
    if (spot->error == 0)
        len = media_token_make(backup->media, spot->st, spot->seen_ns, token);
    return sink->whole(sink, &entry, NULL, 0, token, len);
}

static int backup_link(struct thread *thread, const struct media_spot *spot, uint64_t group)
{
    struct backstay_sink *sink = thread->backup->sink;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    struct backstay_entry entry = describe(thread, spot);

    entry.link_group = group;
    if (add_xattrs(thread, spot, &entry) != 0)
        return -1;
    size_t len = media_token_make(thread->backup->media, spot->st, spot->seen_ns, token);
    return sink->link(sink, &entry, token, len);
}

static int backup_file(struct thread *thread, const struct media_spot *spot)
{
    struct backup *backup = thread->backup;
    bool linked = spot->st->st_nlink > 1;
    uint64_t group = linked ? media_links_group(spot->st) : 0;
    struct media_sent sent;

    /* With unstable inodes a group taken over from the last snapshot could meet another's. */
    int r = linked && backup->media->ignore_inode ? 0 : is_unchanged(thread, spot);
    if (r != 0) {
        count(thread, spot->st, (uint64_t)spot->st->st_size);
        return r < 0 ? -1 : 0;
    }
    if (linked && media_links_claim(backup->links, spot->st) == MEDIA_LINK_SENT) {
        count(thread, spot->st, (uint64_t)spot->st->st_size);
        return backup_link(thread, spot, group);
    }
    r = media_content_send(&thread->content, spot, group, &sent);
    if (linked)
        media_links_settle(backup->links, spot->st, r == 0 && sent.clean ? &sent.st : NULL);
    if (r == 0)
        count(thread, &sent.st, sent.bytes);
    return r < 0 ? -1 : 0;
}

/* Reads the target of a symbolic link into thread->target. @return 0, or an errno. */
static int read_target(struct thread *thread, const struct media_spot *spot)
{
    size_t room = (size_t)PLUG_MAX(spot->st->st_size, 255) + 1;

    for (;;) {
        plug_bytes_cut(&thread->target, 0);
        char *to = plug_bytes_reserve(&thread->target, room);
        ssize_t len = readlinkat(spot->dir_fd, spot->name, to, room);
        if (len < 0)
            return errno;
        if ((size_t)len < room) {
            plug_bytes_cut(&thread->target, (size_t)len);
            return 0;
        }
        room *= 2;
    }
}

static int backup_other(struct thread *thread, const struct media_spot *spot)
{
    struct backup *backup = thread->backup;
    struct backstay_sink *sink = backup->sink;
    const struct backstay_host *host = backup->media->host;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    struct backstay_entry entry = describe(thread, spot);

    if (entry.type == BACKSTAY_SOCKET)
        host->log(host, BACKSTAY_LOG_INFO, "%s: a socket is noted, but never restored", spot->path);
    if (entry.type == BACKSTAY_SYMLINK) {
        int error = read_target(thread, spot);
        if (error != 0)
            return sink->warn(sink, spot->path, spot->path_len, "%s: %s",
                              error == ENOENT || error == EINVAL ? "vanished" : "unreadable",
                              media_why(error));
        entry.target = thread->target.data;
        entry.target_len = thread->target.len;
    }
    if (add_xattrs(thread, spot, &entry) != 0)
        return -1;
    count(thread, spot->st, 0);
    size_t len = media_token_make(backup->media, spot->st, spot->seen_ns, token);
    return sink->whole(sink, &entry, NULL, 0, token, len);
}

static int backup_entry(void *ctx, unsigned worker, const struct media_spot *spot)
{
    struct backup *backup = ctx;
    struct thread *thread = &backup->threads[worker];

    if (S_ISREG(spot->st->st_mode))
        return backup_file(thread, spot);
    int r = is_unchanged(thread, spot);
    if (r == 0)
        return backup_other(thread, spot);
    count(thread, spot->st, 0);
    return r < 0 ? -1 : 0;
}

static int backup_trouble(void *ctx, unsigned worker, const struct media_spot *spot,
                          const char *what)
{
    struct backup *backup = ctx;
    struct backstay_sink *sink = backup->sink;

    (void)worker;
    return sink->warn(sink, spot->path, spot->path_len, "%s: %s", what, media_why(spot->error));
}

/* ---------------------------------------------------------------- the whole */

static void start_threads(struct backup *backup, unsigned n)
{
    backup->threads = plug_alloc(n, sizeof *backup->threads);
    for (unsigned i = 0; i < n; i++) {
        struct thread *thread = &backup->threads[i];
        thread->backup = backup;
        thread->meta = (struct media_meta){.media = backup->media, .owners = backup->owners};
        thread->content = (struct media_content){.media = backup->media,
                                                 .sink = backup->sink,
                                                 .meta = &thread->meta,
                                                 .walk = &backup->walk,
                                                 .worker = i,
                                                 .buffer = plug_alloc(1, MEDIA_CONTENT_PIECE)};
    }
}

static void free_threads(struct backup *backup, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        media_meta_free(&backup->threads[i].meta);
        media_content_free(&backup->threads[i].content);
        plug_bytes_free(&backup->threads[i].target);
    }
    free(backup->threads);
}

/* Facts, details and the warning that an empty folder deserves. */
static int conclude(struct backup *backup, unsigned n)
{
    struct backstay_sink *sink = backup->sink;
    struct media_tally total = {0};

    for (unsigned i = 0; i < n; i++)
        media_tally_merge(&total, &backup->threads[i].tally);
    sink->expect(sink, media_tally_entries(&total), total.bytes);
    if (backup->walk.names == 0 &&
        sink->warn(sink, NULL, 0, "the folder %s is empty: is it mounted?", backup->walk.root) != 0)
        return -1;
    for (size_t i = 0; i < MEDIA_TALLY_FACTS; i++) {
        char value[24];
        if (sink->fact(sink, media_tally_fact(&total, i, value), value) != 0)
            return -1;
    }
    return 0;
}

static int send_details(const struct backup *backup)
{
    struct backstay_sink *sink = backup->sink;
    const char *file_system = media_file_system(backup->walk.root);

    if (sink->detail(sink, "root", backup->walk.root) != 0)
        return -1;
    return file_system ? sink->detail(sink, "file_system", file_system) : 0;
}

int media_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    const struct media *media = self;
    unsigned n = PLUG_MAX(media->host->jobs, 1);
    struct backup backup = {.media = media, .sink = sink};

    backup.links = media_links_new();
    backup.owners = media_owners_new();
    backup.walk = (struct media_walk){.media = media,
                                      .root = media->path,
                                      .visitor = {.ctx = &backup,
                                                  .folder = backup_folder,
                                                  .entry = backup_entry,
                                                  .trouble = backup_trouble}};
    start_threads(&backup, n);
    int r = media_walk_run(&backup.walk, err);
    if (r == 0)
        r = send_details(&backup);
    if (r == 0)
        r = conclude(&backup, n);
    free_threads(&backup, n);
    media_owners_free(backup.owners);
    media_links_free(backup.links);
    return r;
}
