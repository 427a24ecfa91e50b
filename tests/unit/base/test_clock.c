/* tests/unit/base/test_clock.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * clock: both textual forms there and back, and the texts that are none.
 */
#include "base/clock.h"

#include "base/alloc.h"
#include "support/cmocka.h"
#include "support/random.h"

#include <string.h>
#include <time.h>

#define S(seconds) ((seconds)*STAY_NS_PER_S)

static void known_instants_have_known_texts(void **state)
{
    static const struct {
        int64_t ns;
        const char *iso;
        const char *compact;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z", "19700101T000000Z"},
        {1, "1970-01-01T00:00:00.000000001Z", "19700101T000000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z", "19691231T235959Z"},
        {S(1795314600) + 123456789, "2026-11-22T02:30:00.123456789Z", "20261122T023000Z"},
        {S(951782400), "2000-02-29T00:00:00Z", "20000229T000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z", "22620411T234716Z"},
    };
    char iso[40];
    char compact[24];

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        assert_string_equal(stay_time_iso(iso, rows[i].ns), rows[i].iso);
        assert_string_equal(stay_time_compact(compact, rows[i].ns), rows[i].compact);
    }
}

static void all_forms_are_read_as_utc(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"2026-11-22", S(1795305600)},
        {"2026-11-22T02:30", S(1795314600)},
        {"2026-11-22 02:30", S(1795314600)},
        {"2026-11-22T02:30Z", S(1795314600)},
        {"2026-11-22T02:30:05", S(1795314605)},
        {"2026-11-22 02:30:05", S(1795314605)},
        {"2026-11-22T02:30:05Z", S(1795314605)},
        {"2026-11-22T02:30:05.5Z", S(1795314605) + 500000000},
        {"2026-11-22T02:30:05.123456789999", S(1795314605) + 123456789},
        {"20261122T023005Z", S(1795314605)},
        {"20261122T023005", S(1795314605)},
        {"1969-12-31T23:59:59.5Z", -500000000},
        {"2024-02-29", S(1709164800)},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        int64_t ns = 42;
        if (stay_time_parse(rows[i].text, &ns) != 0 || ns != rows[i].ns)
            fail_msg("%s gives %lld", rows[i].text, (long long)ns);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "latest",
        "2026",
        "2026-11",
        "2026-1-22",
        "2026-11-22T",
        "2026-11-22T2:30",
        "2026-11-22T02",
        "2026-11-2202:30",
        "2026-11-22  02:30",
        " 2026-11-22",
        "2026-11-22 ",
        "2026-11-22T02:30:05.",
        "2026-11-22T02:30:05.Z",
        "2026-11-22T02:30.5",
        "2026-11-22T02:30:05+01:00",
        "2026-11-22T02:30:05ZZ",
        "2026-11-22T24:00",
        "2026-11-22T02:60",
        "2026-11-22T02:30:60",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "2026-04-00",
        "+026-11-22",
        "-026-11-22",
        "9999-01-01",
        "0000-01-01",
        "20261122",
        "20261122T0230",
        "20261122 023005",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(texts); i++) {
        int64_t ns = 42;
        if (stay_time_parse(texts[i], &ns) != -1 || ns != 42)
            fail_msg("\"%s\" was accepted", texts[i]);
    }
}

static void every_instant_comes_back(void **state)
{
    struct stay_random random = {5};
    char text[40];
    char compact[24];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t ns = (int64_t)(stay_random_next(&random) >> 1);
        int64_t back = 0;
        if (i % 3 == 0)
            ns -= ns % STAY_NS_PER_S;
        if (i % 5 == 0)
            ns = -(ns % S(8000000000));
        if (ns >= S(9214646400)) /* from 2262 on nothing is read */
            ns -= S(400000000);
        assert_int_equal(stay_time_parse(stay_time_iso(text, ns), &back), 0);
        assert_true(back == ns);
        assert_int_equal(stay_time_parse(stay_time_compact(compact, ns), &back), 0);
        assert_true(back <= ns && ns - back < STAY_NS_PER_S);
    }
}

static void texts_sort_as_the_instants_do(void **state)
{
    struct stay_random random = {6};
    char earlier[24];
    char later[24];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t ns = (int64_t)(stay_random_next(&random) >> 2);
        (void)stay_time_compact(earlier, ns);
        (void)stay_time_compact(later, ns + S(1 + (int64_t)stay_random_below(&random, 100000)));
        assert_true(strcmp(earlier, later) < 0);
    }
}

static void the_system_clock_runs(void **state)
{
    const struct stay_clock *clock = stay_clock_system();
    int64_t wall = stay_clock_now(clock);
    int64_t mono = stay_clock_mono(clock);
    struct timespec pause = {.tv_nsec = 2000000};

    (void)state;
    (void)nanosleep(&pause, NULL);
    assert_true(stay_clock_mono(clock) - mono >= 2000000);
    assert_true(wall > S(1700000000));
    assert_true(wall / STAY_NS_PER_S - time(NULL) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_instants_have_known_texts),
        cmocka_unit_test(all_forms_are_read_as_utc),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_instant_comes_back),
        cmocka_unit_test(texts_sort_as_the_instants_do),
        cmocka_unit_test(the_system_clock_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
