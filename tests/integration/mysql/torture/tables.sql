-- tests/integration/mysql/torture/tables.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Tables, columns, keys and constraints that both products have.
CREATE TABLE generated_columns (
    id int PRIMARY KEY AUTO_INCREMENT, a int NOT NULL DEFAULT 5,
    v int GENERATED ALWAYS AS (a * 2) VIRTUAL COMMENT 'virtual', s int GENERATED ALWAYS AS (a + 1) STORED,
    t varchar(30) GENERATED ALWAYS AS (CONCAT(UPPER(CONCAT('x', a)), ' '';`')) VIRTUAL,
    vv int AS (v + s) VIRTUAL, KEY (v), KEY (s, t), UNIQUE KEY (s, id)
) AUTO_INCREMENT = 1000;
INSERT INTO generated_columns (a) SELECT n FROM digits_3;
CREATE TABLE only_generated (a int GENERATED ALWAYS AS (1 + 1) VIRTUAL, b int GENERATED ALWAYS AS (3) STORED);
INSERT INTO only_generated () VALUES (), (), ();

CREATE TABLE hidden (id int PRIMARY KEY, h int INVISIBLE DEFAULT 7, g int AS (h * 2) STORED INVISIBLE,
    t text INVISIBLE) COMMENT 'it''s "odd" \\ ; é\n😀';
INSERT INTO hidden (id, h, t) VALUES (1, 11, 'hidden text'), (2, NULL, NULL), (3, DEFAULT, '');

CREATE TABLE defaults (
    id int PRIMARY KEY, a varchar(40) DEFAULT 'it''s \\ "quoted" \n -- ;', b char(3) DEFAULT '',
    c int DEFAULT -1, d decimal(5,2) DEFAULT 1.50, e double DEFAULT 1e-10, f bit(5) DEFAULT b'10101',
    g date DEFAULT '0000-00-00', h enum('x','y') NOT NULL DEFAULT 'y', i varbinary(10) DEFAULT X'00FF27',
    j int DEFAULT (1 + 2 * 3), k varchar(50) DEFAULT (CONCAT('a', 'b;')), l text DEFAULT ('text'),
    m varchar(20) CHARACTER SET latin1 DEFAULT 'é', n timestamp NULL DEFAULT NULL,
    o varchar(10) COMMENT 'comment '' \\ ; `x` é', p year DEFAULT 2024
);
INSERT INTO defaults (id) VALUES (1);

CREATE TABLE checked (
    id int PRIMARY KEY, a int CHECK (a > 0), b int, t varchar(30),
    CONSTRAINT `odd ``name``` CHECK (a < b OR b IS NULL), CONSTRAINT text_ok CHECK (t <> ';''"\\' AND t NOT LIKE '%--%')
);
INSERT INTO checked VALUES (1, 1, 2, 'fine'), (2, NULL, NULL, NULL);

-- Keys: composite, of strings in several collations, of bytes, of times; of one column twice.
CREATE TABLE key_composite (b bigint, a int, c varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
    payload text, PRIMARY KEY (a, b, c), KEY (c, a), KEY (payload(10)));
INSERT INTO key_composite SELECT x.n * 1000000007, y.n - 5, CONCAT('k ', x.n), REPEAT('p', x.n)
    FROM digits_3 x, digits y;
