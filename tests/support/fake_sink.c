/* tests/support/fake_sink.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/fake_sink.h"

#include <stdio.h>
#include <string.h>

struct backstay_stream {
    char *path;
    struct stay_buf content;
};

static struct fake_sink *self_of(struct backstay_sink *abi)
{
    return abi->ctx;
}

/* ---------------------------------------------------------------- the contract */

static void violation(struct fake_sink *sink, const char *path, const char *what)
{
    stay_buf_printf(&sink->violations, "%s: %s\n", path ? path : "(all)", what);
}

static bool good_path(const char *path, size_t len)
{
    const char *at = path;
    const char *end = path + len;

    if (path[len] != '\0' || strlen(path) != len)
        return false;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t part = (size_t)((slash ? slash : end) - at);
        if (part == 0 || (part == 1 && at[0] == '.') ||
            (part == 2 && at[0] == '.' && at[1] == '.') || slash + 1 == end)
            return false;
        at += part + (slash != NULL);
    }
    return true;
}

static uint64_t content_len(struct fake_sink *sink, const struct backstay_entry *entry)
{
    uint64_t end = 0;
    uint64_t sum = 0;

    if (entry->type != BACKSTAY_FILE || !entry->sparse)
        return entry->bytes;
    for (size_t i = 0; i < entry->n_extents; i++) {
        const struct backstay_extent *extent = &entry->extents[i];
        if (extent->length == 0 || extent->offset < end ||
            extent->offset + extent->length > entry->bytes)
            violation(sink, entry->path, "extents are not in order or not inside of the file");
        end = extent->offset + extent->length;
        sum += extent->length;
    }
    return sum;
}

static void check_entry(struct fake_sink *sink, const struct backstay_entry *entry,
                        const uint64_t *len, size_t token_len)
{
    if (entry->size != sizeof *entry)
        violation(sink, entry->path, "the size of the entry is not set");
    if (!good_path(entry->path, entry->path_len))
        violation(sink, entry->path, "the path is not relative and plain");
    if (entry->type < BACKSTAY_FILE || entry->type > BACKSTAY_SOCKET)
        violation(sink, entry->path, "no such type");
    if (token_len > BACKSTAY_TOKEN_MAX)
        violation(sink, entry->path, "the token is too long");
    if (len && content_len(sink, entry) != *len)
        violation(sink, entry->path, "the length of the content is not what the entry says");
    if (entry->mode & ~07777u || entry->mtime_ns >= 1000000000)
        violation(sink, entry->path, "mode or time out of range");
    if (entry->type == BACKSTAY_SYMLINK && entry->target_len == 0)
        violation(sink, entry->path, "a symbolic link without a target");
}

/* ---------------------------------------------------------------- calls */

/* @return with the lock held: 0, or -1 when this call is to fail. */
static int enter(struct fake_sink *sink, const char *call, const char *path, unsigned *count)
{
    if (sink->hook)
        sink->hook(sink->hook_ctx, call, path);
    (void)pthread_mutex_lock(&sink->lock);
    ++*count;
    return sink->fail_at != 0 && ++sink->counts.all >= sink->fail_at ? -1 : 0;
}

static int leave(struct fake_sink *sink, int r)
{
    (void)pthread_mutex_unlock(&sink->lock);
    return r;
}

static struct fake_entry *record(struct fake_sink *sink, const struct backstay_entry *entry,
                                 const void *content, size_t len, const void *token,
                                 size_t token_len)
{
    struct fake_entry *fake = fake_snapshot_add(sink->out, entry, content, len);

    fake->token_len = STAY_MIN(token_len, (size_t)BACKSTAY_TOKEN_MAX);
    if (token_len > 0)
        memcpy(fake->token, token, fake->token_len);
    return fake;
}

