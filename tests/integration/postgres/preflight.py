# tests/integration/postgres/preflight.py
# SPDX-License-Identifier: Apache-2.0
#
# What `backstay doctor` says of a PostgreSQL server: each finding is brought about, its text is
# compared, the statements that it proposes are executed as they stand, and then it must be gone.
#
#     BACKSTAY=... preflight.py MAJOR
import os
import re
import sys

from doctor import Doctor  # which tells Python where the next ones are

import postgres
import proof
import torture

major = int(sys.argv[1])
READ_ALL = major >= 14


def statements(text):
    """The lines of a finding that are statements."""
    return [line for line in text.split("\n")[1:] if line.endswith(";")]


def obey(server, text, database, user=postgres.USER):
    for statement in statements(text):
        server.psql(statement, database, user)


def dumps(server, database, user):
    """Whether pg_dump can dump all of @database as @user: it judges rights without us."""
    try:
        server.database(database, user).tool("pg_dump", "-Fc")
        return True
    except postgres.Failed:
        return False


SHOP = """
CREATE SCHEMA sales AUTHORIZATION app;
SET ROLE app;
CREATE TABLE sales.orders (id serial PRIMARY KEY, what text);
CREATE TABLE sales.parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE sales.parts_1 PARTITION OF sales.parts DEFAULT;
CREATE VIEW sales.recent AS SELECT * FROM sales.orders;
"""


def make(server, name, script="", *, owner="app"):
    server.createdb(name)
    server.psql('GRANT CREATE ON DATABASE "%s" TO %s; GRANT CREATE ON SCHEMA public TO %s;%s' % (
        name, owner, owner, script), name)


def test_rights(server):
    make(server, "rights", SHOP)
    server.psql("CREATE TABLE public.open (a int); GRANT SELECT ON public.open TO backstay",
                "rights")
    with Doctor(server, "rights", "backstay") as doctor:
        what = ("backstay may not read 3 tables (sales.orders, sales.parts, sales.parts_1), "
                "1 sequences (sales.orders_id_seq), 1 schemas (sales); as the owner or an "
                "administrator:\n")
        sql = ("GRANT pg_read_all_data TO backstay;" if READ_ALL else
               "GRANT USAGE ON SCHEMA sales TO backstay;\n"
               "GRANT SELECT ON ALL TABLES IN SCHEMA sales TO backstay;\n"
               "GRANT SELECT ON ALL SEQUENCES IN SCHEMA sales TO backstay;\n"
               "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA sales GRANT SELECT ON TABLES TO "
               "backstay;\n"
               "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA sales GRANT SELECT ON SEQUENCES TO "
               "backstay;")
        doctor.says("missing rights are named with the statements that grant them", "rights",
                    ("bad", what + sql))
        failed = doctor.attempt("backup")
        proof.ok("a backup says so, too, and fails", failed.code == 14 and
                 "source db: rights: " + what.strip() in failed.err and
                 "GRANT " in failed.err, failed)
        proof.ok("and leaves no snapshot", not doctor.snapshots())
        proof.ok("what cannot be backed up makes the exit code that of a source", doctor.code == 14,
                 doctor.code)
        proof.ok("pg_dump cannot read it either", not dumps(server, "rights", "backstay"))
        # On a managed server the administrator is no superuser.
        obey(server, what + sql, "rights", "manager" if READ_ALL else "app")
        doctor.says("after these statements, all can be read", "rights",
                    ("ok", "3 tables, all of them readable"))
        proof.ok("pg_dump reads all of it", dumps(server, "rights", "backstay"))
        server.psql("CREATE TABLE sales.later (id serial)", "rights", "app")
        doctor.says("what the owner makes later can be read, too", "rights",
                    ("ok", "4 tables, all of them readable"))
        proof.ok("pg_dump reads that, too", dumps(server, "rights", "backstay"))
    if READ_ALL:
        server.psql("REVOKE pg_read_all_data FROM backstay", user="manager")


