/* tests/unit/store/test_doc.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * doc: seals that notice every change, and members that are what they must be.
 */
#include "store/doc.h"

#include "support/cmocka.h"

static json_t *sample(void)
{
    return json_pack("{s:s, s:i, s:s, s:[i], s:{s:s}}", "name", "media", "count", 17, "when",
                     "2026-11-22T02:30:00.5Z", "list", 1, "object", "key", "value");
}

static void a_sealed_document_comes_back(void **state)
{
    stay_auto(json_decref) json_t *object = sample();
    stay_auto(json_decref) json_t *back = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};
    const char *name;

    (void)state;
    stay_doc_seal(&text, object);
    assert_ok(stay_doc_open(&back, &text, "snapshots/x", &err), err);
    assert_ok(stay_doc_string(back, "name", &name, &err), err);
    assert_string_equal(name, "media");
}

static void the_seal_is_what_sha256sum_says_of_the_text_before_it(void **state)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto(json_decref) json_t *object = sample();
    stay_auto_buf struct stay_buf text = {0};
    struct stay_id id;
    char hex[STAY_ID_HEX + 1];

    (void)state;
    stay_doc_seal(&text, object);
    const char *seal = strstr(text.data, ",\"sha256\":\"");
    assert_non_null(seal);
    stay_digest_of(digest, text.data, (size_t)(seal - text.data), &id);
    assert_memory_equal(seal + 11, stay_id_hex(hex, &id), STAY_ID_HEX);
    assert_string_equal(seal + 11 + STAY_ID_HEX, "\"}\n");
    assert_null(memchr(text.data, '\n', text.len - 1));
}

static void every_change_to_a_sealed_document_is_noticed(void **state)
{
    stay_auto(json_decref) json_t *object = sample();
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};
    json_t *back;

    (void)state;
    stay_doc_seal(&text, object);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        text.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(stay_doc_open(&back, &text, "records/x", &err), -1);
        assert_error(err, STAY_ERR_CORRUPT,
                     "records/x is damaged: its content does not match its checksum");
        text.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    size_t whole = text.len;
    for (text.len = 0; text.len < whole; text.len++)
        assert_int_equal(stay_doc_open(&back, &text, "records/x", NULL), -1);
    stay_buf_char(&text, '\n');
    assert_int_equal(stay_doc_open(&back, &text, "records/x", NULL), -1);
}

static void what_is_no_json_says_why(void **state)
{
    struct stay_err err = {0};
    json_t *back;

    (void)state;
    assert_int_equal(stay_doc_parse(&back, "{\"a\":1,\"a\":2}", 13, "an index line", &err), -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 "an index line is not valid JSON: duplicate object key near '\"a\"'");
    assert_int_equal(stay_doc_parse(&back, "", 0, "an index line", &err), -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 "an index line is not valid JSON: '[' or '{' expected near end of file");
}

static void lists_of_absurd_depth_are_refused(void **state)
{
    enum { DEPTH = 1000000 };
    stay_auto_free char *deep = stay_malloc(DEPTH);
    struct stay_err err = {0};
    json_t *back;

    (void)state;
    memset(deep, '[', DEPTH);
    assert_int_equal(stay_doc_parse(&back, deep, DEPTH, "a snapshot", &err), -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 "a snapshot is not valid JSON: maximum parsing depth reached near '['");
}

static void members_come_as_their_types(void **state)
{
    stay_auto(json_decref) json_t *object = sample();
    struct stay_err err = {0};
    const json_t *inner;
    uint64_t wide;
    uint32_t narrow;
    int64_t when;

    (void)state;
    assert_ok(stay_doc_u64(object, "count", &wide, &err), err);
    assert_int_equal(wide, 17);
    assert_ok(stay_doc_u32(object, "count", &narrow, &err), err);
    assert_int_equal(narrow, 17);
    assert_ok(stay_doc_time(object, "when", &when, &err), err);
    assert_true(when == INT64_C(1795314600500000000));
    assert_ok(stay_doc_array(object, "list", &inner, &err), err);
    assert_int_equal(json_array_size(inner), 1);
    assert_ok(stay_doc_object(object, "object", &inner, &err), err);
    assert_int_equal(json_object_size(inner), 1);
}

static void a_member_that_is_missing_or_of_another_type_is_named(void **state)
{
    stay_auto(json_decref) json_t *object = sample();
    struct stay_err err = {0};
    const json_t *inner;
    const char *text;
    struct stay_id id;
    uint64_t wide;
    int64_t when;

    (void)state;
    assert_int_equal(stay_doc_string(object, "count", &text, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"count\" is missing or not a string");
    assert_int_equal(stay_doc_u64(object, "name", &wide, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"name\" is missing or not a number");
    assert_int_equal(stay_doc_id(object, "name", &id, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"name\" is missing or not a SHA-256");
    assert_int_equal(stay_doc_time(object, "name", &when, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"name\" is missing or not a time");
    assert_int_equal(stay_doc_array(object, "object", &inner, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"object\" is missing or not a list");
    assert_int_equal(stay_doc_object(object, "absent", &inner, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"absent\" is missing or not an object");
}

static void numbers_out_of_range_are_refused(void **state)
{
    stay_auto(json_decref) json_t *object =
        json_pack("{s:I, s:I, s:f}", "wide", (json_int_t)UINT32_MAX + 1, "negative", (json_int_t)-1,
                  "real", 1.5);
    struct stay_err err = {0};
    uint32_t narrow;
    uint64_t wide;

    (void)state;
    assert_int_equal(stay_doc_u32(object, "wide", &narrow, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, "member \"wide\" is missing or not a number in range");
    assert_ok(stay_doc_u64(object, "wide", &wide, &err), err);
    assert_int_equal(stay_doc_u64(object, "negative", &wide, &err), -1);
    assert_int_equal(stay_doc_u64(object, "real", &wide, &err), -1);
}

static void what_was_set_can_be_read(void **state)
{
    stay_auto(json_decref) json_t *object = json_object();
    struct stay_err err = {0};
    const char *text;
    uint64_t number;
    int64_t when;

    (void)state;
    stay_doc_set_text(object, "host", "shöp");
    stay_doc_set_text(object, "bytes", "sh\xf6p");
    stay_doc_set_u64(object, "number", INT64_MAX);
    stay_doc_set_time(object, "when", -1);
    assert_ok(stay_doc_string(object, "host", &text, &err), err);
    assert_string_equal(text, "shöp");
    assert_ok(stay_doc_string(object, "bytes", &text, &err), err);
    assert_string_equal(text, "sh?p");
    assert_ok(stay_doc_u64(object, "number", &number, &err), err);
    assert_true(number == INT64_MAX);
    assert_ok(stay_doc_time(object, "when", &when, &err), err);
    assert_int_equal(when, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_document_comes_back),
        cmocka_unit_test(the_seal_is_what_sha256sum_says_of_the_text_before_it),
        cmocka_unit_test(every_change_to_a_sealed_document_is_noticed),
        cmocka_unit_test(what_is_no_json_says_why),
        cmocka_unit_test(lists_of_absurd_depth_are_refused),
        cmocka_unit_test(members_come_as_their_types),
        cmocka_unit_test(a_member_that_is_missing_or_of_another_type_is_named),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(what_was_set_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
