-- tests/integration/postgres/torture/names.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Identifiers that break quoting, paths and lists. Each names a table, a column, a sequence and a
-- schema; the pairs differ only in what a careless encoding makes equal.
DO $do$
DECLARE
    odd text[] := ARRAY[
        'it''s', 'say "hi"', E'two\nlines', E'a\ttab', E'back\\slash', E'\r', ' ', ' leading',
        'trailing ',
        'a.b', '.', '..', '.hidden', '../../etc/passwd', '/', 'a/b', 'a%2Fb', '%', '%2F', '%00',
        'a%b', '*',
        '?', '[x]', '{', '$1', '$$', '--', '/* */', ';', ',', ':x', '@', '#', '&', '~', '=', '-',
        '-h', '--help',
        'select', 'table', 'user', 'public', 'pg_default', 'null', 'NULL', 'ALL', 'A', 'a',
        'Ünïcödé', 'ünïcödé',
        E'e\u0301', E'\u00e9', '漢字', E'\U0001F600', E'\u202Ertl', E'\u0001\u001f\u007f', '0', '1a',
        'true',
        'con', 'rows', 'digest', ':rows', 't:rows', '@15', 'x@15', 'tables.json', 'schema.dump',
        'x.copy',
        'x.0001', repeat('x', 63), repeat('ü', 31) || 'x', repeat('%', 63), repeat('"', 63),
        repeat('''', 63),
        repeat(E'\n', 63)];
    name text;
    number int := 0;
BEGIN
    CREATE SCHEMA names;
    FOREACH name IN ARRAY odd LOOP
        number := number + 1;
        EXECUTE format('CREATE TABLE names.%I (%1$I int PRIMARY KEY, b text DEFAULT %1$L)', name);
        EXECUTE format('INSERT INTO names.%I SELECT i FROM generate_series(1, %s) i', name, number);
        EXECUTE format('COMMENT ON TABLE names.%I IS %1$L', name);
        EXECUTE format('CREATE SEQUENCE names.%I START %s',
                       left('s' || name, 62 - octet_length(name) + length(name)), number);
        IF name NOT LIKE 'pg\_%' AND name <> 'public' THEN
            EXECUTE format('CREATE SCHEMA %I', name);
            EXECUTE format('CREATE TABLE %I.%1$I (%1$I serial)', name);
            EXECUTE format('INSERT INTO %I.%1$I DEFAULT VALUES', name);
        END IF;
    END LOOP;
END
$do$;
CREATE TYPE names."Ty""pe" AS ENUM ('a');
CREATE TABLE names."Col""umns" ("a ""b""" names."Ty""pe", "c,d" int, "(" text,
    "select" names."Ty""pe"[]);
INSERT INTO names."Col""umns" VALUES ('a', 1, ')', '{a}');
CREATE FUNCTION names."Func""tion"("Ar""g" names."Ty""pe") RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW names."Vi""ew" AS SELECT "c,d" AS "x""y" FROM names."Col""umns";
