/* tests/unit/base/test_str.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * str: tables of what is accepted, what is refused, and what people get to read.
 */
#include "base/str.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <ctype.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

/* A text and the number it stands for; REFUSED: it stands for none. */
struct row {
    const char *text;
    int64_t value;
};

#define REFUSED INT64_C(-4242)

static void check_rows(const struct row *rows, size_t n, int (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < n; i++) {
        int64_t value = REFUSED;
        int rc = parse(rows[i].text, &value);
        if (rc != (rows[i].value == REFUSED ? -1 : 0) || value != rows[i].value)
            fail_msg("\"%s\" gives %d and %lld", rows[i].text, rc, (long long)value);
    }
}

static void beginnings_and_ends_are_recognised(void **state)
{
    (void)state;
    assert_true(stay_str_starts("packs/00", "packs/"));
    assert_true(stay_str_starts("x", ""));
    assert_false(stay_str_starts("pack", "packs"));
    assert_true(stay_str_ends("x.tar", ".tar"));
    assert_true(stay_str_ends("x", ""));
    assert_false(stay_str_ends("ar", "tar"));
    assert_false(stay_str_ends("x.tar.zst", ".tar"));
}

static void whole_numbers_are_read_and_nothing_else(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"-1", -1},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", REFUSED},
        {"", REFUSED},
        {"-", REFUSED},
        {"+1", REFUSED},
        {" 1", REFUSED},
        {"1 ", REFUSED},
        {"1.0", REFUSED},
        {"0x10", REFUSED},
        {"- 1", REFUSED},
        {"--1", REFUSED},
    };

    (void)state;
    check_rows(rows, STAY_COUNT(rows), stay_str_i64);
}

static void sizes_have_units_of_1024(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"1K", 1024},
        {"1k", 1024},
        {"1KB", 1024},
        {"16MiB", 16 << 20},
        {"16 MiB", 16 << 20},
        {"10GiB", INT64_C(10) << 30},
        {"2T", INT64_C(2) << 40},
        {"8388607TiB", INT64_C(8388607) << 40},
        {"8388608TiB", REFUSED},
        {"9223372036854775808", REFUSED},
        {"", REFUSED},
        {"MiB", REFUSED},
        {"-1", REFUSED},
        {"1.5G", REFUSED},
        {"1P", REFUSED},
        {"1KiBs", REFUSED},
        {"1BB", REFUSED},
        {"15%", REFUSED},
    };

    (void)state;
    check_rows(rows, STAY_COUNT(rows), stay_str_size);
}

static void durations_are_sums_of_parts(void **state)
{
    static const struct row rows[] = {
        {"0s", 0},
        {"90s", 90 * SECOND},
        {"10m", 600 * SECOND},
        {"26h", 26 * 3600 * SECOND},
        {"8d", 8 * 86400 * SECOND},
        {"2w", 14 * 86400 * SECOND},
        {"1h30m", 5400 * SECOND},
        {"", REFUSED},
        {"90", REFUSED},
        {"h", REFUSED},
        {"1h30", REFUSED},
        {"1 h", REFUSED},
        {"-1h", REFUSED},
        {"1y", REFUSED},
        {"15251w", REFUSED},
        {"15250w15250w", REFUSED},
        {"99999999999999999999s", REFUSED},
    };

    (void)state;
    check_rows(rows, STAY_COUNT(rows), stay_str_duration);
}

static void bytes_are_rounded_for_people(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},
                {1023, "1023 B"},
                {1024, "1.0 KiB"},
                {1536, "1.5 KiB"},
                {1048575, "1.0 MiB"},
                {12897484, "12.3 MiB"},
                {UINT64_C(1) << 30, "1.0 GiB"},
                {UINT64_C(3) << 40, "3.0 TiB"},
                {UINT64_MAX, "16.0 EiB"}};
    char out[16];

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++)
        assert_string_equal(stay_str_bytes(out, rows[i].bytes), rows[i].text);
}

