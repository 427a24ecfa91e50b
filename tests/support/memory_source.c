/* tests/support/memory_source.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Restoring takes a place for each entry by its number in the feed, so threads never share one.
 */
#include "support/memory_source.h"

#include <string.h>

struct file {
    char *path;
    struct stay_buf content;
    uint64_t version; /* the token */
};

/* One entry of a feed. */
struct slot {
    char *path;
    struct stay_buf content;
    bool whole; /* delivered, and not damaged */
};

struct stay_memory_source {
    STAY_VEC(struct file) files; /* sorted by path */
    STAY_VEC(struct slot) slots;
    uint64_t versions;
};

enum { AT_ONCE_BYTES = 2048, PIECE_BYTES = 700 };

struct stay_memory_source *stay_memory_source_new(void)
{
    return stay_new(struct stay_memory_source);
}

void stay_memory_source_forget(struct stay_memory_source *source)
{
    for (size_t i = 0; i < source->slots.n; i++) {
        free(source->slots.items[i].path);
        stay_buf_free(&source->slots.items[i].content);
    }
    stay_vec_free(&source->slots);
}

void stay_memory_source_free(struct stay_memory_source *source)
{
    if (source == NULL)
        return;
    for (size_t i = 0; i < source->files.n; i++) {
        free(source->files.items[i].path);
        stay_buf_free(&source->files.items[i].content);
    }
    stay_vec_free(&source->files);
    stay_memory_source_forget(source);
    free(source);
}

/* Where @path is, or where it belongs. */
static size_t place_of(const struct stay_memory_source *source, const char *path, bool *there)
{
    size_t i = 0;

    while (i < source->files.n && strcmp(source->files.items[i].path, path) < 0)
        i++;
    *there = i < source->files.n && strcmp(source->files.items[i].path, path) == 0;
    return i;
}

void stay_memory_source_set(struct stay_memory_source *source, const char *path, const void *data,
                            size_t len)
{
    bool there;
    size_t at = place_of(source, path, &there);

    if (!there) {
        (void)stay_vec_push(&source->files);
        struct file *items = source->files.items;
        memmove(items + at + 1, items + at, (source->files.n - 1 - at) * sizeof *items);
        items[at] = (struct file){.path = stay_strdup(path)};
    }
    struct file *file = &source->files.items[at];
    stay_buf_clear(&file->content);
    stay_buf_add(&file->content, data, len);
    file->version = ++source->versions;
}

void stay_memory_source_drop(struct stay_memory_source *source, const char *path)
{
    bool there;
    size_t at = place_of(source, path, &there);
    struct file *items = source->files.items;

    if (!there)
        abort();
    free(items[at].path);
    stay_buf_free(&items[at].content);
    memmove(items + at, items + at + 1, (source->files.n - 1 - at) * sizeof *items);
    source->files.n--;
}

struct stay_memory_source *stay_memory_source_copy(const struct stay_memory_source *source)
{
    struct stay_memory_source *copy = stay_memory_source_new();

    for (size_t i = 0; i < source->files.n; i++) {
        const struct file *file = &source->files.items[i];
        stay_memory_source_set(copy, file->path, file->content.data, file->content.len);
        copy->files.items[i].version = file->version;
    }
    copy->versions = source->versions;
    return copy;
}

size_t stay_memory_source_count(const struct stay_memory_source *source)
{
    return source->files.n;
}

const char *stay_memory_source_path(const struct stay_memory_source *source, size_t number)
{
    return source->files.items[number].path;
}

const struct stay_buf *stay_memory_source_content(const struct stay_memory_source *source,
                                                  size_t number)
{
    return &source->files.items[number].content;
}

enum stay_memory_restored stay_memory_source_restored(const struct stay_memory_source *source,
                                                      size_t number)
{
    const struct file *file = &source->files.items[number];

    for (size_t i = 0; i < source->slots.n; i++) {
        const struct slot *slot = &source->slots.items[i];
        if (!slot->whole || strcmp(slot->path, file->path) != 0)
            continue;
        bool same = slot->content.len == file->content.len &&
                    (slot->content.len == 0 ||
                     memcmp(slot->content.data, file->content.data, slot->content.len) == 0);
        return same ? STAY_MEMORY_SAME : STAY_MEMORY_OTHER;
    }
    return STAY_MEMORY_NOTHING;
}

