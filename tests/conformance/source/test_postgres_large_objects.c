/* tests/conformance/source/test_postgres_large_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large objects, out of one database and into another.
 */
#include "postgres_fixture.h"

#include <stdlib.h>
#include <string.h>

/* What one reading gave. */
struct reading {
    struct fake_snapshot *snapshot;
    struct fake_report facts;
    struct backstay_error err;
    int result;
};

/* Each test has a database of its own, without objects. */
static int clear(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *conn =
        postgres_connect(fixture->server, &fixture->host, "postgres", "postgres");

    pg_disconnect(fixture->conn);
    postgres_sql(conn, "DROP DATABASE IF EXISTS copy WITH (FORCE)");
    postgres_sql(conn, "DROP DATABASE shop WITH (FORCE)");
    postgres_sql(conn, "CREATE DATABASE shop");
    postgres_sql(conn, "CREATE DATABASE copy");
    pg_disconnect(conn);
    fixture->conn = postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
    return 0;
}

static int make(void **state)
{
    (void)postgres_fixture_make(state);
    struct postgres_fixture *fixture = *state;
    struct pg_conn *conn =
        postgres_connect(fixture->server, &fixture->host, "postgres", "postgres");

    postgres_sql(conn, "CREATE ROLE \"Owner\"; CREATE ROLE reader");
    pg_disconnect(conn);
    return 0;
}

static void read_objects(struct reading *reading, struct pg_conn *conn, const char *snapshot,
                         bool probe, unsigned fail_at)
{
    struct fake_sink sink;

    *reading =
        (struct reading){.snapshot = fake_snapshot_new(), .err = {.size = sizeof reading->err}};
    fake_report_init(&reading->facts);
    fake_sink_init(&sink, reading->snapshot, NULL);
    sink.fail_at = fail_at;
    struct plug_facts facts = plug_facts_of_report(&reading->facts.abi, "");
    const struct pg_large_objects options = {
        .conn = conn,
        .snapshot = snapshot,
        .sink = probe ? NULL : &sink.abi,
        .folder = "shop/",
        .facts = &facts,
    };
    reading->result = pg_large_objects_read(&options, &reading->err);
    fake_sink_finish(&sink, reading->result);
    if (sink.violations.len)
        fail_msg("%s", sink.violations.data);
    fake_sink_free(&sink);
}

static void free_reading(struct reading *reading)
{
    fake_snapshot_free(reading->snapshot);
    fake_report_free(&reading->facts);
}

static const char *fact(const struct reading *reading, const char *name)
{
    return stay_map_get(reading->facts.facts, name, strlen(name));
}

static void assert_read(struct reading *reading, struct pg_conn *conn)
{
    read_objects(reading, conn, NULL, false, 0);
    assert_ok(reading->result, reading->err);
}

static json_t *list_of(const struct reading *reading)
{
    const struct fake_entry *entry =
        fake_snapshot_find(reading->snapshot, "shop/large-objects.json");

    assert_non_null(entry);
    return json_loadb(entry->content, entry->content_len, 0, NULL);
}

/* Loads all that was read into the database copy. */
static struct pg_conn *load(struct postgres_fixture *fixture, const struct reading *reading,
                            bool with_owner)
{
    struct pg_conn *conn = postgres_connect(fixture->server, &fixture->host, "copy", "postgres");
    struct backstay_error err = {.size = sizeof err};
    struct fake_feed feed;
    json_t *list = list_of(reading);
    size_t at;
    const json_t *object;

    fake_feed_init(&feed, reading->snapshot);
    json_array_foreach(list, at, object)
    {
        stay_auto_str char *path =
            stay_strf("shop/large-objects/%lld",
                      (long long)json_integer_value(json_object_get(object, "oid")));
        for (uint64_t i = 0; i < feed.abi.n_entries; i++)
            if (strcmp(reading->snapshot->entries.items[i]->entry.path, path) == 0)
                assert_ok(pg_large_object_load(conn, &feed.abi, i, object, with_owner, &err), err);
    }
    assert_int_equal(feed.open_handles, 0);
    json_decref(list);
    fake_feed_free(&feed);
    return conn;
}

