/* tests/conformance/source/test_postgres_inventory.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The counts of objects: equal in what pg_dump and pg_restore make of a database, on a server of
 * the major that BACKSTAY_TEST_POSTGRES_TARGET says (15 otherwise), and different for every object
 * that is missing.
 */
#include "postgres_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct pg everything;

/* One or more of everything that is counted, and what must not be. */
static const char *const objects[] = {
    "CREATE SCHEMA s; COMMENT ON SCHEMA s IS 'c';"
    "CREATE TYPE s.enum AS ENUM ('a'); CREATE TYPE s.comp AS (a int); COMMENT ON COLUMN s.comp.a IS"
    " 'c'; CREATE TYPE s.range AS RANGE (subtype = int); CREATE DOMAIN s.dom AS int CHECK (VALUE > "
    "0)"
    " NOT NULL;"
    "CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE PROCEDURE s.p() LANGUAGE sql AS 'SELECT 1';"
    "CREATE AGGREGATE s.agg(text) (SFUNC = textcat, STYPE = text);"
    "CREATE OPERATOR s.|+| (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);"
    "CREATE OPERATOR FAMILY s.fam USING btree;"
    "CREATE OPERATOR CLASS s.cls FOR TYPE int USING btree FAMILY s.fam AS OPERATOR 1 <,"
    " OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);"
    "CREATE CAST (s.comp AS text) WITH INOUT; CREATE COLLATION s.coll FROM \"C\";"
    "CREATE CONVERSION s.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;"
    "CREATE TEXT SEARCH DICTIONARY s.dict (TEMPLATE = pg_catalog.simple);"
    "CREATE TEXT SEARCH CONFIGURATION s.conf (COPY = pg_catalog.simple);"
    "CREATE TEXT SEARCH PARSER s.pars (START = prsd_start, GETTOKEN = prsd_nexttoken,"
    " END = prsd_end, LEXTYPES = prsd_lextype);"
    "CREATE TEXT SEARCH TEMPLATE s.templ (INIT = dsimple_init, LEXIZE = dsimple_lexize);"
    "CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;"
    "CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER srv FOREIGN DATA WRAPPER fdw;"
    "CREATE USER MAPPING FOR PUBLIC SERVER srv;"
    "CREATE FUNCTION s.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql',"
    " 'plpgsql_call_handler'; CREATE LANGUAGE lang HANDLER s.handler;"
    "CREATE FUNCTION s.to_sql(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS"
    " 'varchar_support';"
    "CREATE TRANSFORM FOR int LANGUAGE lang (FROM SQL WITH FUNCTION s.to_sql(internal))",

    "CREATE TABLE public.t (id serial PRIMARY KEY, n int DEFAULT 5 CHECK (n > 0), u int UNIQUE,"
    " r int4range, g int GENERATED ALWAYS AS (n * 2) STORED NOT NULL,"
    " EXCLUDE USING gist (r WITH &&)); COMMENT ON COLUMN public.t.n IS 'c';"
    "ALTER TABLE public.t ADD CONSTRAINT later CHECK (n < 100) NOT VALID;"
    "CREATE TABLE public.ref (id int REFERENCES public.t, other int GENERATED ALWAYS AS IDENTITY);"
    "ALTER TABLE public.ref ADD CONSTRAINT later FOREIGN KEY (other) REFERENCES public.t NOT VALID;"
    "CREATE INDEX ON public.t (n); CREATE STATISTICS public.st ON n, u FROM public.t;"
    "CREATE VIEW public.v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS a;"
    "CREATE FOREIGN TABLE public.ft (a int) SERVER srv; CREATE SEQUENCE public.q;"
    "CREATE RULE ru AS ON INSERT TO public.v DO INSTEAD NOTHING;"
    "CREATE POLICY po ON public.t USING (true);"
    "CREATE FUNCTION public.trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER t1 BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.trg();"
    "CREATE TRIGGER t2 BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.trg();"
    "CREATE TRIGGER t3 BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.trg();"
    "CREATE TRIGGER t4 BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.trg();"
    "ALTER TABLE public.t DISABLE TRIGGER t2; ALTER TABLE public.t ENABLE REPLICA TRIGGER t3;"
    "ALTER TABLE public.t ENABLE ALWAYS TRIGGER t4; COMMENT ON TRIGGER t1 ON public.t IS 'c'",

    "CREATE TABLE public.keyed (k text PRIMARY KEY);"
    "CREATE TABLE public.part (a int PRIMARY KEY, b text REFERENCES public.keyed)"
    " PARTITION BY RANGE (a);"
    "CREATE TABLE public.part1 PARTITION OF public.part FOR VALUES FROM (0) TO (10);"
    "CREATE TABLE public.part2 (b text, a int NOT NULL);"
    "ALTER TABLE public.part ATTACH PARTITION public.part2 DEFAULT; CREATE INDEX ON public.part "
    "(b);"
    "CREATE TRIGGER t5 BEFORE INSERT ON public.part FOR EACH ROW EXECUTE FUNCTION public.trg();"
    "CREATE TABLE public.to_part (a int REFERENCES public.part);"
    "CREATE TABLE public.parent (a int CHECK (a > 0)); CREATE TABLE public.child () INHERITS"
    " (public.parent); CREATE PUBLICATION pub FOR TABLE public.t;"
    "CREATE FUNCTION public.evt() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    "CREATE EVENT TRIGGER ev ON sql_drop EXECUTE FUNCTION public.evt();"
    "COMMENT ON EVENT TRIGGER ev IS 'c';"
    "COMMENT ON INDEX public.t_n_idx IS 'c'; COMMENT ON CONSTRAINT later ON public.t IS 'c'",

    /* What must not be counted: members of an extension, what hangs on them, temporary objects,
     * objects that initdb made, an index that is not valid. */
    "CREATE TABLE public.member (id serial PRIMARY KEY, n int CHECK (n > 0));"
    "COMMENT ON TABLE public.member IS 'not in a dump';"
    "CREATE FUNCTION public.member() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TYPE public.member_type AS (a int); CREATE DOMAIN public.member_dom AS int CHECK"
    " (VALUE > 0); ALTER EXTENSION plpgsql ADD TABLE public.member;"
    "ALTER EXTENSION plpgsql ADD SEQUENCE public.member_id_seq;"
    "ALTER EXTENSION plpgsql ADD FUNCTION public.member();"
    "ALTER EXTENSION plpgsql ADD TYPE public.member_type;"
    "ALTER EXTENSION plpgsql ADD DOMAIN public.member_dom;"
    "CREATE TEMP TABLE temporary (id serial PRIMARY KEY); COMMENT ON TABLE pg_temp.temporary IS "
    "'c';"
    "CREATE INDEX broken ON public.t (u); COMMENT ON INDEX public.broken IS 'not in a dump';"
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.broken'::regclass",
};

