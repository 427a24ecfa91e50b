/* tests/unit/cli/test_meter.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * meter: the line, and that it steps aside for messages.
 */
#include "cli/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static void assert_line(const struct stay_progress *progress, double rate, size_t columns,
                        const char *expected)
{
    stay_auto_buf struct stay_buf line = {0};

    stay_meter_line(&line, progress, rate, columns);
    assert_string_equal(line.data, expected);
}

static void the_line_says_what_is_known(void **state)
{
    struct stay_progress progress = {.phase = NULL};

    (void)state;
    assert_line(&progress, 0, 80, "starting  0 B");
    progress.phase = "reading";
    progress.entries_done = 12;
    progress.bytes_done = 3 << 20;
    assert_line(&progress, 0, 80, "reading  12 entries  3.0 MiB");
    progress.entries_total = 40;
    progress.bytes_total = 12 << 20;
    assert_line(&progress, 0, 80, "reading  12/40 entries  3.0 MiB/12.0 MiB  25%");
    assert_line(&progress, 1 << 20, 80,
                "reading  12/40 entries  3.0 MiB/12.0 MiB  25%  1.0 MiB/s  ETA 9.0 s");
}

static void totals_that_were_guessed_too_low_are_left_out(void **state)
{
    struct stay_progress progress = {.phase = "reading",
                                     .entries_done = 9,
                                     .entries_total = 5,
                                     .bytes_done = 2048,
                                     .bytes_total = 1024};

    (void)state;
    assert_line(&progress, 1024, 80, "reading  9 entries  2.0 KiB  1.0 KiB/s");
}

static void a_finished_count_has_no_estimate(void **state)
{
    struct stay_progress progress = {.phase = "storing", .bytes_done = 10, .bytes_total = 10};

    (void)state;
    assert_line(&progress, 5, 80, "storing  10 B/10 B  100%  5 B/s");
}

static void an_estimate_beyond_a_hundred_days_is_left_out(void **state)
{
    struct stay_progress progress = {.phase = "x", .bytes_total = UINT64_C(1) << 50};

    (void)state;
    assert_line(&progress, 2, 80, "x  0 B/1.0 PiB  0%  2 B/s");
}

static void the_line_is_cut_to_the_terminal(void **state)
{
    struct stay_progress progress = {.phase = "reading", .entries_done = 12};

    (void)state;
    assert_line(&progress, 0, 10, "reading  1");
}

struct page {
    char *text;
    size_t len;
    FILE *to;
};

/* Runs a meter for a moment, with one message in the middle. */
static char *draw(bool terminal, bool quiet)
{
    struct stay_progress progress = {.phase = "reading", .entries_done = 3};
    struct stay_meter_options options = {.terminal = terminal,
                                         .quiet = quiet,
                                         .redraw_ns = 5 * STAY_NS_PER_MS,
                                         .remind_ns = 5 * STAY_NS_PER_MS};
    struct stay_meter *meter = NULL;
    struct page page = {0};

    page.to = open_memstream(&page.text, &page.len);
    assert_non_null(page.to);
    options.to = page.to;
    stay_log_setup(page.to, STAY_LOG_TEXT, STAY_LOG_NOTE);
    assert_int_equal(stay_meter_start(&meter, &progress, &options, NULL), 0);
    (void)usleep(60000);
    stay_log(STAY_LOG_WARN, "disk on fire");
    (void)usleep(60000);
    stay_meter_free(meter);
    stay_log_reset();
    (void)fclose(page.to);
    return page.text;
}

static void a_message_gets_a_line_of_its_own_on_a_terminal(void **state)
{
    stay_auto_str char *text = draw(true, false);

    (void)state;
    assert_non_null(strstr(text, "\r\033[Kreading  3 entries  0 B\r\033[Kbackstay: warning: disk "
                                 "on fire\n\r\033[Kreading  3 entries  0 B"));
    assert_true(stay_str_ends(text, "\r\033[K"));
}

static void elsewhere_it_says_how_far_it_is_now_and_then(void **state)
{
    stay_auto_str char *text = draw(false, false);

    (void)state;
    assert_non_null(strstr(text, "reading  3 entries  0 B\n"));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, "backstay: warning: disk on fire\n"));
}

static void a_quiet_meter_shows_nothing(void **state)
{
    stay_auto_str char *text = draw(true, true);

    (void)state;
    assert_string_equal(text, "backstay: warning: disk on fire\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_says_what_is_known),
        cmocka_unit_test(totals_that_were_guessed_too_low_are_left_out),
        cmocka_unit_test(a_finished_count_has_no_estimate),
        cmocka_unit_test(an_estimate_beyond_a_hundred_days_is_left_out),
        cmocka_unit_test(the_line_is_cut_to_the_terminal),
        cmocka_unit_test(a_message_gets_a_line_of_its_own_on_a_terminal),
        cmocka_unit_test(elsewhere_it_says_how_far_it_is_now_and_then),
        cmocka_unit_test(a_quiet_meter_shows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
