/* src/store/manifest.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/manifest.h"

#include <string.h>

static const char *const type_names[] = {
    [BACKSTAY_FILE] = "file",     [BACKSTAY_DIR] = "dir",         [BACKSTAY_SYMLINK] = "symlink",
    [BACKSTAY_FIFO] = "fifo",     [BACKSTAY_CHARDEV] = "chardev", [BACKSTAY_BLOCKDEV] = "blockdev",
    [BACKSTAY_SOCKET] = "socket",
};

const char *stay_manifest_type_name(uint32_t type)
{
    return type < STAY_COUNT(type_names) && type_names[type] ? type_names[type] : "unknown";
}

static void key_u64(struct stay_buf *out, const char *key, uint64_t value)
{
    stay_buf_str(out, key);
    stay_buf_u64(out, value);
}

static void key_text(struct stay_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    stay_buf_str(out, key);
    stay_json_add_string(out, text, strlen(text));
}

static void add_metadata(struct stay_buf *out, const struct backstay_entry *entry)
{
    char digits[8];

    (void)snprintf(digits, sizeof digits, "%04o", entry->mode & 07777);
    stay_buf_str(out, ",\"mode\":\"");
    stay_buf_str(out, digits);
    key_u64(out, "\",\"uid\":", entry->uid);
    key_u64(out, ",\"gid\":", entry->gid);
    key_text(out, ",\"user\":", entry->user);
    key_text(out, ",\"group\":", entry->group);
    stay_buf_str(out, ",\"mtime\":\"");
    stay_buf_i64(out, entry->mtime_s);
    (void)snprintf(stay_buf_reserve(out, 12), 12, ".%09u\"", entry->mtime_ns % 1000000000u);
    out->len += 11;
}

static void add_xattrs(struct stay_buf *out, const struct backstay_entry *entry)
{
    if (entry->n_xattrs == 0)
        return;
    stay_buf_str(out, ",\"xattrs\":{");
    for (uint32_t i = 0; i < entry->n_xattrs; i++) {
        const struct backstay_xattr *xattr = &entry->xattrs[i];
        if (i)
            stay_buf_char(out, ',');
        stay_json_add_string(out, xattr->name, strlen(xattr->name));
        stay_buf_str(out, ":\"");
        stay_buf_hex(out, xattr->value, xattr->value_len);
        stay_buf_char(out, '"');
    }
    stay_buf_char(out, '}');
}

static void add_extents(struct stay_buf *out, const struct backstay_entry *entry)
{
    if (!entry->sparse)
        return;
    stay_buf_str(out, ",\"extents\":[");
    for (size_t i = 0; i < entry->n_extents; i++)
        stay_buf_printf(out, "%s[%llu,%llu]", i ? "," : "",
                        (unsigned long long)entry->extents[i].offset,
                        (unsigned long long)entry->extents[i].length);
    stay_buf_char(out, ']');
}

static void add_pairs(struct stay_buf *out, const struct backstay_entry *entry)
{
    if (entry->n_pairs == 0)
        return;
    stay_buf_str(out, ",\"pairs\":{");
    for (uint32_t i = 0; i < entry->n_pairs; i++) {
        if (i)
            stay_buf_char(out, ',');
        stay_json_add_string(out, entry->pairs[i].key, strlen(entry->pairs[i].key));
        stay_buf_char(out, ':');
        stay_json_add_string(out, entry->pairs[i].value, strlen(entry->pairs[i].value));
    }
    stay_buf_char(out, '}');
}

static void add_ids(struct stay_buf *out, const struct stay_id *ids, size_t n)
{
    stay_buf_str(out, "\"chunks\":[");
    for (size_t i = 0; i < n; i++) {
        stay_buf_str(out, i ? ",\"" : "\"");
        stay_buf_hex(out, ids[i].bytes, sizeof ids[i]);
        stay_buf_char(out, '"');
    }
    stay_buf_str(out, "]}\n");
}

/* The end of a file's line, and the lines that go on with its chunks. */
static void add_content(struct stay_buf *out, const struct stay_id *ids, size_t n)
{
    size_t done = STAY_MIN(n, (size_t)STAY_MANIFEST_IDS);

    add_ids(out, ids, done);
    for (unsigned part = 1; done < n; part++) {
        size_t more = STAY_MIN(n - done, (size_t)STAY_MANIFEST_IDS);
        stay_buf_printf(out, "{\"part\":%u,", part);
        add_ids(out, ids + done, more);
        done += more;
    }
}

