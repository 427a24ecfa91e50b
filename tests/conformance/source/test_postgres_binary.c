/* tests/conformance/source/test_postgres_binary.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows that are turned from text into COPY's binary format: a real server must find in them exactly
 * what it has written.
 */
#include "postgres_fixture.h"
#include "source/postgres/load_binary.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 777 }; /* rows are cut anywhere */

static struct stay_buf text_of(struct pg_conn *conn, const char *table)
{
    stay_auto_str char *sql = stay_strf("COPY %s TO STDOUT", table);
    struct backstay_error err = {.size = sizeof err};
    struct stay_buf text = {0};
    char *row;
    int n;

    assert_ok(pg_copy_begin(conn, &err, sql), err);
    while ((n = pg_copy_row(conn, &row, &err)) > 0) {
        stay_buf_add(&text, row, (size_t)n);
        PQfreemem(row);
    }
    assert_ok(n, err);
    return text;
}

/* @return whether all of @text could be turned; it is then in @binary->out. */
static bool turn(struct pg_binary *binary, const struct stay_buf *text)
{
    bool usual = true;

    pg_binary_start(binary);
    for (size_t at = 0; at < text->len && usual; at += PIECE) {
        size_t n = STAY_MIN((size_t)PIECE, text->len - at);
        usual = pg_binary_add(binary, (const char *)text->data + at, n) == 0;
    }
    usual = usual && pg_binary_end(binary) == 0;
    return usual;
}

/* Fills public.b with the rows of public.a through the binary format, and compares. */
static void assert_same_through_binary(struct pg_conn *conn, const char *columns)
{
    struct backstay_error err = {.size = sizeof err};
    struct pg_binary binary;
    struct stay_buf text = text_of(conn, "public.a");
    int64_t rows;

    assert_int_equal(pg_binary_begin(&binary, conn, "public.b", columns, &err), 0);
    assert_true(turn(&binary, &text));
    assert_ok(pg_copy_begin(conn, &err, "COPY public.b FROM STDIN (FORMAT binary)"), err);
    assert_ok(pg_copy_send(conn, binary.out.data, binary.out.len, &err), err);
    assert_ok(pg_copy_done(conn, NULL, &rows, &err), err);
    struct stay_buf copy = text_of(conn, "public.b");
    stay_buf_add(&text, "", 1);
    stay_buf_add(&copy, "", 1);
    assert_string_equal((char *)copy.data, (char *)text.data);
    stay_buf_free(&copy);
    stay_buf_free(&text);
    pg_binary_free(&binary);
    postgres_sql(conn, "DROP TABLE public.a, public.b");
}

/* A table of one column of type @type with @values, and an empty one like it. */
static void make(struct pg_conn *conn, const char *type, const char *values)
{
    stay_auto_str char *sql =
        stay_strf("CREATE TABLE public.a (v %s); CREATE TABLE public.b (v %s);"
                  "INSERT INTO public.a VALUES (NULL); "
                  "INSERT INTO public.a SELECT v::%s FROM (%s) x(v);",
                  type, type, type, values);

    postgres_sql(conn, sql);
}

