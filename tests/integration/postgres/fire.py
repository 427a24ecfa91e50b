# tests/integration/postgres/fire.py
# SPDX-License-Identifier: Apache-2.0
#
# Consistency under fire: backups while pgbench transfers money, and while other sessions truncate and
# refill, rewrite, create and drop tables. Every copy satisfies what each transaction keeps true.
#
# Usage: fire.py MAJOR [BACKUPS]
import os
import random
import subprocess
import sys
import threading

import place
import postgres
import proof

BACKUPS = 20
TABLES = """
CREATE TABLE wiped (id int PRIMARY KEY, t text);
INSERT INTO wiped SELECT i, md5(i::text) FROM generate_series(1, 2000) i;
CREATE TABLE rewritten (id int PRIMARY KEY, n int);
INSERT INTO rewritten SELECT i, i FROM generate_series(1, 3000) i;
CREATE TABLE moved_from (n int); CREATE TABLE moved_to (n int);
INSERT INTO moved_from SELECT generate_series(1, 1000);
CREATE SEQUENCE pairs;
"""

# Each is repeated by a session of its own, after pauses of this many seconds at the most; %(turn)d is
# the turn. What pg_dump finds locked or waited for makes a backup begin anew: with no pause at all
# between two ALTER TABLE it never gets through, and says so.
PAUSE = 0.6
WRITERS = {
    "truncates": "BEGIN; TRUNCATE wiped; INSERT INTO wiped SELECT i, md5(i::text || '%(turn)d')"
                 " FROM generate_series(1, 2000) i; COMMIT;",
    "rewrites": "ALTER TABLE rewritten ALTER n TYPE bigint; ALTER TABLE rewritten ALTER n TYPE int;",
    "creates": "BEGIN; CREATE TABLE pair_a_%(turn)d AS SELECT generate_series(1, 10) AS n;"
               " CREATE TABLE pair_b_%(turn)d AS SELECT * FROM pair_a_%(turn)d; COMMIT;"
               " BEGIN; DROP TABLE pair_a_%(turn)d, pair_b_%(turn)d; COMMIT;",
    "moves": "BEGIN; WITH gone AS (DELETE FROM moved_from WHERE n IN (SELECT n FROM moved_from LIMIT"
             " 10) RETURNING n) INSERT INTO moved_to SELECT n FROM gone; COMMIT; BEGIN; INSERT INTO"
             " moved_from SELECT n FROM moved_to; TRUNCATE moved_to; COMMIT;",
}

# What must be true of every copy.
INVARIANTS = {
    "no money is lost": """
        SELECT count(DISTINCT s) FROM (SELECT sum(abalance) s FROM pgbench_accounts
            UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
            UNION ALL SELECT sum(bbalance) FROM pgbench_branches
            UNION ALL SELECT coalesce(sum(delta), 0) FROM pgbench_history) sums""",
    "the truncated table is full": "SELECT count(*) / 2000 FROM wiped HAVING count(*) % 2000 = 0",
    "the rewritten table has its rows":
        "SELECT 1 FROM rewritten HAVING sum(n) = 3000 * 3001 / 2 AND count(*) = 3000",
    "what was moved is in one place": """
        SELECT 1 FROM (SELECT n FROM moved_from UNION ALL SELECT n FROM moved_to) both_of_them
        HAVING count(*) = 1000 AND count(DISTINCT n) = 1000""",
    "tables that come in pairs do": """
        SELECT 1 FROM pg_class WHERE relkind = 'r' AND relname LIKE 'pair%'
        HAVING count(*) FILTER (WHERE relname LIKE 'pair_a%')
            = count(*) FILTER (WHERE relname LIKE 'pair_b%')""",
}


class Fire:
    """The writers, until the end of the block. One that fails is told by the first line of @said."""

    def __init__(self, server, database):
        self.ended = threading.Event()
        self.said = []
        self.turns = dict.fromkeys(WRITERS, 0)
        self.threads = [threading.Thread(target=self._write, args=(name, server.database(database)))
                        for name in WRITERS]
        self.bench = subprocess.Popen(
            [os.path.join(postgres.DEBIAN, "15", "bin", "pgbench"), "-n", "-c", "2", "-T", "600",
             "-R", "200", "-h", server.socket, "-p", str(server.port), "-U", postgres.USER, database],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _write(self, name, database):
        session = database.session()
        dice = random.Random(name)
        while not self.ended.wait(dice.uniform(0, PAUSE)):
            self.turns[name] += 1
            session.stdin.write(WRITERS[name] % {"turn": self.turns[name]} + "\n\\echo done\n")
            session.stdin.flush()
            line = session.stdout.readline()
            if line != "done\n":
                self.said.append("%s: %s" % (name, line))
                break
        session.communicate()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.bench.terminate()
        self.bench.wait()


def judge(name, copy):
    broken = [what for what, statement in INVARIANTS.items() if copy.query(statement) != [("1",)]]
    return broken and "%s: not true: %s" % (name, ", ".join(broken))


def locked_table(there, server):
    """A table that is locked for long is waited for, and then named with who has it."""
    there.source("bank", lock_timeout="2s")
    session = server.database("bank").session()
    session.stdin.write("BEGIN; LOCK TABLE wiped; SELECT pg_backend_pid();\n")
    session.stdin.flush()
    pid = session.stdout.readline().strip()
    result = there.attempt("backup")
    proof.ok("a table that cannot be locked is named, and who has it",
             result.code == 14 and "public.wiped" in result.err and pid in result.err, result)
    session.communicate("COMMIT;\n")
    there.backup()


def main(major, backups):
    with postgres.Server(major) as server:
        server.createdb("bank")
        postgres.call([os.path.join(postgres.DEBIAN, "15", "bin", "pgbench"), "-i", "-q", "-s", "2",
                       "-h", server.socket, "-p", str(server.port), "-U", postgres.USER, "bank"])
        server.psql(TABLES, "bank")
        broken, codes = [], []
        with place.Place(server, "bank", split="1MiB") as there:
            with Fire(server, "bank") as fire:
                for turn in range(backups):
                    result = there.attempt("backup", "--json")
                    codes.append(result.code)
                    if result.code not in (0, 3):
                        proof.ok("backup %d under fire" % turn, False, result)
            proof.ok("all writers went on: %s" % fire.turns,
                     not fire.said and min(fire.turns.values()) >= backups // 2, fire.said)
            proof.ok("%d backups under fire succeed" % backups, set(codes) <= {0, 3}, codes)
            for snapshot in there.snapshots():
                result = there.attempt("restore", snapshot, "--to", server.url("copy"), "--json")
                if result.code != 0:
                    broken.append(str(result))
                    continue
                broken += filter(None, [judge(snapshot, server.database("copy"))])
                server.psql("DROP DATABASE copy")
            proof.ok("every copy keeps what transactions keep, and all facts are equal",
                     not broken and len(there.snapshots()) == backups, "\n".join(broken))
            locked_table(there, server)


main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else BACKUPS)
proof.end()
