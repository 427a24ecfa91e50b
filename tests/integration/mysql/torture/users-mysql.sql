-- tests/integration/mysql/torture/users-mysql.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Accounts, roles and rights of MySQL.
CREATE ROLE torture_role, `torture odd 'role' é`@`10.%`;
CREATE USER `torture``owner`@`%` IDENTIFIED WITH caching_sha2_password BY 'it''s "secret" \\ é' COMMENT 'it''s';
CREATE USER torture_reader@`10.0.0.0/255.0.0.0` IDENTIFIED BY 'x' REQUIRE SUBJECT '/CN=its' AND ISSUER '/O=x' CIPHER 'AES'
    WITH MAX_QUERIES_PER_HOUR 10 MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 90 DAY PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 30 DAY
    PASSWORD REQUIRE CURRENT FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 ATTRIBUTE '{"a": "it''s"}';
CREATE USER torture_locked@localhost ACCOUNT LOCK PASSWORD EXPIRE NEVER;
CREATE USER ``@`192.0.2.7`;
GRANT torture_role TO `torture odd 'role' é`@`10.%`;
GRANT torture_role TO `torture``owner`@`%` WITH ADMIN OPTION;
GRANT `torture odd 'role' é`@`10.%` TO torture_reader@`10.0.0.0/255.0.0.0`;
SET DEFAULT ROLE torture_role TO `torture``owner`@`%`;
GRANT SELECT, RELOAD, BACKUP_ADMIN ON *.* TO torture_role;
GRANT XA_RECOVER_ADMIN ON *.* TO `torture``owner`@`%` WITH GRANT OPTION;
