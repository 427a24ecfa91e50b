# tests/integration/postgres/faults_place.py
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of faults share: a server, a configuration whose source is a database on it, and
# what must hold after every run that did not succeed.
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e"), os.path.join(HERE, "..", "..", "support")]
import postgres  # noqa: E402
import proof  # noqa: E402

NULL = r"\N"
ROWS = 60000
SHOP = """
CREATE TABLE orders (n int PRIMARY KEY, text text);
INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 1000) g;
CREATE TABLE big (n int, text text);
INSERT INTO big SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, %d) g;
""" % ROWS


def make_shop(server):
    """The database shop, with a table of which the rows take their time."""
    server.createdb("shop")
    server.psql(SHOP, "shop")


def wait_until(holds, seconds=20, step=0.02):
    """Whether @holds() became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(step)
    return False


class Place(proof.Place):
    """The source is called db, its database shop."""

    def __init__(self, server, database="shop"):
        super().__init__()
        self.server = server
        self.database = database

    def source(self, url=None, proxy=None, destination="repo", **options):
        """Writes the configuration; @proxy is what to connect through. An option of None is left
        out."""
        self.where = self.server.socket
        if proxy:
            self.where = "port='%d'" % proxy.port
            url = "host=127.0.0.1 port=%d user=postgres dbname=%s" % (proxy.port, self.database)
        given = {"type": "postgres", "url": url or self.server.url(self.database), "jobs": 2,
                 "bin": self.server.tools, "scratch_bin": self.server.bin}
        given.update(options)
        config = {"sources": {"db": {k: v for k, v in given.items() if v is not None}},
                  "destinations": {"local": {"type": "local", "path": destination}},
                  "state_dir": "state"}
        with open(self.at("backstay.yaml"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        os.chmod(self.at("backstay.yaml"), 0o600)

    def sql(self, script):
        return self.server.psql(script, self.database)

    def value(self, statement):
        return self.server.value(statement, self.database)

    def wrap(self, program, script, folder="bin"):
        """A folder for the option "bin" in which @program is a shell script: "$real" is the program
        itself, "$count" how often the script ran before. --version is always answered."""
        os.makedirs(self.at(folder), exist_ok=True)
        for name in postgres.TOOLS:
            link = self.at(folder, name)
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink(os.path.join(self.server.tools, name), link)
        os.unlink(self.at(folder, program))
        counter = self.at(folder, "count")
        with open(self.at(folder, program), "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\nreal='%s'\n[ \"$1\" = --version ] && exec \"$real\" \"$@\"\n"
                       "count=$(cat '%s' 2>/dev/null || echo 0)\n"
                       "echo $((count + 1)) > '%s'\n%s\n" % (
                           os.path.join(self.server.tools, program), counter, counter, script))
        os.chmod(self.at(folder, program), 0o755)
        if os.path.exists(counter):
            os.unlink(counter)
        return self.at(folder)

    def copying(self):
        """Whether rows are being read, and pg_dump is done."""
        reads = self.server.query("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND"
                                  " application_name = 'backstay' AND query LIKE '%COPY%'")
        return bool(reads) and not self.dumping()

    def dumping(self):
        """The pg_dump of a backup, which is seen by where it connects to."""
        return [item for item in self.children("--lock-wait-timeout") if self.where in item[1]]

    # -- what is left on the server, and here

    def sessions(self):
        """The sessions of backups and restores that the server still has."""
        return self.server.query(
            "SELECT pid, datname, state, left(query, 100) FROM pg_stat_activity WHERE"
            " application_name IN ('backstay', 'pg_dump', 'pg_restore')")

    @staticmethod
    def children(of):
        """The processes whose command line has the text @of."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    words = file.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if of in words and int(pid) != os.getpid():
                found.append((int(pid), words))
        return found

    def nothing_left(self, name):
        """No session on the server, no pg_dump of ours."""
        gone = wait_until(lambda: not self.sessions())
        proof.ok("%s: no session is left on the server" % name, gone, self.sessions())
        tools = [item for where in (self.path, self.server.path, self.where)
                 for item in self.children(where)
                 if "pg_dump" in item[1] or "pg_restore" in item[1]]
        proof.ok("%s: no program is left behind" % name, not tools, tools)

    # -- backups

    def fails(self, name, result, code, *texts):
        """A backup failed as it should: the code, the words, nothing listed, nothing left."""
        holds = result.code == code and all(text in result.err for text in texts)
        proof.ok("%s: exit code %d, and the message says why" % (name, code), holds,
                 "%s\nexpected: %s" % (result, "\n".join(texts)))
        proof.ok("%s: one message" % name, result.err.count("backstay: error:") == 1, result)
        proof.ok("%s: no snapshot" % name, self.snapshots() == self.known, self.snapshots())
        self.nothing_left(name)

    def begin(self, **options):
        """A repository with one good snapshot, which every fault has to leave alone."""
        self.source(**options)
        self.run("init")
        self.run("backup")
        self.known = self.snapshots()

    def works(self, name):
        """The next run succeeds, and the repository is whole."""
        result = self.attempt("backup")
        proof.ok("%s: the next run succeeds" % name, result.code == 0, result)
        self.known = self.snapshots()

    # -- the content of a snapshot, without a restore

    def export(self, snapshot="latest"):
        """The entries of a snapshot: {path: bytes}."""
        folder = tempfile.mkdtemp(dir=self.path)
        archive = os.path.join(folder, "snapshot.tar.zst")
        self.run("export", snapshot, "--output", archive)
        unpacked = subprocess.run(["zstd", "-dcq", archive], stdout=subprocess.PIPE, check=True)
        with open(os.path.join(folder, "snapshot.tar"), "wb") as file:
            file.write(unpacked.stdout)
        content = {}
        with tarfile.open(os.path.join(folder, "snapshot.tar")) as tar:
            for member in tar:
                if member.isfile():
                    content[member.name] = tar.extractfile(member).read()
        shutil.rmtree(folder)
        return content


