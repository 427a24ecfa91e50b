/* tests/conformance/destination/suite.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * One caller at a time: storing, reading, removing, names, cancellation, reopening.
 */
#include "suite.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <string.h>

static const struct suite_factory *the_factory;

int suite_setup(void **state)
{
    struct suite_dest *dest = stay_new(struct suite_dest);

    *state = dest;
    the_factory->open(dest);
    return 0;
}

int suite_teardown(void **state)
{
    struct suite_dest *dest = *state;

    the_factory->close(dest);
    free(dest);
    return 0;
}

void suite_put(struct suite_dest *dest, const char *name, const void *data, size_t len)
{
    struct backstay_error err = {.size = sizeof err};

    if (dest->ops->put(dest->self, name, data, len, &err) != 0)
        fail_msg("put %s: %s", name, err.text);
}

void suite_expect(struct suite_dest *dest, const char *name, const void *data, size_t len)
{
    struct backstay_error err = {.size = sizeof err};
    stay_auto_free char *back = stay_malloc(len + 1);
    size_t got = 0;
    int rc = dest->ops->get(dest->self, name, 0, back, len + 1, &got, &err);

    if (rc != 0)
        fail_msg("get %s gives %d: %s", name, rc, err.text);
    assert_int_equal(got, len);
    if (len)
        assert_memory_equal(back, data, len);
}

void suite_expect_missing(struct suite_dest *dest, const char *name)
{
    struct backstay_error err = {.size = sizeof err};
    size_t got = 42;
    char byte;
    int rc = dest->ops->get(dest->self, name, 0, &byte, 1, &got, &err);

    if (rc != BACKSTAY_MISSING)
        fail_msg("get %s gives %d: %s", name, rc, err.text);
    assert_int_equal(got, 0);
}

static void an_empty_object_is_an_object(void **state)
{
    static const char *const names[] = {"empty"};

    suite_put(*state, "empty", NULL, 0);
    suite_expect(*state, "empty", NULL, 0);
    suite_expect_list(*state, "", names, 1);
}

static void a_large_object_comes_back_whole(void **state)
{
    size_t len = (5U << 20) + 1;
    stay_auto_free char *data = stay_malloc(len);
    struct stay_random random = {1};

    stay_random_fill(&random, data, len);
    suite_put(*state, "packs/ab/large.tar", data, len);
    suite_expect(*state, "packs/ab/large.tar", data, len);
}

static void putting_again_replaces(void **state)
{
    suite_put(*state, "a", "first, and longer", 17);
    suite_put(*state, "a", "second", 6);
    suite_expect(*state, "a", "second", 6);
    suite_put(*state, "a", NULL, 0);
    suite_expect(*state, "a", NULL, 0);
}

static void only_the_first_puts_what_is_absent(void **state)
{
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};

    assert_int_equal(dest->ops->put_if_absent(dest->self, "x/a", "one", 3, &err), 0);
    assert_int_equal(dest->ops->put_if_absent(dest->self, "x/a", "two!", 4, &err), BACKSTAY_EXISTS);
    suite_expect(dest, "x/a", "one", 3);
    suite_put(dest, "b", "put", 3);
    assert_int_equal(dest->ops->put_if_absent(dest->self, "b", NULL, 0, &err), BACKSTAY_EXISTS);
    suite_expect(dest, "b", "put", 3);
    assert_int_equal(dest->ops->remove(dest->self, "b", &err), 0);
    assert_int_equal(dest->ops->put_if_absent(dest->self, "b", NULL, 0, &err), 0);
    suite_expect(dest, "b", NULL, 0);
}

static void ranges_are_cut_at_the_end(void **state)
{
    enum { LEN = 1000, GUARD = 16 };
    static const struct {
        uint64_t offset;
        size_t len;
        size_t got;
    } rows[] = {{0, 0, 0},           {0, 1, 1},         {0, LEN, LEN},         {0, LEN + 1, LEN},
                {LEN - 1, 1, 1},     {LEN - 1, 10, 1},  {LEN, 0, 0},           {LEN, 10, 0},
                {LEN + 1, 10, 0},    {500, 100, 100},   {LEN - 100, 100, 100}, {1ULL << 40, 10, 0},
                {UINT64_MAX, 10, 0}, {INT64_MAX, 10, 0}};
    struct suite_dest *dest = *state;
    struct stay_random random = {2};
    char data[LEN];
    char back[LEN + 1 + GUARD];

    stay_random_fill(&random, data, LEN);
    suite_put(dest, "ranges", data, LEN);
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct backstay_error err = {.size = sizeof err};
        size_t got = 42;
        memset(back, 'g', sizeof back);
        int rc =
            dest->ops->get(dest->self, "ranges", rows[i].offset, back, rows[i].len, &got, &err);
        if (rc != 0 || got != rows[i].got)
            fail_msg("get of %zu at %llu gives %d and %zu: %s", rows[i].len,
                     (unsigned long long)rows[i].offset, rc, got, err.text);
        if (got)
            assert_memory_equal(back, data + rows[i].offset, got);
        for (size_t j = rows[i].len; j < sizeof back; j++)
            assert_int_equal(back[j], 'g');
    }
}

