# tests/bench/goals.py
# SPDX-License-Identifier: Apache-2.0
"""What Backstay is to reach, one row each, and whether it did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`value` of backstay in `step`, against that of `other`, or as it is when there is none.

    A group as the other: the least value of its tools. `other_step`: theirs in another step.
    "at most": backstay's value, as a multiple of the other's, may not be above `limit`.
    "faster": the other's value is to be at least `limit` times backstay's.
    """

    work: str
    step: str
    value: str
    kind: str
    limit: float
    other: str = "restic"
    other_step: str = ""


GROUPS = {"the best pg_restore": ("pg_dump -Fc", "pg_dump -Fd", "pg_dump-17 -Fd"),
          "the best myloader": ("mydumper", "mydumper -c", "mydumper -F 64")}

GOALS = [
    Goal("small", "initial", "seconds", "at most", 1.5, "floor"),
    Goal("small", "initial", "seconds", "faster", 2.3),
    Goal("small", "initial", "stored", "at most", 0.88),
    Goal("small", "unchanged", "seconds", "faster", 5),
    Goal("small", "changed", "seconds", "faster", 4),
    Goal("small", "restore", "seconds", "faster", 2.5),
    Goal("small", "one", "seconds", "at most", 0.1, ""),
    Goal("small", "check", "seconds", "faster", 3),
    Goal("small", "any", "peak", "at most", 1),
    Goal("media", "initial", "seconds", "faster", 3),
    Goal("media", "any", "peak", "at most", 1),
    Goal("heap", "initial", "seconds", "faster", 1.8),
    Goal("heap", "restore", "seconds", "faster", 1.5),
    Goal("heap", "changed", "stored", "at most", 0.25),
    Goal("heap", "any", "peak", "at most", 1),
    Goal("postgres", "initial", "seconds", "at most", 1, "pg_dump-17 -Fd"),
    Goal("postgres", "initial", "seconds", "faster", 3, "pg_dump -Fd"),
    Goal("postgres", "unchanged", "seconds", "at most", 1.15, "floor"),
    Goal("postgres", "unchanged", "stored", "at most", 1e6, ""),
    Goal("postgres", "tuned", "seconds", "at most", 0.75, "the best pg_restore"),
    Goal("postgres", "tuned", "seconds", "at most", 0.75, "the best pg_restore",
         "default"),
    Goal("postgres", "any", "peak", "at most", 256e6, ""),
    Goal("mysql", "initial", "seconds", "at most", 0.7, "mariadb-dump to zstd"),
    Goal("mysql", "initial", "seconds", "faster", 4, "mydumper -c"),
    Goal("mysql", "unchanged", "seconds", "at most", 1.3, "mydumper"),
    Goal("mysql", "unchanged", "stored", "at most", 1e6, ""),
    Goal("mysql", "tuned", "seconds", "at most", 0.6, "the best myloader"),
    Goal("mysql", "tuned", "seconds", "at most", 0.6, "the best myloader", "default"),
    Goal("mysql", "tuned", "seconds", "faster", 3, "mariadb-dump"),
    Goal("mysql", "tuned", "seconds", "faster", 3, "mariadb-dump", "default"),
    Goal("mysql", "any", "peak", "at most", 256e6, ""),
]


def lookup(results, step, tool, value):
    """The median, or None where nothing was measured. The step "any" is the worst of all."""
    if step != "any":
        return results.get(step, {}).get(tool, {}).get(value)
    found = [tools.get(tool, {}).get(value) for tools in results.values()]
    found = [number for number in found if number is not None]
    return max(found) if found else None


def judge(goal, results):
    """(reached factor or value, True/False), or (None, None) when something was not measured."""
    mine = lookup(results, goal.step, "backstay", goal.value)
    if mine is None:
        return None, None
    if not goal.other:
        return mine, mine <= goal.limit
    others = [lookup(results, goal.other_step or goal.step, name, goal.value)
              for name in GROUPS.get(goal.other, [goal.other])]
    if None in others:
        return None, None
    other = min(others)
    if goal.kind == "faster":
        got = other / mine if mine else float("inf")
        return got, got >= goal.limit
    got = mine / other if other else float("inf")
    return got, got <= goal.limit
