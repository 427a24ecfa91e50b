/* src/store/snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/snapshot.h"

#include "store/frame_doc.h"

#include <ctype.h>
#include <string.h>

static const char *const stream_names[STAY_STREAMS] = {"manifest", "facts", "notes"};

const char *stay_snapshot_stream_name(enum stay_snapshot_streams stream)
{
    return stream_names[stream];
}

static void free_frames(struct stay_snapshot_pack *pack)
{
    for (size_t i = 0; i < pack->frames.n; i++)
        stay_vec_free(&pack->frames.items[i].bases);
    stay_vec_free(&pack->frames);
}

void stay_snapshot_free(struct stay_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    free(snapshot->source);
    free(snapshot->type);
    free(snapshot->app);
    free(snapshot->host);
    free(snapshot->version);
    json_decref(snapshot->details);
    for (size_t i = 0; i < snapshot->packs.n; i++)
        free_frames(&snapshot->packs.items[i]);
    for (size_t i = 0; i < snapshot->stream_frames.n; i++)
        stay_frame_info_free(&snapshot->stream_frames.items[i].info);
    stay_vec_free(&snapshot->packs);
    stay_vec_free(&snapshot->stream_frames);
    for (size_t i = 0; i < STAY_STREAMS; i++)
        stay_vec_free(&snapshot->streams[i].chunks);
    free(snapshot);
}

char *stay_snapshot_name(char out[static STAY_SNAPSHOT_NAME_MAX], const char *source,
                         int64_t instant_ns, const char *id)
{
    char time[24];

    (void)snprintf(out, STAY_SNAPSHOT_NAME_MAX, "snapshots/%.*s/%s-%s.json", STAY_SOURCE_MAX,
                   source, stay_time_compact(time, instant_ns), id);
    return out;
}

int stay_snapshot_parse_name(struct stay_snapshot_ref *out, const char *name)
{
    static const char prefix[] = "snapshots/";
    char expected[STAY_SNAPSHOT_NAME_MAX];
    char time[17];

    if (!stay_str_starts(name, prefix))
        return -1;
    const char *source = name + sizeof prefix - 1;
    const char *slash = strchr(source, '/');
    if (slash == NULL || slash == source || slash - source > STAY_SOURCE_MAX ||
        strlen(slash + 1) != 16 + 1 + STAY_SNAPSHOT_ID + 5)
        return -1;
    (void)snprintf(out->source, sizeof out->source, "%.*s", (int)(slash - source), source);
    (void)snprintf(time, sizeof time, "%.16s", slash + 1);
    (void)snprintf(out->id, sizeof out->id, "%.8s", slash + 18);
    for (const char *c = out->id; *c; c++)
        if (!isxdigit((unsigned char)*c) || isupper((unsigned char)*c))
            return -1;
    if (stay_time_parse(time, &out->instant_ns) < 0)
        return -1;
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    return strcmp(stay_snapshot_name(expected, out->source, out->instant_ns, out->id), name) == 0
               ? 0
               : -1;
}

json_t *stay_snapshot_counts_json(const struct stay_snapshot_counts *counts)
{
    json_t *object = json_object();

    stay_doc_set_u64(object, "entries", counts->entries);
    stay_doc_set_u64(object, "files", counts->files);
    stay_doc_set_u64(object, "warnings", counts->warnings);
    stay_doc_set_u64(object, "unchanged", counts->unchanged);
    stay_doc_set_u64(object, "bytes", counts->bytes);
    stay_doc_set_u64(object, "bytes_read", counts->bytes_read);
    stay_doc_set_u64(object, "bytes_new", counts->bytes_new);
    stay_doc_set_u64(object, "bytes_stored", counts->bytes_stored);
    return object;
}

static json_t *encode_packs(const struct stay_snapshot *snapshot)
{
    json_t *list = json_array();

    for (size_t i = 0; i < snapshot->packs.n; i++) {
        const struct stay_snapshot_pack *pack = &snapshot->packs.items[i];
        char hex[STAY_ID_HEX + 1];
        json_t *frames = json_array();
        for (size_t k = 0; k < pack->frames.n; k++) {
            const struct stay_snapshot_frames *run = &pack->frames.items[k];
            (void)json_array_append_new(
                frames, json_pack("{s:[i,i], s:s, s:o}", "numbers", (int)run->first, (int)run->last,
                                  "codec", stay_codec_name(run->codec), "bases",
                                  stay_frame_doc_bases(run->bases.items, run->bases.n)));
        }
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:I, s:o}", "id", stay_id_hex(hex, &pack->id),
                                              "bytes", (json_int_t)pack->bytes, "frames", frames));
    }
    return list;
}

static json_t *encode_stream_frames(const struct stay_snapshot *snapshot)
{
    json_t *list = json_array();

    for (size_t i = 0; i < snapshot->stream_frames.n; i++) {
        const struct stay_snapshot_frame *frame = &snapshot->stream_frames.items[i];
        (void)json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "pack", (json_int_t)frame->pack,
                      "number", (json_int_t)frame->number, "offset", (json_int_t)frame->info.offset,
                      "stored", (json_int_t)frame->info.stored, "raw", (json_int_t)frame->info.raw,
                      "codec", stay_codec_name(frame->info.codec), "bases",
                      stay_frame_doc_bases(frame->info.bases.items, frame->info.bases.n)));
    }
    return list;
}

static json_t *encode_stream(const struct stay_snapshot_stream *stream)
{
    json_t *chunks = json_array();

    for (size_t i = 0; i < stream->chunks.n; i++) {
        const struct stay_snapshot_chunk *chunk = &stream->chunks.items[i];
        char hex[STAY_ID_HEX + 1];
        (void)json_array_append_new(
            chunks, json_pack("{s:s, s:I, s:I, s:I}", "id", stay_id_hex(hex, &chunk->id), "bytes",
                              (json_int_t)chunk->bytes, "frame", (json_int_t)chunk->frame, "offset",
                              (json_int_t)chunk->offset));
    }
    return json_pack("{s:I, s:o}", "bytes", (json_int_t)stream->bytes, "chunks", chunks);
}

void stay_snapshot_encode(struct stay_buf *out, const struct stay_snapshot *snapshot,
                          const char *repository_id)
{
    stay_auto(json_decref) json_t *object = json_object();

    stay_doc_set_u64(object, "format", 1);
    stay_doc_set_text(object, "kind", "snapshot");
    stay_doc_set_text(object, "repository", repository_id);
    stay_doc_set_text(object, "id", snapshot->id);
    stay_doc_set_text(object, "run", snapshot->run);
    stay_doc_set_text(object, "source", snapshot->source);
    stay_doc_set_text(object, "type", snapshot->type);
    if (snapshot->app)
        stay_doc_set_text(object, "app", snapshot->app);
    stay_doc_set_time(object, "instant", snapshot->instant_ns);
    stay_doc_set_time(object, "started", snapshot->started_ns);
    stay_doc_set_time(object, "finished", snapshot->finished_ns);
    stay_doc_set_text(object, "host", snapshot->host);
    stay_doc_set_text(object, "version", snapshot->version);
    (void)json_object_set_new(object, "counts", stay_snapshot_counts_json(&snapshot->counts));
    (void)json_object_set(object, "details", snapshot->details);
    (void)json_object_set_new(object, "packs", encode_packs(snapshot));
    (void)json_object_set_new(object, "stream_frames", encode_stream_frames(snapshot));
    for (size_t i = 0; i < STAY_STREAMS; i++)
        (void)json_object_set_new(object, stream_names[i], encode_stream(&snapshot->streams[i]));
    stay_doc_seal(out, object);
}
