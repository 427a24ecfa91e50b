# tests/e2e/concurrent.py
# SPDX-License-Identifier: Apache-2.0
#
# Several processes on one repository at the same time: backups of one source (one works, the others
# say that it is busy), of several sources (all work), and checks and restores while a backup runs.
import json
import os
import random

import proof

ROUNDS = 5
AT_ONCE = 4


def fill(place, folder, seed, files=60, size=60000):
    os.makedirs(place.at(folder), exist_ok=True)
    dice = random.Random(seed)
    for number in range(files):
        with open(place.at(folder, "file-%d" % number), "wb") as file:
            file.write(dice.randbytes(dice.randrange(size)))


def one_source():
    with proof.Place() as place:
        fill(place, "tree", 1, files=300)
        place.configure({"src": "tree"})
        place.run("init")
        worked = busy = 0
        for turn in range(ROUNDS):
            fill(place, "tree", 10 + turn, files=200)
            before = len(place.snapshots())
            results = [place.wait(process) for process in
                       [place.start("backup") for _ in range(AT_ONCE)]]
            good = [result for result in results if result.code == 0]
            locked = [result for result in results if result.code == 11]
            worked += len(good)
            busy += len(locked)
            if len(good) + len(locked) != AT_ONCE or not good:
                proof.ok("backups of one source work or say that it is busy", False,
                         "\n".join(map(str, results)))
            for result in locked:
                if "source src is being backed up by another process right now" not in result.err:
                    proof.ok("a busy source is said to be", False, result)
            if len(place.snapshots()) != before + len(good):
                proof.ok("each backup that works makes one snapshot", False)
        proof.ok("of %d backups of one source, %d worked and %d said that it is busy" %
                 (ROUNDS * AT_ONCE, worked, busy), worked >= ROUNDS and busy > 0)
        place.run("restore", "latest", "--to", "restored")
        place.same("the last snapshot is whole", "tree", "restored")
        place.check_clean("after backups of one source at once")


def several_sources():
    """Sources with content in common: both may store it; no reference may break."""
    with proof.Place() as place:
        names = ["src-%d" % number for number in range(AT_ONCE)]
        place.configure({name: "tree-" + name for name in names})
        place.run("init")
        for turn in range(ROUNDS):
            for number, name in enumerate(names):
                fill(place, "tree-%s/common" % name, 100 + turn)
                fill(place, "tree-%s/own" % name, 1000 + 10 * turn + number)
            results = [place.wait(process) for process in
                       [place.start("backup", name) for name in names]]
            bad = [str(result) for result in results if result.code != 0]
            if bad or not place.check_clean("after %d sources at once" % AT_ONCE):
                proof.ok("round %d: all sources are backed up at once" % turn, False, "\n".join(bad))
        for name in names:
            place.run("restore", name + "@latest", "--to", "restored-" + name)
            place.same("%s is whole" % name, "tree-" + name, "restored-" + name)
        counts = [len(os.listdir(place.at("repo/snapshots", name))) for name in names]
        proof.ok("every backup of every source made its snapshot", counts == [ROUNDS] * AT_ONCE,
                 counts)


def two_machines():
    """Two state folders are as two machines: their backups of one source do not see each other."""
    with proof.Place() as place:
        fill(place, "tree", 1, files=200)
        for machine in ("one", "two"):
            place.configure({"src": "tree"}, name=machine + ".yaml", state_dir="state-" + machine)
        place.run("init", config="one.yaml")
        for turn in range(ROUNDS):
            fill(place, "tree", 20 + turn)
            results = [place.wait(process) for process in
                       [place.start("backup", config=machine + ".yaml") for machine in
                        ("one", "two")]]
            for result in results:
                if result.code != 0:
                    proof.ok("two machines back up one source at once", False, result)
            place.check_clean("after two machines at once", config="one.yaml")
        snapshots = place.snapshots(config="two.yaml")
        proof.ok("two machines at once: every snapshot is there", len(snapshots) == 2 * ROUNDS,
                 snapshots)
        for snapshot in snapshots[-2:]:
            place.run("restore", snapshot, "--to", snapshot, config="one.yaml")
            place.same("two machines at once: snapshot %s is whole" % snapshot, "tree", snapshot)


def readers_meanwhile():
    """A check or a restore beside a running backup never takes what is under way for damage."""
    with proof.Place() as place:
        fill(place, "tree", 1)
        place.configure({"src": "tree"})
        place.run("init")
        place.run("backup")
        first = place.snapshots()[0]
        place.copy_tree("tree", "original")
        checks = 0
        for turn in range(ROUNDS):
            fill(place, "tree", 50 + turn, files=400)
            backup = place.start("backup")
            while backup.poll() is None:
                result = place.attempt("check", "--read-data", "--json")
                if result.code != 0:
                    proof.ok("check beside a backup is clean", False, result)
                listed = [item["kind"] for item in json.loads(result.out)["findings"]]
                if "damage" in listed:
                    proof.ok("check beside a backup finds no damage", False, result)
                checks += 1
            if place.wait(backup).code != 0:
                proof.ok("a backup beside checks works", False)
        proof.ok("%d checks beside backups were clean" % checks, checks >= ROUNDS)
        place.run("restore", first, "--to", "restored")
        place.same("the first snapshot is as it was", "original", "restored")


one_source()
several_sources()
two_machines()
readers_meanwhile()
proof.end()
