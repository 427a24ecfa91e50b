# tests/integration/postgres/rights.py
# SPDX-License-Identifier: Apache-2.0
#
# Least privilege: a role that may do nothing but connect. Doctor names what it lacks as statements;
# these are run as they stand, and then the role backs up the torture database as a superuser would.
#
# Usage: rights.py MAJOR
import re
import sys

import place
import postgres
import proof
import same
import torture

ROLE = "least"
# What begins other ways to the same end.
ALTERNATIVE = re.compile(r"\n(where a managed|owners are bound|or, for those|and for those)")


HIDDEN = ("backstay: warning: user mappings: 2 (public on elsewhere, torture_reader on elsewhere): their"
          " options (the password) are hidden from all but superusers and not in the backup; keep their"
          " CREATE USER MAPPING\n")
WITHOUT_HIDDEN = """
ALTER USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (DROP "user", DROP password_required);
ALTER USER MAPPING FOR torture_reader SERVER elsewhere OPTIONS (DROP "user", DROP password);
"""


def problems(there):
    """What doctor finds bad about the source: subjects, and the statements that are to help."""
    result = there.attempt("doctor", "db", "--json")
    findings = [finding for section in result.json()["checks"] for finding in section["findings"]
                if finding["severity"] == "bad"]
    statements = [ALTERNATIVE.split(finding["text"].partition("\n")[2])[0] for finding in findings]
    return result, [finding["subject"] for finding in findings], statements


def main(major):
    with postgres.Server(major) as server:
        torture.make(server)
        server.psql("CREATE ROLE %s LOGIN" % ROLE)
        server.psql("GRANT CONNECT ON DATABASE %s TO %s" % (torture.quoted(torture.NAME), ROLE))
        with place.Place(server, torture.NAME, user=ROLE, split="1MiB") as there:
            result = there.attempt("backup")
            proof.ok("a role without rights backs nothing up, and is told why",
                     result.code == 14 and "may not read" in result.err, result)
            proof.ok("no snapshot is listed", there.snapshots() == [])
            result, subjects, statements = problems(there)
            proof.ok("doctor names the missing rights", statements and
                     {"rights", "row security", "large objects"} <= set(subjects), result)
            for statement in statements:
                server.psql(statement, torture.NAME)
            result, subjects, statements = problems(there)
            proof.ok("after its statements nothing is missing", not subjects, result)
            result = there.backup(code=3)
            proof.ok("what only a superuser may read is named", HIDDEN in result.err, result)
            original = server.database(torture.NAME)
            original.psql(WITHOUT_HIDDEN)
            with there.scratch() as (result, url):
                place.facts_are_equal("what the role has backed up: all facts are equal", result)
                found = same.compare(original, postgres.Database(url(torture.NAME), original.tools),
                                     without=["role"])
                proof.ok("what the role has backed up: the copy is equal", not found,
                         "\n".join(found))


main(int(sys.argv[1]))
proof.end()
