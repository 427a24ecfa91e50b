/* tests/conformance/source/test_mysql_rights.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Accounts in a backup, texts that an account may not see, and what a server says it cannot make
 * before anything is made.
 */
#include "mariadb_fixture.h"
#include "source/mysql/apply.h"

#include <stdlib.h>
#include <string.h>

static const char *const statements[] = {
    "CREATE OR REPLACE DATABASE shop CHARACTER SET utf8mb4",
    "USE shop",
    "CREATE TABLE t (a int PRIMARY KEY) COLLATE utf8mb4_general_ci",
    "CREATE VIEW v AS SELECT a FROM t",
    "CREATE OR REPLACE USER reader@localhost",
    "GRANT SELECT ON shop.* TO reader@localhost",
};

static int make_shop(void **state)
{
    struct mariadb_fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(statements); i++)
        mariadb_sql(fixture->conn, statements[i]);
    return 0;
}

/* ---------------------------------------------------------------- helpers */

static struct my_conn *as_reader(struct mariadb_fixture *fixture)
{
    stay_auto_str char *url = mariadb_url(fixture->server, "reader");

    return mariadb_login(&fixture->my, url);
}

static int try_ddl(struct my_conn *conn, struct my_ddl *out, struct backstay_error *err)
{
    static const char *const names[] = {"t"};
    static const struct my_database database = {.name = "shop", .label = "shop"};
    const struct my_ddl_wish wish = {.database = &database, .names = names, .n = 1};

    *err = (struct backstay_error){.size = sizeof *err};
    return my_ddl_read(conn, &wish, out, err);
}

static json_t *list_of(const struct my_ddl *ddl)
{
    json_t *table = json_pack("{s:s}", "name", "t");
    json_t *list = json_array();

    (void)json_object_update(table, json_object_get(ddl->tables, "t"));
    (void)json_array_append_new(list, table);
    return list;
}

static void keep(void *ctx, const char *subject, const char *text)
{
    stay_buf_printf(ctx, "%s: %s\n", subject, text);
}

/* What the preflight of @conn finds, and that it is as many as it says. */
static char *findings(struct my_conn *conn, const struct my_apply *apply)
{
    struct backstay_error err = {.size = sizeof err};
    struct stay_buf text = {0};
    int lines = 0;
    int n = my_apply_preflight(conn, apply, keep, &text, &err);

    if (n < 0)
        fail_msg("%s", err.text);
    char *out = stay_buf_take(&text);
    for (const char *at = out; *at; at++)
        lines += *at == '\n';
    assert_int_equal(n, lines);
    return out;
}

static int send_users(struct mariadb_fixture *fixture, const char *account,
                      struct fake_snapshot *out)
{
    stay_auto_str char *url = mariadb_url(fixture->server, account);
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;
    struct fake_sink sink;

    fake_sink_init(&sink, out, NULL);
    assert_ok(my_place_read(&place, &fixture->my, url, &err), err);
    int r = my_users_send(&place, &sink.abi, &err);
    if (r != 0)
        print_error("%s\n", err.text);
    my_place_free(&place);
    fake_sink_finish(&sink, r);
    fake_sink_free(&sink);
    return r;
}

/* ---------------------------------------------------------------- accounts */

static void accounts_and_roles_are_in_the_backup(void **state)
{
    struct mariadb_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *out = fake_snapshot_new();

    mariadb_sql(fixture->conn, "CREATE OR REPLACE ROLE inner_role");
    mariadb_sql(fixture->conn, "CREATE OR REPLACE ROLE outer_role");
    mariadb_sql(fixture->conn, "GRANT inner_role TO outer_role");
    mariadb_sql(fixture->conn, "CREATE OR REPLACE USER `o'dd \\\\`@`%` IDENTIFIED BY 'secret'"
                               " REQUIRE SUBJECT '/CN=it''s'");
    mariadb_sql(fixture->conn, "GRANT outer_role TO `o'dd \\\\`@`%`");
    mariadb_sql(fixture->conn, "SET DEFAULT ROLE outer_role FOR `o'dd \\\\`@`%`");
    mariadb_sql(fixture->conn, "GRANT SELECT ON shop.t TO PUBLIC");
    assert_int_equal(send_users(fixture, "root", out), 0);
    const struct fake_entry *entry = fake_snapshot_find(out, "users.sql");
    assert_non_null(entry);
    assert_int_equal(entry->entry.mode, 0600);
    stay_auto_str char *text = stay_strf("%.*s", (int)entry->content_len, entry->content);
    assert_non_null(strstr(text, "\nCREATE ROLE IF NOT EXISTS 'inner_role';\n"));
    assert_non_null(strstr(text,
                           "\nCREATE USER IF NOT EXISTS `o'dd \\\\`@`%` IDENTIFIED BY PASSWORD"
                           " '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7' REQUIRE SUBJECT "
                           "'/CN=it''s';\n"));
    assert_non_null(strstr(text, "\nGRANT `inner_role` TO `outer_role`;\n"));
    assert_non_null(strstr(text, "\nSET DEFAULT ROLE `outer_role` FOR `o'dd \\\\`@`%`;\n"));
    assert_non_null(strstr(text, "\nGRANT SELECT ON `shop`.`t` TO PUBLIC;\n"));
    assert_null(strstr(text, "mariadb.sys"));
}

