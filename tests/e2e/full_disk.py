# tests/e2e/full_disk.py
# SPDX-License-Identifier: Apache-2.0
#
# A disk that fills up during a backup: the destination's, or the one with the state folder. The exit
# code is 16, the message names the path, nothing half-written counts, and the run after somebody made
# room works. Needs root, for small file systems in memory.
import os
import random

import proof

MIB = 1 << 20


def fill(path, size, seed):
    with open(path, "wb") as file:
        file.write(random.Random(seed).randbytes(size))


def full_destination():
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.mount_tmpfs("disk", 24 * MIB)
        place.configure({"src": "tree"}, {"local": "disk/repo"})
        place.run("init")
        fill(place.at("tree/small"), MIB, 1)
        place.run("backup")
        first = place.snapshots()

        for number in range(8):
            fill(place.at("tree/large-%d" % number), 6 * MIB, 10 + number)
        result = place.attempt("backup")
        proof.ok("a full destination: exit code 16", result.code == 16, result)
        path = place.at("disk/repo")
        proof.ok("a full destination: the message names the path", path in result.err, result)
        proof.ok("a full destination: and says what to do", "room" in result.err or
                 "space" in result.err.lower(), result)
        proof.ok("a full destination: the snapshot before is still listed",
                 place.snapshots() == first)
        left = [name for _, _, names in os.walk(path) for name in names if name.endswith(".tmp")]
        proof.ok("a full destination: nothing half-written is left", not left, left)
        clean = place.check_clean("a full destination")
        place.run("restore", first[0], "--to", "restored")
        proof.ok("a full destination: check is clean and the snapshot before restores", clean and
                 os.path.getsize(place.at("restored/small")) == MIB)

        again = place.attempt("backup")
        proof.ok("a destination that is still full: exit code 16 again", again.code == 16, again)
        for number in range(8):
            os.unlink(place.at("tree/large-%d" % number))
        fill(place.at("tree/fits"), MIB, 20)
        place.run("backup")
        place.run("restore", "latest", "--to", "restored-2")
        place.same("what fits is stored again", "tree", "restored-2")

        fill(place.at("tree/large"), 20 * MIB, 30)
        place.run("backup", code=16)
        os.system("mount -o remount,size=96M %s" % place.at("disk"))
        place.run("backup")
        place.run("restore", "latest", "--to", "restored-3")
        place.same("after making room, the next run works", "tree", "restored-3")
        place.check_clean("after making room")


def full_to_the_last_byte():
    """Every size of the remaining room, down to none: documents that do not fit, too."""
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.mount_tmpfs("disk", 4 * MIB)
        place.configure({"src": "tree"}, {"local": "disk/repo"})
        place.run("init")
        fill(place.at("tree/first"), 10000, 1)
        place.run("backup")
        known, codes = set(place.snapshots()), []
        for free in range(0, 16):
            pages = os.statvfs(place.at("disk")).f_bavail - free
            with open(place.at("disk/ballast"), "wb") as file:
                file.write(bytes(max(pages, 0) * 4096))
            fill(place.at("tree/file"), 5000 + free, 100 + free)
            result = place.attempt("backup")
            codes.append(result.code)
            if result.code not in (0, 16) or (result.code == 16 and place.at("disk") not in result.err):
                proof.ok("with %d free pages: 0 or 16 and a message" % free, False, result)
            os.unlink(place.at("disk/ballast"))
            if known - set(place.snapshots()) or not place.check_clean("%d free pages" % free):
                proof.ok("with %d free pages the repository stays whole" % free, False)
            known = set(place.snapshots())
        proof.ok("a disk with no page left is full, one with 15 is not: %s" % codes,
                 codes[0] == 16 and codes[-1] == 0)
        place.run("backup")
        place.run("restore", "latest", "--to", "restored")
        place.same("after that, the next run works", "tree", "restored")


def full_state():
    """The caches do not fit: the snapshot is made all the same."""
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        for number in range(3000):
            with open(place.at("tree/file-%d" % number), "w", encoding="utf-8") as file:
                file.write("%d" % number)
        place.mount_tmpfs("state-disk", 256 * 1024)
        where = place.at("state-disk")
        place.configure({"src": "tree"}, state_dir="state-disk/state")
        place.run("init")
        result = place.run("backup")
        proof.ok("a full state folder: a warning names it and says what it means", where in result.err
                 and "the next backup will read every file" in result.err, result)
        place.run("restore", "latest", "--to", "restored")
        place.same("a full state folder: the snapshot is whole", "tree", "restored")
        place.check_clean("a full state folder")

        os.system("mount -o remount,size=64M %s" % where)
        place.run("backup")
        again = place.run("backup", "--json").json()["backups"][0]["counts"]
        proof.ok("after making room the caches work again", again["bytes_read"] == 0, again)


def no_state():
    """Not even a lock can be made."""
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        fill(place.at("tree/file"), 1000, 1)
        place.mount_tmpfs("state-disk", MIB, "nr_inodes=3")
        place.configure({"src": "tree"}, state_dir="state-disk/state")
        place.run("init")
        result = place.run("backup", code=16)
        proof.ok("no room for a lock: the message names the path", place.at("state-disk") in result.err,
                 result)
        place.check_clean("no room for a lock")
        os.system("mount -o remount,nr_inodes=100 %s" % place.at("state-disk"))
        place.run("backup")
        place.run("restore", "latest", "--to", "restored")
        place.same("after making room for a lock, the next run works", "tree", "restored")


def full_target():
    """A restore onto a full disk says so; what it could restore is right."""
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        fill(place.at("tree/a-small"), 100000, 1)
        fill(place.at("tree/large"), 8 * MIB, 2)
        place.configure({"src": "tree"})
        place.run("init")
        place.run("backup")
        place.mount_tmpfs("target", 4 * MIB)
        result = place.attempt("restore", "latest", "--to", "target/restored")
        proof.ok("a full target: exit code 3 or 16", result.code in (3, 16), result)
        proof.ok("a full target: the message says why", "No space left" in result.err, result)
        proof.ok("a full target: no file passes for the whole",
                 not os.path.exists(place.at("target/restored/large")))
        with open(place.at("target/restored/a-small"), "rb") as file:
            proof.ok("a full target: what fits is restored",
                     file.read() == random.Random(1).randbytes(100000))


if os.geteuid() != 0:
    proof.give_up("the test of full disks runs as root", "it has to mount file systems")
full_destination()
full_to_the_last_byte()
full_state()
no_state()
full_target()
proof.end()
