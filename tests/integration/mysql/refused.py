# tests/integration/mysql/refused.py
# SPDX-License-Identifier: Apache-2.0
#
# Bytes that are nothing in their charset, and that a server lets in by no statement: the backup has
# them and says so; a restore does not pretend that they came back.
#
# Usage: refused.py SERVER
import sys

import place
import mysql
import proof
import torture


def main(flavour):
    with mysql.Server(flavour) as server, mysql.Server(flavour) as other:
        server.sql("CREATE DATABASE old")
        torture.invalid_bytes(server, "old", torture.REFUSED)
        with place.Place(server, "old") as there:
            result = there.backup(code=3)
            # Of UTF-8 the backup looks at every byte; of other charsets a server has to tell.
            unnamed = [charset for charset in ("utf8mb3", "utf8mb4")
                       if "old.invalid_%s: " % charset not in result.err]
            proof.ok("the backup names each table that has such texts in UTF-8", not unnamed,
                     "%s\n%s" % (unnamed, result))
            result = there.attempt("restore", "latest", "--to", other.url("old"))
            proof.ok("a restore fails, and names the table", result.code not in (0, 3) and
                     "load table old.invalid_" in result.err, result)
            proof.ok("nothing is left of it", other.query("SHOW DATABASES LIKE 'old'") == [], result)


main(sys.argv[1])
proof.end()
