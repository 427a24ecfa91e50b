/* tests/conformance/source/test_mysql_texts.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The texts of SHOW CREATE: taken apart, and changed where a restore changes them.
 */
#include "source/mysql/create.h"
#include "source/mysql/ddl.h"
#include "source/mysql/ddl_lex.h"
#include "source/mysql/ddl_rewrite.h"
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- tables */

/* Lines "bare ...", "key ...", "foreign key ...": what becomes of a table. */
static char *split(const char *create)
{
    json_t *parts = my_create_split(create);
    struct plug_bytes out = {0};
    const json_t *text;
    size_t i;

    plug_bytes_format(&out, "%s\n", plug_json_get(parts, "create_bare"));
    json_array_foreach(json_object_get(parts, "keys"), i, text)
        plug_bytes_format(&out, "later: %s\n", json_string_value(text));
    json_array_foreach(json_object_get(parts, "foreign_keys"), i, text)
        plug_bytes_format(&out, "last: %s\n", json_string_value(text));
    json_decref(parts);
    return out.data;
}

static void assert_split(const char *create, const char *expected)
{
    PLUG_AUTO_FREE char *text = split(create);

    assert_string_equal(text, expected);
}

#define TAIL "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"

static void keys_and_foreign_keys_are_taken_out(void **state)
{
    (void)state;
    assert_split(
        "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int,\n  PRIMARY KEY (`a`),\n"
        "  UNIQUE KEY `u` (`b`),\n  KEY `k` (`b`,`a`),\n  FULLTEXT KEY `f` (`c`),\n"
        "  CONSTRAINT `fk` FOREIGN KEY (`b`) REFERENCES `p` (`id`) ON DELETE CASCADE,\n"
        "  CONSTRAINT `c` CHECK (`a` > 0)" TAIL,
        "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int,\n  PRIMARY KEY (`a`),\n"
        "  CONSTRAINT `c` CHECK (`a` > 0)" TAIL "\n"
        "later: UNIQUE KEY `u` (`b`)\n"
        "later: KEY `k` (`b`,`a`)\n"
        "later: FULLTEXT KEY `f` (`c`)\n"
        "last: CONSTRAINT `fk` FOREIGN KEY (`b`) REFERENCES `p` (`id`) ON DELETE CASCADE\n");
}

static void names_comments_and_constants_that_look_like_keys_are_none(void **state)
{
    (void)state;
    assert_split("CREATE TABLE `t``(` (\n"
                 "  `a,\n  KEY `` (` int DEFAULT 1 COMMENT 'x,\n  KEY `k` (`a`),\n  it''s \\' )',\n"
                 "  `e` enum('a,','\n) ENGINE=') DEFAULT 'a,',\n"
                 "  KEY `k)` (`e`) COMMENT ',\n  KEY `z` (`e`)'" TAIL " COMMENT=',\n  KEY (`a`)'",
                 "CREATE TABLE `t``(` (\n"
                 "  `a,\n  KEY `` (` int DEFAULT 1 COMMENT 'x,\n  KEY `k` (`a`),\n  it''s \\' )',\n"
                 "  `e` enum('a,','\n) ENGINE=') DEFAULT 'a,'" TAIL " COMMENT=',\n  KEY (`a`)'\n"
                 "later: KEY `k)` (`e`) COMMENT ',\n  KEY `z` (`e`)'\n");
}

static void the_key_of_a_counter_stays_with_those_before_it(void **state)
{
    (void)state;
    assert_split("CREATE TABLE `t` (\n  `a` int,\n  `b` int NOT NULL AUTO_INCREMENT,\n"
                 "  UNIQUE KEY `u` (`a`),\n  KEY `k1` (`a`),\n  KEY `k2` (`b`,`a`),\n"
                 "  KEY `k3` (`b`)" TAIL " AUTO_INCREMENT=7",
                 "CREATE TABLE `t` (\n  `a` int,\n  `b` int NOT NULL AUTO_INCREMENT,\n"
                 "  KEY `k1` (`a`),\n  KEY `k2` (`b`,`a`)" TAIL " AUTO_INCREMENT=7\n"
                 "later: UNIQUE KEY `u` (`a`)\n"
                 "later: KEY `k3` (`b`)\n");
}

