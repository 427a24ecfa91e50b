# tests/bench/server.py
# SPDX-License-Identifier: Apache-2.0
"""Throwaway database servers on a unix socket, and the CPU time that they use: what they have in
common, whatever the product."""

import os
import signal
import subprocess
import tempfile
import time

DATABASE = "bench"
TICKS = os.sysconf("SC_CLK_TCK")


def unprivileged(argv, user, last="TERM"):
    """`argv` as a user who may run a server; it gets the signal `last` when we are gone.

    Database servers refuse to run as root. Their folders may be below one that only root can
    enter, hence the one capability that is kept, for access() too: MariaDB takes files that it
    does not see for new ones."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
            "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
            "--securebits=+no_setuid_fixup",
            f"--pdeathsig={last}", *argv]


def own(folder, user):
    """Hands a folder that was just made to the user who runs servers."""
    os.chmod(folder, 0o700)
    if os.geteuid() == 0:
        subprocess.run(["chown", f"{user}:{user}", folder], check=True)


def beside(name):
    """The path of one of the bench's own files."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


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
    """A server that runs, to be reached through the socket `host`: its path or its folder.

    A product has client(), query(), url(), tables(), content() and more that postgres.py and
    mysql.py agree on.
    """

    # Who runs servers, and their account that may do everything.
    system_user = ""
    account = ""

    def __init__(self, host, user):
        self.host = host
        self.user = user


class Server(Place):
    """A server of ours on the data folder `data`; `settings` are in addition to its defaults.

    A product has argv(), socket_in() and the static make(), which fills an empty folder.
    """

    # With which it ends at once, in order.
    last = signal.SIGTERM

    def __init__(self, data, settings=()):
        self.data = data
        # A path of its own, because that of a socket must be short.
        self.folder = tempfile.TemporaryDirectory(prefix="backstay-bench.", dir="/tmp")
        super().__init__(self.socket_in(self.folder.name), self.account)
        own(self.folder.name, self.system_user)
        argv = unprivileged(self.argv(settings), self.system_user, self.last.name[3:])
        self.log = os.path.join(self.folder.name, "log")
        with open(self.log, "wb") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    def _await(self):
        for _ in range(1200):
            if self.answers():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise SystemExit(f"bench: a server on {self.data} does not start: {log.read()[-800:]}")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(self.last)
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cpu(self):
        """CPU seconds of the server and of all its processes, ended ones included.

        Those of a child are its own until it has been reaped, and the server's from then on; so
        they count once, and only between the two for one moment not at all.
        """
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            first = processes(self.process.pid)
            second = processes(self.process.pid)
            if [pid for pid, _ in first] == [pid for pid, _ in second]:
                break
        return sum(seconds for _, seconds in second)
