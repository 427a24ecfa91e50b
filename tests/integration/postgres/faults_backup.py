# tests/integration/postgres/faults_backup.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: faults_backup.py MAJOR
#
# Faults during a backup: connections that are cut, faults of the server, of the destination's disk,
# and signals. Each ends with one message and an exit code, leaves no snapshot, no session and no
# program, and the next run succeeds.
import contextlib
import os
import random
import signal
import sys
import time

import faults_place
from faults_place import wait_until
import fault_proxy
import postgres
import proof

MAJOR = int(sys.argv[1])
MIB = 1 << 20
CLOSED = "server closed the connection unexpectedly"


class Faults(faults_place.Faults):
    @contextlib.contextmanager
    def locked(self, table):
        session = self.server.database("shop").session()
        session.stdin.write("BEGIN; LOCK TABLE %s;\n\\echo locked\n" % table)
        session.stdin.flush()
        session.stdout.readline()
        try:
            yield
        finally:
            session.communicate("COMMIT;\n")

    # -- the network

    def cut_in_copy(self):
        """Four connections carry little; that with the rows of the large table is cut."""
        self.place.source(proxy=self.proxy)
        self.proxy.cut_after = 2 * MIB
        self.ends("a connection is cut in the middle of COPY", self.place.start("backup"), 14,
                  "source db: table public.big: database shop on 127.0.0.1:%d: read rows: " %
                  self.proxy.port, CLOSED)
        proof.ok("a connection is cut in the middle of COPY: it was", self.proxy.cuts == 1,
                 self.proxy.cuts)

    def all_reset(self):
        process = self.slow()
        self.proxy.reset_all()
        self.ends("all connections are reset", process, 14, "database shop on 127.0.0.1:%d: " %
                  self.proxy.port)

    def cut_anywhere(self):
        """After any number of bytes: of the greeting, the catalogue, pg_dump, the rows."""
        dice = random.Random(7)
        for number in range(8):
            self.place.source(proxy=self.proxy)
            self.proxy.cut_after = dice.choice((60, 500, 3000, 20000, 100000, 1 << 20))
            result = self.place.wait(self.place.start("backup"), 30)
            self.proxy.heal()
            if result.code == 0:
                self.place.known = self.place.snapshots()
            else:
                self.place.fails("cut %d, after some bytes" % number, result, 14)

    def refused(self):
        self.place.source(proxy=self.proxy)
        self.proxy.refusing = True
        self.ends("connections are closed at once", self.place.start("backup"), 14,
                  "connect to database shop on 127.0.0.1:%d" % self.proxy.port)
        self.place.source(url="postgresql://postgres@127.0.0.1:%d/shop" % postgres.free_port())
        self.ends("nobody listens", self.place.start("backup"), 14,
                  "connect to database shop on 127.0.0.1:", "Connection refused")

    # -- the server

    def stopped_at_once(self):
        process = self.slow()
        self.server.stop(signal.SIGQUIT)
        self.server.start()
        self.ends("the server crashes and is back", process, 14, "database shop on 127.0.0.1:%d: " %
                  self.proxy.port)

    def restarted(self):
        process = self.slow()
        self.server.restart()
        self.ends("the server is restarted", process, 14, "database shop on 127.0.0.1:%d: " %
                  self.proxy.port)

    def reading(self, what):
        """Applies a function to the session that reads the large table, when others have begun."""
        time.sleep(2)
        found = self.server.query("SELECT %s(pid) FROM pg_stat_activity WHERE"
                                  " query LIKE '%%COPY%%big%%' AND application_name = 'backstay' AND state = 'active'" % what)
        proof.ok("%s found the session" % what, found == [("t",)], found)

    def cancelled(self):
        process = self.slow()
        self.reading("pg_cancel_backend")
        self.ends("a statement is cancelled", process, 14, "table public.big: ",
                  "canceling statement due to user request")

    def terminated(self):
        process = self.slow()
        self.reading("pg_terminate_backend")
        self.ends("a session is terminated", process, 14, "table public.big: ")

    def last_words(self):
        """What the server said before it closed the connection is told."""
        with self.locked("orders"):
            self.place.source()
            process = self.place.start("backup")
            waiting = ("SELECT pid FROM pg_stat_activity WHERE application_name = 'backstay' AND"
                       " wait_event_type = 'Lock'")
            wait_until(lambda: self.server.query(waiting))
            self.server.query("SELECT pg_terminate_backend(pid) FROM (%s) x" % waiting)
            self.ends("a session is terminated while it waits", process, 14,
                      "terminating connection due to administrator command")

    def each_session(self):
        """Whichever it is: of pg_dump, the one that only looks, one that has nothing to do."""
        for number in range(4):
            process = self.slow()
            pids = [row[0] for row in self.place.sessions()]
            if number < len(pids):
                self.server.value("SELECT pg_terminate_backend(%s)" % pids[number])
            self.proxy.heal()
            result = self.place.wait(process, 60)
            if result.code == 0:  # it had done its work
                self.place.known = self.place.snapshots()
                self.place.nothing_left("session %d of %d is ended" % (number, len(pids)))
            else:
                self.place.fails("session %d of %d is ended" % (number, len(pids)), result, 14)

    def limited_role(self):
        """Time-outs that an owner has set for people do not end a backup."""
        self.server.psql("".join("ALTER ROLE limited SET %s = '150ms';" % name for name in (
            "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")))
        self.place.source(url="host=127.0.0.1 port=%d user=limited dbname=shop" % self.proxy.port)
        self.proxy.delay = 0.005
        result = self.place.attempt("backup")
        self.proxy.heal()
        proof.ok("a role with short time-outs: the backup succeeds", result.code == 0, result)
        self.place.known = self.place.snapshots()

    # -- signals

    def signalled(self):
        for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.slow()
            process.send_signal(sign)
            self.ends("signal %d in the middle of the rows" % sign, process, code, seconds=10)
        for number, pause in enumerate((0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)):
            self.place.source(proxy=self.proxy)
            self.proxy.delay = 0.003
            process = self.place.start("backup")
            time.sleep(pause)
            process.send_signal(signal.SIGTERM)
            result = self.place.wait(process, 20)
            if result.code == 0:
                self.place.known = self.place.snapshots()
                continue
            # Before the program could say what a signal shall do, it just ends.
            self.place.fails("signal after %.2f s" % pause, result, 143) if result.code > 0 else \
                proof.ok("signal after %.2f s" % pause, result.code == -15, result)
        self.proxy.heal()

    # -- the destination

    def full_disk(self):
        self.place.mount_tmpfs("disk", 12 * MIB)
        self.place.source(destination="disk/repo")
        self.place.run("init")
        self.place.run("backup")
        repo, self.place.known = self.place.known, self.place.snapshots()
        self.server.psql("CREATE TABLE noise AS SELECT g AS n, md5(g::text) || md5((-g)::text) ||"
                         " md5((g + 0.5)::text) AS t FROM generate_series(1, 300000) g", "shop")
        self.place.fails("the destination's disk is full", self.place.attempt("backup"), 16,
                         self.place.at("disk/repo"))
        self.place.check_clean("the destination's disk is full")
        os.system("mount -o remount,size=200M %s" % self.place.at("disk"))
        self.place.works("after making room")
        self.server.psql("DROP TABLE noise", "shop")
        self.place.known = repo
        self.place.source()


with postgres.Server(MAJOR) as server:
    faults_place.make_shop(server)
    server.psql("CREATE ROLE limited LOGIN SUPERUSER")
    with faults_place.Place(server) as place, \
            fault_proxy.Proxy("%s/.s.PGSQL.%d" % (server.socket, server.port)) as proxy:
        place.begin()
        faults = Faults(server, place, proxy)
        for fault in (faults.cut_in_copy, faults.all_reset, faults.cut_anywhere, faults.refused,
                      faults.stopped_at_once, faults.restarted, faults.cancelled,
                      faults.terminated, faults.last_words, faults.each_session,
                      faults.limited_role, faults.signalled, faults.full_disk):
            fault()
            faults.works("after %s" % fault.__name__)
        place.check_clean("after all faults")
        content = place.export()
        proof.ok("after all faults: the rows are all there", len(faults_place.Rows(
            content, "big")) == faults_place.ROWS)
proof.end()
