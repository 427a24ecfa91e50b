/* plugins/source/postgres/restore_saved.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "restore_saved.h"

#include "folders.h"

#include <stdlib.h>
#include <string.h>

static int unreadable(const struct backstay_host *host, struct backstay_error *err)
{
    return host->fail(host, err,
                      host->cancelled(host) ? BACKSTAY_ERR_CANCELLED : BACKSTAY_ERR_CORRUPT,
                      "the list of entries cannot be read");
}

uint64_t pg_saved_find(const struct pg_saved *saved, struct backstay_feed *feed, const char *name)
{
    return plug_folder_find(feed, saved->folder, name);
}

/* ---- finding */

/* Adds the entry to the database whose folder it is in. */
static void add_entry(struct pg_saved_list *list, const struct backstay_entry *entry,
                      uint64_t index)
{
    const char *slash = memchr(entry->path, '/', entry->path_len);
    struct pg_saved *last = list->n ? &list->items[list->n - 1] : NULL;

    if (slash == NULL)
        return;
    size_t len = (size_t)(slash - entry->path) + 1;
    if (last == NULL || strlen(last->folder) != len ||
        memcmp(last->folder, entry->path, len) != 0) {
        list->items = plug_grow(list->items, &list->cap, list->n + 1, sizeof *list->items);
        last = &list->items[list->n++];
        *last =
            (struct pg_saved){.folder = plug_strf("%.*s", (int)len, entry->path), .first = index};
    }
    last->last = index;
}

int pg_saved_read(struct pg_saved_list *out, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
{
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    int r = 0;

    *out = (struct pg_saved_list){0};
    for (uint64_t i = 0; i < feed->n_entries && r == 0; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        if (entry == NULL)
            r = unreadable(host, err);
        else
            add_entry(out, entry, i);
    }
    feed->cursor_close(feed, cursor);
    uint64_t globals = r == 0 ? plug_folder_find(feed, "", "globals.json") : UINT64_MAX;
    if (globals != UINT64_MAX) {
        out->globals_index = globals;
        out->globals = plug_receive_json(feed, globals, host, err);
        r = out->globals ? 0 : -1;
    }
    if (r == 0 && out->n == 0)
        r = host->fail(host, err, BACKSTAY_ERR_CORRUPT, "the snapshot has no database");
    if (r != 0)
        pg_saved_free(out);
    return r;
}

void pg_saved_free(struct pg_saved_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct pg_saved *saved = &list->items[i];
        free(saved->folder);
        free(saved->name);
        json_decref(saved->database);
        json_decref(saved->tables);
        json_decref(saved->sequences);
        json_decref(saved->objects);
    }
    free(list->items);
    json_decref(list->globals);
    *list = (struct pg_saved_list){0};
}

/* ---- reading */

static int load(struct pg_saved *saved, json_t **out, const char *name, bool optional,
                struct backstay_feed *feed, const struct backstay_host *host,
                struct backstay_error *err)
{
    uint64_t index = pg_saved_find(saved, feed, name);

    if (index == UINT64_MAX && optional)
        return 0;
    if (index == UINT64_MAX)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "%s%s is not among the entries to restore; restore without patterns, and "
                          "choose tables with --table",
                          saved->folder, name);
    *out = plug_receive_json(feed, index, host, err);
    return *out ? 0 : -1;
}

int pg_saved_load(struct pg_saved *saved, struct backstay_feed *feed,
                  const struct backstay_host *host, struct backstay_error *err)
{
    if (load(saved, &saved->database, "database.json", false, feed, host, err) != 0 ||
        load(saved, &saved->tables, "tables.json", false, feed, host, err) != 0 ||
        load(saved, &saved->sequences, "sequences.json", true, feed, host, err) != 0 ||
        load(saved, &saved->objects, "large-objects.json", true, feed, host, err) != 0)
        return -1;
    saved->schema = pg_saved_find(saved, feed, "schema.dump");
    if (saved->schema == UINT64_MAX)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "%sschema.dump is not among the entries to restore; restore without "
                          "patterns, and choose tables with --table",
                          saved->folder);
    saved->name = plug_strdup(plug_json_get(saved->database, "name"));
    if (saved->name[0] && json_is_array(saved->tables))
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_CORRUPT,
                      "the documents of %s are not as they must be", saved->folder);
}
