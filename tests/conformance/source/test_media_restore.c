/* tests/conformance/source/test_media_restore.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Restoring into places where something is already, in part, and as somebody else than root.
 */
#include "media_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---------------------------------------------------------------- helpers */

static void assert_file(struct media_fixture *fixture, const char *path, const char *content)
{
    stay_auto_str char *full = media_path(fixture, path);
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    assert_ok(stay_fs_read(&text, full, 1 << 20, &err), err);
    assert_string_equal(text.data ? text.data : "", content);
}

/* A tree of one file, one folder, one link and one FIFO; and its snapshot. */
static struct fake_snapshot *make_small(struct media_fixture *fixture)
{
    stay_auto_str char *link_path = media_path(fixture, "tree/link");
    stay_auto_str char *fifo = media_path(fixture, "tree/fifo");

    stay_tree_write(fixture->root, "file", "new");
    stay_tree_mkdir(fixture->root, "folder");
    stay_tree_write(fixture->root, "folder/inside", "inside");
    assert_int_equal(symlink("new", link_path), 0);
    assert_int_equal(mkfifo(fifo, 0640), 0);
    stay_tree_settle();
    return media_backup(fixture, NULL);
}

/* The same places, taken by something else. */
static void make_taken(struct media_fixture *fixture)
{
    stay_auto_str char *link_path = media_path(fixture, "target/link");
    stay_auto_str char *fifo = media_path(fixture, "target/fifo");

    stay_tree_mkdir(fixture->folder, "target/folder");
    stay_tree_write(fixture->target, "file", "old!");
    assert_int_equal(symlink("old", link_path), 0);
    assert_int_equal(symlink("old", fifo), 0);
}

/* ---------------------------------------------------------------- overwriting */

static void never_leaves_what_is_there_and_adds_what_is_not(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    make_taken(fixture);
    struct stat before = media_look(fixture, "target");
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
    media_assert_no_problem(feed);
    media_assert_outcome(feed, "", "kept");
    media_assert_outcome(feed, "file", "kept");
    media_assert_outcome(feed, "link", "kept");
    media_assert_outcome(feed, "fifo", "kept");
    media_assert_outcome(feed, "folder", "kept");
    media_assert_outcome(feed, "folder/inside", "restored");
    assert_file(fixture, "target/file", "old!");
    assert_file(fixture, "target/folder/inside", "inside");
    assert_int_equal(media_look(fixture, "target").st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void changed_replaces_what_differs_in_size_or_time_only(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    make_taken(fixture);
    stay_tree_mkdir(fixture->target, "folder");
    stay_tree_write(fixture->target, "folder/inside", "INSIDE"); /* same size, same time */
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_CHANGED);
    media_assert_no_problem(feed);
    media_assert_outcome(feed, "file", "restored");
    media_assert_outcome(feed, "link", "restored");
    media_assert_outcome(feed, "fifo", "restored");
    media_assert_outcome(feed, "folder/inside", "kept");
    assert_file(fixture, "target/file", "new");
    assert_file(fixture, "target/folder/inside", "INSIDE");
    assert_true(S_ISFIFO(media_look(fixture, "target/fifo").st_mode));
    media_assert_no_leftovers(fixture);
    stay_auto(media_feed_free) struct fake_feed *again =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_CHANGED);
    media_assert_outcome(again, "file", "kept");
    media_assert_outcome(again, "link", "kept");
    media_assert_outcome(again, "fifo", "kept");
}

static void always_replaces_everything(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    make_taken(fixture);
    stay_tree_write(fixture->target, "folder/inside", "INSIDE");
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    media_assert_no_problem(feed);
    media_assert_equal(fixture);
    media_assert_no_leftovers(fixture);
}

static void a_folder_makes_way_for_a_file_only_when_it_is_empty(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    stay_tree_mkdir(fixture->folder, "target/file/precious");
    stay_tree_mkdir(fixture->folder, "target/link");
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    media_assert_outcome(feed, "file", "not restored: a folder that is not empty is in its place");
    media_assert_outcome(feed, "link", "restored");
    assert_true(S_ISDIR(media_look(fixture, "target/file/precious").st_mode));
    assert_true(S_ISLNK(media_look(fixture, "target/link").st_mode));
}