static void a_unique_key_that_orders_the_rows_stays(void **state)
{
    (void)state;
    assert_split("CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int,\n  UNIQUE KEY `u` (`a`),\n"
                 "  UNIQUE KEY `v` (`b`)" TAIL,
                 "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int,\n  UNIQUE KEY `u` (`a`)" TAIL
                 "\nlater: UNIQUE KEY `v` (`b`)\n");
}

static void unique_keys_of_partitioned_tables_stay(void **state)
{
    static const char create[] = "CREATE TABLE `t` (\n  `a` int,\n  UNIQUE KEY `u` (`a`)" TAIL
                                 "\n/*!50100 PARTITION BY KEY ()\nPARTITIONS 3 */";
    PLUG_AUTO_FREE char *expected = plug_strf("%s\n", create);

    (void)state;
    assert_split(create, expected);
}

static void a_foreign_key_on_the_base_of_a_stored_column_stays_with_all_keys(void **state)
{
    static const char create[] =
        "CREATE TABLE `t` (\n  `a` int,\n  `s` int GENERATED ALWAYS AS (`a` + 1) STORED,\n"
        "  KEY `k` (`a`),\n"
        "  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`)" TAIL;
    PLUG_AUTO_FREE char *expected = plug_strf("%s\n", create);

    (void)state;
    assert_split(create, expected);
}

static void keys_of_other_engines_stay(void **state)
{
    static const char create[] =
        "CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`)\n) ENGINE=MEMORY DEFAULT CHARSET=latin1";
    PLUG_AUTO_FREE char *expected = plug_strf("%s\n", create);

    (void)state;
    assert_split(create, expected);
}

static void a_column_does_not_get_the_collation_of_its_table_by_name(void **state)
{
    (void)state;
    assert_split(
        "CREATE TABLE `t` (\n  `a` text COLLATE utf8mb4_bin,\n"
        "  `b` char(1) COLLATE utf8mb4_bin GENERATED ALWAYS AS ((`a` collate utf8mb4_bin)) "
        "VIRTUAL,\n  `c` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,\n"
        "  `d` text COLLATE utf8mb4_general_ci,\n  `e` text COMMENT ' COLLATE utf8mb4_bin'"
        "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        "CREATE TABLE `t` (\n  `a` text,\n"
        "  `b` char(1) GENERATED ALWAYS AS ((`a` collate utf8mb4_bin)) "
        "VIRTUAL,\n  `c` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,\n"
        "  `d` text COLLATE utf8mb4_general_ci,\n  `e` text COMMENT ' COLLATE utf8mb4_bin'"
        "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin\n");
}

static void a_text_that_is_not_understood_stays_whole(void **state)
{
    static const char *const texts[] = {
        "",
        "CREATE TABLE `t` (",
        "CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`",
        "CREATE TABLE `t` (\n  `a` int, KEY `k` (`a`)" TAIL,
        "CREATE TABLE `t` (\n  `a` int DEFAULT 'x,\n  KEY `k` (`a`)" TAIL,
        "CREATE TABLE `t` (\n  `a` int,\n  NEWER KEY `k` (`a`)" TAIL,
        "CREATE TABLE `t` (\n  `a` int,\n  UNIQUE NEWER `k` (`a`)" TAIL,
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        PLUG_AUTO_FREE char *expected = plug_strf("%s\n", texts[i]);
        assert_split(texts[i], expected);
    }
}

static void constants_that_are_no_text_become_hexadecimal(void **state)
{
    PLUG_AUTO_FREE char *text = my_create_portable("`a` varbinary(9) DEFAULT '\xff\\0\\n\\\\''x',"
                                                   " `b` text DEFAULT '\xc3\xa9'");

    (void)state;
    assert_string_equal(text, "`a` varbinary(9) DEFAULT X'FF000A5C2778',"
                              " `b` text DEFAULT '\xc3\xa9'");
}

static void what_a_table_has_is_counted(void **state)
{
    const struct my_create_counts counts = my_create_count(
        "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `g` int GENERATED ALWAYS AS (`a`) VIRTUAL,\n"
        "  PRIMARY KEY (`a`),\n  KEY `k` (`g`),\n"
        "  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`),\n"
        "  CONSTRAINT `c` CHECK (`a` > 0)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING\n"
        " PARTITION BY RANGE (`a`)\n(PARTITION `p0` VALUES LESS THAN (1) ENGINE = InnoDB,\n"
        " PARTITION `p1` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)");

    (void)state;
    assert_int_equal(counts.columns, 2);
    assert_int_equal(counts.generated, 1);
    assert_int_equal(counts.indexes, 2);
    assert_int_equal(counts.foreign_keys, 1);
    assert_int_equal(counts.checks, 1);
    assert_int_equal(counts.partitions, 2);
    assert_int_equal(counts.versioned, 1);
}

static void a_default_from_a_sequence_moves_with_the_database(void **state)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    const char *const names[] = {"shop", "new`shop"};

    (void)state;
    my_add_table_moved(&out,
                       "CREATE TABLE `shop` (\n  `shop` int DEFAULT nextval(`shop`.`s`) COMMENT "
                       "'(`shop`.x',\n  KEY `shop` (`shop`)\n)",
                       names);
    assert_string_equal(out.data,
                        "CREATE TABLE `shop` (\n  `shop` int DEFAULT nextval(`new``shop`.`s`) "
                        "COMMENT '(`shop`.x',\n  KEY `shop` (`shop`)\n)");
}

