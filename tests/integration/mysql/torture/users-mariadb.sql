-- tests/integration/mysql/torture/users-mariadb.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Accounts, roles and rights of MariaDB.
CREATE ROLE torture_role WITH ADMIN root@localhost;
CREATE ROLE `torture odd 'role' é`;
CREATE USER `torture``owner`@`%` IDENTIFIED BY 'it''s "secret" \\ é';
CREATE USER torture_reader@`10.0.0.0/255.0.0.0` IDENTIFIED VIA mysql_native_password USING '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19' OR unix_socket
    REQUIRE SUBJECT '/CN=its' AND ISSUER '/O=x' CIPHER 'AES' WITH MAX_QUERIES_PER_HOUR 10 MAX_USER_CONNECTIONS 5 MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE INTERVAL 90 DAY;
CREATE USER torture_locked@localhost ACCOUNT LOCK PASSWORD EXPIRE NEVER;
CREATE USER ``@`192.0.2.7`;
GRANT torture_role TO `torture odd 'role' é`;
GRANT torture_role TO `torture``owner`@`%` WITH ADMIN OPTION;
GRANT `torture odd 'role' é` TO torture_reader@`10.0.0.0/255.0.0.0`;
SET DEFAULT ROLE torture_role FOR `torture``owner`@`%`;
GRANT SELECT, RELOAD, BINLOG MONITOR ON *.* TO torture_role;
