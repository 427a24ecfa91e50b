/* tests/unit/store/test_manifest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * manifest: whatever an entry holds, its lines bring it back.
 */
#include "store/manifest.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <jansson.h>

enum { PIECES = 12 };

/* One random entry and the memory behind it. */
struct made {
    struct backstay_entry entry;
    char path[200];
    char target[100];
    char user[20];
    char names[PIECES][30];
    char values[PIECES][60];
    struct backstay_xattr xattrs[PIECES];
    struct backstay_pair pairs[PIECES];
    struct backstay_extent extents[PIECES];
    struct stay_id *ids;
    size_t n_ids;
};

/* 1 .. @most bytes other than NUL and '/'; half of the time anything, half of the time a name. */
static size_t random_name(struct stay_random *random, char *out, size_t most)
{
    static const char *const words[] = {"photo", ".jpg", "Größe", "\"", "\\", "\n", "日本", " "};
    bool bytes = stay_random_below(random, 2) == 0;
    size_t len = 0;

    while (len == 0 || (len < most && stay_random_below(random, 6))) {
        const char *word = words[stay_random_below(random, STAY_COUNT(words))];
        if (bytes)
            out[len++] = (char)(1 + stay_random_below(random, 255));
        else if (len + strlen(word) > most)
            break;
        else
            len += strlen(memcpy(out + len, word, strlen(word) + 1));
        if (bytes && out[len - 1] == '/')
            out[len - 1] = 'x';
        if (len >= most)
            break;
    }
    out[len] = '\0';
    if (strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
        out[0] = 'x';
    return len;
}

static void make_path(struct stay_random *random, struct made *made)
{
    size_t len = 0;

    for (size_t i = 0; i < 1 + stay_random_below(random, 4); i++) {
        if (i)
            made->path[len++] = '/';
        len += random_name(random, made->path + len, 40);
    }
    made->entry.path = made->path;
    made->entry.path_len = len;
}

static void make_metadata(struct stay_random *random, struct made *made)
{
    static const int64_t seconds[] = {0, -1, 1795314600, INT64_MAX, INT64_MIN, -62135596800};
    struct backstay_entry *entry = &made->entry;

    entry->flags = BACKSTAY_ENTRY_HAS_MODE;
    entry->mode = (uint32_t)stay_random_below(random, 010000);
    entry->uid = (uint32_t)stay_random_next(random);
    entry->gid = (uint32_t)stay_random_next(random);
    entry->mtime_s = seconds[stay_random_below(random, STAY_COUNT(seconds))];
    entry->mtime_ns = (uint32_t)stay_random_below(random, 1000000000);
    if (stay_random_below(random, 2)) {
        (void)random_name(random, made->user, 15);
        entry->user = made->user;
        entry->group = made->user;
    }
}

static void make_lists(struct stay_random *random, struct made *made)
{
    struct backstay_entry *entry = &made->entry;

    entry->n_xattrs = (uint32_t)stay_random_below(random, PIECES / 2);
    entry->n_pairs = (uint32_t)stay_random_below(random, PIECES / 2);
    for (size_t i = 0; i < PIECES; i++) {
        size_t len = stay_random_below(random, 60);
        (void)random_name(random, made->names[i], 25);
        stay_random_fill(random, made->values[i], len);
        made->xattrs[i] = (struct backstay_xattr){made->names[i], made->values[i], len};
    }
    for (size_t i = PIECES / 2; i < PIECES; i++) {
        (void)random_name(random, made->values[i], 55);
        made->pairs[i - PIECES / 2] = (struct backstay_pair){made->names[i], made->values[i]};
    }
    entry->xattrs = made->xattrs;
    entry->pairs = made->pairs;
}

static void make_content(struct stay_random *random, struct made *made)
{
    struct backstay_entry *entry = &made->entry;
    static const size_t counts[] = {0, 1, 2, 999, 1000, 1001, 2000, 2500};
    uint64_t at = 0;

    entry->bytes = stay_random_next(random) >> 8;
    made->n_ids = counts[stay_random_below(random, STAY_COUNT(counts))];
    made->ids = stay_calloc(made->n_ids, sizeof *made->ids);
    stay_random_fill(random, made->ids, made->n_ids * sizeof *made->ids);
    if (stay_random_below(random, 3))
        return;
    entry->sparse = 1;
    entry->n_extents = stay_random_below(random, PIECES);
    for (size_t i = 0; i < entry->n_extents; i++) {
        at += stay_random_below(random, 1 << 20);
        made->extents[i] = (struct backstay_extent){at, stay_random_below(random, 1 << 20)};
        at += made->extents[i].length;
    }
    entry->bytes = at + stay_random_below(random, 1 << 20);
    entry->extents = made->extents;
}

static void make_entry(struct stay_random *random, struct made *made)
{
    struct backstay_entry *entry = &made->entry;

    *made = (struct made){.entry.size = sizeof *entry};
    entry->type = BACKSTAY_FILE + (uint32_t)stay_random_below(random, BACKSTAY_SOCKET);
    make_path(random, made);
    if (stay_random_below(random, 10))
        make_metadata(random, made);
    if (stay_random_below(random, 10) == 0)
        entry->flags |= BACKSTAY_ENTRY_CHANGED;
    if (stay_random_below(random, 3) == 0)
        entry->link_group = stay_random_next(random);
    make_lists(random, made);
    if (entry->type == BACKSTAY_FILE)
        make_content(random, made);
    if (entry->type == BACKSTAY_SYMLINK) {
        entry->target_len = random_name(random, made->target, 90);
        entry->target = made->target;
    }
    if (entry->type == BACKSTAY_CHARDEV || entry->type == BACKSTAY_BLOCKDEV) {
        entry->rdev_major = (uint32_t)stay_random_next(random);
        entry->rdev_minor = (uint32_t)stay_random_next(random);
    }
}

static void assert_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void assert_same_lists(const struct backstay_entry *a, const struct backstay_entry *b)
{
    assert_int_equal(a->n_xattrs, b->n_xattrs);
    for (uint32_t i = 0; i < a->n_xattrs; i++) {
        assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
        assert_int_equal(a->xattrs[i].value_len, b->xattrs[i].value_len);
        assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].value_len);
    }
    assert_int_equal(a->n_pairs, b->n_pairs);
    for (uint32_t i = 0; i < a->n_pairs; i++) {
        assert_string_equal(a->pairs[i].key, b->pairs[i].key);
        assert_string_equal(a->pairs[i].value, b->pairs[i].value);
    }
    assert_int_equal(a->sparse, b->sparse);
    assert_int_equal(a->n_extents, b->n_extents);
    for (size_t i = 0; i < a->n_extents; i++)
        assert_memory_equal(&a->extents[i], &b->extents[i], sizeof a->extents[i]);
}

