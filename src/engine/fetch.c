/* src/engine/fetch.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/fetch.h"

#include <string.h>

struct stay_fetch {
    struct stay_dest *dest;
    struct stay_compressor *compressor;
    struct stay_digest *digest;
    struct stay_buf stored; /* the range read last */
    struct stay_id pack;    /* where it came from */
    uint64_t offset;
    struct stay_buf tar;
    const char *decoded; /* the frame decoded last by stay_fetch_frame; NULL: none */
    uint64_t decoded_offset;
};

struct stay_fetch *stay_fetch_new(struct stay_dest *dest)
{
    struct stay_fetch *fetch = stay_new(struct stay_fetch);

    fetch->dest = dest;
    fetch->compressor = stay_compressor_new(STAY_COMPRESS_LEVEL);
    fetch->digest = stay_digest_new();
    return fetch;
}

void stay_fetch_free(struct stay_fetch *fetch)
{
    if (fetch == NULL)
        return;
    stay_compressor_free(fetch->compressor);
    stay_digest_free(fetch->digest);
    stay_buf_free(&fetch->stored);
    stay_buf_free(&fetch->tar);
    free(fetch);
}

int stay_fetch_range(struct stay_fetch *fetch, const struct stay_id *pack, uint64_t offset,
                     size_t len, struct stay_err *err)
{
    char name[STAY_PACK_NAME_MAX];

    fetch->decoded = NULL;
    stay_buf_clear(&fetch->stored);
    void *to = stay_buf_reserve(&fetch->stored, len);
    int rc = stay_dest_get(fetch->dest, stay_pack_name(name, pack), offset, to, len, err);
    if (rc == STAY_DEST_MISSING)
        return stay_fail(err, STAY_ERR_CORRUPT, "pack %s is missing", name);
    if (rc < 0)
        return -1;
    fetch->stored.len = len;
    fetch->pack = *pack;
    fetch->offset = offset;
    return 0;
}

int stay_fetch_decode(struct stay_fetch *fetch, const struct stay_frame_info *info,
                      const char **tar, struct stay_err *err)
{
    char name[STAY_PACK_NAME_MAX];

    if (info->offset < fetch->offset ||
        info->offset - fetch->offset + info->stored > fetch->stored.len)
        return stay_fail(err, STAY_ERR_CORRUPT, "a frame lies outside of what was read");
    const char *data = fetch->stored.data + (info->offset - fetch->offset);
    if (stay_frame_decode(fetch->compressor, info, data, &fetch->tar, tar, err) < 0)
        return stay_prefix(err, "frame at byte %llu of %s is damaged",
                           (unsigned long long)info->offset, stay_pack_name(name, &fetch->pack));
    return 0;
}

int stay_fetch_frame(struct stay_fetch *fetch, const struct stay_id *pack,
                     const struct stay_frame_info *info, const char **tar, struct stay_err *err)
{
    if (fetch->decoded == NULL || fetch->decoded_offset != info->offset ||
        !stay_id_equal(&fetch->pack, pack)) {
        if (stay_fetch_range(fetch, pack, info->offset, info->stored, err) < 0 ||
            stay_fetch_decode(fetch, info, &fetch->decoded, err) < 0) {
            fetch->decoded = NULL;
            return -1;
        }
        fetch->decoded_offset = info->offset;
    }
    *tar = fetch->decoded;
    return 0;
}

int stay_fetch_verify(struct stay_fetch *fetch, const char *tar, uint32_t offset, uint32_t len,
                      const struct stay_id *id, struct stay_err *err)
{
    char pack[STAY_PACK_NAME_MAX];
    char hex[STAY_ID_HEX + 1];
    struct stay_id sum;

    stay_digest_of(fetch->digest, tar + offset, len, &sum);
    if (stay_id_equal(&sum, id))
        return 0;
    return stay_fail(err, STAY_ERR_CORRUPT, "chunk %.16s in %s is damaged", stay_id_hex(hex, id),
                     stay_pack_name(pack, &fetch->pack));
}
