# tests/support/postgres.py
# SPDX-License-Identifier: Apache-2.0
#
# PostgreSQL servers for tests: real ones of any major version, made in a temporary folder and
# gone at the end.
#
#     with postgres.Server(15) as server:
#         server.createdb("shop")
#         server.psql("CREATE TABLE t (a int)", "shop")
#         rows = server.query("SELECT count(*) FROM t", "shop")
#
# Binaries are Debian's of /usr/lib/postgresql, or those that tests/support/fetch-postgres has
# brought. A server that cannot be had raises Missing, which says what to do: a test never passes
# without it.
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

DEBIAN = "/usr/lib/postgresql"
MAJORS = (13, 14, 15, 16, 17, 18)
USER = "postgres"
TOOLS = ("pg_dump", "pg_restore", "psql")

# What makes a throwaway server fast, and its times and messages the same everywhere.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "4GB",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_min_messages": "warning",
    "logging_collector": "off",
}


class Missing(Exception):
    """A program that the test needs is not there; the text says how to get it."""


class Failed(Exception):
    """A statement or a program failed; the text is what it said."""


def cache():
    """Where fetch-postgres keeps what it brings. Another user must be able to read it."""
    if os.environ.get("BACKSTAY_TEST_CACHE"):
        return os.environ["BACKSTAY_TEST_CACHE"]
    if os.geteuid() == 0:
        return "/var/cache/backstay-tests"
    return os.path.expanduser("~/.cache/backstay-tests")


def fetched(major):
    return os.path.join(cache(), "postgresql", str(major), "bin")


def bin_folder(major):
    """The folder with postgres and initdb of @major."""
    for folder in (fetched(major), os.path.join(DEBIAN, str(major), "bin")):
        if os.access(os.path.join(folder, "postgres"), os.X_OK):
            return folder
    raise Missing("PostgreSQL %d is not here: run tests/support/fetch-postgres %d%s" % (
        major, major, " after installing postgresql-15" if major == 15 else ""))


def have(major):
    try:
        return bool(bin_folder(major))
    except Missing:
        return False


def tool_folder(major):
    """The folder with pg_dump, pg_restore and psql of @major, or of the next newer that is here."""
    for newer in range(major, 40):
        for folder in (fetched(newer), os.path.join(DEBIAN, str(newer), "bin")):
            if all(os.access(os.path.join(folder, tool), os.X_OK) for tool in TOOLS):
                return folder
    raise Missing("no pg_dump of PostgreSQL %d or newer is here:"
                  " run tests/support/fetch-postgres 18" % major)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_postgres(command):
    """@command as the user that may run a server. It ends when this test does, however it ends."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            raise Missing("there is no user postgres: install postgresql-15") from None
        words += ["--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups"]
    return [*words, "--", *command]


def environment():
    """The environment without what libpq would take from it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
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


