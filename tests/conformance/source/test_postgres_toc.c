/* tests/conformance/source/test_postgres_toc.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * An archive of pg_dump taken apart: written scripts for the odd cases, and a real one that is
 * put together again.
 */
#include "postgres_fixture.h"
#include "source/postgres/restore_toc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_HEAD                                                                                \
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n"        \
    "SET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n"     \
    "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n"
#define SCRIPT_TAIL "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"
#define LIST                                                                                       \
    ";\n; Archive created at now\n;\n10; 1259 100 TABLE public a shop\n;\tdepends on: 5\n11; "     \
    "1259 101 INDEX public b shop\n"

static void parse(struct pg_toc *toc, const char *script, const char *list, int expected)
{
    stay_auto_str char *text = stay_strdup(script);
    stay_auto_str char *lines = stay_strdup(list);

    *toc = (struct pg_toc){0};
    assert_int_equal(pg_toc_parse(toc, text, lines), expected);
}

static const char two_items[] =
    SCRIPT_HEAD "--\n-- TOC entry 10 (class 1259 OID 100)\n-- Dependencies: 5 7\n"
                "-- Name: a; Type: TABLE; Schema: public; Owner: shop\n--\n\n"
                "CREATE TABLE public.a ();\n\n\nSET default_tablespace = fast;\n\n"
                "--\n-- TOC entry 11 (class 1259 OID 101)\n-- Dependencies: 10\n"
                "-- Name: b; Type: FK CONSTRAINT; Schema: -; Owner: shop; Tablespace: fast\n"
                "-- Data Pos: 0\n--\n\nCREATE INDEX b;\n\n\n" SCRIPT_TAIL;

static void items_have_their_ids_needs_kinds_and_sql(void **state)
{
    struct pg_toc toc;

    (void)state;
    parse(&toc, two_items, LIST, 0);
    assert_int_equal(toc.n, 2);
    assert_int_equal(toc.items[0].id, 10);
    assert_int_equal(toc.items[0].class_oid, 1259);
    assert_int_equal(toc.items[0].oid, 100);
    assert_int_equal(toc.items[0].n_needs, 2);
    assert_int_equal(toc.items[0].needs[0], 5);
    assert_int_equal(toc.items[0].needs[1], 7);
    assert_string_equal(toc.items[0].label, "TABLE public.a");
    assert_string_equal(toc.items[0].sql, "CREATE TABLE public.a ();");
    assert_true(pg_item_is(&toc.items[1], "FK CONSTRAINT"));
    assert_string_equal(toc.items[1].label, "FK CONSTRAINT b");
    assert_ptr_equal(pg_toc_find(&toc, 11), &toc.items[1]);
    assert_null(pg_toc_find(&toc, 12));
    pg_toc_free(&toc);
}

static void a_tablespace_is_set_for_its_item_alone(void **state)
{
    struct pg_toc toc;

    (void)state;
    parse(&toc, two_items, LIST, 0);
    assert_string_equal(toc.items[1].sql,
                        "SET default_tablespace = fast; SET default_table_access_method = heap;\n"
                        "CREATE INDEX b;\n"
                        "SET default_tablespace = ''; SET default_table_access_method = heap;");
    pg_toc_free(&toc);
}

static void settings_of_the_session_are_kept_without_time_outs_and_client_commands(void **state)
{
    struct pg_toc toc;

    (void)state;
    parse(&toc, two_items, LIST, 0);
    assert_int_equal(toc.n_settings, 4);
    assert_string_equal(toc.settings[0], "SET client_encoding = 'UTF8';");
    assert_string_equal(toc.settings[1], "SELECT pg_catalog.set_config('search_path', '', false);");
    assert_string_equal(toc.settings[2], "SET default_tablespace = '';");
    assert_string_equal(toc.settings[3], "SET default_table_access_method = heap;");
    pg_toc_free(&toc);
}

static void a_header_in_a_text_is_no_item(void **state)
{
    struct pg_toc toc;

    (void)state;
    parse(&toc,
          SCRIPT_HEAD "--\n-- TOC entry 10 (class 1259 OID 100)\n"
                      "-- Name: a; Type: TABLE; Schema: public; Owner: shop\n--\n\n"
                      "COMMENT ON TABLE public.a IS '\n--\n-- TOC entry 12 (class 1259 OID 102)\n"
                      "-- Name: c; Type: TABLE; Schema: public; Owner: shop\n--\n\nDROP x;\n"
                      "--\n-- TOC entry 11 (class 1259 OID 999)\n"
                      "-- Name: c; Type: TABLE; Schema: public; Owner: shop\n--\n\n"
                      "\n--\n-- PostgreSQL database dump complete\n--\n"
                      "SET default_tablespace = x';\n\n" SCRIPT_TAIL,
          LIST, 0);
    assert_int_equal(toc.n, 1);
    assert_non_null(strstr(toc.items[0].sql, "DROP x;"));
    assert_non_null(strstr(toc.items[0].sql, "SET default_tablespace = x';"));
    pg_toc_free(&toc);
}

static void a_script_without_an_end_is_refused(void **state)
{
    struct pg_toc toc;

    (void)state;
    parse(&toc, SCRIPT_HEAD, LIST, -1);
    pg_toc_free(&toc);
    parse(&toc, "", "", -1);
    pg_toc_free(&toc);
}

static void items_that_are_not_kept_are_not_found(void **state)
{
    const unsigned char marks[] = {0, 1};
    struct pg_toc toc;

    (void)state;
    parse(&toc, two_items, LIST, 0);
    pg_toc_keep(&toc, marks);
    assert_int_equal(toc.n, 1);
    assert_null(pg_toc_find(&toc, 10));
    assert_int_equal(pg_toc_find(&toc, 11)->id, 11);
    pg_toc_free(&toc);
}

