# tests/e2e/second_reader.py
# SPDX-License-Identifier: Apache-2.0
#
# A second reader of repositories, written from docs/format.md alone, in another language, to find what
# that page lacks. It believes nothing: every rule of the page that can be checked is checked.
#
# Usage: python3 second_reader.py repository FOLDER SOURCE    the newest snapshot, one line an entry
#        python3 second_reader.py tree FOLDER                 the same lines from a file system
# The numbers in the comments are the sections of docs/format.md.
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys

FILE_MEMBERS = {"bytes", "extents", "chunks"}
TYPES = {"file", "dir", "symlink", "fifo", "chardev", "blockdev", "socket"}
SNAPSHOT_NAME = re.compile(r"([A-Za-z0-9_-]{1,64})/(\d{8}T\d{6}Z)-([0-9a-f]{8})\.json")


def need(condition, what):
    if not condition:
        raise SystemExit("second_reader.py: " + what)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def unique(pairs):
    result = dict(pairs)
    need(len(result) == len(pairs), "a key occurs twice")
    return result


def parse(text):
    return json.loads(text, object_pairs_hook=unique)


def is_id(text):
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None


def is_time(text):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{9})?Z", text) is not None


# ---- 3: documents

def open_document(path, kind):
    with open(path, "rb") as file:
        text = file.read()
    need(text.count(b"\n") == 1 and text[-78:-67] == b',"sha256":"' and text[-3:] == b'"}\n',
         path + " has no seal")
    need(text[-67:-3].decode() == sha256(text[:-78]), path + " is damaged")
    document = parse(text)
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    need(compact.encode() + b"\n" == text, path + " has blanks")
    need(document["format"] == 1 and document["kind"] == kind, path + " is no " + kind)
    return document


# ---- 5: packs and frames

