/* src/engine/sink.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/sink_private.h"

#include "store/manifest.h"

#include <string.h>

struct backstay_stream {
    struct stay_cutter *cutter;
};

static struct stay_sink *self_of(struct backstay_sink *abi)
{
    return abi->ctx;
}

int stay_sink_stop(struct stay_sink *sink, const struct stay_err *err)
{
    (void)pthread_mutex_lock(&sink->mutex);
    if (sink->error.kind == STAY_ERR_NONE)
        sink->error = *err;
    (void)pthread_mutex_unlock(&sink->mutex);
    return -1;
}

/* ---- cutters are kept and used again, the last one first: its memory is warm */

static struct stay_cutter *take_cutter(struct stay_sink *sink)
{
    struct stay_cutter *cutter = NULL;

    (void)pthread_mutex_lock(&sink->mutex);
    if (sink->cutters.n)
        cutter = sink->cutters.items[--sink->cutters.n];
    (void)pthread_mutex_unlock(&sink->mutex);
    return cutter ? cutter : stay_cutter_new(sink->pipeline, STAY_FRAME_BYTES);
}

static void give_cutter(struct stay_sink *sink, struct stay_cutter *cutter)
{
    stay_cutter_reset(cutter);
    (void)pthread_mutex_lock(&sink->mutex);
    *stay_vec_push(&sink->cutters) = cutter;
    (void)pthread_mutex_unlock(&sink->mutex);
}

/* ---- entries */

static void count_entry(struct stay_sink *sink, bool is_file, uint64_t bytes)
{
    atomic_fetch_add_explicit(&sink->entries, 1, memory_order_relaxed);
    if (is_file) {
        atomic_fetch_add_explicit(&sink->files, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&sink->bytes, bytes, memory_order_relaxed);
    }
    if (sink->progress)
        stay_progress_add(&sink->progress->entries_done, 1);
}

static void count_read(struct stay_sink *sink, uint64_t bytes)
{
    atomic_fetch_add_explicit(&sink->bytes_read, bytes, memory_order_relaxed);
    if (sink->progress)
        stay_progress_add(&sink->progress->bytes_done, bytes);
}

static void remember_group(struct stay_sink *sink, uint64_t group, const struct stay_buf *line)
{
    char *copy = stay_memdup(line->data, line->len);

    (void)pthread_mutex_lock(&sink->mutex);
    stay_map_set(sink->groups, &group, sizeof group, copy);
    (void)pthread_mutex_unlock(&sink->mutex);
}

static int record_entry(struct stay_sink *sink, const struct backstay_entry *entry,
                        const struct stay_pieces *pieces, const void *token, size_t token_len)
{
    stay_auto_buf struct stay_buf line = {0};
    struct stay_err err = {0};

    stay_manifest_encode(&line, entry, pieces->ids, pieces->n);
    if (entry->link_group && entry->type == BACKSTAY_FILE)
        remember_group(sink, entry->link_group, &line);
    struct stay_last_record record = {
        .path = entry->path,
        .path_len = (uint32_t)entry->path_len,
        .line = line.data,
        .line_len = (uint32_t)line.len,
        .token = token,
        .token_len = (uint32_t)STAY_MIN(token_len, (size_t)BACKSTAY_TOKEN_MAX),
    };
    if (stay_collect_add(sink->collect, &record, &err) < 0)
        return stay_sink_stop(sink, &err);
    count_entry(sink, entry->type == BACKSTAY_FILE, entry->bytes);
    return 0;
}

static int sink_unchanged(struct backstay_sink *abi, const char *path, size_t path_len,
                          const void *token, size_t token_len)
{
    struct stay_sink *sink = self_of(abi);
    struct stay_last_record record;
    struct stay_manifest_peek peek = {0};

    if (stay_pipeline_stopped(sink->pipeline))
        return -1;
    if (sink->last == NULL)
        return 0;
    int64_t number = stay_last_find(sink->last, path, path_len, token, token_len);
    if (number < 0)
        return 0;
    stay_last_get(sink->last, (size_t)number, &record);
    bool known = stay_manifest_peek(&peek, record.line, record.line_len) == 0 &&
                 stay_pipeline_known(sink->pipeline, peek.ids, peek.n);
    free(peek.ids);
    if (!known)
        return 0;
    if (atomic_exchange(&sink->adopted[number], 1) != 0)
        return 1;
    atomic_fetch_add_explicit(&sink->n_adopted, 1, memory_order_relaxed);
    count_entry(sink, peek.is_file, peek.bytes);
    if (sink->progress)
        stay_progress_add(&sink->progress->unchanged, 1);
    return 1;
}

