/* tests/unit/engine/test_backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backup: whole runs over made files and destinations that fail at every place.
 */
#include "engine/backup.h"

#include "store/lock.h"
#include "unit/engine/files.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_backup_result result;
};

static int setup_with(void **state, size_t n)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->rig = new_rig(n);
    fixture->files = make_files(3);
    *state = fixture;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, 2);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static int back_up(struct fixture *fixture)
{
    return rig_backup(fixture->rig, &fixture->files->script, &fixture->result);
}

static size_t objects(const struct fixture *fixture, size_t i, const char *prefix)
{
    stay_auto_dest_list struct stay_dest_list list = {0};

    assert_int_equal(stay_dest_list(fixture->rig->stores[i]->dest, prefix, &list, NULL), 0);
    return list.n;
}

/* Reads every file of the newest snapshot of store @i and compares it. */
static void assert_whole(struct fixture *fixture, size_t i)
{
    stay_auto(stay_view_free) struct stay_view *view = rig_view(fixture->rig, i);
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    size_t files = 0;

    for (size_t k = 0; k < stay_tree_count(view->tree); k++) {
        stay_auto_buf struct stay_buf content = {0};
        assert_ok(stay_tree_entry(view->tree, k, &entry, &fixture->rig->err), fixture->rig->err);
        int number = files_find(fixture->files, entry.entry.path);
        if (number < 0)
            continue;
        assert_int_equal(rig_read(fixture->rig, i, entry.chunks.items, entry.chunks.n, &content),
                         0);
        assert_int_equal(content.len, fixture->files->lengths[number]);
        if (content.len)
            assert_memory_equal(content.data, fixture->files->contents[number], content.len);
        files++;
    }
    assert_int_equal(files, FILES);
}

static void each_destination_gets_a_whole_snapshot(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_backup_result *result = &fixture->result;

    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(result->n_missing, 0);
    assert_int_equal(result->counts.entries, FILES + 10);
    assert_int_equal(strlen(result->id), STAY_SNAPSHOT_ID);
    for (size_t i = 0; i < 2; i++) {
        assert_whole(fixture, i);
        assert_int_equal(objects(fixture, i, "snapshots/"), 1);
        assert_int_equal(objects(fixture, i, "records/"), 1);
        assert_int_equal(objects(fixture, i, "locks/"), 0);
        assert_non_null(strstr(result->copies[i].snapshot, result->id));
        assert_int_equal(result->copies[i].bytes_stored, rig_pack_bytes(fixture->rig, i));
    }
}

/* The order in which objects of a prefix were first stored. */
static size_t first_put(const struct fixture *fixture, const char *prefix, bool last)
{
    size_t n;
    size_t found = SIZE_MAX;
    const struct stay_dest_entry *entries =
        stay_dest_log_entries(stay_failing_dest_log(fixture->rig->stores[0]->failing), &n);

    for (size_t i = 0; i < n; i++)
        if (entries[i].op == STAY_DEST_OP_PUT && stay_str_starts(entries[i].name, prefix) &&
            (last || found == SIZE_MAX))
            found = i;
    assert_int_not_equal(found, SIZE_MAX);
    return found;
}

static void the_order_of_writes_is_lock_packs_index_snapshot_record(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(back_up(fixture), fixture->rig->err);
    assert_true(first_put(fixture, "locks/", true) < first_put(fixture, "packs/", false));
    assert_true(first_put(fixture, "packs/", true) < first_put(fixture, "index/", false));
    assert_true(first_put(fixture, "index/", true) < first_put(fixture, "snapshots/", false));
    assert_true(first_put(fixture, "snapshots/", true) < first_put(fixture, "records/", false));
}

static void an_unchanged_source_stores_no_pack(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(back_up(fixture), fixture->rig->err);
    uint64_t before = rig_pack_bytes(fixture->rig, 0);
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.counts.unchanged, FILES - 1); /* an empty one has no token */
    assert_int_equal(fixture->result.counts.bytes_read, 0);
    assert_int_equal(rig_pack_bytes(fixture->rig, 0), before);
    assert_int_equal(objects(fixture, 0, "snapshots/"), 2);
    assert_whole(fixture, 0);
}