def test_chosen_only(server):
    make(server, "chosen", SHOP + "CREATE TABLE public.mine (a int);")
    server.psql("GRANT SELECT ON public.mine TO backstay", "chosen")
    with Doctor(server, "chosen", "backstay", schemas=["public"]) as doctor:
        doctor.says("what the options leave out needs no rights", "rights",
                    ("ok", "1 tables, all of them readable"))
        doctor.source("chosen", "backstay", exclude_tables=["sales.*"])
        doctor.says("an excluded table takes its sequences along", "rights",
                    ("ok", "1 tables, all of them readable"))
        doctor.source("chosen", "backstay", structure_only=["sales.*"])
        proof.ok("a table without rows in the backup is locked, and so needs rights",
                 doctor.of("rights")[0][0] == "bad", doctor.findings)


def test_not_inheriting(server):
    make(server, "stubborn", SHOP)
    server.psql("CREATE ROLE stubborn LOGIN NOINHERIT; GRANT app TO stubborn")
    with Doctor(server, "stubborn", "stubborn") as doctor:
        found = doctor.of("rights")
        proof.ok("a role that does not inherit is told so", found[0][0] == "bad", found)
        obey(server, found[0][1], "stubborn")
        doctor.says("and the statements work for it", "rights",
                    ("ok", "2 tables, all of them readable"))


def test_odd_names(server):
    """Every name that comes up in statements is quoted."""
    role = "we\"ird $$ o'neil"
    owner = "Own er"
    server.psql("CREATE ROLE %s LOGIN; CREATE ROLE \"%s\"" % ('"we""ird $$ o\'neil"', owner))
    make(server, "odd", """
        CREATE SCHEMA "Sche ma";
        CREATE TABLE "Sche ma"."Ta""ble" (id serial);
        ALTER TABLE "Sche ma"."Ta""ble" ENABLE ROW LEVEL SECURITY;
        ALTER TABLE "Sche ma"."Ta""ble" OWNER TO "Own er";
        SELECT lo_create(i) FROM generate_series(20001, 20012) i;""")
    with Doctor(server, "odd", role) as doctor:
        for subject in ("rights", "row security", "large objects"):
            found = doctor.of(subject)
            proof.ok("odd names: %s are missing" % subject,
                     len(found) == 1 and found[0][0] == "bad", doctor.findings)
            # The first proposal alone must do; those after it are for other situations.
            server.psql(statements(found[0][1])[0], "odd")
            for rest in statements(found[0][1])[1:]:
                if subject == "rights":
                    server.psql(rest, "odd")
        left = [x for x in doctor.say() if x[0] == "bad"]
        proof.ok("odd names: the statements are enough", not left, left)
        proof.ok("odd names: pg_dump reads all of it", dumps(server, "odd", role))


def test_connect(server):
    make(server, "closed")
    server.psql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    with Doctor(server, "closed", "backstay") as doctor:
        doctor.say()
        expected = ('permission denied for database "closed" DETAIL:  User does not have CONNECT '
                    'privilege.; GRANT CONNECT ON DATABASE "closed" TO "backstay"')
        proof.ok("a database that may not be entered is refused with the statement",
                 doctor.error and doctor.error.endswith(expected), doctor.error)
        doctor.source("rights", "backstay", databases=["rights", "closed"], jobs=1)
        found = doctor.of("closed: connection")
        proof.ok("of several databases, the others are looked at",
                 len(found) == 1 and found[0][0] == "bad" and found[0][1].endswith(expected) and
                 any(x[1] == "rights: rights" for x in doctor.findings), doctor.findings)
        server.psql(found[0][1].split("; ")[-1])
        found = doctor.of("closed: rights")
        proof.ok("after the statement it can be entered", found == [
            ("ok", "0 tables, all of them readable")], doctor.findings)