/* ---- a real one */

/* Sessions of the plugin protect a backup from views; see pg_into_connect(). */
static const char unrestrict_sql[] = "SELECT set_config(name, '', false) FROM pg_settings"
                                     " WHERE name = 'restrict_nonsystem_relation_kind'";

static const char shop_sql[] =
    "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good', 'bad');"
    "CREATE TABLE app.a (id serial PRIMARY KEY, m app.mood DEFAULT 'good', t text);"
    "COMMENT ON TABLE app.a IS E'\\n--\\n-- TOC entry 3000 (class 1259 OID 16386)\\n"
    "-- Name: x; Type: TABLE; Schema: app; Owner: y\\n--\\n\\nDROP TABLE app.a;\\n\\n--\\n"
    "-- PostgreSQL database dump complete\\n--\\n';"
    "CREATE FUNCTION app.f() RETURNS text LANGUAGE plpgsql AS"
    " E'begin\\n\\n\\nSET default_tablespace = \\'\\';\\nreturn 1; end';"
    "CREATE TABLE app.\"odd; Type: X; Schema: y\nline\" (a int REFERENCES app.a);"
    "CREATE INDEX ON app.a (t); CREATE VIEW app.v AS SELECT * FROM app.a;"
    "CREATE MATERIALIZED VIEW app.m AS SELECT count(*) FROM app.v;";

static char *dump(const struct postgres_server *server, const char *database, const char *folder)
{
    stay_auto_str char *path = stay_strf("%s/%s.sql", folder, database);
    const char *const argv[] = {"pg_dump", "--schema-only", "--restrict-key=same", "-f", path,
                                NULL};
    struct stay_err err = {0};
    struct stay_buf text = {0};

    postgres_tool(server, database, argv);
    assert_ok(stay_fs_read(&text, path, 1 << 20, &err), err);
    stay_buf_add(&text, "", 1);
    return (char *)text.data;
}

static void make_items(struct pg_conn *conn, const struct pg_toc *toc)
{
    struct backstay_error err = {.size = sizeof err};

    assert_ok(pg_toc_prepare(toc, conn, &err), err);
    for (size_t i = 0; i < toc->n; i++)
        assert_ok(pg_item_make(&toc->items[i], conn, &err), err);
}

static void an_archive_taken_apart_makes_the_same_database(void **state)
{
    struct postgres_fixture *fixture = *state;
    char folder[] = "/tmp/backstay-toc-XXXXXX";
    struct backstay_error err = {.size = sizeof err};
    struct pg_tool tool;
    struct pg_toc toc;

    assert_non_null(mkdtemp(folder));
    stay_auto_str char *archive = stay_strf("%s/schema.dump", folder);
    const char *const argv[] = {
        "pg_dump", "-Fc", "-Z0", "--section=pre-data", "--section=post-data", "-f", archive, NULL};
    postgres_sql(fixture->conn, unrestrict_sql);
    postgres_sql(fixture->conn, shop_sql);
    postgres_tool(fixture->server, "shop", argv);
    postgres_sql(fixture->conn, "CREATE DATABASE copy");
    struct pg_conn *copy = postgres_connect(fixture->server, &fixture->host, "copy", "postgres");
    postgres_sql(copy, unrestrict_sql);
    assert_ok(pg_tool_find(&tool, &fixture->host.abi, "pg_restore", fixture->server->major,
                           fixture->server->tools, &err),
              err);
    const char *const sections[] = {"pre-data", "post-data"};
    for (size_t i = 0; i < STAY_COUNT(sections); i++) {
        const struct pg_toc_options options = {
            .host = &fixture->host.abi, .tool = &tool, .archive = archive, .section = sections[i]};
        assert_ok(pg_toc_read(&toc, &options, &err), err);
        assert_true(toc.n >= 3);
        make_items(copy, &toc);
        pg_toc_free(&toc);
    }
    stay_auto_str char *was = dump(fixture->server, "shop", folder);
    stay_auto_str char *is = dump(fixture->server, "copy", folder);
    assert_string_equal(is, was);
    pg_tool_free(&tool);
    pg_disconnect(copy);
    struct stay_err ignored = {0};
    assert_ok(stay_fs_remove_tree(folder, &ignored), ignored);
}

static void what_is_no_archive_is_said_to_be_none(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct pg_tool tool;
    struct pg_toc toc;

    assert_ok(pg_tool_find(&tool, &fixture->host.abi, "pg_restore", fixture->server->major,
                           fixture->server->tools, &err),
              err);
    const struct pg_toc_options options = {
        .host = &fixture->host.abi, .tool = &tool, .archive = "/dev/null", .section = "pre-data"};
    assert_int_equal(pg_toc_read(&toc, &options, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "cannot read schema.dump: pg_restore: error:"));
    pg_tool_free(&tool);
}

int main(void)
{
    const struct CMUnitTest written[] = {
        cmocka_unit_test(items_have_their_ids_needs_kinds_and_sql),
        cmocka_unit_test(a_tablespace_is_set_for_its_item_alone),
        cmocka_unit_test(settings_of_the_session_are_kept_without_time_outs_and_client_commands),
        cmocka_unit_test(a_header_in_a_text_is_no_item),
        cmocka_unit_test(a_script_without_an_end_is_refused),
        cmocka_unit_test(items_that_are_not_kept_are_not_found),
    };
    const struct CMUnitTest real[] = {
        cmocka_unit_test(an_archive_taken_apart_makes_the_same_database),
        cmocka_unit_test(what_is_no_archive_is_said_to_be_none),
    };
    int failed = cmocka_run_group_tests(written, NULL, NULL);

    return failed + cmocka_run_group_tests(real, postgres_fixture_make, postgres_fixture_remove);
}
