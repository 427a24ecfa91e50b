/* src/engine/diff.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both manifests are sorted, so they are walked side by side. Most lines are the same byte for byte
 * and are not even decoded.
 */
#include "engine/diff.h"

#include <string.h>

static const struct {
    char letter;
    const char *name;
} changes[] = {
    [STAY_CHANGE_ADDED] = {'+', "added"},   [STAY_CHANGE_REMOVED] = {'-', "removed"},
    [STAY_CHANGE_TYPE] = {'T', "type"},     [STAY_CHANGE_CONTENT] = {'M', "content"},
    [STAY_CHANGE_META] = {'U', "metadata"},
};

char stay_change_letter(enum stay_change change)
{
    return changes[change].letter;
}

const char *stay_change_name(enum stay_change change)
{
    return changes[change].name;
}

static enum stay_change change_of(const struct stay_manifest_entry *a,
                                  const struct stay_manifest_entry *b)
{
    if (a->entry.type != b->entry.type)
        return STAY_CHANGE_TYPE;
    bool same_target = a->entry.target_len == b->entry.target_len &&
                       (a->entry.target_len == 0 ||
                        memcmp(a->entry.target, b->entry.target, a->entry.target_len) == 0);
    bool same_content = a->entry.bytes == b->entry.bytes && a->chunks.n == b->chunks.n &&
                        (a->chunks.n == 0 || memcmp(a->chunks.items, b->chunks.items,
                                                    a->chunks.n * sizeof *a->chunks.items) == 0);

    return same_target && same_content ? STAY_CHANGE_META : STAY_CHANGE_CONTENT;
}

/* One side of the walk. */
struct side {
    const struct stay_tree *tree;
    size_t at;
    struct stay_manifest_entry entry;
    bool done;
};

static int load(struct side *side, struct stay_err *err)
{
    side->done = side->at == stay_tree_count(side->tree);
    return side->done ? 0 : stay_tree_entry(side->tree, side->at, &side->entry, err);
}

static bool same_line(const struct side *a, const struct side *b)
{
    size_t a_len;
    size_t b_len;

    if (a->at == stay_tree_count(a->tree) || b->at == stay_tree_count(b->tree))
        return false;
    const char *x = stay_tree_line(a->tree, a->at, &a_len);
    const char *y = stay_tree_line(b->tree, b->at, &b_len);
    return a_len == b_len && memcmp(x, y, a_len) == 0;
}

static int next_difference(struct side *a, struct side *b, struct stay_err *err)
{
    while (same_line(a, b)) {
        a->at++;
        b->at++;
    }
    return load(a, err) < 0 || load(b, err) < 0 ? -1 : 0;
}

static int step(struct side *a, struct side *b,
                int (*each)(void *ctx, enum stay_change change,
                            const struct stay_manifest_entry *before,
                            const struct stay_manifest_entry *after),
                void *ctx)
{
    int order = a->done ? 1 : b->done ? -1 : strcmp(a->entry.entry.path, b->entry.entry.path);

    if (order < 0) {
        a->at++;
        return each(ctx, STAY_CHANGE_REMOVED, &a->entry, NULL);
    }
    b->at++;
    if (order > 0)
        return each(ctx, STAY_CHANGE_ADDED, NULL, &b->entry);
    a->at++;
    return each(ctx, change_of(&a->entry, &b->entry), &a->entry, &b->entry);
}

int stay_diff(const struct stay_tree *a, const struct stay_tree *b,
              int (*each)(void *ctx, enum stay_change change,
                          const struct stay_manifest_entry *before,
                          const struct stay_manifest_entry *after),
              void *ctx, struct stay_err *err)
{
    struct side x = {.tree = a};
    struct side y = {.tree = b};
    int rc = next_difference(&x, &y, err);

    while (rc == 0 && !(x.done && y.done)) {
        rc = step(&x, &y, each, ctx);
        if (rc == 0)
            rc = next_difference(&x, &y, err);
    }
    stay_manifest_entry_free(&x.entry);
    stay_manifest_entry_free(&y.entry);
    return rc;
}
