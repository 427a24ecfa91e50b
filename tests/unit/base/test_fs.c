/* tests/unit/base/test_fs.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * fs: whole reads and writes, folders made and removed, and what is said when it cannot be.
 */
#include "base/fs.h"

#include "base/base.h"
#include "support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(void **state)
{
    struct stay_err err = {0};
    char *path = NULL;

    if (stay_fs_make_scratch(&path, "/tmp/backstay-test-fs-", &err) < 0)
        return -1;
    *state = path;
    return 0;
}

static int remove_folder(void **state)
{
    struct stay_err err = {0};
    int rc = stay_fs_remove_tree(*state, &err);

    free(*state);
    return rc;
}

#define PATH(variable, name)                                                                       \
    stay_auto_str char *variable = stay_strf("%s/%s", (const char *)*state, (name))

static void a_file_is_written_and_read_whole(void **state)
{
    PATH(path, "file");
    stay_auto_buf struct stay_buf data = {0};
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};
    struct stat st;

    for (int i = 0; i < 50000; i++)
        stay_buf_u64(&data, (uint64_t)i);
    assert_ok(stay_fs_write_atomic(path, data.data, data.len, 0640, &err), err);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    stay_buf_str(&back, "before ");
    assert_ok(stay_fs_read(&back, path, data.len, &err), err);
    assert_int_equal(back.len, 7 + data.len);
    assert_memory_equal(back.data, "before ", 7);
    assert_memory_equal(back.data + 7, data.data, data.len);
}

static void writing_replaces_and_leaves_nothing_beside(void **state)
{
    PATH(path, "file");
    PATH(listing, "");
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};

    assert_ok(stay_fs_write_atomic(path, "first", 5, 0600, &err), err);
    assert_ok(stay_fs_write_atomic(path, "", 0, 0600, &err), err);
    assert_ok(stay_fs_read(&back, path, 0, &err), err);
    assert_int_equal(back.len, 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(listing), 0); /* fails when a temporary file is left */
    assert_int_equal(mkdir(listing, 0700), 0);
}

static void a_replacement_that_fails_leaves_nothing(void **state)
{
    PATH(path, "folder");
    struct stay_err err = {0};

    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(stay_fs_write_atomic(path, "x", 1, 0600, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_IO);
    assert_non_null(strstr(err.text, ": Is a directory"));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(*state), 0);
    assert_int_equal(mkdir(*state, 0700), 0);
}

static void a_file_larger_than_its_limit_is_refused(void **state)
{
    PATH(path, "file");
    stay_auto_str char *expected = stay_strf("%s is larger than 4 bytes", path);
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};

    assert_ok(stay_fs_write_atomic(path, "12345", 5, 0600, &err), err);
    assert_int_equal(stay_fs_read(&back, path, 4, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, expected);
    assert_ok(stay_fs_read(&back, path, 5, &err), err);
}

static void a_missing_file_is_named(void **state)
{
    PATH(path, "none");
    PATH(inside, "none/file");
    stay_auto_str char *open_text = stay_strf("open %s: No such file or directory", path);
    stay_auto_str char *folder_text = stay_strf("open folder %s: No such file or directory", path);
    stay_auto_buf struct stay_buf back = {0};
    struct stay_err err = {0};

    assert_false(stay_fs_exists(path));
    assert_int_equal(stay_fs_read(&back, path, 10, &err), -1);
    assert_error(err, STAY_ERR_IO, open_text);
    assert_int_equal(stay_fs_sync_folder(path, &err), -1);
    assert_error(err, STAY_ERR_IO, folder_text);
    assert_int_equal(stay_fs_write_atomic(inside, "x", 1, 0600, &err), -1);
    assert_non_null(strstr(err.text, ": No such file or directory"));
}

