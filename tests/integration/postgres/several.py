# tests/integration/postgres/several.py
# SPDX-License-Identifier: Apache-2.0
#
# Several databases in one snapshot, each in another encoding: bytes that are no text in any other
# are kept as they are.
#
# Usage: several.py MAJOR
import sys

import place
import postgres
import proof
import same

DATABASES = {
    "latin": ("LATIN1", "C", """
        SET client_encoding = 'LATIN1';
        CREATE TABLE "n\xe4me" (id int PRIMARY KEY, t text);
        INSERT INTO "n\xe4me" SELECT i, chr(i) FROM generate_series(1, 255) i;
        COMMENT ON TABLE "n\xe4me" IS 'caf\xe9';"""),
    "ascii": ("SQL_ASCII", "C", """
        CREATE TABLE bytes (id int PRIMARY KEY, t text);
        INSERT INTO bytes SELECT i, convert_from(set_byte('x', 0, i), 'SQL_ASCII')
        FROM generate_series(1, 255) i;"""),
    "utf": ("UTF8", "C.UTF-8", """
        CREATE TABLE t (id int PRIMARY KEY, t text);
        INSERT INTO t SELECT i, chr(i * 100) FROM generate_series(1, 500) i;"""),
    "nothing at all": ("UTF8", "C.UTF-8", ""),
}


def make(server):
    for name, (encoding, locale, script) in DATABASES.items():
        server.createdb(name, "--template=template0", "--encoding=" + encoding,
                        "--locale=" + locale)
        server.database(name).tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-",
                                   text=script.encode("latin-1"))


def compare(name, original, url):
    found = same.compare(original, postgres.Database(url, original.tools), without=["role"])
    proof.ok(name, not found, "\n".join(found))


def provider(server, there):
    """What a managed server has beside its customers' databases."""
    server.psql("CREATE ROLE customer LOGIN BYPASSRLS")
    for name in ("rdsadmin", "theirs"):
        server.createdb(name)
        server.psql("REVOKE CONNECT ON DATABASE %s FROM PUBLIC" % name)
    for name in [*DATABASES, *("copy of " + name for name in DATABASES)]:
        server.database(name).psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO customer")
    there.source("customer", user="customer", databases="all")
    result = there.attempt("backup")
    proof.ok("a database that may not be entered is named", result.code == 14 and
             "theirs" in result.err and "rdsadmin" not in result.err, result)
    server.psql("GRANT CONNECT ON DATABASE theirs TO customer")
    there.backup()
    found = there.run("ls", "latest").out
    proof.ok("the provider's own databases are left out",
             "theirs/schema.dump" in found and "rdsadmin" not in found, found)


def main(major):
    with postgres.Server(major) as server:
        make(server)
        with place.Place(server, postgres.USER, databases="all") as there:
            there.backup()
            with there.scratch() as (result, url):
                place.facts_are_equal("all databases: all facts are equal", result)
                for name in DATABASES:
                    compare("all databases: %s is equal" % name, server.database(name),
                            url(name))
            for name in DATABASES:
                copy = "copy of " + name
                result = there.restore(server.url(copy), "--database", name)
                place.facts_are_equal("%s alone: all facts are equal" % name, result)
                compare("%s alone: the copy is equal" % name, server.database(name),
                        server.url(copy))
            result = there.attempt("restore", "latest", "--to", server.url("x"), "--database", "y")
            proof.ok("a database that the snapshot does not have is named",
                     result.code == 10 and
                     "backstay: error: source db: the snapshot has no database y\n" in result.err,
                     result)
            there.source(postgres.USER, databases=["latin", "ascii"])
            there.backup()
            found = there.run("ls", "latest").out
            proof.ok("only the named databases are kept",
                     "latin/schema.dump" in found and "utf/schema.dump" not in found, found)
            provider(server, there)


main(int(sys.argv[1]))
proof.end()
