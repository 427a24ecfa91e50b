# tests/integration/postgres/restore_faults.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: restore_faults.py MAJOR
#
# Restores that cannot succeed. What can be known before is said before anything is changed; what
# happens in the middle leaves no database behind that could pass for the whole.
import os
import shutil
import signal
import sys
import tempfile
import time

import faults_place
from faults_place import wait_until
import fault_proxy
import postgres
import proof

MAJOR = int(sys.argv[1])
MIB = 1 << 20
EXTENSION = "backstay_gone_%d" % os.getpid()
SECRET = "wrong-and-secret"
SECONDS = 30  # that a restore may take to fail


class Restores:
    """Restores of the newest snapshot of @place into @target."""

    def __init__(self, place, target, proxy):
        self.place, self.target, self.proxy = place, target, proxy

    def start(self, to, *arguments):
        return self.place.start("restore", "latest", "--to", to, *arguments)

    def through_proxy(self, database):
        return "postgresql://postgres@127.0.0.1:%d/%s" % (self.proxy.port, database)

    def state(self):
        """All that a restore could change on the target: databases, roles, the objects in one."""
        return (self.target.query("SELECT datname FROM pg_database ORDER BY 1"),
                self.target.query("SELECT rolname FROM pg_roles ORDER BY 1"),
                self.target.query("SELECT relname, relkind FROM pg_class ORDER BY oid", "full"),
                self.target.query("SELECT * FROM full_of", "full"))

    def nothing_left(self, name):
        gone = wait_until(lambda: not self.target.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'backstay'"))
        proof.ok("%s: no session is left" % name, gone)
        left = self.place.children(self.target.socket) + self.place.children(self.place.path)
        left = [item for item in left if "pg_restore" in item[1]]
        proof.ok("%s: no program is left" % name, not left, left)

    def fails(self, name, process, code, *texts, messages=1):
        """The restore fails as it should, and the target is as it was before."""
        began = time.monotonic()
        result = self.place.wait(process, SECONDS)
        took = time.monotonic() - began
        self.proxy.heal()
        holds = result.code == code and all(text in result.err for text in texts)
        proof.ok("%s: exit code %d, and the message says why" % (name, code), holds,
                 "%s\nexpected: %s" % (result, "\n".join(texts)))
        proof.ok("%s: not more is said than must be, and it ends soon (%.1f s)" % (name, took),
                 result.err.count("backstay: error:") == messages and took < SECONDS, result)
        proof.ok("%s: no password is shown" % name, SECRET not in result.err + result.out, result)
        after = self.state()
        proof.ok("%s: the target is as it was" % name, after == self.before, after)
        self.nothing_left(name)

    # -- known before

    def not_empty(self):
        self.fails("a database that is not empty", self.start(self.target.url("full")), 10,
                   "source db: database full on %s is not empty (it has relation public.full_of), "
                   "and nothing is restored over what is there; name a database that does not "
                   "exist, or restore with --replace, which keeps the old one under another name\n"
                   % self.target.socket)

    def the_source(self):
        server = self.place.server
        before = server.value("SELECT count(*) FROM big", "shop")
        self.fails("the target is the source", self.start(server.url("shop")), 10,
                   "database shop on %s is not empty" % server.socket)
        proof.ok("the target is the source: it is as it was",
                 server.value("SELECT count(*) FROM big", "shop") == before)

    def another_name(self):
        self.fails("another name than that of the target is typed",
                   self.start(self.target.url("full"), "--yes-replace", "shop"), 10,
                   "\"shop\" may be replaced, but the place to restore to is database \"full\"; "
                   "nothing was changed\n")

    def wrong_password(self):
        self.fails("a wrong password", self.start("postgresql://postgres:%s@127.0.0.1:%d/copy" % (
            SECRET, self.target.port)), 14, "password authentication failed for user \"postgres\"")

    def no_password(self):
        self.fails("no password", self.start("postgresql://postgres@127.0.0.1:%d/copy" %
                                             self.target.port), 14,
                   "; a password is asked for: give it in the url or in ~/.pgpass\n")

    def nobody_there(self):
        self.fails("nobody listens", self.start("postgresql://postgres@127.0.0.1:%d/copy" %
                                                postgres.free_port()), 14, "Connection refused")

    def says_nothing(self):
        self.proxy.frozen = True
        self.fails("a server that says nothing", self.start(self.through_proxy("copy")), 14,
                   "no answer within 10 s")

    def may_not_create(self):
        self.fails("a role that may not create databases",
                   self.start(self.target.url("copy", "humble")), 14,
                   "create database copy: role humble may not create databases: let a superuser "
                   "run ALTER ROLE \"humble\" CREATEDB\n")

    def role_missing(self):
        self.place.sql("CREATE ROLE shopkeeper; ALTER TABLE orders OWNER TO shopkeeper;"
                       "CREATE ROLE visitor; GRANT SELECT ON big TO visitor")
        self.place.run("backup")
        self.fails("roles are missing", self.start(self.target.url("copy")), 10,
                   "database postgres on %s does not have the roles that own or may use something "
                   "in the backup: shopkeeper, visitor; create them (CREATE ROLE; globals.json of "
                   "the snapshot says how they were), or restore with --no-owner\n" %
                   self.target.socket)
        result = self.place.wait(self.start(self.target.url("copy"), "--no-owner"))
        proof.ok("roles are missing: --no-owner restores without them", result.code == 0, result)
        self.target.psql("DROP DATABASE copy")
        self.place.sql("ALTER TABLE orders OWNER TO postgres; REVOKE ALL ON big FROM visitor;"
                       "DROP ROLE shopkeeper, visitor")

    def extension_missing(self):
        folder = tempfile.mkdtemp(dir=self.place.path)
        for name, text in ((".control", "default_version = '1'\nrelocatable = true\n"),
                           ("--1.sql", "CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS "
                            "'SELECT 1';\n")):
            with open(os.path.join(folder, EXTENSION + name), "w", encoding="utf-8") as file:
                file.write(text)
        self.place.server.install_extension(folder)
        try:
            self.place.sql("CREATE EXTENSION %s" % EXTENSION)
            self.place.run("backup")
            self.place.sql("DROP EXTENSION %s" % EXTENSION)
        finally:
            share = self.place.value("SELECT setting FROM pg_config() WHERE name = 'SHAREDIR'")
            for name in os.listdir(folder):
                os.unlink(os.path.join(share, "extension", name))
        self.fails("an extension is missing", self.start(self.target.url("copy")), 10,
                   "database postgres on %s does not have the extensions that the backup needs: "
                   "%s; install their packages (postgresql-%d-NAME, or postgresql-contrib) on its "
                   "host\n" % (self.target.socket, EXTENSION, MAJOR))

    def older_server(self):
        with postgres.Server(13) as older:
            before = older.query("SELECT datname FROM pg_database ORDER BY 1")
            self.fails("an older server", self.start(older.url("copy")), 10,
                       "shop is a backup of PostgreSQL %d and database postgres on %s is version "
                       "13, which cannot load it; restore into version %d or newer\n" % (
                           MAJOR, older.socket, MAJOR))
            proof.ok("an older server: it is as it was",
                     older.query("SELECT datname FROM pg_database ORDER BY 1") == before)

    # -- in the middle

    def loading(self):
        """Whether rows are on their way into the large table."""
        return bool(self.target.query(
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND datname LIKE 'copy%'"
            " AND query LIKE 'COPY%big%'"))

    def slow(self, *arguments):
        self.proxy.delay = 0.02
        process = self.start(self.through_proxy("copy"), *arguments)
        if not wait_until(self.loading, 60):
            proof.give_up("rows are being loaded", self.place.wait(process, 1))
        return process

    def cut_in_copy(self):
        self.proxy.cut_after = 3 * MIB
        self.fails("a connection is cut in the middle of COPY",
                   self.start(self.through_proxy("copy")), 14, "load table public.big: database "
                   "copy on 127.0.0.1:%d: load rows: " % self.proxy.port,
                   "; the new database copy was removed again\n")
        proof.ok("a connection is cut in the middle of COPY: it was", self.proxy.cuts >= 1)

    def all_reset(self):
        process = self.slow()
        self.proxy.reset_all()
        self.fails("all connections are reset", process, 14,
                   "; the new database copy was removed again\n")

    def signalled(self):
        for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.slow()
            process.send_signal(sign)
            self.fails("signal %d in the middle of COPY" % sign, process, code)

    def out_of_reach(self):
        """The network is gone for good: the database cannot be removed, and that is said."""
        process = self.slow()
        self.proxy.refusing = True
        self.proxy.reset_all()
        result = self.place.wait(process, 60)
        self.proxy.heal()
        proof.ok("a server that is gone for good: the message names what is left", result.code == 14
                 and "; what was restored is in database copy_backstay_" in result.err
                 and ", which is incomplete and could not be removed: connect to " in result.err,
                 result)
        self.only_beside("a server that is gone for good")

    def only_beside(self, name):
        """What is incomplete is not there under the name that was asked for."""
        left = [row[0] for row in self.target.query(
            "SELECT datname FROM pg_database WHERE datname LIKE 'copy%'")]
        proof.ok("%s: what is incomplete does not have the name of what is whole" % name,
                 len(left) == 1 and left[0].startswith("copy_backstay_"), left)
        for database in left:
            self.target.psql('DROP DATABASE "%s" WITH (FORCE)' % database)

    def killed(self):
        process = self.slow()
        process.kill()
        self.place.wait(process)
        self.only_beside("SIGKILL")

    def crashed(self):
        process = self.slow()
        self.target.stop(signal.SIGQUIT)
        self.target.start()
        self.fails("the server crashes and is back", process, 14)

    def terminated(self):
        process = self.slow()
        self.target.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE"
                          " 'COPY%big%' AND datname LIKE 'copy%'")
        self.fails("a session is terminated", process, 14, "load table public.big: ",
                   "; the new database copy was removed again\n")

    def damaged(self):
        """A pack of the repository is damaged: no rows from it are loaded as if they were right."""
        packs = [os.path.join(at, name) for at, _, names in os.walk(self.place.at("repo/packs"))
                 for name in names]
        largest = max(packs, key=os.path.getsize)
        shutil.copy2(largest, self.place.at("kept"))
        with open(largest, "r+b") as file:
            file.seek(os.path.getsize(largest) // 2)
            file.write(b"\0" * 4096)
        self.fails("a damaged repository", self.start(self.target.url("copy")), 4,
                   "error: \"shop/tables/public/big.copy\": frame at byte ", " is damaged: ",
                   "source db: load table public.big: its entry cannot be read back; the new "
                   "database copy was removed again\n", messages=2)
        shutil.move(self.place.at("kept"), largest)

    def full_disk(self):
        """Databases are made in a tablespace that has room for the structure and little else."""
        self.place.mount_tmpfs("small", 14 * MIB)
        os.chmod(self.place.path, 0o755)
        folder = self.place.at("small", "space")
        os.mkdir(folder)
        os.chmod(self.place.at("small"), 0o755)
        shutil.chown(folder, postgres.USER, postgres.USER)
        self.target.psql("CREATE TABLESPACE small LOCATION '%s'" % folder)
        self.target.psql("ALTER DATABASE template0 SET TABLESPACE small")
        self.before = self.state()
        self.fails("the target's disk is full", self.start(self.target.url("copy")), 16,
                   "load table public.big: database copy on %s: " % self.target.socket,
                   "No space left on device", "; the new database copy was removed again\n")
        self.target.createdb("copy", "-T", "template0")
        result = self.place.wait(self.start(self.target.url("copy")))
        proof.ok("the target's disk is full, and the database was there: the message says what is "
                 "left", result.code == 16 and "; what was restored into database copy before that "
                 "is still there\n" in result.err, result)
        self.target.psql("DROP DATABASE copy")
        os.system("mount -o remount,size=200M %s" % self.place.at("small"))


with postgres.Server(MAJOR) as source, postgres.Server(MAJOR, tcp=True) as target:
    faults_place.make_shop(source)
    target.createdb("full")
    target.psql("CREATE TABLE full_of AS SELECT 'what somebody needs' AS text", "full")
    target.psql("CREATE ROLE humble LOGIN")
    with faults_place.Place(source) as place, \
            fault_proxy.Proxy("%s/.s.PGSQL.%d" % (target.socket, target.port)) as proxy:
        place.begin()
        restores = Restores(place, target, proxy)
        restores.before = restores.state()
        for restore in (restores.not_empty, restores.the_source, restores.another_name,
                        restores.wrong_password, restores.no_password, restores.nobody_there,
                        restores.says_nothing, restores.may_not_create, restores.role_missing,
                        restores.extension_missing):
            restore()
        place.run("backup")
        for restore in (restores.older_server, restores.cut_in_copy, restores.all_reset,
                        restores.signalled, restores.out_of_reach, restores.killed,
                        restores.crashed,
                        restores.terminated, restores.damaged, restores.full_disk):
            restore()
        result = place.attempt("restore", "latest", "--to", target.url("copy"))
        proof.ok("after all faults: a restore succeeds", result.code == 0 and
                 target.value("SELECT count(*) FROM big", "copy") == str(faults_place.ROWS), result)
proof.end()
