/* tests/conformance/source/test_postgres_restore.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Restores that must not succeed: backups that were tampered with, sources that end half way,
 * servers that lack something. Each says what is wrong, and leaves nothing that looks whole.
 */
#include "postgres_fixture.h"
#include "support/fake_sink.h"

#include <stdlib.h>
#include <string.h>

static const char shop_sql[] =
    "CREATE ROLE keeper; CREATE TABLE public.orders (id int PRIMARY KEY, note text);"
    "INSERT INTO public.orders SELECT i, 'note ' || i FROM generate_series(1, 1000) i;"
    "CREATE TABLE public.items (of int REFERENCES public.orders, n int);"
    "INSERT INTO public.items SELECT i, i FROM generate_series(1, 1000) i;"
    "CREATE SEQUENCE public.numbers; ALTER TABLE public.items OWNER TO keeper;"
    "SELECT lo_from_bytea(4711, 'content');";

/* A backup of the database shop, in memory; every test restores a copy of its own. */
struct shop {
    struct postgres_fixture *fixture;
    struct fake_snapshot *snapshot;
    struct fake_feed feed;
    struct pg pg;
    char *scratch;
    char *location;
    ssize_t (*read)(struct backstay_feed *feed, struct backstay_reader *reader, void *data,
                    size_t len);
    size_t reads;
    enum { READ_ALL, READ_FAILS, READ_CANCELS } reading;
};

static struct shop *the_shop; /* for read_some(), which has no context of its own */

static ssize_t read_some(struct backstay_feed *feed, struct backstay_reader *reader, void *data,
                         size_t len)
{
    /* The documents come first; then there are rows. */
    if (the_shop->reading == READ_ALL || ++the_shop->reads < 12)
        return the_shop->read(feed, reader, data, STAY_MIN(len, (size_t)1 << 16));
    if (the_shop->reading == READ_CANCELS)
        the_shop->fixture->host.cancelled = 1;
    return -1;
}

static struct pg pg_of(struct shop *shop)
{
    return (struct pg){.host = &shop->fixture->host.abi,
                       .server_host = shop->fixture->server->folder,
                       .port = "5432",
                       .user = "postgres",
                       .database = "shop",
                       .jobs = 2,
                       .split_bytes = 1 << 28,
                       .globals = true,
                       .bin = shop->fixture->server->tools};
}

static void back_up(struct shop *shop)
{
    struct backstay_error err = {.size = sizeof err};
    struct fake_sink sink;

    shop->snapshot = fake_snapshot_new();
    fake_sink_init(&sink, shop->snapshot, NULL);
    assert_ok(pg_backup(&shop->pg, &sink.abi, &err), err);
    fake_sink_finish(&sink, 0);
    fake_sink_free(&sink);
}

static int begin(void **state)
{
    struct stay_err err = {0};
    struct shop *shop = stay_new(struct shop);

    if (postgres_fixture_make(state) != 0)
        return -1;
    shop->fixture = *state;
    assert_ok(stay_fs_make_scratch(&shop->scratch, "/tmp/backstay-restore-", &err), err);
    shop->fixture->host.abi.scratch_dir = shop->scratch;
    postgres_sql(shop->fixture->conn, shop_sql);
    shop->location =
        stay_strf("postgresql:///copy?host=%s&user=postgres", shop->fixture->server->folder);
    shop->pg = pg_of(shop);
    the_shop = shop;
    *state = shop;
    return 0;
}

static int end(void **state)
{
    struct shop *shop = *state;
    struct stay_err err = {0};

    assert_ok(stay_fs_remove_tree(shop->scratch, &err), err);
    free(shop->scratch);
    free(shop->location);
    *state = shop->fixture;
    free(shop);
    return postgres_fixture_remove(state);
}

static int begin_test(void **state)
{
    struct shop *shop = *state;

    shop->fixture->host.cancelled = 0;
    shop->reads = 0;
    shop->reading = READ_ALL;
    back_up(shop);
    fake_feed_init(&shop->feed, shop->snapshot);
    shop->read = shop->feed.abi.read;
    shop->feed.abi.read = read_some;
    return 0;
}

