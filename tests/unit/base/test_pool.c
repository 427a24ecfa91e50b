/* tests/unit/base/test_pool.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * pool: every item is worked on exactly once, and the first error is the one that is reported.
 */
#include "base/pool.h"

#include "support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { ITEMS = 20000, THREADS = 4 };

struct job {
    atomic_long sum;
    atomic_int calls;
    atomic_int told_failed;
    int fail_at; /* the value that fails; 0: none */
    bool without_text;
    long by_worker[THREADS]; /* each written by one worker only */
};

static int add(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    struct job *job = ctx;
    int value = *(int *)item;

    (void)atomic_fetch_add(&job->calls, 1);
    job->by_worker[worker] += value;
    if (failed) {
        (void)atomic_fetch_add(&job->told_failed, 1);
        return 0;
    }
    if (value == job->fail_at)
        return job->without_text ? -1 : stay_fail(err, STAY_ERR_SPACE, "item %d", value);
    (void)atomic_fetch_add(&job->sum, value);
    return 0;
}

static int *numbers(void)
{
    int *items = stay_calloc(ITEMS, sizeof *items);

    for (int i = 0; i < ITEMS; i++)
        items[i] = i + 1;
    return items;
}

static void every_item_is_worked_on_once(void **state)
{
    static struct job job;
    stay_auto_free int *items = numbers();
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};
    long by_workers = 0;

    (void)state;
    assert_ok(stay_pool_new(&pool, THREADS, 5, add, &job, &err), err);
    for (int i = 0; i < ITEMS; i++)
        stay_pool_submit(pool, &items[i]);
    assert_ok(stay_pool_finish(pool, &err), err);
    assert_false(stay_pool_failed(pool));
    stay_pool_free(pool);
    assert_int_equal(atomic_load(&job.calls), ITEMS);
    assert_int_equal(atomic_load(&job.sum), (long)ITEMS * (ITEMS + 1) / 2);
    for (int i = 0; i < THREADS; i++)
        by_workers += job.by_worker[i];
    assert_int_equal(by_workers, (long)ITEMS * (ITEMS + 1) / 2);
}

static void after_a_failure_the_rest_is_handed_over_to_be_released(void **state)
{
    static struct job job;
    stay_auto_free int *items = numbers();
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};

    (void)state;
    job.fail_at = 100;
    assert_ok(stay_pool_new(&pool, THREADS, 5, add, &job, &err), err);
    for (int i = 0; i < ITEMS; i++)
        stay_pool_submit(pool, &items[i]);
    assert_int_equal(stay_pool_finish(pool, &err), -1);
    assert_error(err, STAY_ERR_SPACE, "item 100");
    assert_true(stay_pool_failed(pool));
    stay_pool_free(pool);
    assert_int_equal(atomic_load(&job.calls), ITEMS);
    assert_true(atomic_load(&job.told_failed) > ITEMS / 2);
}

static void a_failure_without_a_text_is_still_a_failure(void **state)
{
    static struct job job = {.fail_at = 1, .without_text = true};
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};
    int one = 1;

    (void)state;
    assert_ok(stay_pool_new(&pool, 1, 1, add, &job, &err), err);
    stay_pool_submit(pool, &one);
    assert_int_equal(stay_pool_finish(pool, &err), -1);
    assert_error(err, STAY_ERR_IO, "a worker failed without saying why");
    assert_int_equal(stay_pool_finish(pool, NULL), -1);
    stay_pool_free(pool);
}

static int fail_in_turn(void *ctx, void *item, unsigned worker, bool failed, struct stay_err *err)
{
    (void)ctx;
    (void)worker;
    (void)failed; /* fails on, to see which error is kept */
    return stay_fail(err, STAY_ERR_IO, "item %d", *(int *)item);
}

static void the_first_error_is_kept(void **state)
{
    stay_auto_free int *items = numbers();
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_ok(stay_pool_new(&pool, 1, 5, fail_in_turn, NULL, &err), err);
    for (int i = 0; i < 50; i++)
        stay_pool_submit(pool, &items[i]);
    assert_int_equal(stay_pool_finish(pool, &err), -1);
    assert_error(err, STAY_ERR_IO, "item 1");
    stay_pool_free(pool);
}

static void freeing_finishes_what_was_submitted(void **state)
{
    static struct job job;
    stay_auto_free int *items = numbers();
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_ok(stay_pool_new(&pool, 0, 100, add, &job, &err), err);
    for (int i = 0; i < 100; i++)
        stay_pool_submit(pool, &items[i]);
    stay_pool_free(pool);
    assert_int_equal(atomic_load(&job.calls), 100);
    stay_pool_free(NULL);
}

struct submitter {
    struct stay_pool *pool;
    int *items;
    size_t n;
};

static void *submit_all(void *arg)
{
    struct submitter *submitter = arg;

    for (size_t i = 0; i < submitter->n; i++)
        stay_pool_submit(submitter->pool, &submitter->items[i]);
    return NULL;
}

static void several_threads_may_submit(void **state)
{
    static struct job job;
    stay_auto_free int *items = numbers();
    struct stay_pool *pool = NULL;
    struct stay_err err = {0};
    struct submitter submitters[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    assert_ok(stay_pool_new(&pool, THREADS, 3, add, &job, &err), err);
    for (int i = 0; i < THREADS; i++) {
        size_t share = ITEMS / THREADS;
        submitters[i] = (struct submitter){pool, items + (size_t)i * share, share};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_all, &submitters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_ok(stay_pool_finish(pool, &err), err);
    stay_pool_free(pool);
    assert_int_equal(atomic_load(&job.sum), (long)ITEMS * (ITEMS + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_worked_on_once),
        cmocka_unit_test(after_a_failure_the_rest_is_handed_over_to_be_released),
        cmocka_unit_test(a_failure_without_a_text_is_still_a_failure),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(freeing_finishes_what_was_submitted),
        cmocka_unit_test(several_threads_may_submit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
