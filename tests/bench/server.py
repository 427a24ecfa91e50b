# tests/bench/server.py
# SPDX-License-Identifier: Apache-2.0
"""Throwaway PostgreSQL servers on a unix socket, and the CPU time that they use.

    python3 server.py FOLDER full|small

makes the database that is backed up, as a server's data folder; make-work starts it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

PROGRAMS = "/usr/lib/postgresql/15/bin"
USER = "postgres"
DATABASE = "bench"
# {scale: (pgbench's scale, percent of the shop)}
SIZES = {"full": (100, 100), "small": (10, 10)}
TICKS = os.sysconf("SC_CLK_TCK")


def program(name):
    path = os.path.join(PROGRAMS, name)
    if not os.access(path, os.X_OK):
        sys.exit(f"bench: {path} is missing; install postgresql-15")
    return path


def unprivileged(argv):
    """PostgreSQL refuses to run as root. Its folders may be below one that only root can enter,
    hence the one capability that is kept."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
            "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
            # Servers end when whoever started them is gone.
            "--pdeathsig=INT", *argv]


def own(folder):
    """Hands a folder that was just made to the user who runs servers."""
    os.chmod(folder, 0o700)
    if os.geteuid() == 0:
        subprocess.run(["chown", f"{USER}:{USER}", folder], check=True)


def make_cluster(folder):
    """`folder` must be there and empty."""
    own(folder)
    subprocess.run(unprivileged([program("initdb"), "--no-sync", "--auth=trust", "--encoding=UTF8",
                                 "--locale=C.UTF-8", f"--username={USER}", f"--pgdata={folder}"]),
                   check=True, stdout=subprocess.DEVNULL)


def processes(parent):
    """(pid, seconds) of a process and its children; seconds include those of ended children."""
    found = []
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
        pids = [parent, *map(int, file.read().split())]
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                values = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append((pid, sum(map(int, values[11:15])) / TICKS))
    return found


class Place:
    """A server that runs, to be reached through the socket in the folder `host`."""

    def __init__(self, host, user=USER):
        self.host = host
        self.user = user

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


class Server(Place):
    """A server of ours on the data folder `data`; `settings` are in addition to its defaults."""

    def __init__(self, data, settings=()):
        self.data = data
        # A path of its own, because that of a socket must be short.
        self.socket = tempfile.TemporaryDirectory(prefix="backstay-bench.", dir="/tmp")
        super().__init__(self.socket.name)
        own(self.host)
        argv = [program("postgres"), "-D", data, "-k", self.host, "-c", "listen_addresses="]
        for setting in settings:
            argv += ["-c", setting]
        with open(os.path.join(self.host, "log"), "wb") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(unprivileged(argv), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    def _await(self):
        for _ in range(1200):
            if subprocess.run([program("pg_isready"), "-q", "-h", self.host],
                              check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(os.path.join(self.host, "log"), encoding="utf-8", errors="replace") as log:
            raise SystemExit(f"bench: a server on {self.data} does not start: {log.read()[-800:]}")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.socket.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def settle(self):
        """Leaves nothing to do in the background that the next command would pay for."""
        self.query("CHECKPOINT")

    def cpu(self):
        """CPU seconds of the server and of all its processes, ended ones included.

        Those of a backend are its own until it has been reaped, and the server's from then on; so
        they count once, and only between the two for one moment not at all.
        """
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            first = processes(self.process.pid)
            second = processes(self.process.pid)
            if [pid for pid, _ in first] == [pid for pid, _ in second]:
                break
        return sum(seconds for _, seconds in second)


def make_database(folder, scale):
    """Makes the data folder: pgbench's tables and a shop, always the same rows."""
    pgbench, percent = SIZES[scale]
    make_cluster(folder)
    with Server(folder, ["fsync=off", "autovacuum=off"]) as server:
        shop = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shop.sql")
        server.query(f"CREATE DATABASE {DATABASE}")
        for argv in (server.client("pgbench", "-iq", "-s", str(pgbench), DATABASE),
                     server.client("psql", "-Xq", "-v", f"percent={percent}", "-f", shop,
                                   "-d", DATABASE),
                     # Hint bits too, or the first tool that reads would write them.
                     server.client("vacuumdb", "-qz", DATABASE)):
            subprocess.run(argv, check=True, stdout=sys.stderr)
        server.settle()


if __name__ == "__main__":
    make_database(sys.argv[1], sys.argv[2])
