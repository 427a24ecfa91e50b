/* tests/conformance/source/test_postgres_globals.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Roles, their memberships and settings, read from one server and made on another: of the major
 * that BACKSTAY_TEST_POSTGRES_TARGET says, otherwise 15.
 */
#include "postgres_fixture.h"

#include <stdlib.h>
#include <string.h>

static json_t *read_globals(struct pg_conn *conn)
{
    struct backstay_error err = {.size = sizeof err};
    json_t *globals = NULL;

    assert_ok(pg_globals_read(conn, &globals, &err), err);
    return globals;
}

/* The element of list @key whose @member is @value. */
static json_t *find(const json_t *globals, const char *key, const char *member, const char *value)
{
    size_t i;
    json_t *element;

    json_array_foreach(json_object_get(globals, key), i,
                       element) if (strcmp(plug_json_get(element, member), value) ==
                                    0) return element;
    fail_msg("%s: %s is not there", key, value);
    return NULL;
}

static int make_roles(void **state)
{
    (void)postgres_fixture_make(state);
    struct postgres_fixture *fixture = *state;

    postgres_sql(fixture->conn,
                 "CREATE ROLE admin LOGIN SUPERUSER CREATEROLE CREATEDB REPLICATION BYPASSRLS"
                 " PASSWORD 'very secret' CONNECTION LIMIT 3 VALID UNTIL '2031-02-03 04:05:06+00';"
                 "CREATE ROLE \"team \"\"A\"\"\" NOINHERIT; CREATE ROLE member LOGIN;"
                 "COMMENT ON ROLE member IS 'it''s a member';"
                 "GRANT \"team \"\"A\"\"\" TO member WITH ADMIN OPTION; GRANT plain TO member;"
                 "GRANT pg_monitor TO member;"
                 "ALTER ROLE member SET search_path TO \"$user\", public;"
                 "ALTER ROLE member SET statement_timeout TO '5s';"
                 "ALTER ROLE member IN DATABASE shop SET work_mem TO '1MB';"
                 "ALTER ROLE ALL SET lock_timeout TO '9s'");
    return 0;
}

static void roles_are_described_with_attributes_settings_and_comments(void **state)
{
    struct postgres_fixture *fixture = *state;
    json_t *globals = read_globals(fixture->conn);
    json_t *admin =
        json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:s, s:n, s:[]}", "name", "admin",
                  "superuser", 1, "inherit", 1, "createrole", 1, "createdb", 1, "login", 1,
                  "replication", 1, "bypassrls", 1, "connection_limit", 3, "valid_until",
                  "2031-02-03 04:05:06+00", "comment", "settings");
    json_t *settings = json_pack("[{s:s, s:s}, {s:s, s:s}]", "name", "search_path", "value",
                                 "\"$user\", public", "name", "statement_timeout", "value", "5s");
    json_t *for_all = json_pack("[{s:s, s:s}]", "name", "lock_timeout", "value", "9s");
    const json_t *member = find(globals, "roles", "name", "member");

    assert_true(json_equal(find(globals, "roles", "name", "admin"), admin));
    assert_true(json_equal(json_object_get(member, "settings"), settings));
    assert_true(json_equal(json_object_get(globals, "settings"), for_all));
    assert_string_equal(plug_json_get(member, "comment"), "it's a member");
    assert_true(
        json_is_false(json_object_get(find(globals, "roles", "name", "team \"A\""), "inherit")));
    json_decref(admin);
    json_decref(settings);
    json_decref(for_all);
    json_decref(globals);
}

static void memberships_are_described_with_their_options(void **state)
{
    struct postgres_fixture *fixture = *state;
    json_t *globals = read_globals(fixture->conn);
    const json_t *team = find(globals, "memberships", "role", "team \"A\"");

    assert_string_equal(plug_json_get(team, "member"), "member");
    assert_string_equal(plug_json_get(team, "grantor"), "postgres");
    assert_true(json_is_true(json_object_get(team, "admin_option")));
    if (fixture->server->major >= 16)
        assert_true(json_is_true(json_object_get(team, "inherit_option")));
    else
        assert_true(json_is_null(json_object_get(team, "inherit_option")));
    assert_non_null(find(globals, "memberships", "role", "pg_monitor"));
    json_decref(globals);
}

