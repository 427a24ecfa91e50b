/* tests/conformance/destination/suite_list.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Listings, against a filter over the names that were put.
 */
#include "suite.h"

#include "support/cmocka.h"

#include <pthread.h>
#include <string.h>

/* What a listing gave. */
struct names {
    STAY_VEC(char *) all;
    size_t stop_after; /* 0: never */
    int stop_with;
    bool is_sound;
};

static int take(void *ctx, const struct backstay_object *object)
{
    struct names *names = ctx;

    names->is_sound = names->is_sound && object->size >= sizeof *object;
    *stay_vec_push(&names->all) = stay_strdup(object->name);
    return names->all.n == names->stop_after ? names->stop_with : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->all.n; i++)
        free(names->all.items[i]);
    stay_vec_free(&names->all);
}

/* The caller frees the names. */
static struct names list(struct suite_dest *dest, const char *prefix)
{
    struct backstay_error err = {.size = sizeof err};
    struct names names = {.is_sound = true};

    if (dest->ops->list(dest->self, prefix, take, &names, &err) != 0)
        fail_msg("list \"%s\": %s", prefix, err.text);
    assert_true(names.is_sound);
    if (names.all.n)
        qsort(names.all.items, names.all.n, sizeof *names.all.items, compare);
    return names;
}

void suite_expect_list(struct suite_dest *dest, const char *prefix, const char *const *expected,
                       size_t n)
{
    struct names names = list(dest, prefix);

    for (size_t i = 0; i < n || i < names.all.n; i++) {
        const char *there = i < names.all.n ? names.all.items[i] : "(no more)";
        const char *wanted = i < n ? expected[i] : "(no more)";
        if (strcmp(there, wanted) != 0)
            fail_msg("list \"%s\" gives %s where %s is expected", prefix, there, wanted);
    }
    names_free(&names);
}

static void an_empty_destination_lists_nothing(void **state)
{
    suite_expect_list(*state, "", NULL, 0);
    suite_expect_list(*state, "packs/", NULL, 0);
}

/* Sorted; chosen so that one is the beginning of another in every way. */
static const char *const tree[] = {
    "a",
    "a-b",
    "a.b/c",
    "ab-/x",
    "ab/c",
    "ab/cd",
    "ab/cd-e",
    "abc/d/e/f",
    "abc/d/e/g",
    "backstay.json",
    "locks/job",
    "packs/00/aa.tar",
    "packs/00/ab.tar",
    "packs/01/aa.tar",
    "packs/0a/aa.tar",
    "packs2/x",
    "tmp.x",
    "tmpx/y",
    "z",
};

static void expect_as_filtered(struct suite_dest *dest, const char *prefix)
{
    const char *expected[STAY_COUNT(tree)];
    size_t n = 0;

    for (size_t i = 0; i < STAY_COUNT(tree); i++)
        if (stay_str_starts(tree[i], prefix))
            expected[n++] = tree[i];
    suite_expect_list(dest, prefix, expected, n);
}

static void a_prefix_is_the_beginning_of_a_name_whatever_it_is(void **state)
{
    static const char *const others[] = {"b",  "packs/1",       "packs/00/aa.tar/", "a/",
                                         "zz", "abc/x",         "ab/cd/",           "packs/00/zz",
                                         "A",  "nothing/at/all"};
    struct suite_dest *dest = *state;
    char prefix[64];

    for (size_t i = 0; i < STAY_COUNT(tree); i++)
        suite_put(dest, tree[i], tree[i], strlen(tree[i]));
    for (size_t i = 0; i < STAY_COUNT(tree); i++) {
        for (size_t len = 0; len <= strlen(tree[i]); len++) {
            memcpy(prefix, tree[i], len);
            prefix[len] = '\0';
            expect_as_filtered(dest, prefix);
        }
    }
    for (size_t i = 0; i < STAY_COUNT(others); i++)
        expect_as_filtered(dest, others[i]);
}

