-- tests/integration/mysql/torture/code.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Views, routines, triggers and events that both products have.
CREATE TABLE code_log (id int AUTO_INCREMENT PRIMARY KEY, t varchar(200));
-- The names run against the order in which they must be made.
CREATE VIEW z_first AS SELECT id, t FROM wider WHERE n > 1 AND t <> ';''"\\';
CREATE ALGORITHM = MERGE DEFINER = `torture``owner`@`%` SQL SECURITY INVOKER VIEW m_second AS SELECT id, t FROM z_first WHERE id < 500 WITH LOCAL CHECK OPTION;
CREATE ALGORITHM = TEMPTABLE DEFINER = `nobody there`@localhost VIEW a_third (`odd ``col```, n) AS SELECT t, COUNT(*) FROM m_second GROUP BY t;
CREATE VIEW updatable AS SELECT * FROM no_rows WHERE a > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW `view ``odd`` é` AS SELECT 'é😀\\''"' AS `é`, 1 AS `a``b`, _latin1 X'E9' AS l;
CREATE VIEW of_choices AS SELECT e, s FROM choices UNION ALL SELECT 'x', 'y' ORDER BY 1;
DELIMITER ;;
CREATE FUNCTION a_function (a int, t varchar(100) CHARACTER SET utf8mb4) RETURNS varchar(200) CHARACTER SET latin1
    DETERMINISTIC NO SQL SQL SECURITY INVOKER COMMENT 'it''s; "odd" \\ é'
BEGIN
    -- A comment; with a semicolon; 'and a quote
    DECLARE x int DEFAULT 0; /* another; */
    WHILE x < a DO SET x = x + 1; END WHILE;
    RETURN CONCAT(t, '; ', x, ' é \\ \' ''');
END;;
CREATE DEFINER = `torture``owner`@`%` PROCEDURE `proc ``odd``; é` (IN a int, OUT b text, INOUT c decimal(10,2))
    MODIFIES SQL DATA
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET b = 'delimiter ;;//$$', c = c + a;
END;;
CREATE FUNCTION reads_data () RETURNS int READS SQL DATA RETURN (SELECT COUNT(*) FROM digits);;
-- Made with other modes and charsets than those of a restore.
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES';;
CREATE FUNCTION ansi () RETURNS text DETERMINISTIC RETURN 'a\' || 'b' || (SELECT "n" FROM "digits" WHERE "n" = 1);;
CREATE VIEW ansi_view AS SELECT 'a' || 'b\' AS "x""y";;
CREATE TRIGGER ansi_trigger BEFORE INSERT ON no_rows FOR EACH ROW SET NEW.t = NEW.t || '\';;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,IGNORE_SPACE';;
SET NAMES latin1 COLLATE latin1_german1_ci;;
SET NAMES utf8mb4 COLLATE utf8mb4_bin;;
CREATE FUNCTION collated () RETURNS int DETERMINISTIC RETURN 'a' = 'A';;
CREATE VIEW collated_view AS SELECT 'a' = 'A' AS same;;
SET NAMES utf8mb4;;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';;
CREATE TABLE triggered (id int AUTO_INCREMENT PRIMARY KEY, n int, t varchar(200) DEFAULT '');;
CREATE TRIGGER z_one BEFORE INSERT ON triggered FOR EACH ROW SET NEW.t = CONCAT(NEW.t, '1');;
CREATE TRIGGER a_three BEFORE INSERT ON triggered FOR EACH ROW BEGIN SET NEW.t = CONCAT(NEW.t, '3;'); END;;
CREATE TRIGGER m_two BEFORE INSERT ON triggered FOR EACH ROW FOLLOWS z_one SET NEW.t = CONCAT(NEW.t, '2');;
CREATE TRIGGER b_zero BEFORE INSERT ON triggered FOR EACH ROW PRECEDES z_one SET NEW.t = CONCAT(NEW.t, '0');;
INSERT INTO triggered (n) VALUES (1), (2);;
CREATE DEFINER = `nobody there`@localhost TRIGGER after_it AFTER INSERT ON triggered FOR EACH ROW IF FALSE THEN INSERT INTO code_log (t) VALUES ('never'); END IF;;
CREATE TRIGGER `odd ``trigger`` é` AFTER UPDATE ON triggered FOR EACH ROW INSERT INTO code_log (t) VALUES (CONCAT('é', OLD.id, '->', NEW.id));;
CREATE TRIGGER deletes AFTER DELETE ON triggered FOR EACH ROW INSERT INTO code_log (t) VALUES ('deleted');;
-- A trigger that would break a load which fires it.
CREATE TABLE guarded (id int PRIMARY KEY, t text);;
INSERT INTO guarded SELECT n, n FROM digits;;
CREATE TRIGGER never BEFORE INSERT ON guarded FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more rows; ever';;
SET time_zone = '+05:45';;
CREATE EVENT every_hour ON SCHEDULE EVERY 1 HOUR STARTS '2035-01-01 00:00:00' ENDS '2036-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'it''s; é'
    DO BEGIN INSERT INTO code_log (t) VALUES ('event; one'); DELETE FROM code_log; END;;
SET time_zone = '+00:00';;
CREATE DEFINER = `torture``owner`@`%` EVENT `once ``odd``` ON SCHEDULE AT '2036-02-29 12:34:56' DO SET @x = ';''"';;
CREATE EVENT off ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2035-01-01 00:00:00' DISABLE DO SELECT 1;;
-- Every second: it leaves rows where events run that should not.
CREATE EVENT each_second ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00' DO INSERT INTO code_log (t) VALUES ('an event ran');;
DELIMITER ;
