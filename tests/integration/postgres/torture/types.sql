-- tests/integration/postgres/torture/types.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Every built-in type with its edge values: one table per type, named as the type, with the value,
-- an array of it and a null. Types of our own have the same, in schema "own".
CREATE SCHEMA types;
CREATE TEMP TABLE edge (type text, since int, value text);

INSERT INTO edge (type, since, value)
SELECT type, 0, unnest(value) FROM (VALUES
    ('boolean', ARRAY['t', 'f']),
    ('smallint', ARRAY['-32768', '0', '32767']),
    ('integer', ARRAY['-2147483648', '0', '2147483647']),
    ('bigint', ARRAY['-9223372036854775808', '0', '9223372036854775807']),
    ('numeric', ARRAY['NaN', '0', '0.000', '-0.00001', '1e-1000', '1e131071',
        repeat('9', 500) || '.' || repeat('1', 500), '-' || repeat('8', 1000)]),
    ('numeric(1000,500)', ARRAY['-' || repeat('7', 500) || '.' || repeat('3', 500)]),
    ('real', ARRAY['NaN', 'Infinity', '-Infinity', '-0', '0', '1e-45', '1.17549435e-38',
        '3.4028235e38', '-3.4028235e38', '0.1', '16777217']),
    ('double precision', ARRAY['NaN', 'Infinity', '-Infinity', '-0', '0', '5e-324',
        '2.2250738585072014e-308', '1.7976931348623157e308', '-1.7976931348623157e308', '0.1',
        '0.30000000000000004', '9007199254740993']),
    ('money', ARRAY['-92233720368547758.08', '92233720368547758.07', '0']),
    ('text', ARRAY['', ' ', E'\\N', E'\\.', E'\n\\.\n', E'\r\n', E'\t', E'\b\f\v\a\x1f\x7f', E'\\',
        'NULL', '''', '"', '$$', E'\U0010FFFF\u00e9e\u0301\u200b', repeat('ab', 300000)]),
    ('varchar', ARRAY['', 'a  ']),
    ('varchar(3)', ARRAY['', E'\u20ac\u20ac\u20ac']),
    ('char(4)', ARRAY['', 'a', 'abcd']),
    ('"char"', ARRAY['', 'a', E'\n']),
    ('name', ARRAY['', repeat('n', 63)]),
    ('bytea', ARRAY['', E'\\x00', '\x' || (SELECT string_agg(lpad(to_hex(byte), 2, '0'), '')
        FROM generate_series(0, 255) byte)]),
    ('bit(1)', ARRAY['0', '1']),
    ('bit(70)', ARRAY[repeat('01', 35)]),
    ('bit varying', ARRAY['', '1', repeat('10110', 1000)]),
    ('date', ARRAY['infinity', '-infinity', '4714-11-24 BC', '0001-12-31 BC', '0001-01-01',
        '1900-02-28', '2000-02-29', '5874897-12-31']),
    ('time', ARRAY['00:00', '24:00', '23:59:59.999999', '00:00:00.000001']),
    ('time with time zone', ARRAY['00:00-15:59:59', '24:00+15:59:59', '12:00:00.1+05:45']),
    ('timestamp', ARRAY['infinity', '-infinity', '4714-11-24 00:00:00 BC',
        '294276-12-31 23:59:59.999999', '2000-01-01 00:00:00.000001']),
    ('timestamp with time zone', ARRAY['infinity', '-infinity', '4714-11-24 00:00:00+00 BC',
        '294276-12-31 23:59:59.999999+00', '1883-11-18 12:03:58-05', '2026-10-25 02:30:00+01']),
    ('timestamp(3)', ARRAY['2026-01-01 00:00:00.123']),
    ('interval', ARRAY['0', '-178000000 years', '178000000 years', '-0.000001 sec',
        '1 mon -1 day +00:00:00.000001', '-1 mon +1 day -23:59:59', '2147483647 days']),
    ('interval day to second(2)', ARRAY['3 days 04:05:06.78']),
    ('uuid', ARRAY['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']),
    ('json', ARRAY['null', ' { "a" : 1, "a" : 2 } ', '"\u0000"', '"\\\n\""', '1e400']),
    ('jsonb', ARRAY['null', '{}', '[]', '{"a": {"": [1.10, -0, 1e100, "\\n", "\""]}}',
        '"\ud83d\ude00"',
        '{"' || repeat('k', 1000) || '": "' || repeat('v', 100000) || '"}']),
    ('jsonpath', ARRAY['$', 'lax $."a b"[*] ? (@.x > 1 && @.y like_regex "^\"")',
        'strict $[0 to last]']),
    ('xml', ARRAY['', 'text &amp; more', '<a b="&quot;">&lt;<!-- c --></a>',
        '<?xml version="1.0"?><a><![CDATA[<&]]></a>']),
    ('tsvector', ARRAY['', 'a:1A,2B ''b c'':3 '''''''':4', 'nopos']),
    ('tsquery', ARRAY['', '''a b'':*A & !( c | d ) <-> e <3> f']),
    ('inet', ARRAY['0.0.0.0/0', '255.255.255.255', '10.1.2.3/8', '::/0', '::ffff:1.2.3.4',
        'fe80::1/64']),
    ('cidr', ARRAY['0.0.0.0/0', '10.0.0.0/8', '::/0', '2001:db8::/32']),
    ('macaddr', ARRAY['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff']),
    ('macaddr8', ARRAY['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff']),
    ('point', ARRAY['(0,-0)', '(Infinity,-Infinity)', '(NaN,1e300)']),
    ('line', ARRAY['{1,-1,0}', '{0,-1e300,3}']),
    ('lseg', ARRAY['[(0,0),(1e-300,1)]']),
    ('box', ARRAY['(1,1),(0,0)']),
    ('path', ARRAY['((0,0),(1,1),(2,0))', '[(0,0),(1,1)]']),
    ('polygon', ARRAY['((0,0),(1,1),(2,0.1))']),
    ('circle', ARRAY['<(0,0),0>', '<(1,1),1e300>']),
    ('int4range', ARRAY['empty', '(,)', '[1,5)', '[-2147483648,2147483647)']),
    ('int8range', ARRAY['empty', '[,9223372036854775807)']),
    ('numrange', ARRAY['empty', '(1.0,2.00]', '[NaN,NaN]']),
    ('daterange', ARRAY['empty', '[-infinity,infinity]', '[2026-01-01,)']),
    ('tsrange', ARRAY['empty', '(-infinity,"2026-01-01 00:00:00.000001"]']),
    ('tstzrange', ARRAY['empty', '["2026-01-01 00:00+00",)']),
    ('oid', ARRAY['0', '4294967295']),
    ('xid', ARRAY['0', '4294967295']),
    ('cid', ARRAY['4294967295']),
    ('xid8', ARRAY['0', '18446744073709551615']),
    ('tid', ARRAY['(0,0)', '(4294967295,65535)']),
    ('pg_lsn', ARRAY['0/0', 'FFFFFFFF/FFFFFFFF']),
    ('txid_snapshot', ARRAY['10:20:10,14,15']),
    ('pg_snapshot', ARRAY['10:20:10,14,15']),
    ('regclass', ARRAY['-', 'pg_class', 'types.smallint', '"own"."odd type"']),
    ('regproc', ARRAY['-', 'now']),
    ('regprocedure', ARRAY['-', 'abs(integer)', 'own.double_it(integer)']),
    ('regoper', ARRAY['0', '|/']),
    ('regoperator', ARRAY['0', '+(integer,integer)']),
    ('regtype', ARRAY['-', 'timestamp with time zone', 'integer[]', 'own.mood']),
    ('regrole', ARRAY['-', 'torture_owner', '"torture ""odd"" role"']),
    ('regnamespace', ARRAY['-', 'types']),
    ('regconfig', ARRAY['-', 'english']),
    ('regdictionary', ARRAY['-', 'simple']),
    ('regcollation', ARRAY['-', '"C"']),
    ('aclitem', ARRAY['=r/torture_owner', 'torture_owner=arwdDxt*/torture_owner']),
    ('int2vector', ARRAY['', '1 -2 3']),
    ('oidvector', ARRAY['', '1 2 4294967295']),
    ('refcursor', ARRAY['', 'cursor']),
    ('own.mood', ARRAY['sad', E'it''s "ok", \\', 'between', 'happy', 'ünïcode']),
    ('own.pair', ARRAY['(,)', '(,"")', '(1,"a ""b"" \\ (,)")']),
    ('own.nested', ARRAY['("(1,x)","{happy,sad}")', '(,)']),
    ('own.positive', ARRAY['1', '2147483647']),
    ('own.few', ARRAY['{1}', '{1,2,3}']),
    ('own.textrange', ARRAY['empty', '["a,b","c""d")', '(,)']),
    ('own.upside_down', ARRAY['', 'abc', E'a\tb'])
) AS list (type, value);

INSERT INTO edge (type, since, value)
SELECT type, since, unnest(value) FROM (VALUES
    ('numeric', 14, ARRAY['Infinity', '-Infinity']),
    ('int4multirange', 14, ARRAY['{}', '{[1,3),[5,9)}', '{(,)}']),
    ('int8multirange', 14, ARRAY['{}', '{[1,3)}']),
    ('nummultirange', 14, ARRAY['{}', '{(1.0,2.00],[3,3]}']),
    ('datemultirange', 14, ARRAY['{}', '{[2026-01-01,2026-01-02),[2027-01-01,)}']),
    ('tsmultirange', 14, ARRAY['{}', '{(-infinity,"2026-01-01 00:00:00.000001"]}']),
    ('tstzmultirange', 14, ARRAY['{}', '{["2026-01-01 00:00+00",)}']),
    ('own.textmultirange', 14, ARRAY['{}', '{["a,b","c""d")}']),
    ('numeric(2,-3)', 15, ARRAY['12000']),
    ('numeric(3,5)', 15, ARRAY['0.00123']),
    ('interval', 17, ARRAY['infinity', '-infinity'])
) AS list (type, since, value);

DO $$
DECLARE
    item record;
    version int := current_setting('server_version_num')::int / 10000;
BEGIN
    FOR item IN SELECT DISTINCT type FROM edge WHERE since <= version LOOP
        EXECUTE format('CREATE TABLE types.%I (id int PRIMARY KEY, v %s, a %2$s[])',
                       item.type, item.type);
    END LOOP;
    FOR item IN SELECT type, value, row_number() OVER (PARTITION BY type ORDER BY since, value)
        AS id
                FROM edge WHERE since <= version LOOP
        -- As literals: a cast of a text is another thing for some types. Box has another delimiter.
        EXECUTE format('INSERT INTO types.%I VALUES (%s, %L::%s, %L::%4$s[])', item.type, item.id,
            item.value,
                       item.type, CASE item.type WHEN 'box' THEN '{(1,1),(0,0);NULL}'
                       ELSE ARRAY[item.value, NULL]::text END);
    END LOOP;
    FOR item IN SELECT DISTINCT type FROM edge WHERE since <= version LOOP
        EXECUTE format('INSERT INTO types.%I VALUES (0, NULL, NULL), (-1, NULL, ''{}'')',
            item.type);
    END LOOP;
END
$$;
DROP TABLE edge;

-- Arrays of more than one dimension, with other lower bounds, with what must be quoted.
CREATE TABLE types.arrays (id int PRIMARY KEY, n int[], t text[], nested int[][]);
INSERT INTO types.arrays VALUES
    (1, '{}', '{}', '{{1,2},{3,NULL}}'),
    (2, '[-1:1]={1,2,3}', ARRAY['NULL', NULL, '', '{', '"', E'\\', ',', E'\n', ' '],
        '[0:0][2:3]={{1,2}}'),
    (3, (SELECT array_agg(i) FROM generate_series(1, 10000) i), '{{{a}},{{b}}}', NULL);

-- Values that are stored apart from their row: compressed in both ways, and not compressed.
CREATE TABLE types.toasted (id int PRIMARY KEY, plain text, packed text, apart text);
ALTER TABLE types.toasted ALTER apart SET STORAGE EXTERNAL, ALTER packed SET STORAGE MAIN;
\if :v14
ALTER TABLE types.toasted ALTER packed SET COMPRESSION pglz;
\endif
INSERT INTO types.toasted
SELECT i, repeat(md5(i::text), 5000), repeat('x', 100000 + i), repeat(md5(i::text), 1000 * i)
FROM generate_series(1, 20) i;
