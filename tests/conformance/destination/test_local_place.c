/* tests/conformance/destination/test_local_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * local: opening, rights, links, and what else lies in the folder.
 */
#include "local_place.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---------------------------------------------------------------- opening */

static void opening_makes_missing_folders_only_at_init(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *missing =
        stay_strf("folder %s/a/b does not exist: mount its disk, or create the repository with "
                  "`backstay init`",
                  place->folder);
    struct stat st;

    free(place->path);
    place->path = stay_strf("%s/a/b", place->folder);
    assert_int_equal(local_place_open(place, false, NULL, NULL), -1);
    assert_error(place->err, BACKSTAY_ERR_CONFIG, missing);
    assert_int_equal(local_place_open(place, true, NULL, NULL), 0);
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(local_place_open(place, true, NULL, NULL), 0);
    assert_int_equal(local_place_open(place, false, NULL, NULL), 0);
}

static void opening_changes_nothing_in_a_folder_that_exists(void **state)
{
    struct local_place *place = *state;

    assert_int_equal(mkdir(place->path, 0750), 0);
    local_place_must_open(place, NULL, NULL);
    assert_int_equal(rmdir(place->path), 0); /* fails when something is in it */
}

static void a_path_that_is_a_file_is_refused(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *text = stay_strf("%s is not a folder", place->path);
    struct stay_err err = {0};

    assert_ok(stay_fs_write_atomic(place->path, "x", 1, 0600, &err), err);
    assert_int_equal(local_place_open(place, false, NULL, NULL), -1);
    assert_error(place->err, BACKSTAY_ERR_CONFIG, text);
    assert_int_equal(local_place_open(place, true, NULL, NULL), -1);
    assert_error(place->err, BACKSTAY_ERR_CONFIG, text);
}

/* Opens the place as a user without rights, in a child; the error comes back through @err. */
static void open_as_nobody(struct local_place *place, struct backstay_error *err)
{
    int ends[2];
    const struct backstay_host *host = stay_host_abi(place->dest.host);
    pid_t child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        void *self = NULL;
        *err = (struct backstay_error){.size = sizeof *err};
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        int rc = place->dest.ops->open(host, 0, &self, err);
        _exit(rc == -1 && write(ends[1], err, sizeof *err) == (ssize_t)sizeof *err ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], err, sizeof *err), sizeof *err);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_folder_without_rights_is_refused_and_says_to_whom(void **state)
{
    struct local_place *place = *state;
    unsigned user = geteuid() == 0 ? 65534 : geteuid();
    stay_auto_str char *text = stay_strf(
        "open folder %s: Permission denied; user %u needs the right to read and write there",
        place->path, user);
    struct backstay_error err;

    local_place_must_open(place, NULL, NULL);
    assert_int_equal(chmod(place->path, 0555), 0);
    open_as_nobody(place, &err);
    assert_error(err, BACKSTAY_ERR_AUTH, text);
    assert_int_equal(chmod(place->path, 0), 0);
    open_as_nobody(place, &err);
    assert_error(err, BACKSTAY_ERR_AUTH, text);
    assert_int_equal(chmod(place->path, 0700), 0);
}

static void what_is_stored_is_for_its_owner_only(void **state)
{
    struct local_place *place = *state;
    static const char *const folders[] = {"", "/packs", "/packs/ab", "/tmp"};
    mode_t before = umask(0);
    struct stat st;

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "packs/ab/x", 'x', 1), place->err);
    assert_ok(local_place_put_if_absent(place, "packs/ab/y", 'x', 1), place->err);
    (void)umask(before);
    for (size_t i = 0; i < STAY_COUNT(folders); i++) {
        stay_auto_str char *path = stay_strf("%s%s", place->path, folders[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
    for (char name = 'x'; name <= 'y'; name++) {
        stay_auto_str char *path = stay_strf("%s/packs/ab/%c", place->path, name);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_nlink, 1);
    }
}

/* ---------------------------------------------------------------- what lies in the folder */

static void leftovers_of_crashes_go_after_a_day(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *old = stay_strf("%s/tmp/1-2-old", place->path);
    stay_auto_str char *young = stay_strf("%s/tmp/1-2-young", place->path);
    const int64_t now_s = stay_clock_now(stay_clock_system()) / STAY_NS_PER_S;
    const struct timespec times[2][2] = {{{now_s - 86500, 0}, {now_s - 86500, 0}},
                                         {{now_s - 86000, 0}, {now_s - 86000, 0}}};
    struct stay_err err = {0};

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "x", 'x', 1), place->err);
    assert_ok(stay_fs_write_atomic(old, "x", 1, 0600, &err), err);
    assert_ok(stay_fs_write_atomic(young, "x", 1, 0600, &err), err);
    assert_int_equal(utimensat(AT_FDCWD, old, times[0], 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, young, times[1], 0), 0);
    assert_int_equal(local_place_count(place), 1);
    local_place_must_open(place, NULL, NULL);
    assert_false(stay_fs_exists(old));
    assert_true(stay_fs_exists(young));
    assert_int_equal(local_place_count(place), 1);
}

