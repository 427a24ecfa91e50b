/* src/engine/tree.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/tree.h"

#include <fnmatch.h>
#include <string.h>

struct line {
    uint64_t offset;
    uint32_t len;
};

struct stay_tree {
    struct stay_text text;
    STAY_VEC(struct line) lines;
    size_t bad_lines;
};

/* The path of the line at @text into @out. */
static bool read_path(struct stay_buf *out, const char *text, size_t len)
{
    static const char head[] = "{\"path\":";

    stay_buf_clear(out);
    return len >= sizeof head && memcmp(text, head, sizeof head - 1) == 0 &&
           stay_json_read_string(out, text + sizeof head - 1, len - sizeof head + 1) >= 0;
}

/* Paths have no NUL, but the empty one has no memory. */
static bool comes_after(const struct stay_buf *path, const struct stay_buf *before)
{
    return strcmp(path->len ? path->data : "", before->len ? before->data : "") > 0;
}

static void add_line(struct stay_tree *tree, uint64_t offset, size_t len)
{
    *stay_vec_push(&tree->lines) = (struct line){offset, (uint32_t)len};
}

/* In an undamaged manifest, a malformed line is an error; in a damaged one, lines at the edges of
 * the damage are expected to be. Only what is in its order is let in, so a forged text cannot name
 * one thing twice, or a million times. */
static int split_lines(struct stay_tree *tree, struct stay_err *err)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    stay_auto_buf struct stay_buf path = {0};
    stay_auto_buf struct stay_buf before = {0};
    const char *data = tree->text.data;
    size_t len = tree->text.len;
    bool whole = tree->text.missing_bytes == 0;

    for (size_t at = 0; at < len;) {
        size_t n = stay_manifest_first(data + at, len - at);
        if (n > UINT32_MAX)
            return stay_fail(err, STAY_ERR_CORRUPT, "a manifest line is larger than any can be");
        bool sorted =
            read_path(&path, data + at, n) && (tree->lines.n == 0 || comes_after(&path, &before));
        if (whole && !sorted)
            return stay_fail(err, STAY_ERR_CORRUPT,
                             "line %zu does not begin with a path behind the one before it",
                             tree->lines.n + 1);
        if (whole || (sorted && stay_manifest_decode(&entry, data + at, n, NULL) == 0)) {
            const struct stay_buf swap = before;
            add_line(tree, at, n);
            before = path;
            path = swap;
        } else if (data[at] != '\n') {
            tree->bad_lines++;
        }
        at += n;
        if (tree->text.window)
            stay_window_touch(tree->text.window, n);
    }
    if (tree->lines.n > UINT32_MAX)
        return stay_fail(err, STAY_ERR_CORRUPT, "the manifest has more entries than any can have");
    return 0;
}

int stay_tree_load(struct stay_tree **out, struct stay_dest *dest,
                   const struct stay_snapshot *snapshot, unsigned threads, const char *scratch,
                   struct stay_err *err)
{
    stay_auto(stay_tree_free) struct stay_tree *tree = stay_new(struct stay_tree);

    if (stay_text_load(&tree->text, dest, snapshot, STAY_MANIFEST, threads, scratch, err) < 0 ||
        split_lines(tree, err) < 0)
        return stay_prefix(err, "manifest of snapshot %s", snapshot->id);
    *out = stay_steal(&tree);
    return 0;
}

void stay_tree_free(struct stay_tree *tree)
{
    if (tree == NULL)
        return;
    stay_text_free(&tree->text);
    stay_vec_free(&tree->lines);
    free(tree);
}

size_t stay_tree_count(const struct stay_tree *tree)
{
    return tree->lines.n;
}

const char *stay_tree_line(const struct stay_tree *tree, size_t number, size_t *len)
{
    *len = tree->lines.items[number].len;
    if (tree->text.window)
        stay_window_touch(tree->text.window, *len);
    return tree->text.data + tree->lines.items[number].offset;
}

int stay_tree_entry(const struct stay_tree *tree, size_t number, struct stay_manifest_entry *out,
                    struct stay_err *err)
{
    size_t len;
    const char *line = stay_tree_line(tree, number, &len);

    return stay_manifest_decode(out, line, len, err);
}

const struct stay_err *stay_tree_damage(const struct stay_tree *tree, size_t *bytes, size_t *lines)
{
    *bytes = tree->text.missing_bytes;
    *lines = tree->bad_lines;
    return tree->text.missing_bytes ? &tree->text.first_damage : NULL;
}

/* ---- patterns */

static bool match_anywhere(const char *pattern, const char *path)
{
    for (const char *at = path;;) {
        if (fnmatch(pattern, at, FNM_PATHNAME | FNM_LEADING_DIR) == 0)
            return true;
        at = strchr(at, '/');
        if (at == NULL)
            return false;
        at++;
    }
}

static bool match_one(const char *pattern, const char *path)
{
    stay_auto_str char *trimmed = stay_strdup(pattern[0] == '/' ? pattern + 1 : pattern);
    size_t len = strlen(trimmed);

    if (len && trimmed[len - 1] == '/')
        trimmed[--len] = '\0';
    if (strncmp(path, trimmed, len) == 0 && (path[len] == '\0' || path[len] == '/' || len == 0))
        return true;
    if (strstr(trimmed, "**"))
        return fnmatch(trimmed, path, FNM_LEADING_DIR) == 0;
    if (strchr(pattern, '/'))
        return fnmatch(trimmed, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0;
    return match_anywhere(trimmed, path);
}

bool stay_patterns_match(const struct stay_patterns *patterns, const char *path)
{
    if (patterns == NULL || patterns->n == 0)
        return true;
    for (size_t i = 0; i < patterns->n; i++)
        if (match_one(patterns->items[i], path))
            return true;
    return false;
}

int stay_tree_select(const struct stay_tree *tree, const struct stay_patterns *patterns,
                     uint32_t **out, size_t *n, struct stay_err *err)
{
    static const char head[] = "{\"path\":";
    stay_auto_buf struct stay_buf path = {0};
    STAY_VEC(uint32_t) chosen = {0};

    for (size_t i = 0; i < tree->lines.n; i++) {
        size_t len;
        const char *line = stay_tree_line(tree, i, &len);
        stay_buf_clear(&path);
        if (patterns && patterns->n) {
            if (len < sizeof head || memcmp(line, head, sizeof head - 1) != 0 ||
                stay_json_read_string(&path, line + sizeof head - 1, len - sizeof head + 1) < 0) {
                stay_vec_free(&chosen);
                return stay_fail(err, STAY_ERR_CORRUPT,
                                 "a manifest line does not begin with a path");
            }
            if (!stay_patterns_match(patterns, path.data))
                continue;
        }
        *stay_vec_push(&chosen) = (uint32_t)i;
    }
    *out = chosen.items;
    *n = chosen.n;
    return 0;
}
