# tests/support/mysql.py
# SPDX-License-Identifier: Apache-2.0
#
# MySQL and MariaDB servers for tests: real ones, made in a temporary folder and gone at the end.
#
#     with mysql.Server("mariadb-10.11") as server:
#         server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int)")
#         rows = server.query("SELECT count(*) FROM shop.t")
#
# Programs are Debian's, or those that tests/support/fetch-mysql has brought. A server that cannot be
# had raises Missing, which says what to do: a test never passes without it.
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

FLAVOURS = ("mariadb-10.11", "mariadb-11.8", "mysql-9")
USER = "mysql"
INSTALLED = "mariadb-10.11"

# What makes a throwaway server fast and small, of both products.
SETTINGS = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=128M", "--sync-binlog=0",
            "--innodb-doublewrite=0", "--skip-name-resolve", "--secure-file-priv=",
            "--performance-schema=OFF", "--max-connections=100", "--max-allowed-packet=256M"]
OF_MARIADB = ["--innodb-flush-method=nosync", "--innodb-log-file-size=64M",
              "--loose-plugin-maturity=beta"]
OF_MYSQL = ["--innodb-flush-method=nosync", "--innodb-redo-log-capacity=128M", "--mysqlx=OFF",
            "--local-infile=ON", "--innodb-use-fdatasync=ON", "--event-scheduler=OFF"]


class Missing(Exception):
    """A program that the test needs is not there; the text says how to get it."""


class Failed(Exception):
    """A statement or a program failed; the text is what it said."""


def cache():
    """Where fetch-mysql keeps what it brings. Another user must be able to read it."""
    if os.environ.get("BACKSTAY_TEST_CACHE"):
        return os.environ["BACKSTAY_TEST_CACHE"]
    if os.geteuid() == 0:
        return "/var/cache/backstay-tests"
    return os.path.expanduser("~/.cache/backstay-tests")


def folders(flavour):
    if flavour == INSTALLED:
        return ["/usr/sbin", "/usr/bin"]
    return [os.path.join(cache(), "mysql", flavour, "bin")]


def program(flavour, name):
    """The path of a program of that server."""
    for folder in folders(flavour):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise Missing("%s of %s is not here: %s" % (
        name, flavour, "install mariadb-server" if flavour == INSTALLED else
        "run tests/support/fetch-mysql %s" % flavour))


def have(flavour):
    try:
        return bool(program(flavour, "mariadbd" if flavour.startswith("mariadb") else "mysqld"))
    except Missing:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_mysql(command):
    """@command as the user that may run a server. It ends when this test does, however it ends."""
    words = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            raise Missing("there is no user mysql: install mariadb-server") from None
        words += ["--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups"]
    return [*words, "--", *command]


