# tests/e2e/forged.py
# SPDX-License-Identifier: Apache-2.0
#
# Forged repositories: paths that lead out of the target, links in the way, absurd sizes, references
# that overlap, documents that are too deep, frames that are bombs. Every command ends without a crash,
# with an exit code of the table, in little memory, and writes nothing outside of its target.
import os
import sys

import proof
from forgery import (RECORD_NAME, SNAPSHOT_NAME, Forgery, header, line, seal, seal_text, sha256, tar,
                     zstd)

MEMORY = 700 << 20
SANITIZED = bool(os.environ.get("BACKSTAY_SANITIZED"))
HUGE = 1 << 62
DEEP = b"[" * 100000 + b"]" * 100000

COMMANDS = [
    ("list", "--json"),
    ("show", "latest"),
    ("ls", "latest"),
    ("diff", "latest", "latest"),
    ("stats",),
    ("check",),
    ("check", "--read-data"),
    ("restore", "latest", "--to", "target", "--dry-run"),
    ("restore", "latest", "--to", "target"),
    ("restore", "latest", "--to", "target", "--overwrite", "always"),
    ("restore", "latest", "--to", "target-2", "evil", "a*", "--overwrite", "always"),
    ("export", "latest"),
]
CODES = {0, 1, 3, 4, 10, 15, 16}


def surroundings(place):
    """All that is outside of what commands may change: names, modes, times and contents."""
    found = {}
    for at, folders, names in os.walk(place.path):
        if at == place.path:
            folders[:] = [name for name in folders
                          if name not in ("repo", "state", "target", "target-2")]
        for name in folders + names:
            path = os.path.join(at, name)
            status = os.lstat(path)
            content = b""
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (status.st_mode, status.st_mtime_ns, status.st_uid, status.st_nlink,
                           tuple(os.listxattr(path, follow_symlinks=False)), content)
    status = os.lstat(place.path)
    found["."] = (status.st_mode, status.st_uid)
    return found


class Case:
    """One forgery and what must come of it."""

    def __init__(self, name, forged, check=4, restore=(3, 4), absent=(), present=(), skip=()):
        self.name, self.forged, self.check, self.skip = name, forged, check, skip
        self.restore = restore if isinstance(restore, tuple) else (restore,)
        self.absent, self.present = absent, present

    def run(self, place):
        for name in ("repo", "state", "target", "target-2"):
            place.remove(name)
        self.forged.write(place.at("repo"))
        before = surroundings(place)
        wrong = []
        for command in COMMANDS:
            if command[0] in self.skip:
                continue
            result = place.attempt(*command)
            if result.code not in CODES:
                wrong.append("exit code outside of the table: %s" % result)
            if result.code not in (0, 3, 4) and command[0] == "check" and "error" not in result.err:
                wrong.append("check fails without a word: %s" % result)
            if command == ("check", "--read-data") and self.check is not None and \
                    result.code != self.check:
                wrong.append("check should exit with %d: %s" % (self.check, result))
            if command == ("restore", "latest", "--to", "target") and \
                    result.code not in self.restore:
                wrong.append("restore should exit with %s: %s" % (self.restore, result))
            if result.code != 0 and not result.err:
                wrong.append("fails without a word: %s" % result)
            if len(result.err) > 100000:
                wrong.append("%s says far too much" % result.command)
            if not SANITIZED and proof.peak_of_children() > MEMORY:
                wrong.append("takes %d MiB: %s" % (proof.peak_of_children() >> 20, result.command))
                break
        if surroundings(place) != before:
            wrong.append("something outside of the target has changed")
        wrong += ["there: " + name for name in self.absent if os.path.lexists(place.at(name))]
        wrong += ["missing: " + name for name in self.present if not os.path.lexists(place.at(name))]
        return proof.ok(self.name, not wrong, "\n".join(wrong))


GOOD = {"text": b"good content\n"}
FINE = [line("", "dir", mode="0755", uid=0, gid=0, mtime="1700000000.000000000"),
        line("a-good-file", content="text")]


def edited(edit, lines=None, contents=None):
    forged = Forgery(lines or FINE, contents or GOOD)
    forged.edit = edit
    return forged


def with_object(name, data):
    return edited(lambda forged: forged.objects.__setitem__(name, data))


