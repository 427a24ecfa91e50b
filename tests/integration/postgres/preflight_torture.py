# tests/integration/postgres/preflight_torture.py
# SPDX-License-Identifier: Apache-2.0
#
# A database with everything odd in it, and a role that may do nothing: after the statements that
# the doctor proposes, and no others, that role can back it up.
#
#     BACKSTAY=... preflight_torture.py MAJOR
import sys

from doctor import Doctor  # which tells Python where the next ones are

import postgres
import proof
import same
import torture

major = int(sys.argv[1])
ROUNDS = 5

# The options of user mappings are hidden from all but superusers, of which the backup warns.
WITHOUT_HIDDEN = """
ALTER USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (DROP "user", DROP password_required);
ALTER USER MAPPING FOR torture_reader SERVER elsewhere OPTIONS (DROP "user", DROP password);
"""


def wrong_with(doctor):
    """The statements that are proposed; where there are several ways, those of the first."""
    doctor.say()
    if doctor.error:
        return [doctor.error[doctor.error.rindex("GRANT CONNECT"):]]
    found = []
    for severity, subject, text in doctor.findings:
        statements = [line for line in text.split("\n")[1:] if line.endswith(";")]
        if severity == "bad":
            found += statements if subject == "rights" else statements[:1]
    return found


def main():
    with postgres.Server(major) as server:
        torture.make(server)
        server.psql("CREATE ROLE nobody LOGIN")
        with Doctor(server, torture.NAME, "nobody") as doctor:
            doctor.source(torture.NAME, "nobody", scratch_bin=server.bin)
            wrong = wrong_with(doctor)
            proof.ok("a role without rights cannot back it up", wrong)
            for _ in range(ROUNDS):
                for statement in wrong:
                    server.psql(statement, torture.NAME)
                wrong = wrong_with(doctor)
            proof.ok("after the proposed statements nothing is wrong", not [
                x for x in doctor.findings if x[0] == "bad"], doctor.findings)
            done = doctor.attempt("backup")
            proof.ok("and it can be backed up", done.code in (0, 3), done)
            server.psql(WITHOUT_HIDDEN, torture.NAME)
            with doctor.scratch() as (result, url):
                facts = result.json()["facts"]
                proof.ok("its restored copy has equal facts", facts["outcome"] == "equal" and
                         facts["equal"] > 2000, facts)
                original = server.database(torture.NAME)
                found = same.compare(original, postgres.Database(url(torture.NAME), original.tools),
                                     without=["role"])
                proof.ok("its restored copy is equal", not found, "\n".join(found))
    proof.end()


main()
