/* tests/conformance/source/test_media_races.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that change, vanish, fail or are replaced while the media source reads them. The plugin's
 * pread(2) and getdents64(2) are this program's, so a test can act between two reads.
 */
#undef _FORTIFY_SOURCE /* under it pread is an inline function, which cannot be defined again */
#include "media_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t pread(int fd, void *to, size_t len, off_t offset);
__attribute__((visibility("default"))) ssize_t getdents64(int fd, void *to, size_t len);

/* What happens after each read of at least one byte while a backup runs. */
static struct {
    void (*act)(struct media_fixture *fixture, unsigned nth);
    struct media_fixture *fixture;
    unsigned reads;
    int fail_with; /* an errno, for every read; 0: none */
} interference;

ssize_t pread(int fd, void *to, size_t len, off_t offset)
{
    if (interference.fail_with != 0) {
        errno = interference.fail_with;
        return -1;
    }
    ssize_t got = syscall(SYS_pread64, fd, to, len, offset);
    if (interference.act && got > 0)
        interference.act(interference.fixture, ++interference.reads);
    return got;
}

/* The same for listing folders. */
static int listing_fails_with;

ssize_t getdents64(int fd, void *to, size_t len)
{
    if (listing_fails_with != 0) {
        errno = listing_fails_with;
        return -1;
    }
    return syscall(SYS_getdents64, fd, to, len);
}

static struct fake_snapshot *backup(struct media_fixture *fixture,
                                    void (*act)(struct media_fixture *fixture, unsigned nth))
{
    interference.act = act;
    interference.fixture = fixture;
    interference.reads = 0;
    fixture->jobs = 1;
    struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    interference.act = NULL;
    return snapshot;
}

/* Names of what is acted on: all tests use the one file "file". */
static void append(struct media_fixture *fixture)
{
    stay_auto_str char *path = media_path(fixture, "tree/file");
    stay_auto_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_int_equal(write(fd, "+", 1), 1);
}

static void append_once(struct media_fixture *fixture, unsigned nth)
{
    if (nth == 1)
        append(fixture);
}

static void append_always(struct media_fixture *fixture, unsigned nth)
{
    (void)nth;
    append(fixture);
}

static void cut_after_the_first(struct media_fixture *fixture, unsigned nth)
{
    stay_auto_str char *path = media_path(fixture, "tree/file");

    if (nth == 1)
        assert_int_equal(truncate(path, 100), 0);
}

static void change_mode_once(struct media_fixture *fixture, unsigned nth)
{
    stay_auto_str char *path = media_path(fixture, "tree/file");

    if (nth == 1)
        assert_int_equal(chmod(path, 0600), 0);
}

static void assert_mixed(const struct fake_snapshot *snapshot)
{
    const struct fake_entry *file = fake_snapshot_find(snapshot, "file");

    assert_int_equal(file->entry.flags & BACKSTAY_ENTRY_CHANGED, BACKSTAY_ENTRY_CHANGED);
    assert_int_equal(file->token_len, 0);
    assert_string_equal(fake_snapshot_warning(snapshot, "file"),
                        "changed while it was read: its content may be a mix");
}

/* ---------------------------------------------------------------- changes */

static void a_small_file_that_changes_once_is_read_again(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "content");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(fixture, append_once);
    const struct fake_entry *file = fake_snapshot_find(snapshot, "file");
    assert_string_equal(file->content, "content+");
    assert_int_equal(file->entry.bytes, 8);
    assert_int_equal(file->entry.flags & BACKSTAY_ENTRY_CHANGED, 0);
    assert_int_equal(snapshot->warnings.n, 0);
}

static void a_small_file_that_never_rests_is_recorded_with_a_warning(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "content");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(fixture, append_always);
    assert_mixed(snapshot);
    assert_string_equal(fake_snapshot_find(snapshot, "file")->content, "content++");
    assert_int_equal(interference.reads, 3);
}

