-- tests/integration/mysql/torture/types-mysql.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Types that only MySQL has.
CREATE TABLE vectors (id int PRIMARY KEY, v vector(4), w vector);
INSERT INTO vectors VALUES (1, TO_VECTOR('[0.1,-0.1,1e-37,16777215]'), TO_VECTOR('[1]')),
    (2, TO_VECTOR('[0,0,0,0]'), NULL), (3, x'0a5c0d09270022ff01020304000000c0', NULL), (4, NULL, NULL);
CREATE TABLE placed (id int PRIMARY KEY, p point NOT NULL SRID 4326, q geometry NOT NULL SRID 0,
    SPATIAL KEY (p), SPATIAL KEY (q));
INSERT INTO placed VALUES (1, ST_GeomFromText('POINT(52.5 13.4)', 4326), ST_GeomFromText('POINT(1 2)'));
CREATE TABLE exact_documents (id int PRIMARY KEY, j json DEFAULT (JSON_OBJECT('a', 1)), k json);
INSERT INTO exact_documents VALUES (1, '{"b": 1, "a": 2, "a": 3}', CAST(CAST('12:00:00.5' AS time(6)) AS json)),
    (2, CAST(1e1 AS json), CAST(CAST(18446744073709551615 AS unsigned) AS json)),
    (3, CAST(TIMESTAMP('2024-02-29 01:02:03.000004') AS json), CAST(X'00FF5C' AS json)),
    (4, CAST(POINT(1, 2) AS json), CAST(1e0 AS json));
