/* tests/unit/codec/test_compress.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * compress: what goes in comes out, what gains nothing is said to, and damage is noticed.
 */
#include "codec/compress.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <string.h>

enum { KIB = 1024 };

static int setup(void **state)
{
    *state = stay_compressor_new(STAY_COMPRESS_LEVEL);
    return 0;
}

static int teardown(void **state)
{
    stay_compressor_free(*state);
    return 0;
}

static void fill_text(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = "INSERT INTO orders VALUES (1, 'shipped');\n"[i % 42];
}

static void what_is_compressed_comes_back(void **state)
{
    static const size_t lengths[] = {200, 1000, 256 * KIB, 1024 * KIB + 1};
    stay_auto_buf struct stay_buf packed = {0};
    struct stay_err err = {0};

    for (size_t i = 0; i < STAY_COUNT(lengths); i++) {
        stay_auto_free char *data = stay_malloc(lengths[i]);
        stay_auto_free char *back = stay_malloc(lengths[i]);
        fill_text(data, lengths[i]);
        assert_ok(stay_compress(*state, data, lengths[i], &packed, &err), err);
        assert_true(packed.len < lengths[i]);
        assert_ok(stay_decompress(*state, packed.data, packed.len, back, lengths[i], &err), err);
        assert_memory_equal(back, data, lengths[i]);
    }
}

static void random_bytes_gain_nothing(void **state)
{
    enum { LEN = 100 * KIB };
    stay_auto_free char *data = stay_malloc(LEN);
    stay_auto_buf struct stay_buf packed = {0};
    struct stay_random random = {1};

    stay_random_fill(&random, data, LEN);
    assert_int_equal(stay_compress(*state, data, LEN, &packed, NULL), STAY_COMPRESS_NO_GAIN);
    assert_false(stay_compress_worth(*state, data, LEN));
    assert_int_equal(stay_compress(*state, "", 0, &packed, NULL), STAY_COMPRESS_NO_GAIN);
}

static void less_than_three_percent_is_no_gain_and_more_is(void **state)
{
    enum { LEN = 100 * KIB };
    stay_auto_free char *data = stay_malloc(LEN);
    stay_auto_buf struct stay_buf packed = {0};
    struct stay_random random = {2};

    stay_random_fill(&random, data, LEN);
    memset(data, 0, LEN / 50);
    assert_int_equal(stay_compress(*state, data, LEN, &packed, NULL), STAY_COMPRESS_NO_GAIN);
    memset(data, 0, LEN / 25);
    assert_int_equal(stay_compress(*state, data, LEN, &packed, NULL), 0);
}

static void the_middle_tells_whether_it_is_worth_it(void **state)
{
    enum { LEN = 1024 * KIB };
    stay_auto_free char *data = stay_malloc(LEN);
    struct stay_random random = {3};

    stay_random_fill(&random, data, LEN);
    fill_text(data, 64 * KIB);
    assert_false(stay_compress_worth(*state, data, LEN));
    fill_text(data + LEN / 2 - 32 * KIB, 64 * KIB);
    assert_true(stay_compress_worth(*state, data, LEN));
    assert_true(stay_compress_worth(*state, data, 64 * KIB));
}

static void whole_objects_are_compressed_whatever_they_gain(void **state)
{
    unsigned char data[1000];
    stay_auto_buf struct stay_buf packed = {0};
    stay_auto_buf struct stay_buf back = {0};
    struct stay_random random = {4};
    struct stay_err err = {0};
    uint64_t size = 0;

    stay_random_fill(&random, data, sizeof data);
    assert_ok(stay_compress_all(*state, data, sizeof data, &packed, &err), err);
    assert_true(packed.len > sizeof data);
    assert_ok(stay_decompressed_size(packed.data, packed.len, &size, &err), err);
    assert_int_equal(size, sizeof data);
    stay_buf_str(&back, "before");
    assert_ok(stay_decompress_all(*state, packed.data, packed.len, sizeof data, &back, &err), err);
    assert_int_equal(back.len, 6 + sizeof data);
    assert_memory_equal(back.data, "before", 6);
    assert_memory_equal(back.data + 6, data, sizeof data);
    assert_int_equal(back.data[back.len], '\0');
}

