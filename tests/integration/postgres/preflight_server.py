# tests/integration/postgres/preflight_server.py
# SPDX-License-Identifier: Apache-2.0
#
# What `backstay doctor` says of a PostgreSQL server as such: encryption of the connection, archive,
# slots, room for locks, a standby. Runs in a network of its own, where an address that is not
# loopback leads nowhere else.
#
#     BACKSTAY=... preflight_server.py MAJOR
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from doctor import Doctor  # which tells Python where the next ones are

import postgres
import proof

ADDRESS = "192.0.2.1"
SIOCSIFADDR, SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8916, 0x8913, 0x8914, 1
major = int(sys.argv[1])


def enter_network():
    """Begins this program again where there is no network but its own."""
    if os.environ.get("BACKSTAY_OWN_NETWORK") != "1":
        os.environ["BACKSTAY_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack("16sh", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack(
            "16sh", b"lo", 0)))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack(
            "16sHH4s8s", b"lo:1", socket.AF_INET, 0, socket.inet_aton(ADDRESS), b""))


class Server(postgres.Server):
    """A server that may also be a standby of nobody."""

    def _ready(self):
        if super()._ready():
            return True
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
                return "standby " in file.read()
        except FileNotFoundError:
            return False

    def write(self, name, text, mode="w"):
        path = os.path.join(self.data, name)
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        postgres.shutil.chown(path, postgres.USER, postgres.USER)


def make_certificate(server, folder):
    """A certificate for ADDRESS that is its own authority."""
    key, cert = os.path.join(folder, "server.key"), os.path.join(folder, "server.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:%s" % ADDRESS,
         "-keyout", key, "-out", cert], check=True, capture_output=True)
    for path in (key, cert):
        with open(path, encoding="utf-8") as file:
            server.write(os.path.basename(path), file.read())
    return cert


def test_encryption():
    with Server(major, tcp=True) as server:
        server.psql("CREATE ROLE backstay LOGIN PASSWORD 'se cret'")
        server.configure(listen_addresses="127.0.0.1,%s" % ADDRESS)
        server.write("pg_hba.conf", "host all all %s/32 scram-sha-256\n" % ADDRESS, "a")
        server.restart()
        with Doctor(server, "postgres", "backstay") as doctor:
            url = "postgresql://backstay:se%%20cret@%s:%d/postgres" % (ADDRESS, server.port)
            doctor.write(url=url)
            doctor.says("a connection that others can read is a warning", "encryption", (
                "warning", "none: the log-in and all rows can be read and changed on the way to "
                "%s; set ssl = on on the server, and sslmode=verify-full (or require) in the url"
                % ADDRESS))
            proof.ok("no finding has the password", "cret" not in str(doctor.findings),
                     doctor.findings)
            doctor.write(url="postgresql://backstay:se%%20cret@127.0.0.1:%d/postgres" % server.port)
            doctor.says("on loopback it is none", "encryption", (
                "ok", "none; nothing leaves this machine"))
            cert = make_certificate(server, doctor.path)
            server.configure(ssl="on")
            server.restart()
            doctor.write(url=url)
            doctor.matches("encryption without proof of identity is said", "encryption", (
                "info", r"TLSv1.3 with TLS_\w+, sslmode=prefer: who the server is was not fully "
                "verified; use sslmode=verify-full with sslrootcert"))
            doctor.write(url=url + "?sslmode=verify-full&sslrootcert=" + cert)
            doctor.matches("encryption with proof of identity is all right", "encryption", (
                "ok", r"TLSv1.3 with TLS_\w+, sslmode=verify-full"))


def wait_for(server, statement):
    deadline = time.monotonic() + 30
    while server.value("SELECT (%s)::text" % statement) != "true":
        if time.monotonic() > deadline:
            raise postgres.Failed("still not true after 30 s: " + statement)
        time.sleep(0.05)


SWITCH = "CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t VALUES (1); SELECT pg_switch_wal();"


