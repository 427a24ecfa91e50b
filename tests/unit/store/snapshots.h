/* tests/unit/store/snapshots.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshots: a snapshot with something in every member, for tests of the store.
 *
 * Layer: tests. Uses: store. Thread-safety: one thread.
 */
#pragma once

#include "store/snapshot.h"

#define SAMPLE_REPOSITORY "00112233445566778899aabbccddeeff"
#define SAMPLE_NAME       "snapshots/media/20261122T023000Z-0a1b2c3d.json"

/** The caller frees it. */
static inline struct stay_snapshot *sample_snapshot(void)
{
    struct stay_snapshot *snapshot = stay_new(struct stay_snapshot);

    memcpy(snapshot->id, "0a1b2c3d", sizeof "0a1b2c3d");
    memcpy(snapshot->run, "0a1b2c3d4e5f6071", sizeof "0a1b2c3d4e5f6071");
    snapshot->source = stay_strdup("media");
    snapshot->type = stay_strdup("media");
    snapshot->app = stay_strdup("shop");
    snapshot->host = stay_strdup("web-1");
    snapshot->version = stay_strdup("0.1.0");
    snapshot->instant_ns = INT64_C(1795314600123456789);
    snapshot->started_ns = snapshot->instant_ns;
    snapshot->finished_ns = snapshot->instant_ns + STAY_NS_PER_S;
    snapshot->counts = (struct stay_snapshot_counts){1, 2, 3, 4, 5, 6, 7, 8};
    snapshot->details = json_pack("{s:s}", "server_version", "15.18");
    for (unsigned char i = 0; i < 2; i++) {
        struct stay_snapshot_pack *pack = stay_vec_push(&snapshot->packs);
        *pack = (struct stay_snapshot_pack){.id = {{i}}, .bytes = 5000};
        *stay_vec_push(&pack->frames) =
            (struct stay_snapshot_frames){.first = 0, .last = 3, .codec = STAY_CODEC_ZSTD};
        *stay_vec_push(&pack->frames) =
            (struct stay_snapshot_frames){.first = 4, .last = 4, .codec = STAY_CODEC_RAW};
    }
    *stay_vec_push(&snapshot->stream_frames) = (struct stay_snapshot_frame){
        1, 4, {.offset = 512, .stored = 2000, .raw = 3000, .codec = STAY_CODEC_ZSTD}};
    for (unsigned char i = 0; i < STAY_STREAMS; i++) {
        struct stay_snapshot_stream *stream = &snapshot->streams[i];
        stream->bytes = 100u + i;
        *stay_vec_push(&stream->chunks) = (struct stay_snapshot_chunk){{{i}}, 90, 0, 512};
        *stay_vec_push(&stream->chunks) = (struct stay_snapshot_chunk){{{9}}, 10u + i, 0, 1536};
    }
    return snapshot;
}