static void what_was_lost_is_stored_again(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_dest_list struct stay_dest_list packs = {0};
    struct made_store *store = fixture->rig->stores[0];

    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(stay_dest_list(store->dest, "packs/", &packs, NULL), 0);
    for (size_t i = 0; i < packs.n; i++)
        assert_int_equal(stay_memory_dest_remove(store->memory, packs.items[i].name), 0);
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.n_missing, 0);
    assert_whole(fixture, 0);
    assert_whole(fixture, 1);
}

static void a_new_destination_gets_everything(void **state)
{
    struct fixture *fixture = *state;

    fixture->rig->n = 1;
    assert_ok(back_up(fixture), fixture->rig->err);
    fixture->rig->n = 2;
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.copies[0].bytes_stored, 0);
    assert_true(fixture->result.copies[1].bytes_stored > 0);
    assert_whole(fixture, 1);
}

static void the_result_says_which_copy_is_missing(void **state)
{
    static const struct {
        enum stay_dest_op op;
        const char *prefix;
    } calls[] = {
        {STAY_DEST_OP_GET, "backstay.json"}, {STAY_DEST_OP_PUT, "locks/"},
        {STAY_DEST_OP_LIST, "index/"},       {STAY_DEST_OP_LIST, "packs/"},
        {STAY_DEST_OP_PUT, "packs/"},        {STAY_DEST_OP_PUT, "index/"},
        {STAY_DEST_OP_PUT, "snapshots/"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        void *fresh;
        assert_int_equal(setup_with(&fresh, 2), 0);
        fixture = fresh;
        rig_fail(fixture->rig, 0, calls[i].op, calls[i].prefix, 1);
        assert_ok(back_up(fixture), fixture->rig->err);
        stay_failing_dest_heal(fixture->rig->stores[0]->failing);
        assert_int_equal(fixture->result.n_missing, 1);
        assert_int_equal(fixture->result.copies[0].error.kind, STAY_ERR_SPACE);
        assert_string_equal(fixture->result.copies[0].snapshot, "");
        assert_int_equal(objects(fixture, 0, "snapshots/"), 0);
        assert_int_equal(fixture->result.copies[1].error.kind, STAY_ERR_NONE);
        assert_whole(fixture, 1);
        assert_ok(back_up(fixture), fixture->rig->err); /* the next run makes up for it */
        assert_int_equal(fixture->result.n_missing, 0);
        assert_whole(fixture, 0);
        assert_int_equal(teardown(&fresh), 0);
    }
}

static void without_any_copy_the_run_fails_and_lists_nothing(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2; i++)
        rig_fail(fixture->rig, i, STAY_DEST_OP_PUT, "packs/", 1);
    assert_int_equal(back_up(fixture), -1);
    assert_int_equal(fixture->rig->err.kind, STAY_ERR_SPACE);
    for (size_t i = 0; i < 2; i++) {
        stay_failing_dest_heal(fixture->rig->stores[i]->failing);
        assert_int_equal(objects(fixture, i, "snapshots/"), 0);
        assert_int_equal(objects(fixture, i, "locks/"), 0);
        assert_int_equal(objects(fixture, i, "records/"), 1); /* of the failure */
    }
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_whole(fixture, 0);
}

static int send_and_stop(struct backstay_sink *sink, void *ctx)
{
    assert_int_equal(files_send(sink, ctx), 0);
    return -1;
}

static void a_source_that_fails_is_no_snapshot(void **state)
{
    struct fixture *fixture = *state;

    fixture->files->script.backup = send_and_stop;
    assert_int_equal(back_up(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_IO, "source media: the script stopped");
    assert_int_equal(fixture->rig->err.origin, STAY_ORIGIN_SOURCE);
    assert_int_equal(objects(fixture, 0, "snapshots/"), 0);
    assert_int_equal(objects(fixture, 0, "locks/"), 0);
    fixture->files->script.backup = files_send;
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.counts.unchanged, 0);
    assert_whole(fixture, 0);
}

static struct stay_cancel *to_cancel;

static int send_and_cancel(struct backstay_sink *sink, void *ctx)
{
    assert_int_equal(files_send(sink, ctx), 0);
    stay_cancel_request(to_cancel, 15);
    return files_send(sink, ctx);
}

