-- tests/integration/mysql/torture/types.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Every type that both products have, with the values at its edges.
CREATE TABLE integers (
    id int PRIMARY KEY,
    t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned, m mediumint,
    mu mediumint unsigned, i int, iu int unsigned, b bigint, bu bigint unsigned, flag bool,
    z int(10) unsigned zerofill
);
INSERT INTO integers VALUES
    (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, false, 0),
    (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807,
     18446744073709551615, true, 4294967295),
    (3, 0, 1, 0, 1, 0, 1, 0, 1, 0, 9223372036854775808, 7, 42),
    (-4, -1, 128, -1, 32768, -1, 8388608, -1, 2147483648, -1, 1, -7, 7),
    (0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE decimals (
    id int PRIMARY KEY, d65 decimal(65,30), d0 decimal(65,0), du decimal(10,2) unsigned,
    dz decimal(12,4) zerofill, d30 decimal(30,30)
);
INSERT INTO decimals VALUES
    (1, 99999999999999999999999999999999999.999999999999999999999999999999,
     99999999999999999999999999999999999999999999999999999999999999999, 99999999.99, 1.5,
     0.999999999999999999999999999999),
    (2, -99999999999999999999999999999999999.999999999999999999999999999999,
     -99999999999999999999999999999999999999999999999999999999999999999, 0, 0,
     -0.000000000000000000000000000001),
    (3, 0.000000000000000000000000000001, 0, 0.01, 12345678.9012, 0),
    (4, NULL, NULL, NULL, NULL, NULL);

-- FLOAT as text loses digits: 16777215 shows as 16777200.
CREATE TABLE floats (id int PRIMARY KEY, f float, d double, f53 float(30), fd float(10,3),
    dd double(20,5), fu float unsigned);
INSERT INTO floats VALUES
    (1, 16777215, 9007199254740993, 16777217, 1.234, 3.14159, 16777215),
    (2, 3.4028234663852886e38, 1.7976931348623157e308, 1.5e300, -1234567.891, -1.00001, 3.4e38),
    (3, -3.4028234663852886e38, -1.7976931348623157e308, -1.5e300, 0, 0, 0),
    (4, 1.1754943508222875e-38, 2.2250738585072014e-308, 1e-300, 0.001, 0.00001, 1.1754943508222875e-38),
    (5, 1.401298464324817e-45, 4.9406564584124654e-324, 4.9e-324, 0.0005, 1, 1.4e-45),
    (6, -1.401298464324817e-45, -4.9406564584124654e-324, -4.9e-324, -0.0005, -1, 0),
    (7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
    (8, 0.333333333, 0.3333333333333333, 0.3333333333333333, 0.333, 0.33333, 0.333333333),
    (9, -0e0, -0e0, -0e0, -0e0, -0e0, 0),
    (10, 123456789, 123456789012345678, 123456789, 123456.789, 12345678901.23456, 987654321),
    (11, NULL, NULL, NULL, NULL, NULL, NULL);
-- Keys of floats: what is read must find its row again.
CREATE TABLE float_key (f float PRIMARY KEY, t varchar(10));
INSERT INTO float_key VALUES (16777215, 'a'), (16777216, 'b'), (0.1, 'c'), (1e-45, 'd');

CREATE TABLE bits (id int PRIMARY KEY, b1 bit(1), b7 bit(7), b8 bit(8), b9 bit(9), b63 bit(63), b64 bit(64));
INSERT INTO bits VALUES
    (1, b'0', b'0', b'0', b'0', b'0', b'0'),
    (2, b'1', b'1111111', b'11111111', b'111111111', 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF),
    (3, b'1', 0x09, 0x0A, 0x5C, 0x0A0D5C2700, 0x8000000000000001), (4, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE bit_key (b bit(64), n int, PRIMARY KEY (b, n));
INSERT INTO bit_key VALUES (0xFFFFFFFFFFFFFFFF, 1), (0, 1), (0x5C, 2), (0x8000000000000000, 3);

CREATE TABLE times (
    id int PRIMARY KEY, d date, t time, t6 time(6), dt datetime, dt6 datetime(6), dt1 datetime(1),
    ts timestamp NULL, ts6 timestamp(6) NULL, y year
);
INSERT INTO times VALUES
    (1, '0000-00-00', '-838:59:59', '-838:59:59.000000', '0000-00-00 00:00:00',
     '0000-00-00 00:00:00.000000', '0000-00-00 00:00:00.0', '0000-00-00 00:00:00',
     '0000-00-00 00:00:00.000000', 0),
    (2, '9999-12-31', '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59',
     '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.9', '2038-01-19 03:14:07',
     '2038-01-19 03:14:07.999999', 2155),
    (3, '1000-01-01', '00:00:00', '-00:00:00.000001', '1000-01-01 00:00:00',
     '1000-01-01 00:00:00.000001', '1000-01-01 00:00:00.1', '1970-01-01 00:00:01',
     '1970-01-01 00:00:01.000001', 1901),
    (4, '2024-00-00', '25:01:01', '100:00:00.5', '2024-02-00 12:00:00', '2024-00-31 01:02:03.4',
     '2024-02-29 23:59:59.9', '2024-03-31 01:30:00', '2024-10-27 00:30:00.123456', 2000),
    (5, '0001-01-01', '24:00:00', '24:00:00.000001', '0001-01-01 00:00:00', '2024-10-27 02:30:00.5',
     '2024-10-27 02:30:00.5', '2024-10-27 01:30:00', '2024-10-27 02:30:00.000001', 1970),
    (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- Without a value these take the time of now.
CREATE TABLE automatic (
    id int PRIMARY KEY, made timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    seen datetime(3) DEFAULT CURRENT_TIMESTAMP(3)
);
INSERT INTO automatic VALUES (1, '2001-02-03 04:05:06', '2001-02-03 04:05:06.789'),
    (2, '1999-12-31 23:59:59', NULL);

CREATE TABLE texts (
    id int PRIMARY KEY, c char(10) CHARACTER SET utf8mb4, v varchar(200) CHARACTER SET utf8mb4,
    tt tinytext CHARACTER SET utf8mb4, t text CHARACTER SET utf8mb4, mt mediumtext CHARACTER SET utf8mb4,
    lt longtext CHARACTER SET utf8mb4
);
INSERT INTO texts VALUES
    (1, '', '', '', '', '', ''),
    (2, 'a  ', 'a  ', ' a ', '\\N', '\\', 'NULL'),
    (3, '\0', '\0\b\t\n\r\Z\\\'\"%_', '\r\n', '\t\t', '\n', '\Z\0'),
    (4, '😀🏳️‍🌈', '👩‍👩‍👧‍👦 e\u0301 é', 'ﷺ', '\\n \\t \\0 \\\\', X'E2808B', X'EFBBBF'),
    (5, 'ß', X'F48FBFBF', X'EFBFBE', X'01', X'7F', X'C280'),
    (6, NULL, NULL, NULL, NULL, NULL, NULL),
    (7, 'N', '\\N\n', '\\\nN', 'a,b;"c"', '"', ''''),
    (8, '1', REPEAT('é', 200), REPEAT('x', 255), REPEAT('€', 21845), REPEAT('ab\n', 100000),
     REPEAT('0123456789', 100000));

CREATE TABLE binaries (
    id int PRIMARY KEY, b binary(16), vb varbinary(300), tb tinyblob, bl blob, mb mediumblob, lb longblob,
    bt text CHARACTER SET binary
);
INSERT INTO binaries VALUES
    (1, '', '', '', '', '', '', ''),
    (2, X'00', X'00', X'5C', X'5C4E', X'0A', X'09', X'FF'),
    (3, X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF', X'20', X'2000', X'0D0A', X'1A', X'27', X'22'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, X'61', X'6120', X'C3A9', X'E9', X'F09F9880', X'80', X'C0');

CREATE TABLE choices (
    id int PRIMARY KEY,
    e enum('', 'a', 'it''s', 'a,b', 'é', 'back\\slash', 'new\nline', '日') CHARACTER SET utf8mb4,
    s set('a', 'b b', 'é', 'it''s', '日') CHARACTER SET utf8mb4,
    big set('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20',
        '21','22','23','24','25','26','27','28','29','30','31','32','33','34','35','36','37','38','39',
        '40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58',
        '59','60','61','62','63','64'),
    el enum('ä', 'b') CHARACTER SET latin1
);
INSERT INTO choices VALUES (1, '', '', '', 'ä'), (2, 'it''s', 'a,b b,é,it''s,日', '1,64', 'b'),
    (3, 'new\nline', 'é', 18446744073709551615, 1), (4, NULL, NULL, NULL, NULL), (5, '日', '日', '33', 2),
    (6, 'a,b', 'b b', '2', 'b'), (7, 'back\\slash', '', '3', 'b');
-- Not one of the values at all, which shows as '' but is not the member ''.
INSERT IGNORE INTO choices VALUES (8, 'no such thing', 'a,no such thing', '65', 'nothing');

CREATE TABLE documents (id int PRIMARY KEY, j json);
INSERT INTO documents VALUES
    (1, '{}'), (2, '[]'), (3, 'null'), (4, '"text"'), (5, NULL), (6, '1.0'),
    (7, '{"a": [1, 2, {"b": "\\u00e9\\n\\"\\\\"}], "😀": null, "": true}'),
    (8, '[1.7976931348623157e308, 5e-324, 18446744073709551615, -9223372036854775808, 0.1]'),
    (9, CONCAT('[', REPEAT('{"k": "v"},', 20000), '0]'));

CREATE TABLE shapes (
    id int PRIMARY KEY, g geometry, p point, l linestring, pg polygon, mp multipoint, ml multilinestring,
    mpg multipolygon, gc geometrycollection
);
INSERT INTO shapes VALUES
    (1, ST_GeomFromText('POINT(0.1 -0.1)'), ST_GeomFromText('POINT(1e308 5e-324)'),
     ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)'),
     ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 4 2, 4 4, 2 4, 2 2))'),
     ST_GeomFromText('MULTIPOINT(0 0, 1 1)'), ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))'),
     ST_GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))'),
     ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 3 4))')),
    (2, ST_GeomFromText('POINT(52.5 13.4)', 4326), NULL, NULL, NULL, NULL, NULL, NULL,
     ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Values so large that neither client nor server has them in small buffers.
CREATE TABLE large (id int PRIMARY KEY, b longblob, t longtext CHARACTER SET utf8mb4);
INSERT INTO large VALUES (1, '', ''), (2, NULL, NULL);
