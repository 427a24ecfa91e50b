/* tests/unit/store/test_record.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * record: what a run says about itself, under a name that sorts by time, and the lock beside it.
 */
#include "store/record.h"

#include "unit/store/stores.h"

#define NAME "records/2026/11/20261122T023000Z-backup-0a1b2c3d4e5f6071.json"

static const struct stay_snapshot_counts counts = {.entries = 5, .bytes = 7};

static const struct stay_record sample = {
    .kind = "backup",
    .result = "ok",
    .run = "0a1b2c3d4e5f6071",
    .source = "media",
    .host = "web-1",
    .snapshot = SAMPLE_NAME,
    .started_ns = INT64_C(1795314600123456789),
    .finished_ns = INT64_C(1795314601123456789),
    .counts = &counts,
};

static int setup(void **state)
{
    *state = new_store();
    return 0;
}

static int teardown(void **state)
{
    free_store(*state);
    return 0;
}

static void a_record_is_stored_under_its_time_and_read_back(void **state)
{
    struct made_store *store = *state;
    struct stay_record_seen seen = {0};

    assert_ok(stay_record_put(store->repository, &sample, &store->err), store->err);
    assert_int_equal(stay_memory_dest_read(store->memory, NAME, NULL), 0);
    assert_ok(stay_record_get(store->repository, NAME, &seen, &store->err), store->err);
    assert_string_equal(seen.name, NAME);
    assert_string_equal(seen.snapshot, SAMPLE_NAME);
    assert_string_equal(seen.run, sample.run);
    stay_record_seen_free(&seen);
    assert_null(seen.name);
}

static void the_document_says_what_happened(void **state)
{
    struct made_store *store = *state;
    stay_auto_buf struct stay_buf text = {0};
    stay_auto(json_decref) json_t *object = NULL;
    stay_auto(json_decref) json_t *expected = NULL;

    assert_ok(stay_record_put(store->repository, &sample, &store->err), store->err);
    assert_int_equal(stay_memory_dest_read(store->memory, NAME, &text), 0);
    assert_ok(stay_doc_open(&object, &text, NAME, &store->err), store->err);
    assert_int_equal(json_object_del(object, "sha256"), 0);
    assert_int_equal(json_object_del(object, "version"), 0);
    expected = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
        "s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}}",
        "format", 1, "kind", "record", "name", NAME, "repository", store->repository->id, "about",
        "backup", "result", "ok", "run", sample.run, "source", "media", "host", "web-1", "snapshot",
        SAMPLE_NAME, "started", "2026-11-22T02:30:00.123456789Z", "finished",
        "2026-11-22T02:30:01.123456789Z", "counts", "entries", 5, "files", 0, "warnings", 0,
        "unchanged", 0, "bytes", 7, "bytes_read", 0, "bytes_new", 0, "bytes_stored", 0);
    assert_non_null(expected);
    assert_true(json_equal(object, expected));
}

static void a_failed_run_has_an_error_and_no_snapshot(void **state)
{
    struct made_store *store = *state;
    struct stay_record failed = sample;
    struct stay_record_seen seen = {0};
    stay_auto_buf struct stay_buf text = {0};

    failed.result = "failed";
    failed.snapshot = NULL;
    failed.counts = NULL;
    failed.error = "source media: read /srv: no such folder";
    assert_ok(stay_record_put(store->repository, &failed, &store->err), store->err);
    assert_ok(stay_record_get(store->repository, NAME, &seen, &store->err), store->err);
    assert_null(seen.snapshot);
    stay_record_seen_free(&seen);
    assert_int_equal(stay_memory_dest_read(store->memory, NAME, &text), 0);
    assert_non_null(strstr(text.data, "\"error\":\"source media: read /srv: no such folder\""));
}