def test_row_security(server):
    make(server, "secure", """
        SET ROLE app;
        CREATE TABLE public.mine (a int);
        CREATE TABLE public.theirs (a int);
        ALTER TABLE public.mine ENABLE ROW LEVEL SECURITY;
        ALTER TABLE public.theirs ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO backstay;""")
    who = "a superuser" + (" or an administrator who has BYPASSRLS" if major >= 16 else "")
    what = ("2 tables have it, and backstay would not get all of their rows: public.mine, "
            "public.theirs; as " + who + ":\nALTER ROLE backstay BYPASSRLS;\n")
    with Doctor(server, "secure", "backstay") as doctor:
        doctor.says("tables with row security are named", "row security", (
            "bad", what + "where a managed service does not let you, its owner is free of it, and "
            "so are the owner's members:\nGRANT app TO backstay;"))
        if major >= 16:
            server.psql("ALTER ROLE manager BYPASSRLS; GRANT backstay TO manager WITH ADMIN TRUE")
        server.psql("ALTER ROLE backstay BYPASSRLS", user="manager" if major >= 16 else "postgres")
        doctor.says("BYPASSRLS is enough", "row security")
        proof.ok("pg_dump reads them with BYPASSRLS", dumps(server, "secure", "backstay"))
        server.psql("ALTER ROLE backstay NOBYPASSRLS; GRANT app TO backstay")
        doctor.says("membership in the owner is enough", "row security")
        proof.ok("pg_dump reads them as a member of the owner",
                 dumps(server, "secure", "backstay"))
        server.psql("ALTER TABLE public.theirs FORCE ROW LEVEL SECURITY", "secure")
        doctor.says("FORCE binds the owner, too", "row security", (
            "bad", "1 tables have it, and backstay would not get all of their rows: "
            "public.theirs; as " + who + ":\nALTER ROLE backstay BYPASSRLS;\nowners are bound, "
            "too, in public.theirs (FORCE ROW LEVEL SECURITY): name those under \"structure_only\" "
            "when there is no way to have BYPASSRLS"))
        doctor.source("secure", "backstay", structure_only=["public.theirs"])
        doctor.says("rows that are not read are no matter", "row security")
        server.psql("REVOKE app FROM backstay")


def test_large_objects(server):
    make(server, "large", """
        SET ROLE app; SELECT lo_from_bytea(i, 'x') FROM generate_series(30001, 30003) i;""")
    later = ("and for those to come:\nALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON LARGE "
             "OBJECTS TO backstay;" if major >= 18 else
             "or, for those to come as well, a superuser:\nALTER ROLE backstay SET "
             "lo_compat_privileges = on;")
    with Doctor(server, "large", "backstay") as doctor:
        doctor.says("large objects that may not be read are named", "large objects", (
            "bad", "backstay may not read 3 of 3 (30001, 30002, 30003); as their owner (app) or a "
            "superuser:\nGRANT SELECT ON LARGE OBJECT 30001, 30002, 30003 TO backstay;\n" + later))
        found = doctor.of("large objects")[0][1]
        server.psql(statements(found)[0], "large", "app")
        doctor.matches("after the GRANT they can be read", "large objects", (
            "info", r"3, \d+ \w+, all of them readable"))
        proof.ok("pg_dump reads them", dumps(server, "large", "backstay"))
        server.psql("SELECT lo_create(i) FROM generate_series(31001, 31020) i", "large", "app")
        found = doctor.of("large objects")
        proof.ok("of many, ten are named", found[0][0] == "bad" and found[0][1].startswith(
            "backstay may not read 20 of 23 (31001, 31002, 31003, 31004, 31005, 31006, 31007, "
            "31008, 31009, 31010); as"), found)
        server.psql(statements(found[0][1])[0], "large", "app")
        proof.ok("one statement is enough for many",
                 doctor.of("large objects")[0][0] == "info", doctor.findings)
        server.psql(statements(found[0][1])[1], "large")
        server.psql("SELECT lo_create(32000)", "large", "app")
        proof.ok("the last statement covers those to come",
                 doctor.of("large objects")[0][0] == "info", doctor.findings)
        proof.ok("pg_dump reads all of them", dumps(server, "large", "backstay"))


