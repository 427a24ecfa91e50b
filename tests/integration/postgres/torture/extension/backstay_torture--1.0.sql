-- tests/integration/postgres/torture/extension/backstay_torture--1.0.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Of its tables a dump keeps the rows of "settings" that are not built in, all of "whole" and none
-- of "internal"; the rest comes with the extension.
CREATE TABLE settings (key text PRIMARY KEY, value text, "built in" boolean DEFAULT false);
INSERT INTO settings VALUES ('version', '1.0', true), ('colour', 'blue', true);
CREATE TABLE whole (id serial PRIMARY KEY, what text);
CREATE TABLE internal (a int);
INSERT INTO internal VALUES (1), (2), (3);
CREATE FUNCTION answer() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 42';
SELECT pg_extension_config_dump('settings', 'WHERE NOT "built in"');
SELECT pg_extension_config_dump('whole', '');
SELECT pg_extension_config_dump('whole_id_seq', '');
