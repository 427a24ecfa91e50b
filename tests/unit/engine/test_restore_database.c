/* tests/unit/engine/test_restore_database.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore of a source that compares: the copy is asked, a scratch place stays only where it should,
 * and the options of the command reach the plugin.
 */
#include "engine/restore.h"

#include "support/fake_database.h"
#include "unit/engine/rig.h"

#include <dirent.h>
#include <sys/stat.h>

struct fixture {
    struct rig *rig;
    char *folder;    /* of the live database */
    char *scratches; /* the folder of scratch places */
    char *copy;      /* where to restore to */
    struct fake_database database;
    struct stay_source *source;
    struct stay_view *view;
    struct stay_restore_options options;
    struct stay_restore_result result;
};

static void write_table(const char *folder, const char *name, const char *rows)
{
    stay_auto_str char *path = stay_strf("%s/%s", folder, name);

    assert_int_equal(stay_fs_write_atomic(path, rows, strlen(rows), 0600, NULL), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct rig *rig = fixture->rig = new_rig(1);
    struct stay_backup_result backup;

    fixture->folder = stay_strf("%s/db", rig->folder);
    fixture->scratches = stay_strf("%s/scratches", rig->folder);
    fixture->copy = stay_strf("%s/copy", rig->folder);
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    assert_int_equal(mkdir(fixture->scratches, 0700), 0);
    write_table(fixture->folder, "orders", "a\nb\n");
    write_table(fixture->folder, "items", "c\n");
    fixture->database =
        (struct fake_database){.folder = fixture->folder, .scratch_parent = fixture->scratches};
    fixture->source = stay_source_wrap("media", "fake", fake_database_ops(), &fixture->database);
    assert_ok(rig_backup_source(rig, fixture->source, &backup), rig->err);
    fixture->view = rig_view(rig, 0);
    fixture->options = (struct stay_restore_options){
        .repository = rig->repositories[0],
        .view = fixture->view,
        .source = fixture->source,
        .location = fixture->copy,
        .compare = true,
        .threads = 2,
        .temporary = rig->folder,
        .cancel = &rig->cancel,
        .progress = &rig->progress,
        .clock = stay_clock_system(),
    };
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_restore_result_free(&fixture->result);
    stay_view_free(fixture->view);
    stay_source_free(fixture->source);
    free_rig(fixture->rig);
    free(fixture->folder);
    free(fixture->scratches);
    free(fixture->copy);
    free(fixture);
    return 0;
}

static int restore(struct fixture *fixture)
{
    stay_restore_result_free(&fixture->result);
    return stay_restore(&fixture->options, &fixture->result, &fixture->rig->err);
}

static size_t count_scratches(const struct fixture *fixture)
{
    DIR *folder = opendir(fixture->scratches);
    size_t n = 0;

    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        n += entry->d_name[0] != '.';
    (void)closedir(folder);
    return n;
}

static void a_copy_is_compared_with_the_snapshot(void **state)
{
    struct fixture *fixture = *state;

    write_table(fixture->folder, "orders", "changed since\n");
    assert_ok(restore(fixture), fixture->rig->err);
    assert_true(fixture->result.compared);
    assert_int_equal(stay_comparison_outcome(&fixture->result.comparison), STAY_COMPARISON_EQUAL);
    assert_int_equal(fixture->result.comparison.counts[STAY_FACT_EQUAL], 5);
    assert_int_equal(fixture->result.scratch_ns, 0);
    assert_true(fixture->result.restore_ns > 0);
    assert_true(fixture->result.compare_ns > 0);
    assert_true(fixture->result.elapsed_ns >=
                fixture->result.restore_ns + fixture->result.compare_ns);
    assert_string_equal(fixture->rig->progress.phase, "comparing");
}

static void what_a_restore_spoils_is_noticed(void **state)
{
    static const char *const ways[] = {"lose_row", "change_value", "add_table"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(ways); i++) {
        fixture->database.misbehave = ways[i];
        assert_ok(restore(fixture), fixture->rig->err);
        assert_int_equal(stay_comparison_outcome(&fixture->result.comparison),
                         STAY_COMPARISON_DIFFERENT);
    }
}

static void a_dry_run_and_a_user_who_does_not_want_it_compare_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.compare = false;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_false(fixture->result.compared);
    fixture->options.compare = true;
    fixture->options.dry_run = true;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_false(fixture->result.compared);
    assert_int_equal(fixture->result.compare_error.kind, STAY_ERR_NONE);
}

static void a_table_alone_is_restored_and_compared_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct backstay_pair pair = {"table", "items"};

    fixture->options.pairs = &pair;
    fixture->options.n_pairs = 1;
    fixture->options.limited = true;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.comparison.in_scope, 2);
    assert_int_equal(stay_comparison_outcome(&fixture->result.comparison), STAY_COMPARISON_EQUAL);
    stay_auto_str char *orders = stay_strf("%s/orders", fixture->copy);
    stay_auto_str char *items = stay_strf("%s/items", fixture->copy);
    assert_false(stay_fs_exists(orders));
    assert_true(stay_fs_exists(items));
}

