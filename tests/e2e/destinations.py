# tests/e2e/destinations.py
# SPDX-License-Identifier: Apache-2.0
#
# Several destinations: one read feeds all, and one that fails does not stop the others. The result says
# which copy is missing, and the next run completes it without storing anything twice elsewhere.
import os
import random

import proof

MIB = 1 << 20


def fill(path, size, seed):
    with open(path, "wb") as file:
        file.write(random.Random(seed).randbytes(size))


def copies(result):
    return {copy["destination"]: copy for copy in result.json()["backups"][0]["copies"]}


def packs(place, repository):
    return {name for _, _, names in os.walk(place.at(repository, "packs")) for name in names}


def restores_from(place, destination, name):
    place.run("restore", "src@latest", "--destination", destination, "--to", "from-" + destination)
    place.same(name, "tree", "from-" + destination)
    place.remove("from-" + destination)
    result = place.attempt("check", "--read-data", "--destination", destination)
    proof.ok("%s, and is clean" % name, result.code == 0, result)


def prepare(place, second="second", size=4 * MIB):
    os.mkdir(place.at("tree"))
    fill(place.at("tree/large"), size, 1)
    with open(place.at("tree/text"), "w", encoding="utf-8") as file:
        file.write("a line of text\n" * 10000)
    place.configure({"src": "tree"}, {"first": "first", "second": second})
    place.run("init")


def both():
    with proof.Place() as place:
        prepare(place)
        result = place.run("backup", "--json")
        counts = result.json()["backups"][0]["counts"]
        proof.ok("one read feeds both", counts["bytes_read"] == counts["bytes"], result)
        for name in ("first", "second"):
            restores_from(place, name, "both work: the copy on %s is whole" % name)


def one_is_full():
    """The second is full in the middle of the packs."""
    with proof.Place() as place:
        place.mount_tmpfs("disk", 3 * MIB)
        prepare(place, "disk/second")
        result = place.run("backup", "--json", code=3)
        found = copies(result)
        proof.ok("the first copy is stored, the second is not",
                 found["first"]["stored"] and not found["second"]["stored"], result)
        proof.ok("the message says which copy is missing, and why",
                 "src: the copy on second is missing: destination second: " in result.err and
                 place.at("disk") in result.err, result)
        restores_from(place, "first", "one is full: the copy on the other is whole")
        empty = place.attempt("list", "--json", "--destination", "second").json()["snapshots"]
        proof.ok("one is full: no snapshot is listed there", empty == [], empty)
        place.check_clean("one is full")

        before = packs(place, "first")
        os.system("mount -o remount,size=64M %s" % place.at("disk"))
        result = place.run("backup", "--json")
        proof.ok("the next run completes the second",
                 all(copy["stored"] for copy in copies(result).values()), result)
        proof.ok("and stores nothing more on the first", packs(place, "first") == before and
                 copies(result)["first"]["bytes_stored"] == 0, result)
        for name in ("first", "second"):
            restores_from(place, name, "one was full: the copy on %s is whole" % name)
        again = place.run("backup", "--json").json()["backups"][0]["counts"]
        proof.ok("then nothing is read any more", again["bytes_read"] == 0, again)


def one_is_away():
    """The second is not mounted at all: its folder is empty, or gone."""
    with proof.Place() as place:
        prepare(place)
        place.run("backup")
        os.rename(place.at("second"), place.at("elsewhere"))
        for state in ("gone", "empty"):
            if state == "empty":
                os.mkdir(place.at("second"))
            fill(place.at("tree/new-" + state), 100000, 7)
            result = place.run("backup", "--json", code=3)
            proof.ok("a destination that is %s: the other copy is stored" % state,
                     copies(result)["first"]["stored"] and not copies(result)["second"]["stored"],
                     result)
            proof.ok("a destination that is %s is named, with what to do" % state,
                     "src: the copy on second is missing: destination second" in result.err and
                     "mount" in result.err, result)
        proof.ok("nothing is made where a repository should be", os.listdir(place.at("second")) == [],
                 os.listdir(place.at("second")))
        os.rmdir(place.at("second"))
        os.rename(place.at("elsewhere"), place.at("second"))
        before = packs(place, "first")
        place.run("backup")
        proof.ok("when it is back, the first does not grow", packs(place, "first") == before)
        for name in ("first", "second"):
            restores_from(place, name, "one was away: the copy on %s is whole" % name)


def one_is_new():
    """A destination that is added later gets everything."""
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        fill(place.at("tree/file"), MIB, 3)
        place.configure({"src": "tree"}, {"first": "first"})
        place.run("init")
        place.run("backup")
        place.configure({"src": "tree"}, {"first": "first", "second": "second"})
        place.run("init")
        before = packs(place, "first")
        result = place.run("backup", "--json")
        proof.ok("a new destination is filled, the old one does not grow",
                 packs(place, "first") == before and
                 copies(result)["second"]["bytes_stored"] > MIB // 2, result)
        restores_from(place, "second", "the new destination is whole")


def none_works():
    with proof.Place() as place:
        prepare(place)
        for name in ("first", "second"):
            os.rename(place.at(name), place.at("away-" + name))
        result = place.attempt("backup")
        proof.ok("no destination works: exit code 13 or 10, and a folder is named",
                 result.code in (10, 13) and place.at("first") in result.err, result)


if os.geteuid() != 0:
    proof.give_up("the test of destinations runs as root", "it has to mount file systems")
both()
one_is_full()
one_is_away()
one_is_new()
none_works()
proof.end()
