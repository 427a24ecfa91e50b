/* tests/fuzz/fuzz_ustar.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * ustar: the input is an archive. Its headers are the ones that its names and sizes must have.
 */
#include "codec/ustar.h"
#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stay_ustar_member member;
    struct stay_err err = {0};
    uint64_t at = 0;
    int rc;

    for (;;) {
        uint64_t before = at;
        unsigned char block[STAY_USTAR_BLOCK];
        rc = stay_ustar_next(data, size, &at, &member, &err);
        if (rc != 0)
            break;
        FUZZ_HOLDS(at > before && at <= size);
        FUZZ_HOLDS(member.offset <= size && member.len <= size - member.offset);
        FUZZ_HOLDS(strlen(member.name) <= STAY_USTAR_NAME_MAX);
        stay_ustar_header(block, member.name, member.len);
        FUZZ_HOLDS(memcmp(block, data + before, sizeof block) == 0);
    }
    if (rc < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
    return 0;
}
