# tests/bench/rounds.py
# SPDX-License-Identifier: Apache-2.0
"""What all works have in common: commands are measured in rounds, medians reported."""

import os
import statistics
import subprocess
import sys

import tables

LIMIT_SECONDS = 3600
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


def last_line(*paths):
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().splitlines()
        if lines:
            return lines[-1]
    return "no output"


class Bench:
    """All rounds of one work. `samples` collects {step: {tool: [sample]}}.

    A kind of work has steps(), a list of (id, title) in the order in which they are measured;
    run(), which calls measure_step() for each; take(), which measures one; and about(), a sentence.
    """

    # (heading, tool): columns that set a tool's time beside that one's.
    beside = ()

    def __init__(self, options, work, tools):
        self.options = options
        self.work = work
        self.tools = tools
        self.servers = []
        self.samples = {}
        self.errors = {}
        self.wall = 0
        self.foreign = 0
        self.output = os.path.join(options.folder, "run", "output")
        self.log = os.path.join(options.folder, "run", "log")

    def measure_step(self, tool, step, round_number):
        """A tool that failed once is out of that step, and the report says why."""
        if step in self.errors.get(tool.name, {}):
            return
        say(f"{self.work.name}: round {round_number + 1}: {step}: {tool.name}")
        try:
            sample = self.take(tool, step, verify=round_number == 0)
        except (Failed, subprocess.CalledProcessError) as failure:
            say(f"  {failure}")
            self.errors.setdefault(tool.name, {})[step] = str(failure)
            return
        self.add(tool, step, sample)

    def add(self, tool, step, sample):
        self.samples.setdefault(step, {}).setdefault(tool.name, []).append(sample)

    def server_seconds(self):
        return sum(server.cpu() for server in self.servers)

    def measure(self, command):
        """Runs a command. Its output is in `output`, its messages in `log` afterwards."""
        report = os.path.join(self.options.folder, "run", "report")
        with open(report, "wb"):
            pass
        os.sync()
        busy = busy_seconds()
        served = self.server_seconds()
        with open(self.output, "wb") as output, open(self.log, "wb") as log:
            done = subprocess.run(["timeout", "--foreground", "-k", "10", str(LIMIT_SECONDS),
                                   self.options.measure, report, *command.argv], cwd=command.cwd,
                                  env=os.environ | command.env, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=log, check=False)
        if done.returncode != 0:
            raise Failed(f"exit code {done.returncode}: {last_line(self.log, self.output)}")
        with open(report, encoding="ascii") as file:
            wall, user, system, peak, own, _ = file.read().split()
        cpu = float(user) + float(system) + self.server_seconds() - served
        self.wall += float(wall)
        self.foreign += busy_seconds() - busy - cpu
        peak = int(own if command.own_memory else peak) * 1024
        return {"seconds": float(wall), "cpu": cpu, "peak": peak}

    def measure_backup(self, tool):
        before = bytes_below(tool.repository)
        sample = self.measure(tool.backup())
        return sample | {"stored": bytes_below(tool.repository) - before}

    def results(self):
        """{step: {tool: medians, or the error}}"""
        found = {}
        for step, by_tool in self.samples.items():
            for tool, samples in by_tool.items():
                seconds = [sample["seconds"] for sample in samples]
                medians = {key: statistics.median(sample[key] for sample in samples)
                           for key in samples[0]}
                # What is needed to fit into memory is the worst, not the usual.
                if "peak" in medians:
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
                 f"{self.about()} Meanwhile other processes used {self.others():.2f} of "
                 f"{os.cpu_count()} processors.", ""]
        if self.others() > BUSY:
            lines += ["**The machine was busy with other work: these times are not to be relied "
                      "on.**", ""]
        lines += tables.measured(self.steps(), [tool.name for tool in self.tools], results,
                                 self.beside)
        lines += [""] + tables.goals(self.work.name, self.steps(), results, full)
        return "\n".join(lines) + "\n"
