# tests/bench/postgres.py
# SPDX-License-Identifier: Apache-2.0
"""Throwaway PostgreSQL servers.

    python3 postgres.py FOLDER full|small

makes the database that is backed up, as a server's data folder; make-work starts it.
"""

import os
import signal
import subprocess
import sys
import urllib.parse

from server import DATABASE, Place, Server, beside, own, unprivileged

PROGRAMS = "/usr/lib/postgresql/15/bin"
# {scale: (pgbench's scale, percent of the shop)}
SIZES = {"full": (100, 100), "small": (10, 10)}


def program(name):
    path = os.path.join(PROGRAMS, name)
    if not os.access(path, os.X_OK):
        sys.exit(f"bench: {path} is missing; install postgresql-15")
    return path


class Postgres(Place):
    """One that runs; `host` is the folder of its socket."""

    source_type = "postgres"
    system_user = "postgres"
    account = "postgres"
    # A database that has nothing in it.
    empty = "postgres"

    @staticmethod
    def at(location):
        """The one that an url of Backstay is of."""
        where = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        return Postgres(where["host"], where["user"])

    def client(self, name, *args):
        """argv of one of the server's own client programs."""
        return self.connected(program(name), *args)

    def connected(self, path, *args):
        """argv of any client program."""
        return [path, "-h", self.host, "-U", self.user, *args]

    def url(self, database):
        return f"postgresql:///{database}?host={self.host}&user={self.user}"

    def query(self, text, database="postgres"):
        """The rows as lists of text."""
        done = subprocess.run(self.client("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-F", "\t",
                                          "-d", database, "-c", text),
                              check=True, stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"PGOPTIONS": "-c client_min_messages=warning"})
        return [line.split("\t") for line in done.stdout.splitlines()]

    def tables(self, database):
        """(name, pages) of all tables that users made, the largest first."""
        return self.query("""
            SELECT c.oid::regclass, pg_relation_size(c.oid) / current_setting('block_size')::int
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
            ORDER BY 2 DESC, 1""", database)

    def about(self, database):
        version = self.query("SHOW server_version")[0][0].split()[0]
        size = int(self.query("SELECT pg_database_size(current_database())", database)[0][0])
        return (f"The server: PostgreSQL {version}, default settings (fsync is on), "
                f"{size / 1e6:,.0f} MB.")

    def content(self, database):
        """{what: text} of all that a restore has to bring back."""
        schema = subprocess.run(self.client("pg_dump", "-s", database), check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        # \\restrict and \\unrestrict have a random key in each dump.
        found = {"schema": [line for line in schema.splitlines() if "restrict " not in line]}
        for table, _ in self.tables(database):
            found[table] = self.query("SELECT count(*), sum(hashtextextended(row::text, 0)) "
                                      f"FROM {table} AS row", database)
        found["sequences"] = self.query("SELECT schemaname, sequencename, last_value "
                                        "FROM pg_sequences ORDER BY 1, 2", database)
        return found

    def tuning(self):
        """What Backstay set in an instance of its own and makes a difference to how fast it is, as
        NAME=VALUE."""
        return [row[0] for row in self.query("""
            SELECT name || '=' || setting FROM pg_settings
            WHERE source = 'configuration file' AND category !~
                '^(Connections|Reporting and Logging|Client Connection Defaults / Locale)'
            ORDER BY 1""")]

    def settle(self):
        """Leaves nothing to do in the background that the next command would pay for."""
        self.query("CHECKPOINT")


class PostgresServer(Server, Postgres):
    last = signal.SIGINT
    # Of the one that is backed up.
    settings = ()

    @staticmethod
    def socket_in(folder):
        return folder

    def argv(self, settings):
        found = [program("postgres"), "-D", self.data, "-k", self.host, "-c", "listen_addresses="]
        for setting in settings:
            found += ["-c", setting]
        return found

    def answers(self):
        return subprocess.run(self.client("pg_isready", "-q"), check=False).returncode == 0

    @classmethod
    def make(cls, folder):
        """`folder` must be there and empty."""
        own(folder, cls.system_user)
        subprocess.run(unprivileged([program("initdb"), "--no-sync", "--auth=trust",
                                     "--encoding=UTF8", "--locale=C.UTF-8",
                                     f"--username={cls.account}", f"--pgdata={folder}"],
                                    cls.system_user), check=True, stdout=subprocess.DEVNULL)


def make_database(folder, scale):
    """Makes the data folder: pgbench's tables and a shop, always the same rows."""
    pgbench, percent = SIZES[scale]
    PostgresServer.make(folder)
    with PostgresServer(folder, ["fsync=off", "autovacuum=off"]) as server:
        server.query(f"CREATE DATABASE {DATABASE}")
        for argv in (server.client("pgbench", "-iq", "-s", str(pgbench), DATABASE),
                     server.client("psql", "-Xq", "-v", f"percent={percent}", "-f",
                                   beside("shop.sql"), "-d", DATABASE),
                     # Hint bits too, or the first tool that reads would write them.
                     server.client("vacuumdb", "-qz", DATABASE)):
            subprocess.run(argv, check=True, stdout=sys.stderr)
        server.settle()


if __name__ == "__main__":
    make_database(sys.argv[1], sys.argv[2])