static void elapsed_time_has_the_two_largest_units(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {{0, "0.0 s"},
                {SECOND * 4 / 10, "0.4 s"},
                {60 * SECOND - 1, "59.9 s"},
                {60 * SECOND, "1m 00s"},
                {125 * SECOND, "2m 05s"},
                {3600 * SECOND - 1, "59m 59s"},
                {94200 * SECOND, "26h 10m"},
                {48 * 3600 * SECOND, "2d 0h"},
                {705600 * SECOND, "8d 4h"}};
    char out[24];

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++)
        assert_string_equal(stay_str_elapsed(out, rows[i].ns), rows[i].text);
}

static void hexadecimal_comes_back_in_either_case(void **state)
{
    struct stay_random random = {7};
    unsigned char bytes[64];
    unsigned char back[64];
    char text[128];

    (void)state;
    for (int i = 0; i < 200; i++) {
        size_t len = stay_random_below(&random, sizeof bytes + 1);
        stay_random_fill(&random, bytes, len);
        stay_hex_encode(text, bytes, len);
        for (size_t j = 0; j < 2 * len; j++) {
            assert_non_null(strchr("0123456789abcdef", text[j]));
            if (i % 2)
                text[j] = (char)toupper((unsigned char)text[j]);
        }
        assert_int_equal(stay_hex_decode(back, text, len), 0);
        if (len)
            assert_memory_equal(back, bytes, len);
    }
}

static void what_is_not_hexadecimal_is_refused(void **state)
{
    unsigned char back[2];

    (void)state;
    assert_int_equal(stay_hex_decode(back, "0g12", 2), -1);
    assert_int_equal(stay_hex_decode(back, "001 ", 2), -1);
    assert_int_equal(stay_hex_decode(back, "00", 2), -1);
    assert_int_equal(stay_hex_decode(back, "/0", 1), -1);
    assert_int_equal(stay_hex_decode(back, ":0", 1), -1);
    assert_int_equal(stay_hex_decode(back, "@0", 1), -1);
}

static void the_distance_counts_edits_and_swaps(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } rows[] = {{"", "", 0},          {"path", "path", 0},      {"path", "pth", 1},
                {"path", "pathe", 1}, {"path", "paht", 1},      {"path", "bath", 1},
                {"", "abc", 3},       {"kitten", "sitting", 3}, {"ab", "ba", 1}};
    char longer[80];

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        assert_int_equal(stay_str_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(stay_str_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(stay_str_distance(longer, "x") == SIZE_MAX);
    longer[64] = '\0';
    assert_int_equal(stay_str_distance(longer, ""), 64);
}

static void the_nearest_word_is_one_that_was_probably_meant(void **state)
{
    static const char *const words[] = {"path", "min_free", "sync", "exclude", "include"};

    (void)state;
    assert_string_equal(stay_str_nearest("pth", words, 5), "path");
    assert_string_equal(stay_str_nearest("minfree", words, 5), "min_free");
    assert_string_equal(stay_str_nearest("includ", words, 5), "include");
    assert_string_equal(stay_str_nearest("exlude", words, 5), "exclude");
    assert_string_equal(stay_str_nearest("sync", words, 5), "sync");
    assert_null(stay_str_nearest("bucket", words, 5));
    assert_null(stay_str_nearest("", words, 5));
    assert_null(stay_str_nearest("path", words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beginnings_and_ends_are_recognised),
        cmocka_unit_test(whole_numbers_are_read_and_nothing_else),
        cmocka_unit_test(sizes_have_units_of_1024),
        cmocka_unit_test(durations_are_sums_of_parts),
        cmocka_unit_test(bytes_are_rounded_for_people),
        cmocka_unit_test(elapsed_time_has_the_two_largest_units),
        cmocka_unit_test(hexadecimal_comes_back_in_either_case),
        cmocka_unit_test(what_is_not_hexadecimal_is_refused),
        cmocka_unit_test(the_distance_counts_edits_and_swaps),
        cmocka_unit_test(the_nearest_word_is_one_that_was_probably_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
