/* tests/unit/plugin/test_dest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * dest: retries, cancellation, and what it makes of the answers of a plugin, good and bad.
 */
#include "plugin/dest.h"

#include "plugin/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A store of one object that fails as often as it is told to. */
struct fake {
    int failures; /* how many calls fail before one works */
    int kind;     /* of those failures */
    bool effect;  /* a failing call has done its work all the same */
    int calls;
    bool there;
    char content[4096];
    size_t len;
    size_t most_per_get; /* 0: no limit */
    int64_t waits[8];
    size_t n_waits;
    struct stay_cancel cancel;
    int cancel_at_wait; /* the wait that is interrupted, from 1 */
    int outcome;        /* not 0: what space() and check() answer */
};

static int trouble(struct fake *fake, struct backstay_error *err)
{
    fake->calls++;
    if (fake->calls > fake->failures)
        return 0;
    err->kind = fake->kind;
    (void)snprintf(err->text, sizeof err->text, "no answer to call %d", fake->calls);
    return -1;
}

static void store(struct fake *fake, const void *data, size_t len)
{
    assert_true(len <= sizeof fake->content);
    fake->there = true;
    fake->len = len;
    memcpy(fake->content, data, len);
}

static int fake_put(void *self, const char *name, const void *data, size_t len,
                    struct backstay_error *err)
{
    struct fake *fake = self;

    (void)name;
    if (trouble(fake, err) < 0)
        return -1;
    store(fake, data, len);
    return 0;
}

static int fake_put_if_absent(void *self, const char *name, const void *data, size_t len,
                              struct backstay_error *err)
{
    struct fake *fake = self;
    bool taken = fake->there;

    (void)name;
    int outcome = trouble(fake, err);
    if (!taken && (outcome == 0 || fake->effect))
        store(fake, data, len);
    if (outcome < 0)
        return -1;
    return taken ? BACKSTAY_EXISTS : 0;
}

static int fake_get(void *self, const char *name, uint64_t offset, void *data, size_t len,
                    size_t *got, struct backstay_error *err)
{
    struct fake *fake = self;

    (void)name;
    if (trouble(fake, err) < 0)
        return -1;
    if (!fake->there)
        return BACKSTAY_MISSING;
    size_t left = offset < fake->len ? fake->len - (size_t)offset : 0;
    *got = STAY_MIN(left, len);
    if (fake->most_per_get)
        *got = STAY_MIN(*got, fake->most_per_get);
    memcpy(data, fake->content + (left ? offset : 0), *got);
    return 0;
}

static int fake_list(void *self, const char *prefix,
                     int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
                     struct backstay_error *err)
{
    static const char *const names[] = {"b/2", "a", "b/1", "b"};
    struct fake *fake = self;

    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        struct backstay_object object = {.size = sizeof object, .name = names[i], .bytes = i};
        if (i == 2 && trouble(fake, err) < 0)
            return -1;
        if (stay_str_starts(names[i], prefix) && each(ctx, &object) != 0)
            return 1;
    }
    return 0;
}

static int fake_remove(void *self, const char *name, struct backstay_error *err)
{
    struct fake *fake = self;
    bool there = fake->there;

    (void)name;
    int outcome = trouble(fake, err);
    if (outcome == 0 || fake->effect)
        fake->there = false;
    if (outcome < 0)
        return -1;
    return there ? 0 : BACKSTAY_MISSING;
}

static int fake_space(void *self, struct backstay_space *out, struct backstay_error *err)
{
    struct fake *fake = self;

    if (trouble(fake, err) < 0)
        return -1;
    out->known = 1;
    out->free_bytes = 77;
    return fake->outcome;
}

static int fake_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    (void)report;
    return trouble(self, err);
}

static const struct backstay_destination fake_ops = {
    .size = sizeof fake_ops,
    .check = fake_check,
    .put = fake_put,
    .put_if_absent = fake_put_if_absent,
    .get = fake_get,
    .list = fake_list,
    .remove = fake_remove,
    .space = fake_space,
};

static void remember_wait(void *ctx, int64_t most_ns, const struct stay_cancel *cancel)
{
    struct fake *fake = ctx;

    assert_true(fake->n_waits < STAY_COUNT(fake->waits));
    fake->waits[fake->n_waits++] = most_ns;
    assert_ptr_equal(cancel, &fake->cancel);
    if (fake->cancel_at_wait == (int)fake->n_waits)
        stay_cancel_request(&fake->cancel, 2);
}