def test_tables(server):
    make(server, "tables", """
        SET ROLE app;
        CREATE UNLOGGED TABLE public.cache (a int);
        CREATE TABLE public.plain (a int);
        INSERT INTO public.plain VALUES (1), (1);
        RESET ROLE;
        CREATE EXTENSION IF NOT EXISTS plpgsql;
        CREATE FOREIGN DATA WRAPPER nothing;
        CREATE SERVER far FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE public.far (a int) SERVER far;
        CREATE USER MAPPING FOR app SERVER far OPTIONS (password 'secret');
        CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
        CREATE TABLE public.piled (a int) USING pile;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO backstay;""")
    try:
        server.psql("CREATE UNIQUE INDEX CONCURRENTLY twice ON public.plain (a)", "tables")
    except postgres.Failed:
        pass
    with Doctor(server, "tables", "backstay") as doctor:
        doctor.says("unlogged tables are named", "unlogged tables", (
            "info", "1 (public.cache): a crash empties them on the server, a backup has their "
            "rows"))
        doctor.says("foreign tables are named", "foreign tables", (
            "info", "1 (public.far): their rows are elsewhere and not in the backup"))
        doctor.says("other access methods are named", "access methods", (
            "info", "1 (public.piled (pile)): not heap: each is read by one connection, and the "
            "server of a restore must have the access method"))
        doctor.says("invalid indexes are a warning", "invalid indexes", (
            "warning", "1 (public.twice): left by a CREATE INDEX CONCURRENTLY that failed, they "
            "are not in the backup: REINDEX INDEX CONCURRENTLY or DROP INDEX each"))
        proof.ok("a warning makes the exit code that of a part", doctor.code == 3, doctor.code)
        mapping = ("user mappings", "1 (app on far): their options (the password) are hidden from "
                   "all but superusers and not in the backup; keep their CREATE USER MAPPING")
        doctor.says("hidden options of user mappings are a warning", mapping[0],
                    ("warning", mapping[1]))
        doctor.source("tables", "backstay",
                      exclude_tables=["*.plain", "*.far", "*.piled", "*.cache"])
        doctor.say()
        proof.ok("what is left out is not spoken of", not [
            x for x in doctor.findings if x[1] in ("unlogged tables", "foreign tables",
                                                   "access methods", "invalid indexes")],
                 doctor.findings)
        doctor.source("tables")
        doctor.says("a superuser sees the options of user mappings", mapping[0])
        with server.database("tables").session() as session:
            session.stdin.write("CREATE TEMPORARY TABLE mine (a int);\nSELECT 'made';\n")
            session.stdin.flush()
            session.stdout.readline()
            doctor.matches("temporary tables are named", "temporary tables", (
                "info", r"1 \(pg_temp_\d+\.mine\): they belong to sessions and are in no backup"))
            session.stdin.close()


def test_objects(server):
    make(server, "objects", """
        CREATE FUNCTION pg_catalog.hidden() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION public.outside() RETURNS int LANGUAGE internal AS 'pg_backend_pid';
        CREATE FUNCTION public.noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER noted ON sql_drop EXECUTE FUNCTION public.noted();
        CREATE PUBLICATION everything FOR ALL TABLES;
        CREATE SUBSCRIPTION far CONNECTION 'host=nowhere' PUBLICATION x WITH (connect = false);""")
    with Doctor(server, "objects", "backstay") as doctor:
        said = {subject: (severity, text) for severity, subject, text in doctor.say()}
        for name, subject, severity, text in (
                ("objects in system schemas are a warning only to their owner", "system schemas",
                 None, None),
                ("event triggers are named", "event triggers", "info",
                 "1 (noted): only a superuser can restore them"),
                ("functions in untrusted languages are named", "untrusted functions", "info",
                 "1 (public.outside (internal)): only a superuser can restore functions of these "
                 "languages"),
                ("publications are named", "publications", "info",
                 "1 (everything (all tables)): they are in the backup, their slots are not; only a "
                 "superuser can restore one of all tables"),
                ("subscriptions that pg_dump leaves out are a warning", "subscriptions", "warning",
                 "1 (far): not in the backup: only a superuser may read them; keep their CREATE "
                 "SUBSCRIPTION")):
            expected = (severity, text) if severity else None
            proof.ok(name, said.get(subject) == expected, doctor.findings)
        doctor.source("objects")
        doctor.says("to a superuser they are not", "subscriptions", (
            "info", "1 (far): a restore makes them without connecting them"))
        doctor.says("to a superuser, objects in system schemas are", "system schemas", (
            "warning", "1 (pg_catalog.hidden()): no dump has what lies in pg_catalog or "
            "information_schema: move it to a schema of yours"))
    server.psql("ALTER SUBSCRIPTION far SET (slot_name = NONE); DROP SUBSCRIPTION far", "objects")


