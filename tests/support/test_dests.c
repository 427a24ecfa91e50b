/* tests/support/test_dests.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * memory_dest and failing_dest: what other tests rely on, so that none of them passes because a
 * failure that it ordered never came.
 */
#include "support/cmocka.h"
#include "support/failing_dest.h"
#include "support/memory_dest.h"

#include <limits.h>
#include <string.h>

/* A failing destination around one in memory. */
struct pair {
    struct stay_memory_dest *memory;
    struct stay_failing_dest *failing;
    struct backstay_error err;
};

static int setup(void **state)
{
    struct pair *pair = stay_new(struct pair);

    pair->memory = stay_memory_dest_new();
    pair->failing = stay_failing_dest_new(stay_memory_dest_ops(), pair->memory);
    pair->err.size = sizeof pair->err;
    *state = pair;
    return 0;
}

static int teardown(void **state)
{
    struct pair *pair = *state;

    stay_failing_dest_free(pair->failing);
    stay_memory_dest_free(pair->memory);
    free(pair);
    return 0;
}

static int put(struct pair *pair, const char *name, const char *text)
{
    return stay_failing_dest_ops()->put(pair->failing, name, text, strlen(text), &pair->err);
}

static void expect_content(struct pair *pair, const char *name, const char *text)
{
    stay_auto_buf struct stay_buf content = {0};

    assert_int_equal(stay_memory_dest_read(pair->memory, name, &content), 0);
    assert_string_equal(content.data, text);
}

static void without_rules_calls_pass_through(void **state)
{
    struct pair *pair = *state;
    char back[8] = "";
    size_t got = 0;

    assert_int_equal(put(pair, "a", "text"), 0);
    assert_int_equal(stay_failing_dest_ops()->get(pair->failing, "a", 1, back, 8, &got, &pair->err),
                     0);
    assert_int_equal(got, 3);
    assert_memory_equal(back, "ext", 3);
    assert_int_equal(stay_failing_dest_ops()->remove(pair->failing, "a", &pair->err), 0);
    assert_int_equal(stay_failing_dest_hits(pair->failing), 0);
    stay_auto_str char *log = stay_dest_log_text(stay_failing_dest_log(pair->failing));
    assert_string_equal(log, "put a 4 = 0\nget a 8 = 0\nremove a 0 = 0\n");
}

static void the_nth_matching_call_fails_and_no_other(void **state)
{
    struct pair *pair = *state;

    stay_failing_dest_add(pair->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_PUT,
                                                                     .prefix = "packs/",
                                                                     .nth = 2,
                                                                     .times = 2,
                                                                     .kind = BACKSTAY_ERR_SPACE});
    assert_int_equal(put(pair, "packs/1", "x"), 0);
    assert_int_equal(put(pair, "index/1", "x"), 0);
    assert_int_equal(put(pair, "packs/2", "x"), -1);
    assert_error(pair->err, BACKSTAY_ERR_SPACE, "made to fail: put packs/2");
    assert_int_equal(put(pair, "packs/3", "x"), -1);
    assert_int_equal(put(pair, "packs/4", "x"), 0);
    assert_int_equal(stay_failing_dest_hits(pair->failing), 2);
    assert_int_equal(stay_memory_dest_read(pair->memory, "packs/2", NULL),
                     STAY_MEMORY_DEST_MISSING);
}

static void puts_can_be_torn_lost_in_the_answer_or_silently_wrong(void **state)
{
    struct pair *pair = *state;
    static const struct {
        enum stay_failing_how how;
        int rc;
        const char *stored;
    } rows[] = {{STAY_FAILING_AFTER, -1, "12345678"},
                {STAY_FAILING_TORN, -1, "1234"},
                {STAY_FAILING_SHORT, 0, "1234"},
                {STAY_FAILING_CORRUPT, 0, "12245678"}};

    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        stay_failing_dest_heal(pair->failing);
        stay_failing_dest_add(pair->failing,
                              &(struct stay_failing_rule){.how = rows[i].how, .offset = 2});
        assert_int_equal(put(pair, "a", "12345678"), rows[i].rc);
        expect_content(pair, "a", rows[i].stored);
    }
    assert_int_equal(stay_failing_dest_hits(pair->failing), STAY_COUNT(rows));
}

static void gets_can_fail_fall_short_or_lie(void **state)
{
    struct pair *pair = *state;
    char back[8];
    size_t got;

    assert_int_equal(put(pair, "a", "12345678"), 0);
    stay_failing_dest_add(pair->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_GET,
                                                                     .how = STAY_FAILING_SHORT});
    stay_failing_dest_add(
        pair->failing,
        &(struct stay_failing_rule){.op = STAY_DEST_OP_GET, .nth = 2, .how = STAY_FAILING_CORRUPT});
    stay_failing_dest_add(
        pair->failing,
        &(struct stay_failing_rule){
            .op = STAY_DEST_OP_GET, .nth = 3, .times = UINT_MAX, .kind = BACKSTAY_ERR_TRANSIENT});
    const struct backstay_destination *ops = stay_failing_dest_ops();
    assert_int_equal(ops->get(pair->failing, "a", 0, back, 8, &got, &pair->err), 0);
    assert_int_equal(got, 4);
    assert_int_equal(ops->get(pair->failing, "a", 0, back, 8, &got, &pair->err), 0);
    assert_int_equal(got, 8);
    assert_memory_equal(back, "02345678", 8);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ops->get(pair->failing, "a", 0, back, 8, &got, &pair->err), -1);
        assert_int_equal(got, 0);
        assert_error(pair->err, BACKSTAY_ERR_TRANSIENT, "made to fail: get a");
    }
}

