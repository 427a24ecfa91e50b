/* plugins/shared/rowsum.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rowsum.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

static void add128(struct plug_rowsum *sum, uint64_t low, uint64_t high)
{
    sum->low += low;
    sum->high += high + (sum->low < low);
}

void plug_rowsum_add(struct plug_rowsum *sum, const void *row, size_t len)
{
    XXH128_hash_t hash = XXH3_128bits(row, len);

    sum->rows++;
    add128(sum, hash.low64, hash.high64);
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
