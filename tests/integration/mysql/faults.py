# tests/integration/mysql/faults.py
# SPDX-License-Identifier: Apache-2.0
#
# Faults during a backup: connections that are cut, a server that is killed, rights that are taken
# away, disks that are full, signals. Each ends with one message and an exit code, leaves no snapshot
# and no session, and the next run succeeds.
#
# Usage: faults.py SERVER
import os
import random
import signal
import sys
import time

import place
import fault_proxy
import mysql
import proof

MIB = 1 << 20
ROWS = 40000
SHOP = """
CREATE DATABASE shop; USE shop;
CREATE TABLE digits (n int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE orders (n int PRIMARY KEY, t varchar(50));
INSERT INTO orders SELECT a.n * 10 + b.n, 'order' FROM digits a, digits b;
CREATE TABLE big (n int AUTO_INCREMENT PRIMARY KEY, t varchar(200));
INSERT INTO big (t) SELECT CONCAT(SHA2(x, 384), SHA2(-x, 384)) FROM (
    SELECT a.n * 10000 + b.n * 1000 + c.n * 100 + d.n * 10 + e.n AS x
    FROM digits a, digits b, digits c, digits d, digits e WHERE a.n < 4) numbers;
CREATE USER keeper@`127.0.0.1` IDENTIFIED BY '';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON shop.* TO keeper@`127.0.0.1`;
"""


