/* tests/conformance/source/test_tasks.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The tasks of a restore: their order, their locks, what becomes of them when some fail.
 */
#include "postgres_fixture.h"
#include "shared/tasks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What tasks do here: they note their names. */
struct diary {
    struct fake_host host;
    struct plug_tasks work;
    pthread_mutex_t mutex;
    struct stay_buf done;
    unsigned running;
    unsigned most; /* at the same time */
    bool go_on;    /* after failures */
    unsigned failures;
};

static int enter(void *ctx, void **own, struct backstay_error *err)
{
    (void)err;
    *own = ctx;
    return 0;
}

static void leave(void *ctx, void *own)
{
    assert_ptr_equal(ctx, own);
}

static bool on_failure(void *ctx, struct plug_task *task, const struct backstay_error *err)
{
    struct diary *diary = ctx;

    (void)task;
    (void)err;
    diary->failures++;
    return diary->go_on;
}

static void begin(struct diary *diary, unsigned jobs)
{
    *diary = (struct diary){.go_on = true};
    fake_host_init(&diary->host);
    (void)pthread_mutex_init(&diary->mutex, NULL);
    diary->work = (struct plug_tasks){.host = &diary->host.abi,
                                      .jobs = jobs,
                                      .enter = enter,
                                      .leave = leave,
                                      .failed = on_failure,
                                      .ctx = diary};
}

static void end(struct diary *diary)
{
    plug_tasks_free(&diary->work);
    stay_buf_free(&diary->done);
    (void)pthread_mutex_destroy(&diary->mutex);
    fake_host_free(&diary->host);
}

static int note(struct plug_task *task, void *own, struct backstay_error *err)
{
    struct diary *diary = own;
    const char *name = task->what;

    (void)pthread_mutex_lock(&diary->mutex);
    diary->running++;
    diary->most = STAY_MAX(diary->most, diary->running);
    (void)pthread_mutex_unlock(&diary->mutex);
    (void)usleep(2000);
    (void)pthread_mutex_lock(&diary->mutex);
    diary->running--;
    stay_buf_add(&diary->done, name, strlen(name));
    (void)pthread_mutex_unlock(&diary->mutex);
    if (name[0] == '!')
        return (diary->host.abi.fail)(&diary->host.abi, err, BACKSTAY_ERR_IO, "task %s", name);
    return 0;
}

static size_t add(struct diary *diary, const char *name, double cost)
{
    return plug_tasks_add(
        &diary->work, &(struct plug_task){.run = note, .ctx = diary, .what = name, .cost = cost});
}

static const char *done(struct diary *diary)
{
    stay_buf_add(&diary->done, "", 1);
    return (const char *)diary->done.data;
}

static void the_task_that_most_work_hangs_on_goes_first(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 1);
    (void)add(&diary, "a", 5);
    size_t b = add(&diary, "b", 1);
    size_t c = add(&diary, "c", 6);
    (void)add(&diary, "d", 6.5);
    plug_tasks_after(&diary.work, c, b);
    assert_ok(plug_tasks_run(&diary.work, &err), err);
    assert_string_equal(done(&diary), "bdca");
    end(&diary);
}

static void tasks_wait_for_all_that_they_need(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 4);
    size_t last = add(&diary, "z", 100);
    for (int i = 0; i < 20; i++)
        plug_tasks_after(&diary.work, last, add(&diary, "a", 1));
    assert_ok(plug_tasks_run(&diary.work, &err), err);
    assert_string_equal(done(&diary), "aaaaaaaaaaaaaaaaaaaaz");
    assert_in_range(diary.most, 2, 4);
    end(&diary);
}

static void exclusive_tasks_of_a_table_never_meet(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 4);
    for (int i = 0; i < 10; i++) {
        size_t task = add(&diary, "a", 1);
        diary.work.items[task].exclusive = i % 2;
        plug_tasks_lock(&diary.work, task, 7);
        if (i % 2 == 0)
            plug_tasks_lock(&diary.work, task, (uint32_t)(100 + i));
        plug_tasks_lock(&diary.work, task, 7);
        assert_int_equal(diary.work.items[task].n_locks, i % 2 ? 1 : 2);
    }
    for (size_t i = 0; i < diary.work.n; i++)
        diary.work.items[i].exclusive = true;
    assert_ok(plug_tasks_run(&diary.work, &err), err);
    assert_int_equal(diary.most, 1);
    end(&diary);
}

static void shared_tasks_of_a_table_meet(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 2);
    for (int i = 0; i < 10; i++)
        plug_tasks_lock(&diary.work, add(&diary, "a", 1), 7);
    assert_ok(plug_tasks_run(&diary.work, &err), err);
    assert_int_equal(diary.most, 2);
    end(&diary);
}

static void what_needs_a_failed_task_is_not_done_and_the_rest_is(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 1);
    size_t bad = add(&diary, "!", 9);
    size_t needs = add(&diary, "x", 1);
    size_t needs_that = add(&diary, "y", 1);
    size_t good = add(&diary, "g", 1);
    size_t point = add(&diary, "p", 1);
    size_t after = add(&diary, "q", 1);
    diary.work.items[point].point = true;
    plug_tasks_after(&diary.work, needs, bad);
    plug_tasks_after(&diary.work, needs_that, needs);
    plug_tasks_after(&diary.work, point, good);
    plug_tasks_after(&diary.work, point, needs_that);
    plug_tasks_after(&diary.work, after, point);
    assert_int_equal(plug_tasks_run(&diary.work, &err), -1);
    assert_error(err, BACKSTAY_ERR_IO, "task !");
    assert_string_equal(done(&diary), "!gpq");
    assert_int_equal(diary.failures, 1);
    end(&diary);
}

static void a_failure_that_hits_all_ends_the_work(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 1);
    diary.go_on = false;
    (void)add(&diary, "!", 9);
    (void)add(&diary, "a", 1);
    assert_int_equal(plug_tasks_run(&diary.work, &err), -1);
    assert_string_equal(done(&diary), "!");
    end(&diary);
}

static void tasks_that_wait_for_each_other_are_refused(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 2);
    size_t a = add(&diary, "a", 1);
    size_t b = add(&diary, "b", 1);
    (void)add(&diary, "c", 1);
    plug_tasks_after(&diary.work, a, b);
    plug_tasks_after(&diary.work, b, a);
    assert_int_equal(plug_tasks_run(&diary.work, &err), -1);
    assert_error(err, BACKSTAY_ERR_CORRUPT, "tasks wait for each other in a circle");
    assert_int_equal(diary.done.len, 0);
    end(&diary);
}

static void no_tasks_are_done_at_once(void **state)
{
    struct backstay_error err = {.size = sizeof err};
    struct diary diary;

    (void)state;
    begin(&diary, 2);
    assert_ok(plug_tasks_run(&diary.work, &err), err);
    end(&diary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_task_that_most_work_hangs_on_goes_first),
        cmocka_unit_test(tasks_wait_for_all_that_they_need),
        cmocka_unit_test(exclusive_tasks_of_a_table_never_meet),
        cmocka_unit_test(shared_tasks_of_a_table_meet),
        cmocka_unit_test(what_needs_a_failed_task_is_not_done_and_the_rest_is),
        cmocka_unit_test(a_failure_that_hits_all_ends_the_work),
        cmocka_unit_test(tasks_that_wait_for_each_other_are_refused),
        cmocka_unit_test(no_tasks_are_done_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
