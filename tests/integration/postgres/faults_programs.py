# tests/integration/postgres/faults_programs.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: faults_programs.py MAJOR
#
# Backups whose pg_dump is not what it should be: killed, failing at its end, silently cut short,
# hanging, absent, too old.
import os
import signal
import sys
import time

import faults_place
from faults_place import wait_until
import postgres
import proof

MAJOR = int(sys.argv[1])
FOREVER = "sleep %d" % (100000 + os.getpid())  # like no other on this machine
SCHEMA = """
CREATE TABLE orders (n int PRIMARY KEY, text text);
INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 1000) g;
CREATE FUNCTION long() RETURNS text LANGUAGE sql AS $f$ SELECT '%s' $f$;
""" % ("x" * 200000)

# Name, script, the words of the message.
BROKEN = (
    ("pg_dump is killed at once", "kill -9 $$",
     ("pg_dump failed: it was ended by signal 9",)),
    ("pg_dump is killed midway", '"$real" "$@" | head -c 100000; kill -9 $$',
     ("pg_dump failed: it was ended by signal 9",)),
    ("pg_dump fails after complete output",
     '"$real" "$@"; echo "pg_dump: error: the last thing went wrong" >&2; exit 1',
     ("pg_dump failed: pg_dump: error: the last thing went wrong",)),
    ("pg_dump fails without a word", '"$real" "$@"; exit 3',
     ("pg_dump failed: it ended with exit code 3",)),
    ("pg_dump succeeds, and half of its output is missing", '"$real" "$@" | head -c 100000; exit 0',
     ("pg_dump ended without an error, but ", "pg_restore cannot read what it wrote (pg_restore: "
      "error: could not read from input file: end of file); run it by hand to see what is wrong "
      "with it\n")),
    ("pg_dump succeeds, and the last byte is missing", '"$real" "$@" | head -c -1; exit 0',
     ("pg_restore cannot read what it wrote (pg_restore: error: ",)),
    ("pg_dump succeeds and writes nothing", "exit 0",
     ("pg_restore cannot read what it wrote (pg_restore: error: input file is too short (read 0, "
      "expected 5))",)),
    ("pg_dump succeeds and writes a script", 'exec "$real" "${@/custom/plain}"',
     ("pg_restore cannot read what it wrote (pg_restore: error: input file appears to be a text "
      "format dump. Please use psql.)",)),
)


def broken(place, name, script, texts):
    place.source(bin=place.wrap("pg_dump", script))
    place.fails(name, place.attempt("backup"), 14, *texts)


def hangs(place):
    """Nothing comes from it any more: a signal ends both, and so does losing the server."""
    place.source(bin=place.wrap("pg_dump", "exec " + FOREVER))
    for sign, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        process = place.start("backup")
        ready = wait_until(lambda: place.children(FOREVER))
        time.sleep(0.3)
        process.send_signal(sign)
        began = time.monotonic()
        result = place.wait(process, 30)
        took = time.monotonic() - began
        name = "pg_dump hangs, and signal %d comes" % sign
        place.fails(name, result, code)
        proof.ok("%s: both end soon (%.1f s)" % (name, took), ready and took < 5 and
                 not place.children(FOREVER), place.children(FOREVER))


def loses_server(server, place):
    """The rows cannot be read any more while pg_dump hangs: it is ended, and the reason told."""
    place.source(bin=place.wrap("pg_dump", "exec " + FOREVER))
    server.psql("CREATE TABLE big AS SELECT g AS n, repeat('x', 500)"
                " FROM generate_series(1, 300000) g", "shop")
    process = place.start("backup")
    wait_until(lambda: place.children(FOREVER))
    time.sleep(0.3)
    server.stop(signal.SIGQUIT)
    began = time.monotonic()
    result = place.wait(process, 30)
    took = time.monotonic() - began
    server.start()
    server.psql("DROP TABLE IF EXISTS big", "shop")  # a crash may have lost it
    place.fails("the server goes while pg_dump hangs", result, 14)
    proof.ok("the server goes while pg_dump hangs: both end (%.1f s)" % took, took < 15 and
             not place.children(FOREVER), result)


def absent(place):
    os.makedirs(place.at("empty"), exist_ok=True)
    place.source(bin=place.at("empty"))
    place.fails("there is no pg_dump", place.attempt("backup"), 14, "no pg_dump of version %d or "
                "newer is in %s; install postgresql-client-%d or set the option \"bin\"" % (
                    MAJOR, place.at("empty"), MAJOR))
    folder = place.wrap("pg_dump", "exit 1")
    with open(os.path.join(folder, "pg_dump"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.4'\n")
    place.source(bin=folder)
    place.fails("pg_dump is older than the server", place.attempt("backup"), 14, "no pg_dump of "
                "version %d or newer is in %s" % (MAJOR, folder))


with postgres.Server(MAJOR) as server:
    server.createdb("shop")
    server.psql(SCHEMA, "shop")
    with faults_place.Place(server) as place:
        place.begin()
        for row in BROKEN:
            broken(place, *row)
        hangs(place)
        loses_server(server, place)
        absent(place)
        place.source()
        place.works("after all faults")
        place.check_clean("after all faults")
proof.end()
