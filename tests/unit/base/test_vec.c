/* tests/unit/base/test_vec.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * vec: elements stay what they were while the array grows.
 */
#include "base/vec.h"

#include "support/cmocka.h"

struct point {
    int x;
    int y;
};

static void elements_survive_growth(void **state)
{
    STAY_VEC(struct point) points = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        *stay_vec_push(&points) = (struct point){i, -i};
    assert_int_equal(points.n, 10000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(points.items[i].x, i);
        assert_int_equal(points.items[i].y, -i);
    }
    stay_vec_free(&points);
    assert_null(points.items);
    assert_int_equal(points.n, 0);
    assert_int_equal(points.cap, 0);
}

static void reserving_makes_room_once(void **state)
{
    STAY_VEC(int) numbers = {0};

    (void)state;
    (void)stay_vec_reserve(&numbers, 1000);
    int *first = numbers.items;
    assert_int_equal(numbers.n, 0);
    assert_true(numbers.cap >= 1000);
    for (int i = 0; i < 1000; i++)
        *stay_vec_push(&numbers) = i;
    assert_ptr_equal(numbers.items, first);
    stay_vec_free(&numbers);
}

static void growth_is_geometric(void **state)
{
    STAY_VEC(char) bytes = {0};
    size_t last = 0;
    int growths = 0;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        *stay_vec_push(&bytes) = 'x';
        growths += bytes.cap != last;
        last = bytes.cap;
    }
    assert_true(growths < 40);
    stay_vec_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_survive_growth),
        cmocka_unit_test(reserving_makes_room_once),
        cmocka_unit_test(growth_is_geometric),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
