/* tests/conformance/source/test_media_forged.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots that no source would make: whatever they say, nothing is written outside of the target,
 * and what cannot be restored is reported.
 */
#include "media_fixture.h"

#include "source/media/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INSIDE = BACKSTAY_ENTRY_HAS_MODE };

static struct fake_entry *add(struct fake_snapshot *snapshot, uint32_t type, const char *path,
                              const char *content)
{
    const struct backstay_entry entry = {.size = sizeof entry,
                                         .type = type,
                                         .flags = INSIDE,
                                         .mode = 0644,
                                         .uid = geteuid(),
                                         .gid = getegid(),
                                         .mtime_s = 1000000000,
                                         .path = path,
                                         .path_len = strlen(path),
                                         .bytes = type == BACKSTAY_FILE ? strlen(content) : 0,
                                         .target = type == BACKSTAY_SYMLINK ? content : NULL,
                                         .target_len =
                                             type == BACKSTAY_SYMLINK ? strlen(content) : 0};

    return fake_snapshot_add(snapshot, &entry, content,
                             type == BACKSTAY_FILE ? strlen(content) : 0);
}

/* Restores, and makes sure that folder/outside is as it was. */
static struct fake_feed *restore(struct media_fixture *fixture, struct fake_snapshot *snapshot)
{
    stay_auto_str char *outside = media_path(fixture, "outside");
    stay_auto_str char *list =
        stay_strf("find %s -printf '%%p %%m %%U %%s %%T@\\n' > %s.list", outside, outside);
    stay_auto_str char *compare =
        stay_strf("find %s -printf '%%p %%m %%U %%s %%T@\\n' | cmp - %s.list", outside, outside);

    stay_tree_mkdir(fixture->folder, "outside/folder");
    stay_tree_write(fixture->folder, "outside/passwd", "untouched");
    assert_int_equal(system(list), 0);
    fake_snapshot_finish(snapshot);
    struct fake_feed *feed = media_restore(fixture, snapshot, BACKSTAY_OVERWRITE_ALWAYS);
    assert_int_equal(system(compare), 0);
    return feed;
}

static void assert_problem(const struct fake_feed *feed, const char *path, const char *text)
{
    const struct fake_outcome *outcome = fake_feed_outcome(feed, path);

    if (outcome->problem == NULL)
        fail_msg("%s: no problem", path);
    assert_string_equal(outcome->problem, text);
}

/* ---------------------------------------------------------------- ways out */

static void nothing_is_written_through_a_link_of_the_snapshot(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    stay_auto_str char *outside = media_path(fixture, "outside");

    add(snapshot, BACKSTAY_SYMLINK, "a", outside);
    add(snapshot, BACKSTAY_FILE, "a/passwd", "forged");
    add(snapshot, BACKSTAY_DIR, "a/folder", "");
    add(snapshot, BACKSTAY_SYMLINK, "a/folder/link", "x");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "a/passwd",
                   "not restored: a part of its path is a symbolic link, and nothing "
                   "is written through it");
    assert_problem(feed, "a/folder",
                   "not restored: a part of its path is a symbolic link, and nothing "
                   "is written through it");
    assert_problem(feed, "a/folder/link",
                   "not restored: a part of its path is a symbolic link, and "
                   "nothing is written through it");
}

static void nothing_is_written_through_a_link_in_the_target(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    stay_auto_str char *outside = media_path(fixture, "outside");
    stay_auto_str char *link_path = media_path(fixture, "target/a");

    stay_tree_mkdir(fixture->folder, "target");
    assert_int_equal(symlink(outside, link_path), 0);
    add(snapshot, BACKSTAY_FILE, "a/passwd", "forged");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "a/passwd",
                   "not restored: a part of its path is a symbolic link, and nothing "
                   "is written through it");
}

