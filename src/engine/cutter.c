/* src/engine/cutter.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/cutter.h"

#include <string.h>

enum { BUFFERED = STAY_CHUNK_MAX }; /* less would never yield the largest chunk */

struct stay_cutter {
    struct stay_pipeline *pipeline;
    struct stay_builder *builder;
    struct stay_pieces pieces;
};

void stay_pieces_free(struct stay_pieces *pieces)
{
    free(pieces->ids);
    free(pieces->bytes);
    *pieces = (struct stay_pieces){0};
}

static struct stay_id *push(struct stay_pieces *pieces, size_t bytes)
{
    if (pieces->n == pieces->cap) {
        pieces->cap = pieces->cap ? 2 * pieces->cap : 16;
        pieces->ids = stay_realloc(pieces->ids, pieces->cap, sizeof *pieces->ids);
        pieces->bytes = stay_realloc(pieces->bytes, pieces->cap, sizeof *pieces->bytes);
    }
    pieces->bytes[pieces->n] = (uint32_t)bytes;
    pieces->total += bytes;
    return &pieces->ids[pieces->n++];
}

struct stay_cutter *stay_cutter_new(struct stay_pipeline *pipeline, size_t frame_bytes)
{
    struct stay_cutter *cutter = stay_new(struct stay_cutter);

    cutter->pipeline = pipeline;
    cutter->builder = stay_pipeline_take(pipeline, frame_bytes);
    return cutter;
}

void stay_cutter_free(struct stay_cutter *cutter)
{
    if (cutter == NULL)
        return;
    stay_buf_clear(stay_builder_buffer(cutter->builder));
    stay_pipeline_give(cutter->pipeline, cutter->builder);
    stay_pieces_free(&cutter->pieces);
    free(cutter);
}

/* Cuts chunks off the front of @data. @return how many bytes were taken, or -1. */
static ssize_t cut(struct stay_cutter *cutter, const char *data, size_t len, bool last)
{
    const struct stay_chunker *chunker = stay_pipeline_chunker(cutter->pipeline);
    size_t at = 0;

    while (at < len) {
        bool dense;
        size_t n = stay_chunker_cut(chunker, data + at, len - at, last, &dense);
        if (n == 0)
            break;
        struct stay_id *id = push(&cutter->pieces, n);
        if (stay_pipeline_chunk(cutter->pipeline, cutter->builder, data + at, n, dense, id) < 0)
            return -1;
        at += n;
    }
    return (ssize_t)at;
}

int stay_cutter_write(struct stay_cutter *cutter, const void *data, size_t len)
{
    struct stay_buf *buf = stay_builder_buffer(cutter->builder);
    const char *from = data;

    while (len > 0) {
        size_t n = STAY_MIN(len, BUFFERED - buf->len);
        if (buf->cap < BUFFERED)
            (void)stay_buf_reserve(buf, BUFFERED - buf->len);
        stay_buf_add(buf, from, n);
        from += n;
        len -= n;
        if (buf->len < BUFFERED)
            continue;
        ssize_t taken = cut(cutter, buf->data, buf->len, false);
        if (taken < 0)
            return -1;
        stay_buf_consume(buf, (size_t)taken);
    }
    return 0;
}

int stay_cutter_end(struct stay_cutter *cutter)
{
    struct stay_buf *buf = stay_builder_buffer(cutter->builder);
    ssize_t taken = cut(cutter, buf->data, buf->len, true);

    stay_buf_clear(buf);
    return taken < 0 ? -1 : 0;
}

int stay_cutter_whole(struct stay_cutter *cutter, const void *data, size_t len)
{
    return cut(cutter, data, len, true) < 0 ? -1 : 0;
}

const struct stay_pieces *stay_cutter_pieces(const struct stay_cutter *cutter)
{
    return &cutter->pieces;
}

void stay_cutter_reset(struct stay_cutter *cutter)
{
    stay_buf_clear(stay_builder_buffer(cutter->builder));
    cutter->pieces.n = 0;
    cutter->pieces.total = 0;
}
