/* tests/fuzz/fuzz_document.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * document: backstay.json and records, sealed here, read through a destination; and documents of
 * which nothing is right.
 */
#include "fuzz/fuzz.h"
#include "fuzz/sealed.h"
#include "store/record.h"
#include "support/memory_dest.h"

#include <string.h>

#define RECORD "records/2026/11/20261122T023000Z-backup-1a2b3c4d1a2b3c4d.json"

static void read_record(struct stay_dest *dest)
{
    const struct stay_repository repository = {.dest = dest,
                                               .id = "0123456789abcdef0123456789abcdef"};
    struct stay_record_seen record = {0};
    struct stay_err err = {0};

    if (stay_record_get(&repository, RECORD, &record, &err) < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CONFIG);
    stay_record_seen_free(&record);
}

static void read_config(struct stay_dest *dest)
{
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;
    struct stay_err err = {0};

    if (stay_repository_open(&repository, dest, &err) < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CONFIG);
    else
        FUZZ_HOLDS(stay_chunker_valid(&repository->chunker));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto(stay_memory_dest_free) struct stay_memory_dest *memory = stay_memory_dest_new();
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("memory", stay_memory_dest_ops(), memory, NULL);
    stay_auto(json_decref) json_t *object = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_buf plain = {.data = (char *)(uintptr_t)data, .len = size};
    struct stay_err err = {0};

    if (stay_doc_open(&object, &plain, "it", &err) < 0)
        FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
    fuzz_seal(&text, data, size);
    stay_memory_dest_write(memory, "backstay.json", text.data, text.len);
    stay_memory_dest_write(memory, RECORD, text.data, text.len);
    read_config(dest);
    read_record(dest);
    return 0;
}
