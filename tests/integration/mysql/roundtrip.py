# tests/integration/mysql/roundtrip.py
# SPDX-License-Identifier: Apache-2.0
#
# The torture database through a backup and back: into a scratch instance, onto another server. Each
# copy is compared with the original by what the server itself says.
#
# Usage: roundtrip.py SERVER
import sys

import place
import mysql
import proof
import same
import torture

# So small that the largest tables come in several parts.
OPTIONS = {"split": "1MiB"}


def compare(name, server, other, without=()):
    found = same.compare(same.Side(server, torture.NAME), same.Side(other, torture.NAME), without)
    return proof.ok(name, not found, "\n".join(found))


def into_scratch(there, server):
    with there.scratch() as (result, copy):
        place.facts_are_equal("scratch: all facts are equal", result)
        compare("scratch: the copy is equal", server, copy)
    left = there.attempt("doctor", "db")
    proof.ok("scratch: nothing is left of it", "leftover" not in left.out, left)


def onto_another_server(there, server):
    """Where nobody has the accounts that are named: definers need not be there."""
    with mysql.Server(server.flavour) as other:
        result = there.restore(other.url(torture.NAME))
        place.facts_are_equal("another server: all facts are equal", result)
        compare("another server: the copy is equal", server, other)
        result = there.attempt("restore", "latest", "--to", other.url(torture.NAME))
        proof.ok("another server: what is there is not overwritten",
                 result.code != 0 and "exists" in result.err or "not empty" in result.err, result)
        compare("another server: and is what it was", server, other)


def without_local_infile(there, server):
    """A server that lets nobody load a file is given the same rows as INSERT."""
    with mysql.Server(server.flavour, ["--local-infile=OFF"]) as other:
        result = there.restore(other.url(torture.NAME))
        place.facts_are_equal("without LOAD DATA LOCAL: all facts are equal", result)
        compare("without LOAD DATA LOCAL: the copy is equal", server, other)


def main(flavour):
    with mysql.Server(flavour) as server:
        torture.make(server)
        with place.Place(server, torture.NAME, **OPTIONS) as there:
            result = there.backup(code=3)
            proof.ok("tables without a snapshot are named", "engines: " in result.err and all(
                "`.%s (%s)" % (name, engine) in result.err
                for name, engine in (("in_myisam", "MyISAM"), ("in_memory", "MEMORY"))), result)
            into_scratch(there, server)
            onto_another_server(there, server)
            without_local_infile(there, server)
            again = there.backup(code=3).json()["backups"][0]
            proof.ok("a second backup of the same stores less than 1 MB",
                     again["copies"][0]["bytes_stored"] < 1000000, again)
            there.check_clean("after backups of the torture database")


main(sys.argv[1])
proof.end()