static void a_link_in_the_place_of_a_folder_is_replaced_not_followed(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    stay_auto_str char *outside = media_path(fixture, "outside");
    stay_auto_str char *link_path = media_path(fixture, "target/a");
    struct stat st;

    stay_tree_mkdir(fixture->folder, "target");
    assert_int_equal(symlink(outside, link_path), 0);
    add(snapshot, BACKSTAY_DIR, "a", "")->entry.mode = 0755;
    add(snapshot, BACKSTAY_FILE, "a/passwd", "restored");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    media_assert_no_problem(feed);
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
}

static void paths_that_lead_out_are_refused(void **state)
{
    static const char *const paths[] = {
        "..", "../outside/passwd", "a/../../outside/passwd", "/outside", "a//b", "./a", "a/.",
        "a/"};
    struct media_fixture *fixture = *state;
    static const uint32_t types[] = {BACKSTAY_FILE, BACKSTAY_DIR, BACKSTAY_SYMLINK, BACKSTAY_FIFO};

    for (size_t t = 0; t < STAY_COUNT(types); t++) {
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
        for (size_t i = 0; i < STAY_COUNT(paths); i++)
            add(snapshot, types[t], paths[i], "x");
        stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
        for (size_t i = 0; i < STAY_COUNT(paths); i++)
            assert_problem(feed, paths[i], "not restored: its path leads elsewhere");
    }
}

static void a_hard_link_does_not_reach_out_through_its_first_name(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    stay_auto_str char *outside = media_path(fixture, "outside");
    stay_auto_str char *link_path = media_path(fixture, "target/a");

    stay_tree_mkdir(fixture->folder, "target");
    assert_int_equal(symlink(outside, link_path), 0);
    add(snapshot, BACKSTAY_FILE, "a/passwd", "forged")->entry.link_group = 7;
    add(snapshot, BACKSTAY_FILE, "b", "forged")->entry.link_group = 7;
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "a/passwd",
                   "not restored: a part of its path is a symbolic link, and nothing "
                   "is written through it");
    /* The first that can be restored brings the content. */
    assert_int_equal(fake_feed_outcome(feed, "b")->done, 1);
}

/* ---------------------------------------------------------------- contradictions */

static void a_file_is_no_folder(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();

    add(snapshot, BACKSTAY_FILE, "f", "a file");
    add(snapshot, BACKSTAY_FILE, "f/x", "beneath it");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "f/x", "not restored: a part of its path is not a folder");
    assert_int_equal(fake_feed_outcome(feed, "f")->done, 1);
}

static void a_root_that_is_no_folder_is_refused(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();

    add(snapshot, BACKSTAY_FILE, "", "x");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "",
                   "not restored: the snapshot says that it is not a "
                   "folder");
}

static void sizes_and_extents_that_do_not_fit_are_refused(void **state)
{
    static const struct backstay_extent outside = {.offset = 90, .length = 20};
    static const struct backstay_extent wraps = {.offset = UINT64_MAX - 1, .length = 4};
    static const struct backstay_extent inside = {.offset = 0, .length = 2};
    static const struct {
        const struct backstay_extent *extent;
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {&outside, 100, "not restored: write: the content does not fit its description"},
        {&wraps, UINT64_MAX, "not restored: write: the content does not fit its description"},
        {&inside, 100, "not restored: write: the content does not fit its description"},
        {NULL, 100, "not restored: write: the content does not fit its description"},
        {&inside, UINT64_MAX, "not restored: write: Invalid argument"},
    };
    struct media_fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        for (fixture->piece_bytes = 1; fixture->piece_bytes < 100; fixture->piece_bytes += 98) {
            stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
            struct backstay_entry entry = add(snapshot, BACKSTAY_FILE, "e", "")->entry;
            stay_auto_str char *path = media_path(fixture, "target/f");
            const char *content = i < 4 ? "four" : "ok";
            entry.path = "f";
            entry.bytes = cases[i].bytes;
            entry.sparse = cases[i].extent != NULL;
            entry.extents = cases[i].extent;
            entry.n_extents = cases[i].extent != NULL;
            (void)fake_snapshot_add(snapshot, &entry, content, strlen(content));
            stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
            assert_problem(feed, "f", cases[i].text);
            assert_false(stay_fs_exists(path));
        }
    }
}

