/* tests/conformance/destination/suite_threads.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Many callers at once. Threads note what they saw; only the main thread asserts.
 */
#include "suite.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* ---------------------------------------------------------------- one winner */

enum { RACERS = 64, ROUNDS = 4, CANDIDATE_BYTES = 100000 };

struct racer {
    struct suite_dest *dest;
    pthread_barrier_t *start;
    const char *name;
    unsigned char mark; /* every byte of the content; it decides the length, too */
    int rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct backstay_error err = {.size = sizeof err};
    size_t len = CANDIDATE_BYTES + racer->mark;
    stay_auto_free char *data = stay_malloc(len);

    memset(data, racer->mark, len);
    (void)pthread_barrier_wait(racer->start);
    racer->rc = racer->dest->ops->put_if_absent(racer->dest->self, racer->name, data, len, &err);
    return NULL;
}

static void check_race(struct suite_dest *dest, const char *name)
{
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    pthread_barrier_t start;
    const struct racer *winner = NULL;

    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){dest, &start, name, (unsigned char)(i + 1), -1};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(racers[i].rc == 0 || racers[i].rc == BACKSTAY_EXISTS);
        if (racers[i].rc == 0) {
            assert_null(winner);
            winner = &racers[i];
        }
    }
    (void)pthread_barrier_destroy(&start);
    assert_non_null(winner);
    size_t len = CANDIDATE_BYTES + winner->mark;
    stay_auto_free char *expected = stay_malloc(len);
    memset(expected, winner->mark, len);
    suite_expect(dest, name, expected, len);
}

static void of_64_that_put_what_is_absent_exactly_one_wins(void **state)
{
    char name[32];

    for (int round = 0; round < ROUNDS; round++) {
        (void)snprintf(name, sizeof name, "locks/race-%d", round);
        check_race(*state, name);
    }
}

/* ---------------------------------------------------------------- never half an object */

enum { WRITERS = 3, READERS = 4, WRITES = 40, LARGEST = 300000 };

struct actor {
    struct suite_dest *dest;
    pthread_t thread;
    uint64_t seed;
    atomic_bool *stop;
    atomic_int *reads;
    char problem[256]; /* empty: none */
};

/* A whole object: all bytes are the same, and they say how many they are. */
static size_t candidate_len(unsigned char mark)
{
    return 1 + (size_t)mark * 1000;
}

static void *write_candidates(void *arg)
{
    struct actor *actor = arg;
    struct stay_random random = {actor->seed};
    stay_auto_free char *data = stay_malloc(LARGEST);

    for (int i = 0; i < WRITES; i++) {
        struct backstay_error err = {.size = sizeof err};
        unsigned char mark = (unsigned char)stay_random_below(&random, 256);
        memset(data, mark, candidate_len(mark));
        if (actor->dest->ops->put(actor->dest->self, "shared/x", data, candidate_len(mark), &err))
            (void)snprintf(actor->problem, sizeof actor->problem, "put: %.200s", err.text);
    }
    return NULL;
}

static void *read_candidates(void *arg)
{
    struct actor *actor = arg;
    stay_auto_free unsigned char *data = stay_malloc(LARGEST);

    while (!atomic_load(actor->stop)) {
        struct backstay_error err = {.size = sizeof err};
        size_t got = 0;
        int rc = actor->dest->ops->get(actor->dest->self, "shared/x", 0, data, LARGEST, &got, &err);
        if (rc != 0)
            (void)snprintf(actor->problem, sizeof actor->problem, "get gives %d: %.200s", rc,
                           err.text);
        else if (got != candidate_len(data[0]) || memcmp(data, data + 1, got - 1) != 0)
            (void)snprintf(actor->problem, sizeof actor->problem, "half an object: %zu of mark %d",
                           got, data[0]);
        (void)atomic_fetch_add(actor->reads, 1);
    }
    return NULL;
}