static void accounts_that_may_not_be_read_are_a_warning_with_the_grant(void **state)
{
    struct mariadb_fixture *fixture = *state;
    stay_auto(fake_snapshot_free) struct fake_snapshot *out = fake_snapshot_new();

    assert_int_equal(send_users(fixture, "reader", out), 0);
    assert_int_equal(out->entries.n, 0);
    assert_string_equal(fake_snapshot_warning(out, NULL),
                        "accounts are not in the backup: this account may not read them; run GRANT "
                        "SELECT ON mysql.* TO 'reader'@'localhost', or set users: false");
    mariadb_sql(fixture->conn, "GRANT SELECT ON mysql.* TO 'reader'@'localhost'");
    assert_int_equal(send_users(fixture, "reader", out), 0);
    assert_non_null(fake_snapshot_find(out, "users.sql"));
}

/* ---------------------------------------------------------------- hidden texts */

static void the_text_of_a_routine_that_is_hidden_fails_with_the_grant(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_conn *conn;
    struct backstay_error err;
    struct my_ddl ddl;

    mariadb_sql(fixture->conn, "CREATE PROCEDURE p() SELECT 1");
    mariadb_sql(fixture->conn, "GRANT EXECUTE, SHOW VIEW ON shop.* TO reader@localhost");
    conn = as_reader(fixture);
    assert_int_equal(try_ddl(conn, &ddl, &err), -1);
    stay_auto_str char *expected = stay_strf(
        "MariaDB on %s: the text of the procedure p is hidden from this account; a person "
        "who may can run: GRANT SELECT ON mysql.proc TO CURRENT_USER of the backup",
        fixture->server->socket);
    assert_error(err, BACKSTAY_ERR_AUTH, expected);
    mariadb_sql(fixture->conn, "GRANT SELECT ON mysql.proc TO reader@localhost");
    assert_ok(try_ddl(conn, &ddl, &err), err);
    my_ddl_free(&ddl);
    my_disconnect(conn);
}

