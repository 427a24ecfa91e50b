/* tests/fuzz/fuzz_manifest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * manifest: the input is a manifest, read entry by entry. What is read and written again is the
 * same.
 */
#include "fuzz/fuzz.h"
#include "store/manifest.h"

#include <string.h>

static void check_path(const struct backstay_entry *entry)
{
    FUZZ_HOLDS(strlen(entry->path) == entry->path_len);
    FUZZ_HOLDS(entry->path[0] != '/');
    FUZZ_HOLDS(strcmp(entry->path, "..") != 0 && strcmp(entry->path, ".") != 0);
    FUZZ_HOLDS(strncmp(entry->path, "../", 3) != 0 && strncmp(entry->path, "./", 2) != 0);
    FUZZ_HOLDS(strstr(entry->path, "/../") == NULL && strstr(entry->path, "//") == NULL);
    FUZZ_HOLDS(!stay_str_ends(entry->path, "/..") && !stay_str_ends(entry->path, "/"));
}

static void check_again(const struct stay_manifest_entry *entry)
{
    stay_auto_manifest_entry struct stay_manifest_entry again = {0};
    stay_auto_buf struct stay_buf once = {0};
    stay_auto_buf struct stay_buf twice = {0};
    struct stay_err err = {0};

    stay_manifest_encode(&once, &entry->entry, entry->chunks.items, entry->chunks.n);
    FUZZ_HOLDS(stay_manifest_decode(&again, once.data, once.len, &err) == 0);
    stay_manifest_encode(&twice, &again.entry, again.chunks.items, again.chunks.n);
    FUZZ_HOLDS(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    FUZZ_HOLDS(again.chunks.n == entry->chunks.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    const char *text = (const char *)data;

    for (size_t at = 0; at < size;) {
        size_t n = stay_manifest_first(text + at, size - at);
        struct stay_manifest_peek peek = {0};
        struct stay_err err = {0};
        FUZZ_HOLDS(n > 0 && n <= size - at);
        (void)!stay_manifest_peek(&peek, text + at, n);
        free(peek.ids);
        if (stay_manifest_decode(&entry, text + at, n, &err) < 0) {
            FUZZ_FAILS_WELL(err, STAY_ERR_CORRUPT);
        } else {
            check_path(&entry.entry);
            check_again(&entry);
            (void)stay_manifest_content_bytes(&entry.entry);
        }
        at += n;
    }
    return 0;
}