static struct stay_dest *wrap(struct fake *fake)
{
    struct stay_dest *dest = stay_dest_wrap("offsite", &fake_ops, fake, &fake->cancel);

    stay_dest_set_wait(dest, remember_wait, fake);
    return dest;
}

static void transient_failures_are_tried_again_with_growing_waits(void **state)
{
    struct fake fake = {.failures = 4, .kind = BACKSTAY_ERR_TRANSIENT};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    const int64_t expected[] = {100 * STAY_NS_PER_MS, 200 * STAY_NS_PER_MS, 400 * STAY_NS_PER_MS,
                                800 * STAY_NS_PER_MS};

    (void)state;
    assert_int_equal(stay_dest_put(dest, "x", "abc", 3, NULL), 0);
    assert_int_equal(fake.calls, 5);
    assert_int_equal(fake.n_waits, 4);
    assert_memory_equal(fake.waits, expected, sizeof expected);
    assert_memory_equal(fake.content, "abc", 3);
}

static void the_fifth_failure_is_final(void **state)
{
    struct fake fake = {.failures = 99, .kind = BACKSTAY_ERR_TRANSIENT};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_put(dest, "x", "abc", 3, &err), -1);
    assert_int_equal(fake.calls, 5);
    assert_string_equal(err.text, "destination offsite: after 5 tries: no answer to call 5");
    assert_int_equal(err.kind, STAY_ERR_TRANSIENT);
    assert_int_equal(err.origin, STAY_ORIGIN_DESTINATION);
}

static void other_failures_are_not_tried_again(void **state)
{
    struct fake fake = {.failures = 1, .kind = BACKSTAY_ERR_SPACE};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_put(dest, "x", "abc", 3, &err), -1);
    assert_int_equal(fake.calls, 1);
    assert_int_equal(fake.n_waits, 0);
    assert_string_equal(err.text, "destination offsite: no answer to call 1");
    assert_int_equal(err.kind, STAY_ERR_SPACE);
}

static void cancelling_during_a_wait_ends_the_tries(void **state)
{
    struct fake fake = {.failures = 99, .kind = BACKSTAY_ERR_TRANSIENT, .cancel_at_wait = 2};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_put(dest, "x", "abc", 3, &err), -1);
    assert_int_equal(fake.calls, 2);
    assert_string_equal(err.text, "stopped on request");
    assert_int_equal(err.kind, STAY_ERR_CANCELLED);
}

static void the_real_wait_ends_early_when_cancelled(void **state)
{
    struct fake fake = {.failures = 99, .kind = BACKSTAY_ERR_TRANSIENT};
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("offsite", &fake_ops, &fake, &fake.cancel);
    struct stay_err err = {0};

    (void)state;
    stay_cancel_request(&fake.cancel, 15);
    assert_int_equal(stay_dest_put(dest, "x", "abc", 3, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_CANCELLED);
    assert_int_equal(fake.calls, 1);
}

static void work_is_still_done_after_cancelling(void **state)
{
    struct fake fake = {.there = true};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);

    (void)state;
    stay_cancel_request(&fake.cancel, 15);
    assert_int_equal(stay_dest_remove(dest, "locks/x", NULL), 0);
    assert_false(fake.there);
}

static void put_if_absent_says_when_somebody_else_was_first(void **state)
{
    struct fake fake = {.there = true, .content = "theirs", .len = 6};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);

    (void)state;
    assert_int_equal(stay_dest_put_if_absent(dest, "x", "theirs", 6, NULL), STAY_DEST_EXISTS);
    assert_int_equal(fake.calls, 1);
}

static void put_if_absent_recognises_its_own_lost_answer(void **state)
{
    struct fake fake = {.failures = 1, .kind = BACKSTAY_ERR_TRANSIENT, .effect = true};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);

    (void)state;
    assert_int_equal(stay_dest_put_if_absent(dest, "x", "ours", 4, NULL), 0);
    assert_true(fake.there);
}

static void put_if_absent_after_a_failure_does_not_claim_what_others_stored(void **state)
{
    const char *const others[] = {"them", "longer than ours", "", "o"};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(others); i++) {
        struct fake fake = {.failures = 1, .kind = BACKSTAY_ERR_TRANSIENT, .there = true};
        stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);

        store(&fake, others[i], strlen(others[i]));
        assert_int_equal(stay_dest_put_if_absent(dest, "x", "ours", 4, NULL), STAY_DEST_EXISTS);
    }
}