static void a_damaged_swapped_or_missing_record_is_noticed(void **state)
{
    struct made_store *store = *state;
    struct stay_record_seen seen = {0};
    stay_auto_buf struct stay_buf text = {0};
    static const char other[] = "records/2026/11/20261122T023000Z-backup-ffffffffffffffff.json";
    stay_auto_str char *swapped =
        stay_strf("%s is really %s of repository %s: objects were swapped", other, NAME,
                  store->repository->id);

    assert_int_equal(stay_record_get(store->repository, NAME, &seen, &store->err), -1);
    assert_error(store->err, STAY_ERR_CORRUPT, NAME " vanished");
    assert_ok(stay_record_put(store->repository, &sample, &store->err), store->err);
    assert_int_equal(stay_memory_dest_read(store->memory, NAME, &text), 0);
    stay_memory_dest_write(store->memory, other, text.data, text.len);
    assert_int_equal(stay_record_get(store->repository, other, &seen, &store->err), -1);
    assert_error(store->err, STAY_ERR_CORRUPT, swapped);
    text.data[10] ^= 1;
    stay_memory_dest_write(store->memory, NAME, text.data, text.len);
    assert_int_equal(stay_record_get(store->repository, NAME, &seen, &store->err), -1);
    assert_error(store->err, STAY_ERR_CORRUPT,
                 NAME " is damaged: its content does not match its checksum");
    assert_null(seen.name);
}

static void a_record_of_another_repository_is_refused(void **state)
{
    struct made_store *store = *state;
    struct made_store *foreign = new_store();
    struct stay_record_seen seen = {0};
    stay_auto_buf struct stay_buf text = {0};
    stay_auto_str char *expected =
        stay_strf("%s is really %s of repository %s: objects were swapped", NAME, NAME,
                  foreign->repository->id);

    assert_ok(stay_record_put(foreign->repository, &sample, &store->err), store->err);
    assert_int_equal(stay_memory_dest_read(foreign->memory, NAME, &text), 0);
    stay_memory_dest_write(store->memory, NAME, text.data, text.len);
    assert_int_equal(stay_record_get(store->repository, NAME, &seen, &store->err), -1);
    assert_error(store->err, STAY_ERR_CORRUPT, expected);
    free_store(foreign);
}

static void a_running_run_has_a_lock_object(void **state)
{
    struct made_store *store = *state;
    struct stay_dest_list locks = {0};

    assert_ok(stay_run_lock(store->repository, "aa", "media", "web-1", 0, &store->err), store->err);
    assert_ok(stay_run_lock(store->repository, "bb", "db", "web-1", 0, &store->err), store->err);
    assert_ok(stay_run_locks(store->repository, &locks, &store->err), store->err);
    assert_int_equal(locks.n, 2);
    assert_string_equal(locks.items[0].name, "locks/aa.json");
    assert_string_equal(locks.items[1].name, "locks/bb.json");
    stay_dest_list_free(&locks);
    assert_ok(stay_run_unlock(store->repository, "aa", &store->err), store->err);
    assert_ok(stay_run_unlock(store->repository, "aa", &store->err), store->err);
    assert_ok(stay_run_locks(store->repository, &locks, &store->err), store->err);
    assert_int_equal(locks.n, 1);
    stay_dest_list_free(&locks);
}

static void what_the_destination_says_is_passed_on(void **state)
{
    struct made_store *store = *state;

    stay_failing_dest_add(store->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_PUT,
                                                                      .prefix = "records/",
                                                                      .kind = BACKSTAY_ERR_SPACE});
    assert_int_equal(stay_record_put(store->repository, &sample, &store->err), -1);
    assert_error(store->err, STAY_ERR_SPACE, "destination disk: made to fail: put " NAME);
    stay_failing_dest_add(store->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_REMOVE});
    assert_int_equal(stay_run_unlock(store->repository, "aa", &store->err), -1);
    assert_error(store->err, STAY_ERR_IO, "destination disk: made to fail: remove locks/aa.json");
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_record_is_stored_under_its_time_and_read_back),
        WITH_STORE(the_document_says_what_happened),
        WITH_STORE(a_failed_run_has_an_error_and_no_snapshot),
        WITH_STORE(a_damaged_swapped_or_missing_record_is_noticed),
        WITH_STORE(a_record_of_another_repository_is_refused),
        WITH_STORE(a_running_run_has_a_lock_object),
        WITH_STORE(what_the_destination_says_is_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
