# tests/integration/mysql/fire.py
# SPDX-License-Identifier: Apache-2.0
#
# Consistency under fire: backups while sessions transfer money between three tables, refill a table,
# and create, alter and drop others. Every copy satisfies what each transaction keeps true; and its
# position in the binary log is that of the snapshot: what the log has from there on, replayed onto the
# copy, leads to what the live server has.
#
# Usage: fire.py SERVER [BACKUPS]
import random
import subprocess
import sys
import threading
import time

import place
import mysql
import proof
import same

BACKUPS = 20
REPLAYED = 4  # so many of the copies are led on to the live state
ACCOUNTS = 300
# What "consistency" is set to. Without a lock MySQL has no position that is the snapshot's.
WAYS = {"mariadb": ("auto", "lock", "snapshot"), "mysql": ("auto", "lock")}
TABLES = """
CREATE DATABASE bank CHARACTER SET utf8mb4; USE bank;
CREATE TABLE digits (n int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, filler varchar(200) NOT NULL);
INSERT INTO accounts SELECT a.n * 100 + b.n * 10 + c.n, 1000, REPEAT('x', 200) FROM digits a, digits b, digits c WHERE a.n < 3;
CREATE TABLE tills (id int PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO tills SELECT n, 0 FROM digits;
CREATE TABLE history (id bigint AUTO_INCREMENT PRIMARY KEY, account int, delta bigint NOT NULL, at timestamp(6) DEFAULT CURRENT_TIMESTAMP(6));
CREATE TABLE refilled (n int PRIMARY KEY, round int NOT NULL);
INSERT INTO refilled SELECT n, 0 FROM digits;
CREATE TABLE reshaped (n int PRIMARY KEY, amount int NOT NULL);
INSERT INTO reshaped SELECT n, n * 7 FROM digits;
CREATE TABLE bulk (id int AUTO_INCREMENT PRIMARY KEY, t varchar(250));
INSERT INTO bulk (t) SELECT REPEAT(CHAR(97 + a.n), 200 + b.n) FROM digits a, digits b, digits c, digits d;
DELIMITER ;;
-- Statements of a procedure are transactions like those of a client, without its pauses between them.
CREATE PROCEDURE transfer (IN source int, IN target int, IN till int, IN amount int)
BEGIN
    DECLARE EXIT HANDLER FOR 1213 ROLLBACK;
    START TRANSACTION;
    UPDATE accounts SET balance = balance - amount WHERE id = source;
    INSERT INTO history (account, delta) VALUES (source, -amount);
    UPDATE accounts SET balance = balance + amount - 1 WHERE id = target;
    INSERT INTO history (account, delta) VALUES (target, amount - 1);
    UPDATE tills SET balance = balance + 1 WHERE id = till;
    COMMIT;
END;;
"""


def transfer(dice, _):
    return "CALL transfer(%d, %d, %d, %d);" % (
        dice.randrange(ACCOUNTS), dice.randrange(ACCOUNTS), dice.randrange(10), dice.randrange(1, 500))


def refill(_, turn):
    return ("START TRANSACTION; DELETE FROM refilled; INSERT INTO refilled SELECT n, %d FROM digits;"
            " COMMIT;" % turn)


def create(_, turn):
    return ("CREATE TABLE made_{0} (n int PRIMARY KEY) SELECT n FROM digits;"
            "INSERT INTO made_{0} VALUES (100); DROP TABLE made_{0};").format(turn)


def reshape(_, turn):
    return "ALTER TABLE reshaped %s;" % ("ADD COLUMN extra int DEFAULT 5, ALGORITHM = COPY"
                                         if turn % 2 == 0 else "DROP COLUMN extra, ALGORITHM = COPY")


# What each session repeats, and the longest pause in between, in seconds.
WRITERS = {"transfers": (transfer, 0.004), "more transfers": (transfer, 0.004),
           "refills": (refill, 0.05), "creates": (create, 0.4), "reshapes": (reshape, 0.7)}

# What must be true of every copy: each has one value, 1.
INVARIANTS = {
    "no money is lost": "SELECT (SELECT SUM(balance) FROM accounts) + (SELECT SUM(balance) FROM tills)"
                        " = %d" % (ACCOUNTS * 1000),
    "the history explains every balance": "SELECT COUNT(*) = 0 FROM accounts a LEFT JOIN (SELECT account,"
                                          " SUM(delta) AS s FROM history GROUP BY account) h ON account = id"
                                          " WHERE balance <> 1000 + IFNULL(s, 0)",
    "the tills have what was kept": "SELECT (SELECT SUM(balance) FROM tills) * 2 ="
                                    " (SELECT COUNT(*) FROM history)",
    "the refilled table is full, of one round": "SELECT COUNT(*) = 10 AND COUNT(DISTINCT round) = 1"
                                                " FROM refilled",
    "the reshaped table has its rows": "SELECT COUNT(*) = 10 AND SUM(amount) = 315 FROM reshaped",
}


