/* tests/unit/codec/test_archive.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * archive: what is written is what tar unpacks: contents, holes, links, times, owners.
 */
#include "codec/archive.h"

#include "support/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char *folder; /* where tar unpacks to */
    char *file;   /* the archive */
    int fd;
    struct stay_archive *archive;
    struct stay_err err;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    if (stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-archive-", &fixture->err) < 0)
        return -1;
    fixture->file = stay_strf("%s/archive.tar.zst", fixture->folder);
    fixture->fd = open(fixture->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *state = fixture;
    return stay_archive_new(&fixture->archive, fixture->fd, 3, &fixture->err);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int rc = stay_fs_remove_tree(fixture->folder, NULL);

    stay_archive_free(fixture->archive);
    (void)close(fixture->fd);
    free(fixture->folder);
    free(fixture->file);
    free(fixture);
    return rc;
}

static struct stay_archive_member file_member(const char *path, uint64_t bytes)
{
    return (struct stay_archive_member){.path = path,
                                        .mode = S_IFREG | 0640,
                                        .uid = getuid(),
                                        .gid = getgid(),
                                        .mtime_s = 1795314600,
                                        .mtime_ns = 123456789,
                                        .bytes = bytes};
}

static void add(struct fixture *fixture, const struct stay_archive_member *member)
{
    assert_ok(stay_archive_add(fixture->archive, member, &fixture->err), fixture->err);
}

static void add_file(struct fixture *fixture, const char *path, const char *content)
{
    const struct stay_archive_member member = file_member(path, strlen(content));

    add(fixture, &member);
    assert_ok(stay_archive_data(fixture->archive, 0, content, strlen(content), &fixture->err),
              fixture->err);
}

/* Ends the archive and has tar unpack it. */
static void unpack(struct fixture *fixture)
{
    stay_auto_str char *command =
        stay_strf("tar --zstd -xpSf %s -C %s", fixture->file, fixture->folder);

    assert_ok(stay_archive_close(fixture->archive, &fixture->err), fixture->err);
    assert_int_equal(system(command), 0);
}

static char *path_of(const struct fixture *fixture, const char *path)
{
    return stay_strf("%s/%s", fixture->folder, path);
}

static struct stat stat_of(const struct fixture *fixture, const char *path)
{
    stay_auto_str char *full = path_of(fixture, path);
    struct stat st;

    assert_int_equal(lstat(full, &st), 0);
    return st;
}

static void assert_content(const struct fixture *fixture, const char *path, const char *data,
                           size_t len)
{
    stay_auto_str char *full = path_of(fixture, path);
    stay_auto_buf struct stay_buf content = {0};
    struct stay_err err = {0};

    assert_ok(stay_fs_read(&content, full, 1 << 26, &err), err);
    assert_int_equal(content.len, len);
    assert_memory_equal(content.data, data, len);
}

static void a_file_comes_out_with_content_mode_and_time(void **state)
{
    struct fixture *fixture = *state;

    add_file(fixture, "hello", "hello world");
    unpack(fixture);
    const struct stat st = stat_of(fixture, "hello");
    assert_content(fixture, "hello", "hello world", 11);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    assert_int_equal(st.st_mtim.tv_sec, 1795314600);
    assert_int_equal(st.st_mtim.tv_nsec, 123456789);
}

static void names_may_be_long_and_of_any_bytes(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf path = {0};

    for (int i = 0; i < 12; i++)
        stay_buf_str(&path, "a-folder-with-a-long-name/");
    stay_buf_str(&path, "\xff\xfe\"\n");
    add_file(fixture, path.data, "x");
    unpack(fixture);
    assert_content(fixture, path.data, "x", 1);
}

static void folders_links_and_fifos_are_what_they_were(void **state)
{
    struct fixture *fixture = *state;
    struct stay_archive_member folder = file_member("d", 0);
    struct stay_archive_member symlink = file_member("d/s", 0);
    struct stay_archive_member fifo = file_member("d/fifo", 0);
    struct stay_archive_member hardlink = file_member("d/again", 7);
    stay_auto_str char *full = path_of(fixture, "d/s");
    char target[20] = "";

    folder.mode = S_IFDIR | 0750;
    symlink.mode = S_IFLNK | 0777;
    symlink.target = "../nowhere";
    fifo.mode = S_IFIFO | 0600;
    hardlink.hardlink = "d/file";
    add(fixture, &folder);
    add_file(fixture, "d/file", "content");
    add(fixture, &hardlink);
    add(fixture, &symlink);
    add(fixture, &fifo);
    unpack(fixture);
    assert_int_equal(stat_of(fixture, "d").st_mode, S_IFDIR | 0750);
    assert_int_equal(stat_of(fixture, "d/fifo").st_mode, S_IFIFO | 0600);
    assert_int_equal(stat_of(fixture, "d/file").st_ino, stat_of(fixture, "d/again").st_ino);
    assert_int_equal(stat_of(fixture, "d/file").st_nlink, 2);
    assert_int_equal(readlink(full, target, sizeof target - 1), 10);
    assert_string_equal(target, "../nowhere");
}

/* Extents that end and begin anywhere: tar wants them at blocks. */
static void holes_are_kept(void **state)
{
    enum { BYTES = (8 << 20) + 77 };
    struct fixture *fixture = *state;
    static const struct stay_archive_extent extents[] = {
        {0, 0},         {(1 << 20) + 3, 5},       {(1 << 20) + 10, 5},     {(1 << 20) + 600, 5},
        {4 << 20, 700}, {(4 << 20) + 1536, 1024}, {(4 << 20) + 2560, 512}, {BYTES - 10, 10},
    };
    struct stay_archive_member member = file_member("sparse", BYTES);
    stay_auto_free char *expected = stay_calloc(BYTES, 1);

    member.sparse = true;
    member.extents = extents;
    member.n_extents = STAY_COUNT(extents);
    add(fixture, &member);
    for (size_t i = 0; i < STAY_COUNT(extents); i++) {
        char *data = expected + extents[i].offset;
        memset(data, '1' + (int)i, extents[i].length);
        assert_ok(stay_archive_data(fixture->archive, extents[i].offset, data, extents[i].length,
                                    &fixture->err),
                  fixture->err);
    }
    add_file(fixture, "behind", "x");
    unpack(fixture);
    assert_content(fixture, "sparse", expected, BYTES);
    assert_content(fixture, "behind", "x", 1);
    assert_true(stat_of(fixture, "sparse").st_blocks < BYTES / 512 / 4);
    assert_true(stat_of(fixture, "archive.tar.zst").st_size < BYTES / 16);
}

static void a_file_that_is_all_hole_is_one(void **state)
{
    enum { BYTES = 3 << 20 };
    struct fixture *fixture = *state;
    struct stay_archive_member member = file_member("hole", BYTES);
    static const struct stay_archive_extent nothing = {4096, 0};
    stay_auto_free char *expected = stay_calloc(BYTES, 1);

    member.sparse = true;
    add(fixture, &member);
    member.path = "another";
    member.extents = &nothing;
    member.n_extents = 1;
    add(fixture, &member);
    add_file(fixture, "behind", "x");
    unpack(fixture);
    assert_content(fixture, "hole", expected, BYTES);
    assert_content(fixture, "another", expected, BYTES);
    assert_content(fixture, "behind", "x", 1);
}

static void a_place_that_takes_no_bytes_is_an_error(void **state)
{
    stay_auto(stay_archive_free) struct stay_archive *archive = NULL;
    stay_auto_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    const struct stay_archive_member member = file_member("a", 0);
    struct stay_err err = {0};

    (void)state;
    assert_ok(stay_archive_new(&archive, full, 1, &err), err);
    assert_ok(stay_archive_add(archive, &member, &err), err); /* into a buffer */
    assert_int_equal(stay_archive_close(archive, &err), -1);
    assert_error(err, STAY_ERR_IO, "end the archive: Write error");
    stay_archive_free(NULL);
}

static void an_entry_that_is_broken_off_is_not_filled_up(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_archive_member member = file_member("huge", UINT64_C(1) << 60);
    struct stat st;

    add(fixture, &member);
    assert_ok(stay_archive_data(fixture->archive, 0, "begun", 5, &fixture->err), fixture->err);
    stay_archive_free(stay_steal(&fixture->archive)); /* would take for ever */
    assert_int_equal(fstat(fixture->fd, &st), 0);
    assert_true(st.st_size < 65536);
}

int main(void)
{
#define WITH_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_ARCHIVE(a_file_comes_out_with_content_mode_and_time),
        WITH_ARCHIVE(names_may_be_long_and_of_any_bytes),
        WITH_ARCHIVE(folders_links_and_fifos_are_what_they_were),
        WITH_ARCHIVE(holes_are_kept),
        WITH_ARCHIVE(a_file_that_is_all_hole_is_one),
        WITH_ARCHIVE(a_place_that_takes_no_bytes_is_an_error),
        WITH_ARCHIVE(an_entry_that_is_broken_off_is_not_filled_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