def tar_header(name, size):
    header = bytearray(512)
    for at, text in [(0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"),
                     (124, "%011o" % size), (136, "00000000000"), (148, " " * 8), (156, "0"),
                     (257, "ustar\0" + "00")]:
        header[at:at + len(text)] = text.encode()
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def read_tar(data):
    at = 0
    while data[at:at + 512] != bytes(512):
        name = data[at:at + 100].rstrip(b"\0").decode()
        size = int(data[at + 124:at + 135], 8)
        need(data[at:at + 512] == tar_header(name, size), "a tar header has another form")
        end = at + 512 + size
        padded = end + -size % 512
        need(data[end:padded] == bytes(padded - end), "padding is not zero")
        yield name, at + 512, data[at + 512:end]
        at = padded
    need(data[at:] == bytes(1024), "a tar does not end as it must")


def unzstd(data):
    done = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout


class Frame:
    def __init__(self, codec, offset, stored, tar):
        self.codec, self.offset, self.stored, self.tar = codec, offset, stored, tar
        self.chunks = []
        for name, at, content in read_tar(tar):
            need(is_id(name) and sha256(content) == name, "a chunk is not what its name says")
            need(1 <= len(content) <= 4 << 20, "a chunk has a size that none can have")
            self.chunks.append((name, at, content))


def read_pack(root, pack_id):
    need(is_id(pack_id), "a pack's id is none")
    with open("%s/packs/%s/%s.tar" % (root, pack_id[:2], pack_id), "rb") as file:
        data = file.read()
    need(sha256(data) == pack_id and len(data) <= 256 << 20, "a pack is damaged")
    frames = []
    for name, offset, stored in read_tar(data):
        number = len(frames)
        if name == "%06d.tar" % number:
            frames.append(Frame("raw", offset, len(stored), stored))
        else:
            need(name == "%06d.tar.zst" % number, "a frame has the name " + name)
            frames.append(Frame("zstd", offset, len(stored), unzstd(stored)))
        need(len(frames[-1].tar) <= 64 << 20, "a frame is too large")
    return data, frames


# ---- 10: the index must say what the packs say

def check_index(root, packs):
    listed = set()
    for name in os.listdir(root + "/index"):
        with open(root + "/index/" + name, "rb") as file:
            data = file.read()
        need(sha256(data) == name, "an index object is not what its name says")
        for line in unzstd(data).decode().splitlines():
            entry = parse(line)
            data, frames = packs[entry["pack"]]
            expected = {"pack": entry["pack"], "bytes": len(data), "frames": [
                {"codec": frame.codec, "bases": [], "offset": frame.offset,
                 "stored": frame.stored, "raw": len(frame.tar),
                 "chunks": [x for id, _, content in frame.chunks for x in (id, len(content))]}
                for frame in frames]}
            need(entry == expected, "the index differs from pack " + entry["pack"])
            listed.add(entry["pack"])
    need(listed == set(packs), "a pack is in no index object")


# ---- 7: cutting

class Chunker:
    def __init__(self, parameters):
        need(parameters["algorithm"] == "gear-1", "an unknown chunker")
        key = bytes.fromhex(parameters["key"])
        self.gear = [int.from_bytes(hmac.new(key, bytes([b]), "sha256").digest()[:8], "little")
                     for b in range(256)]
        self.classes = [parameters["plain"], parameters["dense"]]

    def dense(self, data):
        n = min(4096, len(data)) & ~1
        squares = sum(data[:n].count(b) ** 2 for b in range(256))
        return n >= 512 and squares < n * n // 256 * 5 // 4 + n

    def cut(self, data):
        sizes = self.classes[self.dense(data)]
        if len(data) <= sizes["min"]:
            return len(data)
        bits = sizes["mean"].bit_length() - 1
        end = min(sizes["max"], len(data))
        value = 0
        for i in range(sizes["min"], end):
            value = (value * 2 + self.gear[data[i]]) & (1 << 64) - 1
            if value >> 64 - (bits + 2 if i < sizes["mean"] else bits - 2) == 0:
                return i + 1
        return end

    def check(self, content, sizes, what):
        for size in sizes:
            need(self.cut(content) == size, what + " is cut in another way")
            content = content[size:]


# ---- 8: the manifest

def path_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def check_path(path):
    need(len(path) <= 1 << 20 and b"\0" not in path, "a path is too long")
    if path:
        need(all(part not in (b"", b".", b"..") for part in path.split(b"/")), "a path leads out")


def read_entries(manifest):
    entries = []
    for line in manifest.decode().splitlines(True) if manifest else []:
        need(line.endswith("\n"), "a manifest line does not end")
        entry = parse(line)
        if "part" in entry:
            need(list(entry) == ["part", "chunks"], "a part has other members")
            need(len(entries[-1]["chunks"]) == 1000 * entry["part"], "a part is out of order")
            entries[-1]["chunks"] += entry["chunks"]
            continue
        need(list(entry)[0] == "path" and entry["type"] in TYPES, "an entry has no path or type")
        need(entry["type"] == "file" or not FILE_MEMBERS & set(entry), "content that is no file's")
        need(len(entry.get("chunks", [])) <= 1000, "a line has too many chunks")
        entry["path"] = path_bytes(entry["path"])
        check_path(entry["path"])
        entries.append(entry)
    paths = [entry["path"] for entry in entries]
    need(all(a < b for a, b in zip(paths, paths[1:])), "the manifest is not sorted")
    return entries


def content_of(entry, chunks):
    pieces = [chunks[id] for id in entry["chunks"]]
    content = b"".join(pieces)
    extents = entry.get("extents", [[0, entry["bytes"]]])
    need(sum(length for _, length in extents) == len(content), "chunks do not add up")
    return content, extents, [len(piece) for piece in pieces]


def file_of(content, extents, size):
    result, at, used = [], 0, 0
    for offset, length in extents:
        need(at <= offset and offset + length <= size, "an extent is out of place")
        result += [bytes(offset - at), content[used:used + length]]
        at, used = offset + length, used + length
    return b"".join(result + [bytes(size - at)])


# ---- 9: snapshots

def newest(root, source):
    names = sorted(os.listdir("%s/snapshots/%s" % (root, source)))
    name = "%s/%s" % (source, names[-1])
    snapshot = open_document("%s/snapshots/%s" % (root, name), "snapshot")
    _, time, id = SNAPSHOT_NAME.fullmatch(name).groups()
    need(all(is_time(snapshot[key]) for key in ("instant", "started", "finished")), "a time is none")
    need(snapshot["id"] == id and snapshot["source"] == source and
         re.sub(r"\.\d+|[-:]", "", snapshot["instant"]) == time, "snapshots were swapped")
    fraction = int((snapshot["instant"] + "." + "0" * 9).split(".")[1].rstrip("Z"))
    need(id == "%04x%s" % (fraction * 65536 // 10 ** 9, snapshot["run"][:4]), "the id is made up")
    return snapshot


def check_references(snapshot, packs, used):
    named = set()
    for pack in snapshot["packs"]:
        data, frames = packs[pack["id"]]
        need(len(data) == pack["bytes"], "a pack has another size")
        for run in pack["frames"]:
            first, last = run["numbers"]
            need(first <= last and run["bases"] == [], "a range is malformed")
            for number in range(first, last + 1):
                need(frames[number].codec == run["codec"], "a frame has another codec")
                named.update(id for id, _, _ in frames[number].chunks)
    need(used <= named, "a chunk lies in a frame that the snapshot does not name")


def read_stream(snapshot, name, packs):
    stream, result = snapshot[name], []
    for chunk in stream["chunks"]:
        place = snapshot["stream_frames"][chunk["frame"]]
        data, frames = packs[snapshot["packs"][place["pack"]]["id"]]
        frame = frames[place["number"]]
        need((place["offset"], place["stored"], place["raw"], place["codec"], place["bases"]) ==
             (frame.offset, frame.stored, len(frame.tar), frame.codec, []), "a frame is elsewhere")
        content = frame.tar[chunk["offset"]:chunk["offset"] + chunk["bytes"]]
        need(sha256(content) == chunk["id"], "a piece of the %s is elsewhere" % name)
        result.append(content)
    text = b"".join(result)
    need(len(text) == stream["bytes"], "the %s has another size" % name)
    return text


# ---- the two listings

def show(fields):
    print("\t".join(str(field) for field in fields))


def show_entry(entry, digest, group):
    show([entry["path"].hex(), entry["type"], entry["mode"], entry["uid"], entry["gid"],
          entry["mtime"], path_bytes(entry.get("target", "")).hex(), entry.get("rdev", ""),
          sorted((path_bytes(k).hex(), v) for k, v in entry.get("xattrs", {}).items()),
          entry.get("bytes", ""), digest, group])


def list_repository(root, source):
    repository = open_document(root + "/backstay.json", "repository")
    for name, sum in repository["files"].items():
        with open(root + "/" + name, "rb") as file:
            need(sha256(file.read()) == sum, name + " is damaged")
    snapshot = newest(root, source)
    need(snapshot["repository"] == repository["id"], "a snapshot of another repository")
    packs = {}
    for folder, _, files in os.walk(root + "/packs"):
        for name in files:
            packs[name[:-4]] = read_pack(root, name[:-4])
    check_index(root, packs)
    chunks = {id: content for _, frames in packs.values() for frame in frames
              for id, _, content in frame.chunks}
    streams = {name: read_stream(snapshot, name, packs) for name in ("manifest", "facts", "notes")}
    chunker = Chunker(repository["chunker"])
    for name, text in streams.items():
        chunker.check(text, [chunk["bytes"] for chunk in snapshot[name]["chunks"]], name)
    facts = streams["facts"].splitlines()
    need(facts == sorted(facts) and all(set(parse(line)) == {"name", "value"} for line in facts),
         "the facts are not sorted")
    used, groups = set(), {}
    entries = read_entries(streams["manifest"])
    need(len(entries) == snapshot["counts"]["entries"], "the manifest has another length")
    for entry in entries:
        digest = group = ""
        if entry["type"] == "file":
            content, extents, sizes = content_of(entry, chunks)
            if "link" not in entry or entry["link"] not in groups:
                chunker.check(content, sizes, str(entry["path"]))
            used.update(entry["chunks"])
            digest = sha256(file_of(content, extents, entry["bytes"]))
        if "link" in entry:
            group = groups.setdefault(entry["link"], entry["path"]).hex()
        show_entry(entry, digest, group)
    for name in streams:
        used.update(chunk["id"] for chunk in snapshot[name]["chunks"])
    check_references(snapshot, packs, used)
    for folder, _, files in os.walk(root + "/records"):
        for name in files:
            record = open_document(folder + "/" + name, "record")
            need(root + "/" + record["name"] == folder + "/" + name, "records were swapped")


def entry_of(path, name, groups):
    info = os.lstat(path)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink",
             stat.S_IFIFO: "fifo", stat.S_IFCHR: "chardev", stat.S_IFBLK: "blockdev",
             stat.S_IFSOCK: "socket"}
    entry = {"path": name, "type": kinds[stat.S_IFMT(info.st_mode)],
             "mode": "%04o" % stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid,
             "mtime": "%d.%09d" % divmod(info.st_mtime_ns, 10 ** 9)}
    if entry["type"] == "symlink":
        entry["target"] = os.fsdecode(os.readlink(path))
    if entry["type"] in ("chardev", "blockdev"):
        entry["rdev"] = [os.major(info.st_rdev), os.minor(info.st_rdev)]
    entry["xattrs"] = {key: os.getxattr(path, key, follow_symlinks=False).hex()
                       for key in os.listxattr(path, follow_symlinks=False)}
    digest = group = ""
    if entry["type"] == "file":
        entry["bytes"] = info.st_size
        with open(path, "rb") as file:
            digest = sha256(file.read())
        if info.st_nlink > 1:
            group = groups.setdefault((info.st_dev, info.st_ino), name).hex()
    return entry, digest, group


def list_tree(root):
    root = os.fsencode(root)
    names = [b""]
    for folder, folders, files in os.walk(root):
        names += [os.path.relpath(os.path.join(folder, name), root) for name in folders + files]
    groups = {}
    for name in sorted(names):
        show_entry(*entry_of(os.path.join(root, name) if name else root, name, groups))


if sys.argv[1] == "repository":
    list_repository(sys.argv[2], sys.argv[3])
else:
    list_tree(sys.argv[2])
