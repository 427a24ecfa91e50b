# tests/integration/mysql/place.py
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the MySQL source share: a place whose source is a database of a server that the
# test has started.
#
#     with mysql.Server() as server, place.Place(server, "shop") as shop:
#         shop.backup()
#         with shop.scratch() as copy:
#             ...
import contextlib
import os
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e"), os.path.join(HERE, "..", "..", "support")]
import mysql  # noqa: E402
import proof  # noqa: E402


class Place(proof.Place):
    """A place with one source "db": a database of @server; @options are more of its options."""

    def __init__(self, server, database, **options):
        super().__init__()
        self.server = server
        self.source(database, **options)
        self.run("init")

    def source(self, database, **options):
        """Writes the configuration anew. An option of None is left out."""
        source = {"type": "mysql", "url": self.server.url(database), "jobs": 2}
        if self.server.flavour != mysql.INSTALLED:
            source["bin"] = mysql.folders(self.server.flavour)[0]
        source.update(options)
        self.configure({"db": {key: value for key, value in source.items() if value is not None}})

    def backup(self, code=0):
        return self.run("backup", "--json", code=code)

    def restore(self, to, *arguments, code=0):
        return self.run("restore", "latest", "--to", to, "--json", *arguments, code=code)

    @contextlib.contextmanager
    def scratch(self, *arguments, code=0):
        """The report of a restore into a scratch place, and a server to look at it with."""
        result = self.restore("scratch", "--keep", "10m", *arguments, code=code)
        scratch = result.json()["scratch"]
        try:
            yield result, Reached(self.server.flavour, scratch["location"])
        finally:
            self.run("scratch", "remove", "db", scratch["marker"])


class Reached(mysql.Server):
    """A server that somebody else has started, by the URL of its socket. It is not ours to end."""

    def __init__(self, flavour, url):  # pylint: disable=super-init-not-called
        self.flavour = flavour
        self.mariadb = flavour.startswith("mariadb")
        self.socket = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["socket"][0]
        self.client = self.program("mariadb" if self.mariadb else "mysql")
        self.process = None


def facts_are_equal(name, result):
    """The report says that all facts are equal, and that there were some."""
    facts = result.json()["facts"]
    return proof.ok(name, facts["outcome"] == "equal" and facts["equal"] > 0 and
                    facts["equal"] == facts["in_scope"], result)
