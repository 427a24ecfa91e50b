/* tests/unit/base/test_buf.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * buf: every operation against a plain array that does the same.
 */
#include "base/buf.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void an_empty_buffer_needs_no_memory(void **state)
{
    struct stay_buf buf = {0};

    (void)state;
    stay_buf_clear(&buf);
    stay_buf_consume(&buf, 0);
    assert_null(buf.data);
    stay_buf_add(&buf, NULL, 0);
    assert_string_equal(buf.data, "");
    stay_buf_free(&buf);
    assert_null(buf.data);
    stay_buf_free(&buf);
}

static void what_is_added_is_text_at_every_moment(void **state)
{
    stay_auto_buf struct stay_buf buf = {0};

    (void)state;
    stay_buf_str(&buf, "a");
    assert_string_equal(buf.data, "a");
    stay_buf_char(&buf, 'b');
    assert_string_equal(buf.data, "ab");
    stay_buf_printf(&buf, "-%s-%03d", "c", 7);
    assert_string_equal(buf.data, "ab-c-007");
    stay_buf_printf(&buf, "%s", "");
    assert_string_equal(buf.data, "ab-c-007");
    stay_buf_hex(&buf, "\x00\xff", 2);
    assert_string_equal(buf.data, "ab-c-00700ff");
    stay_buf_consume(&buf, 3);
    assert_string_equal(buf.data, "c-00700ff");
    stay_buf_clear(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len, 0);
}

static void numbers_are_written_as_printf_does(void **state)
{
    static const uint64_t edges[] = {
        0, 1, 9, 10, 99, 100, UINT32_MAX, INT64_MAX, UINT64_MAX, (uint64_t)INT64_MAX + 1};
    struct stay_random random = {1};
    char expected[64];

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        stay_auto_buf struct stay_buf buf = {0};
        uint64_t value = i < STAY_COUNT(edges)
                             ? edges[i]
                             : stay_random_next(&random) >> stay_random_below(&random, 64);
        stay_buf_u64(&buf, value);
        stay_buf_char(&buf, ' ');
        stay_buf_i64(&buf, (int64_t)value);
        (void)snprintf(expected, sizeof expected, "%" PRIu64 " %" PRId64, value, (int64_t)value);
        assert_string_equal(buf.data, expected);
    }
}

static void taking_hands_over_the_memory(void **state)
{
    struct stay_buf buf = {0};
    stay_auto_str char *nothing = stay_buf_take(&buf);

    (void)state;
    assert_string_equal(nothing, "");
    stay_buf_str(&buf, "text");
    stay_auto_str char *text = stay_buf_take(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
}

enum { REFERENCE_BYTES = 1 << 16 };

struct reference {
    char data[REFERENCE_BYTES];
    size_t len;
};

static void random_step(struct stay_random *random, struct stay_buf *buf, struct reference *ref)
{
    char bytes[300];
    size_t len = stay_random_below(random, sizeof bytes);

    stay_random_fill(random, bytes, len);
    switch (stay_random_below(random, 8)) {
    case 0:
        len = stay_random_below(random, ref->len + 1);
        stay_buf_consume(buf, len);
        memmove(ref->data, ref->data + len, ref->len - len);
        ref->len -= len;
        return;
    case 1:
        if (stay_random_below(random, 50) == 0) {
            stay_buf_clear(buf);
            ref->len = 0;
        }
        return;
    case 2: {
        char *to = stay_buf_reserve(buf, len);
        if (len)
            memcpy(to, bytes, len);
        buf->len += len;
        break;
    }
    default:
        stay_buf_add(buf, bytes, len);
    }
    memcpy(ref->data + ref->len, bytes, len);
    ref->len += len;
}

static void random_operations_agree_with_an_array(void **state)
{
    static struct reference ref;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stay_auto_buf struct stay_buf buf = {0};
        struct stay_random random = {seed};
        ref.len = 0;
        for (int step = 0; step < 1000 && ref.len < REFERENCE_BYTES - 600; step++) {
            random_step(&random, &buf, &ref);
            assert_int_equal(buf.len, ref.len);
            if (ref.len)
                assert_memory_equal(buf.data, ref.data, ref.len);
            assert_true(buf.len == 0 || buf.cap > buf.len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_needs_no_memory),
        cmocka_unit_test(what_is_added_is_text_at_every_moment),
        cmocka_unit_test(numbers_are_written_as_printf_does),
        cmocka_unit_test(taking_hands_over_the_memory),
        cmocka_unit_test(random_operations_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