/* ---------------------------------------------------------------- definers */

static void assert_without_definer(const char *sql, const char *expected)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    struct my_span span;

    if (!my_find_definer(sql, strlen(sql), &span))
        fail_msg("no DEFINER is found in: %s", sql);
    my_add_replaced(&out, sql, strlen(sql), &span, "");
    assert_string_equal(out.data, expected);
}

static void definers_of_any_name_are_found(void **state)
{
    (void)state;
    assert_without_definer("CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nselect 1",
                           "CREATE PROCEDURE `p`()\nselect 1");
    assert_without_definer("CREATE DEFINER=`a``b c@d'\"`@`%` FUNCTION `f`() RETURNS int return 1",
                           "CREATE FUNCTION `f`() RETURNS int return 1");
    assert_without_definer("CREATE DEFINER=\"a\"\"b`\\\\\"@\"h\" PROCEDURE \"p\"() x",
                           "CREATE PROCEDURE \"p\"() x");
    assert_without_definer("CREATE ALGORITHM=UNDEFINED DEFINER=`u`@`h` SQL SECURITY DEFINER VIEW "
                           "`v` AS select 'DEFINER=`x`@`y`'",
                           "CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `v` AS select "
                           "'DEFINER=`x`@`y`'");
    assert_without_definer("CREATE OR REPLACE DEFINER = role AGGREGATE FUNCTION f() x",
                           "CREATE OR REPLACE AGGREGATE FUNCTION f() x");
    assert_without_definer("create definer=current_user() trigger t before insert on x for each "
                           "row set @a=1",
                           "create trigger t before insert on x for each row set @a=1");
    assert_without_definer("CREATE /* DEFINER=`no`@`no` */ DEFINER=`\xc3\xbc`@`` EVENT `e` DO x",
                           "CREATE /* DEFINER=`no`@`no` */ EVENT `e` DO x");
}

