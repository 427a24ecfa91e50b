/* tests/unit/store/packs.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * packs: frames and packs of random chunks, for tests of the store.
 *
 * Layer: tests. Uses: store. Thread-safety: one thread.
 */
#pragma once

#include "store/pack.h"

#include "support/cmocka.h"
#include "support/random.h"

/** Fills @len bytes at @to, one half compressible. */
static inline void fill_chunk(struct stay_random *random, char *to, size_t len)
{
    stay_random_fill(random, to, len);
    memset(to, 'x', len / 2);
}

/** A closed frame of @n chunks of 1 .. 2,000 bytes. */
static inline void make_frame(struct stay_frame *frame, struct stay_random *random, size_t n)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    char data[2000];

    for (size_t i = 0; i < n; i++) {
        struct stay_id id;
        size_t len = 1 + stay_random_below(random, sizeof data);
        fill_chunk(random, data, len);
        stay_digest_of(digest, data, len, &id);
        stay_frame_add(frame, &id, data, len);
    }
    stay_frame_close(frame);
}

/** A closed pack of @n_frames frames of @n_chunks chunks each. */
static inline void make_pack(struct stay_pack *pack, struct stay_random *random, size_t n_frames,
                             size_t n_chunks)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf scratch = {0};
    struct stay_frame frame = {0};

    for (size_t i = 0; i < n_frames; i++) {
        const void *data;
        size_t len;
        make_frame(&frame, random, n_chunks);
        assert_int_equal(stay_frame_encode(&frame, compressor, false, &scratch, &data, &len, NULL),
                         0);
        stay_pack_add(pack, &frame.info, data);
        stay_frame_reset(&frame);
    }
    stay_frame_free(&frame);
    stay_pack_close(pack, digest);
}
