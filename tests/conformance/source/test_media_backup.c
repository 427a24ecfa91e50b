/* tests/conformance/source/test_media_backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the media source records, and what it leaves out.
 */
#include "media_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_paths(struct media_fixture *fixture, const char *expected)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_auto_str char *paths = media_paths(snapshot);

    assert_string_equal(paths, expected);
}

/* A small tree: folders end with a slash. */
static void make(struct media_fixture *fixture, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (stay_str_ends(paths[i], "/"))
            stay_tree_mkdir(fixture->root, paths[i]);
        else
            stay_tree_write(fixture->root, paths[i], paths[i]);
    }
}

static const char *const shop[] = {
    "cache/",         "cache/a.jpg",    "products/",          "products/1.jpg",
    "products/1.tmp", "products/old/",  "products/old/2.jpg", "products/old/cache/",
    "users/",         "users/keep.tmp",
};

/* ---------------------------------------------------------------- selection */

static void excluded_names_are_left_out_and_excluded_folders_not_entered(void **state)
{
    static const char *const patterns[] = {"*.tmp", "!keep.tmp", "cache/", "/users/*.jpg"};
    struct media_fixture *fixture = *state;

    make(fixture, shop, STAY_COUNT(shop));
    media_set_list(fixture, "exclude", patterns, STAY_COUNT(patterns));
    assert_paths(fixture, ". products products/1.jpg products/old products/old/2.jpg users "
                          "users/keep.tmp");
}

static void with_include_only_matches_and_what_leads_to_them_is_recorded(void **state)
{
    static const char *const patterns[] = {"/products/old", "*.tmp"};
    struct media_fixture *fixture = *state;

    make(fixture, shop, STAY_COUNT(shop));
    media_set_list(fixture, "include", patterns, 1);
    assert_paths(fixture, ". products products/old products/old/2.jpg products/old/cache");
    fixture->n_settings = 0;
    media_set_list(fixture, "include", patterns, 2);
    assert_paths(fixture, ". cache products products/1.tmp products/old products/old/2.jpg "
                          "products/old/cache users users/keep.tmp");
}

static void exclude_wins_over_include(void **state)
{
    static const char *const include[] = {"/products/"};
    static const char *const exclude[] = {"old/"};
    struct media_fixture *fixture = *state;

    make(fixture, shop, STAY_COUNT(shop));
    media_set_list(fixture, "include", include, 1);
    media_set_list(fixture, "exclude", exclude, 1);
    assert_paths(fixture, ". products products/1.jpg products/1.tmp");
}

static void of_a_cache_folder_only_the_tag_is_kept(void **state)
{
    static const char *const paths[] = {"real/", "real/a", "real/b/", "false/", "false/a"};
    struct media_fixture *fixture = *state;

    make(fixture, paths, STAY_COUNT(paths));
    stay_tree_write(fixture->root, "real/CACHEDIR.TAG",
                    "Signature: 8a477f597d28d172789f06886806bc55\n# by a test\n");
    stay_tree_write(fixture->root, "false/CACHEDIR.TAG", "Signature: none");
    assert_paths(fixture, ". false false/CACHEDIR.TAG false/a real real/CACHEDIR.TAG");
    media_set(fixture, "exclude_caches", "false");
    assert_paths(fixture,
                 ". false false/CACHEDIR.TAG false/a real real/CACHEDIR.TAG real/a real/b");
}

static void a_mount_point_is_an_empty_folder_when_told_to_stay_on_one_file_system(void **state)
{
    static const char *const paths[] = {"mount/", "a"};
    struct media_fixture *fixture = *state;
    stay_auto_str char *mounted = media_path(fixture, "tree/mount");

    if (geteuid() != 0)
        skip(); /* only root can mount */
    make(fixture, paths, STAY_COUNT(paths));
    assert_int_equal(mount("none", mounted, "tmpfs", 0, "size=64k"), 0);
    stay_tree_write(fixture->root, "mount/inside", "on another file system");
    stay_auto(fake_snapshot_free) struct fake_snapshot *with = media_backup(fixture, NULL);
    media_set(fixture, "one_file_system", "true");
    stay_auto(fake_snapshot_free) struct fake_snapshot *without = media_backup(fixture, NULL);
    assert_int_equal(umount(mounted), 0);
    stay_auto_str char *with_paths = media_paths(with);
    stay_auto_str char *without_paths = media_paths(without);
    assert_string_equal(with_paths, ". a mount mount/inside");
    assert_string_equal(without_paths, ". a mount");
}

/* ---------------------------------------------------------------- unchanged */