static void no_password_and_no_predefined_role_is_in_the_document(void **state)
{
    struct postgres_fixture *fixture = *state;
    json_t *globals = read_globals(fixture->conn);
    stay_auto_free char *text = json_dumps(globals, JSON_COMPACT);

    assert_null(strstr(text, "SCRAM"));
    assert_null(strstr(text, "md5"));
    assert_null(strstr(text, "very secret"));
    assert_null(strstr(text, "\"name\":\"pg_"));
    json_decref(globals);
}

static void a_plain_role_reads_the_same_document(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *plain = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
    json_t *mine = read_globals(plain);
    json_t *theirs = read_globals(fixture->conn);

    assert_true(json_equal(mine, theirs));
    json_decref(mine);
    json_decref(theirs);
    pg_disconnect(plain);
}

static void tablespaces_are_described(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    stay_auto_str char *folder = stay_strf("%s/data/space", fixture->server->folder);

    /* The server itself makes the folder, which must belong to it. */
    assert_ok(pg_runf(fixture->conn, &err, "COPY (SELECT 1) TO PROGRAM 'mkdir -p %s'", folder),
              err);
    assert_ok(pg_runf(fixture->conn, &err,
                      "CREATE TABLESPACE fast OWNER plain LOCATION '%s' WITH (seq_page_cost = 2)",
                      folder),
              err);
    postgres_sql(fixture->conn, "GRANT CREATE ON TABLESPACE fast TO PUBLIC;"
                                "COMMENT ON TABLESPACE fast IS 'quick'");
    json_t *globals = read_globals(fixture->conn);
    json_t *expected = json_pack(
        "{s:s, s:s, s:s, s:[s], s:[{s:s, s:s, s:s, s:b}, {s:s, s:n, s:s, s:b}], s:s}", "name",
        "fast", "owner", "plain", "location", folder, "options", "seq_page_cost=2", "acl",
        "grantor", "plain", "grantee", "plain", "privilege", "CREATE", "grantable", 0, "grantor",
        "plain", "grantee", "privilege", "CREATE", "grantable", 0, "comment", "quick");
    assert_true(json_equal(find(globals, "tablespaces", "name", "fast"), expected));
    json_decref(expected);
    json_decref(globals);
    postgres_sql(fixture->conn, "DROP TABLESPACE fast");
}

static void who_may_set_parameters_is_described(void **state)
{
    struct postgres_fixture *fixture = *state;
    json_t *expected = json_array();

    if (fixture->server->major >= 15) {
        postgres_sql(fixture->conn, "GRANT SET ON PARAMETER log_statement TO plain");
        (void)json_array_append_new(
            expected,
            json_pack("{s:s, s:[{s:s, s:s, s:s, s:b}, {s:s, s:s, s:s, s:b},"
                      " {s:s, s:s, s:s, s:b}]}",
                      "name", "log_statement", "acl", "grantor", "postgres", "grantee", "postgres",
                      "privilege", "SET", "grantable", 0, "grantor", "postgres", "grantee",
                      "postgres", "privilege", "ALTER SYSTEM", "grantable", 0, "grantor",
                      "postgres", "grantee", "plain", "privilege", "SET", "grantable", 0));
    }
    json_t *globals = read_globals(fixture->conn);
    assert_true(json_equal(json_object_get(globals, "parameters"), expected));
    json_decref(expected);
    json_decref(globals);
    if (fixture->server->major >= 15)
        postgres_sql(fixture->conn, "REVOKE SET ON PARAMETER log_statement FROM plain");
}

/* The target of the tests below, and a superuser's connection to it. */
struct target {
    struct postgres_server *server;
    struct fake_host host;
    struct pg_conn *conn;
};