class Rows:
    """The rows of one table in an exported snapshot, as COPY wrote them."""

    def __init__(self, content, table, database="shop", schema="public"):
        tables = json.loads(content["%s/tables.json" % database])
        found = [item for item in tables if item["schema"] == schema and item["name"] == table]
        self.exists = bool(found)
        self.columns = []
        self.rows = []
        if found:
            self.columns = [name.strip(' "') for name in found[0]["columns"].strip("()").split(",")]
            text = b"".join(content["%s/%s" % (database, file["path"])]
                            for file in found[0]["files"])
            self.rows = [line.split("\t") for line in text.decode().split("\n")[:-1]]
            self.recorded = found[0]["rows"]

    def __len__(self):
        return len(self.rows)

    def column(self, name):
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def total(self, name):
        return sum(int(value) for value in self.column(name) if value != NULL)


class Faults:
    """Backups of the shop through a proxy."""

    def __init__(self, server, place, proxy):
        self.server, self.place, self.proxy = server, place, proxy

    def slow(self, **options):
        """A backup in the middle of its rows; pg_dump is done."""
        self.place.source(proxy=self.proxy, **options)
        self.proxy.delay = 0.02
        process = self.place.start("backup")
        if not (wait_until(self.place.dumping, 60) and wait_until(self.place.copying, 60)):
            proof.give_up("rows are being read", self.place.wait(process, 1))
        return process

    def ends(self, name, process, code, *texts, seconds=20):
        """The run ends by itself and soon, as place.fails() says."""
        began = time.monotonic()
        result = self.place.wait(process, seconds)
        took = time.monotonic() - began
        self.proxy.heal()
        self.place.fails(name, result, code, *texts)
        proof.ok("%s: it ends soon (%.1f s)" % (name, took), took < seconds)

    def works(self, name):
        self.place.source()
        self.place.works(name)