static void the_names_of_unfinished_objects_are_taken(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    assert_int_equal(local_place_put(place, "tmp", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO,
                 "object name \"tmp\" is not allowed: \"tmp\" holds unfinished objects");
    assert_int_equal(local_place_put(place, "tmp/x", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO,
                 "object name \"tmp/x\" is not allowed: \"tmp\" holds unfinished objects");
    assert_ok(local_place_put(place, "packs/tmp/x", 'x', 1), place->err);
    assert_ok(local_place_put(place, "tmpx", 'x', 1), place->err);
    assert_int_equal(local_place_count(place), 2);
}

static void a_bad_name_is_shown_with_what_would_be_a_good_one(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    assert_int_equal(local_place_put(place, "../x", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO,
                 "object name \"../x\" is not allowed: use parts of 1 to 255 of the characters "
                 "A-Z a-z 0-9 . _ - joined by \"/\"");
}

static void what_cannot_be_an_object_is_not_listed(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *fifo = stay_strf("%s/packs/fifo", place->path);
    stay_auto_str char *link = stay_strf("%s/packs/link", place->path);
    stay_auto_str char *odd = stay_strf("%s/lost+found", place->path);
    stay_auto_str char *inside = stay_strf("%s/lost+found/x", place->path);
    struct stay_err err = {0};

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "packs/x", 'x', 1), place->err);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("x", link), 0);
    assert_int_equal(mkdir(odd, 0700), 0);
    assert_ok(stay_fs_write_atomic(inside, "x", 1, 0600, &err), err);
    assert_int_equal(local_place_count(place), 1);
    assert_true(local_place_misses(place, "packs/fifo"));
}

static void symbolic_links_are_not_followed(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *outside = stay_strf("%s/outside", place->folder);
    stay_auto_str char *kept = stay_strf("%s/outside/kept", place->folder);
    stay_auto_str char *link = stay_strf("%s/packs", place->path);
    stay_auto_str char *text =
        stay_strf("create folder %s/packs: Too many levels of symbolic links; a symbolic link or a "
                  "mount inside of a destination is refused",
                  place->path);
    struct stay_err err = {0};
    size_t got;
    char byte;

    local_place_must_open(place, NULL, NULL);
    assert_int_equal(mkdir(outside, 0700), 0);
    assert_ok(stay_fs_write_atomic(kept, "x", 1, 0600, &err), err);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(local_place_put(place, "packs/x", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    assert_int_equal(
        place->dest.ops->get(place->dest.self, "packs/kept", 0, &byte, 1, &got, &place->err), -1);
    assert_int_equal(place->dest.ops->remove(place->dest.self, "packs/kept", &place->err), -1);
    assert_true(stay_fs_exists(kept));
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(rmdir(outside), 0); /* fails when something was written there */
}

static void an_object_and_a_folder_cannot_have_one_name(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *is_folder = stay_strf("store a in %s: Is a directory", place->path);
    stay_auto_str char *is_object = stay_strf("create folder %s/a/b: Not a directory", place->path);

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "a/b", 'x', 1), place->err);
    assert_int_equal(local_place_put(place, "a", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, is_folder);
    assert_int_equal(local_place_put_if_absent(place, "a", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, is_folder);
    assert_int_equal(local_place_put(place, "a/b/c", 'x', 1), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, is_object);
    assert_true(local_place_holds(place, "a/b", 'x', 1));
    assert_int_equal(local_place_unfinished(place), 0);
}

int main(void)
{
#define IN_PLACE(test)                                                                             \
    cmocka_unit_test_setup_teardown(test, local_place_setup, local_place_teardown)
    const struct CMUnitTest tests[] = {
        IN_PLACE(opening_makes_missing_folders_only_at_init),
        IN_PLACE(opening_changes_nothing_in_a_folder_that_exists),
        IN_PLACE(a_path_that_is_a_file_is_refused),
        IN_PLACE(a_folder_without_rights_is_refused_and_says_to_whom),
        IN_PLACE(what_is_stored_is_for_its_owner_only),
        IN_PLACE(leftovers_of_crashes_go_after_a_day),
        IN_PLACE(the_names_of_unfinished_objects_are_taken),
        IN_PLACE(a_bad_name_is_shown_with_what_would_be_a_good_one),
        IN_PLACE(what_cannot_be_an_object_is_not_listed),
        IN_PLACE(symbolic_links_are_not_followed),
        IN_PLACE(an_object_and_a_folder_cannot_have_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
