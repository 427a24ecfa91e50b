# tests/integration/postgres/fire_check.py
# SPDX-License-Identifier: Apache-2.0
#
# The invariants of fire_writers.py, looked for in the entries of a snapshot and in a restored
# database.
import json

from faults_place import Rows
from fire_writers import MADE_ROWS, PAIRS, ROWS, SCALE
import proof

AMOUNTS = 7 * ROWS * (ROWS + 1) // 2
NUMBERS = ROWS * (ROWS + 1) // 2
ACCOUNTS = 100000 * SCALE


def pgbench(content):
    tables = {name: Rows(content, "pgbench_" + name)
              for name in ("accounts", "tellers", "branches", "history")}
    sums = {tables["accounts"].total("abalance"), tables["tellers"].total("tbalance"),
            tables["branches"].total("bbalance"), tables["history"].total("delta")}
    return len(sums) == 1 and len(tables["accounts"]) == ACCOUNTS, sums


def refilled(content):
    rows = Rows(content, "refilled")
    return (len(rows) == ROWS and rows.total("n") == NUMBERS and
            len(set(rows.column("round"))) == 1), (len(rows), rows.rows[:2])


def rewritten(content):
    rows = Rows(content, "rewritten")
    return len(rows) == ROWS and rows.total("amount") == AMOUNTS, (len(rows), rows.columns)


def paired(content):
    left, right = Rows(content, "left_side"), Rows(content, "right_side")
    values = dict(zip(left.column("n"), left.column("v")))
    apart = [row for row in right.rows if int(values[row[0]]) != -int(row[1])]
    return len(left) == len(right) == PAIRS and not apart, apart


def made(content):
    listed = sorted(Rows(content, "made").column("name"))
    tables = sorted(item["name"] for item in json.loads(content["shop/tables.json"])
                    if item["name"].startswith("made_"))
    short = [item["name"] for item in json.loads(content["shop/tables.json"])
             if item["name"].startswith(("made_", "short_")) and item["rows"] != MADE_ROWS]
    return listed == tables and not short, (set(listed) ^ set(tables), short)


def partitioned(content):
    a, b = Rows(content, "events_a"), Rows(content, "events_b")
    found = (len(a), a.total("n"), len(b), b.total("n"))
    return found == (ROWS, NUMBERS, ROWS, NUMBERS), found


def numbered(content):
    most = max((int(n) for n in Rows(content, "numbered").column("n")), default=0)
    last = [item["last_value"] for item in json.loads(content["shop/sequences.json"])
            if item["name"] == "numbers"]
    return len(last) == 1 and int(last[0]) >= most, (last, most)


def recorded(content):
    wrong = []
    for item in json.loads(content["shop/tables.json"]):
        if len(Rows(content, item["name"], schema=item["schema"])) != item["rows"]:
            wrong.append(item)
    return not wrong, wrong


IN_SNAPSHOT = (pgbench, refilled, rewritten, paired, made, partitioned, numbered, recorded)


def check_content(content, number):
    """All invariants in the entries of one snapshot."""
    broken = []
    for invariant in IN_SNAPSHOT:
        holds, detail = invariant(content)
        if not holds:
            broken.append("%s: %s" % (invariant.__name__, detail))
    proof.ok("backup %d: its entries satisfy every invariant" % number, not broken,
             "\n".join(broken))


# Each is true in every state that a transaction left behind.
IN_DATABASE = {
    "pgbench": """SELECT count(DISTINCT s) = 1 AND max(n) = %d FROM (
        SELECT sum(abalance) s, count(*) n FROM pgbench_accounts
        UNION ALL SELECT sum(tbalance), 0 FROM pgbench_tellers
        UNION ALL SELECT sum(bbalance), 0 FROM pgbench_branches
        UNION ALL SELECT coalesce(sum(delta), 0), 0 FROM pgbench_history) x""" % ACCOUNTS,
    "refilled": "SELECT count(*) = %d AND sum(n) = %d AND min(round) = max(round) FROM refilled" % (
        ROWS, NUMBERS),
    "rewritten": "SELECT count(*) = %d AND sum(amount) = %d FROM rewritten" % (ROWS, AMOUNTS),
    "paired": """SELECT count(*) = %d AND sum(abs(l.v + r.v)) = 0
        FROM left_side l JOIN right_side r USING (n)""" % PAIRS,
    "made": """SELECT coalesce((SELECT array_agg(name ORDER BY name COLLATE "C") FROM made), '{}') =
        coalesce((SELECT array_agg(relname::text ORDER BY relname COLLATE "C") FROM pg_class
        WHERE relname LIKE 'made\\_%' AND relkind = 'r'), '{}')""",
    "partitioned": """SELECT
        (SELECT count(*) FROM events) = %d * (SELECT 1 + yes::int FROM attached)
        AND (SELECT count(*) FROM events_b) = %d""" % (ROWS, ROWS),
    "numbered": """SELECT (SELECT last_value FROM numbers) >= coalesce(max(n), 0) FROM numbered""",
}


def check_database(database, number):
    """All invariants in a restored database."""
    broken = [name for name, query in IN_DATABASE.items() if database.value(query) != "t"]
    made_rows = [row[0] for row in database.query("SELECT name FROM made")
                 if database.value('SELECT count(*) FROM "%s"' % row[0]) != str(MADE_ROWS)]
    proof.ok("backup %d: as a database it satisfies every invariant" % number,
             not broken and not made_rows, (broken, made_rows))