def paths():
    """Names that lead elsewhere. Entries of an honest program around them still come back."""
    bad = {
        "two dots": "../evil",
        "two dots inside": "a/../../evil",
        "two dots at the end": "a/..",
        "an absolute path": "/tmp/backstay-evil",
        "an empty component": "a//evil",
        "a dot": "./evil",
        "a dot at the end": "evil/.",
        "a slash at the end": "evil/",
        "a NUL": "evil\0evil",
        "a high surrogate": "evil\ud800",
        "a surrogate of ASCII": "evil\udc2f",
        "a dot dot in surrogates": "\udc2e\udc2e/evil",
    }
    for name, path in bad.items():
        yield Case("a path with %s" % name, Forgery([line(path, content="text")], GOOD),
                   absent=("evil", "target/evil"))
    yield Case("a path of 2 MiB", Forgery([line("evil/" * (2 << 18), content="text")], GOOD))
    yield Case("a path of 3,000 folders", Forgery([line("a/" * 3000 + "x", content="text")], GOOD),
               check=0, restore=0)


def links(outside):
    """Symbolic links in the way of what comes after them."""
    def case(name, *lines, **options):
        return Case("links: " + name, Forgery(list(lines), GOOD),
                    absent=("outside/evil", "outside/dir/evil"), **options)

    link = line("link", "symlink", target=outside)
    yield case("a file beneath a link", link, line("link/evil", content="text"), check=None)
    yield case("a folder beneath a link", link, line("link/evil", "dir"), check=None)
    yield case("a link beneath a link", link, line("link/evil", "symlink", target="x"), check=None)
    yield case("a FIFO beneath a link", link, line("link/evil", "fifo"), check=None)
    yield case("a deep file beneath a link", link, line("link/dir/evil", content="text"), check=None)
    yield case("a link and a folder of one name", link, line("link", "dir", mode="0777"))
    yield case("a link and a file of one name", link,
               line("link", content="text", mode="0777", uid=0, gid=0, mtime="1.000000000"))
    yield case("a file beneath a link that is sorted later",
               line("link/evil", content="text"), link)
    yield case("a folder that becomes a link", line("link", "dir"), line("link/x", content="text"),
               link, line("link/evil", content="text"))
    yield case("modes through a link",
               line("link", "symlink", target=os.path.join(outside, "keep"), mode="0777", uid=7,
                    gid=7, mtime="1.000000000"), check=0, restore=0)
    yield case("a hard link to a file beneath a link", link,
               line("link/keep", content="text", link=5), line("z", content="text", link=5),
               check=None)
    yield case("a hard link to a link of one group",
               line("a", "symlink", target=os.path.join(outside, "keep"), link=5),
               line("z", content="text", link=5), check=None, restore=(0, 3, 4))
    yield case("the top folder is a link", line("", "symlink", target=outside),
               line("evil", content="text"), check=None)
    yield case("a file as a folder", line("file", content="text"),
               line("file/evil", content="text"), check=None)