static void make_target(struct target *target)
{
    target->server = postgres_server_start(postgres_major("BACKSTAY_TEST_POSTGRES_TARGET", 15));
    fake_host_init(&target->host);
    target->conn = postgres_connect(target->server, &target->host, "postgres", "postgres");
}

static void remove_target(struct target *target)
{
    pg_disconnect(target->conn);
    postgres_server_stop(target->server);
    fake_host_free(&target->host);
}

static void roles_are_made_on_another_server_without_login_and_password(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct target target;
    json_t *globals = read_globals(fixture->conn);

    make_target(&target);
    assert_ok(pg_globals_apply(target.conn, globals, NULL, &err), err);
    assert_int_equal(target.host.log.len, 0);
    json_t *made = read_globals(target.conn);
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(globals, "roles"), i, role)
    {
        if (strcmp(plug_json_get(role, "name"), "postgres") == 0)
            continue;
        (void)json_object_set_new(role, "login", json_false());
        (void)json_object_set_new(role, "connection_limit", json_integer(-1));
        (void)json_object_set_new(role, "valid_until", json_null());
        assert_true(json_equal(role, find(made, "roles", "name", plug_json_get(role, "name"))));
    }
    stay_auto_str char *members = postgres_value(
        target.conn, "SELECT string_agg(r.rolname || '<' || m.rolname || a.admin_option, ' '"
                     " ORDER BY r.rolname) FROM pg_auth_members a"
                     " JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member"
                     " WHERE m.rolname = 'member'");
    assert_string_equal(members, "pg_monitor<memberfalse plain<memberfalse team \"A\"<membertrue");
    stay_auto_str char *passwords =
        postgres_value(target.conn, "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL");
    assert_string_equal(passwords, "0");
    /* Once more: all of them are there, and nothing changes. */
    assert_ok(pg_globals_apply(target.conn, globals, NULL, &err), err);
    json_t *again = read_globals(target.conn);
    assert_true(json_equal(made, again));
    json_decref(again);
    json_decref(made);
    json_decref(globals);
    remove_target(&target);
}

static void only_the_wanted_roles_are_made_and_by_a_role_that_is_no_superuser(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct target target;
    json_t *globals = read_globals(fixture->conn);
    json_t *only = json_pack("[s, s]", "admin", "plain");
    json_t *admin = find(globals, "roles", "name", "admin");

    make_target(&target);
    postgres_sql(target.conn, "CREATE ROLE limited LOGIN CREATEROLE");
    struct pg_conn *limited = postgres_connect(target.server, &target.host, "postgres", "limited");
    (void)json_object_set_new(admin, "settings",
                              json_pack("[{s:s, s:s}]", "name", "log_statement", "value", "all"));
    assert_ok(pg_globals_apply(limited, globals, only, &err), err);
    stay_auto_str char *roles =
        postgres_value(target.conn, "SELECT string_agg(rolname || rolsuper, ' ' ORDER BY rolname)"
                                    " FROM pg_roles WHERE rolname !~ '^pg_'");
    assert_string_equal(roles, "adminfalse limitedfalse plainfalse postgrestrue");
    stay_auto_str char *warning =
        stay_strf("%s: parameter log_statement of ROLE \"admin\" is left as it is: this role may "
                  "not set it; if it is needed, let a superuser set it\n",
                  limited->label);
    assert_string_equal(target.host.log.data, warning);
    pg_disconnect(limited);
    json_decref(only);
    json_decref(globals);
    remove_target(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_described_with_attributes_settings_and_comments),
        cmocka_unit_test(memberships_are_described_with_their_options),
        cmocka_unit_test(no_password_and_no_predefined_role_is_in_the_document),
        cmocka_unit_test(a_plain_role_reads_the_same_document),
        cmocka_unit_test(tablespaces_are_described),
        cmocka_unit_test(who_may_set_parameters_is_described),
        cmocka_unit_test(roles_are_made_on_another_server_without_login_and_password),
        cmocka_unit_test(only_the_wanted_roles_are_made_and_by_a_role_that_is_no_superuser),
    };

    return cmocka_run_group_tests(tests, make_roles, postgres_fixture_remove);
}
