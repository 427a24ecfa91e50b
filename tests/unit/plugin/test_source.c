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
#include <string.h>

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

/* ---- what databases offer */

static int fake_probe(void *self, const struct backstay_target *target,
                      struct backstay_report *report, struct backstay_error *err)
{
    (void)self;
    (void)target;
    (void)report;
    return answer_with_text(err);
}

static int fake_covers(void *self, const struct backstay_target *target, const char *fact)
{
    (void)self;
    (void)target;
    return fact[0] == 'a' ? 5 : 0;
}

static const char *made_location;
static char removed[128];

static int fake_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err)
{
    (void)self;
    memset(out->hint, 'h', sizeof out->hint);
    (void)snprintf(out->location, sizeof out->location, "%s", made_location);
    (void)snprintf(out->marker, sizeof out->marker, "mark");
    return answer_with_text(err);
}

static int fake_scratch_remove(void *self, const struct backstay_scratch *scratch,
                               struct backstay_error *err)
{
    (void)self;
    (void)snprintf(removed, sizeof removed, "%s", scratch->marker);
    return answer_with_text(err);
}

static const struct backstay_option table_row = {.size = sizeof table_row, .name = "table"};
static const struct backstay_option *const restore_rows[] = {&table_row};

static const struct backstay_source database_ops = {.size = sizeof database_ops,
                                                    .probe = fake_probe,
                                                    .scratch_create = fake_scratch_create,
                                                    .scratch_remove = fake_scratch_remove,
                                                    .restore_options = restore_rows,
                                                    .n_restore_options = 1,
                                                    .covers = fake_covers};

static void only_declared_restore_options_are_let_through(void **state)
{
    stay_auto(stay_source_free) struct stay_source *database =
        stay_source_wrap("db", "fake", &database_ops, &answer);
    stay_auto(stay_source_free) struct stay_source *folder =
        stay_source_wrap("media", "plain", &ops, &answer);
    const struct backstay_pair pairs[] = {{"table", "a"}, {"table", "b"}, {"jobs", "2"}};
    struct backstay_target target = {.size = sizeof target, .options = pairs, .n_options = 2};
    struct stay_err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(stay_source_check_target(database, &target, &err), 0);
    target.n_options = 3;
    assert_int_equal(stay_source_check_target(database, &target, &err), -1);
    assert_string_equal(err.text,
                        "source db: its plugin fake does not know the restore option \"jobs\"");
    assert_int_equal(err.kind, STAY_ERR_USAGE);
    assert_int_equal(stay_source_check_target(folder, &target, &err), -1);
    assert_string_equal(
        err.text, "source media: its plugin plain does not know the restore option \"table\"");
    target.n_options = 0;
    assert_int_equal(stay_source_check_target(folder, &target, &err), 0);
    assert_ptr_equal(stay_source_restore_options(&database_ops, &n)[0], &table_row);
    assert_int_equal(n, 1);
    assert_null(stay_source_restore_options(&ops, &n));
    assert_int_equal(n, 0);
}

static void a_plugin_from_before_offers_nothing_new(void **state)
{
    struct backstay_source old_ops = database_ops;
    stay_auto(stay_source_free) struct stay_source *old =
        stay_source_wrap("db", "fake", &old_ops, &answer);
    stay_auto(stay_source_free) struct stay_source *new =
        stay_source_wrap("db", "fake", &database_ops, &answer);
    size_t n;

    (void)state;
    old_ops.size = offsetof(struct backstay_source, restore_options);
    assert_false(stay_source_compares(old));
    assert_null(stay_source_restore_options(&old_ops, &n));
    assert_int_equal(n, 0);
    assert_true(stay_source_compares(new));
    assert_true(stay_source_covers(new, NULL, "any"));
    assert_false(stay_source_covers(new, NULL, "other"));
}

static void what_a_source_does_not_offer_is_said(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("media", "fake", &ops, &answer);
    struct backstay_scratch scratch = {.size = sizeof scratch};
    struct backstay_report report = {.size = sizeof report};
    struct stay_err err = {0};

    (void)state;
    assert_false(stay_source_compares(source));
    assert_int_equal(stay_source_probe(source, NULL, &report, &err), -1);
    assert_string_equal(err.text, "source media: its plugin fake cannot report facts");
    assert_int_equal(stay_source_scratch_create(source, &scratch, &err), -1);
    assert_string_equal(err.text, "source media: its plugin fake cannot make a scratch place: name "
                                  "a place of your own (./scratch is the folder of that name)");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_int_equal(stay_source_scratch_remove(source, "mark", &err), -1);
    assert_string_equal(err.text,
                        "source media: its plugin fake cannot remove a scratch place: it makes "
                        "none");
}

static void a_scratch_place_has_a_location_and_a_marker(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("db", "fake", &database_ops, &answer);
    struct backstay_scratch scratch = {.size = sizeof scratch};
    struct stay_err err = {0};

    (void)state;
    answer = 0;
    made_location = "/tmp/x";
    assert_int_equal(stay_source_scratch_create(source, &scratch, &err), 0);
    assert_int_equal(strlen(scratch.hint), sizeof scratch.hint - 1);
    made_location = "";
    assert_int_equal(stay_source_scratch_create(source, &scratch, &err), -1);
    assert_string_equal(err.text,
                        "source db: the plugin made a scratch place without saying where, "
                        "or without a marker");
}

static void a_scratch_place_is_removed_by_its_marker(void **state)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("db", "fake", &database_ops, &answer);
    char long_marker[200];
    struct stay_err err = {0};

    (void)state;
    answer = 0;
    assert_int_equal(stay_source_scratch_remove(source, "mark-7", &err), 0);
    assert_string_equal(removed, "mark-7");
    answer = -1;
    assert_int_equal(stay_source_scratch_remove(source, "mark-8", &err), -1);
    assert_string_equal(err.text, "source db: read /srv: no such folder");
    memset(long_marker, 'm', sizeof long_marker - 1);
    long_marker[sizeof long_marker - 1] = '\0';
    assert_int_equal(stay_source_scratch_remove(source, long_marker, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_USAGE);
    assert_string_equal(removed, "mark-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_names_the_source),
        cmocka_unit_test(an_answer_outside_of_the_contract_is_an_error),
        cmocka_unit_test(a_missing_function_is_said_to_be_missing),
        cmocka_unit_test(an_opened_source_is_closed_once),
        cmocka_unit_test(a_source_that_did_not_open_is_not_closed),
        cmocka_unit_test(only_declared_restore_options_are_let_through),
        cmocka_unit_test(a_plugin_from_before_offers_nothing_new),
        cmocka_unit_test(what_a_source_does_not_offer_is_said),
        cmocka_unit_test(a_scratch_place_has_a_location_and_a_marker),
        cmocka_unit_test(a_scratch_place_is_removed_by_its_marker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