static int end_test(void **state)
{
    struct shop *shop = *state;

    postgres_sql(shop->fixture->conn, "DROP DATABASE IF EXISTS copy");
    fake_feed_free(&shop->feed);
    fake_snapshot_free(shop->snapshot);
    pg_copies_clear(&shop->pg);
    return 0;
}

static int restore(struct shop *shop, const struct backstay_pair *options, uint32_t n,
                   struct backstay_error *err)
{
    const struct backstay_target target = {
        .size = sizeof target, .location = shop->location, .options = options, .n_options = n};
    int r = pg_restore(&shop->pg, &target, &shop->feed.abi, err);

    fake_feed_finish(&shop->feed, r);
    assert_int_equal(shop->feed.violations.len, 0);
    return r;
}

/* The database of the restore is there or not. */
static void assert_copy(struct shop *shop, const char *expected)
{
    stay_auto_str char *there = postgres_value(
        shop->fixture->conn, "SELECT count(*) FROM pg_database WHERE datname LIKE 'copy%'");

    assert_string_equal(there, expected);
}

/* The restore fails with @expected, in which %s is the folder of the server; nothing is left. */
static void assert_refused(struct shop *shop, int kind, const char *expected)
{
    struct backstay_error err = {.size = sizeof err};
    const char *at = strstr(expected, "%s");
    stay_auto_str char *text = at ? stay_strf("%.*s%s%s", (int)(at - expected), expected,
                                              shop->fixture->server->folder, at + 2)
                                  : stay_strdup(expected);

    assert_int_equal(restore(shop, NULL, 0, &err), -1);
    shop->fixture->host.cancelled = 0;
    assert_error(err, kind, text);
    assert_copy(shop, "0");
}

/* ---- tampering */

static struct fake_entry *entry(struct shop *shop, const char *path)
{
    struct fake_entry *found = fake_snapshot_find(shop->snapshot, path);

    assert_non_null(found);
    return found;
}

static void replace_content(struct fake_entry *entry, const char *content, size_t len)
{
    char *old = entry->content;

    entry->content = stay_memdup(content, len);
    entry->content_len = len;
    free(old);
}

/* Sets member @key of the document @path; of its element @index when that is not negative. */
static void set_member(struct shop *shop, const char *path, int index, const char *key,
                       json_t *value)
{
    struct fake_entry *document = entry(shop, path);
    json_t *json = json_loadb(document->content, document->content_len, 0, NULL);

    assert_non_null(json);
    json_t *object = index < 0 ? json : json_array_get(json, (size_t)index);
    assert_int_equal(json_object_set_new(object, key, value), 0);
    char *text = json_dumps(json, 0);
    replace_content(document, text, strlen(text));
    free(text);
    json_decref(json);
}

/* Where tables.json has the table of this label. */
static int number_of(struct shop *shop, const char *label)
{
    struct fake_entry *document = entry(shop, "shop/tables.json");
    json_t *json = json_loadb(document->content, document->content_len, 0, NULL);
    size_t i = 0;

    while (i < json_array_size(json) &&
           strcmp(plug_json_get(json_array_get(json, i), "label"), label) != 0)
        i++;
    assert_in_range(i + 1, 1, json_array_size(json));
    json_decref(json);
    return (int)i;
}

/* ---- tests */

static void an_untouched_backup_is_restored(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};

    assert_ok(restore(shop, NULL, 0, &err), err);
    assert_copy(shop, "1");
    struct pg_conn *copy =
        postgres_connect(shop->fixture->server, &shop->fixture->host, "copy", "postgres");
    stay_auto_str char *found = postgres_value(
        copy, "SELECT count(*) || ' ' || sum(of) || ' ' || (SELECT count(note) FROM public.orders)"
              " || ' ' || pg_get_userbyid((SELECT relowner FROM pg_class WHERE relname = 'items'))"
              " || ' ' || convert_from(lo_get(4711), 'UTF8') FROM public.items");
    assert_string_equal(found, "1000 500500 1000 keeper content");
    pg_disconnect(copy);
}