static void a_definer_elsewhere_is_none(void **state)
{
    static const char *const texts[] = {
        "CREATE PROCEDURE `p`()\nSQL SECURITY DEFINER select 'DEFINER=`a`@`b`'",
        "CREATE VIEW `DEFINER=a` AS select `DEFINER` from `t` where `DEFINER`=`a`",
        "CREATE DEFINER",
        "CREATE DEFINER=",
        "CREATE DEFINER=`never ends",
        "",
    };
    struct my_span span;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(my_find_definer(texts[i], strlen(texts[i]), &span));
}

/* ---------------------------------------------------------------- events, triggers */

static void assert_status(const char *sql, const char *expected)
{
    struct my_span span;

    assert_true(my_find_event_status(sql, strlen(sql), &span));
    PLUG_AUTO_FREE char *status = plug_strf("%.*s", (int)span.len, sql + span.at);
    assert_string_equal(status, expected);
}

static void the_status_of_an_event_is_found(void **state)
{
    struct my_span span;

    (void)state;
    assert_status("CREATE DEFINER=`a`@`b` EVENT `ON COMPLETION PRESERVE DISABLE` ON SCHEDULE EVERY "
                  "'1:2' DAY_MINUTE STARTS '2020-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE "
                  "COMMENT 'DISABLE' DO x",
                  "ENABLE");
    assert_status("CREATE EVENT `e` ON SCHEDULE AT '2035-01-01' ON COMPLETION PRESERVE DISABLE ON "
                  "SLAVE DO x",
                  "DISABLE ON SLAVE");
    assert_status("CREATE EVENT `e` ON SCHEDULE AT '2035-01-01' ON COMPLETION PRESERVE DISABLE ON "
                  "REPLICA DO x",
                  "DISABLE ON REPLICA");
    assert_status("CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE DO x",
                  "DISABLE");
    assert_false(my_find_event_status("CREATE EVENT `e` DO x", 21, &span));
}

static void assert_trigger(const char *sql, const char *expected)
{
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    my_add_trigger_moved(&out, sql, strlen(sql), "shop");
    assert_string_equal(out.data, expected);
}

static void a_trigger_loses_the_database_in_its_head_alone(void **state)
{
    (void)state;
    assert_trigger("CREATE DEFINER=`a`@`b` TRIGGER `shop`.`t` BEFORE INSERT ON shop.x FOR EACH ROW "
                   "insert into shop.y values (1)",
                   "CREATE DEFINER=`a`@`b` TRIGGER `t` BEFORE INSERT ON x FOR EACH ROW "
                   "insert into shop.y values (1)");
    assert_trigger("CREATE trigger if not exists t after update on /* on shop.z */ `shop` . `x` "
                   "for each row set @a = 1",
                   "CREATE trigger if not exists t after update on /* on shop.z */ `x` "
                   "for each row set @a = 1");
    assert_trigger("CREATE TRIGGER other.t BEFORE DELETE ON `shop` FOR EACH ROW set @a = 1",
                   "CREATE TRIGGER other.t BEFORE DELETE ON `shop` FOR EACH ROW set @a = 1");
}

static void comments_lose_their_backslashes(void **state)
{
    static const char sql[] = "CREATE PROCEDURE `p`()\n    COMMENT 'it''s \\\\ \\'x'\nselect 'y'";
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    struct my_span span;

    (void)state;
    assert_true(my_find_comment(sql, strlen(sql), &span));
    my_add_unescaped(&out, sql + span.at, span.len);
    assert_string_equal(out.data, "'it''s \\ ''x'");
    assert_false(my_find_comment("CREATE PROCEDURE `p`() select 1", 31, &span));
}

/* ---------------------------------------------------------------- views */

static void assert_view(const char *body, const char *expected)
{
    const char *const names[] = {"shop", "copy"};
    PLUG_AUTO_BYTES struct plug_bytes out = {0};
    PLUG_AUTO_FREE char *sql = plug_strf("CREATE VIEW `v` AS %s", body);
    PLUG_AUTO_FREE char *wanted = plug_strf("CREATE VIEW `v` AS %s", expected);

    assert_int_equal(my_add_view_moved(&out, sql, strlen(sql), names), 0);
    assert_string_equal(out.data, wanted);
}

