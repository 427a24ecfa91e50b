/* src/store/pack.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/pack.h"

#include <string.h>

void stay_pack_free(struct stay_pack *pack)
{
    for (size_t i = 0; i < pack->frames.n; i++)
        stay_frame_info_free(&pack->frames.items[i]);
    stay_vec_free(&pack->frames);
    stay_buf_free(&pack->tar);
}

void stay_pack_add(struct stay_pack *pack, struct stay_frame_info *info, const void *data)
{
    char name[STAY_FRAME_NAME_MAX];
    size_t padded = (size_t)stay_ustar_padded(info->stored);
    unsigned char *to = stay_buf_reserve(&pack->tar, STAY_USTAR_BLOCK + padded);

    stay_ustar_header(to, stay_frame_name(name, (unsigned)pack->frames.n, info->codec),
                      info->stored);
    to += STAY_USTAR_BLOCK;
    memcpy(to, data, info->stored);
    memset(to + info->stored, 0, padded - info->stored);
    info->offset = pack->tar.len + STAY_USTAR_BLOCK;
    pack->tar.len += STAY_USTAR_BLOCK + padded;
    *stay_vec_push(&pack->frames) = *info;
    memset(info, 0, sizeof *info);
}

void stay_pack_close(struct stay_pack *pack, struct stay_digest *digest)
{
    void *end = stay_buf_reserve(&pack->tar, STAY_USTAR_TAIL);

    memset(end, 0, STAY_USTAR_TAIL);
    pack->tar.len += STAY_USTAR_TAIL;
    pack->bytes = pack->tar.len;
    stay_digest_of(digest, pack->tar.data, pack->tar.len, &pack->id);
}

char *stay_pack_name(char out[static STAY_PACK_NAME_MAX], const struct stay_id *id)
{
    char hex[STAY_ID_HEX + 1];

    (void)stay_id_hex(hex, id);
    (void)snprintf(out, STAY_PACK_NAME_MAX, "packs/%.2s/%s.tar", hex, hex);
    return out;
}

int stay_pack_parse_name(struct stay_id *out, const char *name)
{
    char expected[STAY_PACK_NAME_MAX];

    if (strlen(name) != 9 + STAY_ID_HEX + 4 || stay_id_parse(out, name + 9) < 0)
        return -1;
    return strcmp(stay_pack_name(expected, out), name) == 0 ? 0 : -1;
}

static int codec_of_name(const char *name, unsigned number, enum stay_codec *out)
{
    char expected[STAY_FRAME_NAME_MAX];

    for (int i = 0; i < STAY_CODECS; i++) {
        *out = (enum stay_codec)i;
        if (strcmp(stay_frame_name(expected, number, *out), name) == 0)
            return 0;
    }
    return -1;
}

int stay_pack_parse(struct stay_pack *out, const void *data, size_t len, struct stay_err *err)
{
    struct stay_ustar_member member;
    uint64_t at = 0;
    int rc;

    while ((rc = stay_ustar_next(data, len, &at, &member, err)) == 0) {
        struct stay_frame_info info = {.offset = member.offset};
        if (member.len > STAY_FRAME_RAW_MAX ||
            codec_of_name(member.name, (unsigned)out->frames.n, &info.codec) < 0)
            return stay_fail(err, STAY_ERR_CORRUPT, "unexpected member %s", member.name);
        info.stored = (uint32_t)member.len;
        *stay_vec_push(&out->frames) = info;
    }
    return rc < 0 ? -1 : 0;
}
