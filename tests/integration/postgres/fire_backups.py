# tests/integration/postgres/fire_backups.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: fire_backups.py MAJOR [BACKUPS]
#
# Consistency under fire: backups of a database in which nothing holds still. Every writer keeps an
# invariant in each of its transactions (see fire_writers.py); whatever a backup holds must satisfy
# all of them, as it lies in the snapshot and as a restored database.
import sys
import time

import faults_place
import fire_check
import fire_writers
import postgres
import proof

MAJOR = int(sys.argv[1])
BACKUPS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
LOCK_TIMEOUT = 30
GIVEN_UP = ("cannot be locked", "could not all be locked")


def back_up(place, writers, number):
    """One backup. A run that gave up must have said why, and have left nothing."""
    before = {writer.name: writer.rounds for writer in writers}
    known = place.snapshots()
    began = time.monotonic()
    result = place.attempt("-v", "backup")
    took = time.monotonic() - began
    busy = [writer.name for writer in writers if writer.rounds > before[writer.name]]
    proof.ok("backup %d: ends in time, in %.1f s and %d tries, while %d of %d writers got on" % (
        number, took, result.err.count("trying again") + 1, len(busy), len(writers)),
             took < LOCK_TIMEOUT + 30 and busy, result)
    if result.code == 0:
        proof.ok("backup %d: a snapshot" % number, len(place.snapshots()) == len(known) + 1, result)
    else:
        proof.ok("backup %d: given up with the documented message, and no snapshot" % number,
                 result.code == 14 and any(text in result.err for text in GIVEN_UP) and
                 place.snapshots() == known, result)


def restore(place, server, number, snapshot):
    """The snapshot as a database, its facts compared by the restore itself."""
    name = "copy_%d" % number
    result = place.attempt("restore", snapshot, "--to", server.url(name))
    proof.ok("backup %d: restored, and its facts are those of the snapshot" % number,
             result.code == 0, result)
    if result.code == 0:
        fire_check.check_database(server.database(name), number)
    server.psql('DROP DATABASE IF EXISTS "%s"' % name)


with postgres.Server(MAJOR) as source, postgres.Server(MAJOR) as spare:
    source.createdb("shop")
    fire_writers.prepare(source, "shop")
    with faults_place.Place(source) as place:
        place.source(split="2MiB", lock_timeout="%ds" % LOCK_TIMEOUT)
        place.run("init")
        with fire_writers.Fire(source, "shop") as fire:
            for number in range(1, BACKUPS + 1):
                back_up(place, fire.writers, number)
        for writer in fire.writers:
            proof.ok("%s: %d rounds, without an error" % (writer.name, writer.rounds),
                     writer.rounds * 4 >= BACKUPS and not writer.errors, "\n".join(writer.errors))
        place.nothing_left("after the fire")
        taken = place.snapshots()
        proof.ok("%d of %d backups succeeded" % (len(taken), BACKUPS),
                 len(taken) * 4 >= BACKUPS * 3)
        for number, snapshot in enumerate(taken, 1):
            fire_check.check_content(place.export(snapshot), number)
            restore(place, spare, number, snapshot)
        place.check_clean("after the fire")
proof.end()