def test_archive_and_slots():
    settings = {"archive_mode": "on", "archive_command": "true", "wal_level": "logical",
                "max_wal_size": "32MB", "min_wal_size": "32MB"}
    with Server(major, settings) as server, Doctor(server, "postgres") as doctor:
        doctor.says("an archive that has seen nothing", "archive", (
            "info", "archive_mode is on, nothing archived yet"))
        server.psql(SWITCH)
        wait_for(server, "SELECT archived_count > 0 FROM pg_stat_archiver")
        doctor.matches("an archive that works", "archive", (
            "info", r"archive_mode is on, 0000000100\w+ was archived at \d{4}-.*"))
        server.psql("ALTER SYSTEM SET archive_command = 'false'")
        server.psql("SELECT pg_reload_conf()")
        server.psql(SWITCH)
        wait_for(server, "SELECT failed_count > 0 FROM pg_stat_archiver")
        doctor.matches("an archive that fails is a warning", "archive", (
            "warning", r"the server cannot archive its WAL: \d+ failures, the last of "
            r"0000000100\w+ at \d{4}-[^;]+; WAL stays on its disk until it can: see the server's "
            "log"))
        proof.ok("but no backup is the worse for it", warnings_of_backup(doctor) == [])

        server.psql("SELECT pg_create_physical_replication_slot('idle'), "
                    "pg_create_physical_replication_slot('behind', true)")
        idle = ("info", r"idle \(physical\) is not in use")
        doctor.matches("slots are named", "slot", (
            "info", r"behind \(physical\) is not in use and keeps WAL: \d+ \w+"), idle)
        server.psql(SWITCH * 4)
        doctor.matches("a slot that keeps much WAL is a warning", "slot", (
            "warning", r"behind is not in use and keeps \d+ MB of WAL on the server's disk, more "
            "than max_wal_size; see to its consumer, or drop it:\n"
            r"SELECT pg_drop_replication_slot\('behind'\);"), idle)
        server.psql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; ")
        server.psql("SELECT pg_reload_conf()")
        server.psql(SWITCH + "CHECKPOINT")
        wait_for(server, "SELECT wal_status = 'lost' FROM pg_replication_slots "
                 "WHERE slot_name = 'behind'")
        lost = doctor.matches("a slot that is lost is a warning", "slot", (
            "warning", "behind is lost: the WAL that it needs was removed; make its consumer anew "
            r"and drop it:\nSELECT pg_drop_replication_slot\('behind'\);"), idle)[0]
        server.psql(lost.split("\n")[1])
        doctor.matches("after the statement it is gone", "slot", idle)


def warnings_of_backup(doctor):
    doctor.backup()
    return doctor.run("show", "latest", "--json").json()["warnings"]


def test_room_for_locks():
    settings = {"max_connections": "20", "max_locks_per_transaction": "10"}
    with Server(major, settings) as server, Doctor(server, "postgres", jobs=1) as doctor:
        doctor.says("few tables fit", "locks")
        server.psql("DO $$ BEGIN FOR i IN 1..190 LOOP EXECUTE 'CREATE TABLE t' || i || '()'; "
                    "COMMIT; END LOOP; END $$")
        doctor.says("more tables than locks are a warning", "locks", (
            "warning", "a backup locks 190 tables and views at once, and the server has room for "
            "about 200 locks of all sessions; set max_locks_per_transaction = 15 (now 10) and "
            "restart the server"))
        server.configure(max_locks_per_transaction="15")
        server.restart()
        doctor.says("the proposed number is enough", "locks")


