# tests/integration/postgres/place.py
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the PostgreSQL source share: a place whose source is a database of a server that
# the test has started.
#
#     with postgres.Server(15) as server, place.Place(server, "shop") as shop:
#         shop.backup()
#         with shop.scratch() as copy:
#             ...
import contextlib
import os
import sys
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e"), os.path.join(HERE, "..", "..", "support")]
import postgres  # noqa: E402
import proof  # noqa: E402


class Place(proof.Place):
    """A place with one source "db": a database of @server; @options are more of its options."""

    def __init__(self, server, database, user=postgres.USER, **options):
        super().__init__()
        self.server = server
        self.source(database, user, **options)
        self.run("init")

    def source(self, database, user=postgres.USER, **options):
        """Writes the configuration anew."""
        source = {"type": "postgres", "url": self.server.url(database, user),
                  "bin": self.server.tools, "scratch_bin": self.server.bin, **options}
        self.configure({"db": source})

    def backup(self, code=0):
        return self.run("backup", "--json", code=code)

    def restore(self, to, *arguments, code=0):
        return self.run("restore", "latest", "--to", to, "--json", *arguments, code=code)

    @contextlib.contextmanager
    def scratch(self, *arguments, code=0):
        """The report of a restore into a scratch place, and the URL of each database there."""
        result = self.restore("scratch", "--keep", "10m", *arguments, code=code)
        scratch = result.json()["scratch"]
        try:
            yield result, lambda name: scratch["location"].replace("///postgres?",
                                                                   "///%s?" % quote(name, ""))
        finally:
            self.run("scratch", "remove", "db", scratch["marker"])


def facts_are_equal(name, result):
    """The report says that all facts are equal, and that there were some."""
    facts = result.json()["facts"]
    return proof.ok(name, facts["outcome"] == "equal" and facts["equal"] > 0 and
                    facts["equal"] == facts["in_scope"], result)