static void a_prefix_that_no_name_can_have_finds_nothing_or_is_refused(void **state)
{
    static const char *const prefixes[] = {"/",         "../", "..", "./",   "a//",
                                           "packs/../", "a b", "*",  "/etc/"};
    struct suite_dest *dest = *state;

    suite_put(dest, "a", "x", 1);
    suite_put(dest, "packs/00/x", "x", 1);
    for (size_t i = 0; i < STAY_COUNT(prefixes); i++) {
        struct backstay_error err = {.size = sizeof err};
        struct names names = {.is_sound = true};
        int rc = dest->ops->list(dest->self, prefixes[i], take, &names, &err);
        assert_int_equal(names.all.n, 0);
        assert_true(rc == 0 || (rc == -1 && err.kind != BACKSTAY_ERR_NONE && err.text[0]));
        names_free(&names);
    }
}

static int take_size(void *ctx, const struct backstay_object *object)
{
    uint64_t *bytes = ctx;

    *bytes += object->bytes;
    bytes[1] = (uint64_t)object->modified_ns;
    return 0;
}

static void sizes_and_times_are_listed(void **state)
{
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    uint64_t found[2] = {0};
    int64_t now = stay_clock_now(stay_clock_system());

    suite_put(dest, "x/seven", "1234567", 7);
    assert_int_equal(dest->ops->list(dest->self, "x/", take_size, found, &err), 0);
    assert_int_equal(found[0], 7);
    if (found[1]) /* else the destination does not say */
        assert_true(llabs((int64_t)found[1] - now) < 60 * STAY_NS_PER_S);
}

static void a_listing_stops_when_it_is_told_to(void **state)
{
    struct suite_dest *dest = *state;
    struct backstay_error err = {.size = sizeof err};
    struct names names = {.stop_after = 2, .stop_with = 7};

    for (size_t i = 13; i < STAY_COUNT(tree); i++)
        suite_put(dest, tree[i], "x", 1);
    assert_int_equal(dest->ops->list(dest->self, "", take, &names, &err), 7);
    assert_int_equal(names.all.n, 2);
    names_free(&names);
}

/* Stores every eighth of the 3,000 objects. */
enum { MANY = 3000, PUTTERS = 8 };

struct putter {
    struct suite_dest *dest;
    int from;
    int failures;
    char first_error[256];
};

static void name_of(char out[static 32], int number)
{
    (void)snprintf(out, 32, "many/%02x/%04d", (unsigned)(number * 7 % 16), number);
}

static void *put_share(void *arg)
{
    struct putter *putter = arg;
    char name[32];

    for (int i = putter->from; i < MANY; i += PUTTERS) {
        struct backstay_error err = {.size = sizeof err};
        name_of(name, i);
        if (putter->dest->ops->put(putter->dest->self, name, &i, sizeof i, &err) != 0 &&
            putter->failures++ == 0)
            (void)snprintf(putter->first_error, sizeof putter->first_error, "%.255s", err.text);
    }
    return NULL;
}

static void three_thousand_objects_are_all_listed(void **state)
{
    struct putter putters[PUTTERS];
    pthread_t threads[PUTTERS];
    stay_auto_free char **expected = stay_calloc(MANY, sizeof *expected);

    for (int i = 0; i < PUTTERS; i++) {
        putters[i] = (struct putter){.dest = *state, .from = i};
        assert_int_equal(pthread_create(&threads[i], NULL, put_share, &putters[i]), 0);
    }
    for (int i = 0; i < PUTTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (putters[i].failures)
            fail_msg("%d puts failed: %s", putters[i].failures, putters[i].first_error);
    }
    for (int i = 0; i < MANY; i++) {
        expected[i] = stay_malloc(32);
        name_of(expected[i], i);
    }
    qsort(expected, MANY, sizeof *expected, compare);
    suite_expect_list(*state, "many/", (const char *const *)expected, MANY);
    for (int i = 0; i < MANY; i++)
        free(expected[i]);
}

const struct CMUnitTest suite_list_tests[] = {
    SUITE_TEST(an_empty_destination_lists_nothing),
    SUITE_TEST(a_prefix_is_the_beginning_of_a_name_whatever_it_is),
    SUITE_TEST(a_prefix_that_no_name_can_have_finds_nothing_or_is_refused),
    SUITE_TEST(sizes_and_times_are_listed),
    SUITE_TEST(a_listing_stops_when_it_is_told_to),
    SUITE_TEST(three_thousand_objects_are_all_listed),
};

const size_t suite_list_count = STAY_COUNT(suite_list_tests);
