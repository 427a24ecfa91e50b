# tests/integration/postgres/faults_locks.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: faults_locks.py MAJOR
#
# Locks: tables that cannot be had, and sessions that wait for ours.
import re
import sys
import threading
import time

import faults_place
from faults_place import wait_until
import fault_proxy
import postgres
import proof

MAJOR = int(sys.argv[1])
SCHEMA = """
CREATE TABLE orders (n int PRIMARY KEY, text text);
INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 1000) g;
CREATE TABLE logs (n int);
CREATE TABLE years (n int) PARTITION BY RANGE (n);
CREATE TABLE years_1 PARTITION OF years FOR VALUES FROM (0) TO (10);
CREATE TABLE big (n int, text text);
INSERT INTO big SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 60000) g;
"""


class Session:
    """An open session that has done @statements, and whose last one may still be waiting."""

    def __init__(self, server, statements, database="shop", waits=False):
        self.psql = server.database(database).session()
        self.psql.stdin.write("SELECT pg_backend_pid();\n")
        self.psql.stdin.flush()
        self.pid = int(self.psql.stdout.readline())
        self.psql.stdin.write(statements + "\n\\echo done\n")
        self.psql.stdin.flush()
        if not waits:
            self.finish()

    def finish(self):
        """Waits until the statements are done; what was said."""
        said = []
        for line in self.psql.stdout:
            if line == "done\n":
                return "".join(said)
            said.append(line)
        return "the session ended: " + "".join(said)

    def end(self):
        self.psql.stdin.close()
        self.psql.wait(timeout=30)


def slow(place, proxy, **options):
    """A backup whose rows come slowly; returns when pg_dump is done and they still do."""
    place.source(proxy=proxy, **options)
    proxy.delay = 0.02
    process = place.start("-v", "backup")
    if not (wait_until(place.dumping, 60) and wait_until(place.copying, 60)):
        proof.give_up("rows are being read", place.wait(process, 1))
    return process


def held_too_long(server, place):
    """Others are locked as well: in another database, by a stronger claim to be named, unasked."""
    elsewhere = Session(server, "BEGIN; LOCK TABLE elsewhere;", "postgres")
    excluded = Session(server, "BEGIN; LOCK TABLE logs;")
    time.sleep(1.1)
    holder = Session(server, "BEGIN; LOCK TABLE orders; SELECT 'as somebody does';")
    place.source(lock_timeout="3s", exclude_tables=["public.logs"])
    began = time.monotonic()
    result = place.attempt("backup")
    took = time.monotonic() - began
    place.fails("a table that is locked", result, 14)
    proof.ok("a table that is locked: the message names it, the session and what to do", re.search(
        r"source db: database shop on \S+: table public\.orders cannot be locked: session %d of "
        r"postgres has been holding or awaiting an exclusive lock on it for [2-7] s "
        r"\(SELECT 'as somebody does';\); tried for 3 s\. Let it end, or raise \"lock_timeout\"\n"
        % holder.pid, result.err), result)
    proof.ok("a table that is locked: given up after lock_timeout (%.1f s)" % took, 3 <= took < 8)
    for session in (elsewhere, excluded, holder):
        session.end()
    place.works("a table that was locked")


def released_in_time(server, place):
    holder = Session(server, "BEGIN; LOCK TABLE orders;")
    place.source(lock_timeout="30s")
    process = place.start("-v", "backup")
    time.sleep(3)
    still = process.poll() is None
    holder.end()
    result = place.wait(process, 30)
    proof.ok("a lock that goes away in time: the backup waits for it and succeeds",
             still and result.code == 0 and "trying again" in result.err, result)
    place.known = place.snapshots()