def sizes():
    chunk = sha256(GOOD["text"])

    def entry(name, **members):
        return Case("sizes: " + name,
                    Forgery([line("a", **members), line("a-good-file", content="text")], GOOD))

    yield entry("a file of 2^62 bytes and no chunks", bytes=HUGE, chunks=[])
    yield entry("a file of 2^64 bytes", bytes=1 << 64, chunks=[])
    yield entry("a file of less than no bytes", bytes=-1, chunks=[])
    yield entry("a file of 2^62 bytes and one chunk", bytes=HUGE, chunks=[chunk])
    yield Case("sizes: a hole of 2^62 bytes",
               Forgery([line("a", bytes=HUGE, extents=[], chunks=[])]), check=0, restore=(3,),
               skip=("export",))  # is no lie, and an archive of it takes as long as it takes
    yield entry("an extent behind the end", bytes=10, extents=[[20, 13]], chunks=[chunk])
    yield entry("an extent that wraps around", bytes=HUGE, extents=[[HUGE - 1, (1 << 64) - 5]],
                chunks=[chunk])
    yield entry("extents that overlap", bytes=100, extents=[[0, 7], [3, 6]], chunks=[chunk])
    yield Case("sizes: an extent at 2^61",
               Forgery([line("a", bytes=HUGE, extents=[[1 << 61, 13]], chunks=[chunk])], GOOD),
               check=0, restore=(3,), skip=("export",))
    yield entry("more chunks than bytes", bytes=13, chunks=[chunk, chunk])
    yield entry("a chunk that is nowhere", bytes=13, chunks=["ab" * 32])
    yield entry("an owner of 2^32", content="text", mode="0644", uid=1 << 32, gid=0,
                mtime="1.000000000")
    yield entry("a mode of nine", content="text", mode="9999", uid=0, gid=0, mtime="1.000000000")
    yield entry("a time of 10^30", content="text", mode="0644", uid=0, gid=0,
                mtime="1%s.000000000" % ("0" * 30))
    yield Case("sizes: a time of 2^62",
               Forgery([line("a", content="text", mode="0644", uid=0, gid=0,
                             mtime="%d.000000000" % HUGE)], GOOD), check=None, restore=(0, 3))
    yield Case("sizes: devices and owners at their limits",
               Forgery([line("a", "chardev", rdev=[4294967295, 4294967295], mode="7777",
                             uid=4294967295, gid=4294967295, mtime="-1.999999999")]),
               check=0, restore=(0, 3))
    yield Case("sizes: 10,000 attributes",
               Forgery([line("a", content="text", mode="0644", uid=0, gid=0, mtime="1.000000000",
                             xattrs={"user.%d" % n: "00" for n in range(10000)})], GOOD),
               check=None, restore=(0, 3))
    for name, key, value in [
            ("a frame of 4 GiB", "raw", (1 << 32) - 1), ("a frame of 2^40 bytes", "raw", 1 << 40),
            ("a frame beyond its pack", "stored", 1 << 31), ("a frame at 2^62", "offset", HUGE),
            ("a frame at 2^64", "offset", 1 << 64), ("a frame of less than nothing", "raw", -1),
            ("a frame of no bytes", "raw", 0)]:
        def in_index(forged, key=key, value=value):
            forged.index[0]["frames"][0][key] = value

        def in_snapshot(forged, key=key, value=value):
            forged.snapshot["stream_frames"][0][key] = value
        yield Case("sizes, in the index: " + name, edited(in_index), restore=(0, 3, 4))
        yield Case("sizes, in the snapshot: " + name, edited(in_snapshot))
    for name, value in [("2^62", HUGE), ("-1", -1), ("0", 0)]:
        def pack(forged, value=value):
            forged.index[0]["bytes"] = forged.snapshot["packs"][0]["bytes"] = value
        yield Case("sizes: a pack of %s bytes" % name, edited(pack), restore=(0, 3, 4))

        def manifest(forged, value=value):
            forged.snapshot["manifest"]["bytes"] = value
        yield Case("sizes: a manifest of %s bytes" % name, edited(manifest), restore=4)

        def counts(forged, value=value):
            forged.snapshot["counts"]["entries"] = forged.snapshot["counts"]["bytes"] = value
        yield Case("sizes: counts of %s" % name, edited(counts), restore=(0, 4))
        for key in ("bytes", "offset", "frame"):
            if value == 0 and key != "bytes":
                continue

            def chunk_of_manifest(forged, value=value, key=key):
                forged.snapshot["manifest"]["chunks"][0][key] = value
            yield Case("sizes: a chunk of the manifest with %s %s" % (key, name),
                       edited(chunk_of_manifest), restore=(3, 4))

        def chunk_of_index(forged, value=value):
            forged.index[0]["frames"][0]["chunks"][3] = value
        yield Case("sizes: a chunk of %s bytes in the index" % name, edited(chunk_of_index),
                   restore=(0, 3))
    def chunker(forged):
        forged.config["chunker"]["plain"] = {"min": 1, "mean": 1 << 31, "max": HUGE}
    yield Case("sizes: an absurd chunker", edited(chunker), restore=4)