static int make(void **state)
{
    (void)postgres_fixture_make(state);
    struct postgres_fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(objects); i++)
        postgres_sql(fixture->conn, objects[i]);
    return 0;
}

static struct fake_report take(const struct pg *pg, struct pg_conn *conn)
{
    struct backstay_error err = {.size = sizeof err};
    struct fake_report report;

    fake_report_init(&report);
    struct plug_facts facts = plug_facts_of_report(&report.abi, "");
    assert_ok(pg_inventory(pg, conn, &facts, &err), err);
    return report;
}

static char *take_text(const struct pg *pg, struct pg_conn *conn)
{
    struct fake_report report = take(pg, conn);
    char *text = fake_report_text(&report);

    fake_report_free(&report);
    return text;
}

static const char expected[] = "count:access-methods=1\n"
                               "count:aggregates=1\n"
                               "count:base-types=0\n"
                               "count:casts=1\n"
                               "count:check-constraints-not-valid=1\n"
                               "count:check-constraints=3\n"
                               "count:collations=1\n"
                               "count:column-defaults=3\n"
                               "count:comments=7\n"
                               "count:composite-types=1\n"
                               "count:conversions=1\n"
                               "count:domain-constraints=1\n"
                               "count:domains=1\n"
                               "count:enums=1\n"
                               "count:event-triggers=1\n"
                               "count:exclusion-constraints=1\n"
                               "count:extensions=0\n"
                               "count:foreign-data-wrappers=1\n"
                               "count:foreign-keys-not-valid=1\n"
                               "count:foreign-keys=3\n"
                               "count:foreign-servers=1\n"
                               "count:foreign-tables=1\n"
                               "count:functions=5\n"
                               "count:indexes=11\n"
                               "count:inheritance=3\n"
                               "count:languages=1\n"
                               "count:materialized-views=1\n"
                               "count:operator-classes=1\n"
                               "count:operator-families=1\n"
                               "count:operators=1\n"
                               "count:partitioned-tables=1\n"
                               "count:partitions=2\n"
                               "count:policies=1\n"
                               "count:primary-keys=3\n"
                               "count:procedures=1\n"
                               "count:publications=1\n"
                               "count:ranges=1\n"
                               "count:rules=1\n"
                               "count:schemas=1\n"
                               "count:sequences=3\n"
                               "count:statistics-objects=1\n"
                               "count:tables=8\n"
                               "count:text-search-configurations=1\n"
                               "count:text-search-dictionaries=1\n"
                               "count:text-search-parsers=1\n"
                               "count:text-search-templates=1\n"
                               "count:transforms=1\n"
                               "count:triggers-always=1\n"
                               "count:triggers-disabled=1\n"
                               "count:triggers-replica=1\n"
                               "count:triggers=2\n"
                               "count:unique-constraints=1\n"
                               "count:user-mappings=1\n"
                               "count:views=1\n";

