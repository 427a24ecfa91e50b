# tests/e2e/forgery.py
# SPDX-License-Identifier: Apache-2.0
#
# Repositories that no honest program would write. Made from nothing but docs/format.md: everything is
# sealed and named as it must be, so that only the content can give it away.
#
#     forged = Forgery(["..."], {"text": b"content"})
#     forged.snapshot["counts"]["entries"] = -1
#     forged.write("repo")
import copy
import hashlib
import json
import os
import struct

REPOSITORY = "0123456789abcdef" * 2
SNAPSHOT = "1a2b3c4d"
RUN = SNAPSHOT * 2
TIME = "2026-11-22T02:30:00Z"
SNAPSHOT_NAME = "snapshots/src/20261122T023000Z-%s.json" % SNAPSHOT
RECORD_NAME = "records/2026/11/20261122T023000Z-backup-%s.json" % RUN
COUNTS = ["entries", "files", "warnings", "unchanged", "bytes", "bytes_read", "bytes_new",
          "bytes_stored"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def seal_text(text):
    """Seals a JSON object given as bytes."""
    body = text.rstrip()[:-1]
    return body + b',"sha256":"' + sha256(body).encode() + b'"}\n'


def seal(members):
    return seal_text(json.dumps(members, separators=(",", ":")).encode())


def header(name, size):
    block = bytearray(512)
    fields = [(0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, "%011o" % size),
              (136, "%011o" % 0), (148, "        "), (156, "0"), (257, "ustar\0" + "00")]
    for at, text in fields:
        block[at:at + len(text)] = text.encode()
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def tar(members):
    out = [header(name, len(content)) + content + bytes(-len(content) % 512)
           for name, content in members]
    return b"".join(out) + bytes(1024)


def zstd(pieces, claimed=None):
    """A Zstandard frame of uncompressed pieces (bytes) and runs of one byte (byte, length)."""
    blocks, size = [], 0
    for piece in pieces:
        if isinstance(piece, bytes):
            parts = [piece[at:at + 131072] for at in range(0, len(piece), 131072)]
            blocks += [(0, len(part), part) for part in parts]
            size += len(piece)
        else:
            byte, length = piece
            size += length
            while length:
                run = min(length, 131072)
                blocks.append((1, run, byte))
                length -= run
    blocks.append((0, 0, b""))
    out = [struct.pack("<IBQ", 0xFD2FB528, 0xE0, size if claimed is None else claimed)]
    for number, (kind, length, data) in enumerate(blocks):
        last = number == len(blocks) - 1
        out.append(struct.pack("<I", last | kind << 1 | length << 3)[:3] + data)
    return b"".join(out)


def line(path, kind="file", content=None, **members):
    """A manifest line; @content is the name of one of the Forgery's contents."""
    entry = {"path": path, "type": kind}
    entry.update(members)
    if content is not None:
        entry["content"] = content
    return entry


class Forgery:
    """A repository with one snapshot. Everything can be changed before write()."""

    def __init__(self, lines, contents=None):
        self.contents = dict(contents or {})
        self.manifest = b"".join(self.encode(entry) for entry in lines)
        self.codec, self.frame, self.raw = "raw", None, None
        self.members = None
        self.objects = {}
        self.edit = lambda forged: None
        self.config = {
            "format": 1, "kind": "repository", "id": REPOSITORY, "created": TIME,
            "chunker": {"algorithm": "gear-1", "key": "00" * 32,
                        "plain": {"min": 16384, "mean": 65536, "max": 262144},
                        "dense": {"min": 131072, "mean": 524288, "max": 2097152}},
            "recipients": [], "files": {}}
        self.entries = len(lines)

    def encode(self, entry):
        if isinstance(entry, bytes):
            return entry
        entry = dict(entry)
        name = entry.pop("content", None)
        if name is not None:
            entry.setdefault("bytes", len(self.contents[name]))
            entry.setdefault("chunks", [sha256(self.contents[name])])
        # surrogateescape, as the format has it, is what ensure_ascii makes of lone surrogates.
        return json.dumps(entry, separators=(",", ":")).encode() + b"\n"

    def build(self):
        """Makes the documents, so that edit() can change them."""
        chunks = [(sha256(self.manifest), self.manifest)]
        chunks += [(sha256(content), content) for content in self.contents.values()]
        if self.members is None:
            self.members = chunks
        tar_of_chunks = tar(self.members)
        if self.frame is None:
            self.frame = tar_of_chunks
        if self.raw is None:
            self.raw = len(tar_of_chunks)
        self.pack = tar([("000000.tar" + (".zst" if self.codec == "zstd" else ""), self.frame)])
        self.pack_id = sha256(self.pack)
        frame = {"codec": self.codec, "bases": [], "offset": 512, "stored": len(self.frame),
                 "raw": self.raw}
        flat = [value for id, content in self.members for value in (id, len(content))]
        self.index = [{"pack": self.pack_id, "bytes": len(self.pack),
                       "frames": [dict(frame, chunks=flat)]}]
        empty = {"bytes": 0, "chunks": []}
        self.snapshot = {
            "format": 1, "kind": "snapshot", "repository": REPOSITORY, "id": SNAPSHOT, "run": RUN,
            "source": "src", "type": "media", "instant": TIME, "started": TIME, "finished": TIME,
            "host": "forged", "version": "0",
            "counts": dict.fromkeys(COUNTS, 0) | {"entries": self.entries}, "details": {},
            "packs": [{"id": self.pack_id, "bytes": len(self.pack),
                       "frames": [{"numbers": [0, 0], "codec": self.codec, "bases": []}]}],
            "stream_frames": [dict(frame, pack=0, number=0)],
            "manifest": {"bytes": len(self.manifest),
                         "chunks": [{"id": sha256(self.manifest), "bytes": len(self.manifest),
                                     "frame": 0, "offset": 512}]},
            "facts": empty, "notes": copy.deepcopy(empty)}
        self.record = {
            "format": 1, "kind": "record", "name": RECORD_NAME, "repository": REPOSITORY,
            "about": "backup", "result": "ok", "run": RUN, "source": "src", "host": "forged",
            "version": "0", "started": TIME, "finished": TIME, "snapshot": SNAPSHOT_NAME}
        self.edit(self)

    def put(self, root, name, data):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def write(self, root):
        self.build()
        text = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in self.index)
        index = zstd([text.encode()])
        named = {
            "backstay.json": seal(self.config),
            "packs/%s/%s.tar" % (self.pack_id[:2], self.pack_id): self.pack,
            "index/" + sha256(index): index,
            SNAPSHOT_NAME: seal(self.snapshot),
            RECORD_NAME: seal(self.record),
        }
        named.update(self.objects)
        for name, data in named.items():
            if data is not None:
                self.put(root, name, data)
