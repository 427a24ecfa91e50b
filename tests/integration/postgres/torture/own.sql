-- tests/integration/postgres/torture/own.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Types, functions, operators and the rest of what a database can define by itself.
CREATE SCHEMA own;
COMMENT ON SCHEMA own IS E'a comment with ''quotes'', "more", \\ and\na line';

CREATE TYPE own.mood AS ENUM ('sad', E'it''s "ok", \\', 'happy', 'ünïcode');
ALTER TYPE own.mood ADD VALUE 'between' BEFORE 'happy';
CREATE TYPE own.pair AS (n int, t text);
CREATE TYPE own.nested AS (inside own.pair, moods own.mood[]);
COMMENT ON COLUMN own.pair.n IS 'an attribute';
CREATE DOMAIN own.positive AS int CONSTRAINT "above 0" CHECK (VALUE > 0) NOT NULL DEFAULT 1;
ALTER DOMAIN own.positive DROP NOT NULL;
CREATE DOMAIN own.few AS own.positive[] CHECK (cardinality(VALUE) < 4);
COMMENT ON DOMAIN own.few IS 'at most three';
CREATE TYPE own.textrange AS RANGE (subtype = text, collation = "C");
CREATE TABLE own."odd type" (a int);
CREATE TABLE own.later (a int, b own.mood DEFAULT 'happy');
INSERT INTO own.later SELECT i FROM generate_series(1, 5) i;

-- A base type on the functions of text.
CREATE TYPE own.upside_down;
CREATE FUNCTION own.upside_down_in(cstring) RETURNS own.upside_down
    LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION own.upside_down_out(own.upside_down) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE own.upside_down (INPUT = own.upside_down_in, OUTPUT = own.upside_down_out, LIKE = text);
CREATE CAST (own.upside_down AS text) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE FUNCTION own.double_it(n int) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5 AS 'SELECT n * 2';
COMMENT ON FUNCTION own.double_it IS 'twice';
CREATE FUNCTION own.odd_body(VARIADIC "In Put" text[] DEFAULT '{}', OUT a int, OUT "b c" text)
    RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = own, pg_temp
    SET "work_mem" = '8MB' AS $odd$
BEGIN
    -- $$ and $_$ and 'quotes' and \ are all allowed here.
    RETURN QUERY SELECT 1, array_to_string("In Put", E'\n');
END
$odd$;
CREATE FUNCTION own.of_rows() RETURNS SETOF own.later LANGUAGE sql STABLE
    AS 'SELECT * FROM own.later';
\if :v14
CREATE FUNCTION own.standard(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n + 1;
CREATE FUNCTION own.body(OUT total bigint) BEGIN ATOMIC SELECT count(*) FROM own.later; END;
\endif
CREATE PROCEDURE own.clean(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; COMMIT; END $$;
CREATE AGGREGATE own.longest(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE OPERATOR own.<=>| (LEFTARG = int, RIGHTARG = int, FUNCTION = int4larger,
    COMMUTATOR = OPERATOR(own.<=>|));
CREATE OPERATOR FAMILY own.backwards_family USING btree;
CREATE OPERATOR CLASS own.backwards FOR TYPE int USING btree FAMILY own.backwards_family AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <,
    FUNCTION 1 btint4cmp(int, int);
CREATE CAST (own.pair AS text) WITH INOUT;
CREATE CONVERSION own.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH DICTIONARY own.plain (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION own.search (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION own.search ALTER MAPPING FOR word WITH own.plain, english_stem;
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE COLLATION own.posix FROM "C";
CREATE COLLATION own."de numeric" (provider = icu, locale = 'de-u-kn-true');
CREATE COLLATION own.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
COMMENT ON COLLATION own.caseless IS 'knows no case';
\if :v17
CREATE COLLATION own.built_in (provider = builtin, locale = 'C.UTF-8');
\endif
