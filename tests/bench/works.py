# tests/bench/works.py
# SPDX-License-Identifier: Apache-2.0
"""The trees that are backed up, how a part of each changes, and how that is undone.

The same files change in the same way in every run. Their old content is kept beside the tree until
it is back, so that a run that was stopped in the middle leaves nothing behind for the next.
"""

import json
import os
import random
import shutil
import subprocess

SEED = 20261122
CHANGED = 0.02


def regular_files(tree):
    """(path, bytes) of each regular file, sorted, so that a seed always picks the same ones."""
    found = []
    pending = [tree]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    found.append((os.path.relpath(entry.path, tree), entry.stat().st_size))
    return sorted(found)


class Work:
    """`name` is what --work takes; `folder` holds the tree and what is needed to undo changes."""

    def __init__(self, name, title, folder):
        self.name = name
        self.title = title
        self.tree = os.path.join(folder, "tree")
        self.files = []

    def measure(self):
        self.files = regular_files(self.tree)

    @property
    def bytes(self):
        return sum(size for _, size in self.files)

    @property
    def restored_bytes(self):
        """What a restore needs at most in its place."""
        return self.bytes

    def read(self):
        """Reads all of it once, so that no tool pays for the disk."""
        buffer = bytearray(1 << 20)
        for path, _ in self.files:
            with open(os.path.join(self.tree, path), "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


class Tree(Work):
    change_title = "2% of the files changed"

    def __init__(self, name, title, folder):
        super().__init__(name, title, folder)
        self.undo_folder = os.path.join(folder, "undo")
        self.undo_list = os.path.join(self.undo_folder, "list.json")

    def chosen(self):
        """The files that change and the one that is restored alone, which does not."""
        some = random.Random(SEED).sample(self.files, max(1, int(len(self.files) * CHANGED)) + 1)
        return [path for path, _ in some[1:]], some[0][0]

    @property
    def one_file(self):
        return self.chosen()[1]

    def change(self):
        """Every other file grows by up to 1 KiB, the rest are replaced. Returns bytes to store.

        Old bytes in reverse are new to every tool and compress as well as the old ones did.
        """
        paths, _ = self.chosen()
        self._keep(paths)
        fresh = 0
        for i, path in enumerate(paths):
            with open(os.path.join(self.tree, path), "r+b") as file:
                old = file.read()
                new = old[:1024][::-1] or b"new\n"
                if i % 2:
                    new = old[::-1] or b"new\n"
                    file.seek(0)
                file.write(new)
                fresh += len(new)
        return fresh

    def _keep(self, paths):
        shutil.rmtree(self.undo_folder, ignore_errors=True)
        os.mkdir(self.undo_folder)
        for i, path in enumerate(paths):
            shutil.copy2(os.path.join(self.tree, path), os.path.join(self.undo_folder, str(i)))
        with open(self.undo_list + ".new", "w", encoding="utf-8") as file:
            json.dump(paths, file)
        os.rename(self.undo_list + ".new", self.undo_list)

    def undo(self):
        if os.path.exists(self.undo_list):
            with open(self.undo_list, encoding="utf-8") as file:
                paths = json.load(file)
            for i, path in enumerate(paths):
                kept = os.path.join(self.undo_folder, str(i))
                place = os.path.join(self.tree, path)
                shutil.copyfile(kept, place)
                shutil.copystat(kept, place)
        shutil.rmtree(self.undo_folder, ignore_errors=True)


class Heap(Work):
    change_title = "1% of the pages rewritten"
    one_file = None

    def __init__(self, name, title, folder, generator):
        super().__init__(name, title, folder)
        self.generator = generator

    def _run(self, verb):
        return subprocess.run([self.generator, verb, os.path.join(self.tree, "heap")], check=True,
                              capture_output=True, text=True).stdout

    def change(self):
        return int(self._run("change"))

    def undo(self):
        self._run("undo")