static void a_view_that_may_not_be_shown_fails(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_conn *conn = as_reader(fixture);
    struct backstay_error err;
    struct my_ddl ddl;

    assert_int_equal(try_ddl(conn, &ddl, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_AUTH);
    assert_non_null(strstr(err.text, "SHOW VIEW command denied"));
    my_disconnect(conn);
}

static void a_table_that_is_gone_is_named(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err;
    struct my_ddl ddl;

    mariadb_sql(fixture->conn, "DROP TABLE t");
    assert_int_equal(try_ddl(fixture->conn, &ddl, &err), -1);
    stay_auto_str char *expected = stay_strf(
        "MariaDB on %s: the table t was removed while it was to be read; run the backup again",
        fixture->server->socket);
    assert_error(err, BACKSTAY_ERR_TRANSIENT, expected);
}

/* ---------------------------------------------------------------- preflight */

static void a_server_that_can_make_everything_has_no_findings(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err;
    struct my_ddl ddl;

    mariadb_sql(fixture->conn, "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1");
    assert_ok(try_ddl(fixture->conn, &ddl, &err), err);
    json_t *tables = list_of(&ddl);
    const struct my_apply apply = {
        .tables = tables, .objects = ddl.objects, .from = "shop", .into = "copy"};
    stay_auto_str char *found = findings(fixture->conn, &apply);
    assert_string_equal(found, "");
    json_decref(tables);
    my_ddl_free(&ddl);
}

static void what_the_server_does_not_know_is_said_with_the_tables(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err;
    struct my_ddl ddl;

    assert_ok(try_ddl(fixture->conn, &ddl, &err), err);
    json_t *tables = list_of(&ddl);
    json_t *table = json_array_get(tables, 0);
    (void)json_object_set_new(table, "collations", json_pack("[s]", "utf8mb4_0900_ai_ci"));
    (void)json_object_set_new(
        table, "create",
        json_string("CREATE TABLE `t` (\n  `a` int COMMENT 'ENGINE=x' /*!80023"
                    " INVISIBLE */\n) ENGINE=FUTURE"));
    (void)json_object_set_new(table, "keys", json_pack("[s]", "KEY `k` ((`a` + 1))"));
    const struct my_apply apply = {
        .tables = tables, .objects = ddl.objects, .from = "shop", .into = "copy"};
    stay_auto_str char *found = findings(fixture->conn, &apply);
    stay_auto_str char *expected = stay_strf(
        "collation utf8mb4_0900_ai_ci: unknown to MariaDB on %1$s, but needed by table t; restore "
        "into a server of the product and version that the backup comes from, or give the source's "
        "tables a collation that both know (utf8mb4_unicode_ci) and make another backup\n"
        "engine FUTURE: MariaDB on %1$s does not have it, but it is needed by table t; install the "
        "plugin, or restore into another server\n"
        "indexes of expressions: MariaDB on %1$s has no such thing, but it is needed by table t; "
        "restore into a MySQL server\n"
        "what MySQL calls invisible: MariaDB on %1$s has no such thing, but it is needed by table "
        "t; restore into a MySQL server\n",
        fixture->server->socket);
    assert_string_equal(found, expected);
    json_decref(tables);
    my_ddl_free(&ddl);
}

static void objects_of_others_ask_for_a_right_or_no_owner(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_conn *conn = as_reader(fixture);
    struct backstay_error err;
    struct my_ddl ddl;

    mariadb_sql(fixture->conn, "CREATE DEFINER=reader@localhost PROCEDURE own() SELECT 1");
    assert_ok(try_ddl(fixture->conn, &ddl, &err), err);
    json_t *tables = list_of(&ddl);
    struct my_apply apply = {
        .tables = tables, .objects = ddl.objects, .from = "shop", .into = "copy"};
    stay_auto_str char *found = findings(conn, &apply);
    assert_string_equal(found,
                        "DEFINER: reader@localhost may not make objects of other accounts "
                        "(view v); restore with --no-owner, or run: GRANT SET USER ON *.* TO "
                        "the account\n");
    apply.no_owner = true;
    stay_auto_str char *none = findings(conn, &apply);
    assert_string_equal(none, "");
    json_decref(tables);
    my_ddl_free(&ddl);
    my_disconnect(conn);
}

static void functions_that_a_binary_log_refuses_are_said(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err;
    struct my_ddl ddl;

    mariadb_sql(fixture->conn, "SET GLOBAL log_bin_trust_function_creators = 1");
    mariadb_sql(fixture->conn, "CREATE FUNCTION writes() RETURNS int RETURN 1");
    mariadb_sql(fixture->conn, "CREATE FUNCTION only_reads() RETURNS int READS SQL DATA RETURN 1");
    assert_ok(try_ddl(fixture->conn, &ddl, &err), err);
    json_t *tables = list_of(&ddl);
    const struct my_apply apply = {
        .tables = tables, .objects = ddl.objects, .from = "shop", .into = "copy"};
    stay_auto_str char *none = findings(fixture->conn, &apply);
    assert_string_equal(none, "");
    mariadb_sql(fixture->conn, "SET GLOBAL log_bin_trust_function_creators = 0");
    stay_auto_str char *found = findings(fixture->conn, &apply);
    stay_auto_str char *expected = stay_strf(
        "binary log: MariaDB on %s keeps a binary log and refuses functions that do not say "
        "whether "
        "they change rows (function writes); run SET GLOBAL log_bin_trust_function_creators = 1 "
        "there until the restore is done\n",
        fixture->server->socket);
    assert_string_equal(found, expected);
    json_decref(tables);
    my_ddl_free(&ddl);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(accounts_and_roles_are_in_the_backup, make_shop),
        cmocka_unit_test_setup(accounts_that_may_not_be_read_are_a_warning_with_the_grant,
                               make_shop),
        cmocka_unit_test_setup(the_text_of_a_routine_that_is_hidden_fails_with_the_grant,
                               make_shop),
        cmocka_unit_test_setup(a_view_that_may_not_be_shown_fails, make_shop),
        cmocka_unit_test_setup(a_table_that_is_gone_is_named, make_shop),
        cmocka_unit_test_setup(a_server_that_can_make_everything_has_no_findings, make_shop),
        cmocka_unit_test_setup(what_the_server_does_not_know_is_said_with_the_tables, make_shop),
        cmocka_unit_test_setup(objects_of_others_ask_for_a_right_or_no_owner, make_shop),
        cmocka_unit_test_setup(functions_that_a_binary_log_refuses_are_said, make_shop),
    };

    return cmocka_run_group_tests(tests, mariadb_fixture_make, mariadb_fixture_remove);
}
