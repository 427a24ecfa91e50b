/* tests/unit/base/test_queue.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * queue: order, bounds and closing, from one thread and from many.
 */
#include "base/queue.h"

#include "base/clock.h"
#include "support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static void items_come_out_in_the_order_in_which_they_went_in(void **state)
{
    stay_auto(stay_queue_free) struct stay_queue *queue = stay_queue_new(3);
    int items[10];
    void *item = NULL;

    (void)state;
    assert_int_equal(stay_queue_push(queue, &items[0]), 0);
    for (int i = 1; i < 10; i++) { /* around the ring several times */
        assert_int_equal(stay_queue_push(queue, &items[i]), 0);
        assert_int_equal(stay_queue_pop(queue, &item), 0);
        assert_ptr_equal(item, &items[i - 1]);
    }
}

static void a_closed_queue_gives_what_is_in_it_and_takes_no_more(void **state)
{
    stay_auto(stay_queue_free) struct stay_queue *queue = stay_queue_new(0);
    int one;
    void *item = NULL;

    (void)state;
    assert_int_equal(stay_queue_push(queue, &one), 0);
    stay_queue_close(queue);
    stay_queue_close(queue);
    assert_int_equal(stay_queue_push(queue, &one), STAY_QUEUE_CLOSED);
    assert_int_equal(stay_queue_pop(queue, &item), 0);
    assert_ptr_equal(item, &one);
    assert_int_equal(stay_queue_pop(queue, &item), STAY_QUEUE_CLOSED);
    stay_queue_free(NULL);
}

/* One thread that does one thing and says when it is through. */
struct waiter {
    struct stay_queue *queue;
    void *item;
    atomic_bool done;
    int rc;
};

static void *push_one(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = stay_queue_push(waiter->queue, waiter->item);
    atomic_store(&waiter->done, true);
    return NULL;
}

static void *pop_one(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = stay_queue_pop(waiter->queue, &waiter->item);
    atomic_store(&waiter->done, true);
    return NULL;
}

static void rest_a_moment(void)
{
    struct timespec pause = {.tv_nsec = 20 * STAY_NS_PER_MS};

    (void)nanosleep(&pause, NULL);
}

static void a_full_queue_makes_its_producer_wait(void **state)
{
    stay_auto(stay_queue_free) struct stay_queue *queue = stay_queue_new(1);
    int items[2];
    struct waiter waiter = {.queue = queue, .item = &items[1]};
    pthread_t thread;
    void *item;

    (void)state;
    assert_int_equal(stay_queue_push(queue, &items[0]), 0);
    assert_int_equal(pthread_create(&thread, NULL, push_one, &waiter), 0);
    rest_a_moment();
    assert_false(atomic_load(&waiter.done));
    assert_int_equal(stay_queue_pop(queue, &item), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.rc, 0);
    assert_int_equal(stay_queue_pop(queue, &item), 0);
    assert_ptr_equal(item, &items[1]);
}

static void closing_wakes_everybody(void **state)
{
    enum { EACH = 4 };
    stay_auto(stay_queue_free) struct stay_queue *full = stay_queue_new(1);
    stay_auto(stay_queue_free) struct stay_queue *empty = stay_queue_new(1);
    struct waiter waiters[2 * EACH];
    pthread_t threads[2 * EACH];
    int one;

    (void)state;
    assert_int_equal(stay_queue_push(full, &one), 0);
    for (int i = 0; i < 2 * EACH; i++) {
        waiters[i] = (struct waiter){.queue = i < EACH ? full : empty, .item = &one};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < EACH ? push_one : pop_one, &waiters[i]), 0);
    }
    rest_a_moment();
    stay_queue_close(full);
    stay_queue_close(empty);
    for (int i = 0; i < 2 * EACH; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(waiters[i].rc, STAY_QUEUE_CLOSED);
    }
}

enum { PRODUCERS = 4, CONSUMERS = 3, EACH_PRODUCES = 5000 };

struct traffic {
    struct stay_queue *queue;
    int *items; /* counts, how often each was popped; each written by one popper at a time */
    int from;
    long popped;
};

static void *produce(void *arg)
{
    struct traffic *traffic = arg;

    for (int i = 0; i < EACH_PRODUCES; i++)
        if (stay_queue_push(traffic->queue, &traffic->items[traffic->from + i]) != 0)
            abort();
    return NULL;
}

static void *consume(void *arg)
{
    struct traffic *traffic = arg;
    int last[PRODUCERS];
    void *item;

    memset(last, -1, sizeof last);
    while (stay_queue_pop(traffic->queue, &item) == 0) {
        int number = (int)((int *)item - traffic->items);
        int producer = number / EACH_PRODUCES;
        if (number <= last[producer])
            abort(); /* what one producer pushed must come in order, also to one of many consumers
                      */
        last[producer] = number;
        (*(int *)item)++;
        traffic->popped++;
    }
    return NULL;
}

static void every_item_reaches_exactly_one_consumer(void **state)
{
    static int items[PRODUCERS * EACH_PRODUCES];
    stay_auto(stay_queue_free) struct stay_queue *queue = stay_queue_new(7);
    struct traffic traffic[PRODUCERS + CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    long popped = 0;

    (void)state;
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        traffic[i] = (struct traffic){queue, items, i * EACH_PRODUCES, 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, &traffic[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    stay_queue_close(queue);
    for (int i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        popped += traffic[i].popped;
    }
    assert_int_equal(popped, PRODUCERS * EACH_PRODUCES);
    for (int i = 0; i < PRODUCERS * EACH_PRODUCES; i++)
        assert_int_equal(items[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_the_order_in_which_they_went_in),
        cmocka_unit_test(a_closed_queue_gives_what_is_in_it_and_takes_no_more),
        cmocka_unit_test(a_full_queue_makes_its_producer_wait),
        cmocka_unit_test(closing_wakes_everybody),
        cmocka_unit_test(every_item_reaches_exactly_one_consumer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
