# tests/bench/database.py
# SPDX-License-Identifier: Apache-2.0
"""Rounds on a database: backups of it, restores into servers of two kinds."""

import json
import os
import shutil

from database_tools import DatabaseBackstay
from rounds import Bench, Failed
from server import DATABASE
from works import Work


class Database(Work):
    """`tree` is a data folder for servers of the class `server`. Nothing changes in it. `beside`
    is as in Bench."""

    def __init__(self, name, title, folder, server, beside):
        super().__init__(name, title, folder)
        self.server = server
        self.beside = beside

    def undo(self):
        """There is nothing to undo."""

    @property
    def restored_bytes(self):
        # A server that is loaded through two connections keeps much of it in its log as well.
        return 2 * self.bytes


class DatabaseBench(Bench):
    """`target` is a folder for servers that are thrown away."""

    def __init__(self, options, work, tools, target):
        super().__init__(options, work, tools)
        self.beside = work.beside
        self.target = target
        self.source = None
        self.description = ""
        self.content = None
        # {step: (where a server is made to restore into, its settings)}
        self.places = {}
        # Servers are other users' processes and have folders of their own in there.
        os.chmod(target, 0o711)

    def about(self):
        return self.description

    def steps(self):
        return [("initial", "first backup"), ("unchanged", "second, nothing changed"),
                ("tuned", "restore, tuned server"), ("compare", "facts compared"),
                ("default", "restore, default server")]

    def run(self):
        self.work.read()
        with self.work.server(self.work.tree, self.work.server.settings) as self.source:
            self.servers = [self.source]
            self.description = self.source.about(DATABASE)
            self.content = self.source.content(DATABASE)
            self.places = {"tuned": (self.target, self.scratch_settings()),
                           "default": (os.path.join(self.options.folder, "run"), ())}
            for round_number in range(self.options.runs):
                for tool in self.tools:
                    tool.server = self.source
                    tool.fresh()
                for step, _ in self.steps():
                    for tool in self.tools:
                        if step in tool.steps:
                            self.source.settle()
                            self.measure_step(tool, step, round_number)

    def scratch_settings(self):
        """Those of the instances that Backstay starts."""
        tool = DatabaseBackstay(os.path.join(self.options.folder, "run", "empty"),
                                self.options.backstay, self.target, self.source.empty)
        tool.server = self.source
        tool.fresh()
        tool.run(tool.backup())
        with tool.scratch_copy() as place:
            return place.tuning()

    def take(self, tool, step, verify):
        if step == "tuned" and isinstance(tool, DatabaseBackstay):
            return self.restore_scratch(tool, verify)
        if step in self.places:
            return self.restore(tool, *self.places[step], verify)
        sample = self.measure_backup(tool)
        if not sample["stored"]:
            del sample["stored"]
        return sample

    def measure_phases(self, command):
        """Backstay says how long it took until the database could be used; that it compares facts
        after that is in "compare"."""
        sample = self.measure(command)
        with open(self.output, encoding="utf-8") as file:
            phases = json.load(file)["phases"]
        return sample | {"seconds": phases["scratch"] + phases["restore"],
                         "compare": phases["compare"]}

    def restore_scratch(self, tool, verify):
        sample = self.measure_phases(tool.restore_scratch())
        self.add(tool, "compare", {"seconds": sample["compare"]})
        if verify:
            with tool.scratch_copy() as place:
                self.verify(place)
        return sample

    def restore(self, tool, folder, settings, verify):
        """Into a server that is as new. Its start counts for nobody."""
        data = os.path.join(folder, "data")
        os.mkdir(data)
        try:
            self.work.server.make(data)
            with self.work.server(data, settings) as server:
                self.servers = [self.source, server]
                server.settle()
                command = tool.restore(server)
                if isinstance(tool, DatabaseBackstay):
                    sample = self.measure_phases(command)
                else:
                    sample = self.measure(command)
                if verify:
                    self.verify(server)
                return sample
        finally:
            self.servers = [self.source]
            shutil.rmtree(data)

    def verify(self, place):
        found = place.content(DATABASE)
        for name in sorted(self.content.keys() | found.keys()):
            if self.content.get(name) != found.get(name):
                raise Failed(f"what it restored is not what it backed up: {name} differs")
