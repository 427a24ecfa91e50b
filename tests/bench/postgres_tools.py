# tests/bench/postgres_tools.py
# SPDX-License-Identifier: Apache-2.0
"""Backstay's peers on a PostgreSQL database."""

import os
import shlex

from database_tools import JOBS, DatabaseTool
from postgres import PROGRAMS
from server import DATABASE
from tools import Command, output_of, shell


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
        for i, (table, pages) in enumerate(self.server.tables(DATABASE)):
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
                                              self.lane(number), DATABASE))
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
                                             *self.options, "-f", self.dump, DATABASE))

    def restore(self, target):
        createdb = target.client("createdb", DATABASE)
        restore = target.connected(os.path.join(self.programs, "pg_restore"), f"-j{JOBS}", "-d",
                                   DATABASE, self.dump)
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
        dump = shlex.join(self.server.client("pg_dump", DATABASE))
        return shell(f"{dump} | zstd -q -3 -T2 -f -o {shlex.quote(self.dump)}", self.folder)


def dumps(folder, newer):
    """All of pg_dump's ways; `newer` is the folder of the programs of a newer version."""
    own = PROGRAMS
    directory = ["-Fd", f"-j{JOBS}"]
    return [Dump(os.path.join(folder, "fc"), "pg_dump -Fc", own, ["-Fc"]),
            Dump(os.path.join(folder, "fd"), "pg_dump -Fd", own, directory),
            Dump(os.path.join(folder, "fd17"), "pg_dump-17 -Fd", newer,
                 [*directory, "--compress=zstd:3"]),
            PlainDump(os.path.join(folder, "plain"))]
