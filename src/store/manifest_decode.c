/* src/store/manifest_decode.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A manifest line is read by the million, so by a scanner of its own: it walks the text once, keeps
 * strings in one reused buffer and recurses only to skip members that it does not know, to a fixed
 * depth.
 */
#include "store/manifest.h"

#include <string.h>

enum { SKIP_DEPTH = 8, NS_DIGITS = 9 };

struct scan {
    const char *at;
    const char *end;
    struct stay_manifest_entry *out;
    bool has_path;
    bool has_type;
    bool has_bytes;
};

static bool accept(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool accept_word(struct scan *scan, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
        return false;
    scan->at += len;
    return true;
}

/* A string, NUL-terminated in the reused buffer, which never moves: its room was taken before. */
static char *read_string(struct scan *scan, size_t *len)
{
    struct stay_buf *strings = &scan->out->strings;
    size_t start = strings->len;
    long taken = stay_json_read_string(strings, scan->at, (size_t)(scan->end - scan->at));

    if (taken < 0)
        return NULL;
    scan->at += taken;
    if (len)
        *len = strings->len - start;
    stay_buf_char(strings, '\0');
    return strings->data + start;
}

static bool read_u64(struct scan *scan, uint64_t *out)
{
    const char *start = scan->at;

    *out = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        if (__builtin_mul_overflow(*out, UINT64_C(10), out) ||
            __builtin_add_overflow(*out, (uint64_t)(*scan->at - '0'), out))
            return false;
        scan->at++;
    }
    return scan->at > start;
}

