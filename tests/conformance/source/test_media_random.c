/* tests/conformance/source/test_media_random.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Random trees come back as they were, whatever the seed, and a second backup reads nothing.
 */
#include "media_fixture.h"

enum { SEEDS = 25, ENTRIES = 150 };

static void random_trees_come_back_as_they_were(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct media_fixture *fixture = *state;
        stay_tree_make_random(fixture->root, seed, ENTRIES);
        fixture->jobs = 1 + (unsigned)(seed % 4);
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        assert_int_equal(snapshot->warnings.n, 0);
        stay_auto(media_feed_free) struct fake_feed *feed =
            media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
        media_assert_no_problem(feed);
        media_assert_equal(fixture);
        assert_int_equal(media_fixture_remove(state), 0);
        assert_int_equal(media_fixture_make(state), 0);
    }
}

static void a_tree_that_was_changed_here_and_there_comes_back_as_it_is(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *last = NULL;

    for (uint64_t round = 1; round <= 6; round++) {
        stay_auto_str char *part = stay_strf("part-%d", (int)(round % 4));
        stay_auto_str char *folder = media_path(fixture, "tree");
        stay_auto_str char *path = stay_strf("%s/%s", folder, part);
        struct stay_err err = {0};
        assert_ok(stay_fs_remove_tree(path, &err), err);
        stay_tree_mkdir(fixture->root, part);
        stay_tree_make_random(path, round, 60);
        stay_tree_settle();
        struct fake_snapshot *snapshot = media_backup(fixture, last);
        assert_true(round == 1 || fixture->counts.adopted > 0);
        fake_snapshot_free(last);
        last = snapshot;
        assert_ok(stay_fs_remove_tree(fixture->target, &err), err);
        stay_auto(media_feed_free) struct fake_feed *feed =
            media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
        media_assert_no_problem(feed);
        media_assert_equal(fixture);
    }
}

static void a_restore_over_another_tree_brings_back_what_the_snapshot_has(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct media_fixture *fixture = *state;
        struct stay_err err = {0};
        stay_tree_make_random(fixture->root, seed, 80);
        assert_ok(stay_fs_mkdirs(fixture->target, 0755, &err), err);
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        stay_auto(media_feed_free) struct fake_feed *first =
            media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
        /* Everything is there, and other than in the snapshot. */
        stay_auto_str char *spoil = stay_strf(
            "cd %s && find . -type f -exec sh -c 'echo spoilt >\"$1\"; chmod 600 \"$1\"' _ {} \\; "
            "&& "
            "find . -type l -exec ln -sfn elsewhere {} \\; && find . -type d -exec touch {} +",
            fixture->target);
        assert_int_equal(system(spoil), 0);
        stay_auto(media_feed_free) struct fake_feed *second =
            media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
        media_assert_no_problem(second);
        media_assert_equal(fixture);
        assert_int_equal(media_fixture_remove(state), 0);
        assert_int_equal(media_fixture_make(state), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(random_trees_come_back_as_they_were),
        MEDIA_TEST(a_tree_that_was_changed_here_and_there_comes_back_as_it_is),
        MEDIA_TEST(a_restore_over_another_tree_brings_back_what_the_snapshot_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