static void a_view_that_names_databases_moves_with_its_own(void **state)
{
    (void)state;
    assert_view("select `shop`.`t`.`a` AS `shop`,`o`.`shop`.`b` AS `b` from (`shop`.`t` join "
                "`o`.`shop`)",
                "select `copy`.`t`.`a` AS `shop`,`o`.`shop`.`b` AS `b` from (`copy`.`t` join "
                "`o`.`shop`)");
    assert_view(
        "select trim(leading 'x' from `q`.`a`) AS `a` from ((`shop`.`t` `q` join `o`.`o`))",
        "select trim(leading 'x' from `q`.`a`) AS `a` from ((`copy`.`t` `q` join `o`.`o`))");
    assert_view("with q as (select 1 AS `x`) select `q`.`x` AS `x`,`shop`.`f`(2) AS `y` from `q` "
                "where exists(select 1 from `shop`.`t`)",
                "with q as (select 1 AS `x`) select `q`.`x` AS `x`,`copy`.`f`(2) AS `y` from `q` "
                "where exists(select 1 from `copy`.`t`)");
}

static void a_view_of_its_own_database_keeps_a_table_of_that_name(void **state)
{
    (void)state;
    assert_view("select `shop`.`a` AS `a`,`shop`.`f`(`shop`.`b`) AS `f`,"
                "extract(year from `shop`.`d`) AS `y` from `shop`",
                "select `shop`.`a` AS `a`,`copy`.`f`(`shop`.`b`) AS `f`,"
                "extract(year from `shop`.`d`) AS `y` from `shop`");
    assert_view("select '`shop`.`t`' AS `from ``shop``.x`",
                "select '`shop`.`t`' AS `from ``shop``.x`");
}

static void a_view_whose_alias_is_the_database_is_refused(void **state)
{
    static const char sql[] =
        "CREATE VIEW `v` AS select `shop`.`a` AS `a` from (`o`.`t` `shop` join `shop`.`u`)";
    const char *const names[] = {"shop", "copy"};
    PLUG_AUTO_BYTES struct plug_bytes out = {0};

    (void)state;
    assert_int_equal(my_add_view_moved(&out, sql, strlen(sql), names), -1);
}

static bool elsewhere(const char *body)
{
    PLUG_AUTO_FREE char *sql = plug_strf("CREATE VIEW `v` AS %s", body);

    return my_view_is_elsewhere(sql, strlen(sql), "shop");
}

static void views_of_other_databases_are_known(void **state)
{
    (void)state;
    assert_true(elsewhere("select `o`.`a` AS `a` from (`shop`.`t` join `other`.`o`)"));
    assert_true(elsewhere("select `other`.`f`(1) AS `f`"));
    assert_false(elsewhere("select `shop`.`f`(1) AS `f` from `t`"));
    assert_false(elsewhere("select extract(year from `t`.`d`) AS `other` from `t`"));
    assert_false(elsewhere("select 'from `a`.`b`' AS `from `"));
}

static bool uses(const char *body)
{
    PLUG_AUTO_FREE char *sql = plug_strf("CREATE VIEW `w` AS %s", body);

    return my_view_uses(sql, strlen(sql), "w");
}

static void a_view_uses_what_it_reads_from(void **state)
{
    (void)state;
    assert_true(uses("select `w`.`a` AS `a` from `w`"));
    assert_true(uses("select 1 AS `1` from (`t` join `w` `x` on(`x`.`a` = `t`.`a`))"));
    assert_true(uses("select 1 AS `1` from `t` where exists(select 1 from `w` limit 1)"));
    assert_false(uses("select `t`.`w` AS `w` from `t`"));
    assert_false(uses("select `w`.`a` AS `a` from `t` `w`"));
    assert_false(uses("select 'from `w`' AS `a` from `t`"));
}

