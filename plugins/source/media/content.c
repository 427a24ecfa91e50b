/* plugins/source/media/content.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "content.h"

#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { SMALL_TRIES = 3, MOST_EXTENTS = 1 << 20 };

/* A file being read: how it was at first, and which stretches of it hold data. */
struct reading {
    const struct media_spot *spot;
    int fd;
    struct stat st;
    int64_t seen_ns;
    bool sparse;
    size_t n_extents;
    uint64_t data_bytes;
    bool cut; /* it ended before its size */
};

/* ---------------------------------------------------------------- opening */

static int warn(struct media_content *content, const struct media_spot *spot, const char *what,
                int error)
{
    struct backstay_sink *sink = content->sink;

    if (sink->warn(sink, spot->path, spot->path_len, "%s: %s", what, media_why(error)) != 0)
        return -1;
    return MEDIA_CONTENT_NONE;
}

static int replaced(struct media_content *content, const struct media_spot *spot)
{
    struct backstay_sink *sink = content->sink;

    if (sink->warn(sink, spot->path, spot->path_len,
                   "not recorded: replaced by something that is not a file while it was read") != 0)
        return -1;
    return MEDIA_CONTENT_NONE;
}

static int open_file(struct media_content *content, struct reading *reading)
{
    const struct media_spot *spot = reading->spot;

    /* O_NONBLOCK: should a FIFO have taken its place, nobody may be there to write to it. */
    reading->fd =
        media_open_quietly(spot->dir_fd, spot->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (reading->fd >= 0)
        return 0;
    if (errno == ENOENT)
        return warn(content, spot, "vanished before it was read", errno);
    if (errno == ELOOP || errno == ENXIO)
        return replaced(content, spot);
    return warn(content, spot, "unreadable", errno);
}

/* ---------------------------------------------------------------- where the data is */

static void all_data(struct media_content *content, struct reading *reading)
{
    content->extents =
        plug_grow(content->extents, &content->extents_cap, 1, sizeof *content->extents);
    content->extents[0] = (struct backstay_extent){.length = (uint64_t)reading->st.st_size};
    reading->n_extents = reading->st.st_size > 0;
    reading->data_bytes = (uint64_t)reading->st.st_size;
    reading->sparse = false;
}

/* Asks the file system for holes. @return whether there are any. */
static bool find_holes(struct media_content *content, struct reading *reading)
{
    off_t size = reading->st.st_size;
    off_t at = 0;
    uint64_t sum = 0;
    size_t n = 0;

    while (at < size) {
        off_t data = lseek(reading->fd, at, SEEK_DATA);
        if (data < 0 && errno != ENXIO)
            return false;
        if (data < 0 || data >= size)
            break;
        off_t hole = lseek(reading->fd, data, SEEK_HOLE);
        if (hole <= data || n == MOST_EXTENTS)
            return false;
        at = PLUG_MIN(hole, size);
        content->extents =
            plug_grow(content->extents, &content->extents_cap, n + 1, sizeof *content->extents);
        content->extents[n++] =
            (struct backstay_extent){.offset = (uint64_t)data, .length = (uint64_t)(at - data)};
        sum += (uint64_t)(at - data);
    }
    reading->n_extents = n;
    reading->data_bytes = sum;
    reading->sparse = sum < (uint64_t)size;
    return reading->sparse;
}

static void plan(struct media_content *content, struct reading *reading)
{
    bool may_be_sparse = reading->st.st_blocks * 512 < reading->st.st_size;

    reading->cut = false;
    if (!may_be_sparse || !find_holes(content, reading))
        all_data(content, reading);
}

/* ---------------------------------------------------------------- reading */

static ssize_t read_at(int fd, char *to, size_t len, uint64_t offset)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = pread(fd, to + got, len - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* The file ended @got bytes into extent @i: what is recorded ends there, too. */
static void cut_short(struct media_content *content, struct reading *reading, size_t i,
                      uint64_t got)
{
    content->extents[i].length = got;
    reading->n_extents = got > 0 ? i + 1 : i;
    reading->cut = true;
}

/* Reads all data into the buffer. @return how much, or -1 with errno set. */
static ssize_t read_small(struct media_content *content, struct reading *reading)
{
    size_t total = 0;

    for (size_t i = 0; i < reading->n_extents; i++) {
        size_t want = (size_t)content->extents[i].length;
        ssize_t got =
            read_at(reading->fd, content->buffer + total, want, content->extents[i].offset);
        if (got < 0)
            return -1;
        total += (size_t)got;
        if ((size_t)got < want)
            cut_short(content, reading, i, (uint64_t)got);
    }
    reading->data_bytes = total;
    return (ssize_t)total;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* ---------------------------------------------------------------- recording */

int media_content_xattr_trouble(struct backstay_sink *sink, const struct media_spot *spot,
                                const char *failed, int error)
{
    if (failed)
        return sink->warn(sink, spot->path, spot->path_len,
                          "extended attribute %s was not recorded: %s", failed, media_why(error));
    return sink->warn(sink, spot->path, spot->path_len, "extended attributes were not recorded: %s",
                      media_why(error));
}

/* Fills in the entry and its attributes. @return 0, or -1: stop. */
static int describe(struct media_content *content, const struct reading *reading,
                    struct backstay_entry *entry)
{
    const struct media_spot *spot = reading->spot;
    const struct media_place_of of = {.fd = reading->fd};
    const char *failed;

    media_meta_stat(content->meta, entry, &reading->st);
    int error = media_meta_xattrs(content->meta, entry, &of, &failed);
    if (error != 0)
        return media_content_xattr_trouble(content->sink, spot, failed, error);
    return 0;
}

static int warn_of_change(struct media_content *content, const struct media_spot *spot)
{
    struct backstay_sink *sink = content->sink;

    return sink->warn(sink, spot->path, spot->path_len,
                      "changed while it was read: its content may be a mix");
}

/* Completes @entry after reading. @return the length of the token. */
static size_t settle(struct media_content *content, const struct reading *reading, bool changed,
                     struct backstay_entry *entry, unsigned char token[BACKSTAY_TOKEN_MAX])
{
    entry->extents = reading->sparse ? content->extents : NULL;
    entry->n_extents = reading->sparse ? reading->n_extents : 0;
    entry->sparse = reading->sparse;
    if (reading->cut && !reading->sparse)
        entry->bytes = reading->data_bytes;
    if (changed) {
        entry->flags |= BACKSTAY_ENTRY_CHANGED;
        return 0;
    }
    return media_token_make(content->media, &reading->st, reading->seen_ns, token);
}

/* @return true with *@outcome set, or false when the file changed and should be read again. */
static bool try_small(struct media_content *content, struct reading *reading,
                      struct backstay_entry *entry, bool last, int *outcome)
{
    struct backstay_sink *sink = content->sink;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    struct stat after;

    ssize_t len = read_small(content, reading);
    if (len < 0) {
        *outcome = warn(content, reading->spot, "unreadable", errno);
        return true;
    }
    *outcome = describe(content, reading, entry);
    if (*outcome != 0)
        return true;
    bool changed = fstat(reading->fd, &after) != 0 || !same_state(&reading->st, &after);
    if (changed && !last)
        return false;
    size_t token_len = settle(content, reading, changed, entry, token);
    *outcome = sink->whole(sink, entry, content->buffer, (size_t)len, token, token_len);
    if (*outcome == 0 && changed)
        *outcome = warn_of_change(content, reading->spot);
    return true;
}

/* Sends all data through @stream. @return 0; MEDIA_CONTENT_NONE with errno set; -1: stop. */
static int stream_data(struct media_content *content, struct reading *reading,
                       struct backstay_stream *stream)
{
    const struct backstay_host *host = content->media->host;
    struct backstay_sink *sink = content->sink;
    uint64_t total = 0;

    for (size_t i = 0; i < reading->n_extents && !reading->cut; i++) {
        const struct backstay_extent extent = content->extents[i];
        for (uint64_t done = 0; done < extent.length && !reading->cut;) {
            size_t want = (size_t)PLUG_MIN(extent.length - done, (uint64_t)MEDIA_CONTENT_PIECE);
            ssize_t got = read_at(reading->fd, content->buffer, want, extent.offset + done);
            if (got < 0)
                return MEDIA_CONTENT_NONE;
            if (host->cancelled(host) ||
                sink->write(sink, stream, content->buffer, (size_t)got) != 0)
                return -1;
            done += (uint64_t)got;
            total += (uint64_t)got;
            if ((size_t)got < want)
                cut_short(content, reading, i, done);
        }
    }
    reading->data_bytes = total;
    return 0;
}

static int send_large(struct media_content *content, struct reading *reading,
                      struct backstay_entry *entry)
{
    struct backstay_sink *sink = content->sink;
    const struct media_spot *spot = reading->spot;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    struct backstay_stream *stream;
    struct stat after;

    media_walk_share(content->walk, content->worker);
    (void)posix_fadvise(reading->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (sink->begin(sink, spot->path, spot->path_len, &stream) != 0)
        return -1;
    int r = stream_data(content, reading, stream);
    int error = errno;
    if (r == 0)
        r = describe(content, reading, entry);
    if (r != 0) {
        sink->abort(sink, stream);
        return r < 0 ? -1 : warn(content, spot, "unreadable", error);
    }
    bool changed = fstat(reading->fd, &after) != 0 || !same_state(&reading->st, &after);
    size_t token_len = settle(content, reading, changed, entry, token);
    r = sink->end(sink, stream, entry, token, token_len);
    if (r == 0 && changed)
        r = warn_of_change(content, spot);
    return r;
}

static int send_opened(struct media_content *content, struct reading *reading,
                       struct backstay_entry *entry)
{
    const struct backstay_entry blank = *entry;
    int outcome = 0;

    for (int tries = 1;; tries++) {
        *entry = blank;
        reading->seen_ns = media_now_ns();
        if (fstat(reading->fd, &reading->st) != 0)
            return warn(content, reading->spot, "unreadable", errno);
        if (!S_ISREG(reading->st.st_mode))
            return replaced(content, reading->spot);
        /* Another file by now: it is not one of those names. */
        if (!same_file(&reading->st, reading->spot->st))
            entry->link_group = 0;
        plan(content, reading);
        if (reading->data_bytes > MEDIA_CONTENT_PIECE)
            return send_large(content, reading, entry);
        if (try_small(content, reading, entry, tries == SMALL_TRIES, &outcome))
            return outcome;
    }
}

int media_content_send(struct media_content *content, const struct media_spot *spot,
                       uint64_t link_group, struct media_sent *sent)
{
    struct reading reading = {.spot = spot};
    struct backstay_entry entry = {.size = sizeof entry,
                                   .path = spot->path,
                                   .path_len = spot->path_len,
                                   .link_group = link_group};

    int r = open_file(content, &reading);
    if (r != 0)
        return r;
    r = send_opened(content, &reading, &entry);
    close(reading.fd);
    sent->bytes = entry.bytes;
    sent->st = reading.st;
    sent->clean = (entry.flags & BACKSTAY_ENTRY_CHANGED) == 0 && same_file(&reading.st, spot->st);
    return r;
}

void media_content_free(struct media_content *content)
{
    free(content->buffer);
    free(content->extents);
}
