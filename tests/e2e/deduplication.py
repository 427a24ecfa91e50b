# tests/e2e/deduplication.py
# SPDX-License-Identifier: Apache-2.0
#
# A copied, a renamed and a prepended-to large file store only what is new: for content that
# compresses and for content that does not.
import os
import random

import proof

LARGE = 32 << 20
FIXED = 16 << 10  # snapshot, record, index object, manifest, and the ends of two tars


def text(size):
    """Lines that are all different and compress as a dump of a database does."""
    lines, length, number = [], 0, 0
    dice = random.Random(1)
    while length < size:
        line = "INSERT INTO orders VALUES (%d, 'customer %d', %d.%02d);\n" % (
            number, dice.randrange(10**6), dice.randrange(1000), dice.randrange(100))
        lines.append(line)
        length += len(line)
        number += 1
    return "".join(lines).encode()[:size]


def write(path, *parts):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)


def backup(place):
    before = place.bytes_of("repo")
    result = place.run("backup", "--json").json()["backups"][0]
    return result["counts"], place.bytes_of("repo") - before


def grows(place, name, most_new, most_grown):
    counts, grown = backup(place)
    proof.ok("%s: %d new bytes, at most %d" % (name, counts["bytes_new"], most_new),
             counts["bytes_new"] <= most_new, counts)
    proof.ok("%s: the repository grows by %d bytes, at most %d" % (name, grown, most_grown),
             grown <= most_grown)


def one_kind(kind, content, mean_chunk, largest_chunk):
    with proof.Place() as place:
        os.mkdir(place.at("tree"))
        large = place.at("tree/large")
        write(large, content)
        place.configure({"src": "tree"})
        place.run("init")
        counts, _ = backup(place)
        proof.ok("%s: all is new at first" % kind, counts["bytes_new"] >= LARGE, counts)
        # The manifest names each chunk with 67 bytes, and here it changes as a whole.
        meta = 2 * 67 * LARGE // mean_chunk + 8192

        write(place.at("tree/copy"), content)
        grows(place, "%s, copied" % kind, meta, meta + FIXED)
        os.rename(place.at("tree/copy"), place.at("tree/renamed"))
        grows(place, "%s, renamed" % kind, meta, meta + FIXED)
        # The chunk at the front, and the next ones until cuts fall together again.
        prepended = b"a new first line\n" * 100
        write(place.at("tree/renamed"), prepended, content)
        grows(place, "%s, prepended to" % kind, 3 * largest_chunk, 3 * largest_chunk + FIXED)
        middle = len(content) // 2
        write(place.at("tree/renamed"), content[:middle], prepended, content[middle:])
        grows(place, "%s, inserted into" % kind, 3 * largest_chunk, 3 * largest_chunk + FIXED)
        write(place.at("tree/renamed"), content, prepended)
        grows(place, "%s, appended to" % kind, 3 * largest_chunk, 3 * largest_chunk + FIXED)
        write(place.at("tree/renamed"), content, content)
        grows(place, "%s, twice in one file" % kind, 4 * largest_chunk, 4 * largest_chunk + FIXED)
        place.run("restore", "latest", "--to", "restored")
        place.same("%s: the last state comes back" % kind, "tree", "restored")
        place.check_clean("%s, at the end" % kind)


one_kind("text", text(LARGE), 32 << 10, 256 << 10)
one_kind("dense", random.Random(2).randbytes(LARGE), 256 << 10, 2 << 20)
proof.end()
