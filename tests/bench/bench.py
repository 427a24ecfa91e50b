# tests/bench/bench.py
# SPDX-License-Identifier: Apache-2.0
"""Runs the tools in turn on each work and prints what they cost; see README.md, started by run."""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import tables
from tools import Backstay, Borg, FileFloor, Floor, Restic
from works import Heap, Tree

LIMIT_SECONDS = 3600
# A file is only known to be unchanged when its time is older than the clock's grain.
SETTLE_SECONDS = 2
# Kernel threads that write for the tools count as others too, hence not zero.
BUSY = 0.3


class Failed(Exception):
    """A tool did not do what it was asked to."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def bytes_below(folder):
    total = 0
    for place, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(place, name)).st_size for name in names)
    return total


def busy_seconds():
    """CPU seconds that all processors have spent on anything since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Bench:
    """All rounds of one work. `samples` collects {step: {tool: [sample]}}."""

    def __init__(self, options, work, tools, target):
        self.options = options
        self.work = work
        self.tools = tools
        self.target = target
        self.samples = {}
        self.errors = {}
        self.fresh_bytes = 0
        self.wall = 0
        self.foreign = 0

    def steps(self):
        """(id, title), in the order in which they are measured."""
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

    def measure_step(self, tool, step, round_number):
        """A tool that failed once is out of that step, and the report says why."""
        if step in self.errors.get(tool.name, {}):
            return
        say(f"{self.work.name}: round {round_number + 1}: {step}: {tool.name}")
        try:
            if step in ("restore", "one"):
                sample = self.restore(tool, step, verify=round_number == 0)
            elif step == "check":
                sample = self.measure(tool, tool.check())
            else:
                before = bytes_below(tool.repository)
                sample = self.measure(tool, tool.backup())
                sample["stored"] = bytes_below(tool.repository) - before
        except Failed as failure:
            say(f"  {failure}")
            self.errors.setdefault(tool.name, {})[step] = str(failure)
            return
        self.samples.setdefault(step, {}).setdefault(tool.name, []).append(sample)

    def measure(self, tool, command):
        report = os.path.join(self.options.folder, "run", "report")
        log = os.path.join(self.options.folder, "run", "log")
        os.sync()
        busy = busy_seconds()
        with open(log, "wb") as output:
            subprocess.run([self.options.measure, report, "timeout", "--foreground", "-k", "10",
                            str(LIMIT_SECONDS), *command.argv], cwd=command.cwd,
                           env=os.environ | command.env, stdin=subprocess.DEVNULL, stdout=output,
                           stderr=output, check=False)
        with open(report, encoding="ascii") as file:
            wall, user, system, peak, status = file.read().split()
        if status != "0":
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().strip().splitlines() or ["no output"]
            raise Failed(f"exit code {status}: {lines[-1]}")
        cpu = float(user) + float(system)
        self.wall += float(wall)
        self.foreign += busy_seconds() - busy - cpu
        return {"seconds": float(wall), "cpu": cpu, "peak": int(peak) * 1024}

    def restore(self, tool, step, verify):
        target = os.path.join(self.target, "restored")
        shutil.rmtree(target, ignore_errors=True)
        os.mkdir(target)
        try:
            if step == "restore":
                sample = self.measure(tool, tool.restore(target))
                compared = self.work.tree, target
            else:
                path = self.work.one_file
                sample = self.measure(tool, tool.restore_one(target, path))
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

    def results(self):
        """{step: {tool: medians, or the error}}"""
        found = {}
        for step, by_tool in self.samples.items():
            for tool, samples in by_tool.items():
                seconds = [sample["seconds"] for sample in samples]
                medians = {key: statistics.median(sample[key] for sample in samples)
                           for key in samples[0]}
                # What is needed to fit into memory is the worst, not the usual.
                medians["peak"] = max(sample["peak"] for sample in samples)
                medians |= {"least": min(seconds), "most": max(seconds)}
                found.setdefault(step, {})[tool] = medians
        for tool, by_step in self.errors.items():
            for step, text in by_step.items():
                found.setdefault(step, {})[tool] = {"error": text}
        return found

    def others(self):
        """How many processors were busy with something else while the tools ran."""
        return max(0, self.foreign) / self.wall if self.wall else 0

    def report(self):
        results = self.results()
        full = self.options.scale == "full"
        lines = [f"## {self.work.title}", "",
                 f"Files: {len(self.work.files):,}, {self.work.bytes / 1e6:,.0f} MB. "
                 f"Changes: {self.fresh_bytes / 1e6:,.1f} MB of new bytes. "
                 f"Meanwhile other processes used {self.others():.2f} of {os.cpu_count()} "
                 "processors.", ""]
        if self.others() > BUSY:
            lines += ["**The machine was busy with other work: these times are not to be relied "
                      "on.**", ""]
        lines += tables.measured(self.steps(), [tool.name for tool in self.tools], results)
        lines += [""] + tables.goals(self.work.name, self.steps(), results, full)
        return "\n".join(lines) + "\n"


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
    lines += [f"- {tool.name}: {tool.describe()}" for tool in tools]
    lines += ["- peak is the largest process of the worst run; stored is what the repository grew "
              "by; MB = 10^6 bytes"]
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
    }
    return [every[name] for name in options.work]


def make_tools(options, work):
    run = os.path.join(options.folder, "run")
    floor = FileFloor if work.name == "heap" else Floor
    every = {
        "backstay": lambda: Backstay(os.path.join(run, "backstay"), work.tree, options.backstay),
        "restic": lambda: Restic(os.path.join(run, "restic"), work.tree, options.restic),
        "borg": lambda: Borg(os.path.join(run, "borg"), work.tree),
        "floor": lambda: floor(os.path.join(run, "floor"), work.tree),
    }
    return [every[name]() for name in options.tools]


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
    options = parser.parse_args()
    options.measure = os.path.join(options.folder, "bin", "measure")
    return options


def main():
    # As an exception it undoes what was changed and removes what was restored, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = parse_options()
    run = os.path.join(options.folder, "run")
    failed = False
    raw = {}

    for i, work in enumerate(make_works(options)):
        work.undo()
        work.measure()
        # Each tool stores the tree once at most, and its changes.
        room_for(options.folder, work.bytes * (len(options.tools) + 1))
        tools = make_tools(options, work)
        shutil.rmtree(run, ignore_errors=True)
        os.makedirs(run)
        target = restore_place(options.folder, work.bytes)
        try:
            bench = Bench(options, work, tools, target)
            if i == 0:
                print(facts(options, tools, target), flush=True)
            bench.run()
            print(bench.report(), flush=True)
            raw[work.name] = {"samples": bench.samples, "errors": bench.errors}
            failed = failed or bool(bench.errors)
        finally:
            shutil.rmtree(target, ignore_errors=True)
            shutil.rmtree(run, ignore_errors=True)
            work.undo()
    with open(os.path.join(options.folder, "samples.json"), "w", encoding="utf-8") as file:
        json.dump(raw, file, indent=1)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