def nobody_waits_long(server, place):
    """While a table cannot be locked, those who want other tables do not wait all the time."""
    holder = Session(server, "BEGIN; LOCK TABLE orders;")
    place.source(lock_timeout="8s")
    process = place.start("backup")
    time.sleep(0.5)
    waits = []
    while process.poll() is None:
        began = time.monotonic()
        server.psql("TRUNCATE logs", "shop")
        waits.append(time.monotonic() - began)
        time.sleep(0.1)
    proof.ok("while a table is waited for, an exclusive lock on another one waits 3 s at most "
             "(%.1f s)" % max(waits), max(waits) < 3.5 and len(waits) > 3, waits)
    result = place.wait(process)
    holder.end()
    place.fails("a table that stays locked", result, 14, "table public.orders cannot be locked")


def blocking(server, place, proxy):
    process = slow(place, proxy, abort_when_blocking="2s")
    began = time.monotonic()
    change = Session(server, "ALTER TABLE big ADD COLUMN more int;", waits=True)
    said = change.finish()
    waited = time.monotonic() - began
    proxy.heal()
    result = place.wait(process)
    place.fails("a session waits for us", result, 14)
    proof.ok("a session waits for us: the message names it", re.search(
        r"source db: database shop on 127\.0\.0\.1:\d+: given up, since session %d \(ALTER TABLE "
        r"big ADD COLUMN more int;\) has waited for [2-4] s for our lock on public\.big, and "
        r"others wait behind it \(\"abort_when_blocking\"\); run the backup at another time than such "
        r"changes\n" % change.pid, result.err), result)
    proof.ok("a session waits for us: it got what it wanted, after %.1f s" % waited,
             not said and waited < 8, said)
    change.end()

    process = slow(place, proxy, abort_when_blocking="0s")
    change = Session(server, "ALTER TABLE big DROP COLUMN more;", waits=True)
    time.sleep(4)
    still = process.poll() is None
    proxy.heal()
    result = place.wait(process)
    said = change.finish()
    proof.ok("a session waits for us, and that is allowed: the backup goes on to its end",
             still and result.code == 0 and not said, "%s\n%s" % (result, said))
    place.known = place.snapshots()
    rows = faults_place.Rows(place.export(), "big")
    proof.ok("a session waits for us: the snapshot has the table as it was before",
             "more" in rows.columns and len(rows) == 60000, rows.columns)
    change.end()


def in_between(server, place):
    """An ALTER TABLE that comes between our locks and those of pg_dump, at the first try only."""
    folder = place.wrap("pg_dump", '[ $count = 0 ] && sleep 1.5; exec "$real" "$@"')
    place.source(bin=folder, lock_timeout="30s")
    began = time.monotonic()
    process = place.start("-v", "backup")
    ready = wait_until(place.dumping)
    change = Session(server, "ALTER TABLE orders ADD COLUMN squeezed int;", waits=True)
    said = change.finish()
    waited = time.monotonic() - began
    result = place.wait(process)
    proof.ok("somebody between our lock and pg_dump's: everything is released and tried again",
             ready and result.code == 0 and re.search(
                 r"pg_dump cannot lock what we have locked: session %d \(ALTER TABLE orders ADD "
                 r"COLUMN squeezed int;\) came between, and waits for our lock on public\.orders; "
                 r"trying again\n" % change.pid, result.err),
             result)
    proof.ok("somebody between our lock and pg_dump's: waited for us no longer than for the first "
             "try (%.1f s)" % waited, not said and waited < 4, said)
    place.known = place.snapshots()
    content = place.export()
    proof.ok("somebody between our lock and pg_dump's: the snapshot is that of the second try",
             "squeezed" in faults_place.Rows(content, "orders").columns and
             b"squeezed integer" in content["shop/schema.dump"])
    change.end()
    place.nothing_left("somebody between our lock and pg_dump's")


