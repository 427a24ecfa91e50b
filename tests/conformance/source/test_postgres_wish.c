/* tests/conformance/source/test_postgres_wish.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the options of a restore mean: which tables they name, which facts they must bring back; and
 * the script that restores without us. No server is needed.
 */
#include "postgres_fixture.h"
#include "source/postgres/restore_script.h"
#include "source/postgres/restore_wish.h"
#include "source/postgres/target.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

/* Whether a restore with these options ("table=public.a", ...) covers @fact. */
static bool covers(const char *const *options, const char *fact)
{
    struct fake_host host;
    struct backstay_pair pairs[MOST];
    char *keys[MOST];
    struct backstay_target target = {.size = sizeof target, .options = pairs};

    fake_host_init(&host);
    for (uint32_t i = 0; options[i]; i++) {
        const char *equals = strchr(options[i], '=');
        keys[i] = stay_strf("%.*s", (int)(equals - options[i]), options[i]);
        pairs[i] = (struct backstay_pair){keys[i], equals + 1};
        target.n_options++;
    }
    struct pg pg = {.host = &host.abi, .jobs = 2};
    int covered = pg_covers(&pg, &target, fact);
    for (uint32_t i = 0; i < target.n_options; i++)
        free(keys[i]);
    fake_host_free(&host);
    return covered;
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_whole_restore_covers_every_fact(void **state)
{
    const char *const none[] = {NULL};

    (void)state;
    assert_true(covers(none, "table:public.orders:rows"));
    assert_true(covers(none, "count:tables"));
    assert_true(covers(none, "shop/sequence:public.orders_id_seq:value"));
}

static void chosen_tables_cover_their_own_facts(void **state)
{
    const char *const *options = OPTIONS("table=public.orders", "table=public.Od d:x");

    (void)state;
    assert_true(covers(options, "table:public.orders:rows"));
    assert_true(covers(options, "table:public.orders:digest@15"));
    assert_true(covers(options, "table:public.\"Od d:x\":rows"));
    assert_true(covers(options, "shop/table:public.orders:rows"));
    assert_false(covers(options, "table:public.orders2:rows"));
    assert_false(covers(options, "table:other.orders:rows"));
    assert_false(covers(options, "count:tables"));
    assert_false(covers(options, "sequence:public.orders:value"));
}

static void a_structure_covers_no_values(void **state)
{
    const char *const *options = OPTIONS("schema_only=true");

    (void)state;
    assert_true(covers(options, "count:tables"));
    assert_false(covers(options, "table:public.orders:rows"));
    assert_false(covers(options, "sequence:public.s:value"));
    assert_false(covers(options, "large-objects:count"));
}

static void rows_alone_cover_values_only(void **state)
{
    const char *const *options = OPTIONS("data_only=true", "schema_only=false");

    (void)state;
    assert_false(covers(options, "count:tables"));
    assert_true(covers(options, "table:public.orders:rows"));
    assert_true(covers(options, "sequence:public.s:value"));
    assert_true(covers(options, "large-objects:digest"));
}

static void a_chosen_database_covers_its_own_facts(void **state)
{
    const char *const *options = OPTIONS("database=my shop");

    (void)state;
    assert_true(covers(options, "my shop/count:tables"));
    assert_true(covers(options, "my%20shop/count:tables"));
    assert_false(covers(options, "shop/count:tables"));
    assert_true(covers(options, "table:public.\"a/b\":rows"));
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    static const struct {
        struct backstay_pair pairs[2];
        const char *text;
    } rows[] = {
        {{{"schema_only", "true"}, {"data_only", "true"}},
         "\"schema_only\" and \"data_only\" exclude each other"},
        {{{"replace", "shop"}, {"table", "public.a"}},
         "a database can only be replaced as a whole; leave out \"replace\" or the choice of "
         "tables "
         "and rows"},
        {{{"jobs", "0"}, {"table", "public.a"}}, "\"jobs\" is \"0\": 1 to 64 are possible"},
        {{{"jobs", "2x"}, {"table", "public.a"}}, "\"jobs\" is \"2x\": 1 to 64 are possible"},
    };
    struct fake_host host;

    (void)state;
    fake_host_init(&host);
    const struct pg pg = {.host = &host.abi, .jobs = 2};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        const struct backstay_target target = {
            .size = sizeof target, .options = rows[i].pairs, .n_options = 2};
        struct backstay_error err = {.size = sizeof err};
        struct pg_wish wish;
        assert_int_equal(pg_wish_read(&wish, &pg, &target, &err), -1);
        assert_error(err, BACKSTAY_ERR_CONFIG, rows[i].text);
    }
    fake_host_free(&host);
}

static void derived_names_have_63_bytes_and_whole_characters(void **state)
{
    char name[64] = "";

    (void)state;
    stay_auto_str char *whole = pg_into_derive("shop", "_end");
    assert_string_equal(whole, "shop_end");
    for (size_t i = 0; i < 62; i += 2)
        memcpy(name + i, "ü", 2);
    stay_auto_str char *cut = pg_into_derive(name, "_end");
    assert_int_equal(strlen(cut), 62);
    assert_string_equal(cut + 56, "ü_end");
}

static void the_script_quotes_every_name(void **state)
{
    json_t *tables = json_pack(
        "[{s:s, s:s, s:s, s:s, s:b, s:i, s:[{s:s}, {s:s}]}, {s:s, s:s, s:s, s:s, s:b, s:i, s:[]}]",
        "schema", "it's", "name", "$(rm)\"x", "columns", "(\"a'b\")", "encoding", "UTF8", "hashed",
        0, "rows", 7, "files", "path", "tables/it%27s/1.copy", "path", "tables/2.copy", "schema",
        "public", "name", "empty", "columns", "", "encoding", "UTF8", "hashed", 0, "rows", 0,
        "files");

    (void)state;
    assert_non_null(tables);
    stay_auto_str char *script = pg_load_script(tables, "two\nlines; rm");
    assert_non_null(strstr(script, "#!/bin/sh\n# Database: two lines; rm\n"));
    assert_non_null(strstr(
        script, "\ntable 7 'COPY \"it'\\''s\".\"$(rm)\"\"x\" (\"a'\\''b\") FROM STDIN (ENCODING "
                "'\\''UTF8'\\'')' 'tables/it%27s/1.copy' 'tables/2.copy'\n"));
    assert_null(strstr(script, "\"empty\""));
    json_decref(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_restore_covers_every_fact),
        cmocka_unit_test(chosen_tables_cover_their_own_facts),
        cmocka_unit_test(a_structure_covers_no_values),
        cmocka_unit_test(rows_alone_cover_values_only),
        cmocka_unit_test(a_chosen_database_covers_its_own_facts),
        cmocka_unit_test(options_that_contradict_each_other_are_refused),
        cmocka_unit_test(derived_names_have_63_bytes_and_whole_characters),
        cmocka_unit_test(the_script_quotes_every_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