static void a_file_just_written_is_read_again(void **state)
{
    struct media_fixture *fixture = *state;
    const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    stay_auto_str char *path = media_path(fixture, "tree/file");

    stay_tree_write(fixture->root, "file", "first");
    stay_tree_settle();
    assert_int_equal(utimensat(AT_FDCWD, path, now, 0), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = media_backup(fixture, NULL);
    assert_int_equal(fake_snapshot_find(first, "file")->token_len, 0);
    stay_tree_settle();
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = media_backup(fixture, first);
    assert_int_equal(fixture->counts.whole, 1);
    assert_true(fake_snapshot_find(second, "file")->token_len > 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *third = media_backup(fixture, second);
    assert_int_equal(fixture->counts.whole, 0);
}

static void a_file_whose_time_was_set_back_is_read_again_too(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_settle();
    stay_tree_write(fixture->root, "file", "its time is years ago, its change just now");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    assert_int_equal(fake_snapshot_find(snapshot, "file")->token_len, 0);
}

static void a_change_that_keeps_size_and_time_is_seen(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "before");
    stay_tree_settle();
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = media_backup(fixture, NULL);
    stay_tree_write(fixture->root, "file", "after!"); /* sets the same time */
    stay_tree_settle();
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = media_backup(fixture, first);
    const struct fake_entry *file = fake_snapshot_find(second, "file");
    assert_string_equal(file->content, "after!");
    assert_int_equal(file->entry.mtime_s, fake_snapshot_find(first, "file")->entry.mtime_s);
}

static void a_new_mode_or_attribute_is_seen_without_a_new_content(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *path = media_path(fixture, "tree/file");

    stay_tree_write(fixture->root, "file", "content");
    stay_tree_settle();
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = media_backup(fixture, NULL);
    assert_int_equal(chmod(path, 0604), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = media_backup(fixture, first);
    assert_int_equal(fake_snapshot_find(second, "file")->entry.mode, 0604);
}

static void without_inodes_the_token_has_none(void **state)
{
    static const unsigned char zeroes[16];
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "content");
    stay_tree_settle();
    stay_auto(fake_snapshot_free) struct fake_snapshot *with = media_backup(fixture, NULL);
    assert_memory_not_equal(fake_snapshot_find(with, "file")->token + 1, zeroes, 16);
    media_set(fixture, "ignore_inode", "true");
    stay_auto(fake_snapshot_free) struct fake_snapshot *without = media_backup(fixture, NULL);
    assert_memory_equal(fake_snapshot_find(without, "file")->token + 1, zeroes, 16);
}

static void turning_attributes_on_reads_everything_again(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "content");
    stay_tree_settle();
    media_set(fixture, "xattrs", "false");
    stay_auto(fake_snapshot_free) struct fake_snapshot *without = media_backup(fixture, NULL);
    fixture->n_settings = 0;
    stay_auto(fake_snapshot_free) struct fake_snapshot *with = media_backup(fixture, without);
    assert_int_equal(fixture->counts.adopted, 0);
}

/* ---------------------------------------------------------------- hard links */

static void make_names(struct media_fixture *fixture, size_t len)
{
    stay_auto_str char *first = media_path(fixture, "tree/b");
    stay_auto_str char *before = media_path(fixture, "tree/a");
    stay_auto_str char *after = media_path(fixture, "tree/c/d");

    stay_tree_mkdir(fixture->root, "c");
    stay_tree_write_random(fixture->root, "b", len, 1);
    assert_int_equal(link(first, before), 0);
    assert_int_equal(link(first, after), 0);
    stay_tree_settle();
}

static void of_several_names_one_sends_the_content(void **state)
{
    static const size_t sizes[] = {100, 3 << 20};

    for (size_t i = 0; i < STAY_COUNT(sizes); i++) {
        struct media_fixture *fixture = *state;
        make_names(fixture, sizes[i]);
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        const struct fake_entry *a = fake_snapshot_find(snapshot, "a");
        const struct fake_entry *b = fake_snapshot_find(snapshot, "b");
        const struct fake_entry *d = fake_snapshot_find(snapshot, "c/d");
        assert_int_equal(fixture->counts.link, 2);
        assert_int_equal(a->is_link + b->is_link + d->is_link, 2);
        assert_true(a->entry.link_group != 0);
        assert_true(a->entry.link_group == b->entry.link_group);
        assert_true(a->entry.link_group == d->entry.link_group);
        assert_int_equal(media_fixture_remove(state), 0);
        assert_int_equal(media_fixture_make(state), 0);
    }
}

