-- tests/integration/mysql/torture/types-mariadb.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Types that only MariaDB has.
CREATE TABLE addresses (id int PRIMARY KEY, u uuid, i6 inet6, UNIQUE KEY (u), KEY (i6));
INSERT INTO addresses VALUES (1, '00000000-0000-0000-0000-000000000000', '::'),
    (2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
    (3, '123e4567-e89b-12d3-a456-426655440000', '::ffff:192.0.2.128'), (4, NULL, NULL),
    (5, '5c5c5c5c-0a0a-1a1a-8b8b-272727272727', '2001:db8::ff00:42:8329');
CREATE TABLE uuid_key (u uuid PRIMARY KEY, t text);
INSERT INTO uuid_key SELECT CONCAT_WS('-', LEFT(h, 8), SUBSTR(h, 9, 4), CONCAT('4', SUBSTR(h, 13, 3)),
        CONCAT('8', SUBSTR(h, 16, 3)), RIGHT(h, 12)), n
    FROM (SELECT n, SHA2(n, 224) AS h FROM digits_3) hashed;
/*M!101010 CREATE TABLE addresses_4 (a inet4 PRIMARY KEY, b inet4) */;
/*M!101010 INSERT INTO addresses_4 VALUES ('0.0.0.0', NULL), ('255.255.255.255', '10.92.39.10') */;
/*M!110700 CREATE TABLE vectors (id int PRIMARY KEY, v vector(4) NOT NULL, VECTOR KEY (v)) */;
/*M!110700 INSERT INTO vectors VALUES (1, VEC_FromText('[0.1,-0.1,1e-37,16777215]')),
    (2, VEC_FromText('[0,0,0,0]')), (3, x'0a5c0d09270022ff01020304000000c0') */;
CREATE TABLE compressed_columns (id int PRIMARY KEY, t text COMPRESSED, b blob COMPRESSED,
    v varchar(500) COMPRESSED);
INSERT INTO compressed_columns VALUES (1, REPEAT('é', 5000), REPEAT(X'00FF', 5000), REPEAT('v', 500)),
    (2, '', '', ''), (3, NULL, NULL, NULL);