static void start_actors(struct actor *actors, size_t n, const struct actor *like,
                         void *(*role)(void *))
{
    for (size_t i = 0; i < n; i++) {
        actors[i] = *like;
        actors[i].seed = i + 1;
        assert_int_equal(pthread_create(&actors[i].thread, NULL, role, &actors[i]), 0);
    }
}

static void join_actors(struct actor *actors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_join(actors[i].thread, NULL), 0);
}

static void expect_no_problem(const struct actor *actors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (actors[i].problem[0])
            fail_msg("%s", actors[i].problem);
}

static void a_reader_never_sees_half_an_object(void **state)
{
    atomic_bool stop = false;
    atomic_int reads = 0;
    struct actor like = {.dest = *state, .stop = &stop, .reads = &reads};
    struct actor writers[WRITERS];
    struct actor readers[READERS];

    suite_put(*state, "shared/x", "", 1); /* one zero byte: the candidate of mark 0 */
    start_actors(readers, READERS, &like, read_candidates);
    start_actors(writers, WRITERS, &like, write_candidates);
    join_actors(writers, WRITERS);
    atomic_store(&stop, true);
    join_actors(readers, READERS);
    expect_no_problem(writers, WRITERS);
    expect_no_problem(readers, READERS);
    assert_true(atomic_load(&reads) >= READERS);
}

/* ---------------------------------------------------------------- everybody in his own folder */

enum { NEIGHBOURS = 6, STEPS = 80, SLOTS = 8 };

static int slot_name(char out[static 32], const struct actor *actor, size_t slot)
{
    return snprintf(out, 32, "own/%u/%zu", (unsigned)actor->seed, slot);
}

static bool reads_as(struct actor *actor, const char *name, unsigned char mark)
{
    struct backstay_error err = {.size = sizeof err};
    char data[300];
    size_t got = 0;
    int rc = actor->dest->ops->get(actor->dest->self, name, 0, data, sizeof data, &got, &err);

    if (mark == 0)
        return rc == BACKSTAY_MISSING;
    return rc == 0 && got == mark && (unsigned char)data[0] == mark;
}

static int count_slots(void *ctx, const struct backstay_object *object)
{
    (void)object;
    ++*(int *)ctx;
    return 0;
}

static bool lists_as(struct actor *actor, const unsigned char *marks)
{
    struct backstay_error err = {.size = sizeof err};
    char prefix[32];
    int seen = 0;
    int expected = 0;

    (void)snprintf(prefix, sizeof prefix, "own/%u/", (unsigned)actor->seed);
    for (int i = 0; i < SLOTS; i++)
        expected += marks[i] != 0;
    return actor->dest->ops->list(actor->dest->self, prefix, count_slots, &seen, &err) == 0 &&
           seen == expected;
}

/* One random change. @return whether it came out as it should. */
static bool change_slot(struct actor *actor, unsigned char *mark, const char *name,
                        struct stay_random *random)
{
    const struct backstay_destination *ops = actor->dest->ops;
    struct backstay_error err = {.size = sizeof err};
    unsigned char fresh = (unsigned char)(1 + stay_random_below(random, 255));
    char data[256];
    int expected = 0;

    memset(data, fresh, fresh);
    switch (stay_random_below(random, 3)) {
    case 0:
        *mark = fresh;
        return ops->put(actor->dest->self, name, data, fresh, &err) == 0;
    case 1:
        expected = *mark ? BACKSTAY_EXISTS : 0;
        *mark = *mark ? *mark : fresh;
        return ops->put_if_absent(actor->dest->self, name, data, fresh, &err) == expected;
    default:
        expected = *mark ? 0 : BACKSTAY_MISSING;
        *mark = 0;
        return ops->remove(actor->dest->self, name, &err) == expected;
    }
}