/* Objects of all sizes around the limits of pieces, with owners, grants and comments. */
static const char torture[] =
    "SELECT lo_create(100);"
    "SELECT lo_from_bytea(101, '\\x00');"
    "SELECT lo_from_bytea(102, (SELECT string_agg(set_byte('\\x00', 0, b), '' ORDER BY b)"
    "  FROM generate_series(0, 255) b));"
    "SELECT lo_from_bytea((200 + n)::oid, (SELECT string_agg(sha256(i::text::bytea), '')"
    "  FROM generate_series(1, 2048 + n) i)) FROM generate_series(-1, 1) n;"
    "SELECT lo_from_bytea((300 + n)::oid, (SELECT string_agg(sha256(i::text::bytea), '')"
    "  FROM generate_series(1, 32768 + n) i)) FROM generate_series(-1, 1) n;"
    "SELECT lo_from_bytea(400, (SELECT string_agg(sha256(i::text::bytea), '')"
    "  FROM generate_series(1, 100000) i));"
    "SELECT lo_from_bytea(500, 'begin'); SELECT lo_put(500, 5000000, 'end');"
    "SELECT lo_from_bytea(4294967295, 'the last');"
    "ALTER LARGE OBJECT 101 OWNER TO \"Owner\";"
    "GRANT SELECT ON LARGE OBJECT 101 TO reader WITH GRANT OPTION;"
    "SET ROLE reader; GRANT SELECT ON LARGE OBJECT 101 TO PUBLIC; RESET ROLE;"
    "REVOKE ALL ON LARGE OBJECT 102 FROM postgres;"
    "COMMENT ON LARGE OBJECT 102 IS 'every ''byte''\n and a line';";

static void objects_of_all_sizes_come_back_with_owner_grants_and_comment(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading before;
    struct reading after;

    postgres_sql(fixture->conn, torture);
    assert_read(&before, fixture->conn);
    assert_int_equal(before.snapshot->entries.n, 13);
    struct pg_conn *copy = load(fixture, &before, true);
    assert_read(&after, copy);
    for (size_t i = 0; i < before.snapshot->entries.n; i++) {
        const struct fake_entry *was = before.snapshot->entries.items[i];
        const struct fake_entry *is = fake_snapshot_find(after.snapshot, was->entry.path);
        assert_non_null(is);
        assert_int_equal(is->content_len, was->content_len);
        assert_int_equal(was->entry.bytes, was->content_len);
        if (was->content_len)
            assert_memory_equal(is->content, was->content, was->content_len);
    }
    assert_string_equal(fact(&before, "large-objects:count"), "12");
    assert_string_equal(fact(&after, "large-objects:count"), "12");
    assert_string_equal(fact(&after, "large-objects:digest"),
                        fact(&before, "large-objects:digest"));
    pg_disconnect(copy);
    free_reading(&before);
    free_reading(&after);
}

static void the_list_has_one_line_for_each_object(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading reading;

    postgres_sql(fixture->conn,
                 "SELECT lo_create(100); SELECT lo_from_bytea(101, 'abc');"
                 "COMMENT ON LARGE OBJECT 101 IS 'x'; ALTER LARGE OBJECT 101 OWNER TO \"Owner\";"
                 "GRANT SELECT ON LARGE OBJECT 101 TO PUBLIC");
    assert_read(&reading, fixture->conn);
    const struct fake_entry *entry =
        fake_snapshot_find(reading.snapshot, "shop/large-objects.json");
    stay_auto_str char *text = stay_strf("%.*s", (int)entry->content_len, entry->content);
    assert_string_equal(
        text, "[\n{\"acl\":null,\"bytes\":0,\"comment\":null,\"oid\":100,\"owner\":\"postgres\"},\n"
              "{\"acl\":[{\"grantable\":false,\"grantee\":\"Owner\",\"grantor\":\"Owner\","
              "\"privilege\":\"SELECT\"},{\"grantable\":false,\"grantee\":\"Owner\","
              "\"grantor\":\"Owner\",\"privilege\":\"UPDATE\"},{\"grantable\":false,"
              "\"grantee\":null,\"grantor\":\"Owner\",\"privilege\":\"SELECT\"}],\"bytes\":3,"
              "\"comment\":\"x\",\"oid\":101,\"owner\":\"Owner\"}\n]\n");
    free_reading(&reading);
}