void stay_manifest_encode(struct stay_buf *out, const struct backstay_entry *entry,
                          const struct stay_id *ids, size_t n)
{
    stay_buf_str(out, "{\"path\":");
    stay_json_add_string(out, entry->path, entry->path_len);
    stay_buf_str(out, ",\"type\":\"");
    stay_buf_str(out, stay_manifest_type_name(entry->type));
    stay_buf_char(out, '"');
    if (entry->flags & BACKSTAY_ENTRY_HAS_MODE)
        add_metadata(out, entry);
    if (entry->flags & BACKSTAY_ENTRY_CHANGED)
        stay_buf_str(out, ",\"changed\":true");
    if (entry->link_group)
        key_u64(out, ",\"link\":", entry->link_group);
    if (entry->type == BACKSTAY_SYMLINK) {
        stay_buf_str(out, ",\"target\":");
        stay_json_add_string(out, entry->target, entry->target_len);
    }
    if (entry->type == BACKSTAY_CHARDEV || entry->type == BACKSTAY_BLOCKDEV)
        stay_buf_printf(out, ",\"rdev\":[%u,%u]", entry->rdev_major, entry->rdev_minor);
    add_xattrs(out, entry);
    add_pairs(out, entry);
    if (entry->type == BACKSTAY_FILE) {
        key_u64(out, ",\"bytes\":", entry->bytes);
        add_extents(out, entry);
        stay_buf_char(out, ',');
        add_content(out, ids, n);
    } else {
        stay_buf_str(out, "}\n");
    }
}

/* A quote inside of a JSON string is escaped, so a key with its quotes cannot be part of a name. */
static const char *behind(const char *text, const char *end, const char *key)
{
    const char *at = memmem(text, (size_t)(end - text), key, strlen(key));

    return at ? at + strlen(key) : NULL;
}

static int peek_ids(struct stay_manifest_peek *out, const char **at, const char *end)
{
    const char *c = *at;

    while (c < end && *c != ']') {
        if (*c == ',')
            c++;
        if (end - c < STAY_ID_HEX + 2 || *c != '"')
            return -1;
        if (out->n == out->cap) {
            out->cap = out->cap ? 2 * out->cap : 64;
            out->ids = stay_realloc(out->ids, out->cap, sizeof *out->ids);
        }
        if (stay_id_parse(&out->ids[out->n++], c + 1) < 0)
            return -1;
        c += STAY_ID_HEX + 2;
    }
    *at = c;
    return 0;
}

/* A plugin's pair may have this key too; its value is a string, though. */
static const char *behind_bytes(const char *text, const char *end)
{
    const char *at = text;

    while ((at = behind(at, end, ",\"bytes\":")) != NULL)
        if (at < end && *at >= '0' && *at <= '9')
            break;
    return at;
}

void stay_manifest_splice(struct stay_buf *out, const char *text, size_t len, const char *from,
                          size_t from_len)
{
    const char *head = behind_bytes(text, text + len);
    const char *tail = behind_bytes(from, from + from_len);

    if (head == NULL || tail == NULL)
        abort(); /* both are lines of files, made by stay_manifest_encode() */
    stay_buf_add(out, text, (size_t)(head - text));
    stay_buf_add(out, tail, from_len - (size_t)(tail - from));
}

int stay_manifest_peek(struct stay_manifest_peek *out, const char *text, size_t len)
{
    const char *end = text + len;
    const char *at = behind_bytes(text, end);

    out->n = 0;
    out->bytes = 0;
    out->is_file = at != NULL;
    if (at == NULL)
        return 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        out->bytes = out->bytes * 10 + (uint64_t)(*at - '0');
    while ((at = behind(at, end, "\"chunks\":[")) != NULL)
        if (peek_ids(out, &at, end) < 0)
            return -1;
    return 0;
}

void stay_manifest_entry_free(struct stay_manifest_entry *entry)
{
    stay_vec_free(&entry->chunks);
    stay_vec_free(&entry->xattrs);
    stay_vec_free(&entry->extents);
    stay_vec_free(&entry->pairs);
    stay_buf_free(&entry->strings);
}

size_t stay_manifest_first(const char *text, size_t len)
{
    static const char part[] = "{\"part\":";
    size_t at = 0;

    while (at < len) {
        const char *end = memchr(text + at, '\n', len - at);
        at = end ? (size_t)(end - text) + 1 : len;
        if (len - at < sizeof part - 1 || memcmp(text + at, part, sizeof part - 1) != 0)
            break;
    }
    return at;
}

uint64_t stay_manifest_content_bytes(const struct backstay_entry *entry)
{
    uint64_t total = 0;

    if (!entry->sparse)
        return entry->bytes;
    for (size_t i = 0; i < entry->n_extents; i++)
        total += entry->extents[i].length;
    return total;
}