class Database:
    """One database, by the URL with which libpq reaches it, and what psql and others do there."""

    def __init__(self, url, tools=None):
        self.url = url
        self.tools = tools or tool_folder(MAJORS[0])

    def tool(self, name, *arguments, text=None):
        """Runs pg_dump, pg_restore or another client program; its output as bytes."""
        return call([os.path.join(self.tools, name), "-d", self.url, *arguments], text)

    def _psql(self, *arguments, text=None):
        return self.tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, text=text)

    def psql(self, script):
        """Runs a script of psql, which ends at its first error; its output as text."""
        return self._psql("-f", "-", text=script.encode()).decode()

    def file(self, path):
        return self._psql("-f", path).decode()

    def query(self, statement):
        """The rows of one statement, each a tuple of texts; NULL is an empty text."""
        out = self._psql("-A", "-t", "-F", "\x1f", "-0", "-f", "-", text=statement.encode())
        rows = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        return [tuple(row.split("\x1f")) for row in rows]

    def value(self, statement):
        """The one value that the statement has."""
        rows = self.query(statement)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise Failed("%s\nis not one value: %s" % (statement, rows[:5]))
        return rows[0][0]

    def session(self):
        """An open psql: write statements to its stdin; it ends when that is closed."""
        return subprocess.Popen(
            [os.path.join(self.tools, "psql"), "-X", "-q", "-A", "-t", "-d", self.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment(), text=True, bufsize=1)


class Server:
    """One server. @settings go to postgresql.conf; @tcp makes it listen on loopback as well.

    Everybody may connect through the socket; through TCP with @password only.
    """

    def __init__(self, major=15, settings=None, tcp=False, password="secret"):
        self.major = major
        self.bin = bin_folder(major)
        self.tools = tool_folder(major)
        self.settings = dict(SETTINGS, **(settings or {}))
        self.port = free_port() if tcp else 5432
        self.tcp = tcp
        self.password = password
        self.process = None
        self.path = tempfile.mkdtemp(prefix="backstay-pg%d-" % major)
        os.chmod(self.path, 0o755)
        self.data = os.path.join(self.path, "data")
        self.socket = os.path.join(self.path, "run")
        self.log = os.path.join(self.path, "log")

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
        secret = os.path.join(self.path, "password")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(self.password)
        os.mkdir(self.data, 0o700)
        os.mkdir(self.socket, 0o755)
        if os.geteuid() == 0:
            for path in (secret, self.data, self.socket):
                shutil.chown(path, USER, USER)
        call(as_postgres([os.path.join(self.bin, "initdb"), "--no-sync", "-D", self.data,
                          "-U", USER, "--encoding=UTF8", "--locale=C.UTF-8",
                          "--auth-local=trust", "--auth-host=scram-sha-256",
                          "--pwfile=" + secret]), cwd=self.path)
        os.unlink(secret)
        self.configure(unix_socket_directories=self.socket, port=str(self.port),
                       listen_addresses="127.0.0.1" if self.tcp else "", **self.settings)

    def configure(self, **settings):
        """Adds to postgresql.conf; takes effect at the next start or reload."""
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            for key, value in settings.items():
                file.write("%s = '%s'\n" % (key, value.replace("'", "''")))

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                as_postgres([os.path.join(self.bin, "postgres"), "-D", self.data]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.path, env=environment())
        deadline = time.monotonic() + 30
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("PostgreSQL %d does not start:\n%s" % (self.major, self.said()))
            time.sleep(0.02)

    def _ready(self):
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return False
        return (len(lines) > 7 and lines[7].strip() == "ready" and
                lines[0].strip() == str(self.process.pid))

    def stop(self, how=signal.SIGINT):
        """Ends the server: SIGINT is a fast shutdown, SIGQUIT what a crash leaves behind."""
        if self.process is None or self.process.poll() is not None:
            return
        for sign in (how, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(sign)
            try:
                self.process.wait(timeout=30)
                return
            except subprocess.TimeoutExpired:
                continue

    def restart(self, how=signal.SIGINT):
        self.stop(how)
        self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(self.path, ignore_errors=True)

    def said(self):
        """The server's log."""
        with open(self.log, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def url(self, database=USER, user=USER):
        """How libpq reaches @database through the socket."""
        return "postgresql:///%s?host=%s&port=%d&user=%s" % (
            quote(database, ""), quote(self.socket, ""), self.port, quote(user, ""))

    def tcp_url(self, database=USER, user=USER):
        """How libpq reaches @database through TCP. The password is not in it."""
        return "postgresql://%s@127.0.0.1:%d/%s" % (quote(user, ""), self.port, quote(database, ""))

    def database(self, name=USER, user=USER):
        return Database(self.url(name, user), self.tools)

    def psql(self, script, database=USER, user=USER):
        return self.database(database, user).psql(script)

    def query(self, statement, database=USER, user=USER):
        return self.database(database, user).query(statement)

    def value(self, statement, database=USER, user=USER):
        return self.database(database, user).value(statement)

    def createdb(self, name, *arguments):
        call([os.path.join(self.tools, "createdb"), "-h", self.socket, "-p", str(self.port), "-U",
              USER, *arguments, "--", name])

    def install_extension(self, folder):
        """Puts the files of an extension where CREATE EXTENSION finds them."""
        share = self.value("SELECT setting FROM pg_config() WHERE name = 'SHAREDIR'")
        if not os.path.realpath(share).startswith(os.path.realpath(cache()) + os.sep):
            raise Missing("a test may not add an extension to %s:"
                          " run tests/support/fetch-postgres %d" % (share, self.major))
        for name in os.listdir(folder):
            new = os.path.join(share, "extension", "%s.%d" % (name, os.getpid()))
            shutil.copy(os.path.join(folder, name), new)
            os.rename(new, os.path.join(share, "extension", name))


def available():
    """The majors of which a server can be started here."""
    return [major for major in MAJORS if have(major)]


if __name__ == "__main__":
    sys.exit("available: %s" % available())