size_t stay_memory_source_strangers(const struct stay_memory_source *source)
{
    size_t n = 0;
    bool there;

    for (size_t i = 0; i < source->slots.n; i++) {
        if (source->slots.items[i].whole) {
            (void)place_of(source, source->slots.items[i].path, &there);
            n += !there;
        }
    }
    return n;
}

/* ---- backup */

static int send_pieces(struct backstay_sink *sink, const struct file *file,
                       const struct backstay_entry *entry)
{
    struct backstay_stream *stream;

    if (sink->begin(sink, entry->path, entry->path_len, &stream) < 0)
        return -1;
    for (size_t at = 0; at < file->content.len; at += PIECE_BYTES) {
        size_t n = STAY_MIN((size_t)PIECE_BYTES, file->content.len - at);
        if (sink->write(sink, stream, file->content.data + at, n) < 0) {
            sink->abort(sink, stream);
            return -1;
        }
    }
    return sink->end(sink, stream, entry, &file->version, sizeof file->version);
}

static int memory_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    const struct stay_memory_source *source = self;

    (void)err;
    for (size_t i = 0; i < source->files.n; i++) {
        const struct file *file = &source->files.items[i];
        const struct backstay_entry entry = {
            .size = sizeof entry,
            .type = BACKSTAY_FILE,
            .path = file->path,
            .path_len = strlen(file->path),
            .bytes = file->content.len,
        };
        int rc =
            sink->unchanged(sink, file->path, entry.path_len, &file->version, sizeof file->version);
        if (rc == 0 && file->content.len <= AT_ONCE_BYTES)
            rc = sink->whole(sink, &entry, file->content.data, file->content.len, &file->version,
                             sizeof file->version);
        else if (rc == 0)
            rc = send_pieces(sink, file, &entry);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* ---- restore */

struct restore {
    struct stay_memory_source *source;
    struct backstay_feed *feed;
};

static int memory_whole(void *ctx, uint64_t index, const struct backstay_entry *entry,
                        const void *data, size_t len, struct backstay_error *err)
{
    struct restore *restore = ctx;
    struct slot *slot = &restore->source->slots.items[index];

    (void)err;
    (void)entry;
    stay_buf_add(&slot->content, data, len);
    slot->whole = true;
    restore->feed->done(restore->feed, index, 0);
    return 0;
}

static int memory_piece(void *ctx, uint64_t index, const struct backstay_entry *entry,
                        uint64_t offset, const void *data, size_t len, struct backstay_error *err)
{
    struct restore *restore = ctx;
    struct slot *slot = &restore->source->slots.items[index];

    (void)err;
    if (len > entry->bytes || offset > entry->bytes - len)
        abort(); /* the feed has promised that it does not happen */
    memcpy(slot->content.data + offset, data, len);
    return 0;
}

static int memory_finish(void *ctx, uint64_t index, const struct backstay_entry *entry, int damaged,
                         struct backstay_error *err)
{
    struct restore *restore = ctx;
    struct slot *slot = &restore->source->slots.items[index];

    (void)err;
    slot->content.len = entry->bytes;
    slot->whole = !damaged;
    if (!damaged)
        restore->feed->done(restore->feed, index, 0);
    return 0;
}

static const struct backstay_bulk bulk_ops = {
    .size = sizeof bulk_ops,
    .whole = memory_whole,
    .piece = memory_piece,
    .finish = memory_finish,
};

/* Files of several pieces get their room before threads write to it. */
static int memory_restore(void *self, const struct backstay_target *target,
                          struct backstay_feed *feed, struct backstay_error *err)
{
    struct stay_memory_source *source = self;
    struct restore restore = {source, feed};
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    int rc = 0;

    (void)target;
    (void)err;
    stay_memory_source_forget(source);
    for (uint64_t i = 0; i < feed->n_entries && rc == 0; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry == NULL) {
            rc = -1;
            break;
        }
        struct slot *slot = stay_vec_push(&source->slots);
        *slot = (struct slot){.path = stay_strdup(entry->path)};
        if (entry->bytes < 1 << 20)
            (void)stay_buf_reserve(&slot->content, entry->bytes);
        else
            rc = -1;
    }
    feed->cursor_close(feed, cursor);
    return rc < 0 ? -1 : feed->bulk(feed, &bulk_ops, &restore, NULL);
}

const struct backstay_source *stay_memory_source_ops(void)
{
    static const struct backstay_source ops = {
        .size = sizeof ops, .backup = memory_backup, .restore = memory_restore};

    return &ops;
}
