/* src/engine/feed.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Cursors, pull mode and the account of what happened; bulk mode is in feed_bulk.c.
 */
#include "engine/feed_private.h"

#include <string.h>

struct backstay_cursor {
    struct stay_manifest_entry entry;
};

/* Reads the chunks of one entry, one after the other. */
struct backstay_reader {
    struct stay_manifest_entry entry;
    struct stay_fetch *fetch;
    size_t next;    /* chunk to read */
    const char *at; /* rest of the chunk before it */
    size_t left;
    uint64_t delivered;
};

static struct stay_feed *self_of(struct backstay_feed *abi)
{
    return abi->ctx;
}

void stay_feed_problem(struct stay_feed *feed, const char *path, const char *text)
{
    struct stay_problem problem = {stay_strdup(path), stay_strdup(text)};
    stay_auto_buf struct stay_buf shown = {0};

    stay_log_redact(problem.text);
    stay_json_add_string(&shown, path, strlen(path));
    (void)pthread_mutex_lock(&feed->mutex);
    *stay_vec_push(&feed->problems) = problem;
    (void)pthread_mutex_unlock(&feed->mutex);
    stay_log(STAY_LOG_ERROR, "%s: %s", shown.data, text);
}

int stay_feed_decode(struct stay_feed *feed, uint64_t index, struct stay_manifest_entry *out,
                     struct stay_err *err)
{
    return stay_tree_entry(feed->options.tree, feed->options.entries[index], out, err);
}

void stay_feed_count(struct stay_feed *feed, uint64_t bytes)
{
    atomic_fetch_add_explicit(&feed->bytes, bytes, memory_order_relaxed);
    if (feed->options.progress)
        stay_progress_add(&feed->options.progress->bytes_done, bytes);
}

static struct backstay_cursor *feed_cursor_open(struct backstay_feed *abi)
{
    (void)abi;
    return stay_new(struct backstay_cursor);
}

static void feed_cursor_close(struct backstay_feed *abi, struct backstay_cursor *cursor)
{
    (void)abi;
    if (cursor == NULL)
        return;
    stay_manifest_entry_free(&cursor->entry);
    free(cursor);
}

static const struct backstay_entry *feed_entry(struct backstay_feed *abi,
                                               struct backstay_cursor *cursor, uint64_t index)
{
    struct stay_feed *feed = self_of(abi);
    struct stay_err err = {0};

    if (stay_cancelled(feed->options.cancel) || index >= abi->n_entries)
        return NULL;
    if (stay_feed_decode(feed, index, &cursor->entry, &err) < 0) {
        stay_log(STAY_LOG_ERROR, "%s", err.text);
        return NULL;
    }
    return &cursor->entry.entry;
}

/* ---- pull mode */

static int feed_open(struct backstay_feed *abi, uint64_t index, struct backstay_reader **out)
{
    struct stay_feed *feed = self_of(abi);
    struct stay_err err = {0};
    struct backstay_reader *reader = stay_new(struct backstay_reader);

    reader->fetch = stay_fetch_new(feed->options.dest);
    if (index >= abi->n_entries || stay_feed_decode(feed, index, &reader->entry, &err) < 0) {
        stay_log(STAY_LOG_ERROR, "%s", err.text);
        abi->close(abi, reader);
        return -1;
    }
    *out = reader;
    return 0;
}

static int read_copy(struct stay_feed *feed, struct stay_fetch *fetch,
                     const struct stay_index_chunk *chunk, const char **data, struct stay_err *err)
{
    size_t n;
    const struct stay_index_frame *frame =
        &stay_index_frames(feed->options.index, &n)[chunk->frame];
    const struct stay_index_pack *pack = &stay_index_packs(feed->options.index, &n)[frame->pack];
    const struct stay_frame_info info = stay_index_frame_info(feed->options.index, frame);
    const char *tar;

    if (stay_fetch_frame(fetch, &pack->id, &info, &tar, err) < 0 ||
        stay_fetch_verify(fetch, tar, chunk->offset, chunk->bytes, &chunk->id, err) < 0)
        return -1;
    *data = tar + chunk->offset;
    return 0;
}

const char *stay_feed_other_copy(struct stay_feed *feed, struct stay_fetch *fetch,
                                 const struct stay_index_chunk *bad)
{
    struct stay_err why = {0};
    const char *data;
    size_t n;
    const struct stay_index_chunk *copies = stay_index_copies(feed->options.index, &bad->id, &n);

    for (size_t i = 0; i < n; i++)
        if (&copies[i] != bad && copies[i].bytes == bad->bytes &&
            read_copy(feed, fetch, &copies[i], &data, &why) == 0)
            return data;
    return NULL;
}

