/* tests/unit/store/test_repository_find.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * repository find: from what a user writes to one snapshot, or to an answer that helps.
 */
#include "store/repository.h"

#include "unit/store/stores.h"

#define DAY   (INT64_C(86400) * STAY_NS_PER_S)
#define FIRST INT64_C(1795314600000000000) /* 2026-11-22T02:30:00Z */

static int setup(void **state)
{
    struct made_store *store = new_store();

    put_snapshot(store, "media", FIRST + 2 * DAY, "aaaa2222");
    put_snapshot(store, "media", FIRST, "aaaa0000");
    put_snapshot(store, "media", FIRST + DAY, "bbbb1111");
    *state = store;
    return 0;
}

static int teardown(void **state)
{
    free_store(*state);
    return 0;
}

static void assert_finds(struct made_store *store, const char *spec, const char *id)
{
    struct stay_snapshot_ref ref;

    assert_ok(stay_repository_find(store->repository, spec, &ref, &store->err), store->err);
    assert_string_equal(ref.id, id);
}

static void assert_answer(struct made_store *store, const char *spec, enum stay_kind kind,
                          const char *text)
{
    struct stay_snapshot_ref ref;

    assert_int_equal(stay_repository_find(store->repository, spec, &ref, &store->err), -1);
    assert_error(store->err, kind, text);
}

static void snapshots_are_listed_oldest_first(void **state)
{
    struct made_store *store = *state;
    struct stay_snapshot_list list = {0};

    put_snapshot(store, "db", FIRST + DAY, "00000000");
    assert_ok(stay_repository_snapshots(store->repository, NULL, &list, &store->err), store->err);
    assert_int_equal(list.n, 4);
    assert_string_equal(list.items[0].id, "aaaa0000");
    assert_string_equal(list.items[1].source, "db");
    assert_string_equal(list.items[2].id, "bbbb1111");
    assert_string_equal(list.items[3].id, "aaaa2222");
    stay_vec_free(&list);
    assert_ok(stay_repository_snapshots(store->repository, "db", &list, &store->err), store->err);
    assert_int_equal(list.n, 1);
    stay_vec_free(&list);
}

static void a_source_whose_name_begins_alike_is_another(void **state)
{
    struct made_store *store = *state;
    struct stay_snapshot_list list = {0};

    put_snapshot(store, "media2", FIRST + 5 * DAY, "cccc5555");
    assert_ok(stay_repository_snapshots(store->repository, "media", &list, &store->err),
              store->err);
    assert_int_equal(list.n, 3);
    stay_vec_free(&list);
    assert_finds(store, "media@latest", "aaaa2222");
}

static void objects_that_are_no_snapshots_are_passed_over(void **state)
{
    struct made_store *store = *state;

    stay_memory_dest_write(store->memory, "snapshots/media/zzz.json", "x", 1);
    assert_finds(store, "latest", "aaaa2222");
}

static void latest_is_the_newest_of_the_one_source(void **state)
{
    struct made_store *store = *state;

    assert_finds(store, "latest", "aaaa2222");
    assert_finds(store, "media@latest", "aaaa2222");
    put_snapshot(store, "db", FIRST, "00000000");
    assert_answer(store, "latest", STAY_ERR_USAGE,
                  "\"latest\" is ambiguous: there are snapshots of several sources; say "
                  "SOURCE@latest, for example db@latest");
    assert_finds(store, "media@latest", "aaaa2222");
    assert_finds(store, "db@latest", "00000000");
}

static void a_time_means_the_newest_not_after_it(void **state)
{
    struct made_store *store = *state;

    assert_finds(store, "media@2026-11-22T02:30", "aaaa0000");
    assert_finds(store, "media@2026-11-23T02:29:59Z", "aaaa0000");
    assert_finds(store, "media@2026-11-23T02:30:00Z", "bbbb1111");
    assert_finds(store, "media@2026-11-24", "bbbb1111");
    assert_finds(store, "2100-01-01", "aaaa2222");
    assert_answer(store, "media@2026-11-22T02:29", STAY_ERR_ABSENT,
                  "no snapshot is as old as 2026-11-22T02:29: the oldest is from "
                  "2026-11-22T02:30:00Z");
    put_snapshot(store, "db", FIRST, "00000000");
    assert_answer(store, "2026-11-24", STAY_ERR_USAGE,
                  "a time needs its source: SOURCE@2026-11-24");
}

static void a_prefix_of_an_id_must_mean_one(void **state)
{
    struct made_store *store = *state;

    assert_finds(store, "bbbb", "bbbb1111");
    assert_finds(store, "aaaa0000", "aaaa0000");
    assert_finds(store, "media@aaaa2", "aaaa2222");
    assert_answer(store, "aaaa", STAY_ERR_USAGE,
                  "2 snapshots begin with \"aaaa\": give more digits");
    assert_answer(store, "cccc", STAY_ERR_ABSENT,
                  "no snapshot \"cccc\"; \"backstay list\" shows the 3 there are");
    assert_answer(store, "bbb", STAY_ERR_USAGE,
                  "\"bbb\" names no snapshot: use SOURCE@latest, SOURCE@2026-11-22T02:30 or at "
                  "least 4 digits of an id");
}

static void nothing_is_proven_yet(void **state)
{
    assert_answer(*state, "media@proven", STAY_ERR_ABSENT,
                  "no snapshot is proven: verification by restore is not part of this version; "
                  "use \"latest\"");
}

static void what_is_not_understood_is_said_to_be_so(void **state)
{
    assert_answer(*state, "media@yesterday", STAY_ERR_USAGE,
                  "\"yesterday\" names no snapshot: use SOURCE@latest, SOURCE@2026-11-22T02:30 or "
                  "at least 4 digits of an id");
    assert_answer(*state, "db@latest", STAY_ERR_ABSENT,
                  "there is no snapshot of source db on destination disk");
}

static void an_empty_repository_says_so(void **state)
{
    struct made_store *empty = new_store();

    (void)state;
    assert_answer(empty, "latest", STAY_ERR_ABSENT, "there is no snapshot on destination disk");
    free_store(empty);
}

static void a_listing_that_fails_is_passed_on(void **state)
{
    struct made_store *store = *state;

    stay_failing_dest_add(store->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_LIST});
    assert_answer(store, "latest", STAY_ERR_IO, "destination disk: made to fail: list snapshots/");
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(snapshots_are_listed_oldest_first),
        WITH_STORE(a_source_whose_name_begins_alike_is_another),
        WITH_STORE(objects_that_are_no_snapshots_are_passed_over),
        WITH_STORE(latest_is_the_newest_of_the_one_source),
        WITH_STORE(a_time_means_the_newest_not_after_it),
        WITH_STORE(a_prefix_of_an_id_must_mean_one),
        WITH_STORE(nothing_is_proven_yet),
        WITH_STORE(what_is_not_understood_is_said_to_be_so),
        WITH_STORE(an_empty_repository_says_so),
        WITH_STORE(a_listing_that_fails_is_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
