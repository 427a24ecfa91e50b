# tests/bench/mysql.py
# SPDX-License-Identifier: Apache-2.0
"""Throwaway MariaDB servers.

    python3 mysql.py FOLDER full|small

makes the database that is backed up, as a server's data folder; make-work starts it.
"""

import os
import shutil
import subprocess
import sys
import urllib.parse

from server import DATABASE, Place, Server, beside, own, unprivileged

# {scale: percent of the shop}
SIZES = {"full": 100, "small": 5}


def program(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin")
    if not path:
        sys.exit(f"bench: {name} is missing; install mariadb-server and mydumper")
    return path


class MySQL(Place):
    """One that runs; `host` is the path of its socket."""

    source_type = "mysql"
    system_user = "mysql"
    account = "root"
    empty = "empty"

    @staticmethod
    def at(location):
        """The one that an url of Backstay is of."""
        url = urllib.parse.urlsplit(location)
        return MySQL(dict(urllib.parse.parse_qsl(url.query))["socket"], url.username)

    def client(self, name, *args):
        """argv of one of the server's own client programs."""
        return [program(name), "--no-defaults", f"--socket={self.host}", f"--user={self.user}",
                *args]

    def url(self, database):
        return f"mysql://{self.user}@localhost/{database}?socket={self.host}"

    def query(self, text, database=""):
        """The rows as lists of text."""
        done = subprocess.run(self.client("mariadb", "--default-character-set=utf8mb4", "-BN", "-e",
                                          text, database),
                              check=True, stdout=subprocess.PIPE, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def about(self, database):
        version = self.query("SELECT version()")[0][0].split("-")[0]
        size = self.query("SELECT sum(data_length + index_length) FROM information_schema.tables "
                          f"WHERE table_schema = '{database}'")[0][0]
        return (f"The server: MariaDB {version}, default settings but a buffer pool that holds the "
                f"database, {int(size) / 1e6:,.0f} MB.")

    def tables(self, database):
        return self.query("SELECT table_name, table_type = 'BASE TABLE' FROM "
                          "information_schema.tables "
                          f"WHERE table_schema = '{database}' ORDER BY 1")

    def content(self, database):
        """{what: text} of all that a restore has to bring back."""
        found = {}
        for table, has_rows in self.tables(database):
            found[table] = self.query(f"SHOW CREATE TABLE {table}", database)
            if int(has_rows):
                found[f"{table}, rows"] = self.query(
                    f"SELECT count(*) FROM {table}; CHECKSUM TABLE {table} EXTENDED", database)
        return found

    def tuning(self):
        """What Backstay set in an instance of its own, as NAME=VALUE."""
        return [f"{name.lower()}={value}" for name, value in self.query(
            "SELECT variable_name, global_value FROM information_schema.system_variables "
            # Its value is not how it is set.
            "WHERE global_value_origin = 'CONFIG' AND variable_name <> 'LOG_BIN' ORDER BY 1")]

    def settle(self):
        """Leaves nothing to do in the background that the next command would pay for."""
        self.query("SET GLOBAL innodb_max_purge_lag_wait = 0")
        # Pages that differ from the disk are written when the share that may is zero.
        allowed = self.query("SELECT @@innodb_max_dirty_pages_pct")[0][0]
        self.query("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        try:
            for _ in range(1200):
                if self.query("SHOW GLOBAL STATUS LIKE 'innodb_buffer_pool_pages_dirty'"
                              )[0][1] == "0":
                    break
                self.query("DO sleep(0.05)")
        finally:
            self.query(f"SET GLOBAL innodb_max_dirty_pages_pct = {allowed}")


class MySQLServer(Server, MySQL):
    # MariaDB reads past the system's cache, so its own has to hold what is backed up.
    settings = ("innodb_buffer_pool_size=2G",)

    @staticmethod
    def socket_in(folder):
        return os.path.join(folder, "socket")

    def argv(self, settings):
        return [program("mariadbd"), "--no-defaults", f"--datadir={self.data}",
                f"--socket={self.host}", f"--pid-file={self.host}.pid",
                f"--tmpdir={os.path.dirname(self.host)}", "--skip-networking",
                *[f"--{setting}" for setting in settings]]

    def answers(self):
        return subprocess.run(self.client("mariadb-admin", "ping"), check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    @classmethod
    def make(cls, folder):
        """`folder` must be there and empty."""
        own(folder, cls.system_user)
        subprocess.run(unprivileged([program("mariadb-install-db"), "--no-defaults",
                                     "--auth-root-authentication-method=normal", "--skip-test-db",
                                     "--innodb-flush-method=nosync", f"--datadir={folder}"],
                                    cls.system_user), check=True, stdout=subprocess.DEVNULL)


def make_database(folder, scale):
    """Makes the data folder: a shop, always the same rows."""
    MySQLServer.make(folder)
    with MySQLServer(folder, [*MySQLServer.settings, "innodb_flush_method=nosync",
                              "innodb_flush_log_at_trx_commit=0",
                              "innodb_io_capacity=20000"]) as server:
        server.query(f"CREATE DATABASE {DATABASE}; CREATE DATABASE {MySQL.empty}")
        with open(beside("mysql_shop.sql"), "rb") as shop:
            subprocess.run(server.client("mariadb", f"--init-command=SET @percent={SIZES[scale]}",
                                         DATABASE),
                           check=True, stdin=shop, stdout=subprocess.DEVNULL)
        server.settle()


if __name__ == "__main__":
    make_database(sys.argv[1], sys.argv[2])