static int next_chunk(struct stay_feed *feed, struct backstay_reader *reader, struct stay_err *err)
{
    const struct stay_id *id = &reader->entry.chunks.items[reader->next];
    const struct stay_index_chunk *chunk = stay_index_find_any(feed->options.index, id);
    char hex[STAY_ID_HEX + 1];

    if (chunk == NULL)
        return stay_fail(err, STAY_ERR_CORRUPT, "chunk %.16s is in no pack that exists",
                         stay_id_hex(hex, id));
    if (read_copy(feed, reader->fetch, chunk, &reader->at, err) < 0) {
        reader->at = stay_feed_other_copy(feed, reader->fetch, chunk);
        if (reader->at == NULL)
            return -1;
    }
    reader->left = chunk->bytes;
    reader->next++;
    return 0;
}

/* A content that is shorter or longer than its entry says must not pass for whole. */
static ssize_t at_end(struct stay_feed *feed, struct backstay_reader *reader)
{
    const struct backstay_entry *entry = &reader->entry.entry;
    uint64_t expected = entry->type == BACKSTAY_FILE ? stay_manifest_content_bytes(entry) : 0;
    char text[128];

    if (reader->delivered == expected)
        return 0;
    (void)snprintf(text, sizeof text, "its chunks have %llu bytes instead of %llu",
                   (unsigned long long)reader->delivered, (unsigned long long)expected);
    stay_feed_problem(feed, entry->path, text);
    return -1;
}

static ssize_t feed_read(struct backstay_feed *abi, struct backstay_reader *reader, void *data,
                         size_t len)
{
    struct stay_feed *feed = self_of(abi);
    struct stay_err err = {0};

    if (stay_cancelled(feed->options.cancel))
        return -1;
    while (reader->left == 0) {
        if (reader->next == reader->entry.chunks.n)
            return at_end(feed, reader);
        if (next_chunk(feed, reader, &err) < 0) {
            stay_feed_problem(feed, reader->entry.entry.path, err.text);
            return -1;
        }
    }
    size_t n = STAY_MIN(len, reader->left);
    memcpy(data, reader->at, n);
    reader->at += n;
    reader->left -= n;
    reader->delivered += n;
    stay_feed_count(feed, n);
    return (ssize_t)n;
}

static void feed_close(struct backstay_feed *abi, struct backstay_reader *reader)
{
    (void)abi;
    if (reader == NULL)
        return;
    stay_manifest_entry_free(&reader->entry);
    stay_fetch_free(reader->fetch);
    free(reader);
}

/* ---- the account */

static void feed_problem(struct backstay_feed *abi, uint64_t index, const char *fmt, ...)
    STAY_PRINTF(3, 4);

static void feed_problem(struct backstay_feed *abi, uint64_t index, const char *fmt, ...)
{
    struct stay_feed *feed = self_of(abi);
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (index < abi->n_entries && stay_feed_decode(feed, index, &entry, NULL) == 0)
        stay_feed_problem(feed, entry.entry.path, text);
    else
        stay_feed_problem(feed, "", text);
}

static void feed_done(struct backstay_feed *abi, uint64_t index, int kept)
{
    struct stay_feed *feed = self_of(abi);

    (void)index;
    atomic_fetch_add_explicit(kept ? &feed->kept : &feed->restored, 1, memory_order_relaxed);
    if (feed->options.progress)
        stay_progress_add(&feed->options.progress->entries_done, 1);
}

struct stay_feed *stay_feed_new(const struct stay_feed_options *options)
{
    struct stay_feed *feed = stay_new(struct stay_feed);

    feed->options = *options;
    feed->abi = (struct backstay_feed){
        .size = sizeof feed->abi,
        .ctx = feed,
        .n_entries = options->n,
        .cursor_open = feed_cursor_open,
        .cursor_close = feed_cursor_close,
        .entry = feed_entry,
        .open = feed_open,
        .read = feed_read,
        .close = feed_close,
        .bulk = stay_feed_bulk,
        .problem = feed_problem,
        .done = feed_done,
    };
    (void)pthread_mutex_init(&feed->mutex, NULL);
    return feed;
}

void stay_feed_free(struct stay_feed *feed)
{
    if (feed == NULL)
        return;
    for (size_t i = 0; i < feed->problems.n; i++) {
        free(feed->problems.items[i].path);
        free(feed->problems.items[i].text);
    }
    stay_vec_free(&feed->problems);
    (void)pthread_mutex_destroy(&feed->mutex);
    free(feed);
}

struct backstay_feed *stay_feed_abi(struct stay_feed *feed)
{
    return &feed->abi;
}

void stay_feed_result(struct stay_feed *feed, struct stay_feed_result *out)
{
    *out = (struct stay_feed_result){
        .restored = atomic_load(&feed->restored),
        .kept = atomic_load(&feed->kept),
        .bytes = atomic_load(&feed->bytes),
        .problems = feed->problems.items,
        .n_problems = feed->problems.n,
    };
}