static void a_new_name_beside_an_unchanged_one_brings_its_own_content(void **state)
{
    struct media_fixture *fixture = *state;

    make_names(fixture, 100);
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = media_backup(fixture, NULL);
    fake_snapshot_find(first, "b")->token_len = 0;
    fake_snapshot_find(first, "c/d")->token_len = 0;
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = media_backup(fixture, first);
    const struct fake_entry *a = fake_snapshot_find(second, "a");
    const struct fake_entry *b = fake_snapshot_find(second, "b");
    const struct fake_entry *d = fake_snapshot_find(second, "c/d");
    assert_true(a->unchanged);
    assert_int_equal(b->is_link + d->is_link, 1);
    assert_true(a->entry.link_group == b->entry.link_group);
}

static void without_inodes_names_of_one_file_are_always_read(void **state)
{
    struct media_fixture *fixture = *state;

    make_names(fixture, 100);
    stay_tree_write(fixture->root, "alone", "alone");
    stay_tree_settle();
    media_set(fixture, "ignore_inode", "true");
    stay_auto(fake_snapshot_free) struct fake_snapshot *first = media_backup(fixture, NULL);
    stay_auto(fake_snapshot_free) struct fake_snapshot *second = media_backup(fixture, first);
    assert_true(fake_snapshot_find(second, "alone")->unchanged);
    assert_false(fake_snapshot_find(second, "a")->unchanged);
    assert_int_equal(fixture->counts.whole + fixture->counts.link, 3);
}

/* ---------------------------------------------------------------- size and shape */