static int sink_whole(struct backstay_sink *abi, const struct backstay_entry *entry,
                      const void *data, size_t len, const void *token, size_t token_len)
{
    struct stay_sink *sink = self_of(abi);
    struct stay_cutter *cutter = take_cutter(sink);

    int rc = len ? stay_cutter_whole(cutter, data, len) : 0;
    if (rc == 0) {
        count_read(sink, len);
        rc = record_entry(sink, entry, stay_cutter_pieces(cutter), token, token_len);
    }
    give_cutter(sink, cutter);
    return stay_pipeline_stopped(sink->pipeline) ? -1 : rc;
}

static int sink_begin(struct backstay_sink *abi, const char *path, size_t path_len,
                      struct backstay_stream **out)
{
    struct stay_sink *sink = self_of(abi);

    (void)path;
    (void)path_len;
    if (stay_pipeline_stopped(sink->pipeline))
        return -1;
    *out = stay_new(struct backstay_stream);
    (*out)->cutter = take_cutter(sink);
    return 0;
}

static int sink_write(struct backstay_sink *abi, struct backstay_stream *stream, const void *data,
                      size_t len)
{
    if (stay_cutter_write(stream->cutter, data, len) < 0)
        return -1;
    count_read(self_of(abi), len);
    return 0;
}

static void sink_abort(struct backstay_sink *abi, struct backstay_stream *stream)
{
    give_cutter(self_of(abi), stream->cutter);
    free(stream);
}

static int sink_end(struct backstay_sink *abi, struct backstay_stream *stream,
                    const struct backstay_entry *entry, const void *token, size_t token_len)
{
    struct stay_sink *sink = self_of(abi);

    int rc = stay_cutter_end(stream->cutter);
    if (rc == 0)
        rc = record_entry(sink, entry, stay_cutter_pieces(stream->cutter), token, token_len);
    sink_abort(abi, stream);
    return rc;
}

static int sink_link(struct backstay_sink *abi, const struct backstay_entry *entry,
                     const void *token, size_t token_len)
{
    struct stay_sink *sink = self_of(abi);
    stay_auto_buf struct stay_buf line = {0};
    struct stay_err err = {0};

    if (entry->type != BACKSTAY_FILE) {
        (void)stay_fail(&err, STAY_ERR_IO,
                        "the plugin sent %s as a hard link, which is not a file but a %s",
                        entry->path, stay_manifest_type_name(entry->type));
        return stay_sink_stop(sink, &err);
    }
    stay_manifest_encode(&line, entry, NULL, 0);
    token_len = STAY_MIN(token_len, (size_t)BACKSTAY_TOKEN_MAX);
    struct stay_sink_link link = {
        .group = entry->link_group,
        .path = stay_memdup(entry->path, entry->path_len),
        .path_len = (uint32_t)entry->path_len,
        .line_len = (uint32_t)line.len,
        .token = stay_memdup(token, token_len),
        .token_len = (uint32_t)token_len,
    };
    link.line = stay_buf_take(&line);
    (void)pthread_mutex_lock(&sink->mutex);
    *stay_vec_push(&sink->links) = link;
    (void)pthread_mutex_unlock(&sink->mutex);
    count_entry(sink, true, entry->bytes);
    return stay_pipeline_stopped(sink->pipeline) ? -1 : 0;
}

/* ---- notes, facts, details */

void stay_sink_note(struct stay_sink *sink, const char *path, size_t path_len, const char *text)
{
    struct stay_note note = {.path = path ? stay_memdup(path, path_len) : NULL,
                             .text = stay_strdup(text)};

    stay_log_redact(note.text);
    (void)pthread_mutex_lock(&sink->mutex);
    *stay_vec_push(&sink->notes) = note;
    (void)pthread_mutex_unlock(&sink->mutex);
    stay_auto_buf struct stay_buf shown = {0};
    if (path)
        stay_json_add_string(&shown, path, path_len);
    stay_log(STAY_LOG_WARN, "%s%s%s", path ? shown.data : "", path ? ": " : "", note.text);
}