static void assert_same(const struct made *made, const struct stay_manifest_entry *back)
{
    const struct backstay_entry *a = &made->entry;
    const struct backstay_entry *b = &back->entry;

    assert_int_equal(a->type, b->type);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->path_len, b->path_len);
    assert_memory_equal(a->path, b->path, a->path_len + 1);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->gid, b->gid);
    assert_text(a->user, b->user);
    assert_text(a->group, b->group);
    assert_true(a->mtime_s == b->mtime_s);
    assert_int_equal(a->mtime_ns, b->mtime_ns);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->link_group, b->link_group);
    assert_text(a->target, b->target);
    assert_int_equal(a->target_len, b->target_len);
    assert_int_equal(a->rdev_major, b->rdev_major);
    assert_int_equal(a->rdev_minor, b->rdev_minor);
    assert_same_lists(a, b);
    assert_int_equal(made->n_ids, back->chunks.n);
    if (made->n_ids)
        assert_memory_equal(made->ids, back->chunks.items, made->n_ids * sizeof *made->ids);
}

static void random_entries_come_back_whole(void **state)
{
    stay_auto_manifest_entry struct stay_manifest_entry back = {0};
    struct stay_random random = {1};
    struct made made;
    struct stay_err err = {0};

    (void)state;
    for (int i = 0; i < 5000; i++) {
        stay_auto_buf struct stay_buf line = {0};
        make_entry(&random, &made);
        stay_manifest_encode(&line, &made.entry, made.ids, made.n_ids);
        assert_int_equal(stay_manifest_first(line.data, line.len), line.len);
        assert_ok(stay_manifest_decode(&back, line.data, line.len, &err), err);
        assert_same(&made, &back);
        free(made.ids);
    }
}

