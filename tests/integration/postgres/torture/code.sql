-- tests/integration/postgres/torture/code.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- What acts by itself: views, triggers, rules, policies, event triggers, publications, and what
-- others may do. A restore that lets any of it act on the loaded rows shows: each would change
-- them.
CREATE SCHEMA code;

CREATE TABLE code.base (id int PRIMARY KEY, owner name DEFAULT current_user, n int, hidden text);
INSERT INTO code.base SELECT i, 'torture_owner', i, 'hidden ' || i FROM generate_series(1, 200) i;

-- Views on views on functions; one that is in a circle with a function; what is not populated.
CREATE FUNCTION code.above(low int) RETURNS SETOF code.base LANGUAGE sql STABLE
    AS 'SELECT * FROM code.base WHERE n > low';
CREATE VIEW code.first AS SELECT id, n, own.double_it(n) AS twice FROM code.above(10);
CREATE VIEW code.second ("Odd column", total) WITH (security_barrier) AS
    SELECT twice, sum(n) FROM code.first GROUP BY 1 ORDER BY 1;
CREATE MATERIALIZED VIEW code.third AS SELECT * FROM code.second WITH DATA;
CREATE UNIQUE INDEX ON code.third ("Odd column");
CREATE MATERIALIZED VIEW code.fourth WITH (fillfactor = 80) AS
    SELECT t.total, f.id FROM code.third t JOIN code.first f ON f.twice = t."Odd column";
CREATE MATERIALIZED VIEW code.unpopulated AS SELECT 1 AS one WITH NO DATA;
CREATE RECURSIVE VIEW code.counting (n) AS VALUES (1) UNION ALL SELECT n + 1
    FROM counting WHERE n < 9;
CREATE VIEW code.checked AS SELECT * FROM code.base WHERE n < 100 WITH CASCADED CHECK OPTION;
CREATE VIEW code.circle AS SELECT 1 AS a;
CREATE FUNCTION code.of_circle(code.circle) RETURNS int LANGUAGE sql AS 'SELECT $1.a';
CREATE OR REPLACE VIEW code.circle AS SELECT 1 AS a, 2 AS b;
\if :v15
CREATE VIEW code.invoker WITH (security_invoker) AS SELECT * FROM code.base;
\endif
COMMENT ON VIEW code.first IS 'a view';
COMMENT ON MATERIALIZED VIEW code.third IS 'a materialized view';
ALTER VIEW code.first ALTER COLUMN n SET DEFAULT 5;

-- Triggers: each kind of enabled; all would change or forbid rows that are loaded after them.
CREATE FUNCTION code.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.n := NEW.n + 1000000;
    RETURN NEW;
END
$$;
CREATE FUNCTION code.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'forbidden by trigger %', TG_NAME;
END
$$;
CREATE TABLE code.triggered (id int PRIMARY KEY, n int);
INSERT INTO code.triggered SELECT i, i FROM generate_series(1, 50) i;
CREATE TRIGGER enabled BEFORE INSERT OR UPDATE OF n ON code.triggered FOR EACH ROW
    WHEN (NEW.n IS NOT NULL) EXECUTE FUNCTION code.spoil();
CREATE TRIGGER disabled BEFORE INSERT ON code.triggered FOR EACH ROW EXECUTE FUNCTION code.forbid();
CREATE TRIGGER replica BEFORE INSERT ON code.triggered FOR EACH ROW EXECUTE FUNCTION code.forbid();
CREATE TRIGGER "always ""odd""" AFTER TRUNCATE ON code.triggered
    EXECUTE FUNCTION code.forbid('an', 'argument');
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON code.triggered DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION code.forbid();
CREATE TRIGGER transition AFTER UPDATE ON code.triggered REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION code.forbid();
ALTER TABLE code.triggered DISABLE TRIGGER disabled;
ALTER TABLE code.triggered ENABLE REPLICA TRIGGER replica;
ALTER TABLE code.triggered ENABLE ALWAYS TRIGGER "always ""odd""";
COMMENT ON TRIGGER enabled ON code.triggered IS 'a trigger';
CREATE TRIGGER on_partition BEFORE INSERT ON tables.by_range FOR EACH ROW
    EXECUTE FUNCTION code.forbid();
ALTER TABLE tables.by_range_old DISABLE TRIGGER on_partition;
CREATE TRIGGER instead INSTEAD OF INSERT ON code.first FOR EACH ROW EXECUTE FUNCTION code.forbid();

CREATE TABLE code.ruled (id int);
INSERT INTO code.ruled VALUES (1), (2);
CREATE RULE nothing AS ON INSERT TO code.ruled DO INSTEAD NOTHING;
CREATE RULE "also ""odd""" AS ON DELETE TO code.ruled WHERE OLD.id > 1 DO ALSO
    (DELETE FROM code.base WHERE id = OLD.id; UPDATE code.base SET n = 0 WHERE id = -OLD.id);
ALTER TABLE code.ruled DISABLE RULE "also ""odd""";
COMMENT ON RULE nothing ON code.ruled IS 'a rule';

