/* tests/unit/engine/test_idset.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * idset: each id is new once, whoever adds it.
 */
#include "engine/idset.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MANY = 100000, THREADS = 4 };

static void an_id_is_new_once(void **state)
{
    stay_auto(stay_idset_free) struct stay_idset *set = stay_idset_new();
    const struct stay_id id = {{1, 2, 3}};
    const struct stay_id other = {{1, 2, 4}};

    (void)state;
    assert_false(stay_idset_has(set, &id));
    assert_true(stay_idset_add(set, &id));
    assert_false(stay_idset_add(set, &id));
    assert_true(stay_idset_has(set, &id));
    assert_false(stay_idset_has(set, &other));
    stay_idset_free(NULL);
}

static void many_ids_are_kept_apart(void **state)
{
    stay_auto(stay_idset_free) struct stay_idset *set = stay_idset_new();
    struct stay_random random = {1};
    struct stay_random again = {1};
    struct stay_id id;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        stay_random_fill(&random, &id, sizeof id);
        assert_true(stay_idset_add(set, &id));
    }
    for (int i = 0; i < MANY; i++) {
        stay_random_fill(&again, &id, sizeof id);
        assert_true(stay_idset_has(set, &id));
        assert_false(stay_idset_add(set, &id));
        id.bytes[31] ^= 1;
        assert_false(stay_idset_has(set, &id));
    }
}

struct adder {
    struct stay_idset *set;
    const struct stay_id *ids;
    size_t begin;
    _Atomic size_t *fresh;
};

static void *add_all(void *ctx)
{
    const struct adder *adder = ctx;
    size_t fresh = 0;

    for (size_t i = 0; i < MANY; i++)
        fresh += stay_idset_add(adder->set, &adder->ids[(adder->begin + i) % MANY]);
    atomic_fetch_add(adder->fresh, fresh);
    return NULL;
}

static void of_several_threads_one_is_told_that_an_id_is_new(void **state)
{
    stay_auto(stay_idset_free) struct stay_idset *set = stay_idset_new();
    stay_auto_free struct stay_id *ids = stay_calloc(MANY, sizeof *ids);
    struct stay_random random = {2};
    struct adder adders[THREADS];
    pthread_t threads[THREADS];
    _Atomic size_t fresh = 0;

    (void)state;
    stay_random_fill(&random, ids, MANY * sizeof *ids);
    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){set, ids, i * MANY / THREADS / 2, &fresh};
        assert_int_equal(pthread_create(&threads[i], NULL, add_all, &adders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(fresh, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_new_once),
        cmocka_unit_test(many_ids_are_kept_apart),
        cmocka_unit_test(of_several_threads_one_is_told_that_an_id_is_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