static void every_line_is_json_of_its_own(void **state)
{
    struct stay_random random = {2};
    struct made made;

    (void)state;
    for (int i = 0; i < 300; i++) {
        stay_auto_buf struct stay_buf text = {0};
        size_t lines = 0;
        make_entry(&random, &made);
        /* jansson takes no lone surrogates, which stand for bytes that are not UTF-8 */
        stay_manifest_encode(&text, &made.entry, made.ids, made.n_ids);
        for (size_t at = 0; at < text.len; lines++) {
            const char *end = memchr(text.data + at, '\n', text.len - at);
            assert_non_null(end);
            size_t len = (size_t)(end - text.data) - at;
            if (memmem(text.data + at, len, "\\udc", 4) == NULL) {
                json_t *object = json_loadb(text.data + at, len, JSON_REJECT_DUPLICATES, NULL);
                assert_non_null(object);
                json_decref(object);
            }
            at += len + 1;
        }
        assert_int_equal(lines, made.n_ids > 1000 ? (made.n_ids + 999) / 1000 : 1);
        free(made.ids);
    }
}

static void entries_are_told_apart_in_a_text_of_many(void **state)
{
    stay_auto_manifest_entry struct stay_manifest_entry back = {0};
    stay_auto_buf struct stay_buf text = {0};
    struct stay_random random = {3};
    struct stay_err err = {0};
    struct made made[50];
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(made); i++) {
        make_entry(&random, &made[i]);
        stay_manifest_encode(&text, &made[i].entry, made[i].ids, made[i].n_ids);
    }
    for (size_t i = 0; i < STAY_COUNT(made); i++) {
        size_t n = stay_manifest_first(text.data + at, text.len - at);
        assert_ok(stay_manifest_decode(&back, text.data + at, n, &err), err);
        made[i].entry.path = made[i].path;
        assert_int_equal(back.chunks.n, made[i].n_ids);
        assert_string_equal(back.entry.path, made[i].path);
        at += n;
        free(made[i].ids);
    }
    assert_int_equal(at, text.len);
    assert_int_equal(stay_manifest_first(text.data + at, 0), 0);
}

static void a_peek_sees_what_decoding_sees(void **state)
{
    struct stay_manifest_peek peek = {0};
    struct stay_random random = {4};
    struct made made;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        stay_auto_buf struct stay_buf line = {0};
        make_entry(&random, &made);
        stay_manifest_encode(&line, &made.entry, made.ids, made.n_ids);
        assert_int_equal(stay_manifest_peek(&peek, line.data, line.len), 0);
        assert_int_equal(peek.is_file, made.entry.type == BACKSTAY_FILE);
        assert_int_equal(peek.bytes, made.entry.bytes);
        assert_int_equal(peek.n, made.n_ids);
        if (peek.n)
            assert_memory_equal(peek.ids, made.ids, peek.n * sizeof *peek.ids);
        free(made.ids);
    }
    free(peek.ids);
}

static void a_peek_is_not_misled_by_names_and_pairs(void **state)
{
    const struct backstay_pair pairs[] = {{"table", "x"}, {"bytes", "9"}, {"chunks", "[\"1\"]"}};
    const struct backstay_entry entry = {.size = sizeof entry,
                                         .type = BACKSTAY_DIR,
                                         .path = ",\"bytes\":5,\"chunks\":[",
                                         .path_len = 21,
                                         .pairs = pairs,
                                         .n_pairs = 3};
    struct stay_manifest_peek peek = {0};
    stay_auto_buf struct stay_buf line = {0};

    (void)state;
    assert_int_equal(strlen(entry.path), entry.path_len);
    stay_manifest_encode(&line, &entry, NULL, 0);
    assert_int_equal(stay_manifest_peek(&peek, line.data, line.len), 0);
    assert_false(peek.is_file);
    assert_int_equal(peek.n, 0);
    free(peek.ids);
}

