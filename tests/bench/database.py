# tests/bench/database.py
# SPDX-License-Identifier: Apache-2.0
"""Rounds on a PostgreSQL database: backups of it, restores into servers of two kinds."""

import json
import os
import shutil
import subprocess

from database_tools import RESTORED, DatabaseBackstay
from rounds import Bench, Failed
from server import DATABASE, TUNED, Server, make_cluster
from works import Work


class Database(Work):
    """`tree` is a server's data folder. Nothing changes in it but what restores add and drop."""

    def undo(self):
        """There is nothing to undo."""


def content(server, database):
    """{what: text} of all that a restore has to bring back."""
    schema = subprocess.run(server.client("pg_dump", "-s", database), check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    # \\restrict and \\unrestrict have a random key in each dump.
    found = {"schema": [line for line in schema.splitlines() if "restrict " not in line]}
    for table, _ in server.tables(database):
        found[table] = server.query("SELECT count(*), sum(hashtextextended(row::text, 0)) "
                                    f"FROM {table} AS row", database)
    found["sequences"] = server.query("SELECT schemaname, sequencename, last_value "
                                      "FROM pg_sequences ORDER BY 1, 2", database)
    return found


class DatabaseBench(Bench):
    """`target` is a folder for servers that are thrown away."""

    beside = (("time to pg_dump-17's", "pg_dump-17 -Fd"), ("time to floor's", "floor"))

    def __init__(self, options, work, tools, target):
        super().__init__(options, work, tools)
        self.target = target
        self.source = None
        self.size = 0
        self.content = None
        # Servers are other users' processes and have folders of their own in there.
        os.chmod(target, 0o711)

    def about(self):
        return f"Size on disk: {self.size / 1e6:,.0f} MB."

    def steps(self):
        return [("initial", "first backup"), ("unchanged", "second, nothing changed"),
                ("tuned", "restore, tuned server"), ("compare", "facts compared"),
                ("default", "restore, default server")]

    def run(self):
        self.work.read()
        with Server(self.work.tree) as self.source:
            self.servers = [self.source]
            # What a run left that was killed.
            self.drop_restored()
            self.size = int(self.source.query("SELECT pg_database_size(current_database())",
                                              DATABASE)[0][0])
            self.content = content(self.source, DATABASE)
            for round_number in range(self.options.runs):
                for tool in self.tools:
                    tool.server = self.source
                    tool.fresh()
                for step, _ in self.steps():
                    for tool in self.tools:
                        if step in tool.steps:
                            self.source.settle()
                            self.measure_step(tool, step, round_number)

    def take(self, tool, step, verify):
        if step == "tuned":
            if isinstance(tool, DatabaseBackstay):
                return self.measure_phases(tool, tool.restore_scratch())
            return self.restore_tuned(tool, verify)
        if step == "default":
            return self.restore_into(self.source, tool, verify)
        sample = self.measure_backup(tool)
        if not sample["stored"]:
            del sample["stored"]
        return sample

    def measure_phases(self, tool, command):
        """Backstay says how long it took until the database could be used; what it compares
        after that is a step of its own."""
        sample = self.measure(command)
        with open(self.output, encoding="utf-8") as file:
            phases = json.load(file)["phases"]
        self.add(tool, "compare", {"seconds": phases.pop("compare")})
        return sample | {"seconds": sum(phases.values())}

    def restore_tuned(self, tool, verify):
        """A server like the one that Backstay starts for itself, and as new; its start counts for
        Backstay only."""
        data = os.path.join(self.target, "data")
        os.mkdir(data)
        try:
            make_cluster(data)
            with Server(data, TUNED) as server:
                self.servers = [self.source, server]
                server.settle()
                return self.restore_into(server, tool, verify)
        finally:
            self.servers = [self.source]
            shutil.rmtree(data)

    def restore_into(self, server, tool, verify):
        try:
            command = tool.restore(server)
            if isinstance(tool, DatabaseBackstay):
                sample = self.measure_phases(tool, command)
            else:
                sample = self.measure(command)
            if verify:
                self.verify(server)
            return sample
        finally:
            if server is self.source:
                self.drop_restored()

    def verify(self, server):
        found = content(server, RESTORED)
        for name in sorted(self.content.keys() | found.keys()):
            if self.content.get(name) != found.get(name):
                raise Failed(f"what it restored is not what it backed up: {name} differs")

    def drop_restored(self):
        self.source.query(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")
