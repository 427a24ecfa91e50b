/* tests/conformance/source/test_mysql_ddl.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The structure of databases, read from a real server and made again: by the plugin and by the
 * stock client with the scripts of the backup.
 */
#include "base/fs.h"
#include "mariadb_fixture.h"
#include "mysql_shop.h"
#include "server_process.h"
#include "source/mysql/apply.h"
#include "source/mysql/create_repair.h"

#include <stdlib.h>
#include <string.h>

static int make_shop(void **state)
{
    struct mariadb_fixture *fixture = *state;

    mariadb_sql(fixture->conn, "DROP DATABASE IF EXISTS shop");
    mariadb_sql(fixture->conn, "DROP DATABASE IF EXISTS copy");
    mariadb_sql(fixture->conn, "CREATE DATABASE shop CHARACTER SET utf8mb4");
    mariadb_sql(fixture->conn, "USE shop");
    for (size_t i = 0; i < STAY_COUNT(mysql_shop); i++)
        mariadb_sql(fixture->conn, mysql_shop[i]);
    fixture->my.tables = (struct my_patterns){0};
    return 0;
}

/* ---------------------------------------------------------------- helpers */

static struct my_ddl read_ddl(struct my_conn *conn, const char *name)
{
    const struct my_database database = {.name = name, .label = "shop"};
    struct backstay_error err = {.size = sizeof err};
    struct my_tables tables = {0};
    const char *names[64];
    struct my_ddl ddl;

    assert_ok(my_tables_read(&tables, conn->my, conn, &database, &err), err);
    assert_true(tables.n < STAY_COUNT(names));
    for (size_t i = 0; i < tables.n; i++)
        names[i] = tables.items[i].name;
    const struct my_ddl_wish wish = {.database = &database, .names = names, .n = tables.n};
    assert_ok(my_ddl_read(conn, &wish, &ddl, &err), err);
    my_tables_free(&tables);
    return ddl;
}

