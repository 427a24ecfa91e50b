/* tests/crash/test_operations.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A run that ends at an operation of the store, for every operation: killed behind it, failing from
 * it on, failing there once, cancelled there. Afterwards the repository is clean, no snapshot that
 * was listed is lost, each one that is listed restores, and the next run works.
 */
#include "crash/small.h"

#include "support/cmocka.h"
#include "support/failing_dest.h"

#include <limits.h>
#include <string.h>

/* The files of the snapshot stored as @name: known ones by name, others are of the last state. */
static size_t number_of(const struct small *small, const char *name)
{
    for (size_t i = 0; i < small->n_snapshots; i++)
        if (strcmp(small->names[i], name) == 0)
            return i;
    return SMALL_SNAPSHOTS - 1;
}

/* All that must hold of a repository, however its last run ended. @return how many snapshots. */
static size_t assert_whole(const struct small *small, struct stay_dest *dest, const char *when)
{
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;
    struct stay_snapshot_list list = {0};
    struct stay_err err = {0};

    small_assert_clean(dest, small->folder, when);
    assert_ok(stay_repository_open(&repository, dest, &err), err);
    assert_ok(stay_repository_snapshots(repository, NULL, &list, &err), err);
    for (size_t i = 0; i < list.n; i++)
        small_assert_restores(dest, list.items[i].id,
                              small->files[number_of(small, list.items[i].name)], small->folder,
                              when);
    size_t n = list.n;
    stay_vec_free(&list);
    return n;
}

/* The next run: it works, is whole, and adds one snapshot. */
static void assert_goes_on(const struct small *small, struct stay_dest *dest, const char *state,
                           size_t before, const char *when)
{
    stay_auto_str char *then = stay_strf("%s, and the next backup", when);
    struct stay_backup_result result;
    struct stay_err err = {0};

    if (small_backup(dest, small->files[SMALL_SNAPSHOTS - 1], state, &result, &err) < 0)
        fail_msg("%s: %s", then, err.text);
    assert_int_equal(result.n_missing, 0);
    assert_int_equal(assert_whole(small, dest, then), before + 1);
}

/* ---- killed */

/* How many changes of the store there were when each backup had ended. */
struct history {
    struct small small;
    size_t after[SMALL_SNAPSHOTS];
    char *state;
};

static void make_history(struct history *history)
{
    struct small *small = &history->small;

    small_open(small);
    stay_memory_dest_keep_history(small->memory);
    history->state = small_state(small, "state");
    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        struct stay_backup_result result;
        struct stay_err err = {0};
        small->files[i] = small_files(small, i);
        small->n_snapshots++;
        assert_ok(small_backup(small->dest, small->files[i], history->state, &result, &err), err);
        memcpy(small->names[i], result.copies[0].snapshot, sizeof small->names[i]);
        history->after[i] = stay_memory_dest_changes(small->memory);
    }
}

static void kill_after(struct history *history, size_t n, bool with_caches)
{
    struct small *small = &history->small;
    stay_auto(stay_memory_dest_free) struct stay_memory_dest *memory =
        stay_memory_dest_at(small->memory, n);
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("memory", stay_memory_dest_ops(), memory, NULL);
    stay_auto_str char *when =
        stay_strf("killed after change %zu%s", n, with_caches ? ", with later caches" : "");
    stay_auto_str char *label = stay_strf("killed-%zu", n);
    stay_auto_str char *fresh = small_state(small, label);
    size_t finished = 0;

    while (finished < SMALL_SNAPSHOTS && history->after[finished] <= n)
        finished++;
    size_t listed = assert_whole(small, dest, when);
    assert_true(listed >= finished);
    assert_goes_on(small, dest, with_caches ? history->state : fresh, listed, when);
}

static void a_run_killed_after_any_change_leaves_a_whole_repository(void **state)
{
    struct history history;

    (void)state;
    make_history(&history);
    size_t n = stay_memory_dest_changes(history.small.memory);
    assert_true(n >= 5 * SMALL_SNAPSHOTS);
    for (size_t i = 0; i <= n; i++)
        kill_after(&history, i, false);
    for (size_t i = 0; i <= n; i++)
        kill_after(&history, i,
                   true); /* a repository that was put back, and caches that were not */
    free(history.state);
    small_close(&history.small);
}

static void an_init_killed_after_any_change_can_be_done_again(void **state)
{
    stay_auto(stay_memory_dest_free) struct stay_memory_dest *memory = stay_memory_dest_new();
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("memory", stay_memory_dest_ops(), memory, NULL);
    struct stay_err err = {0};

    (void)state;
    stay_memory_dest_keep_history(memory);
    assert_ok(stay_repository_init(dest, NULL, stay_clock_system(), &err), err);
    size_t n = stay_memory_dest_changes(memory);
    assert_true(n >= 3);
    for (size_t i = 0; i <= n; i++) {
        stay_auto(stay_memory_dest_free) struct stay_memory_dest *past =
            stay_memory_dest_at(memory, i);
        stay_auto(stay_dest_free) struct stay_dest *again =
            stay_dest_wrap("memory", stay_memory_dest_ops(), past, NULL);
        int rc = stay_repository_init(again, NULL, stay_clock_system(), &err);
        assert_int_equal(rc, i < n ? 0 : STAY_REPOSITORY_EXISTS);
        small_assert_clean(again, "/tmp", "init killed and done again");
    }
}