static void a_row_that_is_gone_fails_the_restore(void **state)
{
    struct shop *shop = *state;
    struct fake_entry *rows = entry(shop, "shop/tables/public/items.copy");
    const char *second = strchr(rows->content, '\n') + 1;

    replace_content(rows, second, rows->content_len - (size_t)(second - rows->content));
    assert_refused(shop, BACKSTAY_ERR_CORRUPT,
                   "load table public.items: the server took 999 rows of 1000; the new database "
                   "copy was removed again");
}

static void a_row_that_the_server_refuses_is_named_with_its_table(void **state)
{
    struct shop *shop = *state;

    replace_content(entry(shop, "shop/tables/public/items.copy"), "1\tx\n", 4);
    assert_refused(shop, BACKSTAY_ERR_IO,
                   "load table public.items: database copy on %s: load rows: invalid input syntax "
                   "for type integer: \"x\"; the new database copy was removed again");
}

static void rows_that_break_a_foreign_key_fail_the_restore(void **state)
{
    struct shop *shop = *state;
    struct fake_entry *rows = entry(shop, "shop/tables/public/items.copy");

    memcpy(rows->content, "0", 1);
    assert_refused(
        shop, BACKSTAY_ERR_IO,
        "make FK CONSTRAINT public.items items_of_fkey: database copy on %s: ALTER TABLE "
        "ONLY public.items     ADD CONSTRAINT items_of_fkey FOREIGN KEY (of) REFERENCES "
        "public.orders(id);: insert or update on table \"items\" violates foreign key "
        "constraint \"items_of_fkey\"; Key (of)=(0) is not present in table \"orders\".; "
        "the new database copy was removed again");
}

static void every_table_that_fails_is_told(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};
    const char *problem;

    replace_content(entry(shop, "shop/tables/public/items.copy"), "x\t1\n", 4);
    replace_content(entry(shop, "shop/tables/public/orders.copy"), "x\t1\n", 4);
    assert_int_equal(restore(shop, NULL, 0, &err), -1);
    assert_non_null(strstr(err.text, "load table public."));
    assert_int_equal(fake_feed_problems(&shop->feed, &problem), 1);
    assert_non_null(strstr(problem, "load table public."));
    assert_copy(shop, "0");
}

static void rows_that_cannot_be_read_back_fail_the_restore(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};

    shop->reading = READ_FAILS;
    assert_int_equal(restore(shop, NULL, 0, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "cannot be read back"));
    assert_copy(shop, "0");
}

static void a_cancelled_restore_leaves_no_database(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};

    shop->reading = READ_CANCELS;
    assert_int_equal(restore(shop, NULL, 0, &err), -1);
    shop->fixture->host.cancelled = 0;
    assert_int_equal(err.kind, BACKSTAY_ERR_CANCELLED);
    assert_copy(shop, "0");
}

static void a_newer_backup_is_refused_before_anything_is_made(void **state)
{
    struct shop *shop = *state;
    stay_auto_str char *expected =
        stay_strf("shop is a backup of PostgreSQL 19 and database postgres on %%s is version %d, "
                  "which cannot load it; restore into version 19 or newer",
                  shop->fixture->server->major);

    set_member(shop, "shop/database.json", -1, "server_version_num", json_integer(190001));
    assert_refused(shop, BACKSTAY_ERR_CONFIG, expected);
}

static void roles_that_are_missing_are_named_before_anything_is_made(void **state)
{
    struct shop *shop = *state;

    set_member(shop, "shop/database.json", -1, "roles", json_pack("[s, s]", "ann", "bob o'k"));
    assert_refused(shop, BACKSTAY_ERR_CONFIG,
                   "database postgres on %s does not have the roles that own or may use something "
                   "in the backup: ann, bob o'k; create them (CREATE ROLE; globals.json of the "
                   "snapshot says how they were), or restore with --no-owner");
}

static void extensions_that_are_missing_are_named_before_anything_is_made(void **state)
{
    struct shop *shop = *state;
    stay_auto_str char *expected = stay_strf(
        "database postgres on %%s does not have the extensions that the backup needs: nowhere; "
        "install their packages (postgresql-%d-NAME, or postgresql-contrib) on its host",
        shop->fixture->server->major);

    set_member(
        shop, "shop/database.json", -1, "extensions",
        json_pack("[{s:s, s:s, s:s}]", "name", "nowhere", "version", "1", "schema", "public"));
    assert_refused(shop, BACKSTAY_ERR_CONFIG, expected);
}