static void a_link_without_a_target_and_a_thing_without_a_type_are_refused(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();

    add(snapshot, BACKSTAY_SYMLINK, "link", "");
    add(snapshot, 99, "thing", "");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, "link",
                   "not restored: create symbolic link: the description makes no sense");
    assert_problem(feed, "thing", "not restored: create: the description makes no sense");
}

static void a_name_that_is_too_long_is_reported(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    char name[301];

    memset(name, 'x', 300);
    name[300] = '\0';
    add(snapshot, BACKSTAY_FILE, name, "x");
    add(snapshot, BACKSTAY_FILE, "y", "x");
    stay_auto(media_feed_free) struct fake_feed *feed = restore(fixture, snapshot);
    assert_problem(feed, name, "not restored: create: File name too long");
    assert_int_equal(fake_feed_outcome(feed, "y")->done, 1);
}

/* ---------------------------------------------------------------- without openat2 */

static void folders_are_opened_step_by_step_where_the_kernel_cannot(void **state)
{
    static const struct {
        const char *path;
        int error;
    } refused[] = {{"link", ENOTDIR},     {"link/folder", ENOTDIR}, {"a/link/folder", ENOTDIR},
                   {"..", EXDEV},         {"a/../a", EXDEV},        {"a/file", ENOTDIR},
                   {"a/file/x", ENOTDIR}, {"a/none", ENOENT},       {"/a", EXDEV}};
    struct media_fixture *fixture = *state;
    stay_auto_str char *outside = media_path(fixture, "outside");
    stay_auto_str char *link_path = media_path(fixture, "tree/link");
    stay_auto_str char *deeper = media_path(fixture, "tree/a/link");
    struct media_places places;

    stay_tree_mkdir(fixture->folder, "outside/folder");
    stay_tree_mkdir(fixture->root, "a/b/c");
    stay_tree_write(fixture->root, "a/file", "");
    assert_int_equal(symlink(outside, link_path), 0);
    assert_int_equal(symlink("b", deeper), 0);
    for (int step_by_step = 0; step_by_step < 2; step_by_step++) {
        stay_auto_fd int root = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        media_places_init(&places, root);
        places.step_by_step = step_by_step != 0;
        struct media_place *place = media_places_open(&places, "a/b/c", 5, false);
        assert_non_null(place);
        media_places_close(&places, place);
        for (size_t i = 0; i < STAY_COUNT(refused); i++) {
            const char *path = refused[i].path;
            /* The kernel allows what stays inside. */
            if (!step_by_step && strstr(path, "/../"))
                continue;
            assert_null(media_places_open(&places, path, strlen(path), false));
            if (step_by_step)
                assert_int_equal(errno, refused[i].error);
        }
        media_places_done(&places);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(nothing_is_written_through_a_link_of_the_snapshot),
        MEDIA_TEST(nothing_is_written_through_a_link_in_the_target),
        MEDIA_TEST(a_link_in_the_place_of_a_folder_is_replaced_not_followed),
        MEDIA_TEST(paths_that_lead_out_are_refused),
        MEDIA_TEST(a_hard_link_does_not_reach_out_through_its_first_name),
        MEDIA_TEST(a_file_is_no_folder),
        MEDIA_TEST(a_root_that_is_no_folder_is_refused),
        MEDIA_TEST(sizes_and_extents_that_do_not_fit_are_refused),
        MEDIA_TEST(a_link_without_a_target_and_a_thing_without_a_type_are_refused),
        MEDIA_TEST(a_name_that_is_too_long_is_reported),
        MEDIA_TEST(folders_are_opened_step_by_step_where_the_kernel_cannot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
