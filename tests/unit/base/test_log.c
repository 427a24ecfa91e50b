/* tests/unit/base/test_log.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * log: levels, both formats, and that no secret ever gets out.
 */
#include "base/log.h"

#include "base/base.h"
#include "support/cmocka.h"

#include <pthread.h>
#include <string.h>

/* What was logged so far. */
static char *captured;
static size_t captured_len;
static FILE *capture;

static int start(void **state)
{
    (void)state;
    capture = open_memstream(&captured, &captured_len);
    return capture ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    stay_log_reset();
    (void)fclose(capture);
    free(captured);
    return 0;
}

static void text_names_the_level_where_it_matters(void **state)
{
    (void)state;
    stay_log_setup(capture, STAY_LOG_TEXT, STAY_LOG_DEBUG);
    stay_log(STAY_LOG_ERROR, "no %s", "disk");
    stay_log(STAY_LOG_WARN, "small");
    stay_log(STAY_LOG_NOTE, "done");
    stay_log(STAY_LOG_INFO, "looking");
    stay_log(STAY_LOG_DEBUG, "x = 1");
    assert_string_equal(captured,
                        "backstay: error: no disk\nbackstay: warning: small\ndone\nlooking\n"
                        "backstay: debug: x = 1\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    stay_log_setup(capture, STAY_LOG_TEXT, STAY_LOG_WARN);
    assert_true(stay_log_enabled(STAY_LOG_WARN));
    assert_false(stay_log_enabled(STAY_LOG_NOTE));
    stay_log(STAY_LOG_NOTE, "hidden");
    stay_log(STAY_LOG_WARN, "shown");
    assert_string_equal(captured, "backstay: warning: shown\n");
}

static void json_is_one_object_per_line(void **state)
{
    (void)state;
    stay_log_setup(capture, STAY_LOG_JSON, STAY_LOG_NOTE);
    stay_log(STAY_LOG_WARN, "a \"quoted\"\nline \xff");
    assert_memory_equal(captured, "{\"time\":\"20", 11);
    const char *level = strstr(captured, "\",\"level\"");
    assert_non_null(level);
    assert_string_equal(
        level, "\",\"level\":\"warning\",\"message\":\"a \\\"quoted\\\"\\nline \\udcff\"}\n");
}

static void a_secret_is_never_printed(void **state)
{
    (void)state;
    stay_log_setup(capture, STAY_LOG_TEXT, STAY_LOG_NOTE);
    stay_log_hide("hunter2!");
    stay_log(STAY_LOG_NOTE, "connect postgres://shop:hunter2!@db/shop, again hunter2!hunter2!");
    stay_log_setup(capture, STAY_LOG_JSON, STAY_LOG_NOTE);
    stay_log(STAY_LOG_NOTE, "%s", "hunter2!");
    assert_null(strstr(captured, "hunter"));
    assert_non_null(strstr(captured, "connect postgres://shop:***@db/shop, again ******\n"));
    assert_non_null(strstr(captured, "\"message\":\"***\"}"));
}

static void a_secret_that_begins_another_leaves_nothing_of_it(void **state)
{
    char text[] = "password1, password, password123, pass";

    (void)state;
    stay_log_hide("password");
    stay_log_hide("password123");
    stay_log_hide("password1");
    stay_log_redact(text);
    assert_string_equal(text, "***, ***, ***, pass");
}

static void a_secret_too_short_to_be_one_is_left_alone(void **state)
{
    char text[] = "abc abcd";

    (void)state;
    stay_log_hide("abc");
    stay_log_hide("");
    stay_log_redact(text);
    assert_string_equal(text, "abc abcd");
    stay_log_hide("abcd");
    stay_log_redact(text);
    assert_string_equal(text, "abc ***");
}

static void resetting_forgets_secrets_and_settings(void **state)
{
    char text[] = "hunter2!";

    (void)state;
    stay_log_setup(capture, STAY_LOG_JSON, STAY_LOG_DEBUG);
    stay_log_hide(text);
    stay_log_reset();
    stay_log_redact(text);
    assert_string_equal(text, "hunter2!");
    assert_true(stay_log_enabled(STAY_LOG_NOTE));
    assert_false(stay_log_enabled(STAY_LOG_INFO));
}

static void before(void *ctx)
{
    (void)fputs(ctx, capture);
}

static void after(void *ctx)
{
    (void)fprintf(capture, "/%s", (const char *)ctx);
}

static void something_can_step_aside_around_each_message(void **state)
{
    char mark[] = "p";

    (void)state;
    stay_log_setup(capture, STAY_LOG_TEXT, STAY_LOG_NOTE);
    stay_log_around(before, after, mark);
    stay_log(STAY_LOG_NOTE, "message\n");
    stay_log(STAY_LOG_INFO, "hidden");
    stay_log_around(NULL, NULL, NULL);
    (void)fflush(capture);
    assert_string_equal(captured, "pmessage\n\n/p");
}

enum { THREADS = 8, MESSAGES = 200 };

static void *chatter(void *arg)
{
    char redacted[] = "a topsecret";

    for (int i = 0; i < MESSAGES; i++) {
        stay_log(STAY_LOG_NOTE, "%s %04d topsecret", (const char *)arg, i);
        stay_log_redact(redacted);
    }
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    pthread_t threads[THREADS];
    char name[] = "thread";
    size_t lines = 0;

    (void)state;
    stay_log_setup(capture, STAY_LOG_TEXT, STAY_LOG_NOTE);
    stay_log_hide("topsecret");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, name), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (const char *line = captured; *line; line = strchr(line, '\n') + 1) {
        assert_memory_equal(line, "thread ", 7);
        assert_memory_equal(line + 11, " ***\n", 5);
        lines++;
    }
    assert_int_equal(lines, THREADS * MESSAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_names_the_level_where_it_matters, start, stop),
        cmocka_unit_test_setup_teardown(what_is_below_the_level_is_not_written, start, stop),
        cmocka_unit_test_setup_teardown(json_is_one_object_per_line, start, stop),
        cmocka_unit_test_setup_teardown(a_secret_is_never_printed, start, stop),
        cmocka_unit_test_setup_teardown(a_secret_that_begins_another_leaves_nothing_of_it, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_secret_too_short_to_be_one_is_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(resetting_forgets_secrets_and_settings, start, stop),
        cmocka_unit_test_setup_teardown(something_can_step_aside_around_each_message, start, stop),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_their_lines, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