static void random_ranges_are_the_objects_bytes(void **state)
{
    size_t len = 300000;
    stay_auto_free char *data = stay_malloc(len);
    stay_auto_free char *back = stay_malloc(len);
    struct suite_dest *dest = *state;
    struct stay_random random = {3};

    stay_random_fill(&random, data, len);
    suite_put(dest, "r", data, len);
    for (int i = 0; i < 200; i++) {
        struct backstay_error err = {.size = sizeof err};
        size_t offset = stay_random_below(&random, len);
        size_t want = 1 + stay_random_below(&random, len - offset);
        size_t got = 0;
        assert_int_equal(dest->ops->get(dest->self, "r", offset, back, want, &got, &err), 0);
        assert_int_equal(got, want);
        assert_memory_equal(back, data + offset, want);
    }
}

static void what_was_never_put_is_missing(void **state)
{
    static const char *const names[] = {"none", "no/such/folder", "a/b/none", "a/b/c/below", "a/b",
                                        "a",    "a/b/cc"};
    struct suite_dest *dest = *state;

    suite_put(dest, "a/b/c", "x", 1);
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        struct backstay_error err = {.size = sizeof err};
        suite_expect_missing(dest, names[i]);
        int rc = dest->ops->remove(dest->self, names[i], &err);
        if (rc != BACKSTAY_MISSING)
            fail_msg("remove %s gives %d: %s", names[i], rc, err.text);
    }
    suite_expect(dest, "a/b/c", "x", 1);
}

static void what_was_removed_is_gone_and_nothing_else(void **state)
{
    static const char *const rest[] = {"p/a", "p/ab", "p/b/c"};
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};

    suite_put(dest, "p/a", "1", 1);
    suite_put(dest, "p/ab", "2", 1);
    suite_put(dest, "p/b/c", "3", 1);
    suite_put(dest, "p/b/d", "4", 1);
    assert_int_equal(dest->ops->remove(dest->self, "p/b/d", &err), 0);
    suite_expect_missing(dest, "p/b/d");
    suite_expect_list(dest, "", rest, STAY_COUNT(rest));
    assert_int_equal(dest->ops->remove(dest->self, "p/b/d", &err), BACKSTAY_MISSING);
    suite_put(dest, "p/b/d", "again", 5);
    suite_expect(dest, "p/b/d", "again", 5);
}

static void names_at_the_limits_are_allowed(void **state)
{
    char longest[256];
    static const char deep[] = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z";

    memset(longest, 'n', 255);
    longest[255] = '\0';
    const char *const names[] = {"a",       "Z.-_09", "..a", "a..", "...",
                                 ".hidden", "-x",     "_",   deep,  longest};
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        suite_put(*state, names[i] == names[0] ? "single" : names[i], names[i], strlen(names[i]));
    for (size_t i = 1; i < STAY_COUNT(names); i++)
        suite_expect(*state, names[i], names[i], strlen(names[i]));
}

static void expect_refused(int rc, const struct backstay_error *err, const char *what,
                           const char *name)
{
    if (rc != -1 || err->kind == BACKSTAY_ERR_NONE || err->kind == BACKSTAY_ERR_TRANSIENT ||
        err->text[0] == '\0')
        fail_msg("%s \"%s\" gives %d, kind %d: %s", what, name, rc, err->kind, err->text);
}

static void names_that_are_none_are_refused(void **state)
{
    char longer[257];
    struct suite_dest *dest = *state;

    memset(longer, 'n', 256);
    longer[256] = '\0';
    const char *const names[] = {"",     "/",    "/a",  "a/",    "a//b",      ".",     "..",
                                 "../a", "a/..", "./a", "a/./b", "a/../../b", "a b",   "a\nb",
                                 "a*",   "a\\b", "a:b", "a%2fb", "\xc3\xb6",  "a\x01", longer};
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        struct backstay_error err[4];
        size_t got = 0;
        char byte;
        for (size_t j = 0; j < 4; j++)
            err[j] = (struct backstay_error){.size = sizeof err[j]};
        expect_refused(dest->ops->put(dest->self, names[i], "x", 1, &err[0]), &err[0], "put",
                       names[i]);
        expect_refused(dest->ops->put_if_absent(dest->self, names[i], "x", 1, &err[1]), &err[1],
                       "put_if_absent", names[i]);
        expect_refused(dest->ops->get(dest->self, names[i], 0, &byte, 1, &got, &err[2]), &err[2],
                       "get", names[i]);
        expect_refused(dest->ops->remove(dest->self, names[i], &err[3]), &err[3], "remove",
                       names[i]);
    }
    suite_expect_list(dest, "", NULL, 0);
}