CREATE TABLE key_ci (t varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, n int);
INSERT INTO key_ci VALUES ('', 0), ('a', 1), ('b', 2), ('é', 3), ('Z', 4), ('ß', 5), ('ж', 6), ('日本', 7), ('😀', 8),
    ('\\', 9), ('''', 10), ('\n', 11), ('%', 12), ('_', 13);
INSERT INTO key_ci SELECT CONCAT('Many', n, 'x'), n FROM digits_3;
CREATE TABLE key_bin (t varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n int);
INSERT INTO key_bin VALUES ('a', 1), ('A', 2), ('á', 3), ('a\0', 4), ('a\n', 5), ('😀', 6);
INSERT INTO key_bin SELECT CONCAT('many ', n), n FROM digits_3;
CREATE TABLE key_latin (t varchar(50) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY, n int);
INSERT INTO key_latin VALUES ('straße', 1), ('Österreich', 2), ('€', 3), ('a', 4);
INSERT INTO key_latin SELECT CONCAT('ö', n), n FROM digits_3;
CREATE TABLE key_wide (t varchar(50) CHARACTER SET utf16 PRIMARY KEY, n int);
INSERT INTO key_wide SELECT CONCAT('é😀', n), n FROM digits_3;
CREATE TABLE key_asian (t varchar(50) CHARACTER SET sjis, u varchar(50) CHARACTER SET gbk, n int,
    PRIMARY KEY (t, u));
INSERT INTO key_asian SELECT CONCAT('ソ表', n), CONCAT('誠\\', n), n FROM digits_3;
CREATE TABLE key_bytes (b varbinary(20) PRIMARY KEY, n int);
INSERT INTO key_bytes SELECT LEFT(UNHEX(SHA2(n, 224)), 20), n FROM digits_3;
INSERT INTO key_bytes VALUES ('', 1), (X'00', 2), (X'0000', 3), (X'FF', 4), (X'5C27', 5), (X'0A', 6);
CREATE TABLE key_blob (b blob, t text CHARACTER SET utf8mb4, PRIMARY KEY (b(10), t(10)));
INSERT INTO key_blob SELECT CONCAT(n, X'00FF'), CONCAT('text ', n) FROM digits_3;
CREATE TABLE key_time (at datetime(6), d date, t time(3), PRIMARY KEY (at, d, t));
INSERT INTO key_time VALUES ('0000-00-00', '0000-00-00', '-838:59:59'), ('2024-02-29 01:02:03.000001', '2024-02-29',
    '-00:00:00.001'), ('9999-12-31 23:59:59.999999', '9999-12-31', '838:59:58.999');
CREATE TABLE key_enum (e enum('z', 'a', 'm'), s set('x', 'y'), PRIMARY KEY (e, s));
INSERT INTO key_enum VALUES ('z', ''), ('a', 'x'), ('m', 'x,y'), ('z', 'y');
CREATE TABLE key_decimal (d decimal(65,30) PRIMARY KEY);
INSERT INTO key_decimal VALUES (-1.000000000000000000000000000001), (0), (1.000000000000000000000000000001),
    (99999999999999999999999999999999999.999999999999999999999999999999);
CREATE TABLE key_unsigned (b bigint unsigned PRIMARY KEY);
INSERT INTO key_unsigned VALUES (0), (9223372036854775807), (9223372036854775808), (18446744073709551615);
-- Millions of numbers apart: a walk from the least to the most would take years.
CREATE TABLE key_sparse (id bigint PRIMARY KEY, t varchar(200));
INSERT INTO key_sparse SELECT (x.n * 10 + y.n) * 922337203685477 - 4611686018427387904, REPEAT(x.n, 60)
    FROM digits_3 x, digits y;
CREATE TABLE key_unique (a int NOT NULL, b varchar(10) NOT NULL, t text, UNIQUE KEY later (b, a), UNIQUE KEY (a));
INSERT INTO key_unique SELECT n, n, n FROM digits_3;
CREATE TABLE key_nullable (a int, t text, UNIQUE KEY (a));
INSERT INTO key_nullable VALUES (NULL, 'one'), (NULL, 'one'), (1, 'two');
CREATE TABLE key_desc (a int, b int, PRIMARY KEY (a DESC, b), KEY down (b DESC, a));
INSERT INTO key_desc SELECT n, n % 10 FROM digits_3;
CREATE TABLE key_auto (kind varchar(5), id int AUTO_INCREMENT, t text, PRIMARY KEY (kind), KEY auto (id, kind)) AUTO_INCREMENT = 77;
INSERT INTO key_auto (kind, t) VALUES ('a', 'x'), ('b', 'y');
CREATE TABLE auto_zero (id int AUTO_INCREMENT PRIMARY KEY, t int);
INSERT INTO auto_zero VALUES (0, 1), (-5, 2), (7, 3);
CREATE TABLE auto_high (id bigint unsigned AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 18446744073709551000;
INSERT INTO auto_high VALUES (3), (18446744073709551001);

CREATE TABLE no_key (a int, t varchar(20), b blob);
INSERT INTO no_key SELECT n % 7, 'the same', X'00' FROM digits_3;
INSERT INTO no_key VALUES (NULL, NULL, NULL), (NULL, NULL, NULL);
CREATE TABLE no_rows (a int PRIMARY KEY, t text);
CREATE TABLE single (a int);
INSERT INTO single VALUES (NULL);

CREATE TABLE indexed (
    id int PRIMARY KEY, a varchar(100), b text, g geometry NOT NULL, n int, UNIQUE KEY `odd ``key``` (n, a(5)),
    FULLTEXT KEY words (a, b), FULLTEXT KEY (b) COMMENT 'second', SPATIAL KEY places (g), KEY prefix (a(3), b(7)),
    KEY hashed (n) USING BTREE COMMENT 'it''s; a "comment"', KEY size (a) KEY_BLOCK_SIZE = 4
);
INSERT INTO indexed SELECT n, CONCAT('word number ', n), CONCAT('other words ', n), POINT(n, -n), n FROM digits_3;

-- Foreign keys: in a circle, to itself, of several columns, with every action, to a unique key.
CREATE TABLE circle_a (id int PRIMARY KEY, b int, KEY (b));
CREATE TABLE circle_b (id int PRIMARY KEY, c int, KEY (c));
CREATE TABLE circle_c (id int PRIMARY KEY, a int, KEY (a));
INSERT INTO circle_a VALUES (1, 1), (2, NULL);
INSERT INTO circle_b VALUES (1, 1);
INSERT INTO circle_c VALUES (1, 1);
ALTER TABLE circle_a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES circle_b (id) ON DELETE SET NULL;
ALTER TABLE circle_b ADD CONSTRAINT to_c FOREIGN KEY (c) REFERENCES circle_c (id) ON UPDATE CASCADE;
ALTER TABLE circle_c ADD FOREIGN KEY (a) REFERENCES circle_a (id) ON DELETE RESTRICT ON UPDATE NO ACTION;
CREATE TABLE tree (id int PRIMARY KEY, parent int, CONSTRAINT `odd ``fk``, (x)` FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE);
INSERT INTO tree VALUES (1, NULL), (2, 1), (4, 2), (3, 4);
CREATE TABLE many_columns (x int, y varchar(10), z int, UNIQUE KEY (z), PRIMARY KEY (x, y));
CREATE TABLE many_children (n int, x int, y varchar(10), z int, PRIMARY KEY (n), KEY own (x, y, n), FOREIGN KEY (x, y) REFERENCES many_columns (x, y),
    CONSTRAINT by_z FOREIGN KEY (z) REFERENCES many_columns (z));
INSERT INTO many_columns VALUES (1, 'a', 5);
INSERT INTO many_children VALUES (1, 1, 'a', 5), (2, NULL, NULL, NULL);
-- A key on the base of a stored generated column can be no other than inline.
CREATE TABLE base_of_generated (id int PRIMARY KEY, p int, twice int AS (p * 2) STORED, FOREIGN KEY (p) REFERENCES digits (n));
INSERT INTO base_of_generated (id, p) VALUES (1, 4), (2, NULL);
-- Rows that violate it: put there with checks off, as long-lived databases have them.
CREATE TABLE orphans (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES digits (n));
SET foreign_key_checks = 0;
INSERT INTO orphans VALUES (1, 4711);
SET foreign_key_checks = 1;

CREATE TABLE by_range (id int NOT NULL, at date NOT NULL, t text, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at))
    (PARTITION old VALUES LESS THAN (2000) COMMENT 'it''s old', PARTITION `odd ``part``` VALUES LESS THAN (2020), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO by_range SELECT n, DATE_ADD('1990-01-01', INTERVAL n * 15 DAY), n FROM digits_3;
CREATE TABLE by_columns (a int, b varchar(10)) PARTITION BY RANGE COLUMNS (a, b) (PARTITION p0 VALUES LESS THAN (5, 'm'), PARTITION p1 VALUES LESS THAN (MAXVALUE, MAXVALUE));
INSERT INTO by_columns SELECT n, 'x' FROM digits;
CREATE TABLE by_list (a int, b int) PARTITION BY LIST (a) (PARTITION odd VALUES IN (1, 3, 5, 7, 9), PARTITION even VALUES IN (0, 2, 4, 6, 8, NULL));
INSERT INTO by_list SELECT n, n FROM digits;
INSERT INTO by_list VALUES (NULL, NULL);
CREATE TABLE by_hash (id int PRIMARY KEY, t text) PARTITION BY HASH (id) PARTITIONS 5;
INSERT INTO by_hash SELECT n, n FROM digits_3;
CREATE TABLE by_key (id varchar(10) PRIMARY KEY, u int, UNIQUE KEY (id, u), KEY (u)) PARTITION BY LINEAR KEY (id) PARTITIONS 3;
INSERT INTO by_key SELECT n, n FROM digits_3;
CREATE TABLE subpartitioned (id int, at date) PARTITION BY RANGE (TO_DAYS(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
    (PARTITION a VALUES LESS THAN (730000), PARTITION b VALUES LESS THAN MAXVALUE);
INSERT INTO subpartitioned SELECT n, DATE_ADD('1995-01-01', INTERVAL n * 10 DAY) FROM digits_3;

CREATE TABLE rows_compressed (id int PRIMARY KEY, t text) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4;
INSERT INTO rows_compressed SELECT n, REPEAT(n, 500) FROM digits_3;
CREATE TABLE rows_redundant (id int PRIMARY KEY, t text) ROW_FORMAT = REDUNDANT STATS_PERSISTENT = 0 STATS_SAMPLE_PAGES = 7;
INSERT INTO rows_redundant VALUES (1, 'a');
CREATE TABLE rows_compact (id int PRIMARY KEY, t text) ROW_FORMAT = COMPACT;
INSERT INTO rows_compact VALUES (1, 'a');
CREATE TABLE in_myisam (id int AUTO_INCREMENT, kind int, t varchar(50), PRIMARY KEY (kind, id), FULLTEXT KEY (t)) ENGINE = MyISAM CHECKSUM = 1
    DELAY_KEY_WRITE = 1 ROW_FORMAT = DYNAMIC MAX_ROWS = 100000 AVG_ROW_LENGTH = 50 PACK_KEYS = 1 MIN_ROWS = 5;
INSERT INTO in_myisam (kind, t) SELECT n % 3, CONCAT('words ', n) FROM digits_3;
CREATE TABLE in_memory (id int PRIMARY KEY, t varchar(50), KEY hashed (t) USING HASH, KEY tree (t) USING BTREE) ENGINE = MEMORY;
INSERT INTO in_memory VALUES (1, 'gone after a restart');
CREATE TABLE merged_a (id int, KEY (id)) ENGINE = MyISAM;
CREATE TABLE merged_b (id int, KEY (id)) ENGINE = MyISAM;
INSERT INTO merged_a VALUES (1);
INSERT INTO merged_b VALUES (2);
CREATE TABLE merged (id int, KEY (id)) ENGINE = MERGE UNION = (merged_a, merged_b) INSERT_METHOD = LAST;
CREATE TABLE in_csv (id int NOT NULL, t varchar(50) NOT NULL) ENGINE = CSV;
INSERT INTO in_csv VALUES (1, 'a,"b"\n'), (2, '');

CREATE TABLE collated (id int PRIMARY KEY, a varchar(10), b varchar(10) COLLATE ascii_bin, c char(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
    d varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_czech_ci, e text CHARACTER SET utf8mb3) DEFAULT CHARACTER SET ucs2 COLLATE ucs2_bin;
INSERT INTO collated VALUES (1, 'é€', 'ascii', 'ü', 'ch', 'ж');

CREATE TABLE wide_row (id int PRIMARY KEY, t1 varchar(4000) CHARACTER SET latin1, t2 varchar(4000) CHARACTER SET latin1, t3 varchar(4000) CHARACTER SET latin1, t4 varchar(4000) CHARACTER SET latin1, t5 longtext);
INSERT INTO wide_row SELECT n, REPEAT('a', 4000), REPEAT('b', 4000), REPEAT('c', 4000), REPEAT('d', 4000), REPEAT('e', 50000) FROM digits;
CREATE TABLE wider (id bigint PRIMARY KEY AUTO_INCREMENT, t varchar(200), n double, at datetime(3)) COMMENT 'comes in several parts';
INSERT INTO wider (t, n, at) SELECT SHA2(x.n * 100 + y.n * 10 + z.n, 224), x.n / 7, '2024-01-01' + INTERVAL x.n HOUR FROM digits_3 x, digits y, digits z;

-- Tables in several parts: the order of a key is that of its type and collation.
CREATE TABLE split_numbers (a bigint, b int unsigned, p varchar(600) CHARACTER SET latin1, PRIMARY KEY (a, b));
INSERT INTO split_numbers SELECT (x.n % 7 - 3) * 2000000000000000000, x.n * 10 + y.n, REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_ci (k varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_ci SELECT CONCAT(ELT(1 + x.n % 8, 'a', 'É', 'ß', 'z', 'Ж', '日', '😀', '\\'), x.n, '-', y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_bin (k varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_bin SELECT CONCAT(ELT(1 + x.n % 8, 'a', 'A', 'ß', '''', 'Ж', '日', '😀', '\\'), x.n, '-', y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_german (k char(60) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_german SELECT CONCAT(ELT(1 + x.n % 8, 'ä', 'ae', 'Ö', 'z', 'ü', 'ue', 'ß', 'ss'), x.n, '-', y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_utf16 (k varchar(60) CHARACTER SET utf16 PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_utf16 SELECT CONCAT(ELT(1 + x.n % 4, 'a', 'é', '😀', '日'), x.n, '-', y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_sjis (k varchar(60) CHARACTER SET sjis PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_sjis SELECT CONCAT(ELT(1 + x.n % 4, 'a', 'ソ', '表', '日'), x.n, '-', y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_bytes (k varbinary(60) PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_bytes SELECT CONCAT(UNHEX(SHA2(x.n, 224)), y.n), REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_time (k datetime(6) PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_time SELECT '2024-01-01' + INTERVAL x.n HOUR + INTERVAL y.n MICROSECOND, REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
CREATE TABLE split_decimal (k decimal(40,20) PRIMARY KEY, p varchar(600) CHARACTER SET latin1);
INSERT INTO split_decimal SELECT (x.n - 500) * 1.00000000000000000001 + y.n / 10, REPEAT(x.n, 150) FROM digits_3 x, digits y WHERE y.n < 5;
