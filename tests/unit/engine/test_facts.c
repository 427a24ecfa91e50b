/* tests/unit/engine/test_facts.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * facts: a copy that is not what was recorded is noticed, whatever is wrong with it, and what was
 * not compared never counts as equal. Each test changes one thing.
 */
#include "engine/facts.h"

#include "support/fake_database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A copy with two tables, and the facts that belong to it. */
struct fixture {
    char *folder;
    struct fake_database database;
    struct stay_source *source;
    struct stay_lines recorded;
    struct backstay_target target;
    struct backstay_pair pair;
    struct stay_progress progress;
    struct stay_cancel cancel;
    struct stay_comparison result;
    struct stay_err err;
    bool limited;
};

static void write_table(const struct fixture *fixture, const char *name, const char *rows)
{
    stay_auto_str char *path = stay_strf("%s/%s", fixture->folder, name);

    assert_int_equal(stay_fs_write_atomic(path, rows, strlen(rows), 0600, NULL), 0);
}

static void record(struct fixture *fixture, const char *name, const char *value)
{
    *stay_vec_push(&fixture->recorded) =
        (struct stay_line){.key = stay_strdup(name), .value = stay_strdup(value)};
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    assert_int_equal(stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-facts-", NULL), 0);
    fixture->database.folder = "/nowhere";
    fixture->source = stay_source_wrap("db", "fake", fake_database_ops(), &fixture->database);
    fixture->target =
        (struct backstay_target){.size = sizeof fixture->target, .location = fixture->folder};
    write_table(fixture, "orders", "a\nb\n");
    write_table(fixture, "items", "c\n");
    record(fixture, "count:tables", "2");
    record(fixture, "table:items:digest@1", "3079");
    record(fixture, "table:items:rows", "1");
    record(fixture, "table:orders:digest@1", "2902385");
    record(fixture, "table:orders:rows", "2");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_comparison_free(&fixture->result);
    stay_lines_free(&fixture->recorded);
    stay_source_free(fixture->source);
    assert_int_equal(stay_fs_remove_tree(fixture->folder, NULL), 0);
    free(fixture->folder);
    free(fixture);
    return 0;
}

static int compare(struct fixture *fixture)
{
    const struct stay_comparison_options options = {
        .source = fixture->source,
        .target = &fixture->target,
        .recorded = &fixture->recorded,
        .limited = fixture->limited,
        .cancel = &fixture->cancel,
        .progress = &fixture->progress,
    };

    return stay_facts_compare(&options, &fixture->result, &fixture->err);
}

/* Compares, and expects the one fact @name to be judged @verdict. */
static void assert_one(struct fixture *fixture, enum stay_fact_verdict verdict, const char *name)
{
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.facts.n, 1);
    assert_string_equal(fixture->result.facts.items[0].name, name);
    assert_int_equal(fixture->result.facts.items[0].verdict, verdict);
    assert_int_equal(fixture->result.counts[verdict], 1);
}

static enum stay_comparison_outcome outcome_of(const struct fixture *fixture)
{
    return stay_comparison_outcome(&fixture->result);
}

static void a_faithful_copy_is_equal_in_all(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.facts.n, 0);
    assert_int_equal(fixture->result.in_scope, 5);
    assert_int_equal(fixture->result.counts[STAY_FACT_EQUAL], 5);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_EQUAL);
    assert_string_equal(fixture->progress.phase, "comparing");
    assert_int_equal(fixture->progress.entries_done, 5);
    assert_int_equal(fixture->progress.entries_total, 5);
}

static void a_missing_row_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    write_table(fixture, "orders", "a\n");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_DIFFERENT], 2);
    assert_string_equal(fixture->result.facts.items[0].name, "table:orders:digest@1");
    assert_string_equal(fixture->result.facts.items[1].name, "table:orders:rows");
    assert_string_equal(fixture->result.facts.items[1].recorded, "2");
    assert_string_equal(fixture->result.facts.items[1].found, "1");
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void a_changed_value_is_noticed(void **state)
{
    write_table(*state, "items", "d\n");
    assert_one(*state, STAY_FACT_DIFFERENT, "table:items:digest@1");
    assert_int_equal(outcome_of(*state), STAY_COMPARISON_DIFFERENT);
}