static void an_option_that_the_plugin_does_not_know_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct backstay_pair pair = {"tabel", "items"};

    fixture->options.location = NULL;
    fixture->options.pairs = &pair;
    fixture->options.n_pairs = 1;
    assert_int_equal(restore(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_USAGE,
                 "source media: its plugin fake does not know the restore option \"tabel\"");
    assert_int_equal(count_scratches(fixture), 0);
}

static void a_scratch_place_is_kept_as_long_as_asked(void **state)
{
    struct fixture *fixture = *state;
    int64_t before = stay_clock_now(stay_clock_system());

    fixture->options.location = NULL;
    fixture->options.keep_ns = 60 * STAY_NS_PER_S;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_int_equal(stay_comparison_outcome(&fixture->result.comparison), STAY_COMPARISON_EQUAL);
    assert_int_equal(count_scratches(fixture), 1);
    assert_true(stay_str_starts(fixture->result.scratch.marker, "scratch-"));
    assert_true(stay_str_starts(fixture->result.scratch.hint, "ls /"));
    assert_true(fixture->result.scratch.keep_until_ns >= before + 60 * STAY_NS_PER_S);
    assert_true(fixture->result.scratch.keep_until_ns <= before + 90 * STAY_NS_PER_S);
    assert_true(fixture->result.scratch_ns > 0);
}

static void a_large_restore_does_not_outlast_its_scratch_place(void **state)
{
    struct fixture *fixture = *state;
    int64_t before = stay_clock_now(stay_clock_system());

    fixture->options.location = NULL;
    fixture->options.keep_ns = 60 * STAY_NS_PER_S;
    fixture->view->snapshot->counts.bytes = (uint64_t)80 << 30;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_true(fixture->result.scratch.keep_until_ns >= before + (60 + 10240) * STAY_NS_PER_S);
}

static void a_scratch_place_that_is_not_kept_is_removed(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.location = NULL;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_true(fixture->result.compared);
    assert_int_equal(count_scratches(fixture), 0);
    assert_string_equal(fixture->result.scratch.marker, "");
}

static void a_failed_restore_leaves_no_scratch_place(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.location = NULL;
    fixture->options.keep_ns = 60 * STAY_NS_PER_S;
    fixture->database.misbehave = "fail_restore";
    assert_int_equal(restore(fixture), -1);
    assert_true(stay_str_ends(fixture->rig->err.text, ": the connection was lost"));
    assert_int_equal(count_scratches(fixture), 0);
    fixture->database.misbehave = "fail_scratch";
    assert_int_equal(restore(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_IO, "source media: make a scratch place: no room");
}

static void a_restore_that_is_stopped_leaves_no_scratch_place(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.location = NULL;
    fixture->options.keep_ns = 60 * STAY_NS_PER_S;
    stay_cancel_request(&fixture->rig->cancel, 2);
    assert_int_equal(restore(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_CANCELLED, "stopped on request");
    assert_int_equal(count_scratches(fixture), 0);
}

static void a_scratch_place_that_cannot_be_removed_is_named(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.location = NULL;
    fixture->database.misbehave = "fail_remove";
    assert_ok(restore(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.scratch_error.kind, STAY_ERR_IO);
    assert_true(stay_str_starts(fixture->result.scratch.marker, "scratch-"));
}

static void a_copy_that_cannot_be_asked_stays_and_is_not_called_equal(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.location = NULL;
    fixture->options.keep_ns = 60 * STAY_NS_PER_S;
    fixture->database.misbehave = "fail_probe";
    assert_ok(restore(fixture), fixture->rig->err);
    assert_false(fixture->result.compared);
    assert_error(fixture->result.compare_error, STAY_ERR_IO,
                 "source media: ask the copy: connection lost");
    assert_int_equal(count_scratches(fixture), 1);
}

static void damaged_facts_do_not_compare_equal(void **state)
{
    struct fixture *fixture = *state;

    fixture->view->snapshot->streams[STAY_FACTS].chunks.items[0].id.bytes[0] ^= 1;
    assert_ok(restore(fixture), fixture->rig->err);
    assert_int_equal(stay_comparison_outcome(&fixture->result.comparison), STAY_COMPARISON_DAMAGED);
}

int main(void)
{
#define WITH_COPY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_COPY(a_copy_is_compared_with_the_snapshot),
        WITH_COPY(what_a_restore_spoils_is_noticed),
        WITH_COPY(a_dry_run_and_a_user_who_does_not_want_it_compare_nothing),
        WITH_COPY(a_table_alone_is_restored_and_compared_alone),
        WITH_COPY(an_option_that_the_plugin_does_not_know_changes_nothing),
        WITH_COPY(a_scratch_place_is_kept_as_long_as_asked),
        WITH_COPY(a_large_restore_does_not_outlast_its_scratch_place),
        WITH_COPY(a_scratch_place_that_is_not_kept_is_removed),
        WITH_COPY(a_failed_restore_leaves_no_scratch_place),
        WITH_COPY(a_restore_that_is_stopped_leaves_no_scratch_place),
        WITH_COPY(a_scratch_place_that_cannot_be_removed_is_named),
        WITH_COPY(a_copy_that_cannot_be_asked_stays_and_is_not_called_equal),
        WITH_COPY(damaged_facts_do_not_compare_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
