/* tests/conformance/source/test_mysql_backup.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Backups of a real server into memory: parts, what is not as it should be, faults in the midst.
 */
#include "mariadb_fixture.h"
#include "source/mysql/run.h"
#include "support/fake_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20 };

static int begin(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn,
                "DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop");
    fixture->my.jobs = 2;
    fixture->my.split_bytes = MIB;
    fixture->my.lock_timeout_ns = 1000000000;
    fixture->host.cancelled = 0;
    return 0;
}

static int back_up(struct mariadb_fixture *fixture, struct fake_sink *sink,
                   struct backstay_error *err)
{
    int r = my_backup(&fixture->my, &sink->abi, err);

    fake_sink_finish(sink, r);
    assert_int_equal(sink->violations.len, 0);
    return r;
}

static struct fake_snapshot *snapshot_of(struct mariadb_fixture *fixture)
{
    struct fake_snapshot *snapshot = fake_snapshot_new();
    struct backstay_error err = {.size = sizeof err};
    struct fake_sink sink;

    fake_sink_init(&sink, snapshot, NULL);
    assert_ok(back_up(fixture, &sink, &err), err);
    fake_sink_free(&sink);
    return snapshot;
}

static const char *fact(const struct fake_snapshot *snapshot, const char *name)
{
    const char *value = stay_map_get(snapshot->facts, name, strlen(name));

    if (value == NULL)
        fail_msg("there is no fact %s", name);
    return value;
}

static const struct fake_entry *part(const struct fake_snapshot *snapshot, const char *table,
                                     unsigned number)
{
    stay_auto_str char *path = stay_strf("shop/04-data/%s.%04u.tsv", table, number);

    return fake_snapshot_find(snapshot, path);
}

/* ---- parts */

/* A table of rows of about 100 bytes whose keys have large holes. */
static void make_sparse(struct mariadb_fixture *fixture, const char *from, const char *to)
{
    stay_auto_str char *sql =
        stay_strf("INSERT INTO sparse SELECT IF(seq < 20000, seq, seq * 1000000007),"
                  " RPAD(seq, 90, 'x') FROM seq_%s_to_%s",
                  from, to);

    mariadb_sql(fixture->conn,
                "CREATE TABLE IF NOT EXISTS sparse (id bigint PRIMARY KEY, v varchar(100))");
    mariadb_sql(fixture->conn, sql);
    mariadb_sql(fixture->conn, "ANALYZE TABLE sparse");
}

static size_t lines_of(const struct fake_entry *entry)
{
    size_t n = 0;

    for (size_t i = 0; i < entry->content_len; i++)
        n += entry->content[i] == '\n';
    return n;
}

static void a_large_table_comes_in_parts_of_equally_many_rows(void **state)
{
    struct mariadb_fixture *fixture = *state;

    make_sparse(fixture, "1", "40000");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = snapshot_of(fixture);
    size_t step = lines_of(part(snapshot, "sparse", 1));
    size_t all = 0;
    const struct fake_entry *entry;
    unsigned n = 0;
    while ((entry = part(snapshot, "sparse", n + 1)) != NULL) {
        all += lines_of(entry);
        assert_true(lines_of(entry) <= step);
        n++;
    }
    assert_true(n >= 4);
    assert_int_equal(step & (step - 1), 0);
    assert_int_equal(all, 40000);
    assert_string_equal(fact(snapshot, "table:shop.sparse:rows"), "40000");
}

static void a_table_that_grows_keeps_its_parts(void **state)
{
    struct mariadb_fixture *fixture = *state;

    make_sparse(fixture, "1", "40000");
    stay_auto(fake_snapshot_free) struct fake_snapshot *before = snapshot_of(fixture);
    make_sparse(fixture, "40001", "45000");
    stay_auto(fake_snapshot_free) struct fake_snapshot *after = snapshot_of(fixture);
    for (unsigned i = 1; part(before, "sparse", i + 1); i++) {
        const struct fake_entry *old = part(before, "sparse", i);
        const struct fake_entry *new = part(after, "sparse", i);
        assert_non_null(new);
        assert_int_equal(old->content_len, new->content_len);
        assert_memory_equal(old->content, new->content, old->content_len);
    }
}

