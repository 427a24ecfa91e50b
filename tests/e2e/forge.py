# tests/e2e/forge.py
# SPDX-License-Identifier: Apache-2.0
#
# Writes a repository that no honest program would write: well sealed, with any manifest.
#
# Usage: python3 forge.py REPOSITORY <MANIFEST
#
# REPOSITORY is a new folder. Each line of the manifest that is "chunk TEXT" defines a chunk with that
# text; {TEXT} in other lines stands for the id of that chunk.
import hashlib
import json
import os
import re
import sys


def sealed(members):
    text = json.dumps(members, separators=(",", ":"))[:-1].encode()
    return text + b',"sha256":"' + hashlib.sha256(text).hexdigest().encode() + b'"}\n'


def tar(members):
    out = b""
    for name, content in members:
        header = bytearray(512)
        fields = [(0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"),
                  (124, "%011o" % len(content)), (136, "%011o" % 0), (148, "        "), (156, "0"),
                  (257, "ustar\0" + "00")]
        for at, text in fields:
            header[at:at + len(text)] = text.encode()
        header[148:156] = b"%06o\0 " % sum(header)
        out += bytes(header) + content + bytes(-len(content) % 512)
    return out + bytes(1024)


def put(root, name, data):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def main():
    root = sys.argv[1]
    lines = sys.stdin.read().splitlines()
    chunks = {}
    for text in (line[6:] for line in lines if line.startswith("chunk ")):
        chunks[text] = hashlib.sha256(text.encode()).hexdigest()
    manifest = "".join(
        re.sub(r"\{(\w+)\}", lambda match: chunks[match.group(1)], line) + "\n"
        for line in lines if not line.startswith("chunk ")).encode()
    manifest_id = hashlib.sha256(manifest).hexdigest()
    frame = tar([(manifest_id, manifest)] + [(id, text.encode()) for text, id in chunks.items()])
    pack = tar([("000000.tar", frame)])
    pack_id = hashlib.sha256(pack).hexdigest()
    repository = "0123456789abcdef" * 2
    empty = {"bytes": 0, "chunks": []}
    sizes = {"min": 16384, "mean": 65536, "max": 262144}
    put(root, "backstay.json", sealed({
        "format": 1, "kind": "repository", "id": repository, "created": "2026-11-22T02:30:00Z",
        "chunker": {"algorithm": "gear-1", "key": "00" * 32, "plain": sizes, "dense": sizes},
        "recipients": [], "files": {}}))
    put(root, "packs/%s/%s.tar" % (pack_id[:2], pack_id), pack)
    time = "2026-11-22T02:30:00Z"
    put(root, "snapshots/src/20261122T023000Z-1a2b3c4d.json", sealed({
        "format": 1, "kind": "snapshot", "repository": repository, "id": "1a2b3c4d",
        "run": "1a2b3c4d" * 2, "source": "src", "type": "media", "instant": time,
        "started": time, "finished": time, "host": "forged", "version": "0",
        "counts": dict.fromkeys(["entries", "files", "warnings", "unchanged", "bytes",
                                 "bytes_read", "bytes_new", "bytes_stored"], 0),
        "details": {},
        "packs": [{"id": pack_id, "bytes": len(pack),
                   "frames": [{"numbers": [0, 0], "codec": "raw", "bases": []}]}],
        "stream_frames": [{"pack": 0, "number": 0, "offset": 512, "stored": len(frame),
                           "raw": len(frame), "codec": "raw", "bases": []}],
        "manifest": {"bytes": len(manifest),
                     "chunks": [{"id": manifest_id, "bytes": len(manifest), "frame": 0,
                                 "offset": 512}]},
        "facts": empty, "notes": empty}))


main()
