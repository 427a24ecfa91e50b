# tests/integration/postgres/upgrade.py
# SPDX-License-Identifier: Apache-2.0
#
# Another version of the server: a backup goes into a newer one, and an older one is refused before
# anything is changed there. And client programs of another version than the server.
#
# Usage: upgrade.py MAJOR
import sys

import place
import postgres
import proof
import same
import torture

NEWEST = 18


def compare(name, original, copy):
    found = same.compare(original, copy, without=["structure", "database"])
    proof.ok(name, not found, "\n".join(found))


def to_newer(there, original, newer):
    torture.roles(newer)
    newer.install_extension(torture.EXTENSION)
    result = there.restore(newer.url("newer"))
    facts = result.json()["facts"]
    proof.ok("a newer server: all facts that can be compared are equal",
             facts["outcome"] == "equal" and facts["incomparable"] < 100 < facts["equal"], result)
    copy = newer.database("newer")
    # Its structure is told by the facts alone: the text of a view, for one, is another there.
    compare("a newer server: the copy is equal", original, copy)


def to_older(there, older):
    result = there.attempt("restore", "latest", "--to", older.url("older"))
    proof.ok("an older server is refused", result.code == 10 and
             "which cannot load it; restore into version %d or newer\n" % NEWEST in result.err,
             result)
    proof.ok("and nothing was changed there",
             older.query("SELECT FROM pg_database WHERE datname = 'older'") == [])


def newer_programs(server, newer):
    """pg_dump of the newest version on this server: what it writes loads into both."""
    server.createdb("small")
    server.psql("CREATE TABLE t (a int PRIMARY KEY, b text); ALTER TABLE t ALTER b SET (n_distinct"
                " = 7); INSERT INTO t VALUES (1, 'one'); CREATE INDEX ON t (b);", "small")
    with place.Place(server, "small") as there:
        there.source("small", bin=newer.tools)
        there.backup()
        for target in (server, newer):
            result = there.restore(target.url("from newer"))
            place.facts_are_equal("dumped by %d, loaded into %d: all facts are equal"
                                  % (NEWEST, target.major), result)
            compare("dumped by %d, loaded into %d: the copy is equal" % (NEWEST, target.major),
                    server.database("small"), target.database("from newer"))


def main(major):
    with postgres.Server(major) as server, postgres.Server(NEWEST) as newer:
        torture.make(server)
        with place.Place(server, torture.NAME) as there:
            there.backup(code=3)
            there.source(torture.NAME, bin=newer.tools)
            to_newer(there, server.database(torture.NAME), newer)
        newer_programs(server, newer)
        with place.Place(newer, "newer") as there:
            there.backup()
            to_older(there, server)


main(int(sys.argv[1]))
proof.end()