static void remove_recognises_its_own_lost_answer(void **state)
{
    struct fake fake = {
        .failures = 1, .kind = BACKSTAY_ERR_TRANSIENT, .effect = true, .there = true};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);

    (void)state;
    assert_int_equal(stay_dest_remove(dest, "x", NULL), 0);
    assert_int_equal(stay_dest_remove(dest, "x", NULL), STAY_DEST_MISSING);
}

static void get_collects_what_comes_in_pieces(void **state)
{
    struct fake fake = {.there = true, .content = "0123456789", .len = 10, .most_per_get = 3};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    char data[8] = {0};

    (void)state;
    assert_int_equal(stay_dest_get(dest, "x", 2, data, 7, NULL), 0);
    assert_string_equal(data, "2345678");
    assert_int_equal(fake.calls, 3);
}

static void get_past_the_end_is_corruption(void **state)
{
    struct fake fake = {.there = true, .content = "0123456789", .len = 10};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct stay_err err = {0};
    char data[8];

    (void)state;
    assert_int_equal(stay_dest_get(dest, "packs/x", 5, data, 8, &err), -1);
    assert_string_equal(err.text, "destination offsite: packs/x ends 3 bytes before the end of the "
                                  "range that was asked for");
    assert_int_equal(err.kind, STAY_ERR_CORRUPT);
    assert_int_equal(err.origin, STAY_ORIGIN_DESTINATION);
}

static void get_of_nothing_is_an_outcome(void **state)
{
    struct fake fake = {0};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    stay_auto_buf struct stay_buf all = {0};
    char data[1];

    (void)state;
    assert_int_equal(stay_dest_get(dest, "x", 0, data, 1, NULL), STAY_DEST_MISSING);
    assert_int_equal(stay_dest_get_all(dest, "x", 10, &all, NULL), STAY_DEST_MISSING);
}

static void get_all_appends_the_whole_object(void **state)
{
    struct fake fake = {.there = true, .content = "0123456789", .len = 10};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    stay_auto_buf struct stay_buf all = {0};

    (void)state;
    stay_buf_str(&all, "before ");
    assert_int_equal(stay_dest_get_all(dest, "x", 10, &all, NULL), 0);
    assert_string_equal(all.data, "before 0123456789");
}

static void get_all_refuses_an_object_above_its_limit(void **state)
{
    struct fake fake = {.there = true, .content = "0123456789", .len = 10};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    stay_auto_buf struct stay_buf all = {0};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_get_all(dest, "x", 9, &all, &err), -1);
    assert_string_equal(err.text, "destination offsite: x is larger than 9 bytes");
    assert_int_equal(err.kind, STAY_ERR_CORRUPT);
    assert_int_equal(all.len, 0);
}

static void a_list_is_sorted_and_not_doubled_by_a_retry(void **state)
{
    struct fake fake = {.failures = 2, .kind = BACKSTAY_ERR_TRANSIENT};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    stay_auto_dest_list struct stay_dest_list list = {0};

    (void)state;
    assert_int_equal(stay_dest_list(dest, "b", &list, NULL), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.items[0].name, "b");
    assert_string_equal(list.items[1].name, "b/1");
    assert_string_equal(list.items[2].name, "b/2");
    assert_int_equal(list.items[1].bytes, 2);
}

static void a_cancelled_list_stops(void **state)
{
    struct fake fake = {0};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    stay_auto_dest_list struct stay_dest_list list = {0};
    struct stay_err err = {0};

    (void)state;
    stay_cancel_request(&fake.cancel, 2);
    assert_int_equal(stay_dest_list(dest, "", &list, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_CANCELLED);
    assert_int_equal(list.n, 0);
}

static void an_answer_outside_of_the_contract_is_an_error(void **state)
{
    struct fake fake = {.outcome = 5};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct backstay_space space;
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_space(dest, &space, &err), -1);
    assert_string_equal(err.text, "destination offsite: the plugin answered space with 5, which "
                                  "means nothing");
}

static void check_is_never_repeated(void **state)
{
    struct fake fake = {.failures = 1, .kind = BACKSTAY_ERR_TRANSIENT};
    stay_auto(stay_dest_free) struct stay_dest *dest = wrap(&fake);
    struct backstay_report report = {.size = sizeof report};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_dest_check(dest, &report, &err), -1);
    assert_string_equal(err.text, "destination offsite: no answer to call 1");
    assert_int_equal(fake.calls, 1);
}

