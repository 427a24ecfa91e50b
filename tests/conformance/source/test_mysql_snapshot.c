/* tests/conformance/source/test_mysql_snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * One state over several connections, while others write and lock.
 */
#include "base/clock.h"
#include "mariadb_fixture.h"
#include "source/mysql/snapshot.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 4, ROUNDS = 10 };

/* Each test begins with a table whose one row a writer counts up. */
static int begin(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn, "DROP TABLE IF EXISTS other; DROP TABLE IF EXISTS counter;"
                               "CREATE TABLE counter (n bigint);"
                               "INSERT INTO counter VALUES (0); CREATE TABLE other (a int)");
    fixture->my.consistency = MY_AUTO;
    fixture->host.cancelled = 0;
    return 0;
}

static struct my_place place_of(const struct my *my, const char *url)
{
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;

    assert_ok(my_place_read(&place, my, url, &err), err);
    return place;
}

/* Takes a snapshot of shop over some connections as @url. */
static int take(struct my_snapshot *out, const struct my *my, const char *url,
                struct backstay_error *err)
{
    static const struct my_database shop = {"shop", "shop"};
    struct my_place place = place_of(my, url);
    const struct my_snapshot_wish wish = {
        .my = my, .place = &place, .databases = &shop, .n_databases = 1, .jobs = CONNECTIONS};
    int r = my_snapshot_open(out, &wish, err);

    my_place_free(&place);
    return r;
}

/* ---- ways */

static void assert_ways(const struct my *my, const char *url, const char *expected)
{
    struct my_conn *conn = mariadb_login(my, url);
    struct backstay_error err = {.size = sizeof err};
    struct stay_buf text = {0};
    enum my_way ways[4];
    int n = my_snapshot_ways(ways, conn, my, &err);

    for (int i = 0; i < n; i++)
        stay_buf_printf(&text, "%d", ways[i]);
    stay_buf_char(&text, '\0');
    assert_string_equal(text.data, expected);
    stay_buf_free(&text);
    my_disconnect(conn);
}

static void the_ways_depend_on_grants_and_on_the_option(void **state)
{
    struct mariadb_fixture *fixture = *state;
    stay_auto_str char *plain = mariadb_url(fixture->server, "plain");

    assert_ways(&fixture->my, fixture->url, "0123");
    assert_ways(&fixture->my, plain, "023");
    fixture->my.consistency = MY_SNAPSHOT;
    assert_ways(&fixture->my, fixture->url, "03");
    fixture->my.consistency = MY_LOCK;
    assert_ways(&fixture->my, fixture->url, "12");
    assert_ways(&fixture->my, plain, "2");
}

/* ---- one state */

struct writer {
    struct my_conn *conn;
    pthread_t thread;
    atomic_bool ended;
};

static void *count_up(void *ctx)
{
    struct writer *writer = ctx;
    struct backstay_error err = {.size = sizeof err};

    while (!atomic_load(&writer->ended))
        if (my_run(writer->conn, &err, "UPDATE shop.counter SET n = n + 1") != 0)
            break;
    return NULL;
}

static void start_writer(struct mariadb_fixture *fixture, struct writer *writer)
{
    *writer = (struct writer){.conn = mariadb_login(&fixture->my, fixture->url)};
    assert_int_equal(pthread_create(&writer->thread, NULL, count_up, writer), 0);
}

static void stop_writer(struct writer *writer)
{
    atomic_store(&writer->ended, true);
    (void)pthread_join(writer->thread, NULL);
    my_disconnect(writer->conn);
}

static long long count_on(struct my_conn *conn)
{
    stay_auto_str char *value = mariadb_value(conn, "SELECT n FROM shop.counter");

    return atoll(value);
}

/* Every UPDATE is one transaction, so that the last number of the GTID tells the count. */
static long long gtid_number(const struct my_snapshot *snapshot)
{
    const char *dash = strrchr(snapshot->gtid, '-');

    assert_non_null(dash);
    return atoll(dash + 1);
}

static void assert_one_state(struct mariadb_fixture *fixture, const char *url, enum my_way way,
                             bool position)
{
    struct writer writer;
    long long distance = 0;

    start_writer(fixture, &writer);
    for (int i = 0; i < ROUNDS; i++) {
        struct backstay_error err = {.size = sizeof err};
        struct my_snapshot snapshot;
        assert_ok(take(&snapshot, &fixture->my, url, &err), err);
        assert_int_equal(snapshot.way, way);
        long long count = count_on(snapshot.conns[0]);
        for (unsigned j = 1; j < snapshot.n; j++)
            assert_int_equal(count_on(snapshot.conns[j]), count);
        assert_int_equal(*snapshot.file != '\0', position);
        if (position && i > 0)
            assert_int_equal(gtid_number(&snapshot) - count, distance);
        distance = position ? gtid_number(&snapshot) - count : 0;
        my_snapshot_close(&snapshot);
    }
    stop_writer(&writer);
}

static void compared_snapshots_are_one_state_at_their_position(void **state)
{
    struct mariadb_fixture *fixture = *state;

    fixture->my.consistency = MY_SNAPSHOT;
    assert_one_state(fixture, fixture->url, MY_WAY_COMPARE, true);
}

