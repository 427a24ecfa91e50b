# tests/integration/postgres/poolers.py
# SPDX-License-Identifier: Apache-2.0
#
# pgbouncer in front of a server: refused where it does not keep sessions, and nothing that we set
# for ourselves is left on the sessions of others.
#
#     BACKSTAY=... poolers.py MAJOR
import contextlib
import os
import re
import socket
import subprocess
import sys
import time

from doctor import Doctor  # which tells Python where the next ones are

import postgres
import proof

PGBOUNCER = "/usr/sbin/pgbouncer"
REFUSAL = ("source db: connect to database postgres on 127.0.0.1:%d: a connection pooler (such as "
           "pgbouncer) in transaction mode answers there; a snapshot and its locks need a session "
           "of their own: connect to the server itself, or to a pool in session mode")


@contextlib.contextmanager
def pool(server, folder, mode, *lines):
    """A pgbouncer in front of @server; its port."""
    port = postgres.free_port()
    path = os.path.join(folder, "pgbouncer-%d.ini" % port)
    with open(path, "w", encoding="utf-8") as file:
        file.write("""[databases]
postgres = host=%s port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
%s
""" % (server.socket, server.port, postgres.USER, port, mode, "\n".join(lines)))
    os.chmod(folder, 0o755)
    os.chmod(path, 0o644)
    process = subprocess.Popen(postgres.as_postgres([PGBOUNCER, "-q", path]),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise postgres.Failed("pgbouncer does not start")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def url(port):
    return "postgresql://%s@127.0.0.1:%d/postgres" % (postgres.USER, port)


def refused(doctor, name, port):
    doctor.write(url=url(port))
    doctor.say()
    proof.ok(name, doctor.error == REFUSAL % port and not doctor.findings and doctor.code != 0,
             "%s\n%s" % (doctor.error, doctor.findings))


def test_transactions(server, doctor):
    for name, lines in (
            ("transaction mode is refused", ()),
            ("transaction mode with one connection is refused", ("default_pool_size = 1",)),
            ("transaction mode that goes round is refused", (
                "server_round_robin = 1", "min_pool_size = 4"))):
        with pool(server, doctor.path, "transaction", *lines) as port:
            through = postgres.Database(url(port), server.tools)
            before = through.value("SELECT current_setting('search_path') || "
                                   "current_setting('row_security')")
            refused(doctor, name, port)
            after = {through.value("SELECT current_setting('search_path') || "
                                   "current_setting('row_security')") for _ in range(5)}
            proof.ok("%s, and its sessions are as they were" % name, after == {before}, after)
            failed = doctor.attempt("backup")
            proof.ok("%s by a backup, too" % name, failed.code != 0 and
                     REFUSAL % port in failed.err + failed.out, failed)


def test_statements(server, doctor):
    with pool(server, doctor.path, "statement") as port:
        refused(doctor, "statement mode is refused", port)


def test_sessions(server, doctor):
    with pool(server, doctor.path, "session") as port:
        doctor.write(url=url(port))
        doctor.says("session mode is all right", "connection", (
            "ok", "role postgres, database postgres on 127.0.0.1:%d, through a pooler in session "
            "mode" % port))
        done = doctor.attempt("backup")
        proof.ok("a backup through session mode is complete", done.code == 0, done)
        through = postgres.Database(url(port), server.tools)
        proof.ok("and leaves nothing on its sessions", through.value("SHOW row_security") == "on")


def main():
    proof.require(PGBOUNCER)
    with postgres.Server(int(sys.argv[1])) as server, Doctor(server, "postgres") as doctor:
        server.psql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS a")
        test_transactions(server, doctor)
        test_statements(server, doctor)
        test_sessions(server, doctor)
    proof.end()


main()
