/* tests/fuzz/fuzz_pack.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * pack: the input is a pack, which gets the name that its content has.
 */
#include "fuzz/fuzz.h"
#include "store/repository.h"

static void check_frames(const struct stay_pack *pack, size_t size)
{
    for (size_t i = 0; i < pack->frames.n; i++) {
        const struct stay_frame_info *info = &pack->frames.items[i];
        FUZZ_HOLDS(info->offset <= size && info->stored <= size - info->offset);
        for (size_t k = 0; k < info->chunks.n; k++) {
            const struct stay_frame_chunk *chunk = &info->chunks.items[k];
            FUZZ_HOLDS(chunk->offset <= info->raw && chunk->bytes <= info->raw - chunk->offset);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    struct stay_pack parsed = {0};
    struct stay_pack read = {0};
    struct stay_err err = {0};
    struct stay_id id;

    stay_digest_of(digest, data, size, &id);
    if (stay_pack_parse(&parsed, data, size, &err) < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
    check_frames(&parsed, size);
    err = (struct stay_err){0};
    if (stay_pack_read(&read, &id, data, size, compressor, &err) < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
    else
        check_frames(&read, size);
    stay_pack_free(&parsed);
    stay_pack_free(&read);
    return 0;
}
