-- tests/integration/mysql/torture/tables-mysql.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Tables and keys as only MySQL has them.
CREATE TABLE functional (id int PRIMARY KEY, a int, t varchar(50), j json, KEY ((a * 2)), UNIQUE KEY `odd ``f``` ((LOWER(t)), a),
    KEY mixed (a, (t = ';''"') DESC), KEY multi ((CAST(j->'$.tags' AS unsigned ARRAY))));
INSERT INTO functional SELECT n, n, CONCAT('T', n), JSON_OBJECT('tags', JSON_ARRAY(n, n + 1)) FROM digits_3;
CREATE TABLE unseen_key (a int, b int, KEY seen (a), KEY unseen (b) INVISIBLE);
INSERT INTO unseen_key VALUES (1, 2);
SET sql_generate_invisible_primary_key = 1;
CREATE TABLE key_made (a int, t text);
INSERT INTO key_made SELECT n, n FROM digits_3;
DELETE FROM key_made WHERE a % 3 = 0;
CREATE TABLE key_made_2 (a int) AUTO_INCREMENT = 500;
INSERT INTO key_made_2 VALUES (1);
SET sql_generate_invisible_primary_key = 0;
CREATE TABLE unenforced (a int, CONSTRAINT c CHECK (a > 0) NOT ENFORCED);
INSERT INTO unenforced VALUES (-1);
CREATE TABLE parser (id int PRIMARY KEY, t text, FULLTEXT KEY (t) WITH PARSER ngram);
INSERT INTO parser VALUES (1, '日本語の文章');
CREATE TABLE archived (id int AUTO_INCREMENT, t text, KEY (id)) ENGINE = ARCHIVE;
INSERT INTO archived (t) SELECT n FROM digits_3;
CREATE TABLE void (id int) ENGINE = BLACKHOLE;
