/* tests/conformance/source/test_mysql_rows.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows as lines for LOAD DATA, against a slow and simple writer of the same format.
 */
#include "mariadb_fixture.h"
#include "source/mysql/tsv.h"
#include "source/mysql/utf8.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3 };

static struct my_column columns[COLUMNS] = {
    {.form = MY_TEXT}, {.form = MY_HEX}, {.form = MY_PLAIN}};
static const struct my_table table = {.columns = columns, .n_columns = COLUMNS};

/* @out is emptied first. @return as my_tsv_row(). */
static unsigned write_row(struct plug_bytes *out, const char *text, size_t text_len,
                          const char *bytes, size_t bytes_len)
{
    char number[] = "-1.5";
    char *row[COLUMNS] = {(char *)(uintptr_t)text, (char *)(uintptr_t)bytes, number};
    const unsigned long lengths[COLUMNS] = {text_len, bytes_len, 4};

    plug_bytes_cut(out, 0);
    return my_tsv_row(out, &table, row, lengths);
}

static void cells_are_escaped_and_bytes_are_hexadecimal(void **state)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    (void)state;
    assert_int_equal(write_row(&out, "a\tb\nc\\d\0e\rf", 11, "\0\xff\\", 3), 0);
    assert_string_equal(out.data, "a\\tb\\nc\\\\d\\0e\rf\t00FF5C\t-1.5\n");
    assert_int_equal(write_row(&out, NULL, 0, NULL, 0), 0);
    assert_string_equal(out.data, "\\N\t\\N\t-1.5\n");
    assert_int_equal(write_row(&out, "", 0, "", 0), 0);
    assert_string_equal(out.data, "\t\t-1.5\n");
    assert_int_equal(write_row(&out, "NULL", 4, "", 0), 0);
    assert_string_equal(out.data, "NULL\t\t-1.5\n");
}

static void texts_that_are_no_utf8_are_counted_and_kept(void **state)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    (void)state;
    assert_int_equal(write_row(&out, "long enough \xc3", 13, "", 0), 1);
    assert_string_equal(out.data, "long enough \xc3\t\t-1.5\n");
    assert_int_equal(write_row(&out, "\xf0\x9f\x98\x80 \xe2\x82\xac", 8, "", 0), 0);
    assert_false(my_utf8_valid("\xc0\x80", 2));
    assert_false(my_utf8_valid("\xed\xa0\x80", 3));
    assert_false(my_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_true(my_utf8_valid("\xf4\x8f\xbf\xbf", 4));
}

/* What a text becomes, a byte at a time. */
static void write_slowly(struct stay_buf *out, const unsigned char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *escape = text[i] == 0      ? "\\0"
                             : text[i] == '\t' ? "\\t"
                             : text[i] == '\n' ? "\\n"
                             : text[i] == '\\' ? "\\\\"
                                               : NULL;
        if (escape)
            stay_buf_printf(out, "%s", escape);
        else
            stay_buf_add(out, text + i, 1);
    }
}

static void every_text_is_written_as_a_slow_writer_does(void **state)
{
    static const char odd[] = {0, '\t', '\n', '\\', ' ', 0x0f, 0x10, 0x5b};
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    struct stay_random random = {7};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned char text[40];
        struct stay_buf expected = {0};
        size_t len = stay_random_below(&random, sizeof text);
        for (size_t j = 0; j < len; j++)
            text[j] = (unsigned char)(stay_random_below(&random, 2)
                                          ? stay_random_below(&random, 256)
                                          : (size_t)odd[stay_random_below(&random, sizeof odd)]);
        (void)write_row(&out, (const char *)text, len, "", 0);
        write_slowly(&expected, text, len);
        stay_buf_printf(&expected, "\t\t-1.5\n");
        assert_int_equal(out.len, expected.len);
        assert_memory_equal(out.data, expected.data, expected.len);
        stay_buf_free(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_escaped_and_bytes_are_hexadecimal),
        cmocka_unit_test(texts_that_are_no_utf8_are_counted_and_kept),
        cmocka_unit_test(every_text_is_written_as_a_slow_writer_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