static int sink_unchanged(struct backstay_sink *abi, const char *path, size_t path_len,
                          const void *token, size_t token_len)
{
    struct fake_sink *sink = self_of(abi);
    const struct fake_entry *before = NULL;

    if (enter(sink, "unchanged", path, &sink->counts.unchanged) != 0)
        return leave(sink, -1);
    if (!good_path(path, path_len))
        violation(sink, path, "the path is not relative and plain");
    if (sink->last)
        before = fake_snapshot_find(sink->last, path);
    if (before == NULL || token_len == 0 || before->token_len != token_len ||
        memcmp(before->token, token, token_len) != 0)
        return leave(sink, 0);
    struct fake_entry *now =
        record(sink, &before->entry, before->content, before->content_len, token, token_len);
    now->is_link = false;
    now->unchanged = true;
    sink->counts.adopted++;
    return leave(sink, 1);
}

static int sink_whole(struct backstay_sink *abi, const struct backstay_entry *entry,
                      const void *data, size_t len, const void *token, size_t token_len)
{
    struct fake_sink *sink = self_of(abi);
    uint64_t content = len;

    if (enter(sink, "whole", entry->path, &sink->counts.whole) != 0)
        return leave(sink, -1);
    check_entry(sink, entry, &content, token_len);
    record(sink, entry, data, len, token, token_len);
    return leave(sink, 0);
}

static int sink_begin(struct backstay_sink *abi, const char *path, size_t path_len,
                      struct backstay_stream **out)
{
    struct fake_sink *sink = self_of(abi);

    if (enter(sink, "begin", path, &sink->counts.begin) != 0)
        return leave(sink, -1);
    if (!good_path(path, path_len))
        violation(sink, path, "the path is not relative and plain");
    *out = stay_new(struct backstay_stream);
    (*out)->path = stay_memdup(path, path_len);
    sink->open_streams++;
    return leave(sink, 0);
}

static int sink_write(struct backstay_sink *abi, struct backstay_stream *stream, const void *data,
                      size_t len)
{
    struct fake_sink *sink = self_of(abi);
    int r = leave(sink, enter(sink, "write", stream->path, &sink->counts.write));

    if (r == 0)
        stay_buf_add(&stream->content, data, len);
    return r;
}

static void free_stream(struct fake_sink *sink, struct backstay_stream *stream)
{
    sink->open_streams--;
    stay_buf_free(&stream->content);
    free(stream->path);
    free(stream);
}

static int sink_end(struct backstay_sink *abi, struct backstay_stream *stream,
                    const struct backstay_entry *entry, const void *token, size_t token_len)
{
    struct fake_sink *sink = self_of(abi);
    uint64_t len = stream->content.len;
    int r = enter(sink, "end", entry->path, &sink->counts.end);

    if (r == 0) {
        if (strcmp(stream->path, entry->path) != 0)
            violation(sink, entry->path, "end() has another path than begin()");
        check_entry(sink, entry, &len, token_len);
        record(sink, entry, stream->content.data, stream->content.len, token, token_len);
    }
    free_stream(sink, stream);
    return leave(sink, r);
}

static void sink_abort(struct backstay_sink *abi, struct backstay_stream *stream)
{
    struct fake_sink *sink = self_of(abi);

    (void)pthread_mutex_lock(&sink->lock);
    sink->counts.abort++;
    free_stream(sink, stream);
    (void)pthread_mutex_unlock(&sink->lock);
}

static int sink_link(struct backstay_sink *abi, const struct backstay_entry *entry,
                     const void *token, size_t token_len)
{
    struct fake_sink *sink = self_of(abi);

    if (enter(sink, "link", entry->path, &sink->counts.link) != 0)
        return leave(sink, -1);
    check_entry(sink, entry, NULL, token_len);
    if (entry->link_group == 0)
        violation(sink, entry->path, "link() without a group");
    record(sink, entry, NULL, 0, token, token_len)->is_link = true;
    return leave(sink, 0);
}

static int sink_warn(struct backstay_sink *abi, const char *path, size_t path_len, const char *fmt,
                     ...) BACKSTAY_PRINTF(4, 5);