static void every_kind_is_counted_and_nothing_else(void **state)
{
    struct postgres_fixture *fixture = *state;
    stay_auto_str char *text = take_text(&everything, fixture->conn);

    assert_string_equal(text, expected);
}

static void a_role_that_may_read_nothing_counts_the_same(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct pg_conn *plain = postgres_connect(fixture->server, &fixture->host, "shop", "plain");
    stay_auto_str char *text = take_text(&everything, plain);

    assert_string_equal(text, expected);
    pg_disconnect(plain);
}

static void a_restored_copy_has_the_same_counts(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct postgres_server *server =
        postgres_server_start(postgres_major("BACKSTAY_TEST_POSTGRES_TARGET", 15));
    struct pg_conn *first = postgres_connect(server, &fixture->host, "postgres", "postgres");

    postgres_sql(first, "CREATE DATABASE copy TEMPLATE template0");
    postgres_copy_structure(fixture->server, "shop", server, "copy");
    struct pg_conn *copy = postgres_connect(server, &fixture->host, "copy", "postgres");
    stay_auto_str char *text = take_text(&everything, copy);
    assert_string_equal(text, expected);
    pg_disconnect(copy);
    pg_disconnect(first);
    postgres_server_stop(server);
}

/* What goes missing, and the count that then is smaller. */
static const struct {
    const char *sql;
    const char *fact;
} losses[] = {
    {"DROP TABLE public.to_part", "count:tables"},
    {"DROP TABLE public.part1", "count:partitions"},
    {"DROP TABLE public.part", "count:partitioned-tables"},
    {"DROP FOREIGN TABLE public.ft", "count:foreign-tables"},
    {"DROP VIEW public.v", "count:views"},
    {"DROP MATERIALIZED VIEW public.m", "count:materialized-views"},
    {"DROP SEQUENCE public.q", "count:sequences"},
    {"DROP TYPE s.comp", "count:composite-types"},
    {"DROP INDEX public.t_n_idx", "count:indexes"},
    {"ALTER TABLE public.t DROP CONSTRAINT t_pkey", "count:primary-keys"},
    {"ALTER TABLE public.t DROP CONSTRAINT t_u_key", "count:unique-constraints"},
    {"ALTER TABLE public.t DROP CONSTRAINT t_r_excl", "count:exclusion-constraints"},
    {"ALTER TABLE public.ref DROP CONSTRAINT ref_id_fkey", "count:foreign-keys"},
    {"ALTER TABLE public.ref DROP CONSTRAINT later", "count:foreign-keys-not-valid"},
    {"ALTER TABLE public.t DROP CONSTRAINT t_n_check", "count:check-constraints"},
    {"ALTER TABLE public.t DROP CONSTRAINT later", "count:check-constraints-not-valid"},
    {"ALTER DOMAIN s.dom DROP CONSTRAINT dom_check", "count:domain-constraints"},
    {"DROP TRIGGER t1 ON public.t", "count:triggers"},
    {"ALTER TABLE public.t DISABLE TRIGGER t1", "count:triggers"},
    {"DROP TRIGGER t2 ON public.t", "count:triggers-disabled"},
    {"DROP TRIGGER t3 ON public.t", "count:triggers-replica"},
    {"DROP TRIGGER t4 ON public.t", "count:triggers-always"},
    {"DROP RULE ru ON public.v", "count:rules"},
    {"DROP POLICY po ON public.t", "count:policies"},
    {"ALTER TABLE public.child NO INHERIT public.parent", "count:inheritance"},
    {"ALTER TABLE public.t ALTER n DROP DEFAULT", "count:column-defaults"},
    {"DROP FUNCTION s.f", "count:functions"},
    {"DROP PROCEDURE s.p", "count:procedures"},
    {"DROP AGGREGATE s.agg(text)", "count:aggregates"},
    {"DROP TYPE s.enum", "count:enums"},
    {"DROP DOMAIN s.dom", "count:domains"},
    {"DROP TYPE s.range", "count:ranges"},
    {"DROP OPERATOR s.|+|(int, int)", "count:operators"},
    {"DROP OPERATOR CLASS s.cls USING btree", "count:operator-classes"},
    {"DROP OPERATOR FAMILY s.fam USING btree", "count:operator-families"},
    {"DROP COLLATION s.coll", "count:collations"},
    {"DROP CONVERSION s.conv", "count:conversions"},
    {"DROP STATISTICS public.st", "count:statistics-objects"},
    {"DROP TEXT SEARCH PARSER s.pars", "count:text-search-parsers"},
    {"DROP TEXT SEARCH TEMPLATE s.templ", "count:text-search-templates"},
    {"DROP TEXT SEARCH DICTIONARY s.dict", "count:text-search-dictionaries"},
    {"DROP TEXT SEARCH CONFIGURATION s.conf", "count:text-search-configurations"},
    {"DROP SCHEMA s", "count:schemas"},
    {"DROP CAST (s.comp AS text)", "count:casts"},
    {"DROP TRANSFORM FOR int LANGUAGE lang", "count:transforms"},
    {"DROP LANGUAGE lang", "count:languages"},
    {"DROP ACCESS METHOD heap_again", "count:access-methods"},
    {"DROP FOREIGN DATA WRAPPER fdw", "count:foreign-data-wrappers"},
    {"DROP SERVER srv", "count:foreign-servers"},
    {"DROP USER MAPPING FOR PUBLIC SERVER srv", "count:user-mappings"},
    {"DROP EVENT TRIGGER ev", "count:event-triggers"},
    {"DROP PUBLICATION pub", "count:publications"},
    {"COMMENT ON COLUMN public.t.n IS NULL", "count:comments"},
    {"COMMENT ON INDEX public.t_n_idx IS NULL", "count:comments"},
};