static void objects_are_there_after_reopening(void **state)
{
    static const char *const names[] = {"backstay.json", "packs/00/x.tar", "snapshots/db/y.json"};
    struct backstay_error err = {.size = sizeof err};
    struct suite_dest *dest = *state;

    for (size_t i = 0; i < STAY_COUNT(names); i++)
        suite_put(dest, names[i], names[i], strlen(names[i]));
    the_factory->reopen(dest);
    suite_expect_list(dest, "", names, STAY_COUNT(names));
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        suite_expect(dest, names[i], names[i], strlen(names[i]));
    assert_int_equal(dest->ops->put_if_absent(dest->self, names[0], "x", 1, &err), BACKSTAY_EXISTS);
}

static void a_cancelled_put_stores_all_or_nothing(void **state)
{
    size_t len = 24U << 20;
    stay_auto_free char *data = stay_malloc(len);
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    struct backstay_error list_err = {.size = sizeof list_err};

    memset(data, 'c', len);
    stay_cancel_request(&dest->cancel, 2);
    int rc = dest->ops->put(dest->self, "c/large", data, len, &err);
    stay_cancel_request(&dest->cancel, 0);
    if (rc == 0) {
        suite_expect(dest, "c/large", data, len);
        return;
    }
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
    suite_expect_missing(dest, "c/large");
    suite_expect_list(dest, "", NULL, 0);
    suite_put(dest, "c/large", "works again", 11);
}

static int count_one(void *ctx, const struct backstay_object *object)
{
    (void)object;
    ++*(int *)ctx;
    return 0;
}

static void a_cancelled_listing_is_an_error(void **state)
{
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    int seen = 0;

    suite_put(dest, "a", "x", 1);
    stay_cancel_request(&dest->cancel, 15);
    assert_int_equal(dest->ops->list(dest->self, "", count_one, &seen, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
    assert_true(err.text[0] != '\0');
}

static void space_makes_sense_where_it_is_known(void **state)
{
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    struct backstay_space space = {.size = sizeof space};

    assert_int_equal(dest->ops->space(dest->self, &space, &err), 0);
    assert_true(space.known <= 1);
    if (space.known)
        assert_true(space.free_bytes <= space.total_bytes && space.total_bytes > 0);
}

struct findings {
    struct backstay_report report;
    int n;
    int worst;
    char last[512];
};

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...)
{
    struct findings *findings = report->ctx;
    va_list ap;

    findings->n++;
    if (severity > findings->worst)
        findings->worst = severity;
    assert_true(subject[0] != '\0');
    va_start(ap, fmt);
    (void)vsnprintf(findings->last, sizeof findings->last, fmt, ap);
    va_end(ap);
    assert_true(findings->last[0] != '\0');
}

static void checking_finds_nothing_bad_and_leaves_nothing(void **state)
{
    static const char *const names[] = {"a"};
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    struct findings findings = {.report = {.size = sizeof findings.report}};

    suite_put(dest, "a", "x", 1);
    findings.report.ctx = &findings;
    findings.report.finding = take_finding;
    assert_int_equal(dest->ops->check(dest->self, &findings.report, &err), 0);
    assert_true(findings.n > 0);
    if (findings.worst == BACKSTAY_BAD)
        fail_msg("%s", findings.last);
    suite_expect_list(dest, "", names, 1);
}

int suite_run(const struct suite_factory *factory)
{
    static const struct CMUnitTest tests[] = {
        SUITE_TEST(an_empty_object_is_an_object),
        SUITE_TEST(a_large_object_comes_back_whole),
        SUITE_TEST(putting_again_replaces),
        SUITE_TEST(only_the_first_puts_what_is_absent),
        SUITE_TEST(ranges_are_cut_at_the_end),
        SUITE_TEST(random_ranges_are_the_objects_bytes),
        SUITE_TEST(what_was_never_put_is_missing),
        SUITE_TEST(what_was_removed_is_gone_and_nothing_else),
        SUITE_TEST(names_at_the_limits_are_allowed),
        SUITE_TEST(names_that_are_none_are_refused),
        SUITE_TEST(objects_are_there_after_reopening),
        SUITE_TEST(a_cancelled_put_stores_all_or_nothing),
        SUITE_TEST(a_cancelled_listing_is_an_error),
        SUITE_TEST(space_makes_sense_where_it_is_known),
        SUITE_TEST(checking_finds_nothing_bad_and_leaves_nothing),
    };
    int failed;

    the_factory = factory;
    failed = _cmocka_run_group_tests("one caller", tests, STAY_COUNT(tests), NULL, NULL);
    failed += _cmocka_run_group_tests("listing", suite_list_tests, suite_list_count, NULL, NULL);
    failed +=
        _cmocka_run_group_tests("threads", suite_thread_tests, suite_thread_count, NULL, NULL);
    return failed;
}
