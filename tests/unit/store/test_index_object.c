/* tests/unit/store/test_index_object.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * index objects: what is encoded is decoded, and a forged one adds nothing.
 */
#include "store/index.h"

#include "unit/store/packs.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void packs_come_back_from_an_object(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto(stay_index_free) struct stay_index *reference = stay_index_new();
    stay_auto_buf struct stay_buf object = {0};
    struct stay_random random = {1};
    struct stay_pack packs[3] = {0};
    const struct stay_pack *list[3];
    struct stay_err err = {0};
    size_t n;
    size_t expected;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        make_pack(&packs[i], &random, 1 + i, 10);
        list[i] = &packs[i];
        stay_index_add(reference, &packs[i]);
    }
    assert_ok(stay_index_encode(&object, list, 3, &err), err);
    assert_ok(stay_index_decode(index, object.data, object.len, &err), err);
    stay_index_sort(index);
    stay_index_sort(reference);
    const struct stay_index_pack *a_packs = stay_index_packs(index, &n);
    const struct stay_index_pack *b_packs = stay_index_packs(reference, &expected);
    assert_int_equal(n, expected);
    assert_memory_equal(a_packs, b_packs, n * sizeof *a_packs);
    const struct stay_index_frame *a_frames = stay_index_frames(index, &n);
    const struct stay_index_frame *b_frames = stay_index_frames(reference, &expected);
    assert_int_equal(n, expected);
    assert_memory_equal(a_frames, b_frames, n * sizeof *a_frames);
    const struct stay_index_chunk *a_chunks = stay_index_chunks(index, &n);
    const struct stay_index_chunk *b_chunks = stay_index_chunks(reference, &expected);
    assert_int_equal(n, expected);
    assert_memory_equal(a_chunks, b_chunks, n * sizeof *a_chunks);
    for (size_t i = 0; i < 3; i++)
        stay_pack_free(&packs[i]);
}

static int decode_text(struct stay_index *index, const char *text, struct stay_err *err)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor =
        stay_compressor_new(STAY_COMPRESS_LEVEL);
    stay_auto_buf struct stay_buf object = {0};

    assert_int_equal(stay_compress_all(compressor, text, strlen(text), &object, NULL), 0);
    return stay_index_decode(index, object.data, object.len, err);
}

static void a_line_without_a_newline_at_the_end_is_a_line(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_err err = {0};
    size_t n;

    (void)state;
    assert_ok(decode_text(index, "{\"pack\":\"" ZEROS "\",\"bytes\":1,\"frames\":[]}", &err), err);
    (void)stay_index_packs(index, &n);
    assert_int_equal(n, 1);
}

#define FRAME(codec, bases, offset, stored, raw, chunks)                                           \
    "{\"codec\":\"" codec "\",\"bases\":[" bases "],\"offset\":" offset ",\"stored\":" stored      \
    ",\"raw\":" raw ",\"chunks\":[" chunks "]}"
#define PACK(bytes, frames) "{\"pack\":\"" ZEROS "\",\"bytes\":" bytes ",\"frames\":[" frames "]}\n"

static void forged_lines_are_refused_and_leave_nothing_behind(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } forged[] = {
        {"{}\n", "an index line is malformed"},
        {"{\"pack\":\"12\"}\n", "an index line is malformed"},
        {PACK("-1", ""), "an index line is malformed"},
        {PACK("268435457", ""), "a pack is larger than any can be"},
        {PACK("10", "1"), "an index line is malformed"},
        {PACK("10", FRAME("brotli", "", "0", "1", "1", "")),
         "a frame has codec \"brotli\", which this version cannot read"},
        {PACK("10", FRAME("zstd", "1", "0", "1", "1", "")), "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "11", "1", "")), "a frame lies outside its pack"},
        {PACK("10", FRAME("zstd", "", "11", "0", "1", "")), "a frame lies outside its pack"},
        {PACK("10", FRAME("zstd", "", "9223372036854775807", "9", "1", "")),
         "a frame lies outside its pack"},
        {PACK("10", FRAME("zstd", "", "0", "1", "67108865", "")), "a frame lies outside its pack"},
        {PACK("10", FRAME("zstd", "", "0", "1", "4294967296", "")), "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "\"" ZEROS "\"")),
         "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "\"12\",1")), "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "1,\"" ZEROS "\"")),
         "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "\"" ZEROS "\",-1")),
         "an index line is malformed"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "\"" ZEROS "\",1025")),
         "the chunks of a frame exceed its size"},
        {PACK("10", FRAME("zstd", "", "0", "1", "2048", "\"" ZEROS "\",0")),
         "a chunk has a size that none can have"},
        {PACK("9", FRAME("zstd", "", "0", "5", "1", "") "," FRAME("zstd", "", "4", "5", "1", "")),
         "the frames of a pack overlap"},
        {PACK("9", "") "}", "an index line is malformed"},
        {"\n", "an index line is malformed"},
    };
    struct stay_random random = {2};
    struct stay_pack pack = {0};

    (void)state;
    make_pack(&pack, &random, 2, 3);
    for (size_t i = 0; i < STAY_COUNT(forged); i++) {
        stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
        stay_auto_str char *text =
            stay_strf("{\"pack\":\"%064d\",\"bytes\":1,\"frames\":[]}\n%s", 1, forged[i].text);
        struct stay_err err = {0};
        size_t n;
        stay_index_add(index, &pack);
        assert_int_equal(decode_text(index, text, &err), -1);
        assert_error(err, STAY_ERR_CORRUPT, forged[i].error);
        (void)stay_index_packs(index, &n);
        assert_int_equal(n, 1);
        (void)stay_index_frames(index, &n);
        assert_int_equal(n, 2);
        (void)stay_index_chunks(index, &n);
        assert_int_equal(n, 6);
        assert_int_equal(stay_index_find_pack(index, &(struct stay_id){.bytes[31] = 1}), -1);
        assert_int_equal(stay_index_find_pack(index, &pack.id), 0);
    }
    stay_pack_free(&pack);
}

static void an_object_cut_or_flipped_anywhere_is_refused_or_says_the_same(void **state)
{
    stay_auto_buf struct stay_buf object = {0};
    struct stay_random random = {3};
    struct stay_pack pack = {0};
    const struct stay_pack *list = &pack;
    struct stay_err err = {0};

    (void)state;
    make_pack(&pack, &random, 1, 5);
    assert_ok(stay_index_encode(&object, &list, 1, &err), err);
    for (size_t i = 0; i < object.len; i++) {
        stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
        assert_int_equal(stay_index_decode(index, object.data, i, &err), -1);
        assert_int_equal(err.kind, STAY_ERR_CORRUPT);
        object.data[i] ^= 0x10;
        if (stay_index_decode(index, object.data, object.len, &err) == 0)
            assert_int_equal(stay_index_find_pack(index, &pack.id), 0);
        object.data[i] ^= 0x10;
    }
    stay_pack_free(&pack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_come_back_from_an_object),
        cmocka_unit_test(a_line_without_a_newline_at_the_end_is_a_line),
        cmocka_unit_test(forged_lines_are_refused_and_leave_nothing_behind),
        cmocka_unit_test(an_object_cut_or_flipped_anywhere_is_refused_or_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