static void a_line_takes_over_size_holes_and_chunks_of_another(void **state)
{
    static const size_t counts[] = {0, 1, 1000, 2345};
    const struct backstay_extent extent = {4096, 3};
    struct stay_random random = {5};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(counts); i++) {
        const struct backstay_entry link = {.size = sizeof link,
                                            .type = BACKSTAY_FILE,
                                            .path = ",\"bytes\":1",
                                            .path_len = 10,
                                            .bytes = 7,
                                            .link_group = 3};
        struct backstay_entry first = link;
        stay_auto_free struct stay_id *ids = stay_calloc(counts[i], sizeof *ids);
        stay_auto_buf struct stay_buf without = {0};
        stay_auto_buf struct stay_buf from = {0};
        stay_auto_buf struct stay_buf with = {0};
        stay_auto_buf struct stay_buf spliced = {0};
        stay_random_fill(&random, ids, counts[i] * sizeof *ids);
        first.bytes = 9000;
        first.sparse = 1;
        first.extents = &extent;
        first.n_extents = 1;
        stay_manifest_encode(&with, &first, ids, counts[i]);
        first.path = "z";
        first.path_len = 1;
        stay_manifest_encode(&from, &first, ids, counts[i]);
        stay_manifest_encode(&without, &link, NULL, 0);
        stay_manifest_splice(&spliced, without.data, without.len, from.data, from.len);
        assert_string_equal(spliced.data, with.data);
    }
}

static void a_line_is_as_the_format_says(void **state)
{
    const struct backstay_xattr xattr = {"user.tag", "\xff\x01", 2};
    const struct backstay_extent extent = {4096, 10};
    const struct backstay_entry file = {
        .size = sizeof file,
        .type = BACKSTAY_FILE,
        .flags = BACKSTAY_ENTRY_HAS_MODE | BACKSTAY_ENTRY_CHANGED,
        .mode = 0644,
        .path = "a/\xff\"",
        .path_len = 4,
        .bytes = 8192,
        .link_group = 12,
        .mtime_s = -2,
        .mtime_ns = 5,
        .uid = 1000,
        .user = "shop",
        .n_xattrs = 1,
        .xattrs = &xattr,
        .sparse = 1,
        .extents = &extent,
        .n_extents = 1,
    };
    const struct stay_id id = {{0xab}};
    stay_auto_buf struct stay_buf line = {0};

    (void)state;
    stay_manifest_encode(&line, &file, &id, 1);
    assert_string_equal(
        line.data,
        "{\"path\":\"a/\\udcff\\\"\",\"type\":\"file\",\"mode\":\"0644\",\"uid\":1000,\"gid\":0,"
        "\"user\":\"shop\",\"mtime\":\"-2.000000005\",\"changed\":true,\"link\":12,"
        "\"xattrs\":{\"user.tag\":\"ff01\"},\"bytes\":8192,\"extents\":[[4096,10]],"
        "\"chunks\":[\"ab00000000000000000000000000000000000000000000000000000000000000\"]}\n");
    assert_int_equal(stay_manifest_content_bytes(&file), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_entries_come_back_whole),
        cmocka_unit_test(every_line_is_json_of_its_own),
        cmocka_unit_test(entries_are_told_apart_in_a_text_of_many),
        cmocka_unit_test(a_peek_sees_what_decoding_sees),
        cmocka_unit_test(a_peek_is_not_misled_by_names_and_pairs),
        cmocka_unit_test(a_line_takes_over_size_holes_and_chunks_of_another),
        cmocka_unit_test(a_line_is_as_the_format_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