static int count_one(void *ctx, const struct backstay_object *object)
{
    (void)object;
    ++*(int *)ctx;
    return 0;
}

static void listings_can_be_incomplete(void **state)
{
    struct pair *pair = *state;
    int seen = 0;
    char name[] = "0";

    for (; name[0] < '6'; name[0]++)
        assert_int_equal(put(pair, name, "x"), 0);
    stay_failing_dest_add(pair->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_LIST,
                                                                     .how = STAY_FAILING_SHORT});
    const struct backstay_destination *ops = stay_failing_dest_ops();
    assert_int_equal(ops->list(pair->failing, "", count_one, &seen, &pair->err), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(ops->list(pair->failing, "", count_one, &seen, &pair->err), 0);
    assert_int_equal(seen, 9);
}

static void a_store_can_be_set_back_to_any_moment(void **state)
{
    struct pair *pair = *state;
    static const char *const contents[] = {"before", "first", "second", NULL, "third"};

    assert_int_equal(put(pair, "a", "before"), 0);
    stay_memory_dest_keep_history(pair->memory);
    assert_int_equal(put(pair, "a", "first"), 0);
    assert_int_equal(put(pair, "a", "second"), 0);
    assert_int_equal(stay_memory_dest_ops()->remove(pair->memory, "a", &pair->err), 0);
    assert_int_equal(put(pair, "a", "third"), 0);
    assert_int_equal(stay_memory_dest_changes(pair->memory), 4);
    for (size_t i = 0; i < STAY_COUNT(contents); i++) {
        stay_auto(stay_memory_dest_free) struct stay_memory_dest *past =
            stay_memory_dest_at(pair->memory, i);
        stay_auto_buf struct stay_buf content = {0};
        int rc = stay_memory_dest_read(past, "a", &content);
        assert_int_equal(rc, contents[i] ? 0 : STAY_MEMORY_DEST_MISSING);
        assert_int_equal(stay_memory_dest_bytes(past), contents[i] ? strlen(contents[i]) : 0);
        if (contents[i])
            assert_string_equal(content.data, contents[i]);
    }
}

static void a_store_has_the_capacity_that_it_was_given(void **state)
{
    struct pair *pair = *state;
    struct backstay_space space = {.size = sizeof space};

    stay_memory_dest_set_capacity(pair->memory, 10);
    assert_int_equal(put(pair, "a", "123456"), 0);
    assert_int_equal(put(pair, "b", "12345"), -1);
    assert_error(pair->err, BACKSTAY_ERR_SPACE, "the memory destination is full");
    assert_int_equal(put(pair, "a", "1234567890"), 0);
    assert_int_equal(stay_memory_dest_ops()->space(pair->memory, &space, &pair->err), 0);
    assert_int_equal(space.known, 1);
    assert_int_equal(space.free_bytes, 0);
    assert_int_equal(stay_memory_dest_remove(pair->memory, "a"), 0);
    assert_int_equal(put(pair, "b", "12345"), 0);
}

static void note_call(void *ctx, enum stay_dest_op op, const char *name)
{
    stay_buf_printf(ctx, "%s %s;", stay_dest_op_name(op), name);
}

static void a_hook_sees_each_call_before_it_is_made(void **state)
{
    struct pair *pair = *state;
    stay_auto_buf struct stay_buf calls = {0};

    stay_memory_dest_set_hook(pair->memory, note_call, &calls);
    assert_int_equal(put(pair, "a", "x"), 0);
    assert_int_equal(stay_memory_dest_ops()->remove(pair->memory, "b", &pair->err),
                     BACKSTAY_MISSING);
    assert_string_equal(calls.data, "put a;remove b;");
    assert_int_equal(stay_dest_log_count(stay_memory_dest_log(pair->memory), STAY_DEST_OP_ANY, ""),
                     2);
    assert_int_equal(
        stay_dest_log_count(stay_memory_dest_log(pair->memory), STAY_DEST_OP_REMOVE, "b"), 1);
}

int main(void)
{
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PAIR(without_rules_calls_pass_through),
        WITH_PAIR(the_nth_matching_call_fails_and_no_other),
        WITH_PAIR(puts_can_be_torn_lost_in_the_answer_or_silently_wrong),
        WITH_PAIR(gets_can_fail_fall_short_or_lie),
        WITH_PAIR(listings_can_be_incomplete),
        WITH_PAIR(a_store_can_be_set_back_to_any_moment),
        WITH_PAIR(a_store_has_the_capacity_that_it_was_given),
        WITH_PAIR(a_hook_sees_each_call_before_it_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