/* As tables.json has them, without rows. */
static json_t *list_of(const struct my_ddl *ddl)
{
    json_t *list = json_array();
    const char *name;
    json_t *table;

    json_object_foreach(ddl->tables, name, table)
    {
        json_t *object = json_pack("{s:s}", "name", name);
        (void)json_object_update(object, table);
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *find(json_t *objects, const char *name)
{
    json_t *object;
    size_t i;

    json_array_foreach(objects, i,
                       object) if (strcmp(plug_json_get(object, "name"), name) == 0) return object;
    fail_msg("there is no %s", name);
    return NULL;
}

struct notes {
    struct stay_buf text;
    const char *unwanted;
};

static void note(void *ctx, const char *kind, const char *name, const char *text)
{
    struct notes *notes = ctx;

    stay_buf_printf(&notes->text, "%s %s: %s\n", kind, name, text);
}

static bool wants(void *ctx, const char *kind, const char *name, const char *table)
{
    const struct notes *notes = ctx;

    return strcmp(kind, notes->unwanted) != 0 && strcmp(name, notes->unwanted) != 0 &&
           strcmp(table, notes->unwanted) != 0;
}

static void apply_all(struct my_conn *conn, const struct my_apply *apply)
{
    struct backstay_error err = {.size = sizeof err};
    const json_t *table;
    size_t i;

    assert_ok(my_apply_session(conn, &err), err);
    assert_ok(my_apply_database(conn, apply, &err), err);
    assert_ok(my_apply_sequences(conn, apply, &err), err);
    json_array_foreach(apply->tables, i, table)
        assert_ok(my_apply_table(conn, apply, table, &err), err);
    json_array_foreach(apply->tables, i, table)
        assert_ok(my_apply_keys(conn, apply, table, &err), err);
    json_array_foreach(apply->tables, i, table)
        assert_ok(my_apply_foreign_keys(conn, apply, table, &err), err);
    assert_ok(my_apply_routines(conn, apply, &err), err);
    assert_ok(my_apply_views(conn, apply, &err), err);
    assert_ok(my_apply_triggers(conn, apply, &err), err);
    assert_ok(my_apply_events(conn, apply, &err), err);
}

/* Each object says what differs. When an event was made is told where its end depends on it. */
static void assert_same(const json_t *expected, const json_t *found)
{
    size_t n = json_array_size(expected);

    assert_int_equal(json_array_size(found), n);
    for (size_t i = 0; i < n; i++) {
        json_t *a = json_array_get(expected, i);
        json_t *b = json_array_get(found, i);
        if (!json_is_true(json_object_get(a, "ends"))) {
            (void)json_object_del(a, "created");
            (void)json_object_del(b, "created");
        }
        char *text_a = json_dumps(a, JSON_SORT_KEYS);
        char *text_b = json_dumps(b, JSON_SORT_KEYS);
        assert_string_equal(text_b, text_a);
        free(text_a);
        free(text_b);
    }
}

static void remove_object(json_t *objects, const char *name)
{
    json_t *object;
    size_t i;

    json_array_foreach(objects, i, object) if (strcmp(plug_json_get(object, "name"), name) == 0)
    {
        (void)json_array_remove(objects, i);
        return;
    }
}

static void assert_database_is(struct my_conn *conn, struct my_ddl *expected)
{
    struct my_ddl found = read_ddl(conn, "shop");
    json_t *a = list_of(expected);
    json_t *b = list_of(&found);

    remove_object(expected->objects, "broken");
    assert_same(a, b);
    assert_same(expected->objects, found.objects);
    json_decref(a);
    json_decref(b);
    my_ddl_free(&found);
}

/* ---------------------------------------------------------------- tests */

static void a_database_is_made_again_exactly(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    json_t *tables = list_of(&ddl);
    struct notes notes = {0};
    const struct my_apply apply = {.tables = tables,
                                   .objects = ddl.objects,
                                   .from = "shop",
                                   .into = "shop",
                                   .ctx = &notes,
                                   .note = note};

    mariadb_sql(fixture->conn, "DROP DATABASE shop");
    apply_all(fixture->conn, &apply);
    stay_auto_str char *said = stay_buf_take(&notes.text);
    assert_string_equal(
        said,
        "view broken: not made: it could not be used when it was backed up: View 'shop.broken' "
        "references invalid table(s) or column(s) or function(s) or definer/invoker of view lack "
        "rights to use them\n");
    assert_database_is(fixture->conn, &ddl);
    json_decref(tables);
    my_ddl_free(&ddl);
}

static void write_file(const char *folder, const struct fake_entry *entry)
{
    stay_auto_str char *path = stay_strf("%s/%s", folder, entry->entry.path);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(entry->content, 1, entry->content_len, file), entry->content_len);
    assert_int_equal(fclose(file), 0);
}

static void the_scripts_make_it_again_with_the_stock_client(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    json_t *tables = list_of(&ddl);
    stay_auto(fake_snapshot_free) struct fake_snapshot *out = fake_snapshot_new();
    struct fake_sink sink;
    char folder[] = "/tmp/backstay-scripts-XXXXXX";
    struct stay_err err = {0};

    assert_non_null(mkdtemp(folder));
    fake_sink_init(&sink, out, NULL);
    assert_int_equal(my_scripts_send(&sink.abi, "", tables, ddl.objects), 0);
    fake_sink_finish(&sink, 0);
    for (size_t i = 0; i < out->entries.n; i++)
        write_file(folder, out->entries.items[i]);
    mariadb_sql(fixture->conn, "DROP DATABASE shop");
    stay_auto_str char *log = stay_strf("%s/log", folder);
    stay_auto_str char *script =
        stay_strf("set -e; cd %s; for f in *.sql; do mariadb --no-defaults --user=root --socket=%s "
                  "--binary-mode --comments --local-infile=1 --show-warnings < $f; done",
                  folder, fixture->server->socket);
    server_process_run(log, (const char *const[]){"/bin/sh", "-c", script, NULL});
    assert_database_is(fixture->conn, &ddl);
    fake_sink_free(&sink);
    assert_int_equal(stay_fs_remove_tree(folder, &err), 0);
    json_decref(tables);
    my_ddl_free(&ddl);
}

static char *facts_of(struct my_conn *conn, const char *name, const struct my_ddl *ddl)
{
    const struct my_database database = {.name = name, .label = "shop"};
    struct backstay_error err = {.size = sizeof err};
    struct fake_report report;

    fake_report_init(&report);
    struct plug_facts facts = plug_facts_of_report(&report.abi, "");
    assert_ok(my_inventory_facts(conn, &database, ddl, &facts, &err), err);
    char *text = fake_report_text(&report);
    fake_report_free(&report);
    return text;
}

static void a_copy_of_another_name_refers_to_itself_and_has_the_same_facts(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    json_t *tables = list_of(&ddl);
    const struct my_apply apply = {
        .tables = tables, .objects = ddl.objects, .from = "shop", .into = "copy"};

    apply_all(fixture->conn, &apply);
    struct my_ddl copy = read_ddl(fixture->conn, "copy");
    assert_string_equal(plug_json_get(find(copy.objects, "far"), "sql"),
                        "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER"
                        " VIEW `far` AS select `copy`.`shop`.`a` AS `a`,`f1`(`copy`.`shop`.`b`) AS"
                        " `f`,`u`.`User` AS `User` from (`copy`.`shop` join `mysql`.`user` `u`)");
    assert_string_equal(plug_json_get(find(copy.objects, "first_one"), "sql"),
                        "CREATE DEFINER=`root`@`localhost` TRIGGER first_one BEFORE INSERT ON "
                        "parent FOR EACH ROW SET @x = '\xc3\xa9'");
    size_t len;
    stay_auto_str char *weird = my_ddl_text(json_object_get(copy.tables, "we`ird"), "create", &len);
    assert_non_null(strstr(weird, "DEFAULT nextval(`copy`.`ids`)"));
    stay_auto_str char *recorded = facts_of(fixture->conn, "shop", &ddl);
    stay_auto_str char *restored = facts_of(fixture->conn, "copy", NULL);
    assert_string_equal(restored, recorded);
    json_decref(tables);
    my_ddl_free(&copy);
    my_ddl_free(&ddl);
}

static void the_inventory_counts_what_there_is(void **state)
{
    struct mariadb_fixture *fixture = *state;
    stay_auto_str char *all = facts_of(fixture->conn, "shop", NULL);
    static const char *const chosen[] = {"shop.p*"};

    assert_string_equal(all, "count:check-constraints=1\ncount:columns=49\ncount:events=5\n"
                             "count:foreign-keys=4\ncount:functions=3\ncount:generated-columns=5\n"
                             "count:indexes=40\ncount:package-bodies=1\ncount:packages=1\n"
                             "count:partitions=4\ncount:procedures=3\ncount:sequences=2\n"
                             "count:tables=16\ncount:triggers=2\ncount:versioned-tables=2\n"
                             "count:views=4\nsequence:shop.ids:value=2\n"
                             "sequence:shop.used_up:value=3\n");
    stay_auto_str char *columns = mariadb_value(
        fixture->conn,
        "SELECT count(*) FROM information_schema.COLUMNS JOIN"
        " information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME) WHERE"
        " TABLE_SCHEMA = 'shop' AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')");
    stay_auto_str char *indexes =
        mariadb_value(fixture->conn, "SELECT count(DISTINCT TABLE_NAME, INDEX_NAME) FROM"
                                     " information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop'");
    assert_string_equal(columns, "49");
    assert_string_equal(indexes, "40");
    fixture->my.tables = (struct my_patterns){.items = chosen, .n = 1};
    stay_auto_str char *some = facts_of(fixture->conn, "shop", NULL);
    assert_string_equal(some, "count:check-constraints=0\ncount:columns=7\n"
                              "count:foreign-keys=0\ncount:generated-columns=0\ncount:indexes=7\n"
                              "count:partitions=2\ncount:sequences=0\ncount:tables=3\n"
                              "count:triggers=2\ncount:versioned-tables=0\ncount:views=0\n");
    fixture->my.tables = (struct my_patterns){0};
}

static void views_of_other_databases_are_made_where_these_are(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct notes notes = {0};

    mariadb_sql(fixture->conn, "CREATE DATABASE other; CREATE TABLE other.o (a int)");
    mariadb_sql(fixture->conn, "CREATE FUNCTION other.g() RETURNS int DETERMINISTIC RETURN 1");
    mariadb_sql(fixture->conn, "CREATE VIEW b_far AS SELECT a FROM other.o");
    mariadb_sql(fixture->conn, "CREATE VIEW a_by_view AS SELECT 1 AS b_far FROM x1 JOIN b_far");
    mariadb_sql(fixture->conn, "CREATE VIEW c_calls AS SELECT other.g() AS g");
    mariadb_sql(fixture->conn, "CREATE VIEW d_near AS SELECT 1 AS b_far");
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    stay_auto_str char *recorded = facts_of(fixture->conn, "shop", &ddl);
    json_t *tables = list_of(&ddl);
    const struct my_apply apply = {.tables = tables,
                                   .objects = ddl.objects,
                                   .from = "shop",
                                   .into = "copy",
                                   .note = note,
                                   .ctx = &notes};
    mariadb_sql(fixture->conn, "DROP DATABASE other");
    apply_all(fixture->conn, &apply);
    stay_auto_str char *said = stay_buf_take(&notes.text);
    stay_auto_str char *expected = stay_strf(
        "view b_far: not made: it uses another database: MariaDB on %1$s: make the view b_far: "
        "Table 'other.o' doesn't exist\n"
        "view a_by_view: not made: it uses another database: MariaDB on %1$s: make the view "
        "a_by_view: Table 'copy.b_far' doesn't exist\n"
        "view broken: not made: it could not be used when it was backed up: View 'shop.broken' "
        "references invalid table(s) or column(s) or function(s) or definer/invoker of view lack "
        "rights to use them\n"
        "view c_calls: not made: it uses another database: MariaDB on %1$s: make the view c_calls: "
        "FUNCTION other.g does not exist\n",
        fixture->server->socket);
    assert_string_equal(said, expected);
    assert_non_null(strstr(recorded, "count:views=5\n"));
    stay_auto_str char *restored = facts_of(fixture->conn, "copy", NULL);
    assert_string_equal(restored, recorded);
    json_decref(tables);
    my_ddl_free(&ddl);
}

static void foreign_keys_that_a_server_writes_wrong_are_written_anew(void **state)
{
    static const char right[] =
        "CREATE TABLE `c``` (\n  `x``` int(11) DEFAULT NULL,\n  `y` int(11) DEFAULT NULL COMMENT "
        "'x',\n  KEY `odd ``fk``, (x)` (`x```,`y`),\n"
        "  CONSTRAINT `odd ``fk``, (x)` FOREIGN KEY (`x```, `y`) REFERENCES `we``p` (`i``d`, `y`) "
        "ON "
        "DELETE CASCADE,\n  CONSTRAINT `plain` FOREIGN KEY (`y`) REFERENCES `x1` (`a`)\n"
        ") ENGINE=InnoDB";
    static const char wrong[] =
        "CREATE TABLE `c``` (\n  `x``` int(11) DEFAULT NULL,\n  `y` int(11) DEFAULT NULL COMMENT "
        "'x',\n  KEY `odd ``fk``, (x)` (`x```,`y`),\n"
        "  CONSTRAINT `odd `fk`, (x)` FOREIGN KEY (`x``, `y`) REFERENCES `we``p` (`i`d`, `y`) ON "
        "DELETE CASCADE,\n  CONSTRAINT `plain` FOREIGN KEY (`y`) REFERENCES `x1` (`a`)\n"
        ") ENGINE=InnoDB";
    struct mariadb_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};

    mariadb_sql(fixture->conn,
                "CREATE TABLE `we``p` (`i``d` int, y int, PRIMARY KEY (`i``d`, y));"
                "CREATE TABLE `c``` (`x``` int, y int, CONSTRAINT `odd ``fk``, (x)` FOREIGN KEY "
                "(`x```, y) REFERENCES `we``p` (`i``d`, y) ON DELETE CASCADE, CONSTRAINT plain "
                "FOREIGN KEY (y) REFERENCES x1 (a))");
    stay_auto_str char *a = my_create_repaired(fixture->conn, "shop", "c`", wrong, &err);
    assert_string_equal(a, right);
    stay_auto_str char *b = my_create_repaired(fixture->conn, "shop", "c`", right, &err);
    assert_string_equal(b, right);
}