/* ---- failing and cancelled */

/* A copy of a repository with two snapshots, whose next run goes through a wrapper that fails. */
struct trial {
    struct small *small;
    struct stay_memory_dest *memory;
    struct stay_dest *dest;
    struct stay_failing_dest *failing;
    struct stay_dest *through;
    char *state;
};

static void open_trial(struct trial *trial, struct small *small, const char *label)
{
    trial->small = small;
    trial->memory = small_copy(small->memory);
    trial->dest = stay_dest_wrap("memory", stay_memory_dest_ops(), trial->memory, NULL);
    trial->failing = stay_failing_dest_new(stay_memory_dest_ops(), trial->memory);
    trial->through = stay_dest_wrap("memory", stay_failing_dest_ops(), trial->failing, NULL);
    trial->state = small_state(small, label);
}

static void close_trial(struct trial *trial)
{
    stay_dest_free(trial->through);
    stay_failing_dest_free(trial->failing);
    stay_dest_free(trial->dest);
    stay_memory_dest_free(trial->memory);
    free(trial->state);
}

static void make_two(struct small *small)
{
    small_open(small);
    stay_auto_str char *state = small_state(small, "state");
    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        small->files[i] = small_files(small, i);
        small->n_snapshots++;
        if (i < SMALL_SNAPSHOTS - 1) {
            struct stay_backup_result result;
            struct stay_err err = {0};
            assert_ok(small_backup(small->dest, small->files[i], state, &result, &err), err);
            memcpy(small->names[i], result.copies[0].snapshot, sizeof small->names[i]);
        }
    }
}

/* @return whether the rule was met: the run has at least that many operations. */
static bool fail_at(struct small *small, const struct stay_failing_rule *rule, const char *label)
{
    struct trial trial;
    struct stay_backup_result result;
    struct stay_err err = {0};
    stay_auto_str char *when = stay_strf("%s at operation %u", label, rule->nth);
    stay_auto_str char *state = stay_strf("%s-%u", label, rule->nth);

    open_trial(&trial, small, state);
    stay_failing_dest_add(trial.failing, rule);
    int rc =
        small_backup(trial.through, small->files[SMALL_SNAPSHOTS - 1], trial.state, &result, &err);
    bool met = stay_failing_dest_hits(trial.failing) > 0;
    if (rc < 0 && !met)
        fail_msg("%s: nothing was spoilt, and yet: %s", when, err.text);
    if (rc < 0 && err.text[0] == '\0')
        fail_msg("%s: fails without a word", when);
    size_t listed = assert_whole(small, trial.dest, when);
    assert_true(listed >= SMALL_SNAPSHOTS - 1);
    if (rc == 0)
        assert_int_equal(listed, SMALL_SNAPSHOTS);
    assert_goes_on(small, trial.dest, trial.state, listed, when);
    close_trial(&trial);
    return met;
}

static void fail_everywhere(struct stay_failing_rule rule, const char *label)
{
    struct small small;
    unsigned met = 0;

    make_two(&small);
    for (rule.nth = 1; fail_at(&small, &rule, label); rule.nth++)
        met++;
    assert_true(met >= 8);
    small_close(&small);
}

static void a_store_that_fails_from_any_operation_on_stays_whole(void **state)
{
    (void)state;
    fail_everywhere((struct stay_failing_rule){.times = UINT_MAX}, "failing from");
}

static void a_store_that_loses_its_answers_from_any_operation_on_stays_whole(void **state)
{
    (void)state;
    fail_everywhere((struct stay_failing_rule){.times = UINT_MAX, .how = STAY_FAILING_AFTER},
                    "mute from");
}

static void a_single_failure_at_any_operation_leaves_it_whole(void **state)
{
    (void)state;
    fail_everywhere((struct stay_failing_rule){.times = 1}, "failing once");
}

static void a_single_lost_answer_at_any_operation_leaves_it_whole(void **state)
{
    (void)state;
    fail_everywhere((struct stay_failing_rule){.times = 1, .how = STAY_FAILING_AFTER}, "mute once");
}

static void no_room_at_any_operation_is_said_and_leaves_it_whole(void **state)
{
    (void)state;
    fail_everywhere((struct stay_failing_rule){.times = UINT_MAX, .kind = BACKSTAY_ERR_SPACE},
                    "full from");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_init_killed_after_any_change_can_be_done_again),
        cmocka_unit_test(a_run_killed_after_any_change_leaves_a_whole_repository),
        cmocka_unit_test(a_store_that_fails_from_any_operation_on_stays_whole),
        cmocka_unit_test(a_store_that_loses_its_answers_from_any_operation_on_stays_whole),
        cmocka_unit_test(a_single_failure_at_any_operation_leaves_it_whole),
        cmocka_unit_test(a_single_lost_answer_at_any_operation_leaves_it_whole),
        cmocka_unit_test(no_room_at_any_operation_is_said_and_leaves_it_whole),
    };

    small_quiet();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
