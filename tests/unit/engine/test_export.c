/* tests/unit/engine/test_export.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * export: tar unpacks every file as it was, and an archive that would lack something is none.
 */
#include "engine/export.h"

#include "unit/engine/files.h"

#include <fcntl.h>
#include <unistd.h>

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view;
    char *archive;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result result;

    fixture->rig = new_rig(1);
    fixture->files = make_files(7);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &result), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    fixture->archive = stay_strf("%s/export.tar.zst", fixture->rig->folder);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_view_free(fixture->view);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture->archive);
    free(fixture);
    return 0;
}

static int export(struct fixture *fixture, const char *pattern)
{
    stay_auto_fd int fd = open(fixture->archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const struct stay_export_options options = {
        .repository = fixture->rig->repositories[0],
        .view = fixture->view,
        .fd = fd,
        .level = 1,
        .patterns = {&pattern, pattern != NULL},
        .cancel = &fixture->rig->cancel,
        .progress = &fixture->rig->progress,
    };

    return stay_export(&options, &fixture->rig->err);
}

/* Has tar unpack the archive and compares. @return how many files there are. */
static size_t unpack(const struct fixture *fixture)
{
    stay_auto_str char *folder = stay_strf("%s/unpacked", fixture->rig->folder);
    stay_auto_str char *command =
        stay_strf("mkdir -p %s && tar --zstd -xf %s -C %s", folder, fixture->archive, folder);
    size_t n = 0;

    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < FILES; i++) {
        stay_auto_str char *path = stay_strf("%s/%s", folder, fixture->files->paths[i]);
        stay_auto_buf struct stay_buf content = {0};
        if (!stay_fs_exists(path))
            continue;
        assert_int_equal(stay_fs_read(&content, path, FILE_MOST, NULL), 0);
        assert_int_equal(content.len, fixture->files->lengths[i]);
        if (content.len)
            assert_memory_equal(content.data, fixture->files->contents[i], content.len);
        n++;
    }
    return n;
}

static void tar_unpacks_every_file_as_it_was(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(export(fixture, NULL), fixture->rig->err);
    assert_int_equal(unpack(fixture), FILES);
}

static void only_what_was_chosen_is_in_it(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(export(fixture, "d4"), fixture->rig->err);
    assert_int_equal(unpack(fixture), FILES / 10);
}

static void a_file_that_cannot_be_read_ends_it(void **state)
{
    struct fixture *fixture = *state;

    assert_true(damage_packs(fixture->rig, 0, 0) > 0);
    assert_int_equal(export(fixture, NULL), -1);
    assert_int_equal(fixture->rig->err.kind, STAY_ERR_CORRUPT);
    assert_true(stay_str_ends(fixture->rig->err.text, "; the archive is not complete"));
}

static void a_cancelled_export_stops(void **state)
{
    struct fixture *fixture = *state;

    stay_cancel_request(&fixture->rig->cancel, 15);
    assert_int_equal(export(fixture, NULL), -1);
    assert_error(fixture->rig->err, STAY_ERR_CANCELLED, "stopped on request");
}

int main(void)
{
#define WITH_VIEW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_VIEW(tar_unpacks_every_file_as_it_was),
        WITH_VIEW(only_what_was_chosen_is_in_it),
        WITH_VIEW(a_file_that_cannot_be_read_ends_it),
        WITH_VIEW(a_cancelled_export_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
