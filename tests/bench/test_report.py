# tests/bench/test_report.py
# SPDX-License-Identifier: Apache-2.0
"""Tests of what a report rests on; run starts them before it measures."""

import os
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace

import tables
from goals import GROUPS, Goal, judge
from works import Tree


def results(backstay, restic, value="seconds", step="initial"):
    return {step: {"backstay": {value: backstay}, "restic": {value: restic}}}


class Goals(unittest.TestCase):
    faster = Goal("small", "initial", "seconds", "faster", 2)
    at_most = Goal("small", "initial", "stored", "at most", 0.5)
    alone = Goal("small", "initial", "seconds", "at most", 0.1, "")
    peak = Goal("small", "any", "peak", "at most", 1)

    def test_as_fast_as_wanted_is_reached(self):
        self.assertEqual(judge(self.faster, results(1.0, 2.0)), (2.0, True))

    def test_a_little_slower_than_wanted_is_missed(self):
        self.assertEqual(judge(self.faster, results(1.0, 1.99)), (1.99, False))

    def test_a_larger_repository_than_wanted_is_missed(self):
        self.assertEqual(judge(self.at_most, results(6, 10, "stored")), (0.6, False))
        self.assertEqual(judge(self.at_most, results(5, 10, "stored")), (0.5, True))

    def test_a_limit_in_seconds_needs_no_other_tool(self):
        self.assertEqual(judge(self.alone, {"initial": {"backstay": {"seconds": 0.2}}}),
                         (0.2, False))

    def test_the_worst_step_decides_about_memory(self):
        both = results(1, 5, "peak") | results(6, 2, "peak", "check")
        self.assertEqual(judge(self.peak, both), (1.2, False))

    def test_the_best_of_a_group_decides_in_its_own_step_or_another(self):
        names = GROUPS["the best pg_restore"]
        found = {"tuned": {"backstay": {"seconds": 6}} | {name: {"seconds": 7} for name in names},
                 "default": {name: {"seconds": 9} for name in names}}
        found["default"][names[1]]["seconds"] = 8
        goal = Goal("postgres", "tuned", "seconds", "at most", 0.75, "the best pg_restore")
        self.assertEqual(judge(goal, found), (6 / 7, False))
        elsewhere = replace(goal, other_step="default")
        self.assertEqual(judge(elsewhere, found), (0.75, True))
        del found["default"][names[0]]
        self.assertEqual(judge(elsewhere, found), (None, None))

    def test_a_limit_in_bytes_needs_no_other_tool(self):
        goal = Goal("postgres", "unchanged", "stored", "at most", 1e6, "")
        self.assertEqual(judge(goal, results(1000001, 1, "stored", "unchanged")), (1000001, False))

    def test_a_goal_without_a_measurement_is_neither_reached_nor_missed(self):
        failed = {"initial": {"backstay": {"error": "exit code 1"}, "restic": {"seconds": 2.0}}}
        self.assertEqual(judge(self.faster, failed), (None, None))
        self.assertEqual(judge(self.faster, {"initial": {"backstay": {"seconds": 2.0}}}),
                         (None, None))


