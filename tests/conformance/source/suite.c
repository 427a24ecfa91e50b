/* tests/conformance/source/suite.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Backing up, restoring, probing, stopping: what does not depend on what the source is.
 */
#include "suite.h"

#include <signal.h>
#include <string.h>

static const struct suite_factory *the_factory;

static int set_up(void **state)
{
    struct suite_source *source = stay_new(struct suite_source);

    *state = source;
    the_factory->open(source);
    return 0;
}

static int tear_down(void **state)
{
    struct suite_source *source = *state;

    the_factory->close(source);
    free(source);
    return 0;
}

static void assert_nothing(struct stay_buf *text)
{
    if (text->len > 0)
        fail_msg("%s", text->data);
}

/* ---------------------------------------------------------------- whole runs */

static struct fake_snapshot *backup(struct suite_source *source, const struct fake_snapshot *last,
                                    struct fake_counts *counts)
{
    struct fake_snapshot *snapshot = fake_snapshot_new();
    struct backstay_error err = {.size = sizeof err};
    struct fake_sink sink;

    fake_sink_init(&sink, snapshot, last);
    assert_ok(source->ops->backup(source->self, &sink.abi, &err), err);
    fake_sink_finish(&sink, 0);
    assert_nothing(&sink.violations);
    if (counts)
        *counts = sink.counts;
    fake_sink_free(&sink);
    return snapshot;
}

/* How a restore is done. */
struct manner {
    unsigned threads;
    size_t piece_bytes;
    uint64_t seed;
    unsigned dry_run;
};

static void restore(struct suite_source *source, const struct fake_snapshot *snapshot,
                    const char *location, const struct manner *manner)
{
    const struct backstay_target target = {.size = sizeof target,
                                           .location = location,
                                           .overwrite = BACKSTAY_OVERWRITE_ALWAYS,
                                           .dry_run = manner->dry_run};
    struct backstay_error err = {.size = sizeof err};
    struct fake_feed feed;
    const char *problem;

    fake_feed_init(&feed, snapshot);
    feed.threads = manner->threads;
    feed.piece_bytes = manner->piece_bytes;
    feed.seed = manner->seed;
    assert_ok(source->ops->restore(source->self, &target, &feed.abi, &err), err);
    fake_feed_finish(&feed, 0);
    assert_nothing(&feed.violations);
    if (fake_feed_problems(&feed, &problem) > 0)
        fail_msg("%s", problem);
    fake_feed_free(&feed);
}

static void assert_same_facts(struct stay_map *expected, struct stay_map *facts)
{
    const void *name;
    void *value;
    size_t len;
    size_t at = 0;

    assert_int_equal(stay_map_count(expected), stay_map_count(facts));
    while (stay_map_next(expected, &at, &name, &len, &value)) {
        const char *other = stay_map_get(facts, name, len);
        if (other == NULL || strcmp(other, value) != 0)
            fail_msg("fact %.*s is %s, not %s", (int)len, (const char *)name,
                     other ? other : "missing", (const char *)value);
    }
}

/* ---------------------------------------------------------------- backup */

static void a_preflight_finds_nothing_wrong(void **state)
{
    struct suite_source *source = *state;
    struct backstay_error err = {.size = sizeof err};
    struct fake_report report;

    fake_report_init(&report);
    assert_ok(source->ops->check(source->self, &report.abi, &err), err);
    assert_true(report.findings.n > 0);
    for (size_t i = 0; i < report.findings.n; i++)
        if (report.findings.items[i].severity >= BACKSTAY_WARNING)
            fail_msg("%s", report.findings.items[i].text);
    fake_report_free(&report);
}

static void a_backup_keeps_the_contract_of_the_sink(void **state)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);

    assert_true(snapshot->entries.n > 0);
    assert_int_equal(snapshot->warnings.n, 0);
    assert_true(stay_map_count(snapshot->facts) > 0);
    for (size_t i = 0; i < snapshot->entries.n; i++)
        assert_int_equal(snapshot->entries.items[i]->entry.flags & BACKSTAY_ENTRY_CHANGED, 0);
}

static void two_backups_of_one_state_are_equal(void **state)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *a = backup(*state, NULL, NULL);
    stay_auto(fake_snapshot_free) struct fake_snapshot *b = backup(*state, NULL, NULL);

    assert_int_equal(a->entries.n, b->entries.n);
    for (size_t i = 0; i < a->entries.n; i++) {
        const struct fake_entry *x = a->entries.items[i];
        const struct fake_entry *y = b->entries.items[i];
        assert_string_equal(x->entry.path, y->entry.path);
        assert_int_equal(x->content_len, y->content_len);
        if (x->content_len > 0)
            assert_memory_equal(x->content, y->content, x->content_len);
    }
    assert_same_facts(a->facts, b->facts);
}

static void a_second_backup_of_an_unchanged_source_sends_no_content(void **state)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = backup(*state, NULL, NULL);
    struct fake_counts counts;

    if (!the_factory->knows_unchanged)
        skip();
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = backup(*state, first, &counts);
    assert_int_equal(counts.whole, 0);
    assert_int_equal(counts.begin, 0);
    assert_int_equal(counts.link, 0);
    assert_int_equal(counts.adopted, first->entries.n);
    assert_int_equal(second->entries.n, first->entries.n);
    assert_same_facts(first->facts, second->facts);
}

static void a_backup_ends_when_any_call_of_the_sink_says_stop(void **state)
{
    struct suite_source *source = *state;
    unsigned step = 1;

    for (unsigned at = 1;; at += step) {
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
        struct backstay_error err = {.size = sizeof err};
        struct fake_sink sink;
        fake_sink_init(&sink, snapshot, NULL);
        sink.fail_at = at;
        int r = source->ops->backup(source->self, &sink.abi, &err);
        fake_sink_finish(&sink, r);
        assert_nothing(&sink.violations);
        bool stopped = sink.counts.all >= at;
        assert_int_equal(r, stopped ? -1 : 0);
        fake_sink_free(&sink);
        if (!stopped)
            return;
        step = 1 + at / 20;
    }
}