static void a_mode_that_changes_during_the_read_is_the_new_one(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "file", "content");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot =
        backup(fixture, change_mode_once);
    assert_int_equal(fake_snapshot_find(snapshot, "file")->entry.mode, 0600);
    assert_int_equal(snapshot->warnings.n, 0);
}

static void a_small_file_that_is_cut_is_read_again(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write_random(fixture->root, "file", 5000, 1);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot =
        backup(fixture, cut_after_the_first);
    assert_int_equal(fake_snapshot_find(snapshot, "file")->entry.bytes, 100);
    assert_int_equal(snapshot->warnings.n, 0);
}

static void a_large_file_that_grows_is_recorded_up_to_its_first_size(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write_random(fixture->root, "file", 5 << 20, 1);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = backup(fixture, append_once);
    assert_mixed(snapshot);
    assert_int_equal(fake_snapshot_find(snapshot, "file")->content_len, 5 << 20);
}

static void a_large_file_that_is_cut_is_recorded_as_far_as_it_was_read(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write_random(fixture->root, "file", 5 << 20, 1);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot =
        backup(fixture, cut_after_the_first);
    assert_mixed(snapshot);
    assert_int_equal(fake_snapshot_find(snapshot, "file")->entry.bytes, 1 << 20);
}

static void a_sparse_file_that_is_cut_is_recorded_as_far_as_it_was_read(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *path = media_path(fixture, "tree/file");

    stay_tree_write_random(fixture->root, "file", 3 << 20, 1);
    assert_int_equal(truncate(path, 100 << 20), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot =
        backup(fixture, cut_after_the_first);
    const struct fake_entry *file = fake_snapshot_find(snapshot, "file");
    assert_mixed(snapshot);
    assert_int_equal(file->entry.sparse, 1);
    assert_int_equal(file->entry.bytes, 100 << 20);
    assert_int_equal(file->content_len, 1 << 20);
}

/* ---------------------------------------------------------------- failures */

static void a_file_that_cannot_be_read_is_noted_and_not_recorded(void **state)
{
    static const size_t sizes[] = {100, 3 << 20};
    struct media_fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(sizes); i++) {
        stay_tree_write_random(fixture->root, "file", sizes[i], 1);
        interference.fail_with = EIO;
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        interference.fail_with = 0;
        assert_null(fake_snapshot_find(snapshot, "file"));
        assert_string_equal(fake_snapshot_warning(snapshot, "file"),
                            "unreadable: Input/output error");
        assert_string_equal(stay_map_get(snapshot->facts, "media:files", 11), "0");
    }
}

static void a_root_that_cannot_be_listed_is_an_error_and_not_empty(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    stay_auto_str char *text = stay_strf("list media folder %s: Input/output error", fixture->root);
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_sink sink;

    stay_tree_write(fixture->root, "file", "content");
    media_plugin(fixture, &plugin);
    fake_sink_init(&sink, snapshot, NULL);
    listing_fails_with = EIO;
    assert_int_equal(plugin.ops->backup(plugin.self, &sink.abi, &err), -1);
    listing_fails_with = 0;
    assert_error(err, BACKSTAY_ERR_IO, text);
    fake_sink_free(&sink);
    plugin_source_close(&plugin);
}

static void fail_listing(void *ctx, const char *call, const char *path)
{
    (void)ctx;
    if (strcmp(call, "unchanged") == 0 && strcmp(path, "folder") == 0)
        listing_fails_with = EIO;
}

static void a_folder_that_cannot_be_listed_is_noted(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_mkdir(fixture->root, "folder/inside");
    fixture->hook = fail_listing;
    fixture->jobs = 1;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    listing_fails_with = 0;
    assert_string_equal(fake_snapshot_warning(snapshot, "folder"),
                        "listed in part only: Input/output error");
}

static void no_name_of_an_unreadable_file_is_recorded(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *first = media_path(fixture, "tree/file");
    stay_auto_str char *second = media_path(fixture, "tree/name");

    stay_tree_write(fixture->root, "file", "content");
    assert_int_equal(link(first, second), 0);
    interference.fail_with = EIO;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    interference.fail_with = 0;
    assert_int_equal(snapshot->entries.n, 1);
    assert_int_equal(snapshot->warnings.n, 2);
}

