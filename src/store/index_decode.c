/* src/store/index_decode.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Index lines have one form, so they are read by comparing with it: at the speed of memory, and
 * with memory in proportion to the text, however forged it is.
 */
#include "codec/chunker.h"
#include "store/index_private.h"

#include <string.h>

enum { OBJECT_RAW_MAX = 64 * 1024 * 1024, CODEC_MAX = 16 };

/* What is left of a line. */
struct scan {
    const char *at;
    const char *end;
};

static bool word(struct scan *scan, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, text, len) != 0)
        return false;
    scan->at += len;
    return true;
}

static bool read_u64(struct scan *scan, uint64_t *out)
{
    const char *start = scan->at;

    *out = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        if (__builtin_mul_overflow(*out, UINT64_C(10), out) ||
            __builtin_add_overflow(*out, (uint64_t)(*scan->at - '0'), out))
            return false;
        scan->at++;
    }
    return scan->at > start;
}

static bool read_u32(struct scan *scan, uint32_t *out)
{
    uint64_t value = 0;

    if (!read_u64(scan, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* An id and the quote behind it. */
static bool read_id(struct scan *scan, struct stay_id *out)
{
    if (scan->end - scan->at <= STAY_ID_HEX || scan->at[STAY_ID_HEX] != '"' ||
        stay_id_parse(out, scan->at) < 0)
        return false;
    scan->at += STAY_ID_HEX + 1;
    return true;
}

static bool read_bases(struct scan *scan, struct stay_frame_info *info)
{
    if (word(scan, "]"))
        return true;
    do {
        struct stay_frame_base *base = stay_vec_push(&info->bases);
        if (!word(scan, "{\"pack\":\"") || !read_id(scan, &base->pack) ||
            !word(scan, ",\"number\":") || !read_u32(scan, &base->number) || !word(scan, "}"))
            return false;
    } while (word(scan, ","));
    return word(scan, "]");
}

static bool read_chunks(struct scan *scan, struct stay_frame_info *info)
{
    if (word(scan, "]"))
        return true;
    do {
        struct stay_frame_chunk *chunk = stay_vec_push(&info->chunks);
        if (!word(scan, "\"") || !read_id(scan, &chunk->id) || !word(scan, ",") ||
            !read_u32(scan, &chunk->bytes))
            return false;
    } while (word(scan, ","));
    return word(scan, "]");
}

static int malformed(struct stay_err *err)
{
    return stay_fail(err, STAY_ERR_CORRUPT, "an index line is malformed");
}

static int read_codec(struct scan *scan, enum stay_codec *out, struct stay_err *err)
{
    char name[CODEC_MAX] = "";
    const char *end = memchr(scan->at, '"', (size_t)(scan->end - scan->at));

    if (end == NULL || (size_t)(end - scan->at) >= sizeof name)
        return malformed(err);
    memcpy(name, scan->at, (size_t)(end - scan->at));
    scan->at = end + 1;
    if (stay_codec_parse(name, out) < 0)
        return stay_fail(err, STAY_ERR_CORRUPT,
                         "a frame has codec \"%s\", which this version cannot read", name);
    return 0;
}

/* Frames lie one behind the other, chunks too: nothing is counted twice. */
static int place_frame(struct stay_frame_info *info, const struct stay_pack *pack,
                       uint64_t *free_at, struct stay_err *err)
{
    uint64_t offset = STAY_USTAR_BLOCK;

    if (info->raw > STAY_FRAME_RAW_MAX || info->offset > pack->bytes ||
        info->stored > pack->bytes - info->offset)
        return stay_fail(err, STAY_ERR_CORRUPT, "a frame lies outside its pack");
    if (info->offset < *free_at)
        return stay_fail(err, STAY_ERR_CORRUPT, "the frames of a pack overlap");
    *free_at = info->offset + info->stored;
    for (size_t i = 0; i < info->chunks.n; i++) {
        struct stay_frame_chunk *chunk = &info->chunks.items[i];
        if (chunk->bytes == 0 || chunk->bytes > STAY_CHUNK_MAX)
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk has a size that none can have");
        chunk->offset = (uint32_t)offset;
        offset += stay_ustar_padded(chunk->bytes) + STAY_USTAR_BLOCK;
        if (offset > info->raw)
            return stay_fail(err, STAY_ERR_CORRUPT, "the chunks of a frame exceed its size");
    }
    return 0;
}

static int read_frame(struct scan *scan, struct stay_pack *pack, uint64_t *free_at,
                      struct stay_err *err)
{
    struct stay_frame_info *info = stay_vec_push(&pack->frames);

    memset(info, 0, sizeof *info);
    if (!word(scan, "{\"codec\":\""))
        return malformed(err);
    if (read_codec(scan, &info->codec, err) < 0)
        return -1;
    if (!word(scan, ",\"bases\":[") || !read_bases(scan, info) || !word(scan, ",\"offset\":") ||
        !read_u64(scan, &info->offset) || !word(scan, ",\"stored\":") ||
        !read_u32(scan, &info->stored) || !word(scan, ",\"raw\":") || !read_u32(scan, &info->raw) ||
        !word(scan, ",\"chunks\":[") || !read_chunks(scan, info) || !word(scan, "}"))
        return malformed(err);
    return place_frame(info, pack, free_at, err);
}

static int read_pack(struct scan *scan, struct stay_pack *pack, struct stay_err *err)
{
    uint64_t free_at = 0;

    if (!word(scan, "{\"pack\":\"") || !read_id(scan, &pack->id) || !word(scan, ",\"bytes\":") ||
        !read_u64(scan, &pack->bytes) || !word(scan, ",\"frames\":["))
        return malformed(err);
    if (pack->bytes > STAY_PACK_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a pack is larger than any can be");
    if (!word(scan, "]")) {
        do {
            if (read_frame(scan, pack, &free_at, err) < 0)
                return -1;
        } while (word(scan, ","));
        if (!word(scan, "]"))
            return malformed(err);
    }
    return word(scan, "}") && scan->at == scan->end ? 0 : malformed(err);
}

static int decode_line(struct stay_index *index, const char *line, size_t len, struct stay_err *err)
{
    struct scan scan = {line, line + len};
    struct stay_pack pack = {0};

    int rc = read_pack(&scan, &pack, err);
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