/* ---------------------------------------------------------------- documents */

static void bytes_that_are_no_text_come_back(void **state)
{
    static const char latin1[] = "CREATE PROCEDURE `p`() select '\xe9'";
    json_t *object = json_object();
    size_t len;

    (void)state;
    (void)json_object_set_new(object, "latin1", plug_json_text(latin1));
    (void)json_object_set_new(object, "utf8", plug_json_text("select '\xc3\xa9'"));
    (void)json_object_set_new(object, "odd", json_string("\\xzz"));
    PLUG_AUTO_FREE char *a = my_ddl_text(object, "latin1", &len);
    assert_string_equal(a, latin1);
    assert_int_equal(len, strlen(latin1));
    PLUG_AUTO_FREE char *b = my_ddl_text(object, "utf8", &len);
    assert_string_equal(b, "select '\xc3\xa9'");
    PLUG_AUTO_FREE char *c = my_ddl_text(object, "odd", &len);
    assert_string_equal(c, "\\xzz");
    assert_int_equal(len, 4);
    json_decref(object);
}

static void cells_find_their_columns(void **state)
{
    json_t *table =
        json_pack("{s:[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s}]}", "columns", "name", "a", "as", "text",
                  "name", "b`", "as", "hex", "name", "c", "as", "@v + @v", "name", "d");
    PLUG_AUTO_FREE char *sql = my_script_load(table, "`t`", "it's.tsv");
    PLUG_AUTO_FREE char *none = my_script_load(NULL, "`t`", "x");

    (void)state;
    assert_string_equal(sql,
                        "LOAD DATA LOCAL INFILE 'it\\'s.tsv' INTO TABLE `t` CHARACTER SET utf8mb4"
                        " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
                        " (`a`, @v1, @v2, `d`) SET `b``` = UNHEX(@v1), `c` = @v2 + @v2");
    assert_string_equal(none,
                        "LOAD DATA LOCAL INFILE 'x' INTO TABLE `t` CHARACTER SET utf8mb4"
                        " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
                        " (@none)");
    json_decref(table);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_foreign_keys_are_taken_out),
        cmocka_unit_test(names_comments_and_constants_that_look_like_keys_are_none),
        cmocka_unit_test(the_key_of_a_counter_stays_with_those_before_it),
        cmocka_unit_test(a_unique_key_that_orders_the_rows_stays),
        cmocka_unit_test(unique_keys_of_partitioned_tables_stay),
        cmocka_unit_test(a_foreign_key_on_the_base_of_a_stored_column_stays_with_all_keys),
        cmocka_unit_test(keys_of_other_engines_stay),
        cmocka_unit_test(a_column_does_not_get_the_collation_of_its_table_by_name),
        cmocka_unit_test(a_text_that_is_not_understood_stays_whole),
        cmocka_unit_test(constants_that_are_no_text_become_hexadecimal),
        cmocka_unit_test(what_a_table_has_is_counted),
        cmocka_unit_test(a_default_from_a_sequence_moves_with_the_database),
        cmocka_unit_test(definers_of_any_name_are_found),
        cmocka_unit_test(a_definer_elsewhere_is_none),
        cmocka_unit_test(the_status_of_an_event_is_found),
        cmocka_unit_test(a_trigger_loses_the_database_in_its_head_alone),
        cmocka_unit_test(comments_lose_their_backslashes),
        cmocka_unit_test(a_view_that_names_databases_moves_with_its_own),
        cmocka_unit_test(a_view_of_its_own_database_keeps_a_table_of_that_name),
        cmocka_unit_test(a_view_whose_alias_is_the_database_is_refused),
        cmocka_unit_test(views_of_other_databases_are_known),
        cmocka_unit_test(a_view_uses_what_it_reads_from),
        cmocka_unit_test(bytes_that_are_no_text_come_back),
        cmocka_unit_test(cells_find_their_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