static bool is_dropped(const char *sql)
{
    static const char *const without[] = {"DROP TRIGGER", "DROP RULE", "DROP POLICY",
                                          "DROP USER MAPPING"};

    for (size_t i = 0; i < STAY_COUNT(without); i++)
        if (strncmp(sql, without[i], strlen(without[i])) == 0)
            return false;
    return strstr(sql, "DROP") && !strstr(sql, "DROP DEFAULT");
}

static void every_object_that_is_missing_is_noticed(void **state)
{
    struct postgres_fixture *fixture = *state;
    struct fake_report before = take(&everything, fixture->conn);

    for (size_t i = 0; i < STAY_COUNT(losses); i++) {
        const char *fact = losses[i].fact;
        stay_auto_str char *sql =
            stay_strf("BEGIN; %s%s", losses[i].sql, is_dropped(losses[i].sql) ? " CASCADE" : "");
        postgres_sql(fixture->conn, sql);
        struct fake_report after = take(&everything, fixture->conn);
        postgres_sql(fixture->conn, "ROLLBACK");
        int was = atoi(stay_map_get(before.facts, fact, strlen(fact)));
        int is = atoi(stay_map_get(after.facts, fact, strlen(fact)));
        if (is >= was)
            fail_msg("%s: %s was %d and is %d", losses[i].sql, fact, was, is);
        fake_report_free(&after);
    }
    fake_report_free(&before);
}

