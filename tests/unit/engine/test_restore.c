/* tests/unit/engine/test_restore.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: what is chosen reaches the source, damage costs what lies in it, and all is accounted
 * for.
 */
#include "engine/restore.h"

#include "unit/engine/files.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view;
    struct stay_restore_result result;
    char restored[FILES]; /* whether it came back as it was */
    struct backstay_target target;
    int stop; /* what the plugin returns */
};

/* Pulls every file and compares it. */
static int take_all(struct backstay_feed *feed, const struct backstay_target *target, void *ctx)
{
    struct fixture *fixture = ctx;
    struct backstay_cursor *cursor = feed->cursor_open(feed);
    stay_auto_free char *data = stay_malloc(FILE_MOST);
    int rc = 0;

    fixture->target = *target;
    memset(fixture->restored, 0, sizeof fixture->restored);
    for (uint64_t i = 0; i < feed->n_entries && rc == 0; i++) {
        const struct backstay_entry *entry = feed->entry(feed, cursor, i);
        struct backstay_reader *reader = NULL;
        size_t len = 0;
        ssize_t n = 0;
        if (entry == NULL || feed->open(feed, i, &reader) < 0) {
            rc = -1;
            break;
        }
        int number = files_find(fixture->files, entry->path);
        while ((n = feed->read(feed, reader, data + len, FILE_MOST - len)) > 0)
            len += (size_t)n;
        feed->close(feed, reader);
        if (n < 0)
            continue;
        feed->done(feed, i, number == 1);
        if (number >= 0)
            fixture->restored[number] = len == fixture->files->lengths[number] &&
                                        memcmp(data, fixture->files->contents[number], len) == 0;
    }
    feed->cursor_close(feed, cursor);
    return rc < 0 ? -1 : fixture->stop;
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result result;

    fixture->rig = new_rig(1);
    fixture->files = make_files(4);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &result), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    memset(&fixture->rig->progress, 0, sizeof fixture->rig->progress);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_restore_result_free(&fixture->result);
    stay_view_free(fixture->view);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static int restore(struct fixture *fixture, const char *pattern)
{
    struct script script = {.restore = take_all, .ctx = fixture};
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "script", &script_ops, &script);
    const struct stay_restore_options options = {
        .repository = fixture->rig->repositories[0],
        .view = fixture->view,
        .source = source,
        .location = "/srv/restored",
        .overwrite = BACKSTAY_OVERWRITE_CHANGED,
        .dry_run = true,
        .patterns = {&pattern, pattern != NULL},
        .threads = 2,
        .cancel = &fixture->rig->cancel,
        .progress = &fixture->rig->progress,
        .clock = stay_clock_system(),
    };

    stay_restore_result_free(&fixture->result);
    return stay_restore(&options, &fixture->result, &fixture->rig->err);
}

static size_t count_restored(const struct fixture *fixture)
{
    size_t n = 0;

    for (size_t i = 0; i < FILES; i++)
        n += fixture->restored[i] != 0;
    return n;
}

static void everything_comes_back_and_is_accounted_for(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(restore(fixture, NULL), fixture->rig->err);
    assert_int_equal(count_restored(fixture), FILES);
    assert_int_equal(fixture->result.selected, FILES + 10);
    assert_int_equal(fixture->result.counts.restored, FILES + 9);
    assert_int_equal(fixture->result.counts.kept, 1);
    assert_int_equal(fixture->result.counts.n_problems, 0);
    assert_int_equal(fixture->result.counts.bytes, fixture->view->snapshot->counts.bytes);
    assert_int_equal(fixture->result.manifest_missing_bytes, 0);
    assert_true(fixture->result.elapsed_ns >= 0);
    assert_int_equal(fixture->rig->progress.entries_done, FILES + 10);
    assert_int_equal(fixture->rig->progress.entries_total, FILES + 10);
    assert_int_equal(fixture->rig->progress.bytes_done, fixture->rig->progress.bytes_total);
}

static void the_target_is_what_the_user_said(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(restore(fixture, NULL), fixture->rig->err);
    assert_string_equal(fixture->target.location, "/srv/restored");
    assert_int_equal(fixture->target.overwrite, BACKSTAY_OVERWRITE_CHANGED);
    assert_int_equal(fixture->target.dry_run, 1);
    assert_int_equal(fixture->target.size, sizeof fixture->target);
}

static void a_pattern_chooses(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *nothing = stay_strf(
        "nothing in snapshot %s matches \"absent\"; \"backstay ls %s\" shows what is in it",
        fixture->view->snapshot->id, fixture->view->snapshot->id);

    assert_ok(restore(fixture, "d7"), fixture->rig->err);
    assert_int_equal(fixture->result.selected, 1 + FILES / 10);
    assert_int_equal(count_restored(fixture), FILES / 10);
    assert_int_equal(restore(fixture, "absent"), -1);
    assert_error(fixture->rig->err, STAY_ERR_ABSENT, nothing);
}

static void without_any_index_the_packs_are_read(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_dest_list struct stay_dest_list list = {0};

    assert_int_equal(stay_dest_list(fixture->rig->stores[0]->dest, "index/", &list, NULL), 0);
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(
            stay_memory_dest_remove(fixture->rig->stores[0]->memory, list.items[i].name), 0);
    assert_ok(restore(fixture, NULL), fixture->rig->err);
    assert_int_equal(count_restored(fixture), FILES);
}

static void damage_costs_what_lies_in_it(void **state)
{
    struct fixture *fixture = *state;

    assert_true(damage_packs(fixture->rig, 0, 0) > 0);
    assert_ok(restore(fixture, NULL), fixture->rig->err);
    assert_in_range(fixture->result.counts.n_problems, 1, FILES - 10);
    assert_int_equal(count_restored(fixture) + fixture->result.counts.n_problems, FILES);
}

static void a_plugin_that_stops_ends_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->stop = -1;
    assert_int_equal(restore(fixture, NULL), -1);
    assert_error(fixture->rig->err, STAY_ERR_IO, "source media: the script stopped");
    stay_cancel_request(&fixture->rig->cancel, 2);
    assert_int_equal(restore(fixture, NULL), -1);
    assert_error(fixture->rig->err, STAY_ERR_CANCELLED, "stopped on request");
}

static void a_destination_that_cannot_be_listed_ends_it(void **state)
{
    struct fixture *fixture = *state;

    rig_fail(fixture->rig, 0, STAY_DEST_OP_LIST, "index/", 1);
    assert_int_equal(restore(fixture, NULL), -1);
    assert_error(fixture->rig->err, STAY_ERR_SPACE, "destination disk: made to fail: list index/");
}

int main(void)
{
#define WITH_VIEW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_VIEW(everything_comes_back_and_is_accounted_for),
        WITH_VIEW(the_target_is_what_the_user_said),
        WITH_VIEW(a_pattern_chooses),
        WITH_VIEW(without_any_index_the_packs_are_read),
        WITH_VIEW(damage_costs_what_lies_in_it),
        WITH_VIEW(a_plugin_that_stops_ends_it),
        WITH_VIEW(a_destination_that_cannot_be_listed_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