/* Keys whose order is that of a collation, of several columns, with every kind of odd value. */
static const char odd_keys[] =
    "CREATE TABLE odd (a varchar(40) CHARACTER SET latin1 COLLATE latin1_german2_ci NOT NULL,"
    " b varbinary(10) NOT NULL, c decimal(10,2) NOT NULL, d datetime(3) NOT NULL,"
    " v varchar(200), PRIMARY KEY (a, b, c, d));"
    "INSERT INTO odd SELECT CONCAT(ELT(1 + seq % 6, 'ä', 'ae', 'Z''\\\\', '', 'ß', 'ss'),"
    " seq DIV 100), UNHEX(HEX(seq % 7 * 37)), (seq % 11) / 4 - 1, '2024-01-01' + INTERVAL seq "
    "SECOND,"
    " RPAD('', 150, 'y') FROM seq_1_to_20000; ANALYZE TABLE odd";

static void keys_of_all_kinds_are_walked_without_losing_a_row(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn, odd_keys);
    stay_auto(fake_snapshot_free) struct fake_snapshot *parts = snapshot_of(fixture);
    fixture->my.split_bytes = (int64_t)1024 * MIB;
    stay_auto(fake_snapshot_free) struct fake_snapshot *whole = snapshot_of(fixture);
    assert_non_null(part(parts, "odd", 2));
    assert_null(part(whole, "odd", 1));
    assert_string_equal(fact(parts, "table:shop.odd:rows"), "20000");
    assert_string_equal(fact(parts, "table:shop.odd:digest"), fact(whole, "table:shop.odd:digest"));
}

/* Rows above 256 KiB go by piece. */
static void a_long_row_is_the_same_as_one_written_at_once(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn,
                "CREATE TABLE bytes (id int PRIMARY KEY, b longblob, t longtext, n int);"
                "INSERT INTO bytes VALUES (1, REPEAT(X'00FF', 500001), NULL, 7),"
                " (2, X'5C', CONCAT(REPEAT('\\\\\t', 300000), 'é'), NULL), (3, '', '', 0)");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = snapshot_of(fixture);
    const struct fake_entry *entry = fake_snapshot_find(snapshot, "shop/04-data/bytes.tsv");
    struct stay_buf expected = {0};
    struct plug_rowsum sum = {0};
    char hex[PLUG_ROWSUM_HEX];
    stay_buf_printf(&expected, "1\t");
    for (int i = 0; i < 500001; i++)
        stay_buf_printf(&expected, "00FF");
    stay_buf_printf(&expected, "\t\\N\t7\n");
    plug_rowsum_add(&sum, expected.data, expected.len);
    size_t second = expected.len;
    stay_buf_printf(&expected, "2\t5C\t");
    for (int i = 0; i < 300000; i++)
        stay_buf_printf(&expected, "\\\\\\t");
    stay_buf_printf(&expected, "é\t\\N\n");
    plug_rowsum_add(&sum, expected.data + second, expected.len - second);
    stay_buf_printf(&expected, "3\t\t\t0\n");
    plug_rowsum_add(&sum, "3\t\t\t0\n", 6);
    assert_int_equal(entry->content_len, expected.len);
    assert_memory_equal(entry->content, expected.data, expected.len);
    assert_string_equal(fact(snapshot, "table:shop.bytes:digest"), plug_rowsum_hex(&sum, hex));
    stay_buf_free(&expected);
}

/* ---- what is not as it should be */

static void tables_without_snapshots_are_named(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn,
                "CREATE TABLE old (a int) ENGINE=MyISAM; INSERT INTO old VALUES (7);"
                "CREATE TABLE part1 (a int) ENGINE=MyISAM; INSERT INTO part1 VALUES (1);"
                "CREATE TABLE merged (a int) ENGINE=MERGE UNION=(part1)");
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = snapshot_of(fixture);
    assert_int_equal(snapshot->warnings.n, 1);
    assert_string_equal(
        snapshot->warnings.items[0].text,
        "engines: 2 tables have no snapshots, so their rows are those of the moment when they are "
        "read: shop.old (MyISAM), shop.part1 (MyISAM); ALTER TABLE ... ENGINE=InnoDB changes that, "
        "structure_only leaves their rows out");
    assert_null(fake_snapshot_find(snapshot, "shop/04-data/merged.tsv"));
    assert_string_equal(fake_snapshot_find(snapshot, "shop/04-data/old.tsv")->content, "7\n");
}

