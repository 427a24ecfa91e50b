# tests/integration/postgres/roundtrip.py
# SPDX-License-Identifier: Apache-2.0
#
# The torture database through a backup and back: into a scratch instance, into a new database
# beside it, onto another server. Each copy is compared with the original by what
# PostgreSQL itself says.
#
# Usage: roundtrip.py MAJOR
import sys

import place
import postgres
import proof
import same
import torture

# So small that the largest table comes in several parts.
OPTIONS = {"split": "1MiB"}
WARNING = ("backstay: warning: invalid indexes: 1 (tables.invalid): left by a CREATE INDEX"
           " CONCURRENTLY that failed, they are not in the backup: REINDEX INDEX CONCURRENTLY or"
           " DROP INDEX each")


def compare(name, original, url, without=()):
    found = same.compare(original, postgres.Database(url, original.tools), without)
    return proof.ok(name, not found, "\n".join(found))


def into_scratch(there, original):
    with there.scratch() as (result, url):
        place.facts_are_equal("scratch: all facts are equal", result)
        # Roles cannot log in there, and have no password.
        compare("scratch: the copy is equal", original, url(torture.NAME), without=["role"])
    left = there.attempt("doctor", "db")
    proof.ok("scratch: nothing is left of it", "leftover" not in left.out, left)


def into_new_database(there, server, original):
    name = "new 'one'"
    result = there.restore(server.url(name))
    place.facts_are_equal("new database: all facts are equal", result)
    compare("new database: the copy is equal", original, server.url(name))


def onto_another_server(there, original, major):
    with postgres.Server(major) as other:
        other.install_extension(torture.EXTENSION)
        result = there.attempt("restore", "latest", "--to", other.url("shop"))
        proof.ok("another server: missing roles are named",
                 result.code == 10 and "torture_owner" in result.err, result)
        proof.ok("another server: nothing was changed before they were",
                 other.query("SELECT FROM pg_database WHERE datname = 'shop'") == [], result)
        torture.roles(other)
        result = there.restore(other.url("shop"))
        place.facts_are_equal("another server: all facts are equal", result)
        compare("another server: the copy is equal", original, other.url("shop"))


def open_temporary(original):
    """A session with a temporary table, which belongs into no backup."""
    session = original.session()
    session.stdin.write("CREATE TEMP TABLE temporary AS SELECT 1 AS a;\n\\echo there\n")
    session.stdin.flush()
    if session.stdout.readline() != "there\n":
        proof.give_up("a session has a temporary table", session.stdout.read())
    return session


def main(major):
    with postgres.Server(major) as server:
        torture.make(server)
        original = server.database(torture.NAME)
        with place.Place(server, torture.NAME, **OPTIONS) as there:
            session = open_temporary(original)
            result = there.backup(code=3)
            proof.ok("the one thing that is not kept is named", WARNING in result.err and
                     result.json()["backups"][0]["counts"]["warnings"] == 1, result)
            session.communicate()
            into_scratch(there, original)
            into_new_database(there, server, original)
            onto_another_server(there, original, major)
            again = there.backup(code=3).json()["backups"][0]
            proof.ok("a second backup of the same stores less than 1 MB",
                     again["copies"][0]["bytes_stored"] < 1000000, again)
            there.check_clean("after backups of the torture database")


main(int(sys.argv[1]))
proof.end()