def wait_until(holds, seconds=20, step=0.05):
    """Whether @holds() became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(step)
    return False


class Faults(place.Place):
    """Backups of the shop through a proxy."""

    def __init__(self, server, proxy):
        super().__init__(server, "shop")
        self.proxy = proxy
        self.known = []

    def through(self, port=None, destination="repo", **options):
        """Makes the source one that is reached through the proxy, as an account that may only read."""
        options.setdefault("url", self.server.tcp_url("shop", "keeper", port or self.proxy.port))
        source = {"type": "mysql", "jobs": 2, "users": False, **options}
        self.configure({"db": source}, {"local": destination})

    def sessions(self):
        return self.server.query("SELECT id, info FROM information_schema.PROCESSLIST WHERE user = 'keeper'")

    def slow(self, **options):
        """A backup in the middle of its rows."""
        self.through(**options)
        self.proxy.delay = 0.02
        process = self.start("backup")
        if not wait_until(lambda: any("`big`" in info and "SELECT" in info.upper()
                                      for _, info in self.sessions()), 30):
            proof.give_up("rows are being read", self.wait(process, 5))
        return process

    def fails(self, name, result, code, *texts):
        """A backup failed as it should: the code, the words, nothing listed, nothing left."""
        holds = result.code == code and all(text in result.err for text in texts)
        proof.ok("%s: exit code %d, and the message says why" % (name, code), holds,
                 "%s\nexpected: %s" % (result, "\n".join(texts)))
        proof.ok("%s: one message" % name, result.err.count("backstay: error:") == 1, result)
        proof.ok("%s: no snapshot" % name, self.snapshots() == self.known, self.snapshots())
        proof.ok("%s: no session is left on the server" % name, wait_until(
            lambda: not self.sessions()), self.sessions())

    def ends(self, name, process, code, *texts, seconds=20):
        """The run ends by itself and soon, as fails() says."""
        began = time.monotonic()
        result = self.wait(process, seconds)
        took = time.monotonic() - began
        self.proxy.heal()
        self.fails(name, result, code, *texts)
        proof.ok("%s: it ends soon (%.1f s)" % (name, took), took < seconds)

    def works(self, name):
        self.through()
        result = self.attempt("backup")
        proof.ok("%s: the next run succeeds" % name, result.code == 0, result)
        self.known = self.snapshots()

    # -- the network

    def cut_in_rows(self):
        self.through()
        self.proxy.cut_after = 2 * MIB
        self.ends("a connection is cut in the middle of rows", self.start("backup"), 14,
                  "source db: ", "shop.big", "127.0.0.1:%d" % self.proxy.port)
        proof.ok("a connection is cut in the middle of rows: it was", self.proxy.cuts == 1,
                 self.proxy.cuts)

    def all_reset(self):
        process = self.slow()
        self.proxy.reset_all()
        self.ends("all connections are reset", process, 14, "127.0.0.1:%d" % self.proxy.port)

    def cut_anywhere(self):
        """After any number of bytes: of the greeting, the catalogue, the rows."""
        dice = random.Random(7)
        for number in range(10):
            self.through()
            self.proxy.cut_after = dice.choice((10, 60, 100, 500, 3000, 8000, 20000, 100000, MIB))
            after = self.proxy.cut_after
            result = self.wait(self.start("backup"), 30)
            self.proxy.heal()
            if result.code == 0:
                self.known = self.snapshots()
            else:
                self.fails("cut %d, after %d bytes" % (number, after), result, 14)

    def refused(self):
        self.through()
        self.proxy.refusing = True
        self.ends("connections are closed at once", self.start("backup"), 14,
                  "127.0.0.1:%d" % self.proxy.port)
        self.through(port=mysql.free_port())
        self.ends("nobody listens", self.start("backup"), 14, "127.0.0.1")

    def frozen(self):
        """Nothing arrives any more, and nothing is closed; only a signal ends it at once."""
        process = self.slow()
        self.proxy.frozen = True
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        self.ends("the network is frozen, and a signal comes", process, 143)

    # -- the server

    def killed(self):
        process = self.slow()
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.ends("the server is killed and is back", process, 14, "127.0.0.1:%d" % self.proxy.port)

    def restarted(self):
        process = self.slow()
        self.server.stop()
        self.server.start()
        self.ends("the server is restarted", process, 14, "127.0.0.1:%d" % self.proxy.port)

    def session_killed(self):
        for what in ("KILL", "KILL QUERY"):
            process = self.slow()
            number = [number for number, info in self.sessions() if "`big`" in info][0]
            self.server.sql("%s %s" % (what, number))
            self.ends("a session gets %s" % what, process, 14, "source db: ")

    # -- rights

    def revoked(self):
        self.through()
        self.server.sql("REVOKE SELECT ON shop.* FROM keeper@`127.0.0.1`;"
                        "GRANT SELECT ON shop.orders TO keeper@`127.0.0.1`")
        result = self.attempt("backup")
        self.server.sql("REVOKE SELECT ON shop.orders FROM keeper@`127.0.0.1`;"
                        "GRANT SELECT ON shop.* TO keeper@`127.0.0.1`")
        self.fails("tables that may not be read", result, 14, "GRANT SELECT", "`shop`")

    def revoked_in_the_middle(self):
        """While the first connection reads the large table, the account loses its rights."""
        process = self.slow(jobs=1)
        self.server.sql("REVOKE ALL ON shop.* FROM keeper@`127.0.0.1`; FLUSH PRIVILEGES")
        self.proxy.heal()
        result = self.wait(process, 30)
        self.server.sql("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON shop.* TO"
                        " keeper@`127.0.0.1`")
        self.fails("rights are taken away in the middle", result, 14, "source db: ", "denied")

    def wrong_password(self):
        self.server.sql("ALTER USER keeper@`127.0.0.1` IDENTIFIED BY 'tops3cret'")
        self.through(password="wr0ng-one")
        result = self.attempt("-v", "backup")
        self.server.sql("ALTER USER keeper@`127.0.0.1` IDENTIFIED BY ''")
        self.fails("a wrong password", result, 14, "127.0.0.1:%d" % self.proxy.port, "keeper",
                   "Access denied")
        proof.ok("a wrong password: is not told", "wr0ng" not in result.err + result.out, result)

    # -- structure

    def altered(self):
        """DDL while rows are read: the run fails, or has the state of before."""
        process = self.slow(jobs=1)
        self.server.sql("CREATE TABLE shop.another (n int); ALTER TABLE shop.orders ADD COLUMN more int")
        self.proxy.heal()
        result = self.wait(process, 40)
        self.server.sql("DROP TABLE shop.another; ALTER TABLE shop.orders DROP COLUMN more")
        if result.code == 0:
            self.known = self.snapshots()
            proof.ok("tables are altered while rows are read: the backup is one state", True)
        else:
            self.fails("tables are altered while rows are read", result, 14, "source db: ")

    # -- signals

    def signalled(self):
        for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.slow()
            process.send_signal(sign)
            self.ends("signal %d in the middle of the rows" % sign, process, code, seconds=10)

    # -- the destination

    def full_disk(self):
        self.mount_tmpfs("disk", 3 * MIB)
        self.through(destination="disk/repo")
        self.run("init")
        repo, self.known = self.known, self.snapshots()
        self.fails("the destination's disk is full", self.attempt("backup"), 16, self.at("disk/repo"))
        os.system("mount -o remount,size=200M %s" % self.at("disk"))
        result = self.attempt("backup")
        proof.ok("after making room: the next run succeeds", result.code == 0, result)
        self.check_clean("after a full disk")
        self.known = repo


def main(flavour):
    with mysql.Server(flavour, tcp=True) as server:
        server.sql(SHOP)
        # Without it the server hides routines, and a backup without them is refused.
        server.sql("GRANT %s TO keeper@`127.0.0.1`" % (
            "SELECT ON mysql.proc" if server.mariadb else "SHOW_ROUTINE ON *.*"))
        with fault_proxy.Proxy(("127.0.0.1", server.port)) as proxy, Faults(server, proxy) as faults:
            faults.works("before any fault")
            for fault in (faults.cut_in_rows, faults.all_reset, faults.cut_anywhere, faults.refused,
                          faults.frozen, faults.killed, faults.restarted, faults.session_killed,
                          faults.revoked, faults.revoked_in_the_middle, faults.wrong_password,
                          faults.altered, faults.signalled, faults.full_disk):
                fault()
                faults.works("after %s" % fault.__name__)
            faults.check_clean("after all faults")
            result = faults.attempt("restore", "latest", "--to", server.url("copy"), "--json")
            place.facts_are_equal("after all faults: a restore has equal facts", result)


if __name__ == "__main__":
    main(sys.argv[1])
    proof.end()
