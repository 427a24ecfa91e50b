/* tests/unit/plugin/test_source.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * source: errors carry name and origin; functions that a plugin lacks are said to be lacking.
 */
#include "plugin/source.h"

#include "plugin/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static int answer;
static int closed;

static int answer_with_text(struct backstay_error *err)
{
    err->kind = BACKSTAY_ERR_IO;
    (void)snprintf(err->text, sizeof err->text, "read /srv: no such folder");
    return answer;
}

static int fake_open(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    (void)host;
    *self = &answer;
    return answer_with_text(err);
}

static void fake_close(void *self)
{
    assert_ptr_equal(self, &answer);
    closed++;
}

static int fake_backup(void *self, struct backstay_sink *sink, struct backstay_error *err)
{
    (void)self;
    (void)sink;
    return answer_with_text(err);
}

static const struct backstay_source ops = {
    .size = sizeof ops, .open = fake_open, .close = fake_close, .backup = fake_backup};

static struct stay_host *make_host(void)
{
    const struct backstay_plugin plugin = {
        .size = sizeof plugin, .kind = BACKSTAY_SOURCE, .name = "fake"};
    const struct stay_host_env env = {.name = "media"};
    struct stay_host *host = NULL;

    assert_int_equal(stay_host_new(&host, &plugin, NULL, 0, &env, NULL), 0);
    return host;
}

static void an_error_names_the_source(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "fake", &ops, &answer);
    struct backstay_sink sink = {.size = sizeof sink};
    struct stay_err err = {0};

    (void)state;
    answer = -1;
    assert_int_equal(stay_source_backup(source, &sink, &err), -1);
    assert_string_equal(err.text, "source media: read /srv: no such folder");
    assert_int_equal(err.kind, STAY_ERR_IO);
    assert_int_equal(err.origin, STAY_ORIGIN_SOURCE);
}

static void an_answer_outside_of_the_contract_is_an_error(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "fake", &ops, &answer);
    struct backstay_sink sink = {.size = sizeof sink};
    struct stay_err err = {0};

    (void)state;
    answer = 3;
    assert_int_equal(stay_source_backup(source, &sink, &err), -1);
    assert_string_equal(err.text,
                        "source media: the plugin answered backup with 3, which means nothing");
}

static void a_missing_function_is_said_to_be_missing(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "fake", &ops, &answer);
    const struct backstay_target target = {.size = sizeof target};
    struct backstay_feed feed = {.size = sizeof feed};
    struct backstay_report report = {.size = sizeof report};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_source_restore(source, &target, &feed, &err), -1);
    assert_string_equal(err.text, "source media: its plugin fake cannot restore");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_int_equal(stay_source_check(source, &report, &err), -1);
    assert_string_equal(err.text, "source media: its plugin fake cannot check itself");
}

static void an_opened_source_is_closed_once(void **state)
{
    struct stay_source *source = NULL;

    (void)state;
    answer = 0;
    closed = 0;
    assert_int_equal(stay_source_open(&source, make_host(), "fake", &ops, NULL), 0);
    assert_string_equal(stay_source_name(source), "media");
    assert_string_equal(stay_source_type(source), "fake");
    stay_source_free(source);
    assert_int_equal(closed, 1);
}

static void a_source_that_did_not_open_is_not_closed(void **state)
{
    struct stay_source *source = NULL;
    struct stay_err err = {0};

    (void)state;
    answer = -1;
    closed = 0;
    assert_int_equal(stay_source_open(&source, make_host(), "fake", &ops, &err), -1);
    assert_string_equal(err.text, "source media: read /srv: no such folder");
    assert_null(source);
    assert_int_equal(closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_names_the_source),
        cmocka_unit_test(an_answer_outside_of_the_contract_is_an_error),
        cmocka_unit_test(a_missing_function_is_said_to_be_missing),
        cmocka_unit_test(an_opened_source_is_closed_once),
        cmocka_unit_test(a_source_that_did_not_open_is_not_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
