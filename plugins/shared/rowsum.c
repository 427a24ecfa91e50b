/* plugins/shared/rowsum.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rowsum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static void add128(struct plug_rowsum *sum, uint64_t low, uint64_t high)
{
    sum->low += low;
    sum->high += high + (sum->low < low);
}

static void add_hash(struct plug_rowsum *sum, XXH128_hash_t hash)
{
    sum->rows++;
    add128(sum, hash.low64, hash.high64);
}

void plug_rowsum_add(struct plug_rowsum *sum, const void *row, size_t len)
{
    add_hash(sum, XXH3_128bits(row, len));
}

/* The library's state is all there is of a row in pieces. */
static XXH3_state_t *state_of(struct plug_rowsum_row *row)
{
    return (XXH3_state_t *)row;
}

struct plug_rowsum_row *plug_rowsum_begin(void)
{
    XXH3_state_t *state = XXH3_createState();

    if (state == NULL || XXH3_128bits_reset(state) != XXH_OK)
        abort();
    return (struct plug_rowsum_row *)state;
}

void plug_rowsum_piece(struct plug_rowsum_row *row, const void *piece, size_t len)
{
    if (XXH3_128bits_update(state_of(row), piece, len) != XXH_OK)
        abort();
}

void plug_rowsum_end(struct plug_rowsum_row *row, struct plug_rowsum *sum)
{
    if (sum)
        add_hash(sum, XXH3_128bits_digest(state_of(row)));
    (void)XXH3_freeState(state_of(row));
}

void plug_rowsum_merge(struct plug_rowsum *sum, const struct plug_rowsum *other)
{
    sum->rows += other->rows;
    add128(sum, other->low, other->high);
}

const char *plug_rowsum_hex(const struct plug_rowsum *sum, char out[PLUG_ROWSUM_HEX])
{
    (void)snprintf(out, PLUG_ROWSUM_HEX, "%016" PRIx64 "%016" PRIx64, sum->high, sum->low);
    return out;
}
