# tests/bench/database_tools.py
# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared on a PostgreSQL database, with two jobs each.

As in tools.py, a command is what a user would type. `server` is the one that is backed up; a bench
sets it before fresh(). `steps` has those in which the tool takes part.
"""

import contextlib
import json
import os
import shlex
import urllib.parse

import server as servers
from tools import Backstay, Command, Tool, output_of, shell

RESTORED = "restored"
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

    def __init__(self, folder, program, scratch, database=servers.DATABASE):
        super().__init__(folder, None, program)
        self.server = None
        self.scratch = scratch
        self.database = database

    def source(self):
        return (f"{{ type: postgres, url: '{self.server.url(self.database)}', jobs: {JOBS},"
                f" scratch_folder: '{self.scratch}' }}")

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
            where = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(made["location"]).query))
            yield servers.Place(where["host"], where["user"])
        finally:
            self.run(self.command("scratch", "remove", "work", made["marker"]))

    def restore(self, target):
        return self.command("restore", "latest", "--to", target.url(RESTORED), "--jobs", JOBS,
                            "--json")


def scratch_settings(tool):
    """Those of Backstay's instances that make a difference to how fast one is, as NAME=VALUE."""
    tool.fresh()
    tool.run(tool.backup())
    with tool.scratch_copy() as place:
        return [row[0] for row in place.query("""
            SELECT name || '=' || setting FROM pg_settings
            WHERE source = 'configuration file' AND category !~
                '^(Connections|Reporting and Logging|Client Connection Defaults / Locale)'
            ORDER BY 1""")]


class Copy(DatabaseTool):
    """What reading costs at least: two clients that COPY all rows and throw them away."""

    name = "floor"
    steps = ("initial", "unchanged")
    # Smaller tables are not worth being shared.
    SPLIT_PAGES = 1024

    def describe(self):
        return ("COPY of all rows to /dev/null through 2 `psql`, largest table first, each large "
                "one in two halves")

    def fresh(self):
        super().fresh()
        lanes = ([], [])
        for i, (table, pages) in enumerate(self.server.tables(servers.DATABASE)):
            if int(pages) < self.SPLIT_PAGES:
                lanes[i % 2].append(f"COPY {table} TO STDOUT;\n")
                continue
            rows = f"COPY (SELECT * FROM ONLY {table} WHERE ctid"
            middle = f"'({int(pages) // 2},0)'"
            lanes[0].append(f"{rows} < {middle}) TO STDOUT;\n")
            lanes[1].append(f"{rows} >= {middle}) TO STDOUT;\n")
        for number, lines in enumerate(lanes):
            with open(self.lane(number), "w", encoding="utf-8") as file:
                file.writelines(lines)

    def lane(self, number):
        return os.path.join(self.folder, f"lane{number}.sql")

    def backup(self):
        psql = [shlex.join(self.server.client("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f",
                                              self.lane(number), servers.DATABASE))
                for number in (0, 1)]
        return shell(f"{psql[0]} >/dev/null & {psql[1]} >/dev/null && wait $!", self.folder)


class Dump(DatabaseTool):
    """pg_dump in a format for pg_restore; `programs` is the folder of both."""

    steps = ("initial", "tuned", "default")

    def __init__(self, folder, name, programs, options):
        super().__init__(folder)
        self.name = name
        self.programs = programs
        self.options = options

    def describe(self):
        version = output_of([os.path.join(self.programs, "pg_dump"), "--version"]).split()[2]
        return (f"`pg_dump {' '.join(self.options)}` and `pg_restore -j{JOBS}`, "
                f"PostgreSQL {version}")

    def backup(self):
        return Command(self.server.connected(os.path.join(self.programs, "pg_dump"),
                                             *self.options, "-f", self.dump, servers.DATABASE))

    def restore(self, target):
        createdb = target.client("createdb", RESTORED)
        restore = target.connected(os.path.join(self.programs, "pg_restore"), f"-j{JOBS}", "-d",
                                   RESTORED, self.dump)
        # One of a newer version sets what an older server does not know, and counts that.
        return shell(f"""{shlex.join(createdb)}
            {shlex.join(restore)} 2>errors || {{
                grep -q 'errors ignored on restore' errors &&
                    ! grep 'error:' errors | grep -v transaction_timeout
            }}""", self.folder)


class PlainDump(DatabaseTool):
    name = "pg_dump to zstd"

    def describe(self):
        return "`pg_dump | zstd -3 -T2`"

    def backup(self):
        dump = shlex.join(self.server.client("pg_dump", servers.DATABASE))
        return shell(f"{dump} | zstd -q -3 -T2 -f -o {shlex.quote(self.dump)}", self.folder)


def dumps(folder, newer):
    """All of pg_dump's ways; `newer` is the folder of the programs of a newer version."""
    own = servers.PROGRAMS
    directory = ["-Fd", f"-j{JOBS}"]
    return [Dump(os.path.join(folder, "fc"), "pg_dump -Fc", own, ["-Fc"]),
            Dump(os.path.join(folder, "fd"), "pg_dump -Fd", own, directory),
            Dump(os.path.join(folder, "fd17"), "pg_dump-17 -Fd", newer,
                 [*directory, "--compress=zstd:3"]),
            PlainDump(os.path.join(folder, "plain"))]