def dropped_meanwhile(server, place):
    """Nobody locks views, functions and sequences: pg_dump finds them gone."""
    gone = (r"something was dropped while pg_dump read its definition \(pg_dump: error: .*\)")
    for make, drop, says in (
            ("CREATE VIEW fleeting AS SELECT * FROM orders", "DROP VIEW fleeting", gone),
            ("CREATE SEQUENCE fleeting", "DROP SEQUENCE fleeting", gone),
            ("CREATE FUNCTION fleeting(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
             "DROP FUNCTION fleeting", "function fleeting was changed or dropped while pg_dump "
             "read its definition"),
            ("CREATE DOMAIN fleeting AS int CHECK (value > 0)", "DROP DOMAIN fleeting",
             "(type fleeting|constraint fleeting_check) was changed or dropped while pg_dump read "
             "its definition")):
        server.psql(make, "shop")
        folder = place.wrap("pg_dump", '[ $count = 0 ] && sleep 1; exec "$real" "$@"')
        place.source(bin=folder, lock_timeout="30s")
        process = place.start("-v", "backup")
        wait_until(place.dumping)
        time.sleep(0.2)
        server.psql(drop, "shop")
        result = place.wait(process)
        proof.ok("%s while pg_dump reads: it is tried again" % drop, result.code == 0 and re.search(
            r"db: database shop on \S+: " + says + r"; run the backup at another time than such "
            r"changes, or raise \"lock_timeout\" for more tries; trying again\n", result.err),
                 result)
        place.known = place.snapshots()
        proof.ok("%s while pg_dump reads: the snapshot does not have it" % drop,
                 b"fleeting" not in place.export()["shop/schema.dump"])


def always_in_between(server, place):
    folder = place.wrap("pg_dump", 'sleep 0.7; exec "$real" "$@"')
    place.source(bin=folder, lock_timeout="4s")
    stop = threading.Event()

    def truncate():
        while not stop.is_set():
            server.psql("TRUNCATE logs", "shop")

    thread = threading.Thread(target=truncate)
    thread.start()
    began = time.monotonic()
    result = place.attempt("backup")
    took = time.monotonic() - began
    stop.set()
    thread.join()
    place.fails("always somebody in between", result, 14, "table public.logs cannot be locked: "
                "session ", " s (TRUNCATE logs); tried for 4 s. Let it end, or raise "
                "\"lock_timeout\"")
    proof.ok("always somebody in between: given up after lock_timeout (%.1f s)" % took,
             4 <= took < 12)


def parent_only(server, place):
    """The root of a partitioned table is locked by pg_dump alone: it has no rows."""
    holder = Session(server, "BEGIN; LOCK TABLE ONLY years; SELECT 1;")
    place.source(lock_timeout="4s")
    place.fails("a partitioned table that is locked", place.attempt("backup"), 14,
                "table public.years cannot be locked: session %d of postgres" % holder.pid,
                " s (SELECT 1;); tried for 4 s. Let it end, or raise \"lock_timeout\"")
    holder.end()


def comes_and_goes(server, place):
    """A table that a pattern leaves out is not waited for."""
    holder = Session(server, "BEGIN; LOCK TABLE logs;")
    place.source(lock_timeout="2s", exclude_tables=["*.logs"])
    result = place.attempt("backup")
    proof.ok("a locked table that is left out: the backup succeeds", result.code == 0, result)
    place.known = place.snapshots()
    place.source(lock_timeout="2s", structure_only=["*.logs"])
    place.fails("a locked table of which the structure is kept", place.attempt("backup"), 14,
                "table public.logs cannot be locked")
    holder.end()
    place.works("after all that")


with postgres.Server(MAJOR) as server:
    server.createdb("shop")
    server.psql(SCHEMA, "shop")
    server.psql("CREATE TABLE elsewhere (n int)")
    with faults_place.Place(server) as place, \
            fault_proxy.Proxy("%s/.s.PGSQL.%d" % (server.socket, server.port)) as proxy:
        place.begin()
        held_too_long(server, place)
        released_in_time(server, place)
        nobody_waits_long(server, place)
        blocking(server, place, proxy)
        in_between(server, place)
        dropped_meanwhile(server, place)
        always_in_between(server, place)
        parent_only(server, place)
        comes_and_goes(server, place)
        place.check_clean("after all faults")
proof.end()