/* ---------------------------------------------------------------- between look and open */

/* What takes the place of "file" once the source has asked about it. */
static void (*replace_by)(const char *path);

static void replace(void *ctx, const char *call, const char *path)
{
    const struct media_fixture *fixture = ctx;
    stay_auto_str char *full = media_path(fixture, "tree/file");

    if (strcmp(call, "unchanged") != 0 || strcmp(path, "file") != 0)
        return;
    assert_int_equal(unlink(full), 0);
    if (replace_by)
        replace_by(full);
}

static void by_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
}

static void by_symlink(const char *path)
{
    assert_int_equal(symlink("/etc/passwd", path), 0);
}

static void by_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void what_is_gone_or_replaced_when_it_is_opened_is_noted(void **state)
{
    static const struct {
        void (*by)(const char *path);
        const char *text;
    } cases[] = {
        {NULL, "vanished before it was read: No such file or directory"},
        {by_folder, "not recorded: replaced by something that is not a file while it was read"},
        {by_symlink, "not recorded: replaced by something that is not a file while it was read"},
        {by_fifo, "not recorded: replaced by something that is not a file while it was read"},
    };

    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct media_fixture *fixture = *state;
        stay_tree_write(fixture->root, "file", "content");
        replace_by = cases[i].by;
        fixture->hook = replace;
        fixture->hook_ctx = fixture;
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
        assert_null(fake_snapshot_find(snapshot, "file"));
        assert_string_equal(fake_snapshot_warning(snapshot, "file"), cases[i].text);
        assert_int_equal(media_fixture_remove(state), 0);
        assert_int_equal(media_fixture_make(state), 0);
    }
}

static void by_another_file(const char *path)
{
    stay_auto_fd int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, "another", 7), 7);
}

static void content_of_another_file_does_not_pass_for_a_name_of_the_first(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *first = media_path(fixture, "tree/file");
    stay_auto_str char *second = media_path(fixture, "tree/name");

    stay_tree_write(fixture->root, "file", "content");
    assert_int_equal(link(first, second), 0);
    replace_by = by_another_file;
    fixture->hook = replace;
    fixture->hook_ctx = fixture;
    fixture->jobs = 1;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    const struct fake_entry *file = fake_snapshot_find(snapshot, "file");
    const struct fake_entry *name = fake_snapshot_find(snapshot, "name");
    assert_string_equal(file->content, "another");
    assert_int_equal(file->entry.link_group, 0);
    assert_false(name->is_link);
    assert_string_equal(name->content, "content");
}

static void remove_folder(void *ctx, const char *call, const char *path)
{
    const struct media_fixture *fixture = ctx;
    stay_auto_str char *full = media_path(fixture, "tree/b");

    if (strcmp(call, "unchanged") == 0 && strcmp(path, "a") == 0)
        assert_int_equal(rmdir(full), 0);
}

static void a_folder_that_vanishes_is_noted(void **state)
{
    struct media_fixture *fixture = *state;

    stay_tree_write(fixture->root, "a", "");
    stay_tree_mkdir(fixture->root, "b");
    fixture->hook = remove_folder;
    fixture->hook_ctx = fixture;
    fixture->jobs = 1;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_auto_str char *paths = media_paths(snapshot);
    assert_string_equal(paths, ". a");
    assert_string_equal(fake_snapshot_warning(snapshot, "b"),
                        "vanished: No such file or directory");
}

enum { LEVELS = 30 };

/* Moves 0/1 away when the walk is at the bottom, and has a link lead elsewhere instead. */
static void swap_for_link(void *ctx, const char *call, const char *path)
{
    const struct media_fixture *fixture = ctx;
    stay_auto_str char *from = media_path(fixture, "tree/0/1");
    stay_auto_str char *to = media_path(fixture, "moved");
    stay_auto_str char *elsewhere = media_path(fixture, "elsewhere");

    if (strcmp(call, "unchanged") != 0 || !stay_str_ends(path, "/bottom"))
        return;
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(symlink(elsewhere, from), 0);
}

