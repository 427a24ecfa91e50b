-- tests/integration/mysql/torture/code-mariadb.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Packages, and other code that only MariaDB has.
DELIMITER ;;
SET sql_mode = 'ORACLE,NO_AUTO_VALUE_ON_ZERO';;
CREATE PACKAGE accounts COMMENT 'it''s; a package' AS
    FUNCTION total(a INT) RETURN INT;
    PROCEDURE nothing;
END;;
CREATE PACKAGE BODY accounts AS
    kept INT := 7;
    FUNCTION total(a INT) RETURN INT AS BEGIN RETURN a + kept; END;
    PROCEDURE nothing AS BEGIN NULL; END;
BEGIN
    kept := 8;
END;;
CREATE DEFINER = "torture`owner"@"%" PACKAGE "odd ` package" AS PROCEDURE p; END;;
CREATE PROCEDURE oracle_procedure(a IN OUT INT) AS x INT := 1; BEGIN a := a || x; END;;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';;
CREATE AGGREGATE FUNCTION last_one (x int) RETURNS int
BEGIN
    DECLARE y int;
    DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN y;
    LOOP FETCH GROUP NEXT ROW; SET y = x; END LOOP;
END;;
DELIMITER ;
CREATE VIEW of_sequence_view AS SELECT id, last_one(id) AS l FROM of_sequence;
CREATE VIEW of_history AS SELECT id, t FROM versioned FOR SYSTEM_TIME AS OF TIMESTAMP'2020-06-01 00:00:00';
