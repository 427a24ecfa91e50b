/* tests/unit/base/test_json.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * json: every byte string comes back, what is written is ASCII or valid UTF-8, and what is not
 * well-formed is refused.
 */
#include "base/json.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <stdbool.h>
#include <string.h>

static void check_written(const char *bytes, size_t len, const char *json)
{
    stay_auto_buf struct stay_buf out = {0};

    stay_json_add_string(&out, bytes, len);
    assert_string_equal(out.data, json);
}

static void plain_text_is_quoted_and_the_rest_escaped(void **state)
{
    (void)state;
    check_written("", 0, "\"\"");
    check_written("a/b c", 5, "\"a/b c\"");
    check_written("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    check_written("\n\t\r\x01\x7f", 5, "\"\\n\\t\\u000d\\u0001\\u007f\"");
    check_written("\0", 1, "\"\\u0000\"");
}

static void valid_utf8_stays_as_it_is(void **state)
{
    static const char *const texts[] = {"\xc3\xb6 \xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                        "\xed\x9f\xbf",      "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(texts); i++) {
        stay_auto_str char *expected = stay_strf("\"%s\"", texts[i]);
        check_written(texts[i], strlen(texts[i]), expected);
    }
}

static void bytes_that_are_not_utf8_become_lone_surrogates(void **state)
{
    (void)state;
    check_written("\xff", 1, "\"\\udcff\"");
    check_written("a\x80z", 3, "\"a\\udc80z\"");
    check_written("\xc3", 1, "\"\\udcc3\"");                       /* cut short */
    check_written("\xc3(", 2, "\"\\udcc3(\"");                     /* not continued */
    check_written("\xc0\xaf", 2, "\"\\udcc0\\udcaf\"");            /* an overlong slash */
    check_written("\xe0\x80\xaf", 3, "\"\\udce0\\udc80\\udcaf\""); /* an overlong slash */
    check_written("\xed\xa0\x80", 3, "\"\\udced\\udca0\\udc80\""); /* a surrogate */
    check_written("\xf4\x90\x80\x80", 4, "\"\\udcf4\\udc90\\udc80\\udc80\""); /* above U+10FFFF */
    check_written("\xf8\x88\x80\x80\x80", 5, "\"\\udcf8\\udc88\\udc80\\udc80\\udc80\"");
}

static void assert_comes_back(const char *bytes, size_t len)
{
    stay_auto_buf struct stay_buf json = {0};
    stay_auto_buf struct stay_buf back = {0};

    stay_json_add_string(&json, bytes, len);
    stay_buf_str(&json, ",\"more\"");
    assert_int_equal(stay_json_read_string(&back, json.data, json.len), json.len - 7);
    assert_int_equal(back.len, len);
    if (len)
        assert_memory_equal(back.data, bytes, len);
}

static void every_pair_of_bytes_comes_back(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 256; i++) {
        for (unsigned j = 1; j < 256; j++) {
            char bytes[2] = {(char)i, (char)j};
            assert_comes_back(bytes, 2);
        }
    }
}

/* Pieces of UTF-8, whole, broken and forbidden, so that random strings meet the edges. */
static size_t random_piece(struct stay_random *random, char *to)
{
    static const char *const pieces[] = {"a",
                                         "/",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\xc3\xb6",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xed\xa0\x80",
                                         "\xf0\x9f",
                                         "\xe2\x82",
                                         "\xc0",
                                         "\xff",
                                         "\\udc80",
                                         "\x7f",
                                         "\x1f"};
    const char *piece = pieces[stay_random_below(random, STAY_COUNT(pieces))];
    size_t len = strlen(piece);

    if (stay_random_below(random, 4) == 0) {
        *to = (char)(1 + stay_random_below(random, 255));
        return 1;
    }
    memcpy(to, piece, len);
    return len;
}

