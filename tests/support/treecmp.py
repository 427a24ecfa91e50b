# tests/support/treecmp.py
# SPDX-License-Identifier: Apache-2.0
#
# Compares two directory trees in every field that a backup keeps: names, types, contents, holes,
# modes, owners, times to the nanosecond, attributes (ACLs and capabilities are among them), devices,
# link targets, which names are one file.
#
# Usage: python3 treecmp.py A B
#
# Prints one line per difference (the first 50) and exits with 1 when there are any. A is the original:
# its sockets must not be in B. Paths may be longer than the system allows at once.
import os
import resource
import stat
import sys

PIECE = 1 << 20


def lift_limits():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def attributes(folder, name):
    """The attributes of an entry; by way of /proc, since there is no call relative to a folder."""
    path = b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in names}


def next_data(file, at, size):
    try:
        return os.lseek(file, at, os.SEEK_DATA)
    except OSError:
        return size


def same_content(left, right, name, size):
    """Compares what is data in either; what is a hole in both is not read."""
    files = [os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder) for folder in (left, right)]
    try:
        at = 0
        while at < size:
            at = min(next_data(file, at, size) for file in files)
            a, b = (os.pread(file, PIECE, at) for file in files)
            if a != b:
                return False
            at += len(a) if a else size
        return True
    finally:
        for file in files:
            os.close(file)


class Comparison:
    def __init__(self):
        self.differences = []
        self.entries = 0
        self.groups = ({}, {})  # (device, inode) -> the first path, per side

    def differ(self, path, what, a, b):
        self.differences.append("%s: %s: %r instead of %r" % (path.decode("utf-8", "backslashreplace"),
                                                             what, b, a))

    def group(self, side, status, path):
        return self.groups[side].setdefault((status.st_dev, status.st_ino), path)

    def entry(self, folders, name, path):
        """Compares all but the content of folders; returns whether to go into it."""
        a, b = (os.lstat(name, dir_fd=folder) for folder in folders)
        self.entries += 1
        if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
            self.differ(path, "type", stat.filemode(a.st_mode), stat.filemode(b.st_mode))
            return False
        for field in ("st_mode", "st_uid", "st_gid", "st_mtime_ns"):
            if getattr(a, field) != getattr(b, field):
                self.differ(path, field, getattr(a, field), getattr(b, field))
        left, right = (attributes(folder, name) for folder in folders)
        if left != right:
            self.differ(path, "attributes", left, right)
        if stat.S_ISDIR(a.st_mode):
            return True
        self.content(folders, name, path, a, b)
        groups = [self.group(side, status, path) for side, status in enumerate((a, b))]
        if groups[0] != groups[1] or a.st_nlink != b.st_nlink:
            self.differ(path, "hard links", (groups[0], a.st_nlink), (groups[1], b.st_nlink))
        return False

    def content(self, folders, name, path, a, b):
        if stat.S_ISLNK(a.st_mode):
            targets = [os.readlink(name, dir_fd=folder) for folder in folders]
            if targets[0] != targets[1]:
                self.differ(path, "target", *targets)
        elif stat.S_ISCHR(a.st_mode) or stat.S_ISBLK(a.st_mode):
            if a.st_rdev != b.st_rdev:
                self.differ(path, "device", a.st_rdev, b.st_rdev)
        elif stat.S_ISREG(a.st_mode):
            if a.st_size != b.st_size:
                self.differ(path, "size", a.st_size, b.st_size)
            elif not same_content(*folders, name, a.st_size):
                self.differ(path, "content", "one", "another")
            if a.st_blocks * 512 + 65536 < a.st_size and b.st_blocks > a.st_blocks + 128:
                self.differ(path, "blocks", a.st_blocks, b.st_blocks)

    def folder(self, folders, path):
        names = [set(os.listdir(folder)) for folder in folders]
        names = [{os.fsencode(name) for name in side} for side in names]
        for name in sorted(names[0] - names[1]):
            if not stat.S_ISSOCK(os.lstat(name, dir_fd=folders[0]).st_mode):
                self.differ(path + name, "entry", "there", "missing")
        for name in sorted(names[1] - names[0]):
            self.differ(path + name, "entry", "missing", "there")
        return sorted(names[0] & names[1])

    def run(self, a, b):
        """Walks both at once, holding a folder of each open per level."""
        roots = [os.open(root, os.O_RDONLY | os.O_DIRECTORY) for root in (a, b)]
        stack = [(roots, b"", iter([]))]
        if self.entry(roots, b".", b"."):
            stack[0] = (roots, b"", iter(self.folder(roots, b"")))
        while stack:
            folders, path, names = stack[-1]
            name = next(names, None)
            if name is None:
                stack.pop()
                for folder in folders:
                    os.close(folder)
            elif self.entry(folders, name, path + name):
                inner = [os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                         for folder in folders]
                below = path + name + b"/"
                stack.append((inner, below, iter(self.folder(inner, below))))


def compare(a, b):
    """The differences between tree A (the original) and tree B, and how many entries were looked at."""
    lift_limits()
    comparison = Comparison()
    comparison.run(a, b)
    return comparison.differences, comparison.entries


def main():
    differences, entries = compare(sys.argv[1], sys.argv[2])
    for line in differences[:50]:
        print(line)
    print("%d entries, %d differences" % (entries, len(differences)))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
