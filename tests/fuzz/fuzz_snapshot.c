/* tests/fuzz/fuzz_snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshot: the input is the object without its seal, which is put on here.
 */
#include "fuzz/fuzz.h"
#include "fuzz/sealed.h"
#include "store/snapshot.h"

#include <string.h>

#define NAME "snapshots/src/20261122T023000Z-1a2b3c4d.json"

static const char repository[] = "0123456789abcdef0123456789abcdef";

/* What is decoded can be written, and read again. */
static void check_again(const struct stay_snapshot *snapshot)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *again = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    stay_snapshot_encode(&text, snapshot, repository);
    FUZZ_HOLDS(stay_snapshot_decode(&again, &text, NAME, repository, &err) == 0);
    FUZZ_HOLDS(again->packs.n == snapshot->packs.n);
    FUZZ_HOLDS(again->stream_frames.n == snapshot->stream_frames.n);
    FUZZ_HOLDS(memcmp(&again->counts, &snapshot->counts, sizeof again->counts) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    fuzz_seal(&text, data, size);
    if (stay_snapshot_decode(&snapshot, &text, NAME, repository, &err) == 0)
        check_again(snapshot);
    else
        FUZZ_FAILS_WELL(err, STAY_ERR_CONFIG);
    return 0;
}
