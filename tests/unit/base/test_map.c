/* tests/unit/base/test_map.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * map: random operations against an array that is searched from end to end.
 */
#include "base/map.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <string.h>

enum { KEYS = 300, STEPS = 20000 };

static void what_was_set_is_found(void **state)
{
    stay_auto(stay_map_free) struct stay_map *map = stay_map_new(NULL);
    int one = 1;
    int two = 2;

    (void)state;
    assert_null(stay_map_get(map, "a", 1));
    stay_map_set(map, "a", 1, &one);
    stay_map_set(map, "", 0, &two);
    assert_ptr_equal(stay_map_get(map, "a", 1), &one);
    assert_ptr_equal(stay_map_get(map, "", 0), &two);
    assert_int_equal(stay_map_count(map), 2);
    stay_map_set(map, "a", 1, &two);
    assert_ptr_equal(stay_map_get(map, "a", 1), &two);
    assert_int_equal(stay_map_count(map), 2);
    assert_true(stay_map_remove(map, "a", 1));
    assert_false(stay_map_remove(map, "a", 1));
    assert_null(stay_map_get(map, "a", 1));
}

static void keys_are_bytes_of_a_length_and_copied(void **state)
{
    stay_auto(stay_map_free) struct stay_map *map = stay_map_new(NULL);
    char key[] = {'a', '\0', 'b'};
    int value = 0;
    int other = 0;

    (void)state;
    stay_map_set(map, key, 3, &value);
    stay_map_set(map, key, 2, &other);
    assert_ptr_equal(stay_map_get(map, "a\0b", 3), &value);
    assert_ptr_equal(stay_map_get(map, "a\0", 2), &other);
    assert_null(stay_map_get(map, "a", 1));
    key[0] = 'x';
    assert_ptr_equal(stay_map_get(map, "a\0b", 3), &value);
}

static unsigned freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

static void values_are_freed_when_replaced_removed_or_dropped(void **state)
{
    struct stay_map *map = stay_map_new(count_free);
    int *same = stay_new(int);

    (void)state;
    freed = 0;
    stay_map_set(map, "a", 1, stay_new(int));
    stay_map_set(map, "a", 1, same);
    assert_int_equal(freed, 1);
    stay_map_set(map, "a", 1, same);
    assert_int_equal(freed, 1);
    stay_map_set(map, "b", 1, stay_new(int));
    assert_true(stay_map_remove(map, "b", 1));
    assert_int_equal(freed, 2);
    stay_map_free(map);
    assert_int_equal(freed, 3);
    stay_map_free(NULL);
}

/* Long and short keys with common beginnings, so that the hash has something to do. */
static size_t make_key(char *out, size_t number)
{
    size_t len = number % 40;

    memset(out, 'k', len);
    memcpy(out + len, &number, sizeof number);
    return len + sizeof number;
}

static void assert_same(const struct stay_map *map, int **reference)
{
    size_t at = 0;
    size_t seen = 0;
    size_t expected = 0;
    const void *key;
    size_t len;
    void *value;
    char made[64];

    while (stay_map_next(map, &at, &key, &len, &value)) {
        size_t number;
        assert_true(len >= sizeof number);
        memcpy(&number, (const char *)key + len - sizeof number, sizeof number);
        assert_true(number < KEYS);
        assert_int_equal(make_key(made, number), len);
        assert_memory_equal(made, key, len);
        assert_ptr_equal(value, reference[number]);
        seen++;
    }
    for (size_t i = 0; i < KEYS; i++)
        expected += reference[i] != NULL;
    assert_int_equal(seen, expected);
    assert_int_equal(stay_map_count(map), expected);
}

static void random_operations_agree_with_an_array(void **state)
{
    static int values[8];

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        stay_auto(stay_map_free) struct stay_map *map = stay_map_new(NULL);
        struct stay_random random = {seed};
        int *reference[KEYS] = {NULL};
        for (int step = 0; step < STEPS; step++) {
            char key[64];
            size_t number = stay_random_below(&random, KEYS);
            size_t len = make_key(key, number);
            /* Long stretches of growing and of shrinking. */
            bool grow = stay_random_below(&random, 10) < (step / 2000 % 2 ? 3U : 7U);
            assert_ptr_equal(stay_map_get(map, key, len), reference[number]);
            if (grow) {
                reference[number] = &values[stay_random_below(&random, 8)];
                stay_map_set(map, key, len, reference[number]);
            } else {
                assert_int_equal(stay_map_remove(map, key, len), reference[number] != NULL);
                reference[number] = NULL;
            }
            if (step % 500 == 0)
                assert_same(map, reference);
        }
        assert_same(map, reference);
    }
}

static void the_hash_depends_on_the_bytes_and_on_nothing_else(void **state)
{
    enum { MANY = 100000 };
    stay_auto_free uint64_t *seen = stay_calloc(1 << 20, sizeof *seen);
    char key[80];
    char shifted[80];
    int collisions = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        size_t len = make_key(key, i);
        uint64_t hash = stay_map_hash(key, len);
        memcpy(shifted + 1, key, len);
        assert_true(stay_map_hash(shifted + 1, len) == hash);
        collisions += seen[hash % (1 << 20)] != 0;
        seen[hash % (1 << 20)] = 1;
    }
    assert_true(stay_map_hash("a", 1) != stay_map_hash("a\0", 2));
    /* Chance gives about 4,600 in a table of a million. */
    assert_in_range(collisions, 4000, 5300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_set_is_found),
        cmocka_unit_test(keys_are_bytes_of_a_length_and_copied),
        cmocka_unit_test(values_are_freed_when_replaced_removed_or_dropped),
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(the_hash_depends_on_the_bytes_and_on_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
