/* tests/unit/cli/test_output.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * output and table: what people and programs read.
 */
#include "cli/output.h"

#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct page {
    struct stay_output output;
    char *text;
    size_t len;
};

static int open_page(void **state)
{
    struct page *page = stay_new(struct page);

    page->output.to = open_memstream(&page->text, &page->len);
    *state = page;
    return page->output.to ? 0 : -1;
}

static int close_page(void **state)
{
    struct page *page = *state;

    (void)fclose(page->output.to);
    free(page->text);
    free(page);
    return 0;
}

static void assert_page(struct page *page, const char *expected)
{
    assert_int_equal(stay_output_finish(&page->output, NULL), 0);
    assert_string_equal(page->text, expected);
}

static void json_begins_with_its_schema_version(void **state)
{
    struct page *page = *state;
    json_t *object = json_object();

    page->output.json = true;
    assert_int_equal(json_object_set_new(object, "b", json_integer(2)), 0);
    assert_int_equal(json_object_set_new(object, "a", json_null()), 0);
    assert_int_equal(stay_output_json(&page->output, object, NULL), 0);
    assert_true(page->output.begun);
    assert_page(page, "{\n  \"schema_version\": 1,\n  \"b\": 2,\n  \"a\": null\n}\n");
}

static void text_is_not_mixed_into_json(void **state)
{
    struct page *page = *state;

    page->output.json = true;
    stay_output_text(&page->output, "text\n");
    stay_output_say(&page->output, "said\n");
    assert_false(page->output.begun);
    assert_page(page, "");
}

static void quiet_keeps_what_was_asked_for(void **state)
{
    struct page *page = *state;

    page->output.quiet = true;
    stay_output_text(&page->output, "text %d\n", 1);
    stay_output_say(&page->output, "said\n");
    assert_page(page, "text 1\n");
}

static void assert_string(const char *bytes, const char *expected)
{
    json_t *string = stay_output_string(bytes);

    assert_non_null(string);
    assert_string_equal(json_string_value(string), expected);
    json_decref(string);
}

static void any_bytes_become_a_json_string(void **state)
{
    (void)state;
    assert_string("", "");
    assert_string("plain", "plain");
    assert_string("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\x8d",
                  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\x8d");
    assert_string("a\xff"
                  "b",
                  "a\xef\xbf\xbd"
                  "b");
    assert_string("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_string("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_string("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_true(json_is_null(stay_output_string(NULL)));
}

static const struct stay_column columns[] = {{"NAME", false}, {"SIZE", true}, {"NOTE", false}};

static void a_table_is_as_wide_as_its_cells(void **state)
{
    struct page *page = *state;
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));

    stay_table_row(table, (const char *const[]){"m\xc3\xa4rz", "7", "x"});
    stay_table_row(table, (const char *const[]){"september", "123456", ""});
    stay_table_print(table, &page->output);
    assert_page(page, "NAME         SIZE  NOTE\n"
                      "m\xc3\xa4rz            7  x\n"
                      "september  123456  \n");
}

static void a_cell_cannot_steer_the_terminal(void **state)
{
    struct page *page = *state;
    stay_auto(stay_table_free) struct stay_table *table =
        stay_table_new(columns, STAY_COUNT(columns));

    stay_table_row(table, (const char *const[]){"a\033[2Jb\n", "1", "x\x7f"});
    stay_table_print(table, &page->output);
    assert_page(page, "NAME     SIZE  NOTE\na?[2Jb?     1  x?\n");
}

static void titles_are_bold_where_colour_is_wanted(void **state)
{
    struct page *page = *state;
    stay_auto(stay_table_free) struct stay_table *table = stay_table_new(columns, 1);

    page->output.colour = true;
    stay_table_row(table, (const char *const[]){"x"});
    stay_table_print(table, &page->output);
    assert_page(page, "\033[1mNAME\033[0m\nx\n");
}

static void an_empty_table_is_silent(void **state)
{
    struct page *page = *state;
    stay_auto(stay_table_free) struct stay_table *table = stay_table_new(columns, 1);

    stay_table_print(table, &page->output);
    assert_page(page, "");
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
    struct stay_output output = {.to = fopen("/dev/full", "w")};
    struct stay_err err = {0};

    (void)state;
    assert_non_null(output.to);
    stay_output_text(&output, "text\n");
    assert_int_equal(stay_output_finish(&output, &err), -1);
    assert_string_equal(err.text, "write to standard output: No space left on device");
    assert_int_equal(err.kind, STAY_ERR_SPACE);
    (void)fclose(output.to);
}

#define ON_A_PAGE(test) cmocka_unit_test_setup_teardown(test, open_page, close_page)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_PAGE(json_begins_with_its_schema_version),
        ON_A_PAGE(text_is_not_mixed_into_json),
        ON_A_PAGE(quiet_keeps_what_was_asked_for),
        cmocka_unit_test(any_bytes_become_a_json_string),
        ON_A_PAGE(a_table_is_as_wide_as_its_cells),
        ON_A_PAGE(a_cell_cannot_steer_the_terminal),
        ON_A_PAGE(titles_are_bold_where_colour_is_wanted),
        ON_A_PAGE(an_empty_table_is_silent),
        cmocka_unit_test(output_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
