# tests/integration/postgres/fire_writers.py
# SPDX-License-Identifier: Apache-2.0
#
# Those who change a database while it is backed up. Each keeps an invariant in every transaction:
#
#   pgbench     TPC-B: the balances of accounts, tellers and branches and the history have one sum
#   refill      TRUNCATE and refill in one transaction: always ROWS rows, all of the same round
#   rewrite     ALTER COLUMN TYPE, ADD and DROP COLUMN: always ROWS rows, the sum of amounts the same
#   pairs       two tables changed in one transaction, VACUUM FULL of them between: the sum is 0
#   tables      CREATE TABLE with MADE_ROWS rows and DROP TABLE: those, and only those, whose names
#               are in a list that the same transactions keep
#   short-lived CREATE TABLE with MADE_ROWS rows and DROP TABLE at a high rate: never other rows
#   partitions  ATTACH and DETACH, noted in a table by the same transaction
#   sequence    numbers of a sequence, kept in a table: none is ahead of the sequence
import subprocess
import threading
import time

import postgres

ROWS = 1000
MADE_ROWS = 50
PAIRS = 100
SCALE = 4
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"

SCHEMA = """
CREATE TABLE refilled (n int PRIMARY KEY, round bigint NOT NULL, text text);
INSERT INTO refilled SELECT g, 0, 'begin' FROM generate_series(1, %(rows)d) g;
CREATE TABLE rewritten (n int PRIMARY KEY, amount int NOT NULL);
INSERT INTO rewritten SELECT g, g * 7 FROM generate_series(1, %(rows)d) g;
CREATE TABLE left_side (n int PRIMARY KEY, v bigint NOT NULL);
CREATE TABLE right_side (n int PRIMARY KEY REFERENCES left_side, v bigint NOT NULL);
INSERT INTO left_side SELECT g, g FROM generate_series(1, %(pairs)d) g;
INSERT INTO right_side SELECT g, -g FROM generate_series(1, %(pairs)d) g;
CREATE TABLE made (name text PRIMARY KEY);
CREATE TABLE events (kind text NOT NULL, n int NOT NULL) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
INSERT INTO events SELECT 'a', g FROM generate_series(1, %(rows)d) g;
INSERT INTO events SELECT 'b', g FROM generate_series(1, %(rows)d) g;
CREATE TABLE attached (yes bool NOT NULL);
INSERT INTO attached VALUES (true);
CREATE SEQUENCE numbers;
CREATE TABLE numbered (n bigint PRIMARY KEY);
""" % {"rows": ROWS, "pairs": PAIRS}


def refill(number):
    return ("BEGIN; TRUNCATE refilled; INSERT INTO refilled SELECT g, %d, repeat('x', g %% 50)"
            " FROM generate_series(1, %d) g; COMMIT;" % (number, ROWS))


def rewrite(number):
    kinds = ("bigint", "numeric", "int")
    return ("ALTER TABLE rewritten ALTER COLUMN amount TYPE %s;"
            "ALTER TABLE rewritten ADD COLUMN extra_%d text DEFAULT clock_timestamp()::text;"
            "ALTER TABLE rewritten DROP COLUMN extra_%d;" % (kinds[number % 3], number, number))


def pairs(number):
    one, by = number % PAIRS + 1, number % 1000
    text = ("BEGIN; UPDATE left_side SET v = v + %d WHERE n = %d;"
            "UPDATE right_side SET v = v - %d WHERE n = %d; COMMIT;" % (by, one, by, one))
    return text + ("VACUUM FULL left_side; VACUUM FULL right_side;" if number % 50 == 0 else "")


def tables(number):
    """Some live long, some are gone at once; all in one transaction with the list."""
    new, old = "made_%d" % number, "made_%d" % max(number - 1 - number % 10, 0)
    return ("BEGIN; CREATE TABLE {new} AS SELECT g AS n FROM generate_series(1, {rows}) g;"
            "INSERT INTO made VALUES ('{new}'); COMMIT;"
            "BEGIN; DROP TABLE IF EXISTS {old}; DELETE FROM made WHERE name = '{old}'; COMMIT;"
            ).format(new=new, old=old, rows=MADE_ROWS)


def short_lived(number):
    return ("CREATE TABLE short_{n} AS SELECT g AS n FROM generate_series(1, {rows}) g;"
            "DROP TABLE short_{n};").format(n=number, rows=MADE_ROWS)


def partitions(number):
    change = ("ALTER TABLE events DETACH PARTITION events_b" if number % 2 == 0 else
              "ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b')")
    return "BEGIN; %s; UPDATE attached SET yes = %s; COMMIT;" % (change, number % 2 == 1)


def sequence(_):
    return "INSERT INTO numbered SELECT nextval('numbers') FROM generate_series(1, 5);"


# By name: what a round does, and the pause after it in seconds. A backup needs about a tenth of a
# second in which nobody asks for an exclusive lock: it is given few of those.
WRITERS = {
    "refill": (refill, 0.3),
    "rewrite": (rewrite, 1.1),
    "pairs": (pairs, 0.02),
    "tables": (tables, 0.5),
    "short-lived": (short_lived, 0.01),
    "partitions": (partitions, 0.9),
    "sequence": (sequence, 0.005),
}


class Writer(threading.Thread):
    """One session that repeats its round until it is told to stop."""

    def __init__(self, server, database, name):
        super().__init__(daemon=True, name=name)
        self.statements, self.pause = WRITERS[name]
        self.session = server.database(database).session()
        self.rounds = 0
        self.errors = []
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            self.session.stdin.write(self.statements(self.rounds) + "\n\\echo done\n")
            self.session.stdin.flush()
            for line in self.session.stdout:
                if line.strip() == "done":
                    break
                if "ERROR" in line or "FATAL" in line:
                    self.errors.append(line.strip())
            else:
                self.errors.append("the session ended")
                return
            self.rounds += 1
            time.sleep(self.pause)

    def end(self):
        self.stopped.set()
        self.join(timeout=60)
        self.session.stdin.close()
        self.session.wait(timeout=60)


class Bench:
    """pgbench: looks like a writer, but is a process of its own that counts by itself."""
    name = "pgbench"

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.errors = []
        self.process = subprocess.Popen(
            [PGBENCH, "-h", server.socket, "-p", str(server.port), "-U", postgres.USER, "-n", "-c",
             "2", "-T", "3600", "--rate=200", database], env=postgres.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def rounds(self):
        return int(self.server.value("SELECT count(*) FROM pgbench_history", self.database))

    def end(self):
        if self.process.poll() is not None:
            self.errors.append("pgbench ended by itself")
        self.process.terminate()
        self.process.wait(timeout=60)


class Fire:
    """All of them at once, for as long as the block lasts."""

    def __init__(self, server, database):
        self.writers = [Writer(server, database, name) for name in WRITERS]
        self.writers.append(Bench(server, database))

    def __enter__(self):
        for writer in self.writers:
            if isinstance(writer, Writer):
                writer.start()
        return self

    def __exit__(self, *exception):
        for writer in self.writers:
            writer.end()


def prepare(server, database):
    server.psql(SCHEMA, database)
    postgres.call([PGBENCH, "-h", server.socket, "-p", str(server.port), "-U", postgres.USER, "-i",
                   "-q", "-s", str(SCALE), database])
