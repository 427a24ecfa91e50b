/* tests/unit/engine/test_last.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * last: what a run remembers is found again by path and token, and a damaged file is no memory.
 */
#include "engine/last.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <fcntl.h>
#include <string.h>

struct fixture {
    char *folder;
    char *path;
    struct stay_err err;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    int rc = stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-last-", NULL);

    fixture->path = stay_strf("%s/media.last", fixture->folder);
    *state = fixture;
    return rc;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int rc = stay_fs_remove_tree(fixture->folder, NULL);

    free(fixture->folder);
    free(fixture->path);
    free(fixture);
    return rc;
}

/* Record @number, in @path and @line; its token is its number. */
static struct stay_last_record make_record(size_t number, char path[32], char line[600])
{
    memset(line, 'l', number % 600);

    return (struct stay_last_record){
        .path = path,
        .path_len = (uint32_t)snprintf(path, 32, "folder/%08zu", number),
        .line = line,
        .line_len = (uint32_t)(number % 600),
        .token = path,
        .token_len = (uint32_t)(number % 5 == 0 ? 0 : number % 15),
    };
}

static void write_records(const struct fixture *fixture, size_t n)
{
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer = NULL;
    struct stay_err err = {0};
    char path[32];
    char line[600];

    assert_ok(stay_last_create(&writer, fixture->path, &err), err);
    for (size_t i = 0; i < n; i++) {
        const struct stay_last_record record = make_record(i, path, line);
        assert_ok(stay_last_add(writer, &record, &err), err);
    }
    assert_ok(stay_last_commit(writer, &err), err);
}

static void records_are_found_by_path_and_token(void **state)
{
    enum { MANY = 20000 };
    struct fixture *fixture = *state;
    char path[32];
    char line[600];

    write_records(fixture, MANY);
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_non_null(last);
    assert_int_equal(stay_last_count(last), MANY);
    for (size_t i = 0; i < MANY; i++) {
        const struct stay_last_record record = make_record(i, path, line);
        struct stay_last_record back;
        int64_t found = stay_last_find(last, path, record.path_len, record.token, record.token_len);
        assert_int_equal(found, record.token_len ? (int64_t)i : -1);
        stay_last_get(last, i, &back);
        assert_int_equal(back.path_len, record.path_len);
        assert_memory_equal(back.path, path, record.path_len);
        assert_int_equal(back.token_len, record.token_len);
        assert_memory_equal(back.token, record.token, record.token_len);
        assert_int_equal(back.line_len, record.line_len);
        assert_memory_equal(back.line, line, record.line_len);
    }
}

static void another_path_or_token_is_not_found(void **state)
{
    struct fixture *fixture = *state;

    write_records(fixture, 100);
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_int_equal(stay_last_find(last, "folder/00000014", 15, "folder/0000001", 14), 14);
    assert_int_equal(stay_last_find(last, "folder/00000014", 15, "folder/0000002", 14), -1);
    assert_int_equal(stay_last_find(last, "folder/00000014", 15, "folder/000000", 13), -1);
    assert_int_equal(stay_last_find(last, "folder/00000014", 15, NULL, 0), -1);
    assert_int_equal(stay_last_find(last, "folder/0000001", 14, "folder/0000001", 14), -1);
    assert_int_equal(stay_last_find(last, "folder/00000100", 15, "folder/", 7), -1);
    assert_int_equal(stay_last_find(last, "", 0, "x", 1), -1);
}

static void a_state_that_is_not_trusted_is_never_found(void **state)
{
    struct fixture *fixture = *state;

    write_records(fixture, 1); /* its token is empty */
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_int_equal(stay_last_find(last, "folder/00000000", 15, NULL, 0), -1);
    assert_int_equal(stay_last_find(last, "folder/00000000", 15, "x", 1), -1);
}

static void the_root_has_an_empty_path(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer = NULL;
    const struct stay_last_record root = {
        .path = "", .line = "{}\n", .line_len = 3, .token = "t", .token_len = 1};

    assert_ok(stay_last_create(&writer, fixture->path, &fixture->err), fixture->err);
    assert_ok(stay_last_add(writer, &root, &fixture->err), fixture->err);
    assert_ok(stay_last_commit(writer, &fixture->err), fixture->err);
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_int_equal(stay_last_find(last, "", 0, "t", 1), 0);
}