def environment():
    """The environment without what client programs would take from it."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("MYSQL", "MARIADB"))}
    kept["LC_ALL"] = "C.UTF-8"
    return kept


def call(command, text=None, **options):
    """Runs @command and returns its output as bytes; Failed tells what it said."""
    done = subprocess.run(command, input=text, env=environment(), capture_output=True, check=False,
                          **options)
    if done.returncode != 0:
        raise Failed("%s\nexit code %d\n%s" % (
            " ".join(command), done.returncode, done.stderr.decode("utf-8", "backslashreplace")))
    return done.stdout


ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescaped(cell):
    """A cell as the client writes it with --batch."""
    return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], cell)


def ident(name):
    return "`%s`" % name.replace("`", "``")


def literal(text):
    return "'%s'" % text.replace("\\", "\\\\").replace("'", "''")


class Server:
    """One server. @options go to its command line; @binlog makes it write one; @tcp makes it listen
    on loopback as well.

    root@localhost has no password; nobody else is there.
    """

    def __init__(self, flavour=INSTALLED, options=(), tcp=False, binlog=False):
        self.flavour = flavour
        self.mariadb = flavour.startswith("mariadb")
        self.client = self.program("mariadb" if self.mariadb else "mysql")
        self.options = list(options)
        if binlog:
            self.options += ["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW"]
        elif not self.mariadb:
            self.options.append("--skip-log-bin")
        self.tcp = tcp
        self.port = free_port() if tcp else 0
        self.process = None
        self.path = tempfile.mkdtemp(prefix="backstay-%s-" % flavour)
        os.chmod(self.path, 0o755)
        self.data = os.path.join(self.path, "data")
        self.socket = os.path.join(self.path, "run", "socket")
        self.log = os.path.join(self.path, "log")
        # Of its own: a MariaDB that starts removes what looks temporary there, others' files too.
        self.tmp = os.path.join(self.path, "tmp")
        os.mkdir(self.tmp)

    def program(self, name):
        return program(self.flavour, name)

    def __enter__(self):
        try:
            self._make()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exception):
        self.remove()

    def _make(self):
        os.mkdir(os.path.dirname(self.socket), 0o755)
        os.mkdir(self.data, 0o700)
        if os.geteuid() == 0:
            for path in (self.data, self.tmp, os.path.dirname(self.socket)):
                shutil.chown(path, USER, USER)
        if self.mariadb:
            base = [] if self.flavour == INSTALLED else ["--basedir=" + os.path.join(
                cache(), "mysql", self.flavour, "root", "usr")]
            call(as_mysql([self.program("mariadb-install-db"), "--no-defaults", *base,
                           "--auth-root-authentication-method=normal", "--skip-test-db",
                           "--datadir=" + self.data, "--tmpdir=" + self.tmp,
                           "--innodb-flush-method=nosync"]), cwd=self.path)
        else:
            call(as_mysql([self.program("mysqld"), "--no-defaults", "--initialize-insecure",
                           "--datadir=" + self.data, "--tmpdir=" + self.tmp,
                           "--innodb-flush-method=nosync"]), cwd=self.path)

    def start(self, *options):
        """Starts it; @options are for this time only."""
        network = ["--bind-address=127.0.0.1", "--port=%d" % self.port] if self.tcp else \
            ["--skip-networking"]
        command = [self.program("mariadbd" if self.mariadb else "mysqld"), "--no-defaults",
                   "--datadir=" + self.data, "--tmpdir=" + self.tmp, "--socket=" + self.socket,
                   "--pid-file=" + os.path.join(self.data, "pid"), *network, *SETTINGS,
                   *(OF_MARIADB if self.mariadb else OF_MYSQL), *self.options, *options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(as_mysql(command), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.path, env=environment())
        deadline = time.monotonic() + 60
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("%s does not start:\n%s" % (self.flavour, self.said()[-4000:]))
            time.sleep(0.02)

    def _ready(self):
        """Whether somebody accepts connections: the socket of a killed one may be there still."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self.socket)
                probe.settimeout(5)
                return len(probe.recv(5)) == 5
            except OSError:
                return False

    def stop(self, how=signal.SIGTERM):
        """Ends the server: SIGTERM in order, SIGKILL like a crash."""
        if self.process is None or self.process.poll() is not None:
            return
        for sign in (how, signal.SIGKILL):
            self.process.send_signal(sign)
            try:
                self.process.wait(timeout=30)
                return
            except subprocess.TimeoutExpired:
                continue

    def copy(self):
        """Another server with the same content, byte by byte; this one is restarted."""
        other = Server(self.flavour, self.options, self.tcp)
        self.stop()
        try:
            os.mkdir(os.path.dirname(other.socket), 0o755)
            call(["cp", "-a", "--reflink=auto", self.data, other.data])
            if os.geteuid() == 0:
                for path in (other.tmp, os.path.dirname(other.socket)):
                    shutil.chown(path, USER, USER)
            auto = os.path.join(other.data, "auto.cnf")
            if os.path.exists(auto):
                os.unlink(auto)
        finally:
            self.start()
        return _Made(other)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)

    def said(self):
        """The server's log."""
        with open(self.log, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def url(self, database="", user="root"):
        """How the server is reached through the socket."""
        return "mysql://%s@localhost/%s?socket=%s" % (
            quote(user, ""), quote(database, ""), quote(self.socket, ""))

    def tcp_url(self, database="", user="root", port=None):
        """How it is reached through TCP. The password is not in it."""
        return "mysql://%s@127.0.0.1:%d/%s" % (
            quote(user, ""), port or self.port, quote(database, ""))

    def command(self, *arguments, user="root", name=None):
        """The command line of the client @name: without one, of the one that runs statements."""
        return [self.program(name) if name else self.client, "--no-defaults",
                "--socket=" + self.socket, "--user=" + user, "--default-character-set=utf8mb4",
                *arguments]

    def _client(self, script, *arguments, user="root"):
        if isinstance(script, str):
            script = script.encode("utf-8", "surrogateescape")
        return call(self.command("--batch", "--max-allowed-packet=1G", "--binary-mode", *arguments,
                                 user=user), script)

    def sql(self, script, database=None, user="root"):
        """Runs a script of the client, which ends at its first error; its output as text."""
        where = ["--database=" + database] if database else []
        return self._client(script, *where, user=user).decode("utf-8", "surrogateescape")

    def query(self, statement, database=None, user="root"):
        """The rows of one statement, each a tuple of texts; NULL is the text NULL."""
        where = ["--database=" + database] if database else []
        out = self._client(statement, "--skip-column-names", "--quick", *where, user=user)
        lines = out.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return [tuple(unescaped(cell) for cell in line.split("\t")) for line in lines]

    def value(self, statement, database=None, user="root"):
        """The one value that the statement has."""
        rows = self.query(statement, database, user)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise Failed("%s\nis not one value: %s" % (statement, rows[:5]))
        return rows[0][0]

    def column(self, statement, database=None, user="root"):
        """The first column of each row."""
        return [row[0] for row in self.query(statement, database, user)]

    def session(self, database="mysql"):
        """An open client: write statements to its stdin; it ends when that is closed."""
        return subprocess.Popen(
            self.command("--batch", "--skip-column-names", "--unbuffered", "--force", "--silent",
                         "--database=" + database),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment(), text=True, bufsize=1)


class _Made:
    """A server whose data are there already."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        try:
            self.server.start()
        except BaseException:
            self.server.remove()
            raise
        return self.server

    def __exit__(self, *exception):
        self.server.remove()


def available():
    """The servers that can be started here."""
    return [flavour for flavour in FLAVOURS if have(flavour)]


if __name__ == "__main__":
    sys.exit("available: %s" % ", ".join(available()))
