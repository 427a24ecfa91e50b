# tests/e2e/kill.py
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at a random moment of each of 200 backups. Afterwards check is clean, nothing that was listed
# before is lost, every snapshot that is listed restores, and the next backup works.
import os
import random
import signal
import sys
import time

import proof

RUNS = int(os.environ.get("BACKSTAY_KILLS", "200"))
RESTORE_EACH = 10


def change(place, dice, run):
    """A few files of the tree change, so that each run has something to store."""
    for number in range(3):
        with open(place.at("tree", "file-%d" % dice.randrange(30)), "wb") as file:
            file.write(b"run %d, " % run + dice.randbytes(dice.randrange(1, 30000)))
        name = place.at("tree", "folder-%d" % dice.randrange(4))
        os.makedirs(name, exist_ok=True)
        with open(os.path.join(name, "text-%d" % number), "w", encoding="utf-8") as file:
            file.write("order %d\n" % run * dice.randrange(1, 3000))


def duration(place):
    """How long a backup takes that has something to store, in seconds."""
    started = time.monotonic()
    place.run("backup")
    return time.monotonic() - started


def kill_one(place, delay):
    """@return whether the backup was killed before its end."""
    process = place.start("backup", "--json")
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    result = place.wait(process)
    if result.code not in (0, -signal.SIGKILL):
        proof.ok("a backup ends only by itself or by SIGKILL", False, result)
    return result.code != 0


def restores(place, snapshot, original, when):
    place.run("restore", snapshot, "--to", "restored")
    same = place.same("%s, snapshot %s restores" % (when, snapshot), original, "restored", quiet=True)
    place.remove("restored")
    return same


def main(seed):
    dice = random.Random(seed)
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.configure({"src": "tree"})
        place.run("init")
        change(place, dice, 0)
        longest = max(duration(place) for _ in range(3))
        known, killed, kept, clean = set(place.snapshots()), 0, {}, True
        for run in range(1, RUNS + 1):
            when = "seed %d, run %d" % (seed, run)
            change(place, dice, run)
            killed += kill_one(place, dice.uniform(0, 1.1 * longest))
            listed = set(place.snapshots())
            clean &= proof.ok("%s: nothing listed is lost" % when, False, known - listed) \
                if known - listed else True
            for snapshot in listed - known:
                place.copy_tree("tree", "tree-" + snapshot)
                kept[snapshot] = "tree-" + snapshot
            known = listed
            clean &= place.check_clean(when)
            if run % RESTORE_EACH == 0:
                place.run("backup")
                newest = place.snapshots()[-1]
                known.add(newest)
                clean &= restores(place, newest, "tree", when)
                clean &= place.check_clean(when + ", and the next backup")
            if not clean:
                break
        proof.ok("after %d backups (%d killed in time): check is clean, nothing is lost, the next "
                 "backup works" % (RUNS, killed), clean)
        proof.ok("at least a third was killed in time", killed * 3 >= RUNS, killed)
        proof.ok("every snapshot of a run that was about to be killed restores (%d)" % len(kept),
                 all([restores(place, snapshot, kept[snapshot], "at the end") for snapshot in kept]))


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
proof.end()
