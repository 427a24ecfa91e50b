# tests/integration/mysql/by_hand.py
# SPDX-License-Identifier: Apache-2.0
#
# A backup of the torture database is loaded without Backstay: the files of an export, one after the
# other, by the client that comes with the server. What comes of it is compared with the original.
#
# Usage: by_hand.py SERVER
import os
import re
import subprocess
import sys

import place
import mysql
import proof
import same
import torture

ENUM_ZERO = re.compile(r"Warning \(Code 1265\): Data truncated for column '(e|el)' at row 8\n")


def files_of(folder):
    """The SQL files of a database, in the order in which they are run."""
    found = []
    for at, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(at, name), folder) for name in names
                  if name.endswith(".sql")]
    return sorted(found)


def load(server, folder):
    """Runs every file where it lies: the files with rows are named relative to it."""
    failed = []
    for name in files_of(folder):
        path = os.path.join(folder, name)
        # Of rows a warning says that one is another now; of structure, what is out of fashion.
        shown = ["--show-warnings"] if name.startswith("04-data") else []
        with open(path, "rb") as script:
            done = subprocess.run(
                server.command("--binary-mode", "--comments", "--local-infile=1", *shown, "--max-allowed-packet=1G"),
                stdin=script, cwd=os.path.dirname(path), capture_output=True, check=False,
                env=mysql.environment())
        # That an ENUM has none of its values is told in whatever way it is stored.
        said = ENUM_ZERO.sub("", (done.stdout + done.stderr).decode("utf-8", "backslashreplace"))
        if done.returncode != 0 or said:
            failed.append("%s: exit code %d\n%s" % (name, done.returncode, said[:2000]))
    return failed


def main(flavour):
    with mysql.Server(flavour) as server, place.Place(server, torture.NAME, split="1MiB") as there:
        torture.make(server)
        there.attempt("backup")
        there.run("export", "latest", "--output", "snapshot.tar.zst")
        os.mkdir(there.at("files"))
        subprocess.run("zstd -dcq snapshot.tar.zst | tar -x --warning=no-unknown-keyword -C files",
                       shell=True, cwd=there.path, check=True)
        names = sorted(os.listdir(there.at("files")))
        proof.ok("there are accounts and one database", len(names) == 2 and "users.sql" in names, names)
        parts = [name for _, _, names in os.walk(there.at("files")) for name in names
                 if name.endswith(".0002.tsv") and name.startswith("split_")]
        split = [name for name in same.tables(same.Side(server, torture.NAME))
                 if name.startswith("split_")]
        proof.ok("tables with keys of %d kinds come in parts" % len(parts),
                 len(parts) == len(split) > 5, (parts, split))
        with mysql.Server(flavour) as other:
            for folder in (there.at("files", name) for name in names if name != "users.sql"):
                failed = load(other, folder)
                proof.ok("every file of a database loads, its rows without a warning", not failed,
                         "\n".join(failed))
            other.sql(open(there.at("files", "users.sql"), encoding="utf-8").read())
            found = same.compare(same.Side(server, torture.NAME), same.Side(other, torture.NAME))
            proof.ok("the database is equal", not found, "\n".join(found))
            found = same.compare_accounts(server, other)
            proof.ok("accounts and roles are equal", not found, "\n".join(found))


main(sys.argv[1])
proof.end()
