# tests/integration/mysql/doctor.py
# SPDX-License-Identifier: Apache-2.0
#
# A MySQL source, and what `backstay doctor` says of it.
import re

import place
import proof


class Doctor(place.Place):
    """A source, and what the doctor says of it."""

    def say(self):
        """The findings as (severity, subject, text), in their order."""
        self.result = self.attempt("doctor", "db", "--json")
        check = self.result.json()["checks"][0]
        self.error = check["error"]
        return [(x["severity"], x["subject"], x["text"]) for x in check["findings"]]

    def of(self, subject):
        return [(severity, text) for severity, about, text in self.say() if about == subject]

    def says(self, name, subject, *expected):
        """The findings of @subject are exactly these, (severity, text)."""
        found = self.of(subject)
        proof.ok(name, found == list(expected), "expected %s\nfound %s\n%s" % (
            expected, found, self.error))

    def matches(self, name, subject, severity, pattern):
        """The only finding of @subject is this, a regular expression; its text."""
        found = self.of(subject)
        proof.ok(name, len(found) == 1 and found[0][0] == severity and
                 re.fullmatch(pattern, found[0][1], re.S), "%s\n%s" % (found, self.error))
        return found[0][1] if found else ""
