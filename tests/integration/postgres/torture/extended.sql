-- tests/integration/postgres/torture/extended.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Extensions: with rows of ours in their configuration tables, with rights on their objects, and
-- with types and indexes that use them.
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION hstore SCHEMA public;
CREATE EXTENSION pg_trgm SCHEMA public;
COMMENT ON EXTENSION hstore IS 'a comment of our own';
CREATE SCHEMA extended;
CREATE EXTENSION backstay_torture;
INSERT INTO extended.settings VALUES ('ours', E'tab\there'), ('theirs', NULL);
INSERT INTO extended.whole (what) SELECT 'row ' || i FROM generate_series(1, 25) i;
GRANT SELECT ON extended.whole TO torture_reader;
REVOKE EXECUTE ON FUNCTION extended.answer FROM PUBLIC;
CREATE TABLE public.of_hstore (id int PRIMARY KEY, h hstore);
INSERT INTO public.of_hstore VALUES (1, 'a=>1, "b c"=>NULL, "\"\\"=>"\t"'), (2, '');
CREATE INDEX ON public.of_hstore USING gin (h);
CREATE INDEX ON public.of_hstore USING gist ((h -> 'a') gist_trgm_ops);