def references():
    """Lists that overlap, repeat, point nowhere or at each other."""
    def ranges(*numbers):
        def edit(forged):
            forged.snapshot["packs"][0]["frames"] = [
                {"numbers": list(pair), "codec": "raw", "bases": []} for pair in numbers]
        return edited(edit)

    yield Case("references: a range of a million frames", ranges((0, 999999)), restore=(0, 4))
    yield Case("references: a range of 2^32 frames", ranges((0, 1 << 32)), restore=4)
    yield Case("references: a range backwards", ranges((5, 0)), restore=4)
    yield Case("references: a frame 100,000 times", ranges(*[(0, 0)] * 100000), restore=(0, 4))

    def twice(forged):
        forged.snapshot["packs"] *= 50000
    yield Case("references: a pack 50,000 times", edited(twice), restore=(0, 4))

    def bases(forged):
        forged.snapshot["stream_frames"][0]["bases"] = [0]
        forged.index[0]["frames"][0]["bases"] = [0]
    yield Case("references: a frame based on itself", edited(bases), restore=4)

    def repeated(forged):
        stream = forged.snapshot["manifest"]
        stream["chunks"] *= 20000
        stream["bytes"] *= 20000
    yield Case("references: a manifest of one chunk 20,000 times", edited(repeated), restore=4)

    big = b"x" * 500000
    yield Case("references: a terabyte of one chunk",
               Forgery([line("a", bytes=len(big) * 2000000, chunks=[sha256(big)] * 1000)] +
                       [b'{"part":%d,"chunks":["%s"%s]}\n' %
                        (part, sha256(big).encode(), b',"%s"' % sha256(big).encode() * 999)
                        for part in range(1, 20)], {"big": big}))

    def overlapping(forged):
        frames = forged.index[0]["frames"]
        frames += [dict(frames[0]) for _ in range(20000)]
    yield Case("references: 20,000 frames in one place", edited(overlapping), restore=(0, 3))

    def other_pack(forged):
        forged.index.append({"pack": "cd" * 32, "bytes": 4096, "frames": [
            {"codec": "raw", "bases": [], "offset": 512, "stored": 2560, "raw": 2560,
             "chunks": [sha256(GOOD["text"]), 13]}]})
        forged.objects["packs/cd/%s.tar" % ("cd" * 32)] = tar([("000000.tar", bytes(2560))])
    yield Case("references: an index that claims a chunk for another pack", edited(other_pack),
               restore=(0, 3))

    def swapped_chunk(forged):
        forged.index[0]["frames"][0]["chunks"][2] = "ab" * 32
    yield Case("references: an index that misnames a chunk", edited(swapped_chunk), restore=(3,))
    yield Case("references: parts out of order",
               Forgery([line("a", content="text"), b'{"part":2,"chunks":[]}\n'], GOOD))
    yield Case("references: the same entry twice", Forgery(FINE + [FINE[1]], GOOD))
    yield Case("references: entries not sorted",
               Forgery([line("b", content="text"), line("a", content="text")], GOOD))


def documents():
    def deep(members, key="x"):
        text = seal(members)
        body = text[:text.rindex(b',"sha256"')]
        return seal_text(body + b',"%s":' % key.encode() + DEEP + b"}")

    base = Forgery(FINE, GOOD)
    base.build()
    yield Case("deep JSON in a snapshot", with_object(SNAPSHOT_NAME, deep(base.snapshot)), restore=4)
    yield Case("deep JSON in a record", with_object(RECORD_NAME, deep(base.record)), restore=0)
    yield Case("deep JSON in backstay.json", with_object("backstay.json", deep(base.config)),
               restore=4)
    yield Case("deep JSON in the index",
               with_object("index/" + sha256(zstd([DEEP])), zstd([DEEP])), restore=0)
    yield Case("deep JSON in a manifest line",
               Forgery([b'{"path":"a","x":' + DEEP + b',"type":"dir"}\n'] + FINE[1:], GOOD))
    for name, text in [
            ("not an object", b"[]"), ("a number", b"7}"), ("not UTF-8", b'{"format":"\xff\xfe"}'),
            ("two members of one name", b'{"format":1,"format":2}'), ("empty", b"{}"),
            ("half of one", b'{"format":1,"kind":"snap'), ("a huge number", b'{"format":1e999}'),
            ("NULs", b"{\0\0\0}")]:
        for where in (SNAPSHOT_NAME, RECORD_NAME, "backstay.json"):
            yield Case("%s is %s" % (where.split("/")[0], name), with_object(where, seal_text(text)),
                       restore=(0, 4))
    yield Case("an empty snapshot", with_object(SNAPSHOT_NAME, b""), restore=4)
    yield Case("a snapshot of 20 MiB of blanks",
               with_object(SNAPSHOT_NAME, seal_text(b'{"format":1' + b" " * (20 << 20) + b"}")),
               restore=4)
    for name in ("snapshots/src/evil.json", "snapshots/../evil.json", "packs/zz/x.tar", "index/x",
                 "snapshots/src/20261399T999999Z-1a2b3c4d.json", "locks/x.json", "trash/x", "evil"):
        clean = name.startswith(("locks", "trash")) or name in ("evil", "snapshots/../evil.json")
        yield Case("an object named %s" % name, with_object(name, b"evil"), check=0 if clean else 4,
                   restore=0)
    for key, value in [("kind", "evil"), ("repository", "f" * 32), ("id", "../evil1"),
                       ("source", "../../evil"), ("type", "../../../evil"), ("type", "local"),
                       ("instant", "yesterday"), ("format", 2), ("details", {"\u001b[2J": "\u001b]0;"}),
                       ("host", "x" * 100000), ("manifest", [])]:
        def edit(forged, key=key, value=value):
            forged.snapshot[key] = value
        yield Case("a snapshot whose %s is %.20r" % (key, value), edited(edit), check=None,
                   restore=(0, 4, 10, 15))


