# tests/e2e/kill.py
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at a random moment of each of 200 backups. Afterwards check is clean, nothing that was listed
# before is lost, every snapshot that is listed restores, and the next backup works. Then backups that
# are asked to stop, and restores that are killed.
import filecmp
import os
import random
import signal
import sys
import time

import proof

RUNS = int(os.environ.get("BACKSTAY_KILLS", "200"))
RESTORE_EACH = 10
STOPS = 60
RESTORES = 20


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


def end_one(place, delay, number, code, *command):
    """Sends a signal to a run after @delay. @return whether the run ended by it, with @code."""
    process = place.start(*command)
    time.sleep(delay)
    process.send_signal(number)
    result = place.wait(process)
    # A signal before the program has begun to listen ends it as any other.
    if result.code not in (0, code, -number):
        proof.ok("%s ends only by itself or by signal %d" % (command[0], number), False, result)
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
            killed += end_one(place, dice.uniform(0, 1.1 * longest), signal.SIGKILL,
                              -signal.SIGKILL, "backup", "--json")
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
        proof.ok("at least a tenth was killed in time", killed * 10 >= RUNS, killed)
        proof.ok("every snapshot of a run that was about to be killed restores (%d)" % len(kept),
                 all([restores(place, snapshot, kept[snapshot], "at the end") for snapshot in kept]))


def stopped(seed):
    """SIGTERM and SIGINT: a clean end, of which nothing is left to be told."""
    dice = random.Random(seed)
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.configure({"src": "tree"})
        place.run("init")
        change(place, dice, 0)
        longest = max(duration(place) for _ in range(3))
        ended = {signal.SIGTERM: 0, signal.SIGINT: 0}
        for run in range(1, STOPS + 1):
            change(place, dice, run)
            number = dice.choice(list(ended))
            ended[number] += end_one(place, dice.uniform(0.02, longest), number, 128 + number,
                                     "backup")
            left = os.listdir(place.at("repo/locks"))
            if left or not place.check_clean("seed %d, stopped run %d" % (seed, run)):
                proof.ok("seed %d, run %d: a stopped backup leaves nothing" % (seed, run), False, left)
        proof.ok("of %d backups, %d ended by SIGTERM and %d by SIGINT, and left no lock" %
                 (STOPS, *ended.values()), sum(ended.values()) > 0)


def broken(place, name):
    """A file that passes for what it is not: with its time, but with another content."""
    original, copy = place.at("tree", name), place.at("restored", name)
    return os.stat(original).st_mtime_ns == os.stat(copy).st_mtime_ns and not filecmp.cmp(
        original, copy, shallow=False)


def killed_restores(seed):
    """What a killed restore leaves behind passes for nothing; the next one completes it."""
    dice = random.Random(seed)
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        for number in range(60):
            with open(place.at("tree/file-%d" % number), "wb") as file:
                file.write(dice.randbytes(dice.randrange(1, 1 << 20)))
            os.utime(place.at("tree/file-%d" % number), ns=(0, 10**18 + number))
        place.configure({"src": "tree"})
        place.run("init")
        place.run("backup")
        started = time.monotonic()
        place.run("restore", "latest", "--to", "restored")
        longest = time.monotonic() - started
        killed, wrong = 0, []
        for run in range(RESTORES):
            place.remove("restored")
            killed += end_one(place, dice.uniform(0, longest), signal.SIGKILL, -signal.SIGKILL,
                              "restore", "latest", "--to", "restored")
            names = os.listdir(place.at("restored")) if os.path.isdir(place.at("restored")) else []
            temporary = [name for name in names if name.startswith(".backstay-")]
            wrong += ["run %d: %s" % (run, name) for name in set(names) - set(temporary)
                      if broken(place, name)]
            for name in temporary:
                os.unlink(place.at("restored", name))
            place.run("restore", "latest", "--to", "restored", "--overwrite", "changed")
            if not place.same("run %d: a killed restore is completed" % run, "tree", "restored",
                              quiet=True):
                wrong.append("run %d: not completed" % run)
        proof.ok("seed %d: after %d restores (%d killed in time), no file passes for what it is not, "
                 "and the next restore completes it" % (seed, RESTORES, killed),
                 not wrong and killed > 0, "\n".join(wrong))


seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
main(seed)
stopped(seed)
killed_restores(seed)
proof.end()