static void a_truncated_table_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    write_table(fixture, "items", "");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_DIFFERENT], 2);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void a_missing_table_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *path = stay_strf("%s/items", fixture->folder);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_DIFFERENT], 1);
    assert_int_equal(fixture->result.counts[STAY_FACT_MISSING], 1);
    assert_int_equal(fixture->result.counts[STAY_FACT_INCOMPARABLE], 1);
    assert_string_equal(fixture->result.facts.items[2].name, "table:items:rows");
    assert_string_equal(fixture->result.facts.items[2].recorded, "1");
    assert_null(fixture->result.facts.items[2].found);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void an_empty_copy_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(stay_fs_remove_tree(fixture->folder, NULL), 0);
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_EQUAL], 0);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void a_table_too_many_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    write_table(fixture, "surprise", "x\n");
    free(fixture->recorded.items[0].value);
    fixture->recorded.items[0].value = stay_strdup("3");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_UNEXPECTED], 2);
    assert_string_equal(fixture->result.facts.items[1].name, "table:surprise:rows");
    assert_string_equal(fixture->result.facts.items[1].found, "1");
    assert_null(fixture->result.facts.items[1].recorded);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void where_a_part_was_restored_the_rest_is_no_surprise(void **state)
{
    struct fixture *fixture = *state;

    fixture->pair = (struct backstay_pair){"table", "orders"};
    fixture->target.options = &fixture->pair;
    fixture->target.n_options = 1;
    fixture->limited = true;
    write_table(fixture, "surprise", "x\n");
    write_table(fixture, "items", "changed\n");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.in_scope, 2);
    assert_int_equal(fixture->result.counts[STAY_FACT_EQUAL], 2);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_EQUAL);
    write_table(fixture, "orders", "a\n");
    stay_comparison_free(&fixture->result);
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DIFFERENT);
}

static void values_of_another_version_are_not_comparable(void **state)
{
    struct fixture *fixture = *state;

    fixture->database.version = "2";
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_INCOMPARABLE], 2);
    assert_int_equal(fixture->result.counts[STAY_FACT_UNEXPECTED], 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_EQUAL], 3);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_EQUAL);
}

static void only_incomparable_facts_are_nothing_to_compare_with(void **state)
{
    struct fixture *fixture = *state;

    stay_lines_free(&fixture->recorded);
    record(fixture, "table:items:digest@0", "3079");
    fixture->limited = true;
    assert_one(fixture, STAY_FACT_INCOMPARABLE, "table:items:digest@0");
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_NOTHING);
}

static void an_at_sign_in_a_name_is_no_version(void **state)
{
    struct fixture *fixture = *state;

    record(fixture, "table:a@b:rows", "1");
    record(fixture, "table:c:rows@", "1");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_MISSING], 2);
    assert_int_equal(fixture->result.counts[STAY_FACT_INCOMPARABLE], 0);
}

static void without_facts_there_is_nothing_to_compare_with(void **state)
{
    struct fixture *fixture = *state;

    stay_lines_free(&fixture->recorded);
    fixture->limited = true;
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.in_scope, 0);
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_NOTHING);
}

static void damaged_facts_are_never_equal(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->recorded.items[4].key);
    free(fixture->recorded.items[4].value);
    fixture->recorded.n--;
    (void)stay_fail(&fixture->recorded.damage, STAY_ERR_CORRUPT, "a line of the facts is damaged");
    assert_int_equal(compare(fixture), 0);
    assert_int_equal(fixture->result.counts[STAY_FACT_EQUAL], 4);
    assert_int_equal(fixture->result.counts[STAY_FACT_UNEXPECTED], 0);
    assert_string_equal(fixture->result.damage.text, "a line of the facts is damaged");
    assert_int_equal(outcome_of(fixture), STAY_COMPARISON_DAMAGED);
}

static void a_copy_that_does_not_answer_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    fixture->database.misbehave = "fail_probe";
    assert_int_equal(compare(fixture), -1);
    assert_string_equal(fixture->err.text, "source db: ask the copy: connection lost");
    stay_cancel_request(&fixture->cancel, 2);
    assert_int_equal(compare(fixture), -1);
    assert_int_equal(fixture->err.kind, STAY_ERR_CANCELLED);
}

static void verdicts_have_names(void **state)
{
    (void)state;
    assert_string_equal(stay_fact_verdict_name(STAY_FACT_EQUAL), "equal");
    assert_string_equal(stay_fact_verdict_name(STAY_FACT_INCOMPARABLE), "incomparable");
}

int main(void)
{
#define WITH_COPY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_COPY(a_faithful_copy_is_equal_in_all),
        WITH_COPY(a_missing_row_is_noticed),
        WITH_COPY(a_changed_value_is_noticed),
        WITH_COPY(a_truncated_table_is_noticed),
        WITH_COPY(a_missing_table_is_noticed),
        WITH_COPY(an_empty_copy_is_noticed),
        WITH_COPY(a_table_too_many_is_noticed),
        WITH_COPY(where_a_part_was_restored_the_rest_is_no_surprise),
        WITH_COPY(values_of_another_version_are_not_comparable),
        WITH_COPY(only_incomparable_facts_are_nothing_to_compare_with),
        WITH_COPY(an_at_sign_in_a_name_is_no_version),
        WITH_COPY(without_facts_there_is_nothing_to_compare_with),
        WITH_COPY(damaged_facts_are_never_equal),
        WITH_COPY(a_copy_that_does_not_answer_is_an_error),
        cmocka_unit_test(verdicts_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