static bool read_u32(struct scan *scan, uint32_t *out)
{
    uint64_t value = 0;

    if (!read_u64(scan, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool skip_value(struct scan *scan, int depth);

static bool skip_members(struct scan *scan, char close, int depth)
{
    if (accept(scan, close))
        return true;
    do {
        if (close == '}' && (read_string(scan, NULL) == NULL || !accept(scan, ':')))
            return false;
        if (!skip_value(scan, depth - 1))
            return false;
    } while (accept(scan, ','));
    return accept(scan, close);
}

static bool skip_value(struct scan *scan, int depth)
{
    if (depth == 0 || scan->at == scan->end)
        return false;
    if (*scan->at == '"')
        return read_string(scan, NULL) != NULL;
    if (accept(scan, '{'))
        return skip_members(scan, '}', depth);
    if (accept(scan, '['))
        return skip_members(scan, ']', depth);
    const char *start = scan->at;
    while (scan->at < scan->end && strchr("+-.0123456789Eaeflnrstu", *scan->at) && *scan->at)
        scan->at++;
    return scan->at > start;
}

static bool path_allowed(const char *path, size_t len)
{
    if (len == 0)
        return true;
    if (len > STAY_MANIFEST_PATH_MAX)
        return false;
    for (const char *at = path;;) {
        const char *slash = strchr(at, '/');
        size_t n = slash ? (size_t)(slash - at) : strlen(at);
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        if (slash == NULL)
            return true;
        at = slash + 1;
    }
}

static bool read_path(struct scan *scan)
{
    struct backstay_entry *entry = &scan->out->entry;

    entry->path = read_string(scan, &entry->path_len);
    scan->has_path = entry->path != NULL;
    return scan->has_path && path_allowed(entry->path, entry->path_len);
}

static bool read_type(struct scan *scan)
{
    const char *name = read_string(scan, NULL);

    if (name == NULL)
        return false;
    for (uint32_t type = BACKSTAY_FILE; type <= BACKSTAY_SOCKET; type++) {
        if (strcmp(name, stay_manifest_type_name(type)) == 0) {
            scan->out->entry.type = type;
            scan->has_type = true;
            return true;
        }
    }
    return false;
}

static bool read_mode(struct scan *scan)
{
    const char *digits = read_string(scan, NULL);
    uint32_t mode = 0;

    if (digits == NULL || strlen(digits) != 4)
        return false;
    for (int i = 0; i < 4; i++) {
        if (digits[i] < '0' || digits[i] > '7')
            return false;
        mode = mode << 3 | (uint32_t)(digits[i] - '0');
    }
    scan->out->entry.mode = mode;
    scan->out->entry.flags |= BACKSTAY_ENTRY_HAS_MODE;
    return true;
}

/* "1700000000.123456789"; the fraction always has nine digits and counts upward. */
static bool read_mtime(struct scan *scan)
{
    struct backstay_entry *entry = &scan->out->entry;
    uint64_t seconds = 0;
    uint64_t ns = 0;

    if (!accept(scan, '"'))
        return false;
    bool negative = accept(scan, '-');
    if (!read_u64(scan, &seconds) || seconds > (uint64_t)INT64_MAX + negative || !accept(scan, '.'))
        return false;
    const char *fraction = scan->at;
    if (!read_u64(scan, &ns) || scan->at - fraction != NS_DIGITS || !accept(scan, '"'))
        return false;
    entry->mtime_s = (int64_t)(negative ? -seconds : seconds);
    entry->mtime_ns = (uint32_t)ns;
    return true;
}

static bool read_target(struct scan *scan)
{
    struct backstay_entry *entry = &scan->out->entry;

    entry->target = read_string(scan, &entry->target_len);
    return entry->target != NULL;
}

static bool read_rdev(struct scan *scan)
{
    struct backstay_entry *entry = &scan->out->entry;

    return accept(scan, '[') && read_u32(scan, &entry->rdev_major) && accept(scan, ',') &&
           read_u32(scan, &entry->rdev_minor) && accept(scan, ']');
}

/* Hexadecimal, decoded in place. */
static bool read_hex(struct scan *scan, const void **out, size_t *len)
{
    size_t digits = 0;
    char *text = read_string(scan, &digits);

    if (text == NULL || digits % 2 || stay_hex_decode(text, text, digits / 2) < 0)
        return false;
    *out = text;
    *len = digits / 2;
    return true;
}

static bool read_xattrs(struct scan *scan)
{
    if (!accept(scan, '{'))
        return false;
    do {
        struct backstay_xattr xattr = {.name = read_string(scan, NULL)};
        if (xattr.name == NULL || !accept(scan, ':') ||
            !read_hex(scan, &xattr.value, &xattr.value_len))
            return false;
        *stay_vec_push(&scan->out->xattrs) = xattr;
    } while (accept(scan, ','));
    return accept(scan, '}');
}

static bool read_pairs(struct scan *scan)
{
    if (!accept(scan, '{'))
        return false;
    do {
        struct backstay_pair pair = {.key = read_string(scan, NULL)};
        if (pair.key == NULL || !accept(scan, ':'))
            return false;
        pair.value = read_string(scan, NULL);
        if (pair.value == NULL)
            return false;
        *stay_vec_push(&scan->out->pairs) = pair;
    } while (accept(scan, ','));
    return accept(scan, '}');
}

static bool read_extents(struct scan *scan)
{
    scan->out->entry.sparse = 1;
    if (!accept(scan, '['))
        return false;
    if (accept(scan, ']'))
        return true;
    do {
        struct backstay_extent extent = {0};
        if (!accept(scan, '[') || !read_u64(scan, &extent.offset) || !accept(scan, ',') ||
            !read_u64(scan, &extent.length) || !accept(scan, ']'))
            return false;
        *stay_vec_push(&scan->out->extents) = extent;
    } while (accept(scan, ','));
    return accept(scan, ']');
}

static bool read_ids(struct scan *scan)
{
    if (!accept(scan, '['))
        return false;
    if (accept(scan, ']'))
        return true;
    do {
        if (scan->end - scan->at < STAY_ID_HEX + 2 || scan->at[0] != '"' ||
            scan->at[STAY_ID_HEX + 1] != '"' ||
            stay_id_parse(stay_vec_push(&scan->out->chunks), scan->at + 1) < 0)
            return false;
        scan->at += STAY_ID_HEX + 2;
    } while (accept(scan, ','));
    return accept(scan, ']');
}

static bool read_changed(struct scan *scan)
{
    if (accept_word(scan, "true"))
        scan->out->entry.flags |= BACKSTAY_ENTRY_CHANGED;
    else if (!accept_word(scan, "false"))
        return false;
    return true;
}

static bool read_user(struct scan *scan)
{
    return (scan->out->entry.user = read_string(scan, NULL)) != NULL;
}

static bool read_group(struct scan *scan)
{
    return (scan->out->entry.group = read_string(scan, NULL)) != NULL;
}

static bool read_uid(struct scan *scan)
{
    return read_u32(scan, &scan->out->entry.uid);
}

static bool read_gid(struct scan *scan)
{
    return read_u32(scan, &scan->out->entry.gid);
}

static bool read_link(struct scan *scan)
{
    return read_u64(scan, &scan->out->entry.link_group);
}

static bool read_bytes(struct scan *scan)
{
    scan->has_bytes = true;
    return read_u64(scan, &scan->out->entry.bytes) && scan->out->entry.bytes <= INT64_MAX;
}

static const struct {
    const char *key;
    bool (*read)(struct scan *scan);
} members[] = {
    {"path", read_path},       {"type", read_type},     {"mode", read_mode},
    {"uid", read_uid},         {"gid", read_gid},       {"user", read_user},
    {"group", read_group},     {"mtime", read_mtime},   {"bytes", read_bytes},
    {"chunks", read_ids},      {"link", read_link},     {"target", read_target},
    {"rdev", read_rdev},       {"xattrs", read_xattrs}, {"extents", read_extents},
    {"changed", read_changed}, {"pairs", read_pairs},
};

static bool read_member(struct scan *scan)
{
    const char *key = read_string(scan, NULL);

    if (key == NULL || !accept(scan, ':'))
        return false;
    for (size_t i = 0; i < STAY_COUNT(members); i++)
        if (strcmp(key, members[i].key) == 0)
            return members[i].read(scan);
    return skip_value(scan, SKIP_DEPTH);
}

static bool read_line(struct scan *scan)
{
    if (!accept(scan, '{'))
        return false;
    do {
        if (!read_member(scan))
            return false;
    } while (accept(scan, ','));
    return accept(scan, '}') && accept(scan, '\n');
}

static bool read_parts(struct scan *scan)
{
    for (uint64_t part = 1; scan->at < scan->end; part++) {
        uint64_t number = 0;
        if (!accept_word(scan, "{\"part\":") || !read_u64(scan, &number) || number != part ||
            !accept_word(scan, ",\"chunks\":") || !read_ids(scan) || !accept_word(scan, "}\n"))
            return false;
    }
    return true;
}

static bool extents_sound(const struct backstay_entry *entry)
{
    uint64_t at = 0;

    for (size_t i = 0; i < entry->n_extents; i++) {
        const struct backstay_extent *extent = &entry->extents[i];
        if (extent->offset < at || extent->offset > entry->bytes ||
            extent->length > entry->bytes - extent->offset)
            return false;
        at = extent->offset + extent->length;
    }
    return true;
}

static bool entry_sound(const struct scan *scan)
{
    const struct stay_manifest_entry *out = scan->out;

    if (!scan->has_path || !scan->has_type)
        return false;
    if (out->entry.path_len == 0 && out->entry.type != BACKSTAY_DIR)
        return false;
    if (out->entry.type == BACKSTAY_FILE)
        return scan->has_bytes && extents_sound(&out->entry);
    if (out->entry.type == BACKSTAY_SYMLINK && out->entry.target == NULL)
        return false;
    return out->chunks.n == 0 && !out->entry.sparse;
}

int stay_manifest_decode(struct stay_manifest_entry *out, const char *text, size_t len,
                         struct stay_err *err)
{
    struct scan scan = {.at = text, .end = text + len, .out = out};

    out->entry = (struct backstay_entry){.size = sizeof out->entry};
    out->chunks.n = out->xattrs.n = out->extents.n = out->pairs.n = 0;
    stay_buf_clear(&out->strings);
    (void)stay_buf_reserve(&out->strings, 2 * len + 16);
    bool sound = read_line(&scan) && read_parts(&scan);
    out->entry.xattrs = out->xattrs.items;
    out->entry.n_xattrs = (uint32_t)out->xattrs.n;
    out->entry.extents = out->extents.items;
    out->entry.n_extents = out->extents.n;
    out->entry.pairs = out->pairs.items;
    out->entry.n_pairs = (uint32_t)out->pairs.n;
    if (sound && entry_sound(&scan))
        return 0;
    return stay_fail(err, STAY_ERR_CORRUPT, "a manifest line is malformed: %.*s",
                     (int)STAY_MIN(len, (size_t)120), text);
}