static void a_cancelled_backup_says_so(void **state)
{
    struct suite_source *source = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    struct backstay_error err = {.size = sizeof err};
    struct fake_sink sink;

    stay_cancel_request(&source->cancel, SIGTERM);
    fake_sink_init(&sink, snapshot, NULL);
    assert_int_equal(source->ops->backup(source->self, &sink.abi, &err), -1);
    assert_error(err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    fake_sink_finish(&sink, -1);
    assert_nothing(&sink.violations);
    fake_sink_free(&sink);
}

/* ---------------------------------------------------------------- restore */

static void a_restored_copy_equals_the_source(void **state)
{
    static const struct manner manners[] = {
        {.threads = 1, .piece_bytes = SIZE_MAX / 2, .seed = 1},
        {.threads = 2, .piece_bytes = 1 << 20, .seed = 2},
        {.threads = 8, .piece_bytes = 10007, .seed = 3},
    };
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);

    for (size_t i = 0; i < STAY_COUNT(manners); i++) {
        stay_auto_str char *location = the_factory->target(*state);
        stay_auto_buf struct stay_buf differences = {0};
        restore(*state, snapshot, location, &manners[i]);
        the_factory->compare(*state, location, &differences);
        assert_nothing(&differences);
    }
}

static void a_second_restore_into_the_same_place_changes_nothing(void **state)
{
    const struct manner manner = {.threads = 2, .piece_bytes = 1 << 18, .seed = 4};
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);
    stay_auto_str char *location = the_factory->target(*state);
    stay_auto_buf struct stay_buf differences = {0};

    restore(*state, snapshot, location, &manner);
    restore(*state, snapshot, location, &manner);
    the_factory->compare(*state, location, &differences);
    assert_nothing(&differences);
}

static void a_dry_run_of_a_restore_changes_nothing(void **state)
{
    const struct manner manner = {.threads = 2, .piece_bytes = 1 << 18, .dry_run = 1};
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);
    stay_auto_str char *location = the_factory->target(*state);

    restore(*state, snapshot, location, &manner);
    assert_false(the_factory->exists(*state, location));
}

static void a_restore_ends_when_the_host_gives_no_more_entries(void **state)
{
    struct suite_source *source = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);

    for (uint64_t at = 1; at < 3 * snapshot->entries.n; at += 1 + at / 4) {
        stay_auto_str char *location = the_factory->target(source);
        const struct backstay_target target = {.size = sizeof target, .location = location};
        struct backstay_error err = {.size = sizeof err};
        struct fake_feed feed;
        fake_feed_init(&feed, snapshot);
        feed.fail_at = at;
        int r = source->ops->restore(source->self, &target, &feed.abi, &err);
        assert_int_equal(r, feed.asked >= at ? -1 : 0);
        fake_feed_finish(&feed, r);
        assert_nothing(&feed.violations);
        fake_feed_free(&feed);
    }
}

static void a_cancelled_restore_says_so(void **state)
{
    struct suite_source *source = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);
    stay_auto_str char *location = the_factory->target(source);
    const struct backstay_target target = {.size = sizeof target, .location = location};
    struct backstay_error err = {.size = sizeof err};
    struct fake_feed feed;

    stay_cancel_request(&source->cancel, SIGTERM);
    fake_feed_init(&feed, snapshot);
    assert_int_equal(source->ops->restore(source->self, &target, &feed.abi, &err), -1);
    assert_error(err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    fake_feed_finish(&feed, -1);
    assert_nothing(&feed.violations);
    fake_feed_free(&feed);
}

/* ---------------------------------------------------------------- probe */

static void assert_probe(struct suite_source *source, const char *location,
                         struct stay_map *expected)
{
    const struct backstay_target target = {.size = sizeof target, .location = location};
    struct backstay_error err = {.size = sizeof err};
    struct fake_report report;

    fake_report_init(&report);
    assert_ok(source->ops->probe(source->self, location ? &target : NULL, &report.abi, &err), err);
    assert_same_facts(expected, report.facts);
    fake_report_free(&report);
}

static void the_facts_of_source_and_copy_are_those_of_the_backup(void **state)
{
    const struct manner manner = {.threads = 2, .piece_bytes = 1 << 18, .seed = 5};
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(*state, NULL, NULL);
    stay_auto_str char *location = the_factory->target(*state);

    restore(*state, snapshot, location, &manner);
    assert_probe(*state, NULL, snapshot->facts);
    assert_probe(*state, location, snapshot->facts);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int suite_run(const struct suite_factory *factory)
{
    const struct CMUnitTest tests[] = {
        TEST(a_preflight_finds_nothing_wrong),
        TEST(a_backup_keeps_the_contract_of_the_sink),
        TEST(two_backups_of_one_state_are_equal),
        TEST(a_second_backup_of_an_unchanged_source_sends_no_content),
        TEST(a_backup_ends_when_any_call_of_the_sink_says_stop),
        TEST(a_cancelled_backup_says_so),
        TEST(a_restored_copy_equals_the_source),
        TEST(a_second_restore_into_the_same_place_changes_nothing),
        TEST(a_dry_run_of_a_restore_changes_nothing),
        TEST(a_restore_ends_when_the_host_gives_no_more_entries),
        TEST(a_cancelled_restore_says_so),
        TEST(the_facts_of_source_and_copy_are_those_of_the_backup),
    };

    the_factory = factory;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
