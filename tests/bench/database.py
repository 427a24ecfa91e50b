# tests/bench/database.py
# SPDX-License-Identifier: Apache-2.0
"""Rounds on a PostgreSQL database: backups of it, restores into servers of two kinds."""

import json
import os
import shutil
import subprocess

from database_tools import RESTORED, DatabaseBackstay, scratch_settings
from rounds import Bench, Failed
from server import DATABASE, Server, make_cluster
from works import Work


class Database(Work):
    """`tree` is a server's data folder. Nothing changes in it but what restores add and drop."""

    def undo(self):
        """There is nothing to undo."""

    @property
    def restored_bytes(self):
        # A server that is loaded through two connections keeps much of it in its log as well.
        return 2 * self.bytes


def content(place, database):
    """{what: text} of all that a restore has to bring back."""
    schema = subprocess.run(place.client("pg_dump", "-s", database), check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    # \\restrict and \\unrestrict have a random key in each dump.
    found = {"schema": [line for line in schema.splitlines() if "restrict " not in line]}
    for table, _ in place.tables(database):
        found[table] = place.query("SELECT count(*), sum(hashtextextended(row::text, 0)) "
                                   f"FROM {table} AS row", database)
    found["sequences"] = place.query("SELECT schemaname, sequencename, last_value "
                                     "FROM pg_sequences ORDER BY 1, 2", database)
    return found


class DatabaseBench(Bench):
    """`target` is a folder for servers that are thrown away."""

    beside = (("time to pg_dump-17's", "pg_dump-17 -Fd"), ("time to floor's", "floor"))

    def __init__(self, options, work, tools, target):
        super().__init__(options, work, tools)
        self.target = target
        self.source = None
        self.version = ""
        self.size = 0
        self.content = None
        self.tuning = []
        # Servers are other users' processes and have folders of their own in there.
        os.chmod(target, 0o711)

    def about(self):
        return (f"The server: PostgreSQL {self.version}, default settings (fsync is on), "
                f"{self.size / 1e6:,.0f} MB.")

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
            self.version = self.source.query("SHOW server_version")[0][0].split()[0]
            self.size = int(self.source.query("SELECT pg_database_size(current_database())",
                                              DATABASE)[0][0])
            self.content = content(self.source, DATABASE)
            self.tuning = self.scratch_settings()
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
        empty = DatabaseBackstay(os.path.join(self.options.folder, "run", "empty"),
                                 self.options.backstay, self.target, "postgres")
        empty.server = self.source
        return scratch_settings(empty)

    def take(self, tool, step, verify):
        if step == "tuned":
            if isinstance(tool, DatabaseBackstay):
                return self.restore_scratch(tool, verify)
            return self.restore_tuned(tool, verify)
        if step == "default":
            return self.restore_into(self.source, tool, verify)
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
                self.verify(place, DATABASE)
        return sample

    def restore_tuned(self, tool, verify):
        """A server like the one that Backstay starts for itself, and as new; its start counts for
        Backstay only."""
        data = os.path.join(self.target, "data")
        os.mkdir(data)
        try:
            make_cluster(data)
            with Server(data, self.tuning) as server:
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
                sample = self.measure_phases(command)
            else:
                sample = self.measure(command)
            if verify:
                self.verify(server, RESTORED)
            return sample
        finally:
            if server is self.source:
                self.drop_restored()

    def verify(self, place, database):
        found = content(place, database)
        for name in sorted(self.content.keys() | found.keys()):
            if self.content.get(name) != found.get(name):
                raise Failed(f"what it restored is not what it backed up: {name} differs")

    def drop_restored(self):
        self.source.query(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")
