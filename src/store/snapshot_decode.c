/* src/store/snapshot_decode.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nothing that a snapshot says is believed before it was compared with a limit: it may be forged.
 */
#include "store/frame_doc.h"
#include "store/pack.h"
#include "store/snapshot.h"

#include <string.h>

static int decode_counts(struct stay_snapshot_counts *counts, const json_t *snapshot,
                         struct stay_err *err)
{
    const json_t *object;

    if (stay_doc_object(snapshot, "counts", &object, err) < 0 ||
        stay_doc_u64(object, "entries", &counts->entries, err) < 0 ||
        stay_doc_u64(object, "files", &counts->files, err) < 0 ||
        stay_doc_u64(object, "warnings", &counts->warnings, err) < 0 ||
        stay_doc_u64(object, "unchanged", &counts->unchanged, err) < 0 ||
        stay_doc_u64(object, "bytes", &counts->bytes, err) < 0 ||
        stay_doc_u64(object, "bytes_read", &counts->bytes_read, err) < 0 ||
        stay_doc_u64(object, "bytes_new", &counts->bytes_new, err) < 0 ||
        stay_doc_u64(object, "bytes_stored", &counts->bytes_stored, err) < 0)
        return -1;
    return 0;
}

static int decode_run(struct stay_snapshot_frames *run, const json_t *object, struct stay_err *err)
{
    const json_t *numbers;

    if (stay_doc_array(object, "numbers", &numbers, err) < 0)
        return -1;
    json_int_t first = -1;
    json_int_t last = -1;
    if (json_unpack((json_t *)numbers, "[I,I!]", &first, &last) != 0 || first < 0 || last < first ||
        last > STAY_PACK_FRAMES_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a range of frames is malformed");
    run->first = (uint32_t)first;
    run->last = (uint32_t)last;
    struct stay_frame_info info = {0};
    int rc = stay_frame_doc_codec(&info, object, err);
    run->codec = info.codec;
    run->bases.items = info.bases.items;
    run->bases.n = info.bases.n;
    run->bases.cap = info.bases.cap;
    if (rc == 0 && run->bases.n > 0 && first != last)
        return stay_fail(err, STAY_ERR_CORRUPT, "a range of frames has bases");
    return rc;
}

static int decode_pack(struct stay_snapshot_pack *pack, const json_t *object, struct stay_err *err)
{
    const json_t *frames;
    const json_t *frame;
    size_t i;

    if (stay_doc_id(object, "id", &pack->id, err) < 0 ||
        stay_doc_u64(object, "bytes", &pack->bytes, err) < 0 ||
        stay_doc_array(object, "frames", &frames, err) < 0)
        return -1;
    if (pack->bytes > STAY_PACK_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a pack is larger than any can be");
    json_array_foreach(frames, i, frame)
    {
        struct stay_snapshot_frames *run = stay_vec_push(&pack->frames);
        memset(run, 0, sizeof *run);
        if (decode_run(run, frame, err) < 0)
            return -1;
        if (i > 0 && run->first <= run[-1].last)
            return stay_fail(err, STAY_ERR_CORRUPT, "its ranges of frames overlap");
    }
    return 0;
}

static int decode_packs(struct stay_snapshot *snapshot, const json_t *object, struct stay_err *err)
{
    stay_auto(stay_map_free) struct stay_map *seen = stay_map_new(NULL);
    const json_t *packs;
    const json_t *pack;
    size_t i;

    if (stay_doc_array(object, "packs", &packs, err) < 0)
        return -1;
    json_array_foreach(packs, i, pack)
    {
        struct stay_snapshot_pack *to = stay_vec_push(&snapshot->packs);
        memset(to, 0, sizeof *to);
        if (decode_pack(to, pack, err) < 0)
            return -1;
        if (stay_map_get(seen, &to->id, sizeof to->id))
            return stay_fail(err, STAY_ERR_CORRUPT, "it lists a pack twice");
        stay_map_set(seen, &to->id, sizeof to->id, snapshot);
    }
    return 0;
}

static int decode_stream_frames(struct stay_snapshot *snapshot, const json_t *object,
                                struct stay_err *err)
{
    const json_t *frames;
    const json_t *frame;
    size_t i;

    if (stay_doc_array(object, "stream_frames", &frames, err) < 0)
        return -1;
    json_array_foreach(frames, i, frame)
    {
        struct stay_snapshot_frame *to = stay_vec_push(&snapshot->stream_frames);
        memset(to, 0, sizeof *to);
        if (stay_doc_u32(frame, "pack", &to->pack, err) < 0 ||
            stay_doc_u32(frame, "number", &to->number, err) < 0)
            return -1;
        if (to->pack >= snapshot->packs.n)
            return stay_fail(err, STAY_ERR_CORRUPT, "a frame lies outside its pack");
        if (stay_frame_doc_place(&to->info, frame, snapshot->packs.items[to->pack].bytes, err) < 0)
            return -1;
    }
    return 0;
}

static int decode_stream(struct stay_snapshot *snapshot, enum stay_snapshot_streams which,
                         const json_t *object, struct stay_err *err)
{
    struct stay_snapshot_stream *stream = &snapshot->streams[which];
    uint64_t total = 0;
    const json_t *member;
    const json_t *chunks;
    const json_t *chunk;
    size_t i;

    if (stay_doc_object(object, stay_snapshot_stream_name(which), &member, err) < 0 ||
        stay_doc_u64(member, "bytes", &stream->bytes, err) < 0 ||
        stay_doc_array(member, "chunks", &chunks, err) < 0)
        return -1;
    json_array_foreach(chunks, i, chunk)
    {
        struct stay_snapshot_chunk *to = stay_vec_push(&stream->chunks);
        if (stay_doc_id(chunk, "id", &to->id, err) < 0 ||
            stay_doc_u32(chunk, "bytes", &to->bytes, err) < 0 ||
            stay_doc_u32(chunk, "frame", &to->frame, err) < 0 ||
            stay_doc_u32(chunk, "offset", &to->offset, err) < 0)
            return -1;
        uint32_t raw = to->frame < snapshot->stream_frames.n
                           ? snapshot->stream_frames.items[to->frame].info.raw
                           : 0;
        if (to->frame >= snapshot->stream_frames.n || to->offset > raw ||
            to->bytes > raw - to->offset)
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk lies outside its frame");
        total += to->bytes;
    }
    if (total != stream->bytes)
        return stay_fail(err, STAY_ERR_CORRUPT, "the chunks of the %s do not add up to its size",
                         stay_snapshot_stream_name(which));
    return 0;
}

static int copy_text(char **out, const json_t *object, const char *key, struct stay_err *err)
{
    const char *text;

    if (stay_doc_string(object, key, &text, err) < 0)
        return -1;
    *out = stay_strdup(text);
    return 0;
}

static int copy_id(char *out, size_t len, const json_t *object, const char *key,
                   struct stay_err *err)
{
    const char *text;

    if (stay_doc_string(object, key, &text, err) < 0)
        return -1;
    if (strlen(text) != len || strspn(text, "0123456789abcdef") != len)
        return stay_fail(err, STAY_ERR_CORRUPT, "member \"%s\" is malformed", key);
    memcpy(out, text, len + 1);
    return 0;
}

static int decode_identity(struct stay_snapshot *snapshot, const json_t *object,
                           const char *repository_id, struct stay_err *err)
{
    const char *kind;
    const char *repository;
    const json_t *details;
    uint64_t format = 0;

    if (stay_doc_u64(object, "format", &format, err) < 0)
        return -1;
    if (format != 1)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "has format %llu; this version reads format 1: use a newer backstay",
                         (unsigned long long)format);
    if (stay_doc_string(object, "kind", &kind, err) < 0 ||
        stay_doc_string(object, "repository", &repository, err) < 0 ||
        copy_id(snapshot->id, STAY_SNAPSHOT_ID, object, "id", err) < 0 ||
        copy_id(snapshot->run, STAY_RUN_ID, object, "run", err) < 0 ||
        copy_text(&snapshot->source, object, "source", err) < 0 ||
        copy_text(&snapshot->type, object, "type", err) < 0 ||
        copy_text(&snapshot->host, object, "host", err) < 0 ||
        copy_text(&snapshot->version, object, "version", err) < 0 ||
        stay_doc_time(object, "instant", &snapshot->instant_ns, err) < 0 ||
        stay_doc_time(object, "started", &snapshot->started_ns, err) < 0 ||
        stay_doc_time(object, "finished", &snapshot->finished_ns, err) < 0 ||
        stay_doc_object(object, "details", &details, err) < 0)
        return -1;
    if (strcmp(kind, "snapshot") != 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "is not a snapshot but a %s", kind);
    if (strcmp(repository, repository_id) != 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "belongs to another repository (%s)", repository);
    const char *app = json_string_value(json_object_get(object, "app"));
    snapshot->app = app ? stay_strdup(app) : NULL;
    snapshot->details = json_deep_copy(details);
    return 0;
}

static int decode_members(struct stay_snapshot *snapshot, const json_t *object, const char *name,
                          const char *repository_id, struct stay_err *err)
{
    char expected[STAY_SNAPSHOT_NAME_MAX];

    if (decode_identity(snapshot, object, repository_id, err) < 0)
        return -1;
    (void)stay_snapshot_name(expected, snapshot->source, snapshot->instant_ns, snapshot->id);
    if (strcmp(expected, name) != 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "is really %s: objects were swapped", expected);
    if (decode_counts(&snapshot->counts, object, err) < 0 ||
        decode_packs(snapshot, object, err) < 0 || decode_stream_frames(snapshot, object, err) < 0)
        return -1;
    for (int i = 0; i < STAY_STREAMS; i++)
        if (decode_stream(snapshot, (enum stay_snapshot_streams)i, object, err) < 0)
            return -1;
    return 0;
}

int stay_snapshot_decode(struct stay_snapshot **out, const struct stay_buf *text, const char *name,
                         const char *repository_id, struct stay_err *err)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = stay_new(struct stay_snapshot);
    stay_auto(json_decref) json_t *object = NULL;

    if (stay_doc_open(&object, text, name, err) < 0)
        return -1;
    if (decode_members(snapshot, object, name, repository_id, err) < 0)
        return stay_prefix(err, "%s", name);
    *out = stay_steal(&snapshot);
    return 0;
}