-- Row security, forced on the owner as well: who loads or reads without the right sees less.
CREATE TABLE code.secured (id int, owner name);
INSERT INTO code.secured SELECT i, 'nobody' FROM generate_series(1, 30) i;
ALTER TABLE code.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON code.secured FOR ALL TO torture_reader, "torture ""odd"" role"
    USING (owner = current_user) WITH CHECK (owner <> 'x''y');
CREATE POLICY narrow ON code.secured AS RESTRICTIVE FOR SELECT USING (id > 0);
CREATE TABLE code.forced_only (id int);
INSERT INTO code.forced_only VALUES (1);
ALTER TABLE code.forced_only FORCE ROW LEVEL SECURITY;
COMMENT ON POLICY mine ON code.secured IS 'a policy';

CREATE TABLE code.ddl_log (tag text, what text);
CREATE FUNCTION code.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO code.ddl_log SELECT command_tag, object_identity
        FROM pg_event_trigger_ddl_commands();
END
$$;
CREATE FUNCTION code.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no DDL here';
END
$$;
CREATE EVENT TRIGGER torture_log ON ddl_command_end WHEN TAG IN
    ('CREATE TABLE', 'CREATE INDEX', 'ALTER TABLE')
    EXECUTE FUNCTION code.note_ddl();
CREATE EVENT TRIGGER torture_refuse ON ddl_command_start EXECUTE FUNCTION code.refuse_ddl();
ALTER EVENT TRIGGER torture_refuse DISABLE;
CREATE EVENT TRIGGER torture_replica ON sql_drop WHEN TAG IN ('DROP TABLE')
    EXECUTE FUNCTION code.refuse_ddl();
ALTER EVENT TRIGGER torture_replica ENABLE REPLICA;
COMMENT ON EVENT TRIGGER torture_log IS 'an event trigger';
CREATE TABLE code.logged (a int);

CREATE SERVER elsewhere TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '/nowhere', dbname 'it''s');
CREATE USER MAPPING FOR torture_reader SERVER elsewhere OPTIONS (user 'x', password 'not a secret');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'y', password_required 'false');
CREATE FOREIGN TABLE code.far (id int OPTIONS (column_name 'ID') NOT NULL, t text DEFAULT 'x')
    SERVER elsewhere OPTIONS (schema_name 'public', table_name 'far');
CREATE FOREIGN TABLE tables.by_range_far PARTITION OF tables.by_range
    FOR VALUES FROM ('2040-01-01') TO ('2040-01-02') SERVER elsewhere;
CREATE FOREIGN DATA WRAPPER own_wrapper OPTIONS (debug 'true');
COMMENT ON SERVER elsewhere IS 'a server';

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION two FOR TABLE code.base, ONLY tables.parent
    WITH (publish_via_partition_root = true);
CREATE PUBLICATION nothing;
\if :v15
CREATE PUBLICATION parts FOR TABLE code.triggered (id, n) WHERE (id > 5);
CREATE PUBLICATION whole FOR TABLES IN SCHEMA own, TABLE tables."columns";
\endif
COMMENT ON PUBLICATION two IS 'a publication';

-- Rights: on every kind of object, on columns, by default, with grant option, revoked from public.
REVOKE ALL ON SCHEMA code FROM PUBLIC;
GRANT USAGE ON SCHEMA code, own, types TO torture_reader WITH GRANT OPTION;
GRANT SELECT ON ALL TABLES IN SCHEMA code TO torture_reader;
GRANT UPDATE (n), SELECT (id, n), REFERENCES (id) ON code.base TO "torture ""odd"" role"
    WITH GRANT OPTION;
REVOKE ALL ON code.ruled FROM torture_owner;
GRANT TRIGGER, TRUNCATE ON code.ruled TO PUBLIC;
GRANT USAGE ON SEQUENCE tables.owned TO torture_reader;
REVOKE EXECUTE ON FUNCTION own.double_it FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own.double_it TO torture_owner, torture_reader;
REVOKE USAGE ON TYPE own.mood FROM PUBLIC;
GRANT USAGE ON TYPE own.mood, own.positive TO torture_owner;
GRANT USAGE ON FOREIGN SERVER elsewhere TO torture_reader;
GRANT USAGE ON FOREIGN DATA WRAPPER own_wrapper TO torture_reader;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO torture_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE torture_owner IN SCHEMA code
    GRANT SELECT ON TABLES TO torture_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE torture_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE torture_owner GRANT USAGE ON SEQUENCES TO PUBLIC;
ALTER TABLE code.secured OWNER TO torture_owner;
ALTER TABLE code.forced_only OWNER TO torture_owner;
ALTER TABLE code.ruled OWNER TO "torture ""odd"" role";
ALTER VIEW code.first OWNER TO torture_owner;
ALTER FUNCTION own.odd_body OWNER TO torture_owner;
ALTER TYPE own.pair OWNER TO torture_owner;
ALTER SCHEMA own OWNER TO torture_owner;
ALTER SEQUENCE tables.not_called OWNER TO torture_owner;
GRANT SELECT ON pg_catalog.pg_authid TO torture_reader;
