/* src/codec/chunker.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "codec/chunker.h"

#include "codec/digest.h"

enum {
    KIB = 1024,
    SAMPLE = 4 * KIB,   /* of a chunk, to judge whether it is dense */
    SAMPLE_LEAST = 512, /* fewer bytes say nothing */
};

struct masks {
    struct stay_chunk_sizes sizes;
    uint64_t before; /* rarer cuts before the mean */
    uint64_t after;  /* more frequent ones behind it */
};

struct stay_chunker {
    uint64_t gear[256];
    struct masks plain;
    struct masks dense;
};

void stay_chunker_defaults(struct stay_chunker_params *out)
{
    *out = (struct stay_chunker_params){
        .plain = {16 * KIB, 32 * KIB, 128 * KIB},
        .dense = {128 * KIB, 512 * KIB, 2048 * KIB},
    };
    stay_random(out->key, sizeof out->key);
}

static bool sizes_valid(const struct stay_chunk_sizes *sizes)
{
    return sizes->min >= 64 && sizes->min <= sizes->mean && sizes->mean <= sizes->max &&
           sizes->max >= SAMPLE && sizes->max <= STAY_CHUNK_MAX &&
           (sizes->mean & (sizes->mean - 1)) == 0;
}

bool stay_chunker_valid(const struct stay_chunker_params *params)
{
    return sizes_valid(&params->plain) && sizes_valid(&params->dense);
}

/* The high bits of a gear hash depend on the most bytes, so masks are taken from the top. */
static struct masks make_masks(struct stay_chunk_sizes sizes)
{
    unsigned bits = (unsigned)__builtin_ctz(sizes.mean);

    return (struct masks){
        .sizes = sizes,
        .before = ~UINT64_C(0) << (64 - (bits + 2)),
        .after = ~UINT64_C(0) << (64 - (bits - 2)),
    };
}

struct stay_chunker *stay_chunker_new(const struct stay_chunker_params *params)
{
    struct stay_chunker *chunker = stay_new(struct stay_chunker);

    for (unsigned i = 0; i < 256; i++) {
        unsigned char byte = (unsigned char)i;
        struct stay_id mac;
        stay_digest_hmac(params->key, sizeof params->key, &byte, 1, &mac);
        for (int k = 7; k >= 0; k--)
            chunker->gear[i] = chunker->gear[i] << 8 | mac.bytes[k];
    }
    chunker->plain = make_masks(params->plain);
    chunker->dense = make_masks(params->dense);
    return chunker;
}

void stay_chunker_free(struct stay_chunker *chunker)
{
    if (chunker == NULL)
        return;
    stay_wipe(chunker, sizeof *chunker);
    free(chunker);
}

size_t stay_chunker_max(const struct stay_chunker *chunker)
{
    return STAY_MAX(chunker->plain.sizes.max, chunker->dense.sizes.max);
}

/*
 * The sum of squared byte counts measures how uneven the bytes are spread (the collision entropy).
 * 1.25 of the sum for an even spread corresponds to 7.7 bits a byte: entropy coding alone would
 * gain less than 4%.
 */
static bool looks_dense(const unsigned char *data, size_t len)
{
    uint32_t counts[2][256] = {{0}};
    uint64_t squares = 0;
    size_t n = STAY_MIN(len, SAMPLE) & ~(size_t)1;

    if (n < SAMPLE_LEAST)
        return false;
    for (size_t i = 0; i < n; i += 2) {
        counts[0][data[i]]++;
        counts[1][data[i + 1]]++;
    }
    for (unsigned i = 0; i < 256; i++) {
        uint64_t count = counts[0][i] + counts[1][i];
        squares += count * count;
    }
    return squares < (uint64_t)n * n / 256 * 5 / 4 + n;
}

/* The first position in [from, to) behind which the hash has no bit of @mask, else @to. */
static size_t scan(const uint64_t *gear, const unsigned char *data, size_t from, size_t to,
                   uint64_t mask, uint64_t *hash)
{
    uint64_t h = *hash;
    size_t i = from;

    for (; i < to; i++) {
        h = (h << 1) + gear[data[i]];
        if ((h & mask) == 0)
            break;
    }
    *hash = h;
    return i;
}

size_t stay_chunker_cut(const struct stay_chunker *chunker, const void *data, size_t len, bool last,
                        bool *dense)
{
    const unsigned char *bytes = data;

    if (len < SAMPLE && !last)
        return 0;
    *dense = looks_dense(bytes, len);
    const struct masks *masks = *dense ? &chunker->dense : &chunker->plain;
    const struct stay_chunk_sizes *sizes = &masks->sizes;
    if (len < sizes->max && !last)
        return 0;
    if (len <= sizes->min)
        return len;
    size_t end = STAY_MIN(len, sizes->max);
    size_t middle = STAY_MIN(end, sizes->mean);
    uint64_t hash = 0;
    size_t at = scan(chunker->gear, bytes, sizes->min, middle, masks->before, &hash);
    if (at < middle)
        return at + 1;
    at = scan(chunker->gear, bytes, middle, end, masks->after, &hash);
    return at < end ? at + 1 : end;
}
