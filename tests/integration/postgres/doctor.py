# tests/integration/postgres/doctor.py
# SPDX-License-Identifier: Apache-2.0
#
# A PostgreSQL source, and what `backstay doctor` says of it.
import json
import os
import re

import place
import postgres
import proof


class Doctor(place.Place):
    """A source and what the doctor says of it."""

    def source(self, database, user=postgres.USER, **options):
        self.write(url=self.server.url(database, user), **options)

    def write(self, **options):
        """Writes the configuration anew: the source has just these options."""
        source = {"type": "postgres", "bin": self.server.tools, **options}
        with open(self.at("backstay.yaml"), "w", encoding="utf-8") as file:
            json.dump({"sources": {"db": source}, "destinations": {
                "local": {"type": "local", "path": "repo"}}, "state_dir": "state"}, file)
        os.chmod(self.at("backstay.yaml"), 0o600)

    def say(self):
        """The findings as (severity, subject, text), in their order."""
        result = self.attempt("doctor", "db", "--json")
        check = result.json()["checks"][0]
        self.code = result.code
        self.error = check["error"]
        self.findings = [(x["severity"], x["subject"], x["text"]) for x in check["findings"]]
        return self.findings

    def of(self, subject):
        """The findings of one subject, anew."""
        return [(severity, text) for severity, about, text in self.say() if about == subject]

    def says(self, name, subject, *expected):
        """The findings of @subject are exactly these, (severity, text)."""
        return self.matches(name, subject, *((severity, re.escape(text))
                                             for severity, text in expected))

    def matches(self, name, subject, *expected):
        """The findings of @subject are these, (severity, regular expression); the texts found."""
        found = self.of(subject)
        same = len(found) == len(expected) and all(
            severity == want and re.fullmatch(pattern, text)
            for (severity, text), (want, pattern) in zip(found, expected))
        proof.ok(name, same, "expected %s\nfound %s\n%s" % (expected, found, self.error))
        return [text for _, text in found]
