-- tests/integration/mysql/torture/tables-mariadb.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Tables and sequences as only MariaDB has them.
CREATE SEQUENCE seq_default;
CREATE SEQUENCE seq_used START WITH 100 INCREMENT BY 7 MINVALUE 50 MAXVALUE 100000 CACHE 10 CYCLE;
SELECT NEXTVAL(seq_used), NEXTVAL(seq_used);
CREATE SEQUENCE seq_down START WITH -1 INCREMENT BY -1 NOCACHE;
SELECT NEXTVAL(seq_down);
CREATE SEQUENCE seq_set MINVALUE 1 MAXVALUE 9223372036854775806 NOCACHE;
SELECT SETVAL(seq_set, 9223372036854775000);
CREATE SEQUENCE seq_unused START WITH 5 NOCACHE;
SELECT SETVAL(seq_unused, 42, 0);
CREATE SEQUENCE `seq ``odd`` name`;
SELECT NEXTVAL(`seq ``odd`` name`);
CREATE SEQUENCE seq_myisam ENGINE = Aria;
CREATE TABLE of_sequence (id int PRIMARY KEY DEFAULT (NEXTVAL(seq_default)), t text);
INSERT INTO of_sequence (t) VALUES ('a'), ('b');

CREATE TABLE in_aria (id int PRIMARY KEY, t text, KEY (t(5))) ENGINE = Aria TRANSACTIONAL = 1 ROW_FORMAT = PAGE;
INSERT INTO in_aria SELECT n, n FROM digits_3;
CREATE TABLE in_aria_0 (id int PRIMARY KEY, t text) ENGINE = Aria TRANSACTIONAL = 0;
INSERT INTO in_aria_0 VALUES (1, 'a');
CREATE TABLE pages_compressed (id int PRIMARY KEY, t text) PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 9;
INSERT INTO pages_compressed SELECT n, REPEAT(n, 100) FROM digits_3;

-- History: rows that were, when they were.
CREATE TABLE versioned (id int PRIMARY KEY, t text, n int WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
SET timestamp = UNIX_TIMESTAMP('2020-01-01 00:00:00.123456');
INSERT INTO versioned VALUES (1, 'first', 1), (2, 'first', 1), (3, 'first', 1);
SET timestamp = UNIX_TIMESTAMP('2021-01-01 00:00:00.654321');
UPDATE versioned SET t = 'second' WHERE id < 3;
SET timestamp = UNIX_TIMESTAMP('2022-01-01 00:00:00');
DELETE FROM versioned WHERE id = 1;
SET timestamp = DEFAULT;
CREATE TABLE versioned_explicit (id int PRIMARY KEY, t text, began timestamp(6) GENERATED ALWAYS AS ROW START,
    ended timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (began, ended)) WITH SYSTEM VERSIONING;
SET timestamp = UNIX_TIMESTAMP('2019-06-01 12:00:00');
INSERT INTO versioned_explicit (id, t) VALUES (1, 'a'), (2, 'b');
SET timestamp = UNIX_TIMESTAMP('2019-07-01 12:00:00');
DELETE FROM versioned_explicit WHERE id = 2;
UPDATE versioned_explicit SET t = 'c';
SET timestamp = DEFAULT;
CREATE TABLE versioned_parts (id int, t text) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME
    (PARTITION past HISTORY, PARTITION present CURRENT);
INSERT INTO versioned_parts VALUES (1, 'a');
UPDATE versioned_parts SET t = 'b';
CREATE TABLE periods (id int, since date, until date, PERIOD FOR valid (since, until), PRIMARY KEY (id, valid WITHOUT OVERLAPS));
INSERT INTO periods VALUES (1, '2000-01-01', '2001-01-01'), (1, '2001-01-01', '9999-12-31');
CREATE TABLE bitemporal (id int, since date, until date, PERIOD FOR `odd ``p``` (since, until)) WITH SYSTEM VERSIONING;
INSERT INTO bitemporal VALUES (1, '2000-01-01', '2001-01-01');

CREATE TABLE ignored_key (a int, b int, KEY used (a), KEY unused (b) IGNORED);
INSERT INTO ignored_key VALUES (1, 2);
CREATE TABLE long_unique (id int PRIMARY KEY, b blob, t text, UNIQUE KEY (b), UNIQUE KEY together (t, b) USING HASH);
INSERT INTO long_unique SELECT n, CONCAT(n, REPEAT(X'00FF', 100)), n FROM digits_3;
CREATE TABLE check_column (a int COMMENT 'both' CHECK (a <> 3 AND `a` > 0), t varchar(20) DEFAULT CONCAT('a', USER()),
    u char(36) DEFAULT UUID(), d datetime DEFAULT (NOW() + INTERVAL 1 DAY), CONSTRAINT c CHECK (JSON_VALID(t) OR TRUE));
INSERT INTO check_column VALUES (1, 'x', 'y', '2024-01-01');
CREATE TABLE with_options (id int PRIMARY KEY) COMMENT = 'c' ENCRYPTED = NO PAGE_CHECKSUM = 1;
CREATE TABLE hidden_index (a int, b int AS (a + 1) PERSISTENT, KEY (b));
INSERT INTO hidden_index (a) VALUES (1);
