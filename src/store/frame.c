/* src/store/frame.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/frame.h"

#include "codec/chunker.h"

#include <string.h>

static const struct {
    const char *name;
    const char *suffix;
} codecs[STAY_CODECS] = {
    [STAY_CODEC_RAW] = {"raw", ".tar"},
    [STAY_CODEC_ZSTD] = {"zstd", ".tar.zst"},
};

void stay_frame_info_free(struct stay_frame_info *info)
{
    stay_vec_free(&info->chunks);
    stay_vec_free(&info->bases);
}

void stay_frame_reset(struct stay_frame *frame)
{
    stay_buf_clear(&frame->tar);
    stay_frame_info_free(&frame->info);
    memset(&frame->info, 0, sizeof frame->info);
}

void stay_frame_free(struct stay_frame *frame)
{
    stay_buf_free(&frame->tar);
    stay_frame_info_free(&frame->info);
}

size_t stay_frame_with(const struct stay_frame *frame, size_t chunk_bytes)
{
    return frame->tar.len + STAY_USTAR_BLOCK + stay_ustar_padded(chunk_bytes) + STAY_USTAR_TAIL;
}

void stay_frame_add(struct stay_frame *frame, const struct stay_id *id, const void *data,
                    size_t len)
{
    char name[STAY_ID_HEX + 1];
    size_t padded = (size_t)stay_ustar_padded(len);
    unsigned char *to = stay_buf_reserve(&frame->tar, STAY_USTAR_BLOCK + padded);

    stay_ustar_header(to, stay_id_hex(name, id), len);
    *stay_vec_push(&frame->info.chunks) = (struct stay_frame_chunk){
        *id, (uint32_t)len, (uint32_t)(frame->tar.len + STAY_USTAR_BLOCK)};
    to += STAY_USTAR_BLOCK;
    memcpy(to, data, len);
    memset(to + len, 0, padded - len);
    frame->tar.len += STAY_USTAR_BLOCK + padded;
}

void stay_frame_close(struct stay_frame *frame)
{
    void *end = stay_buf_reserve(&frame->tar, STAY_USTAR_TAIL);

    memset(end, 0, STAY_USTAR_TAIL);
    frame->tar.len += STAY_USTAR_TAIL;
    frame->info.raw = (uint32_t)frame->tar.len;
}

int stay_frame_encode(struct stay_frame *frame, struct stay_compressor *compressor, bool dense,
                      struct stay_buf *scratch, const void **out, size_t *len, struct stay_err *err)
{
    int rc = STAY_COMPRESS_NO_GAIN;

    if (!dense || stay_compress_worth(compressor, frame->tar.data, frame->tar.len))
        rc = stay_compress(compressor, frame->tar.data, frame->tar.len, scratch, err);
    if (rc < 0)
        return -1;
    frame->info.codec = rc == 0 ? STAY_CODEC_ZSTD : STAY_CODEC_RAW;
    *out = rc == 0 ? scratch->data : frame->tar.data;
    *len = rc == 0 ? scratch->len : frame->tar.len;
    frame->info.stored = (uint32_t)*len;
    return 0;
}

int stay_frame_decode(struct stay_compressor *compressor, const struct stay_frame_info *info,
                      const void *data, struct stay_buf *scratch, const char **out,
                      struct stay_err *err)
{
    if (info->bases.n > 0)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "a frame is built on %zu others, which this version cannot decode: use a "
                         "newer backstay",
                         info->bases.n);
    if (info->raw > STAY_FRAME_RAW_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a frame of %u bytes is larger than any can be",
                         info->raw);
    if (info->codec == STAY_CODEC_RAW) {
        if (info->stored != info->raw)
            return stay_fail(err, STAY_ERR_CORRUPT, "a raw frame has two different sizes");
        *out = data;
        return 0;
    }
    stay_buf_clear(scratch);
    char *to = stay_buf_reserve(scratch, info->raw);
    if (stay_decompress(compressor, data, info->stored, to, info->raw, err) < 0)
        return -1;
    scratch->len = info->raw;
    *out = scratch->data;
    return 0;
}

int stay_frame_read_chunks(struct stay_frame_info *info, const char *tar, struct stay_err *err)
{
    struct stay_ustar_member member;
    uint64_t at = 0;
    int rc;

    info->chunks.n = 0;
    while ((rc = stay_ustar_next(tar, info->raw, &at, &member, err)) == 0) {
        struct stay_frame_chunk *chunk = stay_vec_push(&info->chunks);
        chunk->bytes = (uint32_t)member.len;
        chunk->offset = (uint32_t)member.offset;
        if (member.len == 0 || member.len > STAY_CHUNK_MAX)
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk has a size that none can have");
        if (strlen(member.name) != STAY_ID_HEX || stay_id_parse(&chunk->id, member.name) < 0)
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk is not named by a SHA-256");
    }
    return rc < 0 ? -1 : 0;
}

char *stay_frame_name(char out[static STAY_FRAME_NAME_MAX], unsigned number, enum stay_codec codec)
{
    (void)snprintf(out, STAY_FRAME_NAME_MAX, "%06u%s", number % 1000000, codecs[codec].suffix);
    return out;
}

const char *stay_codec_name(enum stay_codec codec)
{
    return codecs[codec].name;
}

int stay_codec_parse(const char *name, enum stay_codec *out)
{
    for (int i = 0; i < STAY_CODECS; i++) {
        if (strcmp(name, codecs[i].name) == 0) {
            *out = (enum stay_codec)i;
            return 0;
        }
    }
    return -1;
}
