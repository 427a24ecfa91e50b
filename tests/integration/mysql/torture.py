# tests/integration/mysql/torture.py
# SPDX-License-Identifier: Apache-2.0
#
# Makes the torture database of torture/*.sql on a server, and what SQL cannot make in a few words:
# every character of every charset, bytes that their charset does not have, values of 64 MiB.
#
#     python3 torture.py SERVER      makes it on a throwaway server and says what is in it
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import mysql  # noqa: E402

NAME = "torture `DB` é"
PRELUDE = """
SET NAMES utf8mb4; SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; SET time_zone = '+00:00';
SET SESSION max_statement_time = 0;
"""
LARGE = 64 << 20

# Characters that are looked for in every charset.
CHARACTERS = [code for start, end in (
    (0x00, 0x600), (0xE00, 0xE60), (0x10A0, 0x1100), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x2100, 0x2270), (0x2500, 0x2600),
    (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAC60), (0xF900, 0xF920), (0xFF00, 0xFFF0),
    (0x1F600, 0x1F610), (0x20000, 0x20008), (0x10FFF0, 0x10FFFE)) for code in range(start, end)]

# Bytes that are nothing in their charset, as a server of older days let them in; MyISAM stores both
# kinds of column the same way, so its file of one table is put in the place of the other's.
INVALID = {
    "latin1": ["81", "8D", "9D", "C3A9", "00"],
    "ascii": ["80", "FF", "C3A9", "5C80"],
    "ucs2": ["D83D", "DE00", "0000", "FFFF"],
    "cp1250": ["81", "83"],
    "cp1257": ["A1", "A5"],
    "hebrew": ["FB", "BF"],
    "tis620": ["FF", "DB"],
    "greek": ["D2", "FF", "AE"],
}

# The same in charsets of which a server looks at every byte that it is given: it lets none of these
# in by any statement.
REFUSED = {
    "utf8mb4": ["FF", "C0AF", "E282", "F0", "61FF62", "EDA080"],
    "utf8mb3": ["F09F9880", "E9", "5CFF5C"],
    "utf16": ["D83D0041", "DE00", "D83D"],
    "sjis": ["81", "8100", "FD"],
    "cp932": ["8100", "FFFF", "A0"],
    "gbk": ["FF", "8127", "81"],
    "big5": ["FF", "A427", "81"],
    "euckr": ["FF", "A1", "A15C"],
    "ujis": ["8F", "8E5C", "FF"],
}


def roles(server):
    """Accounts and roles, which belong to no database."""
    run(server, "users-%s.sql" % product(server), None)


def product(server):
    return "mariadb" if server.mariadb else "mysql"


def run(server, name, database, **words):
    with open(os.path.join(HERE, "torture", name), encoding="utf-8") as file:
        script = file.read()
    for word, text in words.items():
        script = script.replace("{%s}" % word, text)
    prelude = PRELUDE if server.mariadb else PRELUDE.replace("max_statement_time", "max_execution_time")
    server.sql(prelude + script, database)


def charsets(server):
    return server.column("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS"
                         " WHERE CHARACTER_SET_NAME NOT IN ('binary') ORDER BY 1")


def every_charset(server, database):
    script = ["CREATE TABLE characters (n int PRIMARY KEY, c char(1) CHARACTER SET utf8mb4 COLLATE"
              " utf8mb4_bin);"]
    values = ["(%d, CONVERT(_utf32 X'%08X' USING utf8mb4))" % (code, code) for code in CHARACTERS
              if not 0xD800 <= code < 0xE000]
    script.append("INSERT INTO characters VALUES %s;" % ",".join(values))
    for charset in charsets(server):
        table = mysql.ident("charset_" + charset)
        script.append(
            "CREATE TABLE {table} (n int PRIMARY KEY, c varchar(2) CHARACTER SET {charset}, t text"
            " CHARACTER SET {charset});"
            "INSERT INTO {table} SELECT n, CONVERT(c USING {charset}), CONVERT(CONCAT(c, '\\\\', c)"
            " USING {charset}) FROM characters WHERE CONVERT(CONVERT(c USING {charset}) USING utf8mb4)"
            " COLLATE utf8mb4_bin = c;".format(table=table, charset=charset))
    server.sql(PRELUDE.split("SET SESSION")[0] + "".join(script), database)