class Tables(unittest.TestCase):
    def test_a_failed_tool_shows_why_instead_of_numbers(self):
        lines = tables.measured([("initial", "initial")], ["borg"],
                                {"initial": {"borg": {"error": "exit code 2: no space"}}},
                                (("time to restic's", "restic"), ("time to floor's", "floor")))
        self.assertEqual(lines[2], "| initial | borg | **failed**: exit code 2: no space"
                                   + " | –" * 6 + " |")

    def test_a_tool_that_takes_no_part_in_a_step_has_no_row(self):
        values = {"seconds": 2.0, "least": 1.0, "most": 3.0, "cpu": 4.0, "peak": 2**20}
        lines = tables.measured([("initial", "first"), ("tuned", "restore")], ["floor", "other"],
                                {"initial": {"floor": values}, "tuned": {"other": values}},
                                (("time to floor's", "floor"),))
        numbers = "2.00 | 1.00–3.00 | 4.00 | 1 | –"
        self.assertEqual(lines[2:], [f"| first | floor | {numbers} | 1.00 |",
                                     f"| restore | other | {numbers} | – |"])

    def test_a_limit_is_written_in_its_unit(self):
        goal = Goal("postgres", "any", "peak", "at most", 256e6, "")
        self.assertEqual(tables.wanted_text(goal, {}), ("all steps, peak memory", "at most 256 MB"))
        self.assertEqual(tables.got_text(goal, 91.26e6), "91.3 MB")

    def test_a_goal_says_in_which_other_step_the_others_are_measured(self):
        goal = Goal("mysql", "tuned", "seconds", "faster", 3, "mariadb-dump", "default")
        titles = {"tuned": "restore", "default": "restore elsewhere"}
        self.assertEqual(tables.wanted_text(goal, titles),
                         ("restore", '3x faster than mariadb-dump in "restore elsewhere"'))
        self.assertEqual(tables.wanted_text(replace(goal, kind="at most"), titles),
                         ("restore", 'at most 3x mariadb-dump\'s in "restore elsewhere"'))

    def test_a_small_scale_judges_nothing(self):
        lines = tables.goals("small", [("initial", "initial")], results(1.0, 9.0), full=False)
        self.assertIn("| initial | 2.3x faster than restic | 9.00x | not judged at this scale |",
                      lines)
        lines = tables.goals("small", [("initial", "initial")], results(1.0, 9.0), full=True)
        self.assertIn("| initial | 2.3x faster than restic | 9.00x | reached |", lines)


class Measure(unittest.TestCase):
    """`run` has built the program that the variable names."""

    def measure(self, script):
        with tempfile.NamedTemporaryFile() as report:
            done = subprocess.run([os.environ["BENCH_MEASURE"], report.name, sys.executable, "-c",
                                   script], check=False)
            names = ("seconds", "user", "system", "peak", "own", "status")
            values = map(float, report.read().split())
        found = dict(zip(names, values, strict=True))
        self.assertEqual(done.returncode, found["status"])
        return found

    def test_memory_of_a_child_counts_for_the_largest_process_only(self):
        found = self.measure("import subprocess, sys, time; time.sleep(0.1); subprocess.run("
                             "[sys.executable, '-c', 'b = bytearray(100 << 20)'])")
        self.assertGreater(found["peak"], 100 << 10)
        self.assertLess(found["own"], 50 << 10)

    def test_memory_of_the_command_itself_is_its_own(self):
        found = self.measure("import time; b = bytearray(100 << 20); time.sleep(0.1)")
        self.assertGreater(found["own"], 100 << 10)

    def test_a_daemon_that_outlives_the_command_counts_with_its_time_on_the_processor(self):
        found = self.measure("import os, time\nif os.fork() == 0:\n    os.setsid()\n"
                             "    end = time.process_time() + 0.8\n"
                             "    while time.process_time() < end: pass\n")
        self.assertGreater(found["user"] + found["system"], 0.8)
        self.assertLess(found["seconds"], 0.8)

    def test_the_exit_code_is_that_of_the_command(self):
        self.assertEqual(self.measure("raise SystemExit(7)")["status"], 7)


class Works(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for i in range(200):
            path = os.path.join(self.folder.name, "tree", str(i % 10), f"file {i}")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"%d\n" % i * i)
            os.utime(path, ns=(i, i))

    def look(self):
        """A fresh look at the tree as a later run has it: {path: (bytes, mtime)}."""
        work = Tree("small", "", self.folder.name)
        work.measure()
        found = {}
        for path, _ in work.files:
            with open(os.path.join(work.tree, path), "rb") as file:
                found[path] = file.read(), os.stat(file.fileno()).st_mtime_ns
        return work, found

    def test_two_percent_of_the_files_change_and_the_one_restored_alone_does_not(self):
        work, before = self.look()
        work.change()
        _, after = self.look()
        changed = [path for path in before if before[path][0] != after[path][0]]
        self.assertEqual(len(changed), 4)
        self.assertNotIn(work.one_file, changed)

    def test_a_later_run_undoes_what_a_stopped_one_changed(self):
        work, before = self.look()
        work.change()
        later, _ = self.look()
        later.undo()
        self.assertEqual(self.look()[1], before)


if __name__ == "__main__":
    unittest.main()