static void a_cancelled_run_is_no_snapshot(void **state)
{
    struct fixture *fixture = *state;

    to_cancel = &fixture->rig->cancel;
    fixture->files->script.backup = send_and_cancel;
    assert_int_equal(back_up(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_CANCELLED, "stopped on request");
    assert_int_equal(objects(fixture, 0, "snapshots/"), 0);
    assert_int_equal(objects(fixture, 0, "locks/"), 0);
    stay_cancel_request(&fixture->rig->cancel, 0);
    fixture->files->script.backup = files_send;
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_whole(fixture, 1);
}

static void a_source_that_is_being_backed_up_is_locked(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *locks = stay_strf("%s/locks", fixture->rig->folder);
    stay_auto(stay_lock_free) struct stay_lock *lock = NULL;

    assert_ok(stay_fs_mkdirs(locks, 0700, &fixture->rig->err), fixture->rig->err);
    assert_ok(stay_lock_take(&lock, locks, "media", &fixture->rig->err), fixture->rig->err);
    assert_int_equal(back_up(fixture), -1);
    assert_error(fixture->rig->err, STAY_ERR_LOCKED,
                 "source media is being backed up by another process right now");
    assert_int_equal(objects(fixture, 0, "locks/"), 0);
}

static void a_destination_that_did_not_open_is_a_missing_copy(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "script", &script_ops, &fixture->files->script);
    struct stay_backup_dest dests[2] = {{.name = "offsite"},
                                        {fixture->rig->stores[0]->dest, "disk", {0}}};
    const struct stay_backup_options options = {.source = source,
                                                .dests = dests,
                                                .n_dests = 2,
                                                .app = "shop",
                                                .state_dir = fixture->rig->folder,
                                                .level = 1,
                                                .threads = 2,
                                                .memory_limit = (size_t)256 << 20,
                                                .clock = stay_clock_system()};

    (void)stay_fail(&dests[0].open_error, STAY_ERR_AUTH, "no rights");
    assert_ok(stay_backup(&options, &fixture->result, &fixture->rig->err), fixture->rig->err);
    assert_int_equal(fixture->result.n_missing, 1);
    assert_error(fixture->result.copies[0].error, STAY_ERR_AUTH, "no rights");
    assert_string_equal(fixture->result.copies[0].dest, "offsite");
    stay_auto(stay_view_free) struct stay_view *view = rig_view(fixture->rig, 0);
    assert_string_equal(view->snapshot->app, "shop");
}

static void warnings_are_counted_and_stored(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_buf struct stay_buf record = {0};
    stay_auto_dest_list struct stay_dest_list list = {0};

    fixture->files->links_without_file = 1;
    assert_ok(back_up(fixture), fixture->rig->err);
    assert_int_equal(fixture->result.counts.warnings, 1);
    assert_int_equal(fixture->result.counts.entries, FILES + 10);
    stay_auto(stay_view_free) struct stay_view *view = rig_view(fixture->rig, 0);
    assert_int_equal(view->snapshot->counts.warnings, 1);
    assert_true(view->snapshot->streams[STAY_NOTES].bytes > 0);
    assert_int_equal(stay_dest_list(fixture->rig->stores[0]->dest, "records/", &list, NULL), 0);
    assert_int_equal(
        stay_memory_dest_read(fixture->rig->stores[0]->memory, list.items[0].name, &record), 0);
    assert_non_null(strstr(record.data, "\"result\":\"warnings\""));
}

static void the_folder_of_the_state_is_needed(void **state)
{
    struct fixture *fixture = *state;
    char *folder = fixture->rig->folder;

    fixture->rig->folder = stay_strdup("/dev/null/state");
    assert_int_equal(back_up(fixture), -1);
    assert_int_equal(fixture->rig->err.kind, STAY_ERR_IO);
    assert_true(stay_str_starts(fixture->rig->err.text, "state folder: "));
    free(fixture->rig->folder);
    fixture->rig->folder = folder;
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(each_destination_gets_a_whole_snapshot),
        WITH_RIG(the_order_of_writes_is_lock_packs_index_snapshot_record),
        WITH_RIG(an_unchanged_source_stores_no_pack),
        WITH_RIG(what_was_lost_is_stored_again),
        WITH_RIG(a_new_destination_gets_everything),
        WITH_RIG(the_result_says_which_copy_is_missing),
        WITH_RIG(without_any_copy_the_run_fails_and_lists_nothing),
        WITH_RIG(a_source_that_fails_is_no_snapshot),
        WITH_RIG(a_cancelled_run_is_no_snapshot),
        WITH_RIG(a_source_that_is_being_backed_up_is_locked),
        WITH_RIG(a_destination_that_did_not_open_is_a_missing_copy),
        WITH_RIG(warnings_are_counted_and_stored),
        WITH_RIG(the_folder_of_the_state_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
