/* tests/unit/engine/test_fetch.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * fetch: frames come decoded, once, and damage is named with its place.
 */
#include "engine/fetch.h"

#include "unit/store/packs.h"
#include "unit/store/stores.h"

struct fixture {
    struct made_store *store;
    struct stay_pack pack;
    char name[STAY_PACK_NAME_MAX];
    struct stay_fetch *fetch;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_random random = {1};

    fixture->store = new_store();
    make_pack(&fixture->pack, &random, 4, 5);
    stay_memory_dest_write(fixture->store->memory, stay_pack_name(fixture->name, &fixture->pack.id),
                           fixture->pack.tar.data, fixture->pack.tar.len);
    fixture->fetch = stay_fetch_new(fixture->store->dest);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_fetch_free(fixture->fetch);
    stay_pack_free(&fixture->pack);
    free_store(fixture->store);
    free(fixture);
    return 0;
}

static size_t gets(const struct fixture *fixture)
{
    return stay_dest_log_count(stay_failing_dest_log(fixture->store->failing), STAY_DEST_OP_GET,
                               "packs/");
}

static int verify_all(struct fixture *fixture, const struct stay_frame_info *info, const char *tar)
{
    for (size_t i = 0; i < info->chunks.n; i++) {
        const struct stay_frame_chunk *chunk = &info->chunks.items[i];
        if (stay_fetch_verify(fixture->fetch, tar, chunk->offset, chunk->bytes, &chunk->id,
                              &fixture->store->err) < 0)
            return -1;
    }
    return 0;
}

static void a_frame_is_read_and_decoded_once_for_all_of_its_chunks(void **state)
{
    struct fixture *fixture = *state;
    const char *tar;

    for (size_t i = 0; i < 4; i++) {
        const struct stay_frame_info *info = &fixture->pack.frames.items[i];
        for (int again = 0; again < 3; again++) {
            assert_ok(stay_fetch_frame(fixture->fetch, &fixture->pack.id, info, &tar,
                                       &fixture->store->err),
                      fixture->store->err);
            assert_ok(verify_all(fixture, info, tar), fixture->store->err);
        }
        assert_int_equal(gets(fixture), i + 1);
    }
    stay_fetch_free(NULL);
}

static void frames_beside_each_other_are_read_at_once(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_frame_info *first = &fixture->pack.frames.items[1];
    const struct stay_frame_info *last = &fixture->pack.frames.items[3];
    size_t len = (size_t)(last->offset + last->stored - first->offset);
    const char *tar;

    assert_ok(stay_fetch_range(fixture->fetch, &fixture->pack.id, first->offset, len,
                               &fixture->store->err),
              fixture->store->err);
    for (size_t i = 1; i < 4; i++) {
        const struct stay_frame_info *info = &fixture->pack.frames.items[i];
        assert_ok(stay_fetch_decode(fixture->fetch, info, &tar, &fixture->store->err),
                  fixture->store->err);
        assert_ok(verify_all(fixture, info, tar), fixture->store->err);
    }
    assert_int_equal(gets(fixture), 1);
    assert_int_equal(stay_fetch_decode(fixture->fetch, &fixture->pack.frames.items[0], &tar,
                                       &fixture->store->err),
                     -1);
    assert_error(fixture->store->err, STAY_ERR_CORRUPT, "a frame lies outside of what was read");
}

static void a_damaged_frame_is_named_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_frame_info *info = &fixture->pack.frames.items[1];
    stay_auto_str char *expected = stay_strf("frame at byte %llu of %s is damaged: decompress: ",
                                             (unsigned long long)info->offset, fixture->name);
    const char *tar;

    fixture->pack.tar.data[info->offset + info->stored / 2] ^= 0x40;
    stay_memory_dest_write(fixture->store->memory, fixture->name, fixture->pack.tar.data,
                           fixture->pack.tar.len);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(
            stay_fetch_frame(fixture->fetch, &fixture->pack.id, info, &tar, &fixture->store->err),
            -1);
        assert_int_equal(fixture->store->err.kind, STAY_ERR_CORRUPT);
        assert_true(stay_str_starts(fixture->store->err.text, expected));
    }
    assert_ok(stay_fetch_frame(fixture->fetch, &fixture->pack.id, &fixture->pack.frames.items[2],
                               &tar, &fixture->store->err),
              fixture->store->err);
    assert_ok(verify_all(fixture, &fixture->pack.frames.items[2], tar), fixture->store->err);
}

static void a_chunk_that_is_not_what_its_name_says_is_damaged(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_frame_info *info = &fixture->pack.frames.items[0];
    const struct stay_id other = {{0xab}};
    stay_auto_str char *expected =
        stay_strf("chunk ab00000000000000 in %s is damaged", fixture->name);
    const char *tar;

    assert_ok(stay_fetch_frame(fixture->fetch, &fixture->pack.id, info, &tar, &fixture->store->err),
              fixture->store->err);
    assert_int_equal(stay_fetch_verify(fixture->fetch, tar, info->chunks.items[0].offset,
                                       info->chunks.items[0].bytes, &other, &fixture->store->err),
                     -1);
    assert_error(fixture->store->err, STAY_ERR_CORRUPT, expected);
}

static void a_pack_that_is_missing_or_too_short_is_damage(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_frame_info *info = &fixture->pack.frames.items[3];
    stay_auto_str char *missing = stay_strf("pack %s is missing", fixture->name);
    const char *tar;

    stay_memory_dest_write(fixture->store->memory, fixture->name, fixture->pack.tar.data,
                           (size_t)info->offset + 1);
    assert_int_equal(
        stay_fetch_frame(fixture->fetch, &fixture->pack.id, info, &tar, &fixture->store->err), -1);
    assert_int_equal(fixture->store->err.kind, STAY_ERR_CORRUPT);
    assert_int_equal(stay_memory_dest_remove(fixture->store->memory, fixture->name), 0);
    assert_int_equal(
        stay_fetch_frame(fixture->fetch, &fixture->pack.id, info, &tar, &fixture->store->err), -1);
    assert_error(fixture->store->err, STAY_ERR_CORRUPT, missing);
}

int main(void)
{
#define WITH_PACK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PACK(a_frame_is_read_and_decoded_once_for_all_of_its_chunks),
        WITH_PACK(frames_beside_each_other_are_read_at_once),
        WITH_PACK(a_damaged_frame_is_named_with_its_place),
        WITH_PACK(a_chunk_that_is_not_what_its_name_says_is_damaged),
        WITH_PACK(a_pack_that_is_missing_or_too_short_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
