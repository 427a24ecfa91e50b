/* tests/conformance/source/mysql_shop.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mysql_shop: statements that make a MariaDB database shop in which every kind of object is that
 * asks for something.
 *
 * Layer: tests.
 */
#pragma once

static const char *const mysql_shop[] = {
    "CREATE TABLE parent (id int PRIMARY KEY, x int UNIQUE)",
    "CREATE SEQUENCE ids START WITH 5 INCREMENT BY -3 MINVALUE -10 MAXVALUE 5 CYCLE NOCACHE",
    "DO nextval(ids)",
    "CREATE SEQUENCE used_up MAXVALUE 2 NOCACHE",
    "DO nextval(used_up), nextval(used_up)",
    "CREATE TABLE `we``ird` (`a b` int NOT NULL AUTO_INCREMENT COMMENT 'KEY `x` (`y`),\\n) x''s',"
    " b varchar(30) DEFAULT 'a,b)', c text, d point NOT NULL, e json,"
    " f int AS (b + 1) VIRTUAL INVISIBLE,"
    " g int AS (length(concat(b, 'a\\n,b\\\\''c')) + 1) STORED, h timestamp(3) NOT NULL,"
    " i bit(4) DEFAULT b'101', j enum('a,','b''c','d)') DEFAULT 'a,', k uuid, l inet6, m int,"
    " n varbinary(4) DEFAULT 0xff00, o char(1) CHARACTER SET latin1 DEFAULT '\xc3\xa9',"
    " p int DEFAULT nextval(ids), q varchar(10) DEFAULT concat(x'ff', '\xc3\xa9', uuid()),"
    " KEY (`a b`), UNIQUE KEY `u``k` (b DESC, k) COMMENT 'c,)', FULLTEXT KEY ft (c),"
    " SPATIAL KEY sp (d), KEY ign (l) IGNORED, KEY hash (m) USING HASH, UNIQUE KEY lengthy (c),"
    " CONSTRAINT chk CHECK (f > 3 OR b LIKE '%, KEY `x` (`y`)%\\n'),"
    " CONSTRAINT `fk)` FOREIGN KEY (m) REFERENCES parent (id) ON DELETE SET NULL,"
    " FULLTEXT KEY ft2 (b, c), KEY (`a b`, c(10)))"
    " ENGINE=InnoDB ROW_FORMAT=COMPRESSED CHARSET=utf8mb3 COMMENT='t'' , KEY `q` (`r`)\\n)'",
    "CREATE TABLE part (id int, d date, PRIMARY KEY (id, d), UNIQUE KEY u (d, id), KEY k (id))"
    " PARTITION BY RANGE (year(d)) (PARTITION p0 VALUES LESS THAN (2000) COMMENT 'x',"
    " PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE by_key (id int NOT NULL, d date, UNIQUE KEY u (id), KEY (d))"
    " PARTITION BY KEY () PARTITIONS 2",
    "CREATE TABLE per (id int, s date, e date, PERIOD FOR p (s, e), KEY (id),"
    " UNIQUE KEY (id, p WITHOUT OVERLAPS))",
    "CREATE TABLE versioned (id int PRIMARY KEY AUTO_INCREMENT, v int, KEY (v))"
    " WITH SYSTEM VERSIONING",
    "CREATE TABLE history (id int PRIMARY KEY, rs timestamp(6) GENERATED ALWAYS AS ROW START"
    " INVISIBLE, re timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re),"
    " KEY (re)) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME LIMIT 100"
    " (PARTITION p0 HISTORY, PARTITION pn CURRENT)",
    "CREATE TABLE stored (id int PRIMARY KEY, base int, st int AS (base + 1) STORED, KEY (st),"
    " CONSTRAINT f1 FOREIGN KEY (base) REFERENCES parent (id) ON DELETE CASCADE)",
    "CREATE TABLE counter (a int, b int NOT NULL AUTO_INCREMENT, c int, KEY k1 (c), KEY k2 (b, a),"
    " KEY k3 (b), UNIQUE k4 (b, c)) AUTO_INCREMENT=77",
    "CREATE TABLE second (a int NOT NULL, b int NOT NULL AUTO_INCREMENT, PRIMARY KEY (a, b),"
    " KEY (b)) ENGINE=MyISAM",
    "CREATE TABLE aria (a int NOT NULL, KEY (a)) ENGINE=Aria TRANSACTIONAL=1",
    "CREATE TABLE memory (a int, KEY (a)) ENGINE=MEMORY",
    "CREATE TABLE ordered (a int NOT NULL, b int, UNIQUE (a), UNIQUE (b))",
    "CREATE TABLE x1 (a int PRIMARY KEY, b int)",
    "CREATE TABLE x2 (a int PRIMARY KEY, b int, CONSTRAINT xf FOREIGN KEY (b) REFERENCES x1 (a))",
    "ALTER TABLE x1 ADD CONSTRAINT xg FOREIGN KEY (b) REFERENCES x2 (a)",
    "CREATE TABLE shop (a int, b int)",
    "CREATE FUNCTION f1(x int) RETURNS int DETERMINISTIC RETURN x",
    "CREATE VIEW zv AS SELECT id, x FROM parent WHERE x > 1 WITH CHECK OPTION",
    "CREATE VIEW av AS SELECT * FROM zv WHERE id > 3 WITH LOCAL CHECK OPTION",
    "CREATE SQL SECURITY INVOKER VIEW calls AS SELECT shop.a, f1(shop.b) AS `f` FROM shop",
    "CREATE VIEW far AS SELECT shop.a, f1(shop.b) AS f, u.User FROM shop JOIN mysql.user u",
    "CREATE TABLE gone (a int)",
    "CREATE VIEW broken AS SELECT * FROM gone",
    "DROP TABLE gone",
    "CREATE DEFINER=`b@d\"``\\\\`@`%` PROCEDURE crlf() BEGIN\r\n -- \\! x ;; $1$\r\n SELECT ';'; "
    "END",
    "CREATE AGGREGATE FUNCTION agg(x int) RETURNS int READS SQL DATA BEGIN DECLARE CONTINUE "
    "HANDLER FOR NOT FOUND"
    " RETURN 1; LOOP FETCH GROUP NEXT ROW; END LOOP; END",
    "CREATE TRIGGER second_one BEFORE INSERT ON shop.parent FOR EACH ROW SET @x = 1",
    "CREATE TRIGGER shop.first_one BEFORE INSERT ON parent FOR EACH ROW PRECEDES second_one"
    " SET @x = '\xc3\xa9'",
    "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2001-01-01' ON COMPLETION PRESERVE"
    " COMMENT 'DISABLE' DO SET @a = 1",
    "CREATE EVENT off ON SCHEDULE EVERY 1 DAY STARTS '2001-01-01' DISABLE ON SLAVE DO SET @a = 1",
    "SET timestamp = 1000000000",
    "CREATE EVENT past ON SCHEDULE AT '2001-09-10' DO SET @a = 1",
    "CREATE EVENT ended ON SCHEDULE EVERY 1 HOUR STARTS '2001-01-01' ENDS '2002-01-01'"
    " DO SET @a = 1",
    "SET timestamp = DEFAULT",
    "SET NAMES latin1",
    "CREATE PROCEDURE latin1(`\xe4` int) COMMENT '\xdf' SELECT '\xe9'",
    "CREATE VIEW latin1_view AS SELECT '\xe9' AS `\xe8`",
    "CREATE EVENT latin1_event ON SCHEDULE EVERY 1 DAY STARTS '2001-01-01' COMMENT '\xe9'"
    " DO SET @a = '\xe9'",
    "SET NAMES utf8mb4, sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    "CREATE FUNCTION \"f \"\"x`\"(\"p\"\"1\" int) RETURNS text NO SQL COMMENT 'it''s \\ \"x\"'"
    " RETURN 'a\\'",
    "SET sql_mode = 'ORACLE'",
    "CREATE PACKAGE pk AS FUNCTION f(a int) RETURN int; PROCEDURE p; END",
    "CREATE PACKAGE BODY pk AS FUNCTION f(a int) RETURN int AS BEGIN RETURN a; END;"
    " PROCEDURE p AS BEGIN SELECT 1; END; END",
    "SET sql_mode = ''",
    "ALTER DATABASE shop COLLATE utf8mb4_bin COMMENT = 'the '' shop'",
    "CREATE PROCEDURE later() SELECT 1",
};
