/* src/engine/sink_finish.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The end of a backup's reading: what was taken over from the last snapshot and what is new are
 * merged in the order of paths into the manifest stream and the file for the next run. When nothing
 * at all has changed, the last manifest is this one's too, and is not even cut again.
 */
#include "engine/sink_private.h"

#include "store/manifest.h"

#include <string.h>

enum { PIECE_BYTES = STAY_ID_BYTES + 4 };

struct merge {
    struct stay_sink *sink;
    struct stay_cutter *cutter;
    struct stay_last_writer **writer; /* to NULL: none */
    size_t next;                      /* record of last to look at */
    struct stay_buf last_path;        /* of the record before, to notice doubles */
    bool any;
};

void stay_sink_result_free(struct stay_sink_result *result)
{
    for (size_t i = 0; i < STAY_STREAMS; i++)
        stay_pieces_free(&result->streams[i]);
    json_decref(result->details);
    *result = (struct stay_sink_result){0};
}

static void copy_pieces(struct stay_pieces *to, const struct stay_pieces *from)
{
    *to = *from;
    to->cap = from->n;
    to->ids = stay_calloc(from->n, sizeof *to->ids);
    to->bytes = stay_calloc(from->n, sizeof *to->bytes);
    if (from->n) {
        memcpy(to->ids, from->ids, from->n * sizeof *to->ids);
        memcpy(to->bytes, from->bytes, from->n * sizeof *to->bytes);
    }
}

/* ---- merging */

static int stopped(struct stay_err *err)
{
    return stay_fail(err, STAY_ERR_CANCELLED, "stopped");
}

/* Takes back the count of an entry that does not enter the manifest after all. */
static void uncount(struct stay_sink *sink, const char *line, size_t len)
{
    struct stay_manifest_peek peek = {0};

    if (stay_manifest_peek(&peek, line, len) == 0 && peek.is_file) {
        atomic_fetch_sub_explicit(&sink->files, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&sink->bytes, peek.bytes, memory_order_relaxed);
    }
    atomic_fetch_sub_explicit(&sink->entries, 1, memory_order_relaxed);
    free(peek.ids);
}

/* A cache that cannot be written costs time, later; it is no reason to have no backup. */
static void remember(struct stay_last_writer **writer, const struct stay_last_record *record)
{
    struct stay_err err = {0};

    if (*writer == NULL || stay_last_add(*writer, record, &err) == 0)
        return;
    stay_log(STAY_LOG_WARN, "%s: the next backup will read every file", err.text);
    stay_last_writer_free(stay_steal(writer));
}

static int emit(struct merge *merge, const struct stay_last_record *record, struct stay_err *err)
{
    if (merge->any && merge->last_path.len == record->path_len &&
        memcmp(merge->last_path.data, record->path, record->path_len) == 0) {
        stay_sink_note(merge->sink, record->path, record->path_len,
                       "the source sent this entry twice; one of them is kept");
        uncount(merge->sink, record->line, record->line_len);
        return 0;
    }
    merge->any = true;
    stay_buf_clear(&merge->last_path);
    stay_buf_add(&merge->last_path, record->path, record->path_len);
    if (stay_cutter_write(merge->cutter, record->line, record->line_len) < 0)
        return stopped(err);
    remember(merge->writer, record);
    return 0;
}

/* Emits adopted records up to @until (NULL: all that are left). */
static int emit_adopted(struct merge *merge, const struct stay_last_record *until,
                        struct stay_err *err)
{
    const struct stay_sink *sink = merge->sink;
    size_t n = sink->last ? stay_last_count(sink->last) : 0;

    for (; merge->next < n; merge->next++) {
        struct stay_last_record record;
        if (!atomic_load_explicit(&sink->adopted[merge->next], memory_order_relaxed))
            continue;
        stay_last_get(sink->last, merge->next, &record);
        if (until &&
            stay_path_compare(record.path, record.path_len, until->path, until->path_len) > 0)
            return 0;
        if (emit(merge, &record, err) < 0)
            return -1;
    }
    return 0;
}