static void *live_beside_others(void *arg)
{
    struct actor *actor = arg;
    struct stay_random random = {actor->seed};
    unsigned char marks[SLOTS] = {0}; /* what each object should be; 0: missing */
    char name[32];

    for (int step = 0; step < STEPS && actor->problem[0] == '\0'; step++) {
        size_t slot = stay_random_below(&random, SLOTS);
        (void)slot_name(name, actor, slot);
        if (!change_slot(actor, &marks[slot], name, &random) || !reads_as(actor, name, marks[slot]))
            (void)snprintf(actor->problem, sizeof actor->problem, "step %d on %s", step, name);
        if (step % 20 == 19 && !lists_as(actor, marks))
            (void)snprintf(actor->problem, sizeof actor->problem, "listing at step %d", step);
    }
    return NULL;
}

static void threads_in_their_own_folders_do_not_notice_each_other(void **state)
{
    struct actor like = {.dest = *state};
    struct actor actors[NEIGHBOURS];

    start_actors(actors, NEIGHBOURS, &like, live_beside_others);
    join_actors(actors, NEIGHBOURS);
    expect_no_problem(actors, NEIGHBOURS);
}

/* ---------------------------------------------------------------- listing while others change */

enum { LASTING = 50 };

struct count {
    int lasting[LASTING];
    int strange;
};

static int count_name(void *ctx, const struct backstay_object *object)
{
    struct count *count = ctx;
    const char *number = object->name + strlen("mixed/lasting-");

    if (stay_str_starts(object->name, "mixed/lasting-"))
        count->lasting[atoi(number) % LASTING]++;
    else if (!stay_str_starts(object->name, "mixed/passing-"))
        count->strange++;
    return 0;
}

static void *come_and_go(void *arg)
{
    struct actor *actor = arg;
    char name[48];

    for (int i = 0; !atomic_load(actor->stop); i++) {
        struct backstay_error err = {.size = sizeof err};
        (void)snprintf(name, sizeof name, "mixed/passing-%u-%d", (unsigned)actor->seed, i % 5);
        if (actor->dest->ops->put(actor->dest->self, name, "x", 1, &err) != 0 ||
            actor->dest->ops->remove(actor->dest->self, name, &err) != 0)
            (void)snprintf(actor->problem, sizeof actor->problem, "%.200s", err.text);
    }
    return NULL;
}

static void a_listing_has_what_lasts_exactly_once(void **state)
{
    struct suite_dest *dest = *state;
    atomic_bool stop = false;
    struct actor like = {.dest = dest, .stop = &stop};
    struct actor actors[2];
    struct count counts[20];
    int failures = 0;
    char name[48];

    for (int i = 0; i < LASTING; i++) {
        (void)snprintf(name, sizeof name, "mixed/lasting-%d", i);
        suite_put(dest, name, "x", 1);
    }
    memset(counts, 0, sizeof counts);
    start_actors(actors, 2, &like, come_and_go);
    for (size_t i = 0; i < STAY_COUNT(counts); i++) {
        struct backstay_error err = {.size = sizeof err};
        failures += dest->ops->list(dest->self, "mixed/", count_name, &counts[i], &err) != 0;
    }
    atomic_store(&stop, true);
    join_actors(actors, 2);
    expect_no_problem(actors, 2);
    assert_int_equal(failures, 0);
    for (size_t i = 0; i < STAY_COUNT(counts); i++) {
        assert_int_equal(counts[i].strange, 0);
        for (int j = 0; j < LASTING; j++)
            assert_int_equal(counts[i].lasting[j], 1);
    }
}

const struct CMUnitTest suite_thread_tests[] = {
    SUITE_TEST(of_64_that_put_what_is_absent_exactly_one_wins),
    SUITE_TEST(a_reader_never_sees_half_an_object),
    SUITE_TEST(threads_in_their_own_folders_do_not_notice_each_other),
    SUITE_TEST(a_listing_has_what_lasts_exactly_once),
};

const size_t suite_thread_count = STAY_COUNT(suite_thread_tests);