static void a_folder_of_more_names_than_are_read_at_once_is_recorded_whole(void **state)
{
    enum { N = 70000 };
    struct media_fixture *fixture = *state;
    stay_auto_fd int dir = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (int i = 0; i < N; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(mknodat(dir, name, S_IFREG | 0600, 0), 0);
    }
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    assert_int_equal(snapshot->entries.n, N + 1);
    stay_tree_write(fixture->root, "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
    assert_paths(fixture, ". CACHEDIR.TAG");
}

static void few_descriptors_are_enough_for_a_deep_and_wide_tree(void **state)
{
    struct media_fixture *fixture = *state;
    struct rlimit before;

    for (int i = 0; i < 60; i++) {
        stay_auto_str char *at = stay_strf("wide-%d/a/b/c", i);
        stay_tree_mkdir(fixture->root, at);
    }
    stay_tree_mkdir(fixture->root, "odd");
    stay_auto_str char *odd = media_path(fixture, "tree/odd");
    stay_tree_make_odd(odd);
    stay_auto(fake_snapshot_free) struct fake_snapshot *many = media_backup(fixture, NULL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit few = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *same = media_backup(fixture, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(same->warnings.n, 0);
    assert_int_equal(same->entries.n, many->entries.n);
}

static void one_thread_records_what_many_do(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_make_random(fixture->root, 99, 500);
    fixture->jobs = 1;
    stay_auto(fake_snapshot_free) struct fake_snapshot *one = media_backup(fixture, NULL);
    fixture->jobs = 9;
    stay_auto(fake_snapshot_free) struct fake_snapshot *many = media_backup(fixture, NULL);
    stay_auto_str char *one_paths = media_paths(one);
    stay_auto_str char *many_paths = media_paths(many);
    assert_string_equal(one_paths, many_paths);
}

/* ---------------------------------------------------------------- what is said */

static void facts_and_details_describe_the_tree(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } facts[] = {{"media:files", "3"},
                 {"media:folders", "2"},
                 {"media:symlinks", "1"},
                 {"media:others", "1"},
                 {"media:bytes", "1205"}};
    struct media_fixture *fixture = *state;
    stay_auto_str char *file = media_path(fixture, "tree/file");
    stay_auto_str char *second = media_path(fixture, "tree/second");
    stay_auto_str char *link_path = media_path(fixture, "tree/link");
    stay_auto_str char *fifo = media_path(fixture, "tree/fifo");

    stay_tree_mkdir(fixture->root, "folder");
    stay_tree_write_random(fixture->root, "file", 600, 1);
    stay_tree_write(fixture->root, "small", "five!");
    assert_int_equal(link(file, second), 0);
    assert_int_equal(symlink("x", link_path), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    for (size_t i = 0; i < STAY_COUNT(facts); i++)
        assert_string_equal(stay_map_get(snapshot->facts, facts[i].name, strlen(facts[i].name)),
                            facts[i].value);
    assert_string_equal(stay_map_get(snapshot->details, "root", 4), fixture->root);
}

static void an_empty_folder_is_suspicious(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_auto_str char *text = stay_strf("the folder %s is empty: is it mounted?", fixture->root);

    assert_int_equal(snapshot->entries.n, 1);
    assert_string_equal(fake_snapshot_warning(snapshot, NULL), text);
}

static void assert_backup_fails(struct media_fixture *fixture, int kind, const char *text)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_sink sink;

    media_plugin(fixture, &plugin);
    fake_sink_init(&sink, snapshot, NULL);
    assert_int_equal(plugin.ops->backup(plugin.self, &sink.abi, &err), -1);
    assert_error(err, kind, text);
    assert_int_equal(snapshot->entries.n, 0);
    fake_sink_free(&sink);
    plugin_source_close(&plugin);
}

static void a_missing_folder_is_an_error_and_never_an_empty_backup(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *missing = stay_strf(
        "media folder %s: it does not exist; mount it or correct \"path\"", fixture->root);
    stay_auto_str char *file =
        stay_strf("media folder %s: it is not a folder; correct \"path\"", fixture->root);

    assert_int_equal(rmdir(fixture->root), 0);
    assert_backup_fails(fixture, BACKSTAY_ERR_CONFIG, missing);
    stay_tree_write(fixture->folder, "tree", "a file");
    assert_backup_fails(fixture, BACKSTAY_ERR_CONFIG, file);
}

static void a_preflight_of_what_is_wrong_says_what(void **state)
{
    struct media_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_report empty;
    struct fake_report missing;
    stay_auto_str char *is_empty =
        stay_strf("the folder %s is empty: is it mounted?", fixture->root);
    stay_auto_str char *is_missing =
        stay_strf("open media folder %s: No such file or directory", fixture->root);

    media_plugin(fixture, &plugin);
    fake_report_init(&empty);
    fake_report_init(&missing);
    assert_ok(plugin.ops->check(plugin.self, &empty.abi, &err), err);
    assert_int_equal(rmdir(fixture->root), 0);
    assert_ok(plugin.ops->check(plugin.self, &missing.abi, &err), err);
    assert_int_equal(fake_report_finding(&empty, "entries")->severity, BACKSTAY_WARNING);
    assert_string_equal(fake_report_finding(&empty, "entries")->text, is_empty);
    assert_int_equal(fake_report_finding(&missing, "path")->severity, BACKSTAY_BAD);
    assert_string_equal(fake_report_finding(&missing, "path")->text, is_missing);
    fake_report_free(&empty);
    fake_report_free(&missing);
    plugin_source_close(&plugin);
}

static void assert_open_fails(struct media_fixture *fixture, const char *option,
                              const char *pattern, const char *text)
{
    const struct stay_setting settings[] = {
        {.name = "path", .text = fixture->root},
        {.name = option, .items = &pattern, .n_items = 1},
    };
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;

    assert_int_equal(plugin_source_open(&plugin, "media", settings, 2, 1, NULL, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG, text);
}

static void patterns_that_mean_nothing_are_refused_at_once(void **state)
{
    assert_open_fails(*state, "exclude", "a[b",
                      "exclude pattern \"a[b\": a [ is never closed; write \\[ for the character "
                      "itself");
    assert_open_fails(*state, "include", "!a",
                      "include patterns cannot begin with \"!\"; use exclude for that");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(excluded_names_are_left_out_and_excluded_folders_not_entered),
        MEDIA_TEST(with_include_only_matches_and_what_leads_to_them_is_recorded),
        MEDIA_TEST(exclude_wins_over_include),
        MEDIA_TEST(of_a_cache_folder_only_the_tag_is_kept),
        MEDIA_TEST(a_mount_point_is_an_empty_folder_when_told_to_stay_on_one_file_system),
        MEDIA_TEST(a_file_just_written_is_read_again),
        MEDIA_TEST(a_file_whose_time_was_set_back_is_read_again_too),
        MEDIA_TEST(a_change_that_keeps_size_and_time_is_seen),
        MEDIA_TEST(a_new_mode_or_attribute_is_seen_without_a_new_content),
        MEDIA_TEST(without_inodes_the_token_has_none),
        MEDIA_TEST(turning_attributes_on_reads_everything_again),
        MEDIA_TEST(of_several_names_one_sends_the_content),
        MEDIA_TEST(a_new_name_beside_an_unchanged_one_brings_its_own_content),
        MEDIA_TEST(without_inodes_names_of_one_file_are_always_read),
        MEDIA_TEST(a_folder_of_more_names_than_are_read_at_once_is_recorded_whole),
        MEDIA_TEST(few_descriptors_are_enough_for_a_deep_and_wide_tree),
        MEDIA_TEST(one_thread_records_what_many_do),
        MEDIA_TEST(facts_and_details_describe_the_tree),
        MEDIA_TEST(an_empty_folder_is_suspicious),
        MEDIA_TEST(a_missing_folder_is_an_error_and_never_an_empty_backup),
        MEDIA_TEST(a_preflight_of_what_is_wrong_says_what),
        MEDIA_TEST(patterns_that_mean_nothing_are_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