static void without_owners_content_and_comment_come_back(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading before;

    postgres_sql(fixture->conn, torture);
    assert_read(&before, fixture->conn);
    struct pg_conn *copy = load(fixture, &before, false);
    stay_auto_str char *owners = postgres_value(
        copy, "SELECT count(*) FROM pg_largeobject_metadata WHERE lomowner <> 10 OR lomacl IS NOT"
              " NULL");
    assert_string_equal(owners, "0");
    stay_auto_str char *comment =
        postgres_value(copy, "SELECT obj_description(102, 'pg_largeobject')");
    assert_string_equal(comment, "every 'byte'\n and a line");
    pg_disconnect(copy);
    free_reading(&before);
}

static void a_database_without_objects_has_facts_and_no_entry(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading reading;

    assert_read(&reading, fixture->conn);
    assert_int_equal(reading.snapshot->entries.n, 0);
    assert_string_equal(fact(&reading, "large-objects:count"), "0");
    assert_string_equal(fact(&reading, "large-objects:digest"), "00000000000000000000000000000000");
    free_reading(&reading);
}

static void what_is_read_is_what_the_snapshot_saw(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *other = postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
    struct pg_conn *reader = postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
    struct reading before;
    struct reading after;

    postgres_sql(other, "SELECT lo_from_bytea(100 + n, ('object ' || n)::bytea)"
                        " FROM generate_series(1, 250) n;"
                        "SELECT lo_from_bytea(9000, decode(repeat('ab', 3000000), 'hex'))");
    assert_read(&before, reader);
    postgres_sql(fixture->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    stay_auto_str char *snapshot = postgres_value(fixture->conn, "SELECT pg_export_snapshot()");
    postgres_sql(other, "SELECT lo_put(105, 0, 'changed'); SELECT lo_unlink(106);"
                        "SELECT lo_create(99); SELECT lo_put(9000, 2500000, 'changed');"
                        "SELECT lo_truncate(lo_open(330, 131072), 2)");
    read_objects(&after, reader, snapshot, false, 0);
    assert_ok(after.result, after.err);
    assert_string_equal(fact(&after, "large-objects:count"), "251");
    assert_string_equal(fact(&after, "large-objects:digest"),
                        fact(&before, "large-objects:digest"));
    postgres_sql(fixture->conn, "COMMIT");
    pg_disconnect(other);
    pg_disconnect(reader);
    free_reading(&before);
    free_reading(&after);
}

static char *digest(struct postgres_fixture *fixture)
{
    struct reading reading;

    read_objects(&reading, fixture->conn, NULL, true, 0);
    assert_ok(reading.result, reading.err);
    assert_int_equal(reading.snapshot->entries.n, 0);
    char *text = stay_strf("%s %s", fact(&reading, "large-objects:count"),
                           fact(&reading, "large-objects:digest"));
    free_reading(&reading);
    return text;
}

static void a_probe_notices_every_change(void **state)
{
    struct postgres_fixture *fixture = *state;
    static const char *const changes[] = {
        "SELECT lo_put(100, 1, 'X')",                  /* one byte */
        "SELECT lo_put(200, 2000000, 'X')",            /* one byte far behind */
        "SELECT lo_truncate(lo_open(100, 131072), 8)", /* shorter */
        "SELECT lo_unlink(100)",
        "SELECT lo_create(300)",
        "COMMENT ON LARGE OBJECT 100 IS 'new'",
        "SELECT lo_from_bytea(301, lo_get(100)), lo_unlink(100)",              /* another number */
        "SELECT lo_put(101, 0, lo_get(100)), lo_put(100, 0, 'another thing')", /* swapped */
    };

    postgres_sql(fixture->conn,
                 "SELECT lo_from_bytea(100, 'something'), lo_from_bytea(101, 'another"
                 " thing'), lo_from_bytea(200, decode(repeat('00', 3000000), 'hex'))");
    stay_auto_str char *before = digest(fixture);
    for (size_t i = 0; i < STAY_COUNT(changes); i++) {
        struct pg_conn *conn =
            postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
        postgres_sql(conn, changes[i]);
        stay_auto_str char *changed = digest(fixture);
        assert_string_not_equal(changed, before);
        postgres_sql(conn, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata;"
                           "SELECT lo_from_bytea(100, 'something'), lo_from_bytea(101, 'another"
                           " thing'), lo_from_bytea(200, decode(repeat('00', 3000000), 'hex'))");
        stay_auto_str char *again = digest(fixture);
        assert_string_equal(again, before);
        pg_disconnect(conn);
    }
}

static void an_unreadable_object_is_named_with_the_grants(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *plain = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
    struct reading reading;
    stay_auto_str char *expected = stay_strf(
        "%s: large object 101 cannot be read by role plain: GRANT SELECT ON LARGE OBJECT 101 TO "
        "\"plain\", or for all that its owner has: GRANT \"Owner\" TO \"plain\"",
        plain->label);

    postgres_sql(fixture->conn, "SELECT lo_create(100); GRANT SELECT ON LARGE OBJECT 100 TO PUBLIC;"
                                "SELECT lo_create(101); ALTER LARGE OBJECT 101 OWNER TO \"Owner\"");
    read_objects(&reading, plain, NULL, false, 0);
    assert_int_equal(reading.result, -1);
    assert_error(reading.err, BACKSTAY_ERR_AUTH, expected);
    free_reading(&reading);
    pg_disconnect(plain);
    static const char *const cures[][2] = {
        {"GRANT SELECT ON LARGE OBJECT 101 TO plain",
         "REVOKE SELECT ON LARGE OBJECT 101 FROM plain"},
        {"GRANT \"Owner\" TO plain", "REVOKE \"Owner\" FROM plain"},
        {"ALTER DATABASE shop SET lo_compat_privileges TO on",
         "ALTER DATABASE shop RESET lo_compat_privileges"}};
    for (size_t i = 0; i < STAY_COUNT(cures); i++) {
        postgres_sql(fixture->conn, cures[i][0]);
        plain = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
        assert_read(&reading, plain);
        assert_string_equal(fact(&reading, "large-objects:count"), "2");
        free_reading(&reading);
        pg_disconnect(plain);
        postgres_sql(fixture->conn, cures[i][1]);
    }
}

static void a_sink_that_stops_at_any_call_leaves_no_stream_open(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading reading;
    unsigned at = 0;

    postgres_sql(fixture->conn, "SELECT lo_create(100); SELECT lo_from_bytea(101, 'x');"
                                "SELECT lo_from_bytea(102, decode(repeat('ab', 1500000), 'hex'))");
    do {
        struct pg_conn *conn =
            postgres_connect(fixture->server, &fixture->host, "shop", "postgres");
        read_objects(&reading, conn, NULL, false, ++at);
        pg_disconnect(conn);
        if (reading.result != 0) {
            assert_null(fact(&reading, "large-objects:count"));
            assert_error(reading.err, BACKSTAY_ERR_CANCELLED, "stopped");
        }
        free_reading(&reading);
        assert_true(at < 100);
    } while (reading.result != 0);
    assert_true(at > 8);
}

static void thousands_of_small_objects_are_read(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct reading reading;

    postgres_sql(fixture->conn, "SELECT lo_from_bytea(n::oid, n::text::bytea)"
                                " FROM generate_series(20001, 25000) n");
    struct pg_conn *conn = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
    postgres_sql(fixture->conn,
                 "DO $$BEGIN FOR i IN 20001..25000 LOOP EXECUTE"
                 " 'GRANT SELECT ON LARGE OBJECT ' || i || ' TO PUBLIC'; END LOOP; END$$");
    assert_read(&reading, conn);
    assert_string_equal(fact(&reading, "large-objects:count"), "5000");
    assert_int_equal(reading.snapshot->entries.n, 5001);
    free_reading(&reading);
    pg_disconnect(conn);
}

static void an_object_that_is_there_already_is_not_overwritten(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct reading reading;
    struct fake_feed feed;

    postgres_sql(fixture->conn, "SELECT lo_from_bytea(100, 'theirs')");
    assert_read(&reading, fixture->conn);
    struct pg_conn *copy = postgres_connect(fixture->server, &fixture->host, "copy", "postgres");
    postgres_sql(copy, "SELECT lo_from_bytea(100, 'mine')");
    json_t *list = list_of(&reading);
    stay_auto_str char *expected = stay_strf(
        "%s: large object 100 is there already: restore into an empty database", copy->label);
    fake_feed_init(&feed, reading.snapshot);
    assert_string_equal(reading.snapshot->entries.items[1]->entry.path, "shop/large-objects/100");
    assert_int_equal(pg_large_object_load(copy, &feed.abi, 1, json_array_get(list, 0), true, &err),
                     -1);
    assert_error(err, BACKSTAY_ERR_CONFIG, expected);
    /* The connection is fit for use. */
    stay_auto_str char *content = postgres_value(copy, "SELECT convert_from(lo_get(100), 'UTF8')");
    assert_string_equal(content, "mine");
    fake_feed_free(&feed);
    json_decref(list);
    pg_disconnect(copy);
    free_reading(&reading);
}

static void objects_load_within_a_transaction_of_the_caller(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct reading reading;
    struct fake_feed feed;

    postgres_sql(fixture->conn, "SELECT lo_from_bytea(100, 'a')");
    assert_read(&reading, fixture->conn);
    struct pg_conn *copy = postgres_connect(fixture->server, &fixture->host, "copy", "postgres");
    json_t *list = list_of(&reading);
    fake_feed_init(&feed, reading.snapshot);
    postgres_sql(copy, "BEGIN");
    assert_ok(pg_large_object_load(copy, &feed.abi, 1, json_array_get(list, 0), true, &err), err);
    postgres_sql(copy, "ROLLBACK");
    stay_auto_str char *n = postgres_value(copy, "SELECT count(*) FROM pg_largeobject_metadata");
    assert_string_equal(n, "0");
    fake_feed_free(&feed);
    json_decref(list);
    pg_disconnect(copy);
    free_reading(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(objects_of_all_sizes_come_back_with_owner_grants_and_comment, clear),
        cmocka_unit_test_setup(the_list_has_one_line_for_each_object, clear),
        cmocka_unit_test_setup(without_owners_content_and_comment_come_back, clear),
        cmocka_unit_test_setup(a_database_without_objects_has_facts_and_no_entry, clear),
        cmocka_unit_test_setup(what_is_read_is_what_the_snapshot_saw, clear),
        cmocka_unit_test_setup(a_probe_notices_every_change, clear),
        cmocka_unit_test_setup(an_unreadable_object_is_named_with_the_grants, clear),
        cmocka_unit_test_setup(a_sink_that_stops_at_any_call_leaves_no_stream_open, clear),
        cmocka_unit_test_setup(thousands_of_small_objects_are_read, clear),
        cmocka_unit_test_setup(an_object_that_is_there_already_is_not_overwritten, clear),
        cmocka_unit_test_setup(objects_load_within_a_transaction_of_the_caller, clear),
    };

    return cmocka_run_group_tests(tests, make, postgres_fixture_remove);
}
