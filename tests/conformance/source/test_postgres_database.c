/* tests/conformance/source/test_postgres_database.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is kept of a database itself, and what becomes of it on a server.
 */
#include "postgres_fixture.h"

#include <stdlib.h>
#include <string.h>

static json_t *read_database(struct pg_conn *conn)
{
    struct backstay_error err = {.size = sizeof err};
    json_t *database = NULL;

    assert_ok(pg_database_read(conn, &database, &err), err);
    return database;
}

static struct pg_conn *control(struct postgres_fixture *fixture)
{
    return postgres_connect(fixture->server, &fixture->host, "postgres", "postgres");
}

static void assert_member(const json_t *object, const char *key, json_t *expected)
{
    stay_auto_free char *text =
        json_dumps(json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);
    stay_auto_free char *wanted = json_dumps(expected, JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(text, wanted);
    json_decref(expected);
}

/* A database with all that is kept. */
static void make_full(struct postgres_fixture *fixture)
{
    struct pg_conn *conn = control(fixture);

    postgres_sql(conn, "CREATE ROLE \"shop owner\"; CREATE ROLE reader; CREATE ROLE second;"
                       "CREATE ROLE app LOGIN");
    postgres_sql(conn, "CREATE DATABASE full_one OWNER \"shop owner\" TEMPLATE template0"
                       " LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' CONNECTION LIMIT 17");
    postgres_sql(conn, "COMMENT ON DATABASE full_one IS 'it''s \"the\" shop\nof 2026';"
                       "REVOKE ALL ON DATABASE full_one FROM PUBLIC;"
                       "GRANT CONNECT ON DATABASE full_one TO reader WITH GRANT OPTION;"
                       "GRANT TEMPORARY, CREATE ON DATABASE full_one TO app;"
                       "SET ROLE reader; GRANT CONNECT ON DATABASE full_one TO second; RESET ROLE");
    postgres_sql(conn,
                 "ALTER DATABASE full_one SET search_path TO \"$user\", \"odd \"\"name\", public;"
                 "ALTER DATABASE full_one SET \"my.secret\" TO 'it''s = secret';"
                 "ALTER DATABASE full_one SET work_mem TO '5MB';"
                 "ALTER ROLE app IN DATABASE full_one SET statement_timeout TO '7s'");
    pg_disconnect(conn);
}

static void drop_full(struct postgres_fixture *fixture)
{
    struct pg_conn *conn = control(fixture);

    postgres_sql(conn, "DROP DATABASE IF EXISTS full_one");
    postgres_sql(conn, "DROP DATABASE IF EXISTS full_two");
    postgres_sql(conn,
                 "DROP ROLE \"shop owner\"; DROP ROLE second; DROP ROLE reader; DROP ROLE app");
    pg_disconnect(conn);
}

static json_t *grant(const char *grantor, const char *grantee, const char *privilege, int grantable)
{
    return json_pack("{s:s, s:s?, s:s, s:b}", "grantor", grantor, "grantee", grantee, "privilege",
                     privilege, "grantable", grantable);
}

static json_t *setting(const char *role, const char *name, const char *value)
{
    return json_pack("{s:s?, s:s, s:s}", "role", role, "name", name, "value", value);
}

static void a_database_is_described_with_all_that_a_dump_leaves_out(void **state)
{
    struct postgres_fixture *fixture = *state;

    make_full(fixture);
    struct pg_conn *conn =
        postgres_connect(fixture->server, &fixture->host, "full_one", "postgres");
    json_t *database = read_database(conn);
    assert_member(database, "name", json_string("full_one"));
    assert_member(database, "encoding", json_string("UTF8"));
    assert_member(database, "locale_provider", json_string("libc"));
    assert_member(database, "collate", json_string("C"));
    assert_member(database, "ctype", json_string("C.UTF-8"));
    assert_member(database, "owner", json_string("shop owner"));
    assert_member(database, "connection_limit", json_integer(17));
    assert_member(database, "tablespace", json_string("pg_default"));
    assert_member(database, "is_template", json_false());
    assert_member(database, "comment", json_string("it's \"the\" shop\nof 2026"));
    assert_member(database, "server_version_num", json_integer(conn->version));
    assert_member(database, "acl",
                  json_pack("[o, o, o, o, o, o, o]", grant("shop owner", "shop owner", "CREATE", 0),
                            grant("shop owner", "shop owner", "TEMPORARY", 0),
                            grant("shop owner", "shop owner", "CONNECT", 0),
                            grant("shop owner", "reader", "CONNECT", 1),
                            grant("shop owner", "app", "CREATE", 0),
                            grant("shop owner", "app", "TEMPORARY", 0),
                            grant("reader", "second", "CONNECT", 0)));
    assert_member(database, "settings",
                  json_pack("[o, o, o, o]",
                            setting(NULL, "search_path", "\"$user\", \"odd \"\"name\", public"),
                            setting(NULL, "my.secret", "it's = secret"),
                            setting(NULL, "work_mem", "5MB"),
                            setting("app", "statement_timeout", "7s")));
    assert_true(strchr(plug_json_get(database, "lsn"), '/') != NULL);
    assert_int_equal(strncmp(plug_json_get(database, "server_version"), "1", 1), 0);
    json_decref(database);
    pg_disconnect(conn);
    drop_full(fixture);
}

static void a_plain_role_reads_the_same_description(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *plain = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
    json_t *mine = read_database(plain);
    json_t *theirs = read_database(fixture->conn);

    (void)json_object_del(mine, "lsn");
    (void)json_object_del(theirs, "lsn");
    assert_true(json_equal(mine, theirs));
    assert_member(mine, "acl", json_null());
    json_decref(mine);
    json_decref(theirs);
    pg_disconnect(plain);
}

static void a_database_is_made_again_exactly(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    make_full(fixture);
    struct pg_conn *server = control(fixture);
    struct pg_conn *one = postgres_connect(fixture->server, &fixture->host, "full_one", "postgres");
    json_t *before = read_database(one);
    assert_ok(pg_database_create(server, before, "full_two", &err), err);
    assert_ok(pg_database_apply(server, before, "full_two", true, &err), err);
    struct pg_conn *two = postgres_connect(fixture->server, &fixture->host, "full_two", "postgres");
    json_t *after = read_database(two);
    (void)json_object_set_new(before, "name", json_string("full_two"));
    (void)json_object_del(before, "lsn");
    (void)json_object_del(after, "lsn");
    stay_auto_free char *was = json_dumps(before, JSON_INDENT(1));
    stay_auto_free char *is = json_dumps(after, JSON_INDENT(1));
    assert_string_equal(is, was);
    json_decref(before);
    json_decref(after);
    pg_disconnect(one);
    pg_disconnect(two);
    pg_disconnect(server);
    drop_full(fixture);
}

static void without_owners_only_the_settings_are_put_back(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    make_full(fixture);
    struct pg_conn *server = control(fixture);
    struct pg_conn *one = postgres_connect(fixture->server, &fixture->host, "full_one", "postgres");
    json_t *before = read_database(one);
    assert_ok(pg_database_create(server, before, "full_two", &err), err);
    assert_ok(pg_database_apply(server, before, "full_two", false, &err), err);
    struct pg_conn *two = postgres_connect(fixture->server, &fixture->host, "full_two", "postgres");
    json_t *after = read_database(two);
    assert_true(
        json_equal(json_object_get(before, "settings"), json_object_get(after, "settings")));
    assert_member(after, "owner", json_string("postgres"));
    assert_member(after, "acl", json_null());
    json_decref(before);
    json_decref(after);
    pg_disconnect(one);
    pg_disconnect(two);
    pg_disconnect(server);
    drop_full(fixture);
}

static void parameters_that_cannot_be_set_are_named_and_skipped(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *server = control(fixture);
    json_t *database =
        json_pack("{s:[o, o, o, o]}", "settings", setting(NULL, "log_statement", "all"),
                  setting(NULL, "of_a_later_version", "my password"),
                  setting(NULL, "work_mem", "6MB"), setting("no such role", "work_mem", "1MB"));

    postgres_sql(server, "CREATE ROLE limited LOGIN CREATEDB");
    struct pg_conn *limited =
        postgres_connect(fixture->server, &fixture->host, "postgres", "limited");
    postgres_sql(limited, "CREATE DATABASE of_limited");
    stay_buf_clear(&fixture->host.log);
    assert_ok(pg_database_apply(limited, database, "of_limited", false, &err), err);
    stay_auto_str char *expected = stay_strf(
        "%s: parameter log_statement of DATABASE \"of_limited\" is left as it is: this role may "
        "not "
        "set it; if it is needed, let a superuser set it\n"
        "%s: parameter of_a_later_version of DATABASE \"of_limited\" is left as it is: this server "
        "does not take it; if it is needed, let a superuser set it\n"
        "%s: parameter work_mem of ROLE \"no such role\" IN DATABASE \"of_limited\" is left as it "
        "is: this server does not take it; if it is needed, let a superuser set it\n",
        limited->label, limited->label, limited->label);
    assert_string_equal(fixture->host.log.data, expected);
    stay_auto_str char *set =
        postgres_value(server, "SELECT setconfig::text FROM pg_db_role_setting s JOIN pg_database d"
                               " ON d.oid = s.setdatabase WHERE d.datname = 'of_limited'");
    assert_string_equal(set, "{work_mem=6MB}");
    pg_disconnect(limited);
    postgres_sql(server, "DROP DATABASE of_limited");
    postgres_sql(server, "DROP ROLE limited");
    json_decref(database);
    pg_disconnect(server);
}

static void a_library_that_cannot_be_loaded_locks_nobody_out(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    json_t *database =
        json_pack("{s:[o, o]}", "settings",
                  setting(NULL, "session_preload_libraries", "plpgsql, \"no such library\""),
                  setting(NULL, "local_preload_libraries", "\"$libdir/plpgsql\""));
    stay_auto_str char *expected =
        stay_strf("%s: parameter session_preload_libraries of DATABASE \"shop\" is left as it is: "
                  "its library cannot be loaded here; if it is needed, let a superuser set it\n",
                  fixture->conn->label);

    stay_buf_clear(&fixture->host.log);
    assert_ok(pg_database_apply(fixture->conn, database, "shop", false, &err), err);
    assert_string_equal(fixture->host.log.data, expected);
    stay_auto_str char *set = postgres_value(
        fixture->conn, "SELECT setconfig::text FROM pg_db_role_setting s JOIN pg_database d"
                       " ON d.oid = s.setdatabase WHERE d.datname = 'shop'");
    assert_string_equal(set, "{\"local_preload_libraries=\\\"$libdir/plpgsql\\\"\"}");
    postgres_sql(fixture->conn, "ALTER DATABASE shop RESET ALL");
    json_decref(database);
}

static void assert_not_created(struct postgres_fixture *fixture, const char *role, json_t *database,
                               int kind, const char *expected)
{
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *server = postgres_connect(fixture->server, &fixture->host, "postgres", role);
    stay_auto_str char *text = stay_strf("%s%s", server->label, expected);

    assert_int_equal(pg_database_create(server, database, "copy", &err), -1);
    assert_error(err, kind, text);
    pg_disconnect(server);
    json_decref(database);
}

static json_t *with_locale(const char *provider, const char *locale, const char *collate)
{
    return json_pack("{s:s, s:s, s:s?, s:s, s:s}", "encoding", "UTF8", "locale_provider", provider,
                     "locale", locale, "collate", collate, "ctype", collate);
}

static void a_locale_that_the_server_lacks_is_named(void **state)
{
    assert_not_created(
        *state, "postgres", with_locale("libc", NULL, "xx_XX.UTF-8"), BACKSTAY_ERR_CONFIG,
        ": create database copy: the server does not have the locale xx_XX.UTF-8 of provider libc "
        "that the database in the backup has: install it on the server's machine (localedef, or "
        "your system's package of locales), restart the server, and try again");
}

static void a_locale_provider_that_is_not_known_is_named(void **state)
{
    struct postgres_fixture *fixture = *state;
    int major = fixture->server->major;
    stay_auto_str char *builtin = stay_strf(
        " is version %d, which does not know the locale C.UTF-8 of provider builtin that the "
        "database in the backup has: restore into version 17 or newer",
        major);
    stay_auto_str char *icu = stay_strf(
        " is version %d, which does not know the locale de of provider icu that the database in "
        "the backup has: restore into version 15 or newer",
        major);

    if (major < 17)
        assert_not_created(fixture, "postgres", with_locale("builtin", "C.UTF-8", "C"),
                           BACKSTAY_ERR_CONFIG, builtin);
    if (major < 15)
        assert_not_created(fixture, "postgres", with_locale("icu", "de", "C"), BACKSTAY_ERR_CONFIG,
                           icu);
    json_t *future = with_locale("of_the_future", "de", "C");
    struct backstay_error err = {.size = sizeof err};
    (void)json_object_set_new(future, "name", json_string("shop"));
    assert_int_equal(pg_database_create(fixture->conn, future, "copy", &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG,
                 "create a database like shop: its locale provider \"of_the_future\" is not known "
                 "to this version of Backstay: use a newer one");
    json_decref(future);
}

static void a_role_that_may_not_create_databases_is_told_what_to_do(void **state)
{
    assert_not_created(*state, "plain", with_locale("libc", NULL, "C"), BACKSTAY_ERR_AUTH,
                       ": create database copy: role plain may not create databases: let a "
                       "superuser run ALTER ROLE \"plain\" CREATEDB");
}

/* Databases of the providers that this server knows, made again. */
static void the_provider_and_its_locale_are_kept(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct pg_conn *server = control(fixture);
    json_t *kinds[] = {with_locale("libc", NULL, "C"), with_locale("libc", NULL, "C.UTF-8"),
                       with_locale("icu", "de-u-co-phonebk", "C"),
                       with_locale("builtin", "C.UTF-8", "C")};
    size_t n = fixture->server->major >= 17 ? 4 : fixture->server->major >= 15 ? 3 : 2;

    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        if (i < n) {
            assert_ok(pg_database_create(server, kinds[i], "copy", &err), err);
            struct pg_conn *conn =
                postgres_connect(fixture->server, &fixture->host, "copy", "postgres");
            json_t *copy = read_database(conn);
            assert_string_equal(plug_json_get(copy, "locale_provider"),
                                plug_json_get(kinds[i], "locale_provider"));
            assert_string_equal(plug_json_get(copy, "locale"), plug_json_get(kinds[i], "locale"));
            assert_string_equal(plug_json_get(copy, "collate"), plug_json_get(kinds[i], "collate"));
            assert_string_equal(plug_json_get(copy, "ctype"), plug_json_get(kinds[i], "ctype"));
            json_decref(copy);
            pg_disconnect(conn);
            postgres_sql(server, "DROP DATABASE copy");
        }
        json_decref(kinds[i]);
    }
    pg_disconnect(server);
}

static void every_role_that_owns_or_is_granted_something_is_named(void **state)
{
    struct postgres_fixture *fixture = *state;

    postgres_sql(
        fixture->conn,
        "CREATE ROLE r_table; CREATE ROLE r_grantee; CREATE ROLE r_column; CREATE ROLE r_lo;"
        "CREATE ROLE r_default; CREATE ROLE r_policy; CREATE ROLE r_in_db; CREATE ROLE unused;"
        "CREATE ROLE r_schema; CREATE ROLE r_type; CREATE ROLE r_server; CREATE ROLE r_map;"
        "CREATE ROLE r_database;"
        "CREATE TABLE public.t (a int); ALTER TABLE public.t OWNER TO r_table;"
        "GRANT SELECT ON public.t TO r_grantee; GRANT SELECT (a) ON public.t TO r_column;"
        "SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO r_lo;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE r_table GRANT SELECT ON TABLES TO r_default;"
        "CREATE POLICY p ON public.t TO r_policy USING (true);"
        "ALTER ROLE r_in_db IN DATABASE shop SET work_mem TO '1MB';"
        "CREATE SCHEMA s AUTHORIZATION r_schema; CREATE TYPE public.e AS ENUM ('a');"
        "ALTER TYPE public.e OWNER TO r_type; CREATE FOREIGN DATA WRAPPER w;"
        "CREATE SERVER v FOREIGN DATA WRAPPER w; ALTER SERVER v OWNER TO postgres;"
        "GRANT USAGE ON FOREIGN SERVER v TO r_server;"
        "CREATE USER MAPPING FOR r_map SERVER v;"
        "GRANT CONNECT ON DATABASE shop TO r_database;"
        "CREATE ROLE r_extension; CREATE ROLE unused_owner;"
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "ALTER FUNCTION public.f OWNER TO unused_owner;"
        "ALTER EXTENSION plpgsql ADD FUNCTION public.f();"
        "GRANT EXECUTE ON FUNCTION public.f TO r_extension");
    json_t *database = read_database(fixture->conn);
    const json_t *roles = json_object_get(database, "roles");
    stay_auto_free char *text = json_dumps(roles, JSON_COMPACT);
    static const char *const named[] = {
        "postgres", "r_table",  "r_grantee", "r_column", "r_lo",  "r_default",  "r_policy",
        "r_in_db",  "r_schema", "r_type",    "r_server", "r_map", "r_database", "r_extension"};
    for (size_t i = 0; i < STAY_COUNT(named); i++) {
        stay_auto_str char *quoted = stay_strf("\"%s\"", named[i]);
        if (strstr(text, quoted) == NULL)
            fail_msg("%s is not in %s", named[i], text);
    }
    assert_null(strstr(text, "unused"));
    assert_null(strstr(text, "plain"));
    assert_null(strstr(text, "pg_database_owner"));
    json_decref(database);
}

static void what_a_restore_would_miss_is_listed(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    json_t *database =
        json_pack("{s:[s, s, s], s:[{s:s}, {s:s}]}", "roles", "postgres", "not here", "plain",
                  "extensions", "name", "plpgsql", "name", "no_such_extension");
    json_t *expected =
        json_pack("{s:[s], s:[s]}", "roles", "not here", "extensions", "no_such_extension");
    json_t *missing = NULL;

    assert_ok(pg_database_missing(fixture->conn, database, &missing, &err), err);
    assert_true(json_equal(missing, expected));
    json_decref(missing);
    json_decref(expected);
    json_decref(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_described_with_all_that_a_dump_leaves_out),
        cmocka_unit_test(a_plain_role_reads_the_same_description),
        cmocka_unit_test(a_database_is_made_again_exactly),
        cmocka_unit_test(without_owners_only_the_settings_are_put_back),
        cmocka_unit_test(parameters_that_cannot_be_set_are_named_and_skipped),
        cmocka_unit_test(a_library_that_cannot_be_loaded_locks_nobody_out),
        cmocka_unit_test(a_locale_that_the_server_lacks_is_named),
        cmocka_unit_test(a_locale_provider_that_is_not_known_is_named),
        cmocka_unit_test(a_role_that_may_not_create_databases_is_told_what_to_do),
        cmocka_unit_test(the_provider_and_its_locale_are_kept),
        cmocka_unit_test(every_role_that_owns_or_is_granted_something_is_named),
        cmocka_unit_test(what_a_restore_would_miss_is_listed),
    };

    return cmocka_run_group_tests(tests, postgres_fixture_make, postgres_fixture_remove);
}
