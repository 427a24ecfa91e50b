# tests/bench/database_tools.py
# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared on a database, with two jobs each: what they have in common.

As in tools.py, a command is what a user would type. `server` is the one that is backed up; a bench
sets it before fresh(). `steps` has those in which the tool takes part.
"""

import contextlib
import json
import os

from server import DATABASE
from tools import Backstay, Tool, output_of

JOBS = "2"


class DatabaseTool(Tool):
    steps = ("initial",)

    def __init__(self, folder):
        super().__init__(folder, None)
        self.server = None
        self.dump = os.path.join(self.repository, "dump")

    def fresh(self):
        super().fresh()
        os.mkdir(self.repository)


class DatabaseBackstay(Backstay):
    steps = ("initial", "unchanged", "tuned", "default")

    def __init__(self, folder, program, scratch, database=DATABASE):
        super().__init__(folder, None, program)
        self.server = None
        self.scratch = scratch
        self.database = database

    def source(self):
        return (f"{{ type: {self.server.source_type}, url: '{self.server.url(self.database)}',"
                f" jobs: {JOBS}, scratch_folder: '{self.scratch}' }}")

    def command(self, *args):
        command = super().command(*args)
        command.own_memory = True
        return command

    def restore_scratch(self, keep="0"):
        return self.command("restore", "latest", "--to", "scratch", "--keep", keep, "--jobs", JOBS,
                            "--json")

    @contextlib.contextmanager
    def scratch_copy(self):
        """The instance that Backstay restores the latest backup into, as a Place."""
        made = json.loads(output_of(self.restore_scratch("10m").argv))["scratch"]
        try:
            yield self.server.at(made["location"])
        finally:
            self.run(self.command("scratch", "remove", "work", made["marker"]))

    def restore(self, target):
        return self.command("restore", "latest", "--to", target.url(DATABASE), "--jobs", JOBS,
                            "--json")
