/* tests/support/fake_snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/fake_sink.h"

#include <string.h>

/* ---------------------------------------------------------------- copies */

static const char *copy_text(const char *text)
{
    return text ? stay_strdup(text) : NULL;
}

static void *copy_array(const void *items, size_t n, size_t size)
{
    void *copy = stay_calloc(n ? n : 1, size);

    if (n > 0)
        memcpy(copy, items, n * size);
    return copy;
}

static void copy_entry(struct backstay_entry *to, const struct backstay_entry *from)
{
    struct backstay_xattr *xattrs = copy_array(from->xattrs, from->n_xattrs, sizeof *xattrs);
    struct backstay_pair *pairs = copy_array(from->pairs, from->n_pairs, sizeof *pairs);

    *to = *from;
    to->path = stay_memdup(from->path, from->path_len);
    to->user = copy_text(from->user);
    to->group = copy_text(from->group);
    to->target = from->target ? stay_memdup(from->target, from->target_len) : NULL;
    for (uint32_t i = 0; i < from->n_xattrs; i++) {
        xattrs[i].name = stay_strdup(xattrs[i].name);
        xattrs[i].value = stay_memdup(xattrs[i].value, xattrs[i].value_len);
    }
    for (uint32_t i = 0; i < from->n_pairs; i++) {
        pairs[i].key = stay_strdup(pairs[i].key);
        pairs[i].value = stay_strdup(pairs[i].value);
    }
    to->xattrs = xattrs;
    to->pairs = pairs;
    to->extents = copy_array(from->extents, from->n_extents, sizeof *from->extents);
}

static void free_entry(struct fake_entry *fake)
{
    struct backstay_entry *entry = &fake->entry;

    for (uint32_t i = 0; i < entry->n_xattrs; i++) {
        free((char *)entry->xattrs[i].name);
        free((void *)entry->xattrs[i].value);
    }
    for (uint32_t i = 0; i < entry->n_pairs; i++) {
        free((char *)entry->pairs[i].key);
        free((char *)entry->pairs[i].value);
    }
    free((char *)entry->path);
    free((char *)entry->user);
    free((char *)entry->group);
    free((char *)entry->target);
    free((void *)entry->xattrs);
    free((void *)entry->extents);
    free((void *)entry->pairs);
    free(fake->content);
    free(fake);
}

/* ---------------------------------------------------------------- snapshots */

struct fake_snapshot *fake_snapshot_new(void)
{
    struct fake_snapshot *snapshot = stay_new(struct fake_snapshot);

    snapshot->facts = stay_map_new(free);
    snapshot->details = stay_map_new(free);
    return snapshot;
}

void fake_snapshot_free(struct fake_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->entries.n; i++)
        free_entry(snapshot->entries.items[i]);
    for (size_t i = 0; i < snapshot->warnings.n; i++) {
        free(snapshot->warnings.items[i].path);
        free(snapshot->warnings.items[i].text);
    }
    stay_vec_free(&snapshot->entries);
    stay_vec_free(&snapshot->warnings);
    stay_map_free(snapshot->facts);
    stay_map_free(snapshot->details);
    free(snapshot);
}

struct fake_entry *fake_snapshot_add(struct fake_snapshot *snapshot,
                                     const struct backstay_entry *entry, const void *content,
                                     size_t len)
{
    struct fake_entry *fake = stay_new(struct fake_entry);

    copy_entry(&fake->entry, entry);
    fake->content = len > 0 ? stay_memdup(content, len) : NULL;
    fake->content_len = len;
    *stay_vec_push(&snapshot->entries) = fake;
    snapshot->sorted = false;
    return fake;
}

static int compare_paths(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, STAY_MIN(a_len, b_len));

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare(const void *a, const void *b)
{
    const struct fake_entry *x = *(struct fake_entry *const *)a;
    const struct fake_entry *y = *(struct fake_entry *const *)b;

    return compare_paths(x->entry.path, x->entry.path_len, y->entry.path, y->entry.path_len);
}

void fake_snapshot_finish(struct fake_snapshot *snapshot)
{
    stay_auto(stay_map_free) struct stay_map *groups = stay_map_new(NULL);

    if (snapshot->entries.n > 1)
        qsort(snapshot->entries.items, snapshot->entries.n, sizeof *snapshot->entries.items,
              compare);
    snapshot->sorted = true;
    for (size_t i = 0; i < snapshot->entries.n; i++) {
        struct fake_entry *fake = snapshot->entries.items[i];
        uint64_t group = fake->entry.link_group;
        if (group != 0 && !fake->is_link)
            stay_map_set(groups, &group, sizeof group, fake);
    }
    for (size_t i = 0; i < snapshot->entries.n; i++) {
        struct fake_entry *fake = snapshot->entries.items[i];
        uint64_t group = fake->entry.link_group;
        const struct fake_entry *first = stay_map_get(groups, &group, sizeof group);
        if (fake->is_link && first && first->content && fake->content == NULL) {
            fake->content = stay_memdup(first->content, first->content_len);
            fake->content_len = first->content_len;
        }
    }
}

struct fake_entry *fake_snapshot_find(const struct fake_snapshot *snapshot, const char *path)
{
    struct fake_entry wanted = {.entry = {.path = path, .path_len = strlen(path)}};
    const struct fake_entry *key = &wanted;

    if (snapshot->sorted && snapshot->entries.n > 0) {
        struct fake_entry **found = bsearch(&key, snapshot->entries.items, snapshot->entries.n,
                                            sizeof *snapshot->entries.items, compare);
        return found ? *found : NULL;
    }
    for (size_t i = 0; i < snapshot->entries.n; i++)
        if (strcmp(snapshot->entries.items[i]->entry.path, path) == 0)
            return snapshot->entries.items[i];
    return NULL;
}

const char *fake_snapshot_warning(const struct fake_snapshot *snapshot, const char *path)
{
    for (size_t i = 0; i < snapshot->warnings.n; i++) {
        const struct fake_warning *warning = &snapshot->warnings.items[i];
        if (path ? warning->path && strcmp(warning->path, path) == 0 : warning->path == NULL)
            return warning->text;
    }
    return NULL;
}
