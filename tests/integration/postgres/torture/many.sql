-- tests/integration/postgres/torture/many.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- 2,000 tables, every tenth with rows and an index: what one does per table, one does 2,000 times.
CREATE SCHEMA many;
DO $$
BEGIN
    FOR i IN 1..2000 LOOP
        EXECUTE format('CREATE TABLE many.t_%s (id int, n int)', lpad(i::text, 4, '0'));
        IF i % 10 = 0 THEN
            EXECUTE format('INSERT INTO many.t_%s SELECT i, i FROM generate_series(1, %s) i',
                           lpad(i::text, 4, '0'), i / 10);
            EXECUTE format('CREATE INDEX ON many.t_%s (id)', lpad(i::text, 4, '0'));
        END IF;
    END LOOP;
END
$$;