static void folders_are_made_with_their_parents(void **state)
{
    PATH(deep, "a/b/c");
    PATH(slashes, "x//y/");
    PATH(file, "a/file");
    PATH(beneath, "a/file/z");
    stay_auto_str char *is_file = stay_strf("%s exists and is not a folder", file);
    stay_auto_str char *not_folder = stay_strf("create folder %s: Not a directory", beneath);
    struct stay_err err = {0};
    struct stat st;

    assert_ok(stay_fs_mkdirs(deep, 0700, &err), err);
    assert_ok(stay_fs_mkdirs(deep, 0700, &err), err);
    assert_ok(stay_fs_mkdirs(slashes, 0700, &err), err);
    assert_int_equal(stat(deep, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(stay_fs_exists(slashes));
    assert_ok(stay_fs_write_atomic(file, "x", 1, 0600, &err), err);
    assert_int_equal(stay_fs_mkdirs(file, 0700, &err), -1);
    assert_error(err, STAY_ERR_IO, is_file);
    assert_int_equal(stay_fs_mkdirs(beneath, 0700, &err), -1);
    assert_error(err, STAY_ERR_IO, not_folder);
}

static void removing_a_tree_does_not_follow_links(void **state)
{
    PATH(tree, "tree");
    PATH(deep, "tree/a/b/c");
    PATH(kept, "kept");
    PATH(kept_file, "kept/file");
    PATH(link, "tree/a/link");
    struct stay_err err = {0};

    assert_ok(stay_fs_mkdirs(deep, 0700, &err), err);
    assert_ok(stay_fs_mkdirs(kept, 0700, &err), err);
    assert_ok(stay_fs_write_atomic(kept_file, "x", 1, 0600, &err), err);
    assert_int_equal(symlink(kept, link), 0);
    assert_ok(stay_fs_remove_tree(tree, &err), err);
    assert_false(stay_fs_exists(tree));
    assert_true(stay_fs_exists(kept_file));
    assert_ok(stay_fs_remove_tree(tree, &err), err);
}

static void a_tree_deeper_than_any_path_is_removed(void **state)
{
    PATH(tree, "tree");
    struct stay_err err = {0};
    char name[201];

    memset(name, 'x', 200);
    name[200] = '\0';
    assert_ok(stay_fs_mkdirs(tree, 0700, &err), err);
    stay_auto_fd int at = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(mkdirat(at, name, 0700), 0);
        assert_int_equal(mkdirat(at, "sibling", 0500), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(fchmod(at, i % 2 ? 0700 : 0500), 0);
        close(at);
        at = next;
        assert_true(at >= 0);
    }
    assert_ok(stay_fs_remove_tree(tree, &err), err);
    assert_false(stay_fs_exists(tree));
}

static void removing_a_tree_stops_at_a_mount_point(void **state)
{
    PATH(tree, "tree");
    PATH(mounted, "tree/a/mounted");
    PATH(kept, "tree/a/mounted/kept");
    stay_auto_str char *text = stay_strf("remove %s: Device or resource busy", tree);
    struct stay_err err = {0};

    assert_ok(stay_fs_mkdirs(mounted, 0700, &err), err);
    if (mount("backstay-test", mounted, "tmpfs", 0, "size=64k") != 0)
        fail_msg("cannot mount a tmpfs on %s: %s; run the tests as root", mounted, strerror(errno));
    assert_ok(stay_fs_write_atomic(kept, "x", 1, 0600, &err), err);
    int rc = stay_fs_remove_tree(tree, &err);
    bool is_kept = stay_fs_exists(kept);
    assert_int_equal(umount(mounted), 0);
    assert_int_equal(rc, -1);
    assert_error(err, STAY_ERR_IO, text);
    assert_true(is_kept);
}

static void removing_a_single_file_or_link_is_allowed(void **state)
{
    PATH(file, "file");
    PATH(link, "link");
    struct stay_err err = {0};

    assert_ok(stay_fs_write_atomic(file, "x", 1, 0600, &err), err);
    assert_int_equal(symlink(*state, link), 0);
    assert_ok(stay_fs_remove_tree(link, &err), err);
    assert_false(stay_fs_exists(link));
    assert_ok(stay_fs_remove_tree(file, &err), err);
    assert_false(stay_fs_exists(file));
}

static void scratch_folders_are_private_and_distinct(void **state)
{
    PATH(prefix, "scratch-");
    stay_auto_str char *first = NULL;
    stay_auto_str char *second = NULL;
    struct stay_err err = {0};
    struct stat st;

    assert_ok(stay_fs_make_scratch(&first, prefix, &err), err);
    assert_ok(stay_fs_make_scratch(&second, prefix, &err), err);
    assert_string_not_equal(first, second);
    assert_true(stay_str_starts(first, prefix));
    assert_int_equal(stat(first, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void an_unnamed_file_has_no_name(void **state)
{
    stay_auto_fd int fd = -1;
    struct stay_err err = {0};
    struct stat st;
    char back[4] = "";

    assert_ok(stay_fs_unnamed(&fd, *state, &err), err);
    assert_ok(stay_fs_write_all(fd, "it", "text", 4, &err), err);
    assert_int_equal(pread(fd, back, 4, 0), 4);
    assert_memory_equal(back, "text", 4);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(rmdir(*state), 0);
    assert_int_equal(mkdir(*state, 0700), 0);
}

static void a_write_to_a_full_device_says_so(void **state)
{
    stay_auto_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct stay_err err = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(stay_fs_write_all(fd, "/dev/full", "x", 1, &err), -1);
    assert_error(err, STAY_ERR_SPACE, "write /dev/full: No space left on device");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_written_and_read_whole),
        IN_FOLDER(writing_replaces_and_leaves_nothing_beside),
        IN_FOLDER(a_replacement_that_fails_leaves_nothing),
        IN_FOLDER(a_file_larger_than_its_limit_is_refused),
        IN_FOLDER(a_missing_file_is_named),
        IN_FOLDER(folders_are_made_with_their_parents),
        IN_FOLDER(removing_a_tree_does_not_follow_links),
        IN_FOLDER(a_tree_deeper_than_any_path_is_removed),
        IN_FOLDER(removing_a_tree_stops_at_a_mount_point),
        IN_FOLDER(removing_a_single_file_or_link_is_allowed),
        IN_FOLDER(scratch_folders_are_private_and_distinct),
        IN_FOLDER(an_unnamed_file_has_no_name),
        cmocka_unit_test(a_write_to_a_full_device_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