static void a_database_that_is_not_there_is_named(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct my my = fixture->my;
    const char *names[] = {"shop", "nowhere"};
    struct fake_sink sink;
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();

    my.databases = (struct my_patterns){names, 2};
    fake_sink_init(&sink, snapshot, NULL);
    assert_int_equal(my_backup(&my, &sink.abi, &err), -1);
    fake_sink_free(&sink);
    stay_auto_str char *text =
        stay_strf("MariaDB on %s: there is no database nowhere, or the account may not see it",
                  fixture->server->socket);
    assert_int_equal(err.kind, BACKSTAY_ERR_CONFIG);
    assert_string_equal(err.text, text);
}

/* ---- facts */

static char *probed(struct my *my, const struct backstay_target *target)
{
    struct backstay_error err = {.size = sizeof err};
    struct fake_report report;

    fake_report_init(&report);
    assert_ok(my_probe(my, target, &report.abi, &err), err);
    char *text = fake_report_text(&report);
    fake_report_free(&report);
    return text;
}

static void a_copy_under_another_name_has_the_same_facts(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my my = fixture->my;

    mariadb_sql(fixture->conn,
                "CREATE TABLE t (a int PRIMARY KEY, f float, `odd name` text, KEY (f));"
                "INSERT INTO t VALUES (1, 0.1, 'x'), (2, 1e-30, NULL);"
                "CREATE OR REPLACE DATABASE copy; CREATE TABLE copy.t LIKE t;"
                "INSERT INTO copy.t SELECT * FROM t");
    stay_auto_str char *url =
        stay_strf("mysql://root@localhost/copy?socket=%s", fixture->server->socket);
    const struct backstay_target target = {.size = sizeof target, .location = url};
    my_copies_add(&my, "shop", "copy", false);
    stay_auto_str char *live = probed(&my, NULL);
    stay_auto_str char *same = probed(&my, &target);
    assert_non_null(strstr(live, "table:shop.t:rows=2\n"));
    assert_string_equal(live, same);
    mariadb_sql(fixture->conn, "UPDATE copy.t SET f = 1.1e-30 WHERE a = 2");
    stay_auto_str char *different = probed(&my, &target);
    assert_string_not_equal(live, different);
    my_copies_clear(&my);
}

/* ---- faults */

/* What happens at the first entry of rows. */
struct fault {
    struct mariadb_fixture *fixture;
    const char *sql;
    atomic_bool done;
};

static void strike(void *ctx, const char *call, const char *path)
{
    struct fault *fault = ctx;

    if (path == NULL || strstr(path, ".tsv") == NULL || atomic_exchange(&fault->done, true))
        return;
    (void)call;
    if (fault->sql)
        mariadb_sql(fault->fixture->conn, fault->sql);
    else
        fault->fixture->host.cancelled = 1;
}

/* Backs up two tables, of which the larger is read first; then @sql runs. Fills in @err. */
static void back_up_with(struct mariadb_fixture *fixture, const char *sql,
                         struct backstay_error *err)
{
    stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
    struct fault fault = {.fixture = fixture, .sql = sql};
    struct fake_sink sink;

    make_sparse(fixture, "2001", "4000");
    mariadb_sql(fixture->conn,
                "CREATE TABLE later (a int PRIMARY KEY); INSERT INTO later VALUES (1)");
    fixture->my.jobs = 1;
    fixture->my.lock_timeout_ns = 1;
    fake_sink_init(&sink, snapshot, NULL);
    sink.hook = strike;
    sink.hook_ctx = &fault;
    assert_int_equal(back_up(fixture, &sink, err), -1);
    assert_true(fault.done);
    fake_sink_free(&sink);
    fixture->host.cancelled = 0;
}

static void a_table_that_is_emptied_before_it_is_read_ends_the_backup(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    static const char begin_of_text[] =
        "table shop.later was changed, renamed or dropped while the backup ran, so that its rows "
        "of that moment are gone; run the backup again (MariaDB on ";

    back_up_with(fixture, "TRUNCATE later", &err);
    assert_int_equal(err.kind, BACKSTAY_ERR_TRANSIENT);
    assert_memory_equal(err.text, begin_of_text, strlen(begin_of_text));
}

