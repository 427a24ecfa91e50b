# tests/bench/mysql_tools.py
# SPDX-License-Identifier: Apache-2.0
"""Backstay's peers on a MariaDB database."""

import os
import shlex

from database_tools import JOBS, DatabaseTool
from mysql import program
from server import DATABASE
from tools import Command, output_of, shell


def mariadb_dump(server):
    return shlex.join(server.client("mariadb-dump", "--single-transaction", DATABASE))


class MariadbDump(DatabaseTool):
    name = "mariadb-dump"
    steps = ("initial", "tuned", "default")

    def describe(self):
        return "`mariadb-dump --single-transaction` and `mariadb <`"

    def backup(self):
        return shell(f"{mariadb_dump(self.server)} >{shlex.quote(self.dump)}", self.folder)

    def restore(self, target):
        create = shlex.join(target.client("mariadb", "-e", f"CREATE DATABASE {DATABASE}"))
        mariadb = shlex.join(target.client("mariadb", DATABASE))
        return shell(f"{create} && {mariadb} <{shlex.quote(self.dump)}", self.folder)


class PlainDump(DatabaseTool):
    name = "mariadb-dump to zstd"

    def describe(self):
        return "`mariadb-dump --single-transaction | zstd -3 -T2`"

    def backup(self):
        return shell(f"{mariadb_dump(self.server)} | "
                     f"zstd -q -3 -T2 -f -o {shlex.quote(self.dump)}", self.folder)


class Mydumper(DatabaseTool):
    def __init__(self, folder, options, steps):
        super().__init__(folder)
        self.name = " ".join(["mydumper", *options])
        self.options = options
        self.steps = steps

    def describe(self):
        version = output_of([program("mydumper"), "--version"]).split()[1].rstrip(",")
        return (f"`{' '.join(['mydumper', '-t', JOBS, *self.options])}` and `myloader -t {JOBS}`, "
                f"{version}")

    @staticmethod
    def connected(name, server):
        return [program(name), "-S", server.host, "-u", server.user, "-t", JOBS]

    def backup(self):
        return Command([*self.connected("mydumper", self.server), *self.options, "-B", DATABASE,
                        "-o", self.dump], self.folder)

    def restore(self, target):
        return Command([*self.connected("myloader", target), "-d", self.dump], self.folder)


def mydumpers(folder):
    """All of mydumper's ways: a file for each table, compressed ones, and files of 64 MB."""
    restores = ("tuned", "default")
    return [Mydumper(os.path.join(folder, "mydumper"), [], ("initial", "unchanged", *restores)),
            Mydumper(os.path.join(folder, "mydumper-c"), ["-c"], ("initial", *restores)),
            Mydumper(os.path.join(folder, "mydumper-f"), ["-F", "64"], ("initial", *restores))]
