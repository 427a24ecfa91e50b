/* tests/unit/store/test_index_cache.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * index cache: a saved index is mapped when it is whole and from the same objects, and only then.
 */
#include "store/index.h"

#include "unit/store/packs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct fixture {
    char *folder;
    char *path;
    struct stay_pack packs[2];
    struct stay_id objects[3]; /* sorted; the file covers 0 and 2 */
    struct stay_err err;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_random random = {1};

    if (stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-index-", NULL) < 0)
        return -1;
    fixture->path = stay_strf("%s/repository.index", fixture->folder);
    for (size_t i = 0; i < 3; i++)
        fixture->objects[i].bytes[0] = (unsigned char)(1 + i);
    for (size_t i = 0; i < 2; i++) {
        make_pack(&fixture->packs[i], &random, 3, 20);
        stay_index_add(index, &fixture->packs[i]);
    }
    stay_index_sort(index);
    stay_index_note(index, &fixture->objects[2]);
    stay_index_note(index, &fixture->objects[0]);
    *state = fixture;
    return stay_index_save(index, fixture->path, &fixture->err);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int rc = stay_fs_remove_tree(fixture->folder, NULL);

    for (size_t i = 0; i < 2; i++)
        stay_pack_free(&fixture->packs[i]);
    free(fixture->folder);
    free(fixture->path);
    free(fixture);
    return rc;
}

static void assert_finds(const struct stay_index *index, const struct stay_pack *pack)
{
    for (size_t i = 0; i < pack->frames.n; i++) {
        const struct stay_frame_info *frame = &pack->frames.items[i];
        for (size_t k = 0; k < frame->chunks.n; k++) {
            const struct stay_index_chunk *chunk =
                stay_index_find(index, &frame->chunks.items[k].id);
            assert_non_null(chunk);
            assert_int_equal(chunk->bytes, frame->chunks.items[k].bytes);
            assert_int_equal(chunk->offset, frame->chunks.items[k].offset);
        }
    }
}

static void a_saved_index_is_found_again(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    bool covered[3] = {0};
    size_t n = 0;

    assert_int_equal(stay_index_map(&index, fixture->path, fixture->objects, 3, covered, &n), 0);
    assert_int_equal(n, 2);
    assert_true(covered[0]);
    assert_false(covered[1]);
    assert_true(covered[2]);
    assert_finds(index, &fixture->packs[0]);
    assert_finds(index, &fixture->packs[1]);
    assert_int_equal(stay_index_find_pack(index, &fixture->packs[1].id), 1);
}

static void a_mapped_index_can_grow_and_be_saved_again(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto(stay_index_free) struct stay_index *again = NULL;
    struct stay_random random = {2};
    struct stay_pack more = {0};
    bool covered[3] = {0};
    size_t n = 0;

    assert_int_equal(stay_index_map(&index, fixture->path, fixture->objects, 3, covered, &n), 0);
    make_pack(&more, &random, 2, 5);
    stay_index_add(index, &more);
    stay_index_sort(index);
    stay_index_note(index, &fixture->objects[1]);
    assert_ok(stay_index_save(index, fixture->path, &fixture->err), fixture->err);
    assert_int_equal(stay_index_map(&again, fixture->path, fixture->objects, 3, covered, &n), 0);
    assert_int_equal(n, 3);
    assert_finds(again, &fixture->packs[0]);
    assert_finds(again, &more);
    stay_pack_free(&more);
}

static void a_file_from_an_object_that_is_gone_is_stale(void **state)
{
    const struct fixture *fixture = *state;
    struct stay_index *index = NULL;
    bool covered[2] = {true, true};
    size_t n = 7;

    assert_int_equal(stay_index_map(&index, fixture->path, fixture->objects, 2, covered, &n),
                     STAY_INDEX_STALE);
    assert_null(index);
    assert_int_equal(n, 0);
    assert_false(covered[0]);
    assert_false(covered[1]);
    assert_int_equal(stay_index_map(&index, fixture->path, NULL, 0, NULL, &n), STAY_INDEX_STALE);
}