static void random_bytes_come_back(void **state)
{
    struct stay_random random = {11};
    char bytes[512];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t len = 0;
        for (size_t n = stay_random_below(&random, 40); n > 0; n--)
            len += random_piece(&random, bytes + len);
        assert_comes_back(bytes, len);
    }
}

/* Whether @len bytes are UTF-8, judged by decoding them instead of by a table of ranges. */
static bool is_utf8(const unsigned char *s, size_t len)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < len;) {
        unsigned n = s[i] < 0x80       ? 1
                     : s[i] >> 5 == 6  ? 2
                     : s[i] >> 4 == 14 ? 3
                     : s[i] >> 3 == 30 ? 4
                                       : 0;
        if (n == 0 || i + n > len)
            return false;
        unsigned code = n == 1 ? s[i] : s[i] & (0x7fU >> n);
        for (unsigned j = 1; j < n; j++) {
            if (s[i + j] >> 6 != 2)
                return false;
            code = code << 6 | (s[i + j] & 0x3f);
        }
        if (code < least[n] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
            return false;
        i += n;
    }
    return true;
}

static void what_is_written_is_always_utf8_without_control_characters(void **state)
{
    struct stay_random random = {12};
    char bytes[512];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        stay_auto_buf struct stay_buf json = {0};
        size_t len = 0;
        for (size_t n = stay_random_below(&random, 40); n > 0; n--)
            len += random_piece(&random, bytes + len);
        stay_json_add_string(&json, bytes, len);
        assert_true(is_utf8((const unsigned char *)json.data, json.len));
        for (size_t j = 0; j < json.len; j++)
            assert_true((unsigned char)json.data[j] >= 0x20);
        if (is_utf8((const unsigned char *)bytes, len) && memchr(bytes, '\\', len) == NULL)
            assert_null(strstr(json.data, "\\udc"));
    }
}

static void check_read(const char *json, const char *bytes)
{
    stay_auto_buf struct stay_buf out = {0};

    assert_int_equal(stay_json_read_string(&out, json, strlen(json)), strlen(json));
    assert_string_equal(out.data, bytes);
}

static void all_escapes_of_json_are_read(void **state)
{
    (void)state;
    check_read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    check_read("\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac");
    check_read("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80");
    check_read("\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf");
    check_read("\"\\udcff\\udc80\"", "\xff\x80");
}

static void what_is_not_a_json_string_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\"",
        "a\"",
        "\"abc",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\\udc7f\"",
        "\"\\udd00\"",
        "\"a\nb\"",
        "\"\x01\"",
        "'a'",
        "\"\\",
        "\"\\u",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(texts); i++) {
        stay_auto_buf struct stay_buf out = {0};
        /* An exact copy, so that asan sees a read past the end. */
        size_t len = strlen(texts[i]);
        stay_auto_free char *exact = stay_malloc(len);
        memcpy(exact, texts[i], len);
        if (stay_json_read_string(&out, exact, len) != -1)
            fail_msg("%s was accepted", texts[i]);
    }
}

static void every_cut_of_a_string_is_refused(void **state)
{
    static const char json[] = "\"a\\u20ac\\ud83d\\ude00\\udcff\\n\xc3\xb6\"";

    (void)state;
    for (size_t len = 0; len < sizeof json - 1; len++) {
        stay_auto_buf struct stay_buf out = {0};
        stay_auto_free char *exact = stay_malloc(len);
        memcpy(exact, json, len);
        assert_int_equal(stay_json_read_string(&out, exact, len), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_quoted_and_the_rest_escaped),
        cmocka_unit_test(valid_utf8_stays_as_it_is),
        cmocka_unit_test(bytes_that_are_not_utf8_become_lone_surrogates),
        cmocka_unit_test(every_pair_of_bytes_comes_back),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(what_is_written_is_always_utf8_without_control_characters),
        cmocka_unit_test(all_escapes_of_json_are_read),
        cmocka_unit_test(what_is_not_a_json_string_is_refused),
        cmocka_unit_test(every_cut_of_a_string_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
