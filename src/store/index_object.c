/* src/store/index_object.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Index objects: one JSON line a pack, the whole compressed with Zstandard. See docs/format.md.
 */
#include "store/frame_doc.h"
#include "store/index_private.h"

#include <string.h>

enum { OBJECT_RAW_MAX = 1024 * 1024 * 1024 };

static void add_bases(struct stay_buf *out, const struct stay_frame_info *info)
{
    for (size_t i = 0; i < info->bases.n; i++) {
        stay_buf_str(out, i ? ",{\"pack\":\"" : "{\"pack\":\"");
        stay_buf_hex(out, info->bases.items[i].pack.bytes, STAY_ID_BYTES);
        stay_buf_printf(out, "\",\"number\":%u}", info->bases.items[i].number);
    }
}

static void add_frame(struct stay_buf *out, const struct stay_frame_info *info)
{
    stay_buf_printf(out, "{\"codec\":\"%s\",\"bases\":[", stay_codec_name(info->codec));
    add_bases(out, info);
    stay_buf_printf(out, "],\"offset\":%llu,\"stored\":%u,\"raw\":%u,\"chunks\":[",
                    (unsigned long long)info->offset, info->stored, info->raw);
    for (size_t i = 0; i < info->chunks.n; i++) {
        const struct stay_frame_chunk *chunk = &info->chunks.items[i];
        stay_buf_str(out, i ? ",\"" : "\"");
        stay_buf_hex(out, chunk->id.bytes, sizeof chunk->id);
        stay_buf_str(out, "\",");
        stay_buf_u64(out, chunk->bytes);
    }
    stay_buf_str(out, "]}");
}

int stay_index_encode(struct stay_buf *out, const struct stay_pack *const *packs, size_t n,
                      struct stay_err *err)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto_buf struct stay_buf text = {0};

    for (size_t i = 0; i < n; i++) {
        stay_buf_str(&text, "{\"pack\":\"");
        stay_buf_hex(&text, packs[i]->id.bytes, sizeof packs[i]->id);
        stay_buf_printf(&text, "\",\"bytes\":%llu,\"frames\":[",
                        (unsigned long long)packs[i]->bytes);
        for (size_t k = 0; k < packs[i]->frames.n; k++) {
            if (k)
                stay_buf_char(&text, ',');
            add_frame(&text, &packs[i]->frames.items[k]);
        }
        stay_buf_str(&text, "]}\n");
    }
    return stay_compress_all(compressor, text.data, text.len, out, err);
}

static int read_chunks(struct stay_frame_info *info, const json_t *list, struct stay_err *err)
{
    uint64_t offset = STAY_USTAR_BLOCK;
    size_t n = json_array_size(list);

    if (n % 2)
        return stay_fail(err, STAY_ERR_CORRUPT, "a chunk list has an odd length");
    for (size_t i = 0; i < n; i += 2) {
        const char *hex = json_string_value(json_array_get(list, i));
        const json_t *bytes = json_array_get(list, i + 1);
        struct stay_frame_chunk *chunk = stay_vec_push(&info->chunks);
        if (hex == NULL || strlen(hex) != STAY_ID_HEX || stay_id_parse(&chunk->id, hex) < 0 ||
            !json_is_integer(bytes) || json_integer_value(bytes) < 0 ||
            json_integer_value(bytes) > (json_int_t)info->raw)
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk list is malformed");
        chunk->bytes = (uint32_t)json_integer_value(bytes);
        chunk->offset = (uint32_t)offset;
        offset += stay_ustar_padded(chunk->bytes) + STAY_USTAR_BLOCK;
        if (offset > info->raw)
            return stay_fail(err, STAY_ERR_CORRUPT, "the chunks of a frame exceed its size");
    }
    return 0;
}

static int read_frame(struct stay_frame_info *info, const json_t *object, uint64_t pack_bytes,
                      struct stay_err *err)
{
    const json_t *chunks;

    if (stay_frame_doc_place(info, object, pack_bytes, err) < 0 ||
        stay_doc_array(object, "chunks", &chunks, err) < 0)
        return -1;
    return read_chunks(info, chunks, err);
}

static int read_pack(struct stay_pack *pack, const json_t *object, struct stay_err *err)
{
    const json_t *frames;
    const json_t *frame;
    size_t i;

    if (stay_doc_id(object, "pack", &pack->id, err) < 0 ||
        stay_doc_u64(object, "bytes", &pack->bytes, err) < 0 ||
        stay_doc_array(object, "frames", &frames, err) < 0)
        return -1;
    if (pack->bytes > STAY_PACK_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a pack is larger than any can be");
    json_array_foreach(frames, i, frame)
    {
        struct stay_frame_info *info = stay_vec_push(&pack->frames);
        memset(info, 0, sizeof *info);
        if (read_frame(info, frame, pack->bytes, err) < 0)
            return -1;
    }
    return 0;
}

static int decode_line(struct stay_index *index, const char *line, size_t len, struct stay_err *err)
{
    stay_auto(json_decref) json_t *object = NULL;
    struct stay_pack pack = {0};

    if (stay_doc_parse(&object, line, len, "an index line", err) < 0)
        return -1;
    int rc = read_pack(&pack, object, err);
    if (rc == 0)
        stay_index_add(index, &pack);
    stay_pack_free(&pack);
    return rc;
}

static void truncate_to(struct stay_index *index, size_t packs, size_t frames, size_t chunks,
                        size_t bases)
{
    for (size_t i = packs; i < index->packs.n; i++)
        (void)stay_map_remove(index->pack_numbers, &index->packs.items[i].id, STAY_ID_BYTES);
    index->packs.n = packs;
    index->frames.n = frames;
    index->chunks.n = chunks;
    index->bases.n = bases;
}

int stay_index_decode(struct stay_index *index, const void *data, size_t len, struct stay_err *err)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto_buf struct stay_buf text = {0};
    size_t packs = index->packs.n;
    size_t frames = index->frames.n;
    size_t chunks = index->chunks.n;
    size_t bases = index->bases.n;

    if (stay_decompress_all(compressor, data, len, OBJECT_RAW_MAX, &text, err) < 0)
        return -1;
    for (size_t at = 0; at < text.len;) {
        const char *line = text.data + at;
        const char *end = memchr(line, '\n', text.len - at);
        size_t line_len = end ? (size_t)(end - line) : text.len - at;
        if (decode_line(index, line, line_len, err) < 0) {
            truncate_to(index, packs, frames, chunks, bases);
            return -1;
        }
        at += line_len + 1;
    }
    return 0;
}
