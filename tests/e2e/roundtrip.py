# tests/e2e/roundtrip.py
# SPDX-License-Identifier: Apache-2.0
#
# Round trips: a tree with everything odd, and random trees that change between backups. What comes
# back is compared in every field, each snapshot with the tree as it was then.
import os
import random
import sys

import proof

SEEDS = int(os.environ.get("BACKSTAY_SEEDS", "40"))
CHANGES = 3


def odd_tree():
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.make_tree("odd", "tree")
        place.configure({"src": "tree"})
        place.run("init")
        proof.settle()
        # A socket is noted and skipped, which is a warning.
        first = place.attempt("backup", "--json")
        proof.ok("the odd tree is backed up", first.code in (0, 3), first)
        place.run("restore", "latest", "--to", "restored")
        place.same("the odd tree comes back", "tree", "restored")
        second = place.attempt("backup", "--json")
        counts = second.json()["backups"][0]["counts"]
        proof.ok("an unchanged odd tree is not read again", counts["bytes_read"] == 0, second)
        place.run("restore", "latest", "--to", "again")
        place.same("the odd tree comes back from the second snapshot", "tree", "again")
        place.check_clean("after an odd tree")


def entries_of(root):
    """All entries below @root, folders last, as bytes."""
    files, folders = [], []
    for at, inner, names in os.walk(os.fsencode(root)):
        files += [os.path.join(at, name) for name in names]
        folders += [os.path.join(at, name) for name in inner]
    links = [path for path in folders if os.path.islink(path)]
    return sorted(files + links), sorted(path for path in folders if not os.path.islink(path))


def is_file(path):
    return os.path.isfile(path) and not os.path.islink(path)


def rewrite_unseen(path, dice):
    """Another content of the same length and time: only the change time tells."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.write(dice.randbytes(min(status.st_size, 100)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def append(path, dice):
    with open(path, "ab") as file:
        file.write(dice.randbytes(dice.randrange(1, 300000)))


def truncate(path, dice):
    os.truncate(path, dice.randrange(0, os.path.getsize(path) + 1))


def prepend(path, dice):
    with open(path, "rb") as file:
        content = file.read(1 << 20)
    with open(path, "wb") as file:
        file.write(dice.randbytes(10) + content)


def into_folder(path, dice):
    os.unlink(path)
    os.mkdir(path)
    with open(os.path.join(path, b"inside"), "wb") as file:
        file.write(dice.randbytes(20))


def into_link(path, dice):
    os.unlink(path)
    os.symlink(b"to/%d" % dice.randrange(9), path)


def move_folder(path, new):
    """What is in it keeps its change time, and hard links stay behind."""
    if not new.startswith(path + b"/"):
        os.rename(path, new)


def change_one(root, dice, serial):
    files, folders = entries_of(root)
    regular = [path for path in files if is_file(path)]
    somewhere = dice.choice(folders + [os.fsencode(root)])
    new = os.path.join(somewhere, b"new-%d" % serial)
    if not regular or dice.random() < 0.2:
        with open(new, "wb") as file:
            file.write(dice.randbytes(dice.randrange(0, 5000)))
        return
    path = dice.choice(regular)
    dice.choice([
        lambda: rewrite_unseen(path, dice),
        lambda: append(path, dice),
        lambda: truncate(path, dice),
        lambda: prepend(path, dice),
        lambda: into_folder(path, dice),
        lambda: into_link(path, dice),
        lambda: os.unlink(path),
        lambda: os.rename(path, new),
        lambda: os.link(path, new),
        lambda: os.chmod(path, dice.choice([0o600, 0o4755, 0o000, 0o644])),
        lambda: os.utime(path, ns=(1, dice.randrange(0, 2 * 10**18))),
        lambda: os.setxattr(path, "user.proof", dice.randbytes(8)),
        lambda: os.mkfifo(new),
        lambda: move_folder(dice.choice(folders), new) if folders else None,
        lambda: proof.remove(os.fsdecode(somewhere)) if somewhere != os.fsencode(root) else None,
    ])()


def random_tree(seed):
    dice = random.Random(seed)
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        place.make_tree("random", "tree", str(seed), str(dice.randrange(1, 120)))
        place.configure({"src": "tree"})
        place.run("init")
        for turn in range(CHANGES):
            backup = place.attempt("backup", "--json")
            if backup.code not in (0, 3):
                return proof.ok("seed %d: backup %d" % (seed, turn), False, backup)
            place.copy_tree("tree", "then-%d" % turn)
            for serial in range(dice.randrange(1, 12)):
                change_one(place.at("tree"), dice, turn * 100 + serial)
        for turn, snapshot in enumerate(place.snapshots()):
            place.run("restore", snapshot, "--to", "restored-%d" % turn)
            if not place.same("seed %d, snapshot %d comes back" % (seed, turn), "then-%d" % turn,
                              "restored-%d" % turn, quiet=True):
                return False
        return place.check_clean("seed %d" % seed)


odd_tree()
seeds = [int(text) for text in sys.argv[1:]] or range(1, SEEDS + 1)
bad = [seed for seed in seeds if not random_tree(seed)]
proof.ok("%d random trees come back from each of %d snapshots" % (len(seeds), CHANGES), not bad,
         "seeds that do not: %s (give them as arguments to repeat)" % bad)
proof.end()
