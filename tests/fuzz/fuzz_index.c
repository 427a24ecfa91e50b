/* tests/fuzz/fuzz_index.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * index: the input is the text of an index object; the first byte says whether it is compressed
 * here (any but 'Z') or is what was stored.
 */
#include "codec/compress.h"
#include "fuzz/fuzz.h"
#include "store/index.h"

static void check_tables(struct stay_index *index)
{
    size_t n_packs;
    size_t n_frames;
    size_t n;
    const struct stay_index_pack *packs = stay_index_packs(index, &n_packs);
    const struct stay_index_frame *frames = stay_index_frames(index, &n_frames);

    stay_index_sort(index);
    const struct stay_index_chunk *chunks = stay_index_chunks(index, &n);
    for (size_t i = 0; i < n_frames; i++) {
        FUZZ_HOLDS(frames[i].pack < n_packs);
        FUZZ_HOLDS(frames[i].offset <= packs[frames[i].pack].bytes);
        FUZZ_HOLDS(frames[i].stored <= packs[frames[i].pack].bytes - frames[i].offset);
    }
    for (size_t i = 0; i < n; i++) {
        FUZZ_HOLDS(chunks[i].frame < n_frames);
        FUZZ_HOLDS(chunks[i].bytes <= frames[chunks[i].frame].raw);
        FUZZ_HOLDS(chunks[i].offset <= frames[chunks[i].frame].raw - chunks[i].bytes);
        FUZZ_HOLDS(stay_index_find(index, &chunks[i].id) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto_buf struct stay_buf object = {0};
    struct stay_err err = {0};
    size_t n;

    if (size == 0)
        return 0;
    if (data[0] == 'Z')
        stay_buf_add(&object, data + 1, size - 1);
    else
        FUZZ_HOLDS(stay_compress_all(compressor, data, size, &object, &err) == 0);
    if (stay_index_decode(index, object.data ? object.data : "", object.len, &err) < 0) {
        FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
        (void)stay_index_packs(index, &n);
        FUZZ_HOLDS(n == 0);
    }
    check_tables(index);
    return 0;
}
