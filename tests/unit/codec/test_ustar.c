/* tests/unit/codec/test_ustar.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * ustar: archives that tar reads, and in which every flipped bit outside of contents is noticed.
 */
#include "codec/ustar.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

static void add_member(struct stay_buf *archive, const char *name, const char *content)
{
    size_t len = strlen(content);
    size_t padded = (size_t)stay_ustar_padded(len);
    unsigned char *to = stay_buf_reserve(archive, STAY_USTAR_BLOCK + padded);

    stay_ustar_header(to, name, len);
    memset(to + STAY_USTAR_BLOCK, 0, padded);
    memcpy(to + STAY_USTAR_BLOCK, content, len);
    archive->len += STAY_USTAR_BLOCK + padded;
}

static void add_end(struct stay_buf *archive)
{
    memset(stay_buf_reserve(archive, 2 * STAY_USTAR_BLOCK), 0, 2 * STAY_USTAR_BLOCK);
    archive->len += 2 * STAY_USTAR_BLOCK;
}

static void make_archive(struct stay_buf *archive)
{
    add_member(archive, "first", "hello");
    add_member(archive, "empty", "");
    add_member(archive, "third", "world");
    add_end(archive);
}

static void members_come_back_in_their_order(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};
    struct stay_ustar_member member;
    struct stay_err err = {0};
    uint64_t at = 0;

    (void)state;
    make_archive(&archive);
    assert_ok(stay_ustar_next(archive.data, archive.len, &at, &member, &err), err);
    assert_string_equal(member.name, "first");
    assert_int_equal(member.offset, 512);
    assert_int_equal(member.len, 5);
    assert_ok(stay_ustar_next(archive.data, archive.len, &at, &member, &err), err);
    assert_string_equal(member.name, "empty");
    assert_int_equal(member.len, 0);
    assert_ok(stay_ustar_next(archive.data, archive.len, &at, &member, &err), err);
    assert_memory_equal(archive.data + member.offset, "world", 5);
    assert_int_equal(stay_ustar_next(archive.data, archive.len, &at, &member, &err),
                     STAY_USTAR_END);
}

static void names_may_fill_all_of_their_room(void **state)
{
    unsigned char block[STAY_USTAR_BLOCK];
    char name[STAY_USTAR_NAME_MAX + 1];
    struct stay_ustar_member member;
    struct stay_err err = {0};

    (void)state;
    memset(name, 'n', STAY_USTAR_NAME_MAX);
    name[STAY_USTAR_NAME_MAX] = '\0';
    stay_ustar_header(block, name, 077777777777);
    assert_ok(stay_ustar_read_header(block, &member, &err), err);
    assert_string_equal(member.name, name);
    assert_true(member.len == 077777777777);
}

static void padding_goes_to_the_next_block(void **state)
{
    (void)state;
    assert_int_equal(stay_ustar_padded(0), 0);
    assert_int_equal(stay_ustar_padded(1), 512);
    assert_int_equal(stay_ustar_padded(512), 512);
    assert_int_equal(stay_ustar_padded(513), 1024);
}

static int walk(const struct stay_buf *archive, struct stay_err *err)
{
    struct stay_ustar_member member;
    uint64_t at = 0;
    int rc;

    while ((rc = stay_ustar_next(archive->data, archive->len, &at, &member, err)) == 0)
        if (strcmp(member.name, "first") != 0 && strcmp(member.name, "empty") != 0 &&
            strcmp(member.name, "third") != 0)
            return stay_fail(err, STAY_ERR_CORRUPT, "another name");
    return rc;
}

/* The contents lie at 512..516 and 2048..2052: they are their hash's to guard. */
static bool is_content(size_t byte)
{
    return (byte >= 512 && byte < 517) || (byte >= 2048 && byte < 2053);
}

static void every_flipped_bit_around_the_contents_is_noticed(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};

    (void)state;
    make_archive(&archive);
    for (size_t bit = 0; bit < 8 * archive.len; bit++) {
        struct stay_err err = {0};
        if (is_content(bit / 8))
            continue;
        archive.data[bit / 8] ^= (char)(1 << bit % 8);
        if (walk(&archive, &err) >= 0)
            fail_msg("bit %zu of byte %zu is not looked at", bit % 8, bit / 8);
        assert_int_equal(err.kind, STAY_ERR_CORRUPT);
        archive.data[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void an_archive_cut_anywhere_is_damaged(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};
    struct stay_err err = {0};

    (void)state;
    make_archive(&archive);
    size_t whole = archive.len;
    for (archive.len = 0; archive.len < whole; archive.len++)
        assert_int_equal(walk(&archive, &err), -1);
    archive.len = 100;
    assert_int_equal(walk(&archive, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar archive ends too early");
    archive.len = 600;
    assert_int_equal(walk(&archive, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar member is longer than its archive");
}

static void nothing_may_follow_the_end(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};
    struct stay_err err = {0};

    (void)state;
    make_archive(&archive);
    stay_buf_char(&archive, '\0');
    assert_int_equal(walk(&archive, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar archive does not end as it must");
}

static void a_size_that_is_no_number_or_too_large_is_refused(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};
    struct stay_ustar_member member;
    struct stay_err err = {0};
    uint64_t at = 0;

    (void)state;
    make_archive(&archive);
    archive.data[124] = '8';
    assert_int_equal(walk(&archive, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar header has no valid size");
    stay_ustar_header((unsigned char *)archive.data, "first", 077777777777);
    assert_int_equal(walk(&archive, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar member is longer than its archive");
    at = archive.len + 1;
    assert_int_equal(stay_ustar_next(archive.data, archive.len, &at, &member, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar archive ends too early");
}

static void a_header_that_is_not_ours_is_refused(void **state)
{
    unsigned char block[STAY_USTAR_BLOCK];
    struct stay_ustar_member member;
    struct stay_err err = {0};

    (void)state;
    stay_ustar_header(block, "name", 1);
    block[156] = '2'; /* a symbolic link */
    assert_int_equal(stay_ustar_read_header(block, &member, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "a tar header is not as it was written");
}

static void tar_reads_what_is_written(void **state)
{
    stay_auto_buf struct stay_buf archive = {0};
    stay_auto_str char *folder = NULL;
    struct stay_err err = {0};
    char out[64] = "";

    (void)state;
    make_archive(&archive);
    assert_ok(stay_fs_make_scratch(&folder, "/tmp/backstay-ustar-", &err), err);
    stay_auto_str char *path = stay_strf("%s/a.tar", folder);
    stay_auto_str char *command = stay_strf("tar -xOf %s first third 2>&1", path);
    assert_ok(stay_fs_write_atomic(path, archive.data, archive.len, 0600, &err), err);
    FILE *tar = popen(command, "r");
    assert_non_null(tar);
    size_t n = fread(out, 1, sizeof out - 1, tar);
    assert_int_equal(pclose(tar), 0);
    assert_int_equal(n, 10);
    assert_string_equal(out, "helloworld");
    assert_ok(stay_fs_remove_tree(folder, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_back_in_their_order),
        cmocka_unit_test(names_may_fill_all_of_their_room),
        cmocka_unit_test(padding_goes_to_the_next_block),
        cmocka_unit_test(every_flipped_bit_around_the_contents_is_noticed),
        cmocka_unit_test(an_archive_cut_anywhere_is_damaged),
        cmocka_unit_test(nothing_may_follow_the_end),
        cmocka_unit_test(a_size_that_is_no_number_or_too_large_is_refused),
        cmocka_unit_test(a_header_that_is_not_ours_is_refused),
        cmocka_unit_test(tar_reads_what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