static int emit_new(void *ctx, const struct stay_last_record *record, struct stay_err *err)
{
    struct merge *merge = ctx;

    if (emit_adopted(merge, record, err) < 0)
        return -1;
    return emit(merge, record, err);
}

/* Gives each further name of a file the content that was sent under another. */
static int resolve_links(struct stay_sink *sink, struct stay_err *err)
{
    for (size_t i = 0; i < sink->links.n; i++) {
        const struct stay_sink_link *link = &sink->links.items[i];
        const char *content = stay_map_get(sink->groups, &link->group, sizeof link->group);
        stay_auto_buf struct stay_buf line = {0};
        if (content == NULL) {
            stay_sink_note(sink, link->path, link->path_len,
                           "not stored: the file that it is a hard link to could not be read");
            uncount(sink, link->line, link->line_len);
            continue;
        }
        stay_manifest_splice(&line, link->line, link->line_len, content, strlen(content));
        struct stay_last_record record = {
            .path = link->path,
            .path_len = link->path_len,
            .line = line.data,
            .line_len = (uint32_t)line.len,
            .token = link->token,
            .token_len = link->token_len,
        };
        if (stay_collect_add(sink->collect, &record, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the manifest's own pieces, kept in the local file */

static void add_self(struct stay_last_writer **writer, const struct stay_pieces *pieces)
{
    stay_auto_buf struct stay_buf blob = {0};

    for (size_t i = 0; i < pieces->n; i++) {
        stay_buf_add(&blob, pieces->ids[i].bytes, STAY_ID_BYTES);
        stay_buf_add(&blob, &pieces->bytes[i], sizeof pieces->bytes[i]);
    }
    struct stay_last_record record = {.path = STAY_SINK_SELF,
                                      .path_len = STAY_SINK_SELF_LEN,
                                      .line = blob.data,
                                      .line_len = (uint32_t)blob.len,
                                      .token = "self",
                                      .token_len = 4};
    remember(writer, &record);
}

/* Whether the manifest of the last snapshot is this one's: then its pieces are taken over. */
static bool reuse_manifest(struct stay_sink *sink, struct stay_pieces *out)
{
    struct stay_last_record record;

    if (sink->last == NULL || stay_collect_count(sink->collect) > 0 ||
        atomic_load(&sink->n_adopted) + 1 != stay_last_count(sink->last))
        return false;
    int64_t number = stay_last_find(sink->last, STAY_SINK_SELF, STAY_SINK_SELF_LEN, "self", 4);
    if (number < 0)
        return false;
    stay_last_get(sink->last, (size_t)number, &record);
    out->n = out->cap = record.line_len / PIECE_BYTES;
    out->ids = stay_calloc(out->n, sizeof *out->ids);
    out->bytes = stay_calloc(out->n, sizeof *out->bytes);
    for (size_t i = 0; i < out->n; i++) {
        memcpy(out->ids[i].bytes, record.line + i * PIECE_BYTES, STAY_ID_BYTES);
        memcpy(&out->bytes[i], record.line + i * PIECE_BYTES + STAY_ID_BYTES, 4);
        out->total += out->bytes[i];
    }
    if (stay_pipeline_known(sink->pipeline, out->ids, out->n))
        return true;
    stay_pieces_free(out);
    return false;
}

static int make_manifest(struct stay_sink *sink, struct stay_last_writer **writer,
                         struct stay_pieces *out, struct stay_err *err)
{
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(sink->pipeline, STAY_FRAME_META_BYTES);
    struct merge merge = {.sink = sink, .cutter = cutter, .writer = writer};

    int rc = stay_collect_each(sink->collect, emit_new, &merge, err);
    if (rc == 0)
        rc = emit_adopted(&merge, NULL, err);
    if (rc == 0 && stay_cutter_end(cutter) < 0)
        rc = stopped(err);
    stay_buf_free(&merge.last_path);
    if (rc == 0) {
        copy_pieces(out, stay_cutter_pieces(cutter));
        add_self(writer, out);
    }
    return rc;
}

/* ---- facts and notes */

static int send_text(struct stay_sink *sink, const struct stay_buf *text, struct stay_pieces *out,
                     struct stay_err *err)
{
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(sink->pipeline, STAY_FRAME_META_BYTES);

    if (text->len && stay_cutter_whole(cutter, text->data, text->len) < 0)
        return stopped(err);
    copy_pieces(out, stay_cutter_pieces(cutter));
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_facts(struct stay_sink *sink, struct stay_buf *out)
{
    STAY_VEC(char *) lines = {0};
    const void *name;
    void *value;
    size_t len;

    for (size_t at = 0; stay_map_next(sink->facts, &at, &name, &len, &value);) {
        stay_auto_buf struct stay_buf line = {0};
        stay_buf_str(&line, "{\"name\":");
        stay_json_add_string(&line, name, len);
        stay_buf_str(&line, ",\"value\":");
        stay_json_add_string(&line, value, strlen(value));
        stay_buf_str(&line, "}\n");
        *stay_vec_push(&lines) = stay_buf_take(&line);
    }
    if (lines.n)
        qsort(lines.items, lines.n, sizeof *lines.items, by_text);
    for (size_t i = 0; i < lines.n; i++) {
        stay_buf_str(out, lines.items[i]);
        free(lines.items[i]);
    }
    stay_vec_free(&lines);
}

static void write_notes(const struct stay_sink *sink, struct stay_buf *out)
{
    for (size_t i = 0; i < sink->notes.n; i++) {
        const struct stay_note *note = &sink->notes.items[i];
        stay_buf_char(out, '{');
        if (note->path) {
            stay_buf_str(out, "\"path\":");
            stay_json_add_string(out, note->path, strlen(note->path));
            stay_buf_char(out, ',');
        }
        stay_buf_str(out, "\"text\":");
        stay_json_add_string(out, note->text, strlen(note->text));
        stay_buf_str(out, "}\n");
    }
}

static struct stay_last_writer *make_writer(const char *last_path)
{
    struct stay_last_writer *writer = NULL;
    struct stay_err err = {0};

    if (last_path && stay_last_create(&writer, last_path, &err) < 0)
        stay_log(STAY_LOG_WARN, "%s: the next backup will read every file", err.text);
    return writer;
}

static void fill_counts(struct stay_sink *sink, struct stay_sink_result *result)
{
    result->counts = (struct stay_snapshot_counts){
        .entries = atomic_load(&sink->entries),
        .files = atomic_load(&sink->files),
        .warnings = sink->notes.n,
        .unchanged = atomic_load(&sink->n_adopted),
        .bytes = atomic_load(&sink->bytes),
        .bytes_read = atomic_load(&sink->bytes_read),
    };
    result->instant_ns = atomic_load(&sink->instant_ns);
    result->details = json_incref(sink->details);
}

int stay_sink_finish(struct stay_sink *sink, const char *last_path, struct stay_sink_result *result,
                     struct stay_last_writer **out_writer, struct stay_err *err)
{
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer = NULL;
    stay_auto_buf struct stay_buf facts = {0};
    stay_auto_buf struct stay_buf notes = {0};

    *result = (struct stay_sink_result){0};
    if (resolve_links(sink, err) < 0)
        return -1;
    result->cache_current = reuse_manifest(sink, &result->streams[STAY_MANIFEST]);
    if (!result->cache_current) {
        writer = make_writer(last_path);
        if (make_manifest(sink, &writer, &result->streams[STAY_MANIFEST], err) < 0)
            return -1;
    }
    write_facts(sink, &facts);
    write_notes(sink, &notes);
    if (send_text(sink, &facts, &result->streams[STAY_FACTS], err) < 0 ||
        send_text(sink, &notes, &result->streams[STAY_NOTES], err) < 0)
        return -1;
    fill_counts(sink, result);
    for (size_t i = 0; i < sink->cutters.n; i++)
        stay_cutter_free(sink->cutters.items[i]);
    sink->cutters.n = 0;
    *out_writer = stay_steal(&writer);
    return 0;
}