class Fire:
    """The writers, until the end of the block."""

    def __init__(self, server):
        self.server = server
        self.ended = threading.Event()
        self.said = []
        self.turns = dict.fromkeys(WRITERS, 0)
        self.threads = [threading.Thread(target=self._write, args=(name,)) for name in WRITERS]

    def _write(self, name):
        statements, pause = WRITERS[name]
        dice = random.Random(name)
        session = self.server.session("bank")
        while not self.ended.wait(dice.uniform(0, pause)):
            session.stdin.write(statements(dice, self.turns[name]) + "\nSELECT 'done';\n")
            session.stdin.flush()
            line = session.stdout.readline()
            if line != "done\n":
                self.said.append("%s: %s" % (name, line))
                break
            self.turns[name] += 1
        session.communicate()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def judge(name, side):
    return ["%s: not true: %s" % (name, what) for what, statement in INVARIANTS.items()
            if side.query(statement) != [("1",)]]


def replay(server, other, details):
    """What the log of @server has from a snapshot on is done on @other."""
    file, position = details["binlog_file"], details["binlog_position"]
    logs = [name for name, *_ in server.query("SHOW BINARY LOGS")]
    tool = server.command(name="mariadb-binlog" if server.mariadb else "mysqlbinlog")[0]
    events = subprocess.run(
        [tool, "--no-defaults", "--start-position=" + position, "--database=bank",
         *(["--skip-gtids"] if not server.mariadb else []), "--disable-log-bin",
         *(server.data + "/" + log for log in logs[logs.index(file):])],
        capture_output=True, check=False, env=mysql.environment())
    if events.returncode != 0:
        return events.stderr.decode()
    done = subprocess.run(other.command("--binary-mode"), input=events.stdout, capture_output=True,
                          check=False, env=mysql.environment())
    return done.stderr.decode() if done.returncode != 0 else ""


def details_of(there, snapshot):
    return there.run("show", snapshot, "--json").json()["details"]


def burn(there, server, backups):
    """Backups while the writers write: their ids."""
    codes, taken = [], []
    ways = WAYS["mariadb" if server.mariadb else "mysql"]
    with Fire(server) as fire:
        for turn in range(backups):
            there.source("bank", split="1MiB", consistency=ways[turn % len(ways)])
            before = dict(fire.turns)
            began = time.monotonic()
            result = there.attempt("backup", "--json")
            took = time.monotonic() - began
            codes.append(result.code)
            if result.code != 0:
                proof.ok("backup %d under fire" % turn, False, result)
            else:
                taken.append(result.json()["backups"][0]["id"])
            still = [name for name in WRITERS if fire.turns[name] == before[name]]
            if took > 20 or "transfers" in still:
                proof.ok("backup %d lets others write (%.1f s)" % (turn, took), False, still)
    proof.ok("all writers went on: %s" % fire.turns, not fire.said and min(fire.turns.values()) > 0,
             "\n".join(fire.said))
    proof.ok("%d backups under fire succeed" % backups, set(codes) == {0}, codes)
    return taken


def control(there, server, other, taken):
    """A replay that misses something is noticed."""
    there.run("restore", taken[0], "--to", other.url("bank"))
    replay(server, other, details_of(there, taken[-1]))
    found = same.compare(same.Side(server, "bank"), same.Side(other, "bank"))
    proof.ok("a replay from a later position than that of the snapshot is noticed",
             any(line.startswith("rows of accounts") for line in found), found)
    other.sql("DROP DATABASE bank")


def main(flavour, backups):
    with mysql.Server(flavour, binlog=True) as server:
        server.sql(TABLES)
        with place.Place(server, "bank", split="1MiB") as there, mysql.Server(flavour) as other:
            taken = burn(there, server, backups)
            live = same.Side(server, "bank")
            broken, apart = [], []
            for number, snapshot in enumerate(taken):
                result = there.attempt("restore", snapshot, "--to", other.url("bank"), "--json")
                copy = same.Side(other, "bank")
                if result.code != 0:
                    broken.append(str(result))
                else:
                    broken += judge(snapshot, copy)
                    if number * REPLAYED // len(taken) != (number - 1) * REPLAYED // len(taken):
                        said = replay(server, other, details_of(there, snapshot))
                        apart += ["%s: %s" % (snapshot, line) for line in
                                  ([said] if said else same.compare(live, copy))]
                other.sql("DROP DATABASE IF EXISTS bank")
            proof.ok("every copy keeps what transactions keep, and all facts are equal",
                     taken and not broken, "\n".join(broken))
            proof.ok("replayed from its position, a copy becomes what the live server is",
                     taken and not apart, "\n".join(apart))
            control(there, server, other, taken)
            there.check_clean("after the fire")


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else BACKUPS)
proof.end()