static void with_tables_chosen_one_by_one_only_tables_are_counted(void **state)
{
    struct postgres_fixture *fixture = *state;
    static const char *const tables[] = {"public.t", "public.par*"};
    const struct pg some = {.tables = {tables, 2}};
    stay_auto_str char *text = take_text(&some, fixture->conn);

    assert_string_equal(text, "count:tables=4\n");
}

static void assert_counts(struct postgres_fixture *fixture, const struct pg *pg,
                          const char *const *facts, const char *const *values, size_t n)
{
    struct fake_report report = take(pg, fixture->conn);

    for (size_t i = 0; i < n; i++) {
        const char *value = stay_map_get(report.facts, facts[i], strlen(facts[i]));
        if (strcmp(value, values[i]) != 0)
            fail_msg("%s is %s, not %s", facts[i], value, values[i]);
    }
    fake_report_free(&report);
}

static void what_the_options_leave_out_is_not_counted(void **state)
{
    struct postgres_fixture *fixture = *state;
    static const char *const only_s[] = {"s"};
    static const char *const tables[] = {"public.t", "public.ref"};
    const struct pg schema = {.schemas = {only_s, 1}};
    const struct pg without_schema = {.exclude_schemas = {only_s, 1}};
    const struct pg without_tables = {.exclude_tables = {tables, 2}};
    static const char *const facts[] = {"count:tables",      "count:schemas", "count:enums",
                                        "count:triggers",    "count:indexes", "count:sequences",
                                        "count:publications"};

    assert_counts(fixture, &schema, facts, (const char *const[]){"0", "1", "1", "0", "0", "0", "0"},
                  STAY_COUNT(facts));
    assert_counts(fixture, &without_schema, facts,
                  (const char *const[]){"8", "0", "0", "2", "11", "3", "1"}, STAY_COUNT(facts));
    /* The sequence of the identity column goes with its table, that of the serial column does not.
     */
    assert_counts(fixture, &without_tables, facts,
                  (const char *const[]){"6", "1", "1", "1", "7", "2", "1"}, STAY_COUNT(facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_counted_and_nothing_else),
        cmocka_unit_test(a_role_that_may_read_nothing_counts_the_same),
        cmocka_unit_test(a_restored_copy_has_the_same_counts),
        cmocka_unit_test(every_object_that_is_missing_is_noticed),
        cmocka_unit_test(with_tables_chosen_one_by_one_only_tables_are_counted),
        cmocka_unit_test(what_the_options_leave_out_is_not_counted),
    };

    return cmocka_run_group_tests(tests, make, postgres_fixture_remove);
}
