/* plugins/shared/folders.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "folders.h"

#include <stdlib.h>
#include <string.h>

/* How entries are sorted: by their bytes. */
static int compare(const struct backstay_entry *entry, const char *path)
{
    size_t len = strlen(path);
    int order = memcmp(entry->path, path, PLUG_MIN(entry->path_len, len));

    return order ? order : (entry->path_len > len) - (entry->path_len < len);
}

static uint64_t find(struct backstay_feed *feed, struct backstay_cursor *cursor, const char *path)
{
    uint64_t from = 0;
    uint64_t to = feed->n_entries;

    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        const struct backstay_entry *entry = feed->entry(feed, cursor, middle);
        if (entry == NULL)
            return UINT64_MAX;
        int order = compare(entry, path);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return UINT64_MAX;
}

uint64_t plug_folder_find(struct backstay_feed *feed, const char *folder, const char *name)
{
    PLUG_AUTO_FREE char *path = plug_strf("%s%s", folder, name);
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    uint64_t index = find(feed, cursor, path);

    feed->cursor_close(feed, cursor);
    return index;
}

static void add_entry(struct plug_folders *out, const struct backstay_entry *entry, uint64_t index)
{
    const char *slash = memchr(entry->path, '/', entry->path_len);
    struct plug_folder *last = out->n ? &out->items[out->n - 1] : NULL;

    if (slash == NULL)
        return;
    size_t len = (size_t)(slash - entry->path) + 1;
    if (last == NULL || strlen(last->path) != len || memcmp(last->path, entry->path, len) != 0) {
        out->items = plug_grow(out->items, &out->cap, out->n + 1, sizeof *out->items);
        last = &out->items[out->n++];
        *last =
            (struct plug_folder){.path = plug_strf("%.*s", (int)len, entry->path), .first = index};
    }
    last->last = index;
}

int plug_folders_read(struct plug_folders *out, struct backstay_feed *feed,
                      const struct backstay_host *host, struct backstay_error *err)
{
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    int r = 0;

    *out = (struct plug_folders){0};
    for (uint64_t i = 0; i < feed->n_entries && r == 0; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry)
            add_entry(out, entry, i);
        else
            r = host->fail(host, err,
                           host->cancelled(host) ? BACKSTAY_ERR_CANCELLED : BACKSTAY_ERR_CORRUPT,
                           "the list of entries cannot be read");
    }
    feed->cursor_close(feed, cursor);
    return r;
}

void plug_folders_free(struct plug_folders *folders)
{
    for (size_t i = 0; i < folders->n; i++)
        free(folders->items[i].path);
    free(folders->items);
    *folders = (struct plug_folders){0};
}