static int map_bytes(const struct fixture *fixture, const void *data, size_t len)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto_str char *path = stay_strf("%s/changed", fixture->folder);
    stay_auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct stay_err err = {0};
    bool covered[3] = {0};
    size_t n = 0;

    assert_ok(stay_fs_write_all(fd, path, data, len, &err), err);
    return stay_index_map(&index, path, fixture->objects, 3, covered, &n);
}

static void a_file_flipped_anywhere_is_stale(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf file = {0};

    assert_int_equal(stay_fs_read(&file, fixture->path, 1 << 20, NULL), 0);
    assert_int_equal(map_bytes(fixture, file.data, file.len), 0);
    for (size_t i = 0; i < file.len; i++) {
        if (i > 200 && i % 13)
            continue;
        for (int bit = 0; bit < 8; bit++) {
            file.data[i] ^= (char)(1 << bit);
            assert_int_equal(map_bytes(fixture, file.data, file.len), STAY_INDEX_STALE);
            file.data[i] ^= (char)(1 << bit);
        }
    }
}

static void a_file_of_another_length_is_stale(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf file = {0};

    assert_int_equal(stay_fs_read(&file, fixture->path, 1 << 20, NULL), 0);
    for (size_t len = 0; len < file.len; len += len < 200 ? 1 : 97)
        assert_int_equal(map_bytes(fixture, file.data, len), STAY_INDEX_STALE);
    stay_buf_char(&file, '\0');
    assert_int_equal(map_bytes(fixture, file.data, file.len), STAY_INDEX_STALE);
}

static void where_there_is_no_file_there_is_no_index(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto_str char *path = stay_strf("%s/none", fixture->folder);
    struct stay_index *index = NULL;
    bool covered[3];
    size_t n;

    assert_int_equal(stay_index_map(&index, path, fixture->objects, 3, covered, &n),
                     STAY_INDEX_STALE);
    assert_int_equal(stay_index_map(&index, fixture->folder, fixture->objects, 3, covered, &n),
                     STAY_INDEX_STALE);
    assert_null(index);
}

static void a_file_that_cannot_be_made_says_so(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto_str char *path = stay_strf("%s/none/x", fixture->folder);
    stay_auto_str char *expected = stay_strf("create %s.new: No such file or directory", path);
    struct stay_err err = {0};

    assert_int_equal(stay_index_save(index, path, &err), -1);
    assert_error(err, STAY_ERR_IO, expected);
}

static void what_another_run_is_saving_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto_str char *temporary = stay_strf("%s.new", fixture->path);
    stay_auto_buf struct stay_buf before = {0};
    stay_auto_buf struct stay_buf after = {0};
    stay_auto_fd int fd = open(temporary, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(write(fd, "half", 4), 4);
    assert_ok(stay_fs_read(&before, fixture->path, 1 << 20, &fixture->err), fixture->err);
    assert_ok(stay_index_save(index, fixture->path, &fixture->err), fixture->err);
    assert_ok(stay_fs_read(&after, fixture->path, 1 << 20, &fixture->err), fixture->err);
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.data, before.data, before.len);
    assert_int_equal(lseek(fd, 0, SEEK_END), 4);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    assert_ok(stay_index_save(index, fixture->path, &fixture->err), fixture->err);
    stay_buf_clear(&after);
    assert_ok(stay_fs_read(&after, fixture->path, 1 << 20, &fixture->err), fixture->err);
    assert_true(after.len < before.len);
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_saved_index_is_found_again),
        WITH_FILE(a_mapped_index_can_grow_and_be_saved_again),
        WITH_FILE(a_file_from_an_object_that_is_gone_is_stale),
        WITH_FILE(a_file_flipped_anywhere_is_stale),
        WITH_FILE(a_file_of_another_length_is_stale),
        WITH_FILE(where_there_is_no_file_there_is_no_index),
        WITH_FILE(a_file_that_cannot_be_made_says_so),
        WITH_FILE(what_another_run_is_saving_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