static void a_table_that_is_renamed_before_it_is_read_ends_the_backup(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    back_up_with(fixture, "RENAME TABLE later TO much_later", &err);
    assert_int_equal(err.kind, BACKSTAY_ERR_TRANSIENT);
    assert_non_null(strstr(err.text, "table shop.later was changed, renamed or dropped"));
}

static void a_killed_connection_ends_the_backup(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    back_up_with(fixture,
                 "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;"
                 " FOR p IN (SELECT id FROM information_schema.PROCESSLIST WHERE ID <> "
                 "CONNECTION_ID()) DO EXECUTE IMMEDIATE CONCAT('KILL ', p.id); END FOR; END",
                 &err);
    assert_int_equal(err.kind, BACKSTAY_ERR_TRANSIENT);
    assert_non_null(strstr(err.text, "table shop.later: MariaDB on "));
}

/* Rights on tables are looked at for each statement; those on a database only when it is chosen. */
static void a_right_that_is_revoked_ends_the_backup(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    const char *root = fixture->my.url;
    static const char *const chosen[] = {"shop.*"};
    stay_auto_str char *narrow = mariadb_url(fixture->server, "narrow");

    mariadb_sql(fixture->conn,
                "CREATE OR REPLACE USER narrow@localhost; CREATE TABLE later (a int);"
                "GRANT SELECT ON shop.later TO narrow@localhost");
    make_sparse(fixture, "1", "2000");
    mariadb_sql(fixture->conn, "GRANT SELECT ON shop.sparse TO narrow@localhost; DROP TABLE later");
    /* Who may not see all of a database must say which tables are meant. */
    fixture->my.tables = (struct my_patterns){chosen, 1};
    fixture->my.url = narrow;
    back_up_with(fixture, "REVOKE SELECT ON shop.later FROM narrow@localhost", &err);
    fixture->my.url = root;
    fixture->my.tables = (struct my_patterns){0};
    assert_int_equal(err.kind, BACKSTAY_ERR_AUTH);
    assert_non_null(strstr(err.text, "SELECT command denied to user 'narrow'@'localhost'"));
}

static void a_cancelled_backup_stops(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    back_up_with(fixture, NULL, &err);
    assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
}

static void a_sink_that_says_stop_at_any_call_is_obeyed(void **state)
{
    struct mariadb_fixture *fixture = *state;

    make_sparse(fixture, "1", "25000");
    for (unsigned at = 1; at < 40; at += 3) {
        stay_auto(fake_snapshot_free) struct fake_snapshot *snapshot = fake_snapshot_new();
        struct backstay_error err = {.size = sizeof err};
        struct fake_sink sink;
        fake_sink_init(&sink, snapshot, NULL);
        sink.fail_at = at;
        int r = my_backup(&fixture->my, &sink.abi, &err);
        assert_int_equal(r, sink.counts.all >= at ? -1 : 0);
        assert_int_equal(sink.open_streams, 0);
        fake_sink_free(&sink);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_large_table_comes_in_parts_of_equally_many_rows, begin),
        cmocka_unit_test_setup(a_table_that_grows_keeps_its_parts, begin),
        cmocka_unit_test_setup(keys_of_all_kinds_are_walked_without_losing_a_row, begin),
        cmocka_unit_test_setup(a_long_row_is_the_same_as_one_written_at_once, begin),
        cmocka_unit_test_setup(tables_without_snapshots_are_named, begin),
        cmocka_unit_test_setup(a_database_that_is_not_there_is_named, begin),
        cmocka_unit_test_setup(a_copy_under_another_name_has_the_same_facts, begin),
        cmocka_unit_test_setup(a_table_that_is_emptied_before_it_is_read_ends_the_backup, begin),
        cmocka_unit_test_setup(a_table_that_is_renamed_before_it_is_read_ends_the_backup, begin),
        cmocka_unit_test_setup(a_killed_connection_ends_the_backup, begin),
        cmocka_unit_test_setup(a_right_that_is_revoked_ends_the_backup, begin),
        cmocka_unit_test_setup(a_cancelled_backup_stops, begin),
        cmocka_unit_test_setup(a_sink_that_says_stop_at_any_call_is_obeyed, begin),
    };

    return cmocka_run_group_tests(tests, mariadb_fixture_make, mariadb_fixture_remove);
}
