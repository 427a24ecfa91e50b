/* plugins/source/mysql/restore_saved.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore_saved: the databases that a snapshot has, found among its entries.
 *
 * Thread-safety: does not change once read.
 */
#pragma once

#include "folders.h"
#include "send.h"

/** One database of the snapshot. */
struct my_saved {
    const struct plug_folder *folder;
    char *name;      /* "shop" */
    json_t *tables;  /* DB/tables.json */
    json_t *objects; /* DB/objects.json */
    uint64_t about;  /* the entry DB/tables.json, to which problems belong */
};

struct my_saved_list {
    struct plug_folders folders;
    struct my_saved *items; /* one for each folder */
    size_t n;
};

/**
 * Reads all databases. Release with my_saved_free() in any case.
 *
 * @return 0; -1 with @err.
 */
int my_saved_read(struct my_saved_list *out, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));
void my_saved_free(struct my_saved_list *list);

/** The index of the entry folder + name of @saved, or UINT64_MAX. */
uint64_t my_saved_find(const struct my_saved *saved, struct backstay_feed *feed, const char *name);