def test_extensions(server):
    server.install_extension(torture.EXTENSION)
    make(server, "extended", """
        CREATE SCHEMA extended; CREATE EXTENSION backstay_torture; ANALYZE;
        GRANT USAGE ON SCHEMA extended TO backstay;
        GRANT SELECT ON extended.whole TO backstay;""")
    with Doctor(server, "extended", "backstay") as doctor:
        doctor.says("extensions are named", "extensions", (
            "info", "1 (backstay_torture 1.0): the server of a restore must have them installed"))
        doctor.says("tables of extensions that a dump leaves out are named",
                    "extensions' own tables", (
                        "info", "1 (extended.internal): the extension makes them anew: rows that "
                        "were added to them are not in the backup"))
        found = doctor.of("rights")
        proof.ok("configuration tables of extensions must be readable, no others", found[0][1]
                 .startswith("backstay may not read 1 tables (extended.settings), 1 sequences "
                             "(extended.whole_id_seq); as the"), found)
        server.psql("GRANT SELECT ON extended.settings, extended.whole_id_seq TO backstay",
                    "extended")
        doctor.says("with these, all can be read", "rights",
                    ("ok", "2 tables, all of them readable"))


def test_collations(server):
    if not server.value("SELECT count(*) FROM pg_collation WHERE collprovider = 'i'") != "0":
        proof.ok("the server knows collations with versions", False, "it was built without ICU")
        return
    make(server, "collations", "CREATE COLLATION public.de (provider = icu, locale = 'de');"
         "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'de' AND collnamespace = "
         "'public'::regnamespace;")
    with Doctor(server, "collations", "backstay") as doctor:
        doctor.matches("a collation of another version is a warning", "collations", (
            "warning", r"1 \(public.de 1.0 -> [\d.]+\): made with another version than the system "
            "has now: REINDEX what uses them, then ALTER COLLATION ... REFRESH VERSION"))
        server.psql("ALTER COLLATION public.de REFRESH VERSION", "collations")
        doctor.says("REFRESH VERSION ends it", "collations")
    if major < 15:
        return
    server.psql("CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und'")
    server.psql("UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'icu'")
    with Doctor(server, "icu", "backstay") as doctor:
        doctor.matches("a database of another version is a warning", "collations", (
            "warning", r"1 \(database icu 1.0 -> [\d.]+\): made with another version of the "
            "collation than the system has now: indexes on text may be in the wrong order; "
            "REINDEX DATABASE, then ALTER DATABASE ... REFRESH COLLATION VERSION"))
        server.psql("ALTER DATABASE icu REFRESH COLLATION VERSION")
        doctor.says("REFRESH COLLATION VERSION ends it", "collations")


def test_prepared(server):
    make(server, "prepared", "CREATE TABLE public.held (a int); CREATE TABLE public.other (a int);"
         "GRANT SELECT ON ALL TABLES IN SCHEMA public TO backstay;")
    server.psql("BEGIN; LOCK TABLE public.held; PREPARE TRANSACTION 'left o''ver'", "prepared")
    with Doctor(server, "prepared", "backstay") as doctor:
        found = (
            "bad", "'left o''ver' of postgres, prepared at [^,]+, keeps public.held locked, which "
            "a backup would wait for; end it:\nCOMMIT PREPARED 'left o''ver';\nor:\n"
            "ROLLBACK PREPARED 'left o''ver';")
        texts = doctor.matches("a prepared transaction that keeps a table locked is named",
                               "prepared transaction", found)
        doctor.source("prepared", "backstay", exclude_tables=["public.held"])
        doctor.says("one on a table that is left out is no matter", "prepared transaction")
        doctor.source("prepared", "backstay")
        server.restart()
        doctor.matches("and after a restart of the server", "prepared transaction", found)
        server.psql(statements(texts[0])[1], "prepared")
        doctor.says("after ROLLBACK PREPARED it is gone", "prepared transaction")