def bombs():
    def frame(pieces, raw, members=None):
        forged = Forgery(FINE, GOOD)
        forged.codec, forged.frame, forged.raw = "zstd", zstd(*pieces), raw
        if members is not None:
            forged.members = members
        return forged

    zeros = (b"\0", 60 << 20)
    honest = tar([(sha256(b"x"), b"x")])
    yield Case("bombs: a frame that is larger than it says", frame(([zeros],), 4096))
    yield Case("bombs: a frame that says 2^62", frame(([zeros], HUGE), 4096))
    yield Case("bombs: a frame of 60 MiB of zeros", frame(([zeros],), 60 << 20))
    yield Case("bombs: a frame that ends early", frame(([honest], 60 << 20), 60 << 20))
    empty = header(sha256(b""), 0)
    many = empty * ((50 << 20) // 512) + bytes(1024)
    forged = frame(([many],), len(many), members=[])
    forged.edit = lambda forged: forged.index.clear()
    yield Case("bombs: 100,000 chunks of no bytes, without an index", forged)

    newlines = b"\n" * (50 << 20)
    forged = Forgery([], {})
    forged.manifest = newlines
    yield Case("bombs: a manifest of 50 million empty lines", forged)
    for name, pieces, claimed in [
            ("1 GiB of zeros", [(b"\0", 1 << 30)], None),
            ("1 GiB of line ends", [(b"\n", 1 << 30)], None),
            ("300 MiB of brackets", [(b"[", 300 << 20)], None),
            ("a size of 2^62", [b"x"], HUGE), ("a size of 900 MiB and nothing", [b""], 900 << 20)]:
        data = zstd(pieces, claimed)
        yield Case("bombs: an index object with %s" % name, with_object("index/" + sha256(data), data),
                   restore=0)
    lists = b"[" + b"[]," * (20 << 20) + b"[]]\n"
    data = zstd([lists])
    yield Case("bombs: an index object with 20 million lists",
               with_object("index/" + sha256(data), data), restore=0)


def honest():
    yield Case("the forger's honest repository is clean and restores", Forgery(FINE, GOOD), check=0,
               restore=0, present=("target/a-good-file",))
    yield Case("without an index it restores all the same",
               edited(lambda forged: forged.index.clear()), restore=0,
               present=("target/a-good-file",))


def main(wanted):
    with proof.Place() as place:
        outside = place.at("outside")
        os.makedirs(os.path.join(outside, "dir"), mode=0o700)
        for name in ("keep", "dir/keep"):
            with open(os.path.join(outside, name), "w", encoding="utf-8") as file:
                file.write("as it was")
        os.mkdir(place.at("tree"))
        place.configure({"src": "tree"})
        groups = [honest(), paths(), links(outside), sizes(), references(), documents(), bombs()]
        for group in groups:
            for case in group:
                if wanted in case.name:
                    case.run(place)
        proof.ok("nothing was written to /tmp", not os.path.lexists("/tmp/backstay-evil"))
        print("the most memory that a command took: %d MiB" % (proof.peak_of_children() >> 20))


main(sys.argv[1] if len(sys.argv) > 1 else "")
proof.end()
