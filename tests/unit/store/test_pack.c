/* tests/unit/store/test_pack.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * pack: frames in one tar, named by its hash, and read back to the last byte.
 */
#include "store/pack.h"

#include "store/repository.h"
#include "unit/store/packs.h"

struct fixture {
    struct stay_compressor *compressor;
    struct stay_pack pack;
    struct stay_pack back;
    struct stay_err err;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_random random = {1};

    fixture->compressor = stay_compressor_new(STAY_COMPRESS_LEVEL);
    make_pack(&fixture->pack, &random, 4, 6);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_compressor_free(fixture->compressor);
    stay_pack_free(&fixture->pack);
    stay_pack_free(&fixture->back);
    free(fixture);
    return 0;
}

static int read_back(struct fixture *fixture)
{
    stay_pack_free(&fixture->back);
    fixture->back = (struct stay_pack){0};
    return stay_pack_read(&fixture->back, &fixture->pack.id, fixture->pack.tar.data,
                          fixture->pack.tar.len, fixture->compressor, &fixture->err);
}

static void a_pack_read_back_has_the_same_frames_and_chunks(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(read_back(fixture), fixture->err);
    assert_int_equal(fixture->back.bytes, fixture->pack.bytes);
    assert_true(stay_id_equal(&fixture->back.id, &fixture->pack.id));
    assert_int_equal(fixture->back.frames.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct stay_frame_info *a = &fixture->pack.frames.items[i];
        const struct stay_frame_info *b = &fixture->back.frames.items[i];
        assert_int_equal(a->offset, b->offset);
        assert_int_equal(a->stored, b->stored);
        assert_int_equal(a->raw, b->raw);
        assert_int_equal(a->codec, b->codec);
        assert_int_equal(a->chunks.n, b->chunks.n);
        assert_memory_equal(a->chunks.items, b->chunks.items,
                            a->chunks.n * sizeof *a->chunks.items);
    }
}

static void the_places_alone_can_be_read_without_decoding(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(stay_pack_parse(&fixture->back, fixture->pack.tar.data, fixture->pack.tar.len,
                              &fixture->err),
              fixture->err);
    assert_int_equal(fixture->back.frames.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fixture->back.frames.items[i].offset,
                         fixture->pack.frames.items[i].offset);
        assert_int_equal(fixture->back.frames.items[i].raw, 0);
        assert_int_equal(fixture->back.frames.items[i].chunks.n, 0);
    }
}

static void every_flipped_byte_of_a_pack_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->pack.tar.len; i += 7) {
        fixture->pack.tar.data[i] ^= 1;
        assert_int_equal(read_back(fixture), -1);
        assert_error(fixture->err, STAY_ERR_CORRUPT, "its content is not what it was");
        fixture->pack.tar.data[i] ^= 1;
    }
    assert_ok(read_back(fixture), fixture->err);
}

/* Names the changed pack by its content, as a forger would. */
static void name_again(struct fixture *fixture)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();

    stay_digest_of(digest, fixture->pack.tar.data, fixture->pack.tar.len, &fixture->pack.id);
}

static void a_forged_frame_is_noticed_whatever_the_pack_is_called(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_frame_info *frame = &fixture->pack.frames.items[2];

    fixture->pack.tar.data[frame->offset + frame->stored / 2] ^= 1;
    name_again(fixture);
    assert_int_equal(read_back(fixture), -1);
    assert_int_equal(fixture->err.kind, STAY_ERR_CORRUPT);
    assert_true(stay_str_starts(fixture->err.text, "frame 2: "));
}

static void a_chunk_that_is_not_what_its_name_says_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_frame frame = {0};
    struct stay_pack forged = {0};
    const struct stay_id id = {{1}};

    stay_frame_add(&frame, &id, "something else", 14);
    stay_frame_close(&frame);
    frame.info.stored = frame.info.raw;
    stay_pack_add(&forged, &frame.info, frame.tar.data);
    stay_pack_close(&forged, digest);
    stay_frame_free(&frame);
    stay_pack_free(&fixture->pack);
    fixture->pack = forged;
    assert_int_equal(read_back(fixture), -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT, "frame 0: a chunk is not what its name says");
}

static void members_must_be_numbered_frames_of_known_codecs(void **state)
{
    struct fixture *fixture = *state;
    unsigned char *second = (unsigned char *)fixture->pack.tar.data +
                            fixture->pack.frames.items[1].offset - STAY_USTAR_BLOCK;
    static const char *const names[] = {"000002.tar.zst", "000001.tar.gz", "1.tar", "x"};

    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        stay_auto_str char *expected = stay_strf("unexpected member %s", names[i]);
        stay_ustar_header(second, names[i], fixture->pack.frames.items[1].stored);
        name_again(fixture);
        assert_int_equal(read_back(fixture), -1);
        assert_error(fixture->err, STAY_ERR_CORRUPT, expected);
    }
}

static void a_name_comes_back_from_its_id_and_no_other_does(void **state)
{
    struct stay_id id;
    struct stay_id back;
    char name[STAY_PACK_NAME_MAX];
    static const char *const wrong[] = {
        "packs/00/1.tar",
        "packs/ab/00000000000000000000000000000000000000000000000000000000000000aa.tar",
        "packs/00/00000000000000000000000000000000000000000000000000000000000000AA.tar",
        "packs/00/00000000000000000000000000000000000000000000000000000000000000aa.zip",
        "index/00/00000000000000000000000000000000000000000000000000000000000000aa.tar",
        "",
    };

    (void)state;
    memset(&id, 0, sizeof id);
    id.bytes[0] = 0xab;
    assert_string_equal(
        stay_pack_name(name, &id),
        "packs/ab/ab00000000000000000000000000000000000000000000000000000000000000.tar");
    assert_int_equal(stay_pack_parse_name(&back, name), 0);
    assert_true(stay_id_equal(&id, &back));
    for (size_t i = 0; i < STAY_COUNT(wrong); i++)
        assert_int_equal(stay_pack_parse_name(&back, wrong[i]), -1);
}

int main(void)
{
#define WITH_PACK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PACK(a_pack_read_back_has_the_same_frames_and_chunks),
        WITH_PACK(the_places_alone_can_be_read_without_decoding),
        WITH_PACK(every_flipped_byte_of_a_pack_is_noticed),
        WITH_PACK(a_forged_frame_is_noticed_whatever_the_pack_is_called),
        WITH_PACK(a_chunk_that_is_not_what_its_name_says_is_noticed),
        WITH_PACK(members_must_be_numbered_frames_of_known_codecs),
        cmocka_unit_test(a_name_comes_back_from_its_id_and_no_other_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