static void an_archive_that_is_none_is_refused_before_anything_is_made(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};

    replace_content(entry(shop, "shop/schema.dump"), "nothing", 7);
    assert_int_equal(restore(shop, NULL, 0, &err), -1);
    assert_int_equal(err.kind, BACKSTAY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "cannot read schema.dump: pg_restore: error:"));
    assert_copy(shop, "0");
}

static void documents_that_are_none_are_refused(void **state)
{
    struct shop *shop = *state;

    replace_content(entry(shop, "shop/tables.json"), "{}", 2);
    assert_refused(shop, BACKSTAY_ERR_CORRUPT, "the documents of shop/ are not as they must be");
}

static void rows_that_were_left_out_are_missed(void **state)
{
    struct shop *shop = *state;

    set_member(shop, "shop/tables.json", number_of(shop, "public.items"), "files",
               json_pack("[{s:s, s:i}]", "path", "tables/public/gone.copy", "bytes", 1));
    assert_refused(
        shop, BACKSTAY_ERR_CONFIG,
        "load table public.items: its rows are not among the entries to restore; the new "
        "database copy was removed again");
}

static void a_place_that_is_no_url_is_refused_without_repeating_it(void **state)
{
    struct shop *shop = *state;
    stay_auto_str char *location = shop->location;

    shop->location = stay_strdup("postgresql://user:secret@[host/x");
    assert_refused(shop, BACKSTAY_ERR_CONFIG,
                   "the place to restore to is no connection of PostgreSQL; write "
                   "postgresql://user@host/database");
    free(shop->location);
    shop->location = stay_steal(&location);
}

static void a_url_without_a_database_is_refused(void **state)
{
    struct shop *shop = *state;
    stay_auto_str char *location = shop->location;

    shop->location = stay_strf("host=%s user=postgres", shop->fixture->server->folder);
    assert_refused(
        shop, BACKSTAY_ERR_CONFIG,
        "the url names no database to restore into; write postgresql://user@host/shop or "
        "another name");
    free(shop->location);
    shop->location = stay_steal(&location);
}

static void a_choice_of_what_is_not_there_is_refused(void **state)
{
    struct shop *shop = *state;
    struct backstay_error err = {.size = sizeof err};
    const struct backstay_pair table = {"table", "orders"};
    const struct backstay_pair database = {"database", "other"};

    assert_int_equal(restore(shop, &table, 1, &err), -1);
    assert_error(
        err, BACKSTAY_ERR_CONFIG,
        "the snapshot of shop has no table \"orders\"; names are written schema.table, such "
        "as public.orders");
    assert_int_equal(restore(shop, &database, 1, &err), -1);
    assert_error(err, BACKSTAY_ERR_CONFIG, "the snapshot has no database other");
    assert_copy(shop, "0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_test, end_test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_backup_is_restored),
        TEST(a_row_that_is_gone_fails_the_restore),
        TEST(a_row_that_the_server_refuses_is_named_with_its_table),
        TEST(rows_that_break_a_foreign_key_fail_the_restore),
        TEST(every_table_that_fails_is_told),
        TEST(rows_that_cannot_be_read_back_fail_the_restore),
        TEST(a_cancelled_restore_leaves_no_database),
        TEST(a_newer_backup_is_refused_before_anything_is_made),
        TEST(roles_that_are_missing_are_named_before_anything_is_made),
        TEST(extensions_that_are_missing_are_named_before_anything_is_made),
        TEST(an_archive_that_is_none_is_refused_before_anything_is_made),
        TEST(documents_that_are_none_are_refused),
        TEST(rows_that_were_left_out_are_missed),
        TEST(a_place_that_is_no_url_is_refused_without_repeating_it),
        TEST(a_url_without_a_database_is_refused),
        TEST(a_choice_of_what_is_not_there_is_refused),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
