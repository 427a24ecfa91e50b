# tests/bench/tools.py
# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: how each makes a repository, backs up, restores and checks.

A command is what a user would type, with the tool's own defaults, as a Command to measure. Every
tool has a folder of its own for repository, cache and configuration, fresh in each round.
"""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field


@dataclass
class Command:
    argv: list
    cwd: str = "/"
    env: dict = field(default_factory=dict)
    # Peak memory is that of the command alone, not of the largest process that it started.
    own_memory: bool = False


def shell(text, cwd):
    return Command(["bash", "-c", "set -o pipefail; " + text], cwd)


def output_of(argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


class Tool:
    """`folder` is the tool's own, `tree` what it protects, `name` its column in the tables."""

    name = ""

    def __init__(self, folder, tree):
        self.folder = folder
        self.tree = tree
        self.repository = os.path.join(folder, "repository")

    def fresh(self):
        """Removes all that an earlier round left and makes an empty repository."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    @staticmethod
    def run(command):
        subprocess.run(command.argv, check=True, cwd=command.cwd, stdout=subprocess.DEVNULL,
                       env=os.environ | command.env)


class Backstay(Tool):
    name = "backstay"

    def __init__(self, folder, tree, program):
        super().__init__(folder, tree)
        self.program = program
        self.config = os.path.join(folder, "backstay.yaml")

    def describe(self):
        return output_of([self.program, "--version"]).splitlines()[0] + ", not encrypted (zstd 3)"

    def command(self, *args):
        return Command([self.program, "--config", self.config, "--quiet", *args])

    def source(self):
        return f"{{ type: media, path: '{self.tree}' }}"

    def fresh(self):
        super().fresh()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"app: bench\n"
                       f"sources: {{ work: {self.source()} }}\n"
                       f"destinations: {{ repo: {{ type: local, path: '{self.repository}',"
                       f" min_free: 1% }} }}\n"
                       f"state_dir: '{self.folder}/state'\n")
        # A database's url counts as a secret.
        os.chmod(self.config, 0o600)
        self.run(self.command("init"))

    def backup(self):
        return self.command("backup")

    def restore(self, target):
        return self.command("restore", "latest", "--to", target)

    def restore_one(self, target, path):
        return self.command("restore", "latest", "--to", target, path)

    def check(self):
        return self.command("check", "--read-data")


class Restic(Tool):
    name = "restic"

    def __init__(self, folder, tree, program):
        super().__init__(folder, tree)
        self.program = program

    def describe(self):
        return output_of([self.program, "version"]).split(" compiled")[0] + \
            ", encrypted (it has no other way)"

    def command(self, *args, cwd="/"):
        env = {"RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": self.repository,
               "RESTIC_CACHE_DIR": os.path.join(self.folder, "cache")}
        return Command([self.program, "--quiet", *args], cwd, env)

    def fresh(self):
        super().fresh()
        self.run(self.command("init"))

    def backup(self):
        return self.command("backup", ".", cwd=self.tree)

    def restore(self, target):
        return self.command("restore", "latest", "--target", target)

    def restore_one(self, target, path):
        return self.command("restore", "latest", "--target", target, "--include", "/" + path)

    def check(self):
        return self.command("check", "--read-data")


class Borg(Tool):
    name = "borg"

    def __init__(self, folder, tree):
        super().__init__(folder, tree)
        self.archives = 0

    def describe(self):
        return output_of(["borg", "--version"]) + ", not encrypted, zstd 3"

    def command(self, *args, cwd="/"):
        env = {"BORG_BASE_DIR": os.path.join(self.folder, "base"), "BORG_REPO": self.repository,
               "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
        return Command(["borg", *args], cwd, env)

    def fresh(self):
        super().fresh()
        self.archives = 0
        self.run(self.command("init", "--encryption", "none"))

    def backup(self):
        self.archives += 1
        return self.command("create", "--compression", "zstd,3", f"::{self.archives}", ".",
                            cwd=self.tree)

    def restore(self, target):
        return self.command("extract", f"::{self.archives}", cwd=target)

    def restore_one(self, target, path):
        return self.command("extract", f"::{self.archives}", path, cwd=target)

    def check(self):
        return self.command("check", "--verify-data")


class Floor(Tool):
    """What the work costs at least: tar and zstd in a pipe, without deduplication, hashes, fsync.

    Later backups take what is newer than the first by `find`, restores unpack all.
    """

    name = "floor"

    def __init__(self, folder, tree):
        super().__init__(folder, tree)
        self.stamp = os.path.join(folder, "stamp")
        self.parts = []

    def describe(self):
        version = output_of(["zstd", "-V"]).split(" v")[1].split(",")[0]
        return f"`tar | zstd -3 -T2` (one file: without tar), zstd {version}"

    def fresh(self):
        super().fresh()
        os.mkdir(self.repository)
        with open(self.stamp, "wb"):
            pass
        self.parts = []

    def next_part(self):
        self.parts.append(os.path.join(self.repository, f"{len(self.parts)}.zst"))
        return shlex.quote(self.parts[-1])

    def backup(self):
        newer = f"find . -type f -newer {shlex.quote(self.stamp)} -print0"
        tar = f"{newer} | tar --null -T - -cf -" if self.parts else "tar -cf - ."
        return shell(f"{tar} | zstd -q -3 -T2 -f -o {self.next_part()}", self.tree)

    def restore(self, target):
        return shell(" && ".join(f"zstd -q -dc {shlex.quote(part)} | tar -xf -"
                                 for part in self.parts), target)

    def restore_one(self, target, path):
        return shell(f"zstd -q -dc {shlex.quote(self.parts[0])} | tar -xf - "
                     f"{shlex.quote('./' + path)}", target)

    def check(self):
        return Command(["zstd", "-q", "-t", *self.parts])


class FileFloor(Floor):
    """The same for one file: zstd alone, and all of the file again when it changed."""

    file = "heap"

    def backup(self):
        changed = f"[ {self.file} -nt {shlex.quote(self.stamp)} ]" if self.parts else "true"
        zstd = f"zstd -q -3 -T2 -f {self.file} -o {self.next_part()}"
        return shell(f"if {changed}; then {zstd}; fi", self.tree)

    def written(self):
        return [part for part in self.parts if os.path.exists(part)]

    def restore(self, target):
        return Command(["zstd", "-q", "-d", self.written()[-1], "-o", self.file], target)

    def check(self):
        return Command(["zstd", "-q", "-t", *self.written()])
