# tests/integration/mysql/faults_restore.py
# SPDX-License-Identifier: Apache-2.0
#
# Faults during a restore: connections that are cut, a server that is killed, a disk of the server that
# is full, values that are larger than a server takes, rights that are missing. Each ends with one
# message and an exit code; the database that was not there before is not there afterwards, where the
# server can still be asked, and a restore on a sound server succeeds.
#
# Usage: faults_restore.py SERVER
import os
import sys
import time

import faults
import fault_proxy
import place
import mysql
import proof

MIB = 1 << 20
LARGE = "CREATE TABLE shop.large (n int PRIMARY KEY, b longblob);" \
        "INSERT INTO shop.large VALUES (1, REPEAT(X'00FF', %d)), (2, 'small')" % (3 * MIB)


class Restores:
    def __init__(self, there, other, proxy):
        self.there, self.other, self.proxy = there, other, proxy

    def start(self):
        return self.there.start("restore", "latest", "--to", self.other.tcp_url(
            "copy", "writer", self.proxy.port))

    def loading(self):
        return any("LOAD DATA" in info for info, in self.other.query(
            "SELECT info FROM information_schema.PROCESSLIST WHERE user = 'writer'"))

    def slow(self):
        self.proxy.delay = 0.02
        process = self.start()
        if not faults.wait_until(self.loading, 30):
            proof.give_up("rows are being loaded", self.there.wait(process, 5))
        return process

    def ends(self, name, process, code, *texts, gone=True):
        began = time.monotonic()
        result = self.there.wait(process, 60)
        took = time.monotonic() - began
        self.proxy.heal()
        proof.ok("%s: exit code %d, and the message says why" % (name, code),
                 result.code == code and all(text in result.err for text in texts),
                 "%s\nexpected: %s" % (result, "\n".join(texts)))
        proof.ok("%s: one message" % name, result.err.count("backstay: error:") == 1, result)
        proof.ok("%s: it ends soon (%.1f s)" % (name, took), took < 30)
        if gone:
            proof.ok("%s: nothing is left of the database" % name,
                     self.other.query("SHOW DATABASES LIKE 'copy'") == [], result)
        self.other.sql("DROP DATABASE IF EXISTS copy")

    def works(self, name):
        result = self.there.attempt("restore", "latest", "--to", self.other.url("copy"), "--json")
        place.facts_are_equal("%s: the next restore has equal facts" % name, result)
        self.other.sql("DROP DATABASE IF EXISTS copy")

    # -- faults

    def cut(self):
        """The connections are gone in the middle of the rows; new ones are possible."""
        process = self.slow()
        self.proxy.reset_all()
        self.ends("all connections are reset", process, 14, "127.0.0.1:%d" % self.proxy.port)

    def killed(self):
        process = self.slow()
        self.other.stop(9)
        self.other.start()
        self.ends("the server is killed and is back", process, 14,
                  "127.0.0.1:%d" % self.proxy.port, gone=False)

    def interrupted(self):
        process = self.slow()
        process.send_signal(2)
        self.ends("a signal in the middle of the rows", process, 130)

    def no_right(self):
        self.other.sql("REVOKE ALL ON *.* FROM writer@`127.0.0.1`; GRANT SELECT ON *.* TO writer@`127.0.0.1`")
        process = self.start()
        self.ends("an account that may not create", process, 14, "copy", "denied")
        self.other.sql("GRANT ALL ON *.* TO writer@`127.0.0.1`")

    def small_packets(self):
        """LOAD DATA has no use for statements as large as a value."""
        self.other.sql("SET GLOBAL max_allowed_packet = 1048576")
        self.works("a value is larger than max_allowed_packet")
        self.other.sql("SET GLOBAL max_allowed_packet = 268435456")

    def too_large(self):
        """INSERT has: a value that the server does not take is told, not cut."""
        self.other.sql("SET GLOBAL max_allowed_packet = 1048576; SET GLOBAL local_infile = OFF")
        process = self.start()
        self.ends("an INSERT would be larger than max_allowed_packet", process, 10, "large",
                  "max_allowed_packet")
        self.other.sql("SET GLOBAL max_allowed_packet = 268435456; SET GLOBAL local_infile = ON")


def full_server(there, flavour):
    """The disk of the server has no room for the rows."""
    with mysql.Server(flavour, ["--innodb-data-file-path=ibdata1:12M:autoextend"]) as other:
        other.stop()
        there.mount_tmpfs("server", 200 * MIB)
        os.chmod(there.path, 0o755)
        os.system("cp -a %s/. %s" % (other.data, there.at("server")))
        os.system("chown mysql: %s" % there.at("server"))
        other.data = there.at("server")
        other.start()
        used = os.statvfs(there.at("server"))
        room = used.f_bavail * used.f_frsize
        with open(there.at("server", "filler"), "wb") as file:
            file.write(b"\0" * max(room - 12 * MIB, 0))
        result = there.attempt("restore", "latest", "--to", other.url("copy"))
        proof.ok("the server's disk is full: the table is named, and the restore fails",
                 result.code == 16 and "load table shop." in result.err and
                 "is full" in result.err, result)
        proof.ok("the server's disk is full: one message",
                 result.err.count("backstay: error:") == 1, result)
        other.stop(9)


def main(flavour):
    with mysql.Server(flavour) as server, mysql.Server(flavour, tcp=True) as other:
        server.sql(faults.SHOP)
        server.sql(LARGE)
        other.sql("CREATE USER writer@`127.0.0.1` IDENTIFIED BY ''; GRANT ALL ON *.* TO writer@`127.0.0.1`")
        with fault_proxy.Proxy(("127.0.0.1", other.port)) as proxy, \
                place.Place(server, "shop", users=False) as there:
            there.backup()
            restores = Restores(there, other, proxy)
            for fault in (restores.cut, restores.killed, restores.interrupted, restores.no_right,
                          restores.small_packets, restores.too_large):
                fault()
                restores.works("after %s" % fault.__name__)
            full_server(there, flavour)


if __name__ == "__main__":
    main(sys.argv[1])
    proof.end()
