/* src/store/index_object.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Index objects: one JSON line a pack, the whole compressed with Zstandard. See docs/format.md.
 */
#include "store/index_private.h"

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