static int sink_warn(struct backstay_sink *abi, const char *path, size_t path_len, const char *fmt,
                     ...)
{
    struct fake_sink *sink = self_of(abi);
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (enter(sink, "warn", path, &sink->counts.warn) != 0)
        return leave(sink, -1);
    if (text[0] == '\0' || text[strlen(text) - 1] == '.')
        violation(sink, path, "the text of a warning is empty or ends with a full stop");
    *stay_vec_push(&sink->out->warnings) = (struct fake_warning){
        .path = path ? stay_memdup(path, path_len) : NULL, .text = stay_strdup(text)};
    return leave(sink, 0);
}

static int note(struct fake_sink *sink, struct stay_map *map, const char *name, const char *value)
{
    unsigned ignored = 0;
    int r = enter(sink, "note", name, &ignored);

    if (r == 0)
        stay_map_set(map, name, strlen(name), stay_strdup(value));
    return leave(sink, r);
}

static int sink_fact(struct backstay_sink *abi, const char *name, const char *value)
{
    return note(self_of(abi), self_of(abi)->out->facts, name, value);
}

static int sink_detail(struct backstay_sink *abi, const char *name, const char *value)
{
    return note(self_of(abi), self_of(abi)->out->details, name, value);
}

static int sink_instant(struct backstay_sink *abi, int64_t wall_ns)
{
    (void)abi;
    (void)wall_ns;
    return 0;
}

static void sink_expect(struct backstay_sink *abi, uint64_t entries, uint64_t bytes)
{
    struct fake_sink *sink = self_of(abi);

    (void)entries;
    (void)bytes;
    (void)pthread_mutex_lock(&sink->lock);
    sink->counts.expect++;
    (void)pthread_mutex_unlock(&sink->lock);
}

/* ---------------------------------------------------------------- life */

void fake_sink_init(struct fake_sink *sink, struct fake_snapshot *out,
                    const struct fake_snapshot *last)
{
    *sink = (struct fake_sink){
        .out = out,
        .last = last,
        .abi = {.size = sizeof sink->abi,
                .ctx = sink,
                .unchanged = sink_unchanged,
                .whole = sink_whole,
                .begin = sink_begin,
                .write = sink_write,
                .end = sink_end,
                .abort = sink_abort,
                .link = sink_link,
                .warn = sink_warn,
                .fact = sink_fact,
                .detail = sink_detail,
                .instant = sink_instant,
                .expect = sink_expect},
    };
    (void)pthread_mutex_init(&sink->lock, NULL);
}

static bool group_has_content(const struct fake_snapshot *snapshot, uint64_t group)
{
    for (size_t i = 0; i < snapshot->entries.n; i++) {
        const struct fake_entry *fake = snapshot->entries.items[i];
        if (fake->entry.link_group == group && !fake->is_link && !fake->unchanged)
            return true;
    }
    return false;
}

void fake_sink_finish(struct fake_sink *sink, int result)
{
    struct fake_snapshot *out = sink->out;

    fake_snapshot_finish(out);
    if (sink->open_streams != 0)
        violation(sink, NULL, "a stream was neither ended nor aborted");
    if (result != 0)
        return;
    if (sink->fail_at != 0 && sink->counts.all >= sink->fail_at)
        violation(sink, NULL, "backup() returned 0 although the sink said stop");
    for (size_t i = 0; i < out->entries.n; i++) {
        const struct fake_entry *fake = out->entries.items[i];
        if (i > 0 && strcmp(fake->entry.path, out->entries.items[i - 1]->entry.path) == 0)
            violation(sink, fake->entry.path, "recorded twice");
        if (fake->is_link && !group_has_content(out, fake->entry.link_group))
            violation(sink, fake->entry.path, "a link to content that was not sent");
    }
}

void fake_sink_free(struct fake_sink *sink)
{
    stay_buf_free(&sink->violations);
    (void)pthread_mutex_destroy(&sink->lock);
}