static void every_flipped_bit_is_noticed_or_changes_nothing(void **state)
{
    enum { LEN = 2000 };
    char data[LEN];
    char back[LEN];
    stay_auto_buf struct stay_buf packed = {0};
    struct stay_err err = {0};
    size_t noticed = 0;

    fill_text(data, LEN);
    assert_ok(stay_compress(*state, data, LEN, &packed, &err), err);
    for (size_t bit = 0; bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        if (stay_decompress(*state, packed.data, packed.len, back, LEN, &err) < 0) {
            assert_int_equal(err.kind, STAY_ERR_CORRUPT);
            noticed++;
        } else {
            assert_memory_equal(back, data, LEN);
        }
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(noticed > 7 * packed.len);
    for (size_t len = 0; len < packed.len; len++)
        assert_int_equal(stay_decompress(*state, packed.data, len, back, LEN, &err), -1);
}

static void another_size_than_expected_is_damage(void **state)
{
    char data[1000];
    char back[1001];
    stay_auto_buf struct stay_buf packed = {0};
    struct stay_err err = {0};

    fill_text(data, sizeof data);
    assert_ok(stay_compress(*state, data, sizeof data, &packed, &err), err);
    assert_int_equal(stay_decompress(*state, packed.data, packed.len, back, 1001, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "decompressed to 1000 bytes instead of 1001");
    assert_int_equal(stay_decompress(*state, packed.data, packed.len, back, 999, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "decompress: Destination buffer is too small");
}

static void a_content_beyond_the_limit_takes_no_memory(void **state)
{
    static const char bomb[] = "\x28\xb5\x2f\xfd\xc0\x58\xff\xff\xff\xff\xff\xff\xff\x0f";
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};

    assert_int_equal(stay_decompress_all(*state, bomb, sizeof bomb - 1, 1 << 20, &back, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 "claims to hold 1152921504606846975 bytes, more than the 1048576 allowed");
    assert_int_equal(back.cap, 0);
}

static void what_is_no_zstandard_frame_is_said_to_be_none(void **state)
{
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};

    assert_int_equal(stay_decompress_all(*state, "gzip?", 5, 100, &back, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "not a Zstandard frame with its size");
    assert_int_equal(stay_decompress_all(*state, "", 0, 100, &back, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "not a Zstandard frame with its size");
}

static void each_level_can_be_read_back(void **state)
{
    enum { LEN = 200 * KIB };
    stay_auto_free char *data = stay_malloc(LEN);
    stay_auto_free char *back = stay_malloc(LEN);

    fill_text(data, LEN);
    for (int level = 1; level <= STAY_COMPRESS_LEVEL_MAX; level++) {
        stay_auto(stay_compressor_free) struct stay_compressor *own = stay_compressor_new(level);
        stay_auto_buf struct stay_buf packed = {0};
        assert_int_equal(stay_compress(own, data, LEN, &packed, NULL), 0);
        assert_int_equal(stay_decompress(*state, packed.data, packed.len, back, LEN, NULL), 0);
        assert_memory_equal(back, data, LEN);
    }
    stay_compressor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(random_bytes_gain_nothing),
        cmocka_unit_test(less_than_three_percent_is_no_gain_and_more_is),
        cmocka_unit_test(the_middle_tells_whether_it_is_worth_it),
        cmocka_unit_test(whole_objects_are_compressed_whatever_they_gain),
        cmocka_unit_test(every_flipped_bit_is_noticed_or_changes_nothing),
        cmocka_unit_test(another_size_than_expected_is_damage),
        cmocka_unit_test(a_content_beyond_the_limit_takes_no_memory),
        cmocka_unit_test(what_is_no_zstandard_frame_is_said_to_be_none),
        cmocka_unit_test(each_level_can_be_read_back),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