static int sink_warn(struct backstay_sink *abi, const char *path, size_t path_len, const char *fmt,
                     ...) STAY_PRINTF(4, 5);

static int sink_warn(struct backstay_sink *abi, const char *path, size_t path_len, const char *fmt,
                     ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    stay_sink_note(self_of(abi), path, path_len, text);
    return stay_pipeline_stopped(self_of(abi)->pipeline) ? -1 : 0;
}

static int sink_fact(struct backstay_sink *abi, const char *name, const char *value)
{
    struct stay_sink *sink = self_of(abi);

    (void)pthread_mutex_lock(&sink->mutex);
    stay_map_set(sink->facts, name, strlen(name), stay_strdup(value));
    (void)pthread_mutex_unlock(&sink->mutex);
    return 0;
}

static int sink_detail(struct backstay_sink *abi, const char *name, const char *value)
{
    struct stay_sink *sink = self_of(abi);

    (void)pthread_mutex_lock(&sink->mutex);
    stay_doc_set_text(sink->details, name, value);
    (void)pthread_mutex_unlock(&sink->mutex);
    return 0;
}

static int sink_instant(struct backstay_sink *abi, int64_t wall_ns)
{
    atomic_store(&self_of(abi)->instant_ns, wall_ns);
    return 0;
}

static void sink_expect(struct backstay_sink *abi, uint64_t entries, uint64_t bytes)
{
    struct stay_progress *progress = self_of(abi)->progress;

    if (progress) {
        atomic_store(&progress->entries_total, entries);
        atomic_store(&progress->bytes_total, bytes);
    }
}

/* ---- life */

struct stay_sink *stay_sink_new(const struct stay_sink_options *options)
{
    struct stay_sink *sink = stay_new(struct stay_sink);

    sink->abi = (struct backstay_sink){
        .size = sizeof sink->abi,
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
        .expect = sink_expect,
    };
    (void)pthread_mutex_init(&sink->mutex, NULL);
    sink->pipeline = options->pipeline;
    sink->last = options->last;
    sink->progress = options->progress;
    sink->collect = stay_collect_new(options->scratch, options->memory_bytes);
    if (sink->last)
        sink->adopted = stay_calloc(stay_last_count(sink->last), sizeof *sink->adopted);
    atomic_store(&sink->instant_ns, options->now_ns);
    sink->groups = stay_map_new(free);
    sink->facts = stay_map_new(free);
    sink->details = json_object();
    return sink;
}

void stay_sink_free(struct stay_sink *sink)
{
    if (sink == NULL)
        return;
    for (size_t i = 0; i < sink->cutters.n; i++)
        stay_cutter_free(sink->cutters.items[i]);
    for (size_t i = 0; i < sink->notes.n; i++) {
        free(sink->notes.items[i].path);
        free(sink->notes.items[i].text);
    }
    for (size_t i = 0; i < sink->links.n; i++) {
        free(sink->links.items[i].path);
        free(sink->links.items[i].line);
        free(sink->links.items[i].token);
    }
    stay_vec_free(&sink->cutters);
    stay_vec_free(&sink->notes);
    stay_vec_free(&sink->links);
    stay_map_free(sink->groups);
    stay_map_free(sink->facts);
    stay_collect_free(sink->collect);
    json_decref(sink->details);
    free((void *)sink->adopted);
    (void)pthread_mutex_destroy(&sink->mutex);
    free(sink);
}

struct backstay_sink *stay_sink_abi(struct stay_sink *sink)
{
    return &sink->abi;
}

const struct stay_err *stay_sink_error(const struct stay_sink *sink)
{
    return sink->error.kind == STAY_ERR_NONE ? NULL : &sink->error;
}

const struct stay_note *stay_sink_notes(const struct stay_sink *sink, size_t *n)
{
    *n = sink->notes.n;
    return sink->notes.items;
}
