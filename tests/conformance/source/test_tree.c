/* tests/conformance/source/test_tree.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The comparison of trees that other tests rely on finds every kind of difference.
 */
#include "support/cmocka.h"
#include "support/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Two trees with the same file "f", link "l", folder "d" and second name "g" of "f". */
struct trees {
    char *folder;
    char *a;
    char *b;
};

static void make_tree(const char *root)
{
    struct stay_err err = {0};
    const struct timespec times[2] = {{.tv_sec = 5, .tv_nsec = 6}, {.tv_sec = 7, .tv_nsec = 8}};

    assert_ok(stay_fs_mkdirs(root, 0755, &err), err);
    assert_int_equal(chdir(root), 0);
    stay_tree_mkdir(root, "d");
    stay_tree_write_random(root, "f", 200000, 1);
    assert_int_equal(truncate("f", 1 << 20), 0);
    assert_int_equal(setxattr("f", "user.x", "y", 1, 0), 0);
    assert_int_equal(link("f", "g"), 0);
    assert_int_equal(symlink("t", "l"), 0);
    assert_int_equal(utimensat(AT_FDCWD, "f", times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(utimensat(AT_FDCWD, "d", times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, ".", times, 0), 0);
}

static int make_trees(void **state)
{
    struct trees *trees = stay_new(struct trees);
    struct stay_err err = {0};

    *state = trees;
    assert_ok(stay_fs_make_scratch(&trees->folder, "/tmp/backstay-tree-", &err), err);
    trees->a = stay_strf("%s/a", trees->folder);
    trees->b = stay_strf("%s/b", trees->folder);
    make_tree(trees->a);
    make_tree(trees->b);
    return 0;
}

static int remove_trees(void **state)
{
    struct trees *trees = *state;
    struct stay_err err = {0};
    int rc = chdir("/") == 0 ? stay_fs_remove_tree(trees->folder, &err) : -1;

    free(trees->folder);
    free(trees->a);
    free(trees->b);
    free(trees);
    return rc;
}

/* Gives what was changed its old time back, so that only the change itself is to be found. */
static void reset_times(void)
{
    const struct timespec times[2] = {{.tv_sec = 5, .tv_nsec = 6}, {.tv_sec = 7, .tv_nsec = 8}};

    (void)utimensat(AT_FDCWD, "f", times, 0);
    (void)utimensat(AT_FDCWD, "g", times, 0);
    (void)utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW);
    (void)utimensat(AT_FDCWD, "d", times, 0);
    assert_int_equal(utimensat(AT_FDCWD, ".", times, 0), 0);
}

static void write_byte(off_t at)
{
    stay_auto_fd int fd = open("f", O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "Z", 1, at), 1);
}

static void change(size_t i)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 7, .tv_nsec = 9}};

    switch (i) {
    case 0:
        return write_byte(100);
    case 1: /* fills a part of the hole */
        return write_byte(900000);
    case 2:
        return assert_int_equal(chmod("f", 0600), 0);
    case 3:
        return assert_int_equal(setxattr("f", "user.x", "z", 1, 0), 0);
    case 4:
        return assert_int_equal(setxattr("d", "user.new", "z", 1, 0), 0);
    case 5:
        return assert_int_equal(removexattr("f", "user.x"), 0);
    case 6:
        assert_int_equal(unlink("l"), 0);
        return assert_int_equal(symlink("u", "l"), 0);
    case 7:
        return assert_int_equal(rmdir("d"), 0);
    case 8:
        return assert_int_equal(mkdir("e", 0755), 0);
    case 9:
        assert_int_equal(unlink("l"), 0);
        return assert_int_equal(mkfifo("l", 0777), 0);
    case 10: /* a copy instead of a hard link */
        assert_int_equal(unlink("g"), 0);
        return assert_int_equal(system("cp --preserve=all --sparse=always f g && ln f h && ln g i"),
                                0);
    case 11:
        return assert_int_equal(truncate("f", (1 << 20) + 1), 0);
    case 12:
        reset_times();
        return assert_int_equal(utimensat(AT_FDCWD, "d", times, 0), 0);
    default:
        reset_times();
        return assert_int_equal(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW), 0);
    }
}

static const char *const expected[] = {
    "\"f\": content differs\n\"g\": content differs\n",
    "\"f\": holes differ\n\"g\": holes differ\n",
    "\"f\": mode is 33152, was 33188\n\"g\": mode is 33152, was 33188\n",
    "\"f\": attribute user.x differs\n\"g\": attribute user.x differs\n",
    "\"d\": the number of attributes is 1, was 0\n",
    "\"f\": attribute user.x differs\n\"f\": the number of attributes is 0, was 1\n"
    "\"g\": attribute user.x differs\n\"g\": the number of attributes is 0, was 1\n",
    "\"l\": target differs\n",
    "\"d\": is missing\n",
    "\"e\": should not be there\n",
    "\"l\": mode is 4589, was 41471\n\"l\": size is 0, was 1\n",
    "\"g\": is not a hard link to the same file\n\"h\": should not be there\n"
    "\"i\": should not be there\n",
    "\"f\": size is 1048577, was 1048576\n\"g\": size is 1048577, was 1048576\n",
    "\"d\": mtime, ns is 9, was 8\n",
    "\"l\": mtime, ns is 9, was 8\n",
};

static void the_comparison_finds_every_kind_of_difference(void **state)
{
    for (size_t i = 0; i < STAY_COUNT(expected); i++) {
        struct trees *trees = *state;
        stay_auto_buf struct stay_buf before = {0};
        stay_auto_buf struct stay_buf after = {0};
        assert_int_equal(stay_tree_compare(trees->a, trees->b, &before), 0);
        change(i);
        if (i < 12)
            reset_times();
        assert_true(stay_tree_compare(trees->a, trees->b, &after) > 0);
        assert_string_equal(after.data, expected[i]);
        assert_int_equal(remove_trees(state), 0);
        assert_int_equal(make_trees(state), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        the_comparison_finds_every_kind_of_difference, make_trees, remove_trees)};

    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
