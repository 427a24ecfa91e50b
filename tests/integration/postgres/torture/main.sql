-- tests/integration/postgres/torture/main.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- The torture database, for PostgreSQL 13 to 18: psql -v ON_ERROR_STOP=1 -f main.sql as a
-- superuser, into an empty UTF-8 database, after roles.sql.
\set ON_ERROR_STOP 1
\o /dev/null
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
SELECT :SERVER_VERSION_NUM >= 140000 AS v14, :SERVER_VERSION_NUM >= 150000 AS v15,
    :SERVER_VERSION_NUM >= 160000 AS v16, :SERVER_VERSION_NUM >= 170000 AS v17,
    :SERVER_VERSION_NUM >= 180000 AS v18 \gset
\ir extended.sql
\ir own.sql
\ir types.sql
\ir tables.sql
\ir names.sql
\ir many.sql
\ir objects.sql
\ir code.sql