def test_limits(server):
    make(server, "limits", """
        CREATE ROLE few LOGIN CONNECTION LIMIT 3 VALID UNTIL '2001-01-01';
        DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE 'CREATE TABLE public.t' || i || ' AS SELECT '
            'generate_series(1, 20000) AS a'; EXECUTE 'GRANT SELECT ON public.t' || i ||
            ' TO few'; END LOOP; END $$;""")
    with Doctor(server, "limits", "few", jobs=4) as doctor:
        text = ("role few may have 3 connections, a backup with 4 jobs needs 6; set fewer \"jobs\""
                ", or:\nALTER ROLE few CONNECTION LIMIT 6;")
        doctor.says("too few connections of the role are refused", "connections", ("bad", text))
        obey(server, text, "limits")
        doctor.says("after the statement they are enough", "connections")
        done = doctor.attempt("backup")
        proof.ok("a backup needs no more than that", done.code == 0, done)
        server.psql("ALTER DATABASE limits CONNECTION LIMIT 2")
        doctor.says("too few connections of the database are refused", "connections", (
            "bad", "database limits may have 2 connections, a backup with 4 jobs needs 6"))
        server.psql("ALTER DATABASE limits CONNECTION LIMIT -1")
        found = [text for severity, text in doctor.of("role") if severity == "warning"]
        proof.ok("a password that ends soon is a warning", found == [
            "the password of few is valid until 2001-01-01 00:00:00+00 only:\n"
            "ALTER ROLE few VALID UNTIL 'infinity';"], doctor.findings)
        obey(server, found[0], "limits")
        doctor.says("after the statement it is none", "role", ("ok", "few is no superuser"))
        doctor.source("limits", "few", jobs=64)
        found = doctor.of("connections")
        proof.ok("too few connections of the server are a warning", any(
            severity == "warning" and re.fullmatch(
                r"the server has \d+ connections left, a backup with 64 jobs needs 66; set fewer "
                r"\"jobs\", or raise max_connections", text) for severity, text in found), found)


def test_programs(server):
    with Doctor(server, "postgres", "backstay") as doctor:
        doctor.matches("the pg_dump that is chosen is named", "pg_dump", (
            "ok", r"%s/pg_dump, version \d+\.\d+" % server.tools))
        os.mkdir(doctor.at("empty"))
        doctor.source("postgres", "backstay", bin=doctor.at("empty"))
        doctor.says("a pg_dump that is missing is refused", "pg_dump", (
            "bad", "no pg_dump of version %d or newer is in %s; install postgresql-client-%d or "
            "set the option \"bin\"" % (major, doctor.at("empty"), major)))
        doctor.says("a pg_restore that is missing is said", "pg_restore", (
            "info", "no pg_restore of version %d or newer is in %s; install postgresql-client-%d "
            "or set the option \"bin\"; restores need it" % (major, doctor.at("empty"), major)))


def test_whole(server):
    """What is said of a server on which all is well."""
    make(server, "well", "CREATE TABLE public.t (a int); GRANT SELECT ON public.t TO backstay;")
    with Doctor(server, "well", "backstay") as doctor:
        doctor.say()
        subjects = [subject for _, subject, _ in doctor.findings]
        proof.ok("all that is looked at is said", subjects == [
            "connection", "encryption", "server", "role", "pg_dump", "pg_restore", "passwords",
            "archive", "restore to scratch", "rights"], doctor.findings)
        proof.ok("nothing is said to be wrong", doctor.code == 0 and doctor.error is None,
                 doctor.findings)
        said = dict((subject, (severity, text)) for severity, subject, text in doctor.findings)
        proof.ok("the connection is described", said["connection"] == (
            "ok", "role backstay, database well on %s" % server.socket), said)
        proof.ok("the server is described", re.fullmatch(
            r"PostgreSQL %d\.\d+.*, primary" % major, said["server"][1]), said)
        doctor.source("well")
        doctor.says("a superuser is more than is needed", "role", (
            "info", "postgres is a superuser; a role that may only read is enough for backups"))
        proof.ok("a preflight leaves nothing behind", server.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backstay'") == "0")


def main():
    settings = {"max_prepared_transactions": "5", "wal_level": "logical"}
    with postgres.Server(major, settings) as server:
        server.psql("CREATE ROLE app LOGIN; CREATE ROLE backstay LOGIN; "
                    "CREATE ROLE manager LOGIN CREATEROLE CREATEDB;")
        if READ_ALL:
            server.psql("GRANT pg_read_all_data TO manager WITH ADMIN OPTION")
        for test in (test_whole, test_rights, test_chosen_only, test_not_inheriting, test_odd_names,
                     test_connect, test_row_security, test_large_objects, test_tables, test_objects,
                     test_extensions, test_collations, test_prepared, test_limits, test_programs):
            test(server)
    proof.end()


main()
