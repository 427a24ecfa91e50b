# tests/e2e/linux_source.py
# SPDX-License-Identifier: Apache-2.0
#
# A large real tree: the sources of Linux as Debian packages them, about 80,000 files. It comes back
# identical; and a second backup of it reads no file and stores next to nothing.
import os
import re
import subprocess

import proof

ARCHIVE = "/usr/src/linux-source-6.1.tar.xz"
CALLS = "open,openat,openat2,read,pread64,readv,preadv,mmap,sendfile,copy_file_range,splice"


def traced(place, trace):
    """Runs a backup under strace, which names the file behind each descriptor."""
    place.run("backup", "--json",
              prefix=("strace", "-f", "-y", "--seccomp-bpf", "-o", place.at(trace), "-e",
                      "trace=" + CALLS))


def reads_below(place, trace, tree):
    """The calls that opened a file below @tree or read from it, and how many opened a folder."""
    root = os.path.join(place.path, tree)
    opened = re.compile(r"= \d+<(%s(?:/[^>]*)?)>$" % re.escape(root))
    read = re.compile(r" (?!open)\w+\(.*<%s/" % re.escape(root))
    found, folders = [], 0
    with open(place.at(trace), encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            result = opened.search(line.rstrip())
            if result and os.path.isdir(result.group(1)):
                folders += 1
            elif result or read.search(line):
                found.append(line)
    return found, folders


def main():
    proof.require("strace")
    if not os.path.exists(ARCHIVE):
        proof.give_up("%s is there" % ARCHIVE, "install linux-source-6.1")
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        subprocess.run(["tar", "-xf", ARCHIVE, "-C", place.at("tree")], check=True)
        place.configure({"src": "tree"})
        place.run("init")
        proof.settle()
        first = place.run("backup", "--json").json()["backups"][0]["counts"]
        proof.ok("there are many files", first["files"] > 70000, first)
        proof.ok("every file is read once", first["bytes_read"] == first["bytes"], first)
        place.run("restore", "latest", "--to", "restored")
        place.same("the sources of Linux come back", "tree", "restored")
        place.remove("restored")

        before = place.bytes_of("repo")
        second = place.run("backup", "--json").json()["backups"][0]["counts"]
        grown = place.bytes_of("repo") - before
        (newest,) = [os.path.join(at, name) for at, _, names in os.walk(place.at("repo/snapshots"))
                     for name in names if place.snapshots()[-1] in name]
        document = os.path.getsize(newest)
        proof.ok("an unchanged tree is not read: bytes_read", second["bytes_read"] == 0, second)
        proof.ok("an unchanged tree is not read: unchanged",
                 second["unchanged"] == second["entries"], second)
        proof.ok("it stores less than 1 KiB per 1,000 files beside its snapshot (%d bytes, of which "
                 "%d are the snapshot)" % (grown, document),
                 grown - document < 1024 * second["files"] // 1000)
        traced(place, "trace")
        found, folders = reads_below(place, "trace", "tree")
        proof.ok("strace sees the walk (%d folders opened)" % folders, folders > 4000)
        proof.ok("strace sees no file of the tree opened or read", not found, "".join(found[:20]))

        with open(place.at("tree/witness"), "w", encoding="utf-8") as file:
            file.write("read me")
        traced(place, "control")
        found, _ = reads_below(place, "control", "tree")
        proof.ok("strace does see the one file that is read",
                 found and all("witness" in line for line in found), "".join(found[:20]))
        place.check_clean("afterwards")


main()
proof.end()
