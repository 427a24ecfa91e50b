/* tests/unit/cli/test_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * place: where a restore goes, and no password of it is shown.
 */
#include "cli/place.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *get(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "URL") == 0 ? "postgres://me:hunter22@host/db" : NULL;
}

static const struct stay_resolver resolver = {.get = get, .base_folder = "/nowhere"};

static void passwords_are_masked(void **state)
{
    static const char *const pairs[][2] = {
        {"/srv/restored", "/srv/restored"},
        {"postgres://host/db", "postgres://host/db"},
        {"postgres://me@host:5432/db", "postgres://me@host:5432/db"},
        {"postgres://me:hunter22@host/db", "postgres://me:***@host/db"},
        {"postgres://me:@host/db", "postgres://me:***@host/db"},
        {"postgresql://me:a/b?c@host/db", "postgresql://me:***@host/db"},
        {"postgresql://me:a/b@c@host/db", "postgresql://me:***@host/db"},
        {"postgres://me@host/db?password=hunter22&sslmode=require",
         "postgres://me@host/db?password=***&sslmode=require"},
        {"postgres://me:one@host/db?sslpassword=two", "postgres://me:***@host/db?sslpassword=***"},
        {"host=x password=hunter22 dbname=y", "host=x password=*** dbname=y"},
        {"host=x password = 'a \\'b c' dbname=y", "host=x password = *** dbname=y"},
        {"password='open", "password=***"},
        {"password=", "password=***"},
        {"passwords are here", "passwords are here"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(pairs); i++) {
        stay_auto_str char *masked = stay_place_mask(pairs[i][0], NULL);
        assert_string_equal(masked, pairs[i][1]);
    }
}

static void a_reference_leads_to_the_place_and_its_password_is_hidden(void **state)
{
    stay_auto_place struct stay_place place = {0};
    char said[] = "cannot connect with hunter22";
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_place_resolve(&place, "env:URL", &resolver, &err), 0);
    assert_string_equal(place.location, "postgres://me:hunter22@host/db");
    assert_string_equal(place.shown, "postgres://me:***@host/db");
    stay_log_redact(said);
    assert_string_equal(said, "cannot connect with ***");
    stay_log_reset();
}

static void a_password_is_hidden_as_programs_may_say_it(void **state)
{
    stay_auto_place struct stay_place place = {0};
    char decoded[] = "no: p@ss w\xc3\xb6rd";
    char written[] = "no: p%40ss%20w%c3%b6rd";
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(
        stay_place_resolve(&place, "postgres://me:p%40ss%20w%c3%b6rd@host/db", &resolver, &err), 0);
    stay_log_redact(decoded);
    stay_log_redact(written);
    assert_string_equal(decoded, "no: ***");
    assert_string_equal(written, "no: ***");
    stay_log_reset();
}

static void the_word_scratch_is_a_scratch_place_and_a_path_is_not(void **state)
{
    stay_auto_place struct stay_place scratch = {0};
    stay_auto_place struct stay_place folder = {0};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_place_resolve(&scratch, "scratch", &resolver, &err), 0);
    assert_null(scratch.location);
    assert_string_equal(scratch.shown, "a scratch place");
    assert_int_equal(stay_place_resolve(&folder, "./scratch", &resolver, &err), 0);
    assert_string_equal(folder.location, "./scratch");
}

static void a_reference_to_nothing_is_an_error(void **state)
{
    stay_auto_place struct stay_place place = {0};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_place_resolve(&place, "env:NONE", &resolver, &err), -1);
    assert_string_equal(err.text, "--to: resolve `env:NONE`: it is not set in the environment");
    assert_int_equal(stay_place_resolve(&place, "", &resolver, &err), -1);
    assert_string_equal(err.text, "--to : it is empty");
    stay_place_free(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_masked),
        cmocka_unit_test(a_reference_leads_to_the_place_and_its_password_is_hidden),
        cmocka_unit_test(a_password_is_hidden_as_programs_may_say_it),
        cmocka_unit_test(the_word_scratch_is_a_scratch_place_and_a_path_is_not),
        cmocka_unit_test(a_reference_to_nothing_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