static void values_come_through_as_they_were(void **state)
{
    static const struct {
        const char *type;
        const char *values;
    } rows[] = {
        {"boolean", "VALUES ('t'), ('f')"},
        {"smallint", "VALUES (-32768), (32767), (0), (-1)"},
        {"integer", "VALUES (-2147483648), (2147483647), (0), (-1), (7)"},
        {"bigint", "VALUES ('-9223372036854775808'), ('9223372036854775807'), ('0'),"
                   " ('999999999999999999'), ('1000000000000000000'), ('-1000000000000000001')"},
        {"oid", "VALUES ('0'), ('4294967295')"},
        {"real", "VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('1e-45'), ('3.4028235e38'),"
                 " ('1.1754944e-38'), ('0.1'), ('16777217')"},
        {"double precision",
         "VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('5e-324'), ('0.1'),"
         " ('1.7976931348623157e308'), ('2.2250738585072014e-308'), ('123456789.123456789')"},
        {"double precision", "SELECT exp(i / 3.0)::text FROM generate_series(-900, 900) i"},
        {"numeric", "VALUES ('0'), ('0.00'), ('1'), ('-1'), ('10000'), ('9999'), ('0.0001'),"
                    " ('0.00001'), ('-12345.6789'), ('100000000.00000001'), ('NaN'), ('1e900'),"
                    " ('-0.5'), ('99999.9999'), ('1234567890123456789012345678901234567890')"},
        {"numeric",
         "SELECT (hashtext(i::text)::numeric * 10 ^ (i % 30 - 15))::numeric(60, 20)::text"
         " FROM generate_series(1, 2000) i"},
        {"numeric(12,2)", "SELECT (i / 100.0)::text FROM generate_series(-500, 500) i"},
        {"text", "VALUES (''), ('plain'), (E'a\\tb\\nc\\\\d\\re\\bf\\fg\\vh'), ('\\N'), ('\\.'),"
                 " ('Grüße 漢字 😀'), (repeat('x', 5000))"},
        {"varchar(5)", "VALUES ('abcde'), ('')"},
        {"char(8)", "VALUES ('a'), ('')"},
        {"json", "VALUES ('{\"a\":  [1, \"\\\\n\\t\"]}'), ('null')"},
        {"jsonb", "VALUES ('{\"a\":  [1, \"\\\\n\\\\u00e9\"]}'), ('null'), ('1e10')"},
        {"bytea", "SELECT string_agg(decode(lpad(to_hex(i), 2, '0'), 'hex'), '')::text"
                  " FROM generate_series(0, 255) i UNION ALL VALUES ('\\x'), ('\\x00')"},
        {"uuid",
         "VALUES ('00000000-0000-0000-0000-000000000000'),"
         " ('ffffffff-ffff-ffff-ffff-ffffffffffff'), ('A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11')"},
        {"date",
         "VALUES ('infinity'), ('-infinity'), ('0001-01-01'), ('9999-12-31'), ('2000-01-01'),"
         " ('1999-12-31'), ('2000-02-29'), ('1900-03-01'), ('1582-10-15')"},
        {"date", "SELECT ('0001-01-01'::date + i * 61)::text FROM generate_series(0, 50000) i"},
        {"timestamp", "VALUES ('infinity'), ('-infinity'), ('0001-01-01 00:00:00'),"
                      " ('9999-12-31 23:59:59.999999'), ('1999-12-31 23:59:59.5')"},
        {"timestamptz",
         "SELECT ('1900-01-01Z'::timestamptz + i * '17:03:11.000407'::interval)::text"
         " FROM generate_series(0, 20000) i UNION ALL VALUES ('infinity')"},
        {"public.mood", "VALUES ('good'), (E'very\\tbad')"},
        {"public.positive", "VALUES ('1'), ('77')"},
    };
    struct postgres_fixture *fixture = *state;

    postgres_sql(fixture->conn, "CREATE TYPE public.mood AS ENUM ('good', E'very\\tbad');"
                                "CREATE DOMAIN public.positive AS int CHECK (VALUE > 0)");
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        make(fixture->conn, rows[i].type, rows[i].values);
        assert_same_through_binary(fixture->conn, "(v)");
    }
}

static void rows_have_all_their_columns(void **state)
{
    struct postgres_fixture *fixture = *state;

    postgres_sql(fixture->conn,
                 "CREATE TABLE public.a (i int, t text, j jsonb, n numeric, e text);"
                 "CREATE TABLE public.b (LIKE public.a);"
                 "INSERT INTO public.a SELECT i, repeat(E'\\\\x\\t', i % 50), '[1]', i / 7.0,"
                 " CASE WHEN i % 3 = 0 THEN '' END FROM generate_series(1, 3000) i");
    assert_same_through_binary(fixture->conn, "(i, t, j, n, e)");
}

/* Whether the values of public.a can be turned. */
static bool is_usual(struct pg_conn *conn)
{
    struct backstay_error err = {.size = sizeof err};
    struct stay_buf text = text_of(conn, "public.a");
    struct pg_binary binary;

    assert_int_equal(pg_binary_begin(&binary, conn, "public.b", "(v)", &err), 0);
    bool usual = turn(&binary, &text);
    pg_binary_free(&binary);
    stay_buf_free(&text);
    postgres_sql(conn, "DROP TABLE public.a, public.b");
    return usual;
}

static void unusual_values_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"date", "VALUES ('0001-01-01 BC')"},
        {"date", "VALUES ('10000-01-01')"},
        {"timestamp", "VALUES ('0044-03-15 12:00:00 BC')"},
        {"timestamptz", "VALUES ('294276-12-31 23:59:59Z')"},
        {"numeric", "VALUES (repeat('7', 1500))"},
    };
    struct postgres_fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        make(fixture->conn, rows[i][0], rows[i][1]);
        assert_false(is_usual(fixture->conn));
    }
}