static void functions_beyond_the_size_of_an_older_plugin_are_not_called(void **state)
{
    struct backstay_destination older = fake_ops;
    struct fake fake = {0};
    struct stay_err err = {0};
    char data[1];

    (void)state;
    older.size = offsetof(struct backstay_destination, get);
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("offsite", &older, &fake, NULL);
    assert_int_equal(stay_dest_put(dest, "x", "a", 1, &err), 0);
    assert_int_equal(stay_dest_get(dest, "x", 0, data, 1, &err), -1);
    assert_string_equal(err.text, "destination offsite: its plugin cannot read objects");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    struct backstay_space space;
    assert_int_equal(stay_dest_space(dest, &space, &err), 0);
    assert_int_equal(space.known, 0);
}

/* Opening: the object is created by the plugin. */
static struct fake opened;
static int closed;

static int fake_open(const struct backstay_host *host, int create, void **self,
                     struct backstay_error *err)
{
    assert_string_equal(host->name, "offsite");
    assert_int_equal(create, 1);
    if (trouble(&opened, err) < 0)
        return -1;
    *self = &opened;
    return 0;
}

static void fake_close(void *self)
{
    assert_ptr_equal(self, &opened);
    closed++;
}

static const struct backstay_destination opening_ops = {
    .size = sizeof opening_ops, .open = fake_open, .close = fake_close, .put = fake_put};

static struct stay_host *make_host(const struct stay_cancel *cancel)
{
    const struct backstay_plugin plugin = {
        .size = sizeof plugin, .kind = BACKSTAY_DESTINATION, .name = "fake"};
    const struct stay_host_env env = {.name = "offsite", .cancel = cancel};
    struct stay_host *host = NULL;

    assert_int_equal(stay_host_new(&host, &plugin, NULL, 0, &env, NULL), 0);
    return host;
}

static void an_opened_destination_is_closed_once(void **state)
{
    struct stay_dest *dest = NULL;

    (void)state;
    opened = (struct fake){0};
    closed = 0;
    assert_int_equal(stay_dest_open(&dest, make_host(NULL), &opening_ops, true, NULL), 0);
    assert_string_equal(stay_dest_name(dest), "offsite");
    stay_dest_free(dest);
    assert_int_equal(closed, 1);
}

static void a_destination_that_did_not_open_is_not_closed(void **state)
{
    struct stay_dest *dest = NULL;
    struct stay_err err = {0};

    (void)state;
    opened = (struct fake){.failures = 1, .kind = BACKSTAY_ERR_AUTH};
    closed = 0;
    assert_int_equal(stay_dest_open(&dest, make_host(NULL), &opening_ops, true, &err), -1);
    assert_string_equal(err.text, "destination offsite: no answer to call 1");
    assert_int_equal(err.kind, STAY_ERR_AUTH);
    assert_null(dest);
    assert_int_equal(closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transient_failures_are_tried_again_with_growing_waits),
        cmocka_unit_test(the_fifth_failure_is_final),
        cmocka_unit_test(other_failures_are_not_tried_again),
        cmocka_unit_test(cancelling_during_a_wait_ends_the_tries),
        cmocka_unit_test(the_real_wait_ends_early_when_cancelled),
        cmocka_unit_test(work_is_still_done_after_cancelling),
        cmocka_unit_test(put_if_absent_says_when_somebody_else_was_first),
        cmocka_unit_test(put_if_absent_recognises_its_own_lost_answer),
        cmocka_unit_test(put_if_absent_after_a_failure_does_not_claim_what_others_stored),
        cmocka_unit_test(remove_recognises_its_own_lost_answer),
        cmocka_unit_test(get_collects_what_comes_in_pieces),
        cmocka_unit_test(get_past_the_end_is_corruption),
        cmocka_unit_test(get_of_nothing_is_an_outcome),
        cmocka_unit_test(get_all_appends_the_whole_object),
        cmocka_unit_test(get_all_refuses_an_object_above_its_limit),
        cmocka_unit_test(a_list_is_sorted_and_not_doubled_by_a_retry),
        cmocka_unit_test(a_cancelled_list_stops),
        cmocka_unit_test(an_answer_outside_of_the_contract_is_an_error),
        cmocka_unit_test(check_is_never_repeated),
        cmocka_unit_test(functions_beyond_the_size_of_an_older_plugin_are_not_called),
        cmocka_unit_test(an_opened_destination_is_closed_once),
        cmocka_unit_test(a_destination_that_did_not_open_is_not_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