static void a_file_without_records_is_one(void **state)
{
    struct fixture *fixture = *state;

    write_records(fixture, 0);
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_non_null(last);
    assert_int_equal(stay_last_count(last), 0);
    assert_int_equal(stay_last_find(last, "a", 1, "b", 1), -1);
}

static bool opens(const struct fixture *fixture, const void *data, size_t len)
{
    stay_auto_str char *path = stay_strf("%s/changed", fixture->folder);
    stay_auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(stay_fs_write_all(fd, path, data, len, NULL), 0);
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(path);
    return last != NULL;
}

static void a_flipped_bit_makes_it_no_memory(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf file = {0};

    write_records(fixture, 20);
    assert_int_equal(stay_fs_read(&file, fixture->path, 1 << 20, NULL), 0);
    assert_true(opens(fixture, file.data, file.len));
    for (size_t i = 0; i < file.len; i += i < 200 ? 1 : 11) {
        for (int bit = 0; bit < 8; bit++) {
            file.data[i] ^= (char)(1 << bit);
            assert_false(opens(fixture, file.data, file.len));
            file.data[i] ^= (char)(1 << bit);
        }
    }
}

static void a_file_of_another_length_is_no_memory(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf file = {0};

    write_records(fixture, 20);
    assert_int_equal(stay_fs_read(&file, fixture->path, 1 << 20, NULL), 0);
    for (size_t len = 0; len < file.len; len += len < 200 ? 1 : 17)
        assert_false(opens(fixture, file.data, len));
    stay_buf_str(&file, "12345678");
    assert_false(opens(fixture, file.data, file.len));
    assert_null(stay_last_open("/nonexistent"));
    assert_null(stay_last_open(fixture->folder));
    stay_last_free(NULL);
}

static void what_is_not_committed_leaves_the_old_file(void **state)
{
    struct fixture *fixture = *state;
    struct stay_last_writer *writer = NULL;
    stay_auto_str char *temporary = stay_strf("%s.new", fixture->path);
    char path[32];
    char line[600];
    const struct stay_last_record record = make_record(3, path, line);

    write_records(fixture, 7);
    assert_ok(stay_last_create(&writer, fixture->path, &fixture->err), fixture->err);
    assert_ok(stay_last_add(writer, &record, &fixture->err), fixture->err);
    assert_true(stay_fs_exists(temporary));
    stay_last_writer_free(writer);
    assert_false(stay_fs_exists(temporary));
    stay_auto(stay_last_free) struct stay_last *last = stay_last_open(fixture->path);
    assert_int_equal(stay_last_count(last), 7);
    stay_last_writer_free(NULL);
}

static void an_open_file_stays_as_it_was_when_it_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    write_records(fixture, 10);
    stay_auto(stay_last_free) struct stay_last *before = stay_last_open(fixture->path);
    write_records(fixture, 20);
    stay_auto(stay_last_free) struct stay_last *after = stay_last_open(fixture->path);
    assert_int_equal(stay_last_count(before), 10);
    assert_int_equal(stay_last_find(before, "folder/00000009", 15, "folder/00", 9), 9);
    assert_int_equal(stay_last_count(after), 20);
}

static void a_file_that_cannot_be_made_says_so(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *path = stay_strf("%s/none/x", fixture->folder);
    stay_auto_str char *expected = stay_strf("create %s.new: No such file or directory", path);
    struct stay_last_writer *writer = NULL;

    assert_int_equal(stay_last_create(&writer, path, &fixture->err), -1);
    assert_error(fixture->err, STAY_ERR_IO, expected);
    assert_null(writer);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(records_are_found_by_path_and_token),
        WITH_FOLDER(another_path_or_token_is_not_found),
        WITH_FOLDER(a_state_that_is_not_trusted_is_never_found),
        WITH_FOLDER(the_root_has_an_empty_path),
        WITH_FOLDER(a_file_without_records_is_one),
        WITH_FOLDER(a_flipped_bit_makes_it_no_memory),
        WITH_FOLDER(a_file_of_another_length_is_no_memory),
        WITH_FOLDER(what_is_not_committed_leaves_the_old_file),
        WITH_FOLDER(an_open_file_stays_as_it_was_when_it_is_replaced),
        WITH_FOLDER(a_file_that_cannot_be_made_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