/* Whether a cell of @form with @text can be turned. */
static bool takes(enum pg_form form, const char *text)
{
    struct plug_bytes out = {0};
    bool taken = pg_binary_value(&out, form, text, strlen(text)) == 0;

    plug_bytes_free(&out);
    return taken;
}

static void texts_that_are_no_values_are_refused(void **state)
{
    static const struct {
        enum pg_form form;
        const char *text;
    } rows[] = {
        {PG_FORM_BOOL, "true"},
        {PG_FORM_BOOL, ""},
        {PG_FORM_INT2, "32768"},
        {PG_FORM_INT4, "-2147483649"},
        {PG_FORM_INT4, "1 "},
        {PG_FORM_INT4, "-"},
        {PG_FORM_INT4, ""},
        {PG_FORM_INT8, "9223372036854775808"},
        {PG_FORM_INT8, "-+1000000000000000000"},
        {PG_FORM_INT8, "99999999999999999999999999"},
        {PG_FORM_OID, "-1"},
        {PG_FORM_FLOAT8, "1,5"},
        {PG_FORM_FLOAT8, ""},
        {PG_FORM_NUMERIC, ""},
        {PG_FORM_NUMERIC, "-"},
        {PG_FORM_NUMERIC, "1.2.3"},
        {PG_FORM_NUMERIC, "1e5"},
        {PG_FORM_NUMERIC, "infinity"},
        {PG_FORM_BYTES, "x00"},
        {PG_FORM_BYTES, "\\x0"},
        {PG_FORM_BYTES, "\\x0g"},
        {PG_FORM_UUID, "00000000-0000-0000-0000_000000000000"},
        {PG_FORM_UUID, "0"},
        {PG_FORM_DATE, "2026-13-01"},
        {PG_FORM_DATE, "2026-1-1"},
        {PG_FORM_DATE, "2026-01-01 "},
        {PG_FORM_DATE, "0000-01-01"},
        {PG_FORM_TIMESTAMP, "2026-01-01"},
        {PG_FORM_TIMESTAMP, "2026-01-01 24:00:00"},
        {PG_FORM_TIMESTAMP, "2026-01-01 00:00:00+00"},
        {PG_FORM_TIMESTAMP, "2026-01-01 00:00:00.1234567"},
        {PG_FORM_TIMESTAMPTZ, "2026-01-01 00:00:00"},
        {PG_FORM_TIMESTAMPTZ, "2026-01-01 00:00:00+01"},
        {PG_FORM_NONE, "x"},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++)
        if (takes(rows[i].form, rows[i].text))
            fail_msg("form %d takes \"%s\"", (int)rows[i].form, rows[i].text);
}

static bool takes_rows(const char *text)
{
    enum pg_form forms[] = {PG_FORM_TEXT, PG_FORM_TEXT};
    struct pg_binary binary = {.forms = forms, .n = 2};
    const struct stay_buf rows = {.data = (void *)(uintptr_t)text, .len = strlen(text)};
    bool taken = turn(&binary, &rows);

    binary.forms = NULL;
    pg_binary_free(&binary);
    return taken;
}

static void rows_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_true(takes_rows(""));
    assert_true(takes_rows("a\tb\n\\N\t\\N\n"));
    assert_false(takes_rows("a\n"));
    assert_false(takes_rows("a\tb\tc\n"));
    assert_false(takes_rows("a\tb"));
    assert_false(takes_rows("\n"));
    assert_false(takes_rows("a\t\\q\n"));
    assert_false(takes_rows("a\t\\101\n"));
    assert_false(takes_rows("a\tb\\\n"));
}

static void tables_with_other_types_stay_text(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct backstay_error err = {.size = sizeof err};
    struct pg_binary binary;

    postgres_sql(fixture->conn, "CREATE TABLE public.other (i int, x int[]);"
                                "CREATE TABLE public.nothing ()");
    assert_int_equal(pg_binary_begin(&binary, fixture->conn, "public.other", "(i, x)", &err), 1);
    assert_int_equal(pg_binary_begin(&binary, fixture->conn, "public.nothing", "", &err), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_through_as_they_were),
        cmocka_unit_test(rows_have_all_their_columns),
        cmocka_unit_test(unusual_values_are_refused),
        cmocka_unit_test(texts_that_are_no_values_are_refused),
        cmocka_unit_test(rows_that_are_none_are_refused),
        cmocka_unit_test(tables_with_other_types_stay_text),
    };

    return cmocka_run_group_tests(tests, postgres_fixture_make, postgres_fixture_remove);
}