static void without_owners_everything_belongs_to_who_restores(void **state)
{
    struct mariadb_fixture *fixture = *state;
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    json_t *tables = list_of(&ddl);
    const struct my_apply apply = {.tables = tables,
                                   .objects = ddl.objects,
                                   .from = "shop",
                                   .into = "copy",
                                   .no_owner = true,
                                   .no_events = true};

    apply_all(fixture->conn, &apply);
    stay_auto_str char *others = mariadb_value(
        fixture->conn,
        "SELECT (SELECT count(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'copy' AND"
        " DEFINER <> 'root@localhost') + (SELECT count(*) FROM information_schema.VIEWS WHERE"
        " TABLE_SCHEMA = 'copy' AND DEFINER <> 'root@localhost') + (SELECT count(*) FROM"
        " information_schema.EVENTS WHERE EVENT_SCHEMA = 'copy' AND STATUS = 'ENABLED')");
    assert_string_equal(others, "0");
    json_decref(tables);
    my_ddl_free(&ddl);
}

static void unwanted_objects_are_not_made(void **state)
{
    static const char *const unwanted[] = {"sequence", "function", "av", "parent", "daily"};
    struct mariadb_fixture *fixture = *state;
    struct my_ddl ddl = read_ddl(fixture->conn, "shop");
    struct notes notes = {0};
    struct backstay_error err = {.size = sizeof err};
    json_t *none = json_array();
    const struct my_apply apply = {.tables = none,
                                   .objects = ddl.objects,
                                   .from = "shop",
                                   .into = "copy",
                                   .wants = wants,
                                   .ctx = &notes};

    assert_ok(my_apply_session(fixture->conn, &err), err);
    assert_ok(my_apply_database(fixture->conn, &apply, &err), err);
    notes.unwanted = unwanted[0];
    assert_ok(my_apply_sequences(fixture->conn, &apply, &err), err);
    notes.unwanted = unwanted[1];
    assert_ok(my_apply_routines(fixture->conn, &apply, &err), err);
    notes.unwanted = unwanted[3];
    assert_ok(my_apply_triggers(fixture->conn, &apply, &err), err);
    notes.unwanted = unwanted[4];
    assert_ok(my_apply_events(fixture->conn, &apply, &err), err);
    stay_auto_str char *made = mariadb_value(
        fixture->conn,
        "SELECT concat((SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
        "'copy'), ' ', (SELECT count(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = "
        "'copy' AND ROUTINE_TYPE = 'FUNCTION'), ' ', (SELECT group_concat(EVENT_NAME ORDER BY 1) "
        "FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'copy'))");
    assert_string_equal(made, "0 0 ended,latin1_event,off,past");
    json_decref(none);
    my_ddl_free(&ddl);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_database_is_made_again_exactly, make_shop),
        cmocka_unit_test_setup(the_scripts_make_it_again_with_the_stock_client, make_shop),
        cmocka_unit_test_setup(a_copy_of_another_name_refers_to_itself_and_has_the_same_facts,
                               make_shop),
        cmocka_unit_test_setup(the_inventory_counts_what_there_is, make_shop),
        cmocka_unit_test_setup(views_of_other_databases_are_made_where_these_are, make_shop),
        cmocka_unit_test_setup(foreign_keys_that_a_server_writes_wrong_are_written_anew, make_shop),
        cmocka_unit_test_setup(without_owners_everything_belongs_to_who_restores, make_shop),
        cmocka_unit_test_setup(unwanted_objects_are_not_made, make_shop),
    };

    return cmocka_run_group_tests(tests, mariadb_fixture_make, mariadb_fixture_remove);
}