static void a_file_makes_way_for_a_folder_unless_never(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    stay_tree_mkdir(fixture->folder, "target");
    stay_tree_write(fixture->target, "folder", "a file");
    stay_auto(media_feed_free) struct fake_feed *never =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
    media_assert_outcome(never, "folder",
                         "not restored: something that is not a folder is in its place");
    media_assert_outcome(never, "folder/inside",
                         "not restored: a part of its path is not a folder");
    assert_file(fixture, "target/folder", "a file");
    stay_auto(media_feed_free) struct fake_feed *always =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    media_assert_no_problem(always);
    media_assert_equal(fixture);
}

static void names_of_one_file_that_were_separated_are_linked_again(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *first = media_path(fixture, "tree/a");
    stay_auto_str char *second = media_path(fixture, "tree/b");

    stay_tree_write(fixture->root, "a", "content");
    assert_int_equal(link(first, second), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_tree_mkdir(fixture->folder, "target");
    stay_tree_write(fixture->target, "a", "content");
    stay_tree_write(fixture->target, "b", "content");
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_CHANGED);
    media_assert_outcome(feed, "a", "kept");
    media_assert_outcome(feed, "b", "restored");
    assert_int_equal(media_look(fixture, "target/a").st_ino,
                     media_look(fixture, "target/b").st_ino);
    stay_auto(media_feed_free) struct fake_feed *again =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_CHANGED);
    media_assert_outcome(again, "b", "kept");
}

/* ---------------------------------------------------------------- parts and dry runs */

static void what_is_above_a_single_file_is_made(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *part = fake_snapshot_new();

    stay_tree_mkdir(fixture->root, "a/b/c");
    stay_tree_write(fixture->root, "a/b/c/file", "content");
    stay_auto(fake_snapshot_free) struct fake_snapshot *all = media_backup(fixture, NULL);
    const struct fake_entry *file = fake_snapshot_find(all, "a/b/c/file");
    (void)fake_snapshot_add(part, &file->entry, file->content, file->content_len);
    fake_snapshot_finish(part);
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, part, BACKSTAY_OVERWRITE_NEVER);
    media_assert_no_problem(feed);
    assert_file(fixture, "target/a/b/c/file", "content");
    assert_int_equal(media_look(fixture, "target/a/b").st_mode & 07777, 0755);
}

static void a_dry_run_says_what_would_be_done(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);
    const struct backstay_target target = {.size = sizeof target,
                                           .location = fixture->target,
                                           .overwrite = BACKSTAY_OVERWRITE_CHANGED,
                                           .dry_run = 1};
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_feed feed;
    char *log = NULL;
    size_t log_len = 0;

    stay_tree_mkdir(fixture->folder, "target");
    stay_tree_write(fixture->target, "file", "new"); /* as in the snapshot */
    media_plugin(fixture, &plugin);
    fake_feed_init(&feed, snapshot);
    FILE *stream = open_memstream(&log, &log_len);
    stay_log_setup(stream, STAY_LOG_TEXT, STAY_LOG_INFO);
    assert_ok(plugin.ops->restore(plugin.self, &target, &feed.abi, &err), err);
    stay_log_reset();
    (void)fclose(stream);
    fake_feed_finish(&feed, 0);
    assert_int_equal(feed.violations.len, 0);
    stay_auto_str char *expected = stay_strf("test: would replace the attributes of %s\n"
                                             "test: would create fifo\n"
                                             "test: would keep file\n"
                                             "test: would create folder\n"
                                             "test: would create folder/inside\n"
                                             "test: would create link\n",
                                             fixture->target);
    assert_string_equal(log, expected);
    media_assert_outcome(&feed, "file", "kept");
    media_assert_outcome(&feed, "folder/inside", "restored");
    free(log);
    fake_feed_free(&feed);
    plugin_source_close(&plugin);
}

/* ---------------------------------------------------------------- attributes of the target */

