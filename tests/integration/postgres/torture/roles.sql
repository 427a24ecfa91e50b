-- tests/integration/postgres/torture/roles.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- The roles that the torture database refers to, once per server.
CREATE ROLE torture_owner NOLOGIN CREATEDB;
CREATE ROLE torture_reader LOGIN PASSWORD 'reader''s' CONNECTION LIMIT 5 VALID UNTIL '2040-01-01';
CREATE ROLE "torture ""odd"" role" NOLOGIN NOINHERIT;
CREATE ROLE torture_alone NOLOGIN;
GRANT torture_owner TO torture_reader WITH ADMIN OPTION;
GRANT "torture ""odd"" role" TO torture_owner;
ALTER ROLE torture_reader SET work_mem = '7MB';
ALTER ROLE torture_reader SET search_path = own, "$user";
COMMENT ON ROLE torture_owner IS 'owns much of it';
