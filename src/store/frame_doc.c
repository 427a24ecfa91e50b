/* src/store/frame_doc.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/frame_doc.h"

json_t *stay_frame_doc_bases(const struct stay_frame_base *bases, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        char hex[STAY_ID_HEX + 1];
        (void)json_array_append_new(list, json_pack("{s:s, s:I}", "pack",
                                                    stay_id_hex(hex, &bases[i].pack), "number",
                                                    (json_int_t)bases[i].number));
    }
    return list;
}

int stay_frame_doc_codec(struct stay_frame_info *out, const json_t *object, struct stay_err *err)
{
    const char *name;
    const json_t *bases;
    const json_t *base;
    size_t i;

    if (stay_doc_string(object, "codec", &name, err) < 0 ||
        stay_doc_array(object, "bases", &bases, err) < 0)
        return -1;
    if (stay_codec_parse(name, &out->codec) < 0)
        return stay_fail(err, STAY_ERR_CORRUPT,
                         "a frame has codec \"%s\", which this version cannot read", name);
    json_array_foreach(bases, i, base)
    {
        struct stay_frame_base *to = stay_vec_push(&out->bases);
        if (stay_doc_id(base, "pack", &to->pack, err) < 0 ||
            stay_doc_u32(base, "number", &to->number, err) < 0)
            return -1;
    }
    return 0;
}

int stay_frame_doc_place(struct stay_frame_info *out, const json_t *object, uint64_t pack_bytes,
                         struct stay_err *err)
{
    if (stay_frame_doc_codec(out, object, err) < 0 ||
        stay_doc_u64(object, "offset", &out->offset, err) < 0 ||
        stay_doc_u32(object, "stored", &out->stored, err) < 0 ||
        stay_doc_u32(object, "raw", &out->raw, err) < 0)
        return -1;
    if (out->raw > STAY_FRAME_RAW_MAX || out->offset > pack_bytes ||
        out->stored > pack_bytes - out->offset)
        return stay_fail(err, STAY_ERR_CORRUPT, "a frame lies outside its pack");
    return 0;
}
