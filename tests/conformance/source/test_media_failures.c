/* tests/conformance/source/test_media_failures.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Restores that meet damage, a full disk, a stop, or a place that is none.
 */
#include "media_fixture.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void a_damaged_file_is_removed_and_the_others_are_restored(void **state)
{
    static const size_t sizes[] = {100, 5 << 20};

    for (size_t i = 0; i < STAY_COUNT(sizes); i++) {
        struct media_fixture *fixture = *state;
        stay_tree_write_random(fixture->root, "bad", sizes[i], 1);
        stay_tree_write_random(fixture->root, "good", 3 << 20, 2);
        stay_auto_str char *bad = media_path(fixture, "tree/bad");
        stay_auto_str char *name = media_path(fixture, "tree/name of bad");
        stay_auto_str char *restored = media_path(fixture, "target/bad");
        assert_int_equal(link(bad, name), 0);
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        const struct backstay_target target = {.size = sizeof target, .location = fixture->target};
        struct backstay_error err = {.size = sizeof err};
        struct plugin_source plugin;
        struct fake_feed feed;
        media_plugin(fixture, &plugin);
        fake_feed_init(&feed, snapshot);
        feed.damaged = "bad";
        assert_ok(plugin.ops->restore(plugin.self, &target, &feed.abi, &err), err);
        fake_feed_finish(&feed, 0);
        assert_int_equal(feed.violations.len, 0);
        media_assert_outcome(&feed, "bad", "content is damaged");
        media_assert_outcome(&feed, "name of bad",
                             "not restored: it is a hard link to bad, which was not restored");
        media_assert_outcome(&feed, "good", "restored");
        assert_false(stay_fs_exists(restored));
        media_assert_no_leftovers(fixture);
        fake_feed_free(&feed);
        plugin_source_close(&plugin);
        assert_int_equal(media_fixture_remove(state), 0);
        assert_int_equal(media_fixture_make(state), 0);
    }
}

static void many_files_in_pieces_at_once_need_few_descriptors(void **state)
{
    struct media_fixture *fixture = *state;
    struct plugin_source plugin;
    struct fake_feed feed;
    const struct backstay_target target = {.size = sizeof target, .location = fixture->target};
    struct backstay_error err = {.size = sizeof err};

    for (int i = 0; i < 300; i++) {
        stay_auto_str char *name = stay_strf("file-%d", i);
        stay_tree_write_random(fixture->root, name, 3000, (uint64_t)i);
    }
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    media_plugin(fixture, &plugin);
    fake_feed_init(&feed, snapshot);
    feed.piece_bytes = 500;
    feed.threads = 4;
    assert_ok(plugin.ops->restore(plugin.self, &target, &feed.abi, &err), err);
    fake_feed_finish(&feed, 0);
    assert_int_equal(feed.violations.len, 0);
    media_assert_no_problem(&feed);
    media_assert_equal(fixture);
    fake_feed_free(&feed);
    plugin_source_close(&plugin);
}

/* Cancels when the fifth piece comes. */
static void cancel_soon(void *ctx, const char *call, const char *path)
{
    static atomic_uint pieces;
    struct media_fixture *fixture = ctx;

    (void)path;
    if (strcmp(call, "piece") == 0 && atomic_fetch_add(&pieces, 1) == 4)
        stay_cancel_request(&fixture->cancel, 15);
}

static void a_restore_that_is_stopped_leaves_no_temporary_files(void **state)
{
    struct media_fixture *fixture = *state;
    const struct backstay_target target = {.size = sizeof target, .location = fixture->target};
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_feed feed;

    stay_tree_write_random(fixture->root, "a", 3 << 20, 1);
    stay_tree_write_random(fixture->root, "b", 3 << 20, 2);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    media_plugin(fixture, &plugin);
    fake_feed_init(&feed, snapshot);
    feed.hook = cancel_soon;
    feed.hook_ctx = fixture;
    feed.piece_bytes = 1 << 18;
    assert_int_equal(plugin.ops->restore(plugin.self, &target, &feed.abi, &err), -1);
    assert_error(err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    media_assert_no_leftovers(fixture);
    fake_feed_free(&feed);
    plugin_source_close(&plugin);
}

static void a_full_disk_is_reported_for_every_file_that_did_not_fit(void **state)
{
    struct media_fixture *fixture = *state;

    if (geteuid() != 0)
        skip(); /* only root can mount */
    stay_tree_write_random(fixture->root, "large", 3 << 20, 1);
    stay_tree_write_random(fixture->root, "medium", 600 << 10, 1);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_tree_mkdir(fixture->folder, "target");
    assert_int_equal(mount("none", fixture->target, "tmpfs", 0, "size=512k"), 0);
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
    stay_auto_str char *medium = media_path(fixture, "target/medium");
    bool exists = stay_fs_exists(medium);
    media_assert_no_leftovers(fixture);
    assert_int_equal(umount(fixture->target), 0);
    media_assert_outcome(feed, "large", "not restored: write: No space left on device");
    media_assert_outcome(feed, "medium", "not restored: write: No space left on device");
    assert_false(exists);
}

static void a_target_that_is_a_file_is_refused(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    const struct backstay_target target = {.size = sizeof target, .location = fixture->target};
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_feed feed;
    stay_auto_str char *text =
        stay_strf("restore into %s: it is not a folder; name another one", fixture->target);

    stay_tree_write(fixture->folder, "target", "a file");
    media_plugin(fixture, &plugin);
    fake_feed_init(&feed, snapshot);
    assert_int_equal(plugin.ops->restore(plugin.self, &target, &feed.abi, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
    fake_feed_free(&feed);
    plugin_source_close(&plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(a_damaged_file_is_removed_and_the_others_are_restored),
        MEDIA_TEST(many_files_in_pieces_at_once_need_few_descriptors),
        MEDIA_TEST(a_restore_that_is_stopped_leaves_no_temporary_files),
        MEDIA_TEST(a_full_disk_is_reported_for_every_file_that_did_not_fit),
        MEDIA_TEST(a_target_that_is_a_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
