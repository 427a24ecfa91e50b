# tests/integration/postgres/torture.py
# SPDX-License-Identifier: Apache-2.0
#
# Makes the torture database of torture/main.sql on a server, with what belongs to the database as a
# whole: owner, rights, settings, comment.
#
#     python3 torture.py MAJOR      makes it on a throwaway server and says what is in it
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import postgres  # noqa: E402

NAME = 'torture "DB" é'
EXTENSION = os.path.join(HERE, "torture", "extension")

DATABASE = """
ALTER DATABASE {name} OWNER TO torture_owner;
ALTER DATABASE {name} SET work_mem = '5MB';
ALTER DATABASE {name} SET search_path = "$user", own, public;
ALTER DATABASE {name} SET "DateStyle" = 'SQL, DMY';
ALTER DATABASE {name} SET "IntervalStyle" = 'sql_standard';
ALTER DATABASE {name} SET bytea_output = 'escape';
ALTER DATABASE {name} SET extra_float_digits = -5;
ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu';
ALTER DATABASE {name} SET xmloption = 'document';
ALTER DATABASE {name} SET "my.setting" = 'it''s "odd"';
ALTER DATABASE {name} SET statement_timeout = '1h';
ALTER ROLE torture_reader IN DATABASE {name} SET enable_seqscan = off;
ALTER DATABASE {name} CONNECTION LIMIT 40;
REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO torture_reader WITH GRANT OPTION;
COMMENT ON DATABASE {name} IS E'a database\\n''comment''';
"""


def quoted(name):
    return '"%s"' % name.replace('"', '""')


def roles(server):
    server.database().file(os.path.join(HERE, "torture", "roles.sql"))


def make(server, name=NAME):
    """Makes the database, and its roles where they are missing."""
    server.install_extension(EXTENSION)
    if server.query("SELECT FROM pg_roles WHERE rolname = 'torture_alone'") == []:
        roles(server)
    server.createdb(name, "--template=template0")
    server.database(name).file(os.path.join(HERE, "torture", "main.sql"))
    # Last: settings such as the date style are for sessions that follow, and for those that read.
    server.psql(DATABASE.format(name=quoted(name)))


def main(major):
    with postgres.Server(major) as server:
        started = time.monotonic()
        make(server)
        print("made on %d in %.1f s" % (major, time.monotonic() - started))
        for row in server.query("SELECT relkind, relpersistence, count(*) FROM pg_class"
                                " WHERE oid >= 16384 GROUP BY 1, 2 ORDER BY 1, 2", NAME):
            print(*row)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) == 2 else 15)
