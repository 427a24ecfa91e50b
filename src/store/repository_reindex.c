/* src/store/repository_reindex.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The index again, out of the packs themselves.
 */
#include "store/repository.h"

#include <string.h>

static int read_frame(struct stay_frame_info *info, const char *data, struct stay_digest *digest,
                      struct stay_compressor *compressor, struct stay_buf *scratch,
                      struct stay_err *err)
{
    uint64_t raw = info->stored;
    const char *tar;

    if (info->codec == STAY_CODEC_ZSTD &&
        stay_decompressed_size(data + info->offset, info->stored, &raw, err) < 0)
        return -1;
    if (raw > STAY_FRAME_RAW_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "a frame is larger than any can be");
    info->raw = (uint32_t)raw;
    if (stay_frame_decode(compressor, info, data + info->offset, scratch, &tar, err) < 0 ||
        stay_frame_read_chunks(info, tar, err) < 0)
        return -1;
    for (size_t i = 0; i < info->chunks.n; i++) {
        const struct stay_frame_chunk *chunk = &info->chunks.items[i];
        struct stay_id sum;
        stay_digest_of(digest, tar + chunk->offset, chunk->bytes, &sum);
        if (!stay_id_equal(&sum, &chunk->id))
            return stay_fail(err, STAY_ERR_CORRUPT, "a chunk is not what its name says");
    }
    return 0;
}

int stay_pack_read(struct stay_pack *out, const struct stay_id *id, const void *data, size_t len,
                   struct stay_compressor *compressor, struct stay_err *err)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf scratch = {0};
    struct stay_id sum;
    size_t chunks = 0;

    stay_digest_of(digest, data, len, &sum);
    if (!stay_id_equal(&sum, id))
        return stay_fail(err, STAY_ERR_CORRUPT, "its content is not what it was");
    out->id = *id;
    out->bytes = len;
    if (stay_pack_parse(out, data, len, err) < 0)
        return -1;
    for (size_t i = 0; i < out->frames.n; i++) {
        if (read_frame(&out->frames.items[i], data, digest, compressor, &scratch, err) < 0)
            return stay_prefix(err, "frame %zu", i);
        /* No two chunks are the same, and an id cannot be compressed: what has more is a bomb. */
        chunks += out->frames.items[i].chunks.n;
        if (chunks > len / STAY_ID_BYTES)
            return stay_fail(err, STAY_ERR_CORRUPT, "it claims more chunks than fit into it");
    }
    return 0;
}

static int add_pack(const struct stay_repository *repository, const struct stay_id *id,
                    struct stay_index *index, struct stay_err *err)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto_buf struct stay_buf data = {0};
    char name[STAY_PACK_NAME_MAX];
    struct stay_pack pack = {0};

    int rc =
        stay_dest_get_all(repository->dest, stay_pack_name(name, id), STAY_PACK_MAX, &data, err);
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_CORRUPT, "%s is missing", name);
    if (rc < 0)
        return -1;
    rc = stay_pack_read(&pack, id, data.data, data.len, compressor, err);
    if (rc == 0)
        stay_index_add(index, &pack);
    else
        (void)stay_prefix(err, "%s is damaged", name);
    stay_pack_free(&pack);
    return rc;
}

int stay_repository_reindex(const struct stay_repository *repository,
                            const struct stay_snapshot *snapshot, struct stay_index *index,
                            struct stay_err *err)
{
    for (size_t i = 0; i < snapshot->packs.n; i++) {
        const struct stay_id *id = &snapshot->packs.items[i].id;
        struct stay_err why = {0};
        if (stay_index_find_pack(index, id) >= 0)
            continue;
        stay_log(STAY_LOG_WARN, "a pack is not in the index: reading it to find what is in it");
        if (add_pack(repository, id, index, &why) == 0)
            continue;
        if (why.kind != STAY_ERR_CORRUPT) {
            *err = why;
            return -1;
        }
        stay_log(STAY_LOG_WARN, "%s", why.text);
    }
    stay_index_sort(index);
    return 0;
}
