/* tests/unit/engine/files.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * files: a source of made files for a rig, and what a restore of them must bring back.
 *
 * Layer: tests. Uses: engine. Thread-safety: one thread.
 */
#pragma once

#include "support/random.h"
#include "unit/engine/rig.h"

enum { FILES = 60, FILE_MOST = 900000 };

/** Files "d0/f00" .. and the folders that they are in; some share content, one is sparse. */
struct files {
    struct script script;
    char paths[FILES][16];
    char *contents[FILES];
    size_t lengths[FILES];
    unsigned links_without_file; /* to be sent, so that the snapshot has warnings */
};

static inline int files_send(struct backstay_sink *sink, void *ctx)
{
    const struct files *files = ctx;

    for (size_t i = 0; i < FILES; i++) {
        char folder[3] = {'d', (char)('0' + i % 10), '\0'};
        if (i < 10 && send_folder(sink, folder) < 0)
            return -1;
        if (send_file(sink, files->paths[i], files->contents[i], files->lengths[i]) < 0)
            return -1;
    }
    for (unsigned i = 0; i < files->links_without_file; i++) {
        struct backstay_entry entry = file_entry("zz-link", 5);
        entry.link_group = 77;
        if (sink->link(sink, &entry, NULL, 0) < 0)
            return -1;
    }
    return 0;
}

static inline struct files *make_files(uint64_t seed)
{
    struct files *files = stay_new(struct files);
    struct stay_random random = {seed};

    files->script = (struct script){.backup = files_send, .ctx = files};
    for (size_t i = 0; i < FILES; i++) {
        size_t len = i == 0 ? 0 : stay_random_below(&random, i % 7 ? 5000 : FILE_MOST);
        (void)snprintf(files->paths[i], sizeof files->paths[i], "d%zu/f%02zu", i % 10, i);
        files->lengths[i] = len;
        files->contents[i] = stay_calloc(len + 1, 1);
        stay_random_fill(&random, files->contents[i], i % 2 ? len / 2 : len);
        if (i % 5 == 4) { /* a copy of the one before */
            free(files->contents[i]);
            files->lengths[i] = files->lengths[i - 1];
            files->contents[i] = stay_memdup(files->contents[i - 1], files->lengths[i]);
        }
    }
    return files;
}

static inline void free_files(struct files *files)
{
    for (size_t i = 0; i < FILES; i++)
        free(files->contents[i]);
    free(files);
}

/** The number of the file @path, or -1. */
static inline int files_find(const struct files *files, const char *path)
{
    for (int i = 0; i < FILES; i++)
        if (strcmp(files->paths[i], path) == 0)
            return i;
    return -1;
}

/** Flips a bit in the middle of each of the packs of store @i; of one alone where @only is one. */
static inline size_t damage_packs(struct rig *rig, size_t i, size_t only)
{
    stay_auto_dest_list struct stay_dest_list list = {0};
    size_t n = 0;

    assert_int_equal(stay_dest_list(rig->stores[i]->dest, "packs/", &list, NULL), 0);
    for (size_t k = 0; k < list.n; k++) {
        stay_auto_buf struct stay_buf pack = {0};
        if (only != SIZE_MAX && k != only)
            continue;
        assert_int_equal(stay_memory_dest_read(rig->stores[i]->memory, list.items[k].name, &pack),
                         0);
        pack.data[pack.len / 2] ^= 1;
        stay_memory_dest_write(rig->stores[i]->memory, list.items[k].name, pack.data, pack.len);
        n++;
    }
    return n;
}
