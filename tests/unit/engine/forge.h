/* tests/unit/engine/forge.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * forge: snapshots that no backup would write, sealed and stored as if one had.
 *
 * Layer: tests. Uses: engine. Thread-safety: one thread.
 */
#pragma once

#include "unit/engine/rig.h"

/** Stores a pack with its index object on store @i, and releases it. */
static inline void forge_pack(struct rig *rig, size_t i, struct stay_pack *pack)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf object = {0};
    const struct stay_pack *list = pack;
    struct stay_id id;
    char name[STAY_PACK_NAME_MAX];
    char hex[STAY_ID_HEX + 1];

    stay_memory_dest_write(rig->stores[i]->memory, stay_pack_name(name, &pack->id), pack->tar.data,
                           pack->tar.len);
    assert_int_equal(stay_index_encode(&object, &list, 1, NULL), 0);
    stay_digest_of(digest, object.data, object.len, &id);
    stay_auto_str char *index = stay_strf("index/%s", stay_id_hex(hex, &id));
    stay_memory_dest_write(rig->stores[i]->memory, index, object.data, object.len);
    stay_pack_free(pack);
}

/** Makes @text the stream @which of @snapshot, in a pack of its own on store @i. */
static inline void forge_stream(struct rig *rig, size_t i, enum stay_snapshot_streams which,
                                const struct stay_buf *text, struct stay_snapshot *snapshot)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_snapshot_stream *stream = &snapshot->streams[which];
    struct stay_frame frame = {0};
    struct stay_pack pack = {0};
    struct stay_id id;

    stay_digest_of(digest, text->data, text->len, &id);
    stay_frame_add(&frame, &id, text->data, text->len);
    stay_frame_close(&frame);
    frame.info.stored = frame.info.raw;
    *stay_vec_push(&snapshot->stream_frames) = (struct stay_snapshot_frame){
        .pack = (uint32_t)snapshot->packs.n,
        .info = {.offset = STAY_USTAR_BLOCK, .stored = frame.info.raw, .raw = frame.info.raw}};
    stay_pack_add(&pack, &frame.info, frame.tar.data);
    stay_pack_close(&pack, digest);
    struct stay_snapshot_pack *named = stay_vec_push(&snapshot->packs);
    *named = (struct stay_snapshot_pack){.id = pack.id, .bytes = pack.bytes};
    *stay_vec_push(&named->frames) = (struct stay_snapshot_frames){.codec = STAY_CODEC_RAW};
    stream->chunks.n = 0;
    *stay_vec_push(&stream->chunks) =
        (struct stay_snapshot_chunk){.id = id,
                                     .bytes = (uint32_t)text->len,
                                     .frame = (uint32_t)snapshot->stream_frames.n - 1,
                                     .offset = STAY_USTAR_BLOCK};
    stream->bytes = text->len;
    stay_frame_free(&frame);
    forge_pack(rig, i, &pack);
}

/** Makes @text the manifest. */
static inline void forge_manifest(struct rig *rig, size_t i, const struct stay_buf *text,
                                  struct stay_snapshot *snapshot)
{
    forge_stream(rig, i, STAY_MANIFEST, text, snapshot);
}

/** Stores @snapshot on store @i under the name that it has. */
static inline void forge_snapshot(struct rig *rig, size_t i, const struct stay_snapshot *snapshot)
{
    stay_auto_buf struct stay_buf text = {0};
    char name[STAY_SNAPSHOT_NAME_MAX];

    stay_snapshot_encode(&text, snapshot, rig->repositories[i]->id);
    stay_memory_dest_write(
        rig->stores[i]->memory,
        stay_snapshot_name(name, snapshot->source, snapshot->instant_ns, snapshot->id), text.data,
        text.len);
}