static void an_acl_of_the_target_is_not_inherited(void **state)
{
    /* user::rwx, user:1234:rwx, group::rwx, mask::rwx, other::--- */
    static const unsigned char acl[] = {2,   0,   0,   0,   1,   0,    7,  0,   255, 255, 255,
                                        255, 2,   0,   7,   0,   0xd2, 4,  0,   0,   4,   0,
                                        7,   0,   255, 255, 255, 255,  16, 0,   7,   0,   255,
                                        255, 255, 255, 32,  0,   0,    0,  255, 255, 255, 255};
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    stay_tree_mkdir(fixture->folder, "target");
    if (setxattr(fixture->target, "system.posix_acl_default", acl, sizeof acl, 0) != 0)
        fail_msg("this test needs ACLs on /tmp: %s", strerror(errno));
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    media_assert_no_problem(feed);
    media_assert_equal(fixture);
}

static void a_set_gid_target_does_not_pass_its_group_on(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = make_small(fixture);

    if (geteuid() != 0)
        skip(); /* only root may give the folder to another group */
    stay_tree_mkdir(fixture->folder, "target");
    assert_int_equal(chown(fixture->target, 0, 4321), 0);
    assert_int_equal(chmod(fixture->target, 02777), 0);
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    media_assert_no_problem(feed);
    media_assert_equal(fixture);
}

static void as_another_user_owners_and_set_uid_bits_are_left_with_one_warning(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *path = media_path(fixture, "tree/file");
    stay_auto_str char *null = media_path(fixture, "tree/null");
    char *log = NULL;
    size_t log_len = 0;

    if (geteuid() != 0)
        skip(); /* needs files of several owners */
    stay_tree_write(fixture->root, "file", "content");
    assert_int_equal(chown(path, 1234, 4321), 0);
    assert_int_equal(chmod(path, 06755), 0);
    assert_int_equal(mknod(null, S_IFCHR | 0666, 0x103), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    FILE *stream = open_memstream(&log, &log_len);
    stay_log_setup(stream, STAY_LOG_TEXT, STAY_LOG_NOTE);
    fixture->as_nobody = true;
    stay_auto(media_feed_free) struct fake_feed *feed =
        media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_NEVER);
    stay_log_reset();
    (void)fclose(stream);
    assert_string_equal(log, "backstay: warning: test: not root: owners (and set-uid bits of files "
                             "of others) were not restored\n");
    media_assert_outcome(feed, "file", "restored");
    media_assert_outcome(feed, "null",
                         "not restored: create device node (needs root): Operation not permitted");
    assert_int_equal(media_look(fixture, "target/file").st_mode & 07777, 0755);
    free(log);
}

static void closed_folders_of_ones_own_are_restored_without_root_and_over_themselves(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *closed = media_path(fixture, "tree/closed");
    stay_auto_str char *inside = media_path(fixture, "tree/closed/read-only");

    if (geteuid() != 0)
        skip(); /* only root can back up what is closed to its owner */
    stay_tree_mkdir(fixture->root, "closed/read-only/deep");
    stay_tree_write(fixture->root, "closed/read-only/file", "content");
    assert_int_equal(chmod(inside, 0500), 0);
    assert_int_equal(chmod(closed, 0), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    fixture->as_nobody = true;
    for (int i = 0; i < 2; i++) {
        stay_auto(media_feed_free) struct fake_feed *feed =
            media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
        media_assert_no_problem(feed);
        assert_int_equal(media_look(fixture, "target/closed").st_mode & 07777, 0);
        assert_int_equal(media_look(fixture, "target/closed/read-only").st_mode & 07777, 0500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(never_leaves_what_is_there_and_adds_what_is_not),
        MEDIA_TEST(changed_replaces_what_differs_in_size_or_time_only),
        MEDIA_TEST(always_replaces_everything),
        MEDIA_TEST(a_folder_makes_way_for_a_file_only_when_it_is_empty),
        MEDIA_TEST(a_file_makes_way_for_a_folder_unless_never),
        MEDIA_TEST(names_of_one_file_that_were_separated_are_linked_again),
        MEDIA_TEST(what_is_above_a_single_file_is_made),
        MEDIA_TEST(a_dry_run_says_what_would_be_done),
        MEDIA_TEST(an_acl_of_the_target_is_not_inherited),
        MEDIA_TEST(a_set_gid_target_does_not_pass_its_group_on),
        MEDIA_TEST(as_another_user_owners_and_set_uid_bits_are_left_with_one_warning),
        MEDIA_TEST(closed_folders_of_ones_own_are_restored_without_root_and_over_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
