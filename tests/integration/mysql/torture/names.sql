-- tests/integration/mysql/torture/names.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Names that tools stumble over.
CREATE TABLE `select` (`from` int PRIMARY KEY, `where` text, `group by` int, KEY `order` (`group by`));
CREATE TABLE `with space` (` leading` int PRIMARY KEY, `a.b` int, `a/b` int, `a\b` int, `a'b` int, `a"b` int, `a``b` int, `a;b` int, `a%b` int, `a?b` int, `@v` int, `-- a` int, `/*b*/` int);
CREATE TABLE `back``tick` (`a``` int PRIMARY KEY);
CREATE TABLE `quote'd "twice"` (`'` int PRIMARY KEY, `"` int);
CREATE TABLE `semi;colon` (a int PRIMARY KEY);
CREATE TABLE `sl/ash\\back` (a int PRIMARY KEY);
CREATE TABLE `dot.ted` (a int PRIMARY KEY);
CREATE TABLE `..` (a int PRIMARY KEY);
CREATE TABLE `per%cent` (a int PRIMARY KEY);
CREATE TABLE `%41` (a int PRIMARY KEY);
CREATE TABLE `*` (a int PRIMARY KEY);
CREATE TABLE `new
line	tab` (`a
b` int PRIMARY KEY);
CREATE TABLE `été 日本 ж` (`größe` int PRIMARY KEY, `名前` varchar(20) COMMENT '名前');
CREATE TABLE `-dash` (`--` int PRIMARY KEY);
CREATE TABLE `123` (`456` int PRIMARY KEY);
CREATE TABLE `1e5` (`0x10` int PRIMARY KEY);
CREATE TABLE `$dollar` (a int PRIMARY KEY);
CREATE TABLE `#hash` (a int PRIMARY KEY);
CREATE TABLE `Upper` (`A` int PRIMARY KEY);
CREATE TABLE `con` (a int PRIMARY KEY);
CREATE TABLE `x.0001` (a int PRIMARY KEY);
CREATE TABLE `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` (`bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` int PRIMARY KEY);
CREATE TABLE `日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日日` (a int PRIMARY KEY);
INSERT INTO `select` VALUES (1, 'a', 2);
INSERT INTO `with space` VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
INSERT INTO `back``tick` VALUES (1);
INSERT INTO `quote'd "twice"` VALUES (1, 2);
INSERT INTO `semi;colon` VALUES (1);
INSERT INTO `sl/ash\\back` VALUES (1);
INSERT INTO `dot.ted` VALUES (1);
INSERT INTO `..` VALUES (1);
INSERT INTO `per%cent` VALUES (1);
INSERT INTO `%41` VALUES (1);
INSERT INTO `*` VALUES (1);
INSERT INTO `new
line	tab` VALUES (1);
INSERT INTO `été 日本 ж` VALUES (1, '名前');
INSERT INTO `-dash` VALUES (1);
INSERT INTO `123` VALUES (1);
INSERT INTO `1e5` VALUES (1);
INSERT INTO `$dollar` VALUES (1);
INSERT INTO `#hash` VALUES (1);
INSERT INTO `Upper` VALUES (1);