static void snapshots_taken_in_a_backup_stage_are_one_state_at_their_position(void **state)
{
    struct mariadb_fixture *fixture = *state;

    fixture->my.consistency = MY_LOCK;
    assert_one_state(fixture, fixture->url, MY_WAY_STAGES, true);
}

static void snapshots_taken_under_table_locks_are_one_state(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn, "CREATE OR REPLACE USER locker@localhost;"
                               "GRANT SELECT, LOCK TABLES ON shop.* TO locker@localhost;"
                               "GRANT BINLOG MONITOR ON *.* TO locker@localhost");
    stay_auto_str char *url = mariadb_url(fixture->server, "locker");
    fixture->my.consistency = MY_LOCK;
    assert_one_state(fixture, url, MY_WAY_LOCKS, true);
}

static void without_the_right_to_lock_the_error_says_so(void **state)
{
    struct mariadb_fixture *fixture = *state;
    stay_auto_str char *url = mariadb_url(fixture->server, "plain");
    struct backstay_error err = {.size = sizeof err};
    struct my_snapshot snapshot;

    fixture->my.consistency = MY_LOCK;
    assert_int_equal(take(&snapshot, &fixture->my, url, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_AUTH);
    stay_auto_str char *text = stay_strf(
        "MariaDB on %s: LOCK TABLES `shop`.`counter` READ, `shop`.`other` READ: Access denied for "
        "user 'plain'@'localhost' to database 'shop'",
        fixture->server->socket);
    assert_string_equal(err.text, text);
    my_snapshot_close(&snapshot);
}

static void a_replica_tells_how_far_it_is_in_its_source(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct my_snapshot snapshot;

    mariadb_sql(fixture->conn, "SET GLOBAL gtid_slave_pos = '5-7-42,6-8-43'");
    assert_ok(take(&snapshot, &fixture->my, fixture->url, &err), err);
    assert_string_equal(snapshot.source_gtid, "5-7-42,6-8-43");
    my_snapshot_close(&snapshot);
    mariadb_sql(fixture->conn, "SET GLOBAL gtid_slave_pos = ''");
    assert_ok(take(&snapshot, &fixture->my, fixture->url, &err), err);
    assert_string_equal(snapshot.source_gtid, "");
    my_snapshot_close(&snapshot);
}

static void without_a_binary_log_there_is_no_position(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct mariadb_server *server = mariadb_server_start(true);
    stay_auto_str char *first_url = stay_strf("mysql://root@localhost/?socket=%s", server->socket);
    stay_auto_str char *url = mariadb_url(server, "root");
    struct my_conn *conn = mariadb_login(&fixture->my, first_url);
    struct backstay_error err = {.size = sizeof err};
    struct my_snapshot snapshot;

    mariadb_sql(conn, "CREATE DATABASE shop; CREATE TABLE shop.t (a int)");
    my_disconnect(conn);
    assert_ok(take(&snapshot, &fixture->my, url, &err), err);
    assert_int_equal(snapshot.way, MY_WAY_STAGES);
    assert_string_equal(snapshot.file, "");
    assert_string_equal(snapshot.gtid, "");
    assert_false(snapshot.keeps_definitions);
    my_snapshot_close(&snapshot);
    mariadb_server_stop(server);
}

/* ---- what others wait for */

struct inserter {
    struct my_conn *conn;
    int64_t longest_ns;
    atomic_bool ended;
};

/* Inserts all the time, and notes the longest wait. */
static void *insert(void *ctx)
{
    struct inserter *inserter = ctx;
    struct backstay_error err = {.size = sizeof err};

    while (!atomic_load(&inserter->ended)) {
        int64_t begun = stay_clock_mono(stay_clock_system());
        if (my_run(inserter->conn, &err, "INSERT INTO shop.other VALUES (1)") != 0)
            break;
        int64_t took = stay_clock_mono(stay_clock_system()) - begun;
        inserter->longest_ns = took > inserter->longest_ns ? took : inserter->longest_ns;
        (void)usleep(1000);
    }
    return NULL;
}

static void nobody_waits_longer_than_the_lock_timeout_behind_a_long_transaction(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct inserter inserter = {.conn = mariadb_login(&fixture->my, fixture->url)};
    struct my_conn *holder = mariadb_login(&fixture->my, fixture->url);
    struct backstay_error err = {.size = sizeof err};
    struct my_snapshot snapshot;
    pthread_t thread;

    mariadb_sql(fixture->conn, "GRANT LOCK TABLES ON shop.* TO locker@localhost");
    stay_auto_str char *url = mariadb_url(fixture->server, "locker");
    /* Whoever writes to the table keeps LOCK TABLES waiting until the transaction ends. */
    mariadb_sql(holder, "START TRANSACTION; INSERT INTO other VALUES (2)");
    assert_int_equal(pthread_create(&thread, NULL, insert, &inserter), 0);
    fixture->my.consistency = MY_LOCK;
    assert_int_equal(take(&snapshot, &fixture->my, url, &err), -1);
    my_snapshot_close(&snapshot);
    atomic_store(&inserter.ended, true);
    (void)pthread_join(thread, NULL);
    my_disconnect(inserter.conn);
    my_disconnect(holder);
    assert_int_equal(err.kind, BACKSTAY_ERR_TRANSIENT);
    assert_non_null(strstr(err.text, "Lock wait timeout exceeded"));
    /* The timeout is one second; the rest is for a busy machine. */
    assert_in_range(inserter.longest_ns, 1, 1900000000);
}

static void a_long_query_keeps_neither_us_nor_others_waiting(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_conn *reader = mariadb_login(&fixture->my, fixture->url);
    struct my_conn *other = mariadb_login(&fixture->my, fixture->url);
    struct backstay_error err = {.size = sizeof err};
    static const char query[] = "SELECT SLEEP(20) FROM counter";
    stay_auto_str char *url = mariadb_url(fixture->server, "locker");

    my_wait_for(reader);
    assert_int_equal(mysql_send_query(reader->db, query, strlen(query)), 0);
    fixture->my.consistency = MY_LOCK;
    for (int i = 0; i < 2; i++) {
        struct my_snapshot snapshot;
        int64_t begun = stay_clock_mono(stay_clock_system());
        assert_ok(take(&snapshot, &fixture->my, i ? url : fixture->url, &err), err);
        assert_int_equal(snapshot.way, i ? MY_WAY_LOCKS : MY_WAY_STAGES);
        assert_int_equal(count_on(other), 0);
        mariadb_sql(other, "UPDATE counter SET n = n");
        assert_in_range(stay_clock_mono(stay_clock_system()) - begun, 0, 900000000);
        my_snapshot_close(&snapshot);
    }
    stay_auto_str char *kill = stay_strf("KILL %lu", mysql_thread_id(reader->db));
    mariadb_sql(other, kill);
    my_disconnect(reader);
    my_disconnect(other);
}

static void definitions_are_held_until_they_are_let_go(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct my_snapshot snapshot;

    assert_ok(take(&snapshot, &fixture->my, fixture->url, &err), err);
    assert_int_equal(my_run(fixture->conn, &err, "ALTER TABLE counter FORCE"), -1);
    assert_int_equal(fixture->conn->error, 1205);
    for (unsigned i = 0; i < snapshot.n; i++)
        assert_ok(my_snapshot_relax(snapshot.conns[i], &err), err);
    assert_ok(my_run(fixture->conn, &err, "ALTER TABLE counter FORCE"), err);
    assert_null(my_value(snapshot.conns[0], &err, "SELECT n FROM shop.counter"));
    assert_true(my_was_changed(snapshot.conns[0]));
    my_snapshot_close(&snapshot);
}

/* ---- the end */

static void a_cancelled_run_does_not_wait_for_the_server(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_conn *conn = mariadb_login(&fixture->my, fixture->url);
    struct backstay_error err = {.size = sizeof err};
    int64_t begun = stay_clock_mono(stay_clock_system());

    fixture->host.cancelled = 1;
    assert_int_equal(my_run(conn, &err, "DO SLEEP(30)"), -1);
    fixture->host.cancelled = 0;
    assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
    assert_string_equal(err.text, "stopped");
    assert_in_range(stay_clock_mono(stay_clock_system()) - begun, 0, 5000000000);
    my_disconnect(conn);
    stay_auto_str char *left = mariadb_value(
        fixture->conn,
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'DO SLEEP(30)'");
    assert_string_equal(left, "0");
}

static void a_server_that_asks_for_a_file_gets_none(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    assert_int_equal(
        my_run(fixture->conn, &err, "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE other"), -1);
    assert_non_null(strstr(err.text, "the server asked for a file that was not offered"));
    stay_auto_str char *rows = mariadb_value(fixture->conn, "SELECT COUNT(*) FROM other");
    assert_string_equal(rows, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_ways_depend_on_grants_and_on_the_option, begin),
        cmocka_unit_test_setup(compared_snapshots_are_one_state_at_their_position, begin),
        cmocka_unit_test_setup(snapshots_taken_in_a_backup_stage_are_one_state_at_their_position,
                               begin),
        cmocka_unit_test_setup(snapshots_taken_under_table_locks_are_one_state, begin),
        cmocka_unit_test_setup(without_the_right_to_lock_the_error_says_so, begin),
        cmocka_unit_test_setup(a_replica_tells_how_far_it_is_in_its_source, begin),
        cmocka_unit_test_setup(without_a_binary_log_there_is_no_position, begin),
        cmocka_unit_test_setup(nobody_waits_longer_than_the_lock_timeout_behind_a_long_transaction,
                               begin),
        cmocka_unit_test_setup(a_long_query_keeps_neither_us_nor_others_waiting, begin),
        cmocka_unit_test_setup(definitions_are_held_until_they_are_let_go, begin),
        cmocka_unit_test_setup(a_cancelled_run_does_not_wait_for_the_server, begin),
        cmocka_unit_test_setup(a_server_that_asks_for_a_file_gets_none, begin),
    };

    return cmocka_run_group_tests(tests, mariadb_fixture_make, mariadb_fixture_remove);
}