def test_standby():
    with Server(major) as server:
        server.psql("CREATE ROLE backstay LOGIN; CREATE UNLOGGED TABLE cache (a int); "
                    "CREATE TABLE t (a int); GRANT SELECT ON cache TO backstay")
        server.stop()
        server.write("standby.signal", "")
        server.start()
        with Doctor(server, "postgres", "backstay") as doctor:
            found = doctor.of("server")
            proof.ok("a standby is called one", found[0][1].endswith(", standby"), found)
            doctor.says("a standby is not the newest", "standby", (
                "info", "a backup is as old as what was replayed; the last transaction is of a "
                "time that is not known"), (
                "info", "a change on the primary may cancel a backup that runs longer than 30s: "
                "set hot_standby_feedback = on, or a longer max_standby_streaming_delay"))
            doctor.says("a standby cannot read unlogged tables", "unlogged tables", (
                "bad", "1 (public.cache): a standby does not have their rows; name them under "
                "\"structure_only\", or back up the primary"))
            found = doctor.of("rights")
            proof.ok("rights are granted on the primary",
                     "; as the owner or an administrator, on the primary:\n" in found[0][1], found)
            doctor.source("postgres", "backstay", structure_only=["public.cache"])
            doctor.says("without their rows, there is nothing to read", "unlogged tables")
            doctor.source("postgres", structure_only=["public.cache"])
            done = doctor.attempt("backup")
            proof.ok("a standby can be backed up", done.code == 0, done)


def rename_version(data, old, new):
    """@data of the server, in which it says that it is of version @new."""
    return data.replace(b"server_version\0%d." % old, b"server_version\0%d." % new)


def relay(listener, server):
    """One connection after the other to @server, which is made to look newer."""
    def forward(source, target, change):
        while data := source.recv(65536):
            target.sendall(change(data))
        target.shutdown(socket.SHUT_WR)

    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        with client, socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(os.path.join(server.socket, ".s.PGSQL.%d" % server.port))
            back = threading.Thread(target=forward, args=(
                upstream, client, lambda data: rename_version(data, major, 99)))
            back.start()
            forward(client, upstream, bytes)
            back.join()


def test_newer_server():
    """A version that does not exist yet: this one, which says that it is 99."""
    with Server(major) as server, Doctor(server, "postgres") as doctor, \
            socket.create_server(("127.0.0.1", 0)) as listener:
        os.mkdir(doctor.at("bin"))
        for name in ("pg_dump", "pg_restore"):
            with open(doctor.at("bin", name), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho '%s (PostgreSQL) 99.0'\n" % name)
            os.chmod(doctor.at("bin", name), 0o755)
        threading.Thread(target=relay, args=(listener, server), daemon=True).start()
        doctor.write(url="postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable&gssencmode="
                     "disable" % listener.getsockname()[1], bin=doctor.at("bin"))
        doctor.matches("a server that is newer than what was tested is a warning", "server", (
            "warning", r"PostgreSQL 99\.\S+.*, primary: this version of Backstay was tested with 13 "
            "to 18"))


def test_leftovers():
    """What a machine that stops in the middle leaves of a scratch instance."""
    with Server(major) as server, Doctor(server, "postgres") as doctor:
        os.chmod(doctor.path, 0o755)
        doctor.write(url=server.url(), scratch_folder=doctor.path, scratch_bin=server.bin)
        doctor.backup()
        scratch = doctor.restore("scratch", "--keep", "10m").json()["scratch"]
        for name in ("watch.pid", "server.pid"):
            with open(os.path.join(scratch["marker"], name), encoding="utf-8") as file:
                os.kill(int(file.read().split()[0]), signal.SIGKILL)
        marker = os.path.join(scratch["marker"], "backstay-scratch.json")
        with open(marker, encoding="utf-8") as file:
            document = json.load(file)
        document["expires"] = 1
        with open(marker, "w", encoding="utf-8") as file:
            json.dump(document, file)
        doctor.says("a scratch instance that was left behind is said", "scratch", (
            "info", "left behind by earlier runs: 1; the next restore to scratch removes what "
            "is there"))
        doctor.run("scratch", "remove", "db", scratch["marker"])
        doctor.says("and no longer, once it is removed", "scratch")


enter_network()
for test in (test_encryption, test_archive_and_slots, test_room_for_locks, test_standby,
             test_newer_server, test_leftovers):
    test()
proof.end()
