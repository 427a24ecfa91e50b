# tests/bench/bench.py
# SPDX-License-Identifier: Apache-2.0
"""Runs the tools in turn on each work and prints what they cost; see README.md, started by run."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from database import Database, DatabaseBench
from database_tools import DatabaseBackstay
from mysql import MySQLServer
from mysql_tools import MariadbDump, PlainDump, mydumpers
from postgres import PostgresServer
from postgres_tools import Copy, dumps
from rounds import Bench, Failed, say
from tools import Backstay, Borg, FileFloor, Floor, Restic
from works import Heap, Tree

# A file is only known to be unchanged when its time is older than the clock's grain.
SETTLE_SECONDS = 2


class TreeBench(Bench):
    """A work that is a tree of files. What is restored goes below `target`."""

    beside = (("time to restic's", "restic"), ("time to floor's", "floor"))

    def __init__(self, options, work, tools, target):
        super().__init__(options, work, tools)
        self.target = target
        self.fresh_bytes = 0

    def about(self):
        return (f"Files: {len(self.work.files):,}, {self.work.bytes / 1e6:,.0f} MB. "
                f"Changes: {self.fresh_bytes / 1e6:,.1f} MB of new bytes.")

    def steps(self):
        found = [("initial", "initial"), ("unchanged", "unchanged"),
                 ("changed", self.work.change_title), ("restore", "full restore")]
        if self.work.one_file:
            found.append(("one", "one file restored"))
        return found + [("check", "check with data")]

    def run(self):
        for round_number in range(self.options.runs):
            self.work.undo()
            self.work.read()
            for tool in self.tools:
                tool.fresh()
            time.sleep(SETTLE_SECONDS)
            for step, _ in self.steps():
                if step == "changed":
                    self.fresh_bytes = self.work.change()
                    self.work.read()
                    time.sleep(SETTLE_SECONDS)
                for tool in self.tools:
                    self.measure_step(tool, step, round_number)
        self.work.undo()

    def take(self, tool, step, verify):
        if step in ("restore", "one"):
            return self.restore(tool, step, verify)
        return self.measure(tool.check()) if step == "check" else self.measure_backup(tool)

    def restore(self, tool, step, verify):
        target = os.path.join(self.target, "restored")
        shutil.rmtree(target, ignore_errors=True)
        os.mkdir(target)
        try:
            if step == "restore":
                sample = self.measure(tool.restore(target))
                compared = self.work.tree, target
            else:
                path = self.work.one_file
                sample = self.measure(tool.restore_one(target, path))
                compared = os.path.join(self.work.tree, path), os.path.join(target, path)
            if verify:
                same = subprocess.run(["diff", "-rq", "--no-dereference", *compared],
                                      capture_output=True, text=True, check=False)
                if same.returncode != 0:
                    first = (same.stdout + same.stderr).splitlines()[0]
                    raise Failed(f"what it restored is not what it backed up: {first}")
            return sample
        finally:
            shutil.rmtree(target)


def command_output(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def first_value(path, key):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "unknown"


def file_system(folder):
    """A place that is mounted over twice has two lines; the first is the one in force."""
    return command_output(["findmnt", "-no", "FSTYPE", "-T", folder]).splitlines()[0]


def descriptions(tools):
    """A line for each tool; works that share one share the line."""
    return list(dict.fromkeys(f"- {tool.name}: {tool.describe()}" for tool in tools))


def facts(options, tools, target):
    memory = int(first_value("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    place = file_system(options.folder)
    target_place = file_system(target)
    lines = ["# What backups cost", "",
             f"- {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {options.built}, "
             f"scale {options.scale}, median of {options.runs} "
             f"{'run' if options.runs == 1 else 'runs'}, tools in turn",
             f"- {first_value('/proc/cpuinfo', 'model name')}, {os.cpu_count()} processors, "
             f"{memory:.0f} GiB of memory, Linux {os.uname().release}",
             f"- repositories on {place}, restores to {target_place}; `sync` before each run; warm "
             "cache: all files were read once before, repositories were just written"]
    lines += descriptions(tools)
    lines += ["- CPU includes that of database servers; peak is the largest process of the worst "
              "run (Backstay on a database: its own, without servers); stored is what the "
              "repository grew by; MB = 10^6 bytes"]
    return "\n".join(lines) + "\n"


def make_works(options):
    heap_bytes = "4 GiB" if options.scale == "full" else "256 MiB"
    media = "" if options.scale == "full" else ", a part"

    def folder(name):
        return os.path.join(options.folder, f"{options.scale}-{name}")

    every = {
        "small": Tree("small", f"Small files: linux-source-6.1{media}", folder("small")),
        "media": Tree("media", f"Media: pictures and music of Debian's games{media}",
                      folder("media")),
        "heap": Heap("heap", f"One file like a database's table, {heap_bytes}", folder("heap"),
                     os.path.join(options.folder, "bin", "heap")),
        "postgres": Database("postgres", "PostgreSQL 15: pgbench's tables and a shop",
                             folder("postgres"), PostgresServer,
                             (("time to pg_dump-17's", "pg_dump-17 -Fd"),
                              ("time to floor's", "floor"))),
        "mysql": Database("mysql", "MariaDB 10.11: a shop", folder("mysql"), MySQLServer,
                          (("time to mydumper's", "mydumper"),)),
    }
    return [every[name] for name in options.work]


def make_tools(options, work, target):
    run = os.path.join(options.folder, "run")
    if isinstance(work, Database):
        every = {"backstay": lambda: [DatabaseBackstay(os.path.join(run, "backstay"),
                                                       options.backstay, target)]}
        if work.name == "postgres":
            every["pg_dump"] = lambda: dumps(run, options.pg_dump)
            every["floor"] = lambda: [Copy(os.path.join(run, "floor"))]
        else:
            every["mariadb-dump"] = lambda: [MariadbDump(os.path.join(run, "plain")),
                                             PlainDump(os.path.join(run, "zstd"))]
            every["mydumper"] = lambda: mydumpers(run)
        return [tool for name in options.tools if name in every for tool in every[name]()]
    floor = FileFloor if work.name == "heap" else Floor
    every = {
        "backstay": lambda: Backstay(os.path.join(run, "backstay"), work.tree, options.backstay),
        "restic": lambda: Restic(os.path.join(run, "restic"), work.tree, options.restic),
        "borg": lambda: Borg(os.path.join(run, "borg"), work.tree),
        "floor": lambda: floor(os.path.join(run, "floor"), work.tree),
    }
    return [every[name]() for name in options.tools if name in every]


def restore_place(folder, needed):
    """Where restores go: memory if there is room, because disks vary too much from run to run."""
    try:
        room = os.statvfs("/dev/shm")
        free = int(first_value("/proc/meminfo", "MemAvailable").split()[0]) * 1024
        if min(room.f_bavail * room.f_frsize, free) > needed * 5 // 4:
            return tempfile.mkdtemp(prefix="backstay-bench.", dir="/dev/shm")
    except OSError:
        pass
    say("no room in /dev/shm: restores go to the disk, and their times mean little")
    return tempfile.mkdtemp(prefix="restores.", dir=folder)


def room_for(folder, needed):
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < needed:
        sys.exit(f"bench: {folder} has {free / 1e9:.1f} GB free and this needs {needed / 1e9:.1f}; "
                 f"choose another folder with BENCH_DIR")


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--work", type=lambda text: text.split(","), required=True)
    parser.add_argument("--tools", type=lambda text: text.split(","), required=True)
    parser.add_argument("--backstay", required=True)
    parser.add_argument("--built", required=True, help="what was built, for the report")
    parser.add_argument("--restic", required=True)
    parser.add_argument("--pg-dump", required=True, help="folder of newer client programs")
    options = parser.parse_args()
    options.measure = os.path.join(options.folder, "bin", "measure")
    return options


def measure_work(options, work, tools, target):
    """Prints the report of one work."""
    run = os.path.join(options.folder, "run")
    kind = DatabaseBench if isinstance(work, Database) else TreeBench
    shutil.rmtree(run, ignore_errors=True)
    os.makedirs(run)
    try:
        bench = kind(options, work, tools, target)
        bench.run()
        print(bench.report(), flush=True)
        return bench
    finally:
        shutil.rmtree(run, ignore_errors=True)
        work.undo()


def main():
    # As an exception it undoes what was changed and removes what was restored, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = parse_options()
    failed = False
    raw = {}

    works = make_works(options)
    for work in works:
        work.undo()
        work.measure()
    # Each tool stores the work once at most, and its changes.
    room_for(options.folder, max(work.bytes for work in works) * (len(options.tools) + 1))
    target = restore_place(options.folder, max(work.restored_bytes for work in works))
    tools = {work.name: make_tools(options, work, target) for work in works}
    try:
        for name in [name for name, found in tools.items() if not found]:
            sys.exit(f"bench: none of {', '.join(options.tools)} takes part in the work {name}")
        print(facts(options, sum(tools.values(), []), target), flush=True)
        for work in works:
            bench = measure_work(options, work, tools[work.name], target)
            raw[work.name] = {"samples": bench.samples, "errors": bench.errors}
            failed = failed or bool(bench.errors)
    finally:
        shutil.rmtree(target, ignore_errors=True)
    with open(os.path.join(options.folder, "samples.json"), "w", encoding="utf-8") as file:
        json.dump(raw, file, indent=1)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