def folder_of(server, file):
    """Where the server has a file of a table: it writes names of databases in a way of its own."""
    for name in os.listdir(server.data):
        if os.path.exists(os.path.join(server.data, name, file)):
            return os.path.join(server.data, name)
    raise mysql.Failed("%s has no %s" % (server.data, file))


def invalid_bytes(server, database, invalid=None):
    invalid = invalid or INVALID
    script, finish = [], []
    for charset, values in invalid.items():
        rows = ",".join("(%d, X'%s', X'%s')" % (n, value, value) for n, value in enumerate(values))
        for name, kind in (("bytes", "varbinary(8)"), ("text", "varchar(%d) CHARACTER SET " % width(
                charset) + charset)):
            script.append("CREATE TABLE invalid_{name}_{charset} (n int PRIMARY KEY, v {kind}, w {kind})"
                          " ENGINE = MyISAM;".format(name=name, charset=charset, kind=kind))
        script.append("INSERT INTO invalid_bytes_%s VALUES %s;" % (charset, rows))
        finish.append("REPAIR TABLE invalid_text_{0}; CREATE TABLE invalid_{0} LIKE invalid_text_{0};"
                      "ALTER TABLE invalid_{0} ENGINE = InnoDB; INSERT INTO invalid_{0} SELECT * FROM"
                      " invalid_text_{0}; DROP TABLE invalid_bytes_{0}, invalid_text_{0};".format(charset))
    server.sql("SET sql_mode = '';" + "".join(script) + "FLUSH TABLES;", database)
    folder = folder_of(server, "invalid_bytes_%s.MYD" % min(invalid))
    for charset in invalid:
        with open(os.path.join(folder, "invalid_bytes_%s.MYD" % charset), "rb") as source, \
                open(os.path.join(folder, "invalid_text_%s.MYD" % charset), "wb") as target:
            shutil.copyfileobj(source, target)
    server.sql("SET sql_mode = ''; FLUSH TABLES;" + "".join(finish), database)


def width(charset):
    """So many characters as need eight bytes."""
    return {"utf8mb4": 2, "utf8mb3": 2, "ucs2": 4, "utf16": 2, "ujis": 2}.get(
        charset, 4 if charset in ("sjis", "cp932", "gbk", "big5", "euckr") else 8)


def large_values(server, database):
    every_byte = "".join("%02X" % byte for byte in range(256))
    server.sql(
        "INSERT INTO large VALUES (3, X'{0}', NULL), (4, REPEAT(X'{0}', {1}), NULL),"
        " (5, NULL, REPEAT('é\\\\\\n\\t0', {2}));".format(every_byte, LARGE // 256, (16 << 20) // 6),
        database)


def make(server, name=NAME):
    """Makes the database, and accounts and roles where they are missing."""
    if server.query("SELECT 1 FROM mysql.user WHERE User = 'torture_locked'") == []:
        roles(server)
    server.sql("CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci" %
               mysql.ident(name))
    for file in ("base.sql", "types.sql", "types-%s.sql" % product(server), "tables.sql",
                 "tables-%s.sql" % product(server), "names.sql", "code.sql"):
        run(server, file, name)
    if server.mariadb:
        run(server, "code-mariadb.sql", name)
    run(server, "rights.sql", None, db=mysql.ident(name))
    every_charset(server, name)
    invalid_bytes(server, name)
    large_values(server, name)


def main(flavour):
    with mysql.Server(flavour) as server:
        started = time.monotonic()
        make(server)
        print("made on %s in %.1f s" % (flavour, time.monotonic() - started))
        for row in server.query("SELECT TABLE_TYPE, ENGINE, count(*) FROM information_schema.TABLES"
                                " WHERE TABLE_SCHEMA = %s GROUP BY 1, 2" % mysql.literal(NAME)):
            print(*row)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else mysql.INSTALLED)
