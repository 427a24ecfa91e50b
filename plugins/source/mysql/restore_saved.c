/* plugins/source/mysql/restore_saved.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore_saved.h"

#include "objects.h"

#include <stdlib.h>
#include <string.h>

uint64_t my_saved_find(const struct my_saved *saved, struct backstay_feed *feed, const char *name)
{
    return plug_folder_find(feed, saved->folder->path, name);
}

static json_t *load(const struct my_saved *saved, const char *name, struct backstay_feed *feed,
                    const struct backstay_host *host, struct backstay_error *err)
{
    uint64_t index = my_saved_find(saved, feed, name);
    json_t *out;

    if (index == UINT64_MAX) {
        (void)host->fail(host, err, BACKSTAY_ERR_CONFIG,
                         "%s%s is not among the entries to restore; restore without patterns, and "
                         "choose tables with --table",
                         saved->folder->path, name);
        return NULL;
    }
    out = plug_receive_json(feed, index, host, err);
    if (out && json_is_array(out))
        return out;
    if (out)
        (void)host->fail(host, err, BACKSTAY_ERR_CORRUPT, "%s%s is not as it must be",
                         saved->folder->path, name);
    json_decref(out);
    return NULL;
}

static int load_database(struct my_saved *saved, struct backstay_feed *feed,
                         const struct backstay_host *host, struct backstay_error *err)
{
    size_t at = 0;

    saved->tables = load(saved, "tables.json", feed, host, err);
    saved->objects = saved->tables ? load(saved, "objects.json", feed, host, err) : NULL;
    if (saved->objects == NULL)
        return -1;
    saved->about = my_saved_find(saved, feed, "tables.json");
    saved->name =
        plug_strdup(plug_json_get(my_object_next(saved->objects, "database", &at), "name"));
    if (*saved->name)
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "%sobjects.json names no database",
                      saved->folder->path);
}

int my_saved_read(struct my_saved_list *out, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
{
    *out = (struct my_saved_list){0};
    if (plug_folders_read(&out->folders, feed, host, err) != 0)
        return -1;
    if (out->folders.n == 0)
        return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "the snapshot has no database");
    out->items = plug_alloc(out->folders.n, sizeof *out->items);
    for (; out->n < out->folders.n; out->n++) {
        out->items[out->n].folder = &out->folders.items[out->n];
        if (load_database(&out->items[out->n], feed, host, err) != 0) {
            out->n++;
            return -1;
        }
    }
    return 0;
}

void my_saved_free(struct my_saved_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].name);
        json_decref(list->items[i].tables);
        json_decref(list->items[i].objects);
    }
    free(list->items);
    plug_folders_free(&list->folders);
    *list = (struct my_saved_list){0};
}
