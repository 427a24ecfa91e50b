-- tests/integration/mysql/torture/rights.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Rights on the database and in it; both products.
GRANT ALL ON `torture\_%`.* TO `torture``owner`@`%` WITH GRANT OPTION;
GRANT SELECT, INSERT, EXECUTE ON {db}.* TO torture_role;
GRANT SELECT, UPDATE ON {db}.no_rows TO torture_reader@`10.0.0.0/255.0.0.0`;
GRANT SELECT (a), INSERT (a, t) ON {db}.no_rows TO ``@`192.0.2.7`;
GRANT EXECUTE ON FUNCTION {db}.a_function TO torture_locked@localhost;
GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE {db}.`proc ``odd``; é` TO torture_role;