static void a_folder_swapped_for_a_link_does_not_lead_elsewhere(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_buf struct stay_buf path = {0};
    stay_auto_buf struct stay_buf copy = {0};
    struct rlimit before;

    stay_tree_mkdir(fixture->folder, "elsewhere");
    for (int i = 0; i < LEVELS; i++) {
        stay_buf_printf(&path, "%s%d", i ? "/" : "", i);
        stay_auto_str char *z = stay_strf("%s/z", path.data);
        stay_tree_mkdir(fixture->root, z);
        if (i < 2)
            continue;
        stay_buf_printf(&copy, "%s%d", i > 2 ? "/" : "elsewhere/", i);
        stay_auto_str char *other = stay_strf("%s/z/secret", copy.data);
        stay_tree_mkdir(fixture->folder, other);
    }
    stay_auto_str char *bottom = stay_strf("%s/bottom", path.data);
    stay_tree_write(fixture->root, bottom, "");
    fixture->hook = swap_for_link;
    fixture->hook_ctx = fixture;
    fixture->jobs = 1;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit few = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    stay_auto_str char *paths = media_paths(snapshot);
    assert_null(strstr(paths, "secret"));
    assert_string_equal(fake_snapshot_warning(snapshot, "0/1/2/3/z"),
                        "vanished: Too many levels of symbolic links");
}

/* ---------------------------------------------------------------- rights */

static void what_may_not_be_read_is_noted_and_the_rest_recorded(void **state)
{
    struct media_fixture *fixture = *state;
    stay_auto_str char *secret = media_path(fixture, "tree/secret");
    stay_auto_str char *closed = media_path(fixture, "tree/closed");

    stay_tree_write(fixture->root, "secret", "content");
    stay_tree_write(fixture->root, "open", "content");
    stay_tree_mkdir(fixture->root, "closed/inside");
    assert_int_equal(chmod(secret, 0), 0);
    assert_int_equal(chmod(closed, 0), 0);
    fixture->as_nobody = true;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = media_backup(fixture, NULL);
    stay_auto_str char *paths = media_paths(snapshot);
    assert_string_equal(paths, ". closed open");
    assert_string_equal(fake_snapshot_warning(snapshot, "secret"), "unreadable: Permission denied");
    assert_string_equal(fake_snapshot_warning(snapshot, "closed"),
                        "folder is unreadable, nothing in it was recorded: Permission denied");
    assert_int_equal(fake_snapshot_find(snapshot, "closed")->token_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEDIA_TEST(a_small_file_that_changes_once_is_read_again),
        MEDIA_TEST(a_small_file_that_never_rests_is_recorded_with_a_warning),
        MEDIA_TEST(a_mode_that_changes_during_the_read_is_the_new_one),
        MEDIA_TEST(a_small_file_that_is_cut_is_read_again),
        MEDIA_TEST(a_large_file_that_grows_is_recorded_up_to_its_first_size),
        MEDIA_TEST(a_large_file_that_is_cut_is_recorded_as_far_as_it_was_read),
        MEDIA_TEST(a_sparse_file_that_is_cut_is_recorded_as_far_as_it_was_read),
        MEDIA_TEST(a_file_that_cannot_be_read_is_noted_and_not_recorded),
        MEDIA_TEST(a_root_that_cannot_be_listed_is_an_error_and_not_empty),
        MEDIA_TEST(a_folder_that_cannot_be_listed_is_noted),
        MEDIA_TEST(no_name_of_an_unreadable_file_is_recorded),
        MEDIA_TEST(what_is_gone_or_replaced_when_it_is_opened_is_noted),
        MEDIA_TEST(content_of_another_file_does_not_pass_for_a_name_of_the_first),
        MEDIA_TEST(a_folder_that_vanishes_is_noted),
        MEDIA_TEST(a_folder_swapped_for_a_link_does_not_lead_elsewhere),
        MEDIA_TEST(what_may_not_be_read_is_noted_and_the_rest_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
