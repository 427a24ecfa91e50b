/* tests/unit/engine/test_collect.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * collect: any order in, the order of paths out, however little memory there is.
 */
#include "engine/collect.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <pthread.h>
#include <string.h>

enum { RECORDS = 50000, THREADS = 4 };

static int setup(void **state)
{
    char *folder = NULL;
    int rc = stay_fs_make_scratch(&folder, "/tmp/backstay-collect-", NULL);

    *state = folder;
    return rc;
}

static int teardown(void **state)
{
    int rc = stay_fs_remove_tree(*state, NULL);

    free(*state);
    return rc;
}

/* A path for each number, in an order that has nothing to do with it. */
static uint32_t make_path(char out[40], size_t number)
{
    struct stay_random random = {number};
    uint64_t mixed = stay_random_next(&random);

    return (uint32_t)snprintf(out, 40, "%c%0*llx/%zu", (char)(1 + mixed % 255 % 46),
                              (int)(mixed >> 8 & 7), (unsigned long long)(mixed >> 40), number);
}

static int add_number(struct stay_collect *collect, size_t number)
{
    char path[40];
    char line[64];
    uint32_t path_len = make_path(path, number);
    const struct stay_last_record record = {
        .path = path,
        .path_len = path_len,
        .line = line,
        .line_len = (uint32_t)snprintf(line, sizeof line, "{\"number\":%zu}\n", number),
        .token = &number,
        .token_len = number % 3 ? sizeof number : 0,
    };

    return stay_collect_add(collect, &record, NULL);
}

struct walk {
    unsigned char *seen; /* per number */
    char before[40];
    size_t before_len;
    size_t n;
    size_t stop_at; /* 0: never */
};

static int check_record(void *ctx, const struct stay_last_record *record, struct stay_err *err)
{
    struct walk *walk = ctx;
    char path[40];
    stay_auto_str char *line = stay_memdup(record->line, record->line_len);
    size_t number = strtoul(line + strlen("{\"number\":"), NULL, 10);

    assert_true(number < RECORDS);
    assert_int_equal(walk->seen[number]++, 0);
    assert_int_equal(record->path_len, make_path(path, number));
    assert_memory_equal(record->path, path, record->path_len);
    assert_int_equal(record->token_len, number % 3 ? sizeof number : 0);
    if (record->token_len)
        assert_memory_equal(record->token, &number, sizeof number);
    if (walk->n++)
        assert_true(stay_path_compare(walk->before, walk->before_len, path, record->path_len) < 0);
    memcpy(walk->before, path, record->path_len);
    walk->before_len = record->path_len;
    return walk->n == walk->stop_at ? stay_fail(err, STAY_ERR_IO, "enough") : 0;
}

struct adder {
    struct stay_collect *collect;
    size_t first;
    int rc;
};

static void *add_share(void *ctx)
{
    struct adder *adder = ctx;

    for (size_t i = adder->first; i < RECORDS && adder->rc == 0; i += THREADS)
        adder->rc = add_number(adder->collect, i);
    return NULL;
}

static struct stay_collect *collect_all(const char *folder, size_t limit_bytes)
{
    struct stay_collect *collect = stay_collect_new(folder, limit_bytes);
    struct adder adders[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){collect, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, add_share, &adders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(adders[i].rc, 0);
    }
    assert_int_equal(stay_collect_count(collect), RECORDS);
    return collect;
}

static void records_of_several_threads_come_out_in_the_order_of_paths(void **state)
{
    static const size_t limits[] = {0, 1 << 20, 3 << 20, 1 << 30};

    for (size_t i = 0; i < STAY_COUNT(limits); i++) {
        stay_auto(stay_collect_free) struct stay_collect *collect = collect_all(*state, limits[i]);
        stay_auto_free unsigned char *seen = stay_calloc(RECORDS, 1);
        struct walk walk = {.seen = seen};
        struct stay_err err = {0};
        assert_ok(stay_collect_each(collect, check_record, &walk, &err), err);
        assert_int_equal(walk.n, RECORDS);
    }
}

static void whoever_has_seen_enough_ends_it(void **state)
{
    static const size_t limits[] = {0, 1 << 30};

    for (size_t i = 0; i < STAY_COUNT(limits); i++) {
        stay_auto(stay_collect_free) struct stay_collect *collect = collect_all(*state, limits[i]);
        stay_auto_free unsigned char *seen = stay_calloc(RECORDS, 1);
        struct walk walk = {.seen = seen, .stop_at = 1000};
        struct stay_err err = {0};
        assert_int_equal(stay_collect_each(collect, check_record, &walk, &err), -1);
        assert_error(err, STAY_ERR_IO, "enough");
        assert_int_equal(walk.n, 1000);
    }
}

static int take_length(void *ctx, const struct stay_last_record *record, struct stay_err *err)
{
    (void)err;
    *(size_t *)ctx += record->line_len;
    return 0;
}

static void lines_larger_than_any_buffer_are_kept_too(void **state)
{
    enum { LARGE = 5 << 20 };
    stay_auto(stay_collect_free) struct stay_collect *collect = stay_collect_new(*state, 0);
    stay_auto_free char *line = stay_calloc(LARGE, 1);
    struct stay_err err = {0};
    size_t total = 0;

    for (uint32_t i = 0; i < 4; i++) {
        const char path = (char)('d' - i);
        const struct stay_last_record record = {
            .path = &path, .path_len = 1, .line = line, .line_len = LARGE - i};
        assert_ok(stay_collect_add(collect, &record, &err), err);
    }
    assert_ok(stay_collect_each(collect, take_length, &total, &err), err);
    assert_int_equal(total, 4 * LARGE - 6);
}

static void nothing_collected_is_nothing_handed_out(void **state)
{
    stay_auto(stay_collect_free) struct stay_collect *collect = stay_collect_new(*state, 0);
    struct stay_err err = {0};
    size_t total = 0;

    assert_ok(stay_collect_each(collect, take_length, &total, &err), err);
    assert_int_equal(total, 0);
    stay_collect_free(NULL);
}

static void without_a_place_for_runs_it_fails(void **state)
{
    enum { LARGE = 2 << 20 };
    stay_auto(stay_collect_free) struct stay_collect *collect = stay_collect_new("/nonexistent", 0);
    stay_auto_free char *line = stay_calloc(LARGE, 1);
    struct stay_err err = {0};
    const struct stay_last_record record = {
        .path = "a", .path_len = 1, .line = line, .line_len = LARGE};

    (void)state;
    assert_ok(stay_collect_add(collect, &record, &err), err);
    assert_int_equal(stay_collect_add(collect, &record, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent"));
    assert_non_null(strstr(err.text, "No such file or directory"));
}

static void paths_compare_by_their_bytes(void **state)
{
    (void)state;
    assert_true(stay_path_compare("", 0, "a", 1) < 0);
    assert_true(stay_path_compare("a", 1, "a/b", 3) < 0);
    assert_true(stay_path_compare("a/b", 3, "a", 1) > 0);
    assert_true(stay_path_compare("a.b", 3, "a/b", 3) < 0);
    assert_true(stay_path_compare("\xff", 1, "z", 1) > 0);
    assert_int_equal(stay_path_compare("a/b", 3, "a/b", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_several_threads_come_out_in_the_order_of_paths),
        cmocka_unit_test(whoever_has_seen_enough_ends_it),
        cmocka_unit_test(lines_larger_than_any_buffer_are_kept_too),
        cmocka_unit_test(nothing_collected_is_nothing_handed_out),
        cmocka_unit_test(without_a_place_for_runs_it_fails),
        cmocka_unit_test(paths_compare_by_their_bytes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
