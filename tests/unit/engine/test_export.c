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

static const struct backstay_extent extents[] = {{1000, 3}, {70000, 4}, {200000, 0}};

/* What is not a plain file: a sparse one, further names, links, attributes, a socket. */
static int send_odd(struct backstay_sink *sink, void *ctx)
{
    const struct backstay_xattr xattr = {"user.tag", "value", 5};
    struct backstay_entry first = file_entry("a-first", 7);
    struct backstay_entry again = file_entry("b-again", 7);
    struct backstay_entry socket = file_entry("socket", 0);
    struct backstay_entry sparse = file_entry("sparse", 200000);
    struct backstay_entry symlink = file_entry("symlink", 0);

    (void)ctx;
    first.link_group = again.link_group = 3;
    first.xattrs = &xattr;
    first.n_xattrs = 1;
    first.mtime_s = 1795314600;
    socket.type = BACKSTAY_SOCKET;
    sparse.sparse = 1;
    sparse.extents = extents;
    sparse.n_extents = STAY_COUNT(extents);
    symlink.type = BACKSTAY_SYMLINK;
    symlink.target = "a-first";
    symlink.target_len = 7;
    return send_folder(sink, "") < 0 || sink->whole(sink, &first, "content", 7, NULL, 0) < 0 ||
                   sink->link(sink, &again, NULL, 0) < 0 ||
                   sink->whole(sink, &socket, NULL, 0, NULL, 0) < 0 ||
                   sink->whole(sink, &sparse, "abcdefg", 7, NULL, 0) < 0 ||
                   sink->whole(sink, &symlink, NULL, 0, NULL, 0) < 0
               ? -1
               : 0;
}

static void what_is_not_a_plain_file_is_what_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct script script = {.backup = send_odd};
    struct stay_backup_result result;
    stay_auto_str char *sparse = stay_strf("%s/unpacked/sparse", fixture->rig->folder);
    stay_auto_str char *test =
        stay_strf("cd %s/unpacked && test ! -e socket && test a-first -ef b-again && "
                  "test \"$(readlink symlink)\" = a-first && test \"$(cat b-again)\" = content && "
                  "test \"$(stat -c %%Y a-first)\" = 1795314600",
                  fixture->rig->folder);
    stay_auto_buf struct stay_buf content = {0};
    stay_auto_free char *expected = stay_calloc(200000, 1);

    assert_ok(rig_backup(fixture->rig, &script, &result), fixture->rig->err);
    stay_view_free(fixture->view);
    fixture->view = rig_view(fixture->rig, 0);
    assert_ok(export(fixture, NULL), fixture->rig->err);
    assert_int_equal(unpack(fixture), 0);
    assert_int_equal(system(test), 0);
    memcpy(expected + 1000, "abc", 3);
    memcpy(expected + 70000, "defg", 4);
    assert_int_equal(stay_fs_read(&content, sparse, 1 << 20, NULL), 0);
    assert_int_equal(content.len, 200000);
    assert_memory_equal(content.data, expected, 200000);
}

static void a_manifest_with_holes_is_not_exported(void **state)
{
    struct fixture *fixture = *state;
    struct stay_snapshot *snapshot = fixture->view->snapshot;
    size_t bytes = snapshot->streams[STAY_MANIFEST].bytes;
    stay_auto_str char *expected =
        stay_strf("%zu bytes of the manifest are lost, so the archive would lack entries: ", bytes);

    stay_tree_free(fixture->view->tree);
    snapshot->streams[STAY_MANIFEST].chunks.items[0].id.bytes[0] ^= 1;
    assert_ok(stay_tree_load(&fixture->view->tree, fixture->rig->stores[0]->dest, snapshot, 1,
                             fixture->rig->folder, &fixture->rig->err),
              fixture->rig->err);
    assert_int_equal(export(fixture, NULL), -1);
    assert_int_equal(fixture->rig->err.kind, STAY_ERR_CORRUPT);
    assert_true(stay_str_starts(fixture->rig->err.text, expected));
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
        WITH_VIEW(what_is_not_a_plain_file_is_what_it_was),
        WITH_VIEW(a_manifest_with_holes_is_not_exported),
        WITH_VIEW(a_file_that_cannot_be_read_ends_it),
        WITH_VIEW(a_cancelled_export_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
