# tests/e2e/database.py
# SPDX-License-Identifier: Apache-2.0
#
# What the program does with a source that behaves as a database does
# (tests/support/fake_database.c): facts compared after a restore, scratch places, chosen tables,
# replacing, passwords, preflight. The real databases are tested with their servers.
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import proof

PLUGINS = os.path.join(os.path.dirname(os.path.dirname(proof.BACKSTAY)), "plugins")
FAKE = os.environ["BACKSTAY_FAKE_PLUGIN"]
TABLES = {"items": "1\n2\n3\n", "orders": "a\nb\n"}


class Database(proof.Place):
    """A place with a database named db, and the plugins that it needs."""

    def __enter__(self):
        os.mkdir(self.at("plugins"), 0o700)
        shutil.copy(FAKE, self.at("plugins"))
        for name in ("source-media.so", "destination-local.so"):
            shutil.copy(os.path.join(PLUGINS, name), self.at("plugins"))
        os.mkdir(self.at("db"))
        os.mkdir(self.at("scratches"))
        for name, rows in TABLES.items():
            self.table("db", name, rows)
        self.behave()
        return self

    def behave(self, misbehave="", version="1", **more):
        """Writes the configuration: how the database behaves from now on."""
        source = {"type": "fakedb", "path": "db", "scratch": "scratches", "version": version}
        if misbehave:
            source["misbehave"] = misbehave
        sources = {"db": source}
        sources.update(more)
        self.use(sources)

    def use(self, sources):
        with open(self.at("backstay.yaml"), "w", encoding="utf-8") as file:
            json.dump({"sources": sources,
                       "destinations": {"local": {"type": "local", "path": "repo"}},
                       "state_dir": "state", "plugin_dir": "plugins"}, file)
        os.chmod(self.at("backstay.yaml"), 0o600)

    def table(self, folder, name, rows):
        with open(self.at(folder, name), "w", encoding="utf-8") as file:
            file.write(rows)

    def scratches(self):
        return sorted(os.listdir(self.at("scratches")))

    def back_up(self):
        self.run("init")
        self.run("backup")

    def says(self, name, result, code, *lines):
        """The exit code, and lines of either output; '*' in them stands for anything."""
        text = result.out + result.err
        wanted = ["^" + re.escape(line).replace(r"\*", ".*") + "$" for line in lines]
        holds = result.code == code and all(re.search(line, text, re.M) for line in wanted)
        proof.ok(name, holds, "%s\nwanted: exit code %d, %s" % (result, code, lines))


def a_copy_is_compared():
    with Database() as place:
        place.back_up()
        result = place.attempt("restore", "db@latest", "--to", "copy")
        place.says("a faithful copy is equal", result, 0,
                   "restored 2 entries of snapshot * (10 B) to copy in 0.0 s",
                   "facts: 5 of 5 equal")
        result = place.attempt("restore", "db@latest", "--to", "copy2", "--no-compare")
        place.says("who does not want a comparison is told that there was none", result, 0,
                   "facts: not compared (--no-compare)")
        place.behave("lose_row")
        result = place.attempt("restore", "db@latest", "--to", "copy3")
        place.says("a lost row is named", result, 4, "facts: 1 of 5 equal; 4 different",
                   "  table:items:rows: recorded 3, found 2",
                   "backstay: error: the copy is not what was backed up: 4 facts differ from the "
                   "snapshot")
        facts = place.attempt("restore", "db@latest", "--to", "copy4", "--json").json()["facts"]
        proof.ok("JSON has the difference", facts["outcome"] == "different" and
                 {"name": "table:items:rows", "verdict": "different", "recorded": "3",
                  "found": "2"} in facts["differences"], facts)
        place.behave("add_table")
        result = place.attempt("restore", "db@latest", "--to", "copy5")
        place.says("a table too many is named", result, 4,
                   "facts: 4 of 5 equal; 1 different, 2 not expected",
                   "  table:surprise:rows: found 1, not recorded")
        place.behave(version="2")
        result = place.attempt("restore", "db@latest", "--to", "copy6")
        place.says("another version is said not to be comparable", result, 0,
                   "facts: 3 of 5 equal; 2 not comparable between these versions")


def a_long_list_is_cut():
    with Database() as place:
        for i in range(1200):
            place.table("db", "t%04d" % i, "x\n")
        place.back_up()
        place.behave("change_value")
        result = place.attempt("restore", "db@latest", "--to", "copy")
        place.says("20 differences are shown and the others counted", result, 4,
                   "facts: 1,203 of 2,405 equal; 1,202 different",
                   "  and 1182 more; --json has all")
        shown = [line for line in result.out.splitlines() if "recorded" in line]
        proof.ok("there are 20 lines, in order", len(shown) == 20 and shown == sorted(shown), shown)
        facts = place.attempt("restore", "db@latest", "--to", "copy2", "--json").json()["facts"]
        proof.ok("--json has all", len(facts["differences"]) == 1202 and facts["in_scope"] == 2405,
                 facts["outcome"])


def nothing_to_compare_is_no_success():
    with Database() as place:
        place.behave("no_facts")
        place.back_up()
        place.behave()
        result = place.attempt("restore", "db@latest", "items", "--to", "copy")
        place.says("a snapshot without facts proves nothing", result, 3,
                   "backstay: warning: nothing to compare with: the snapshot has no facts about "
                   "what was restored")
        place.behave("fail_probe")
        result = place.attempt("restore", "db@latest", "--to", "copy2")
        place.says("a copy that does not answer is no success", result, 14,
                   "backstay: error: restored, but not compared with what was backed up: source "
                   "db: ask the copy: connection lost")


def scratch_places():
    with Database() as place:
        place.back_up()
        result = place.attempt("restore", "db@latest", "--to", "scratch", "--keep", "90m")
        marker = (place.scratches() or ["none"])[0]
        place.says("a scratch place is described", result, 0,
                   "restored 2 entries of snapshot * (10 B) to a scratch place in 0.0 s",
                   "facts: 5 of 5 equal", "to reach it: ls */" + marker,
                   "it stays until 20*-*-* *:*:* UTC; to remove it before: backstay -c "
                   "backstay.yaml scratch remove db " + marker)
        result = place.attempt("scratch", "remove", "db", marker)
        place.says("it is removed on demand", result, 0,
                   "removed the scratch place %s of db" % marker)
        proof.ok("and is gone", place.scratches() == [], place.scratches())
        result = place.attempt("scratch", "remove", "db", marker)
        place.says("what is gone cannot be removed", result, 14,
                   "backstay: error: source db: %s: there is no such scratch place" % marker)
        result = place.attempt("restore", "db@latest", "--to", "scratch", "--keep", "0")
        place.says("--keep 0 leaves nothing", result, 0, "the scratch place is removed again")
        proof.ok("nothing is left", place.scratches() == [], place.scratches())
        result = place.attempt("restore", "db@latest", "--to", "scratch", "--json")
        scratch = result.json()["scratch"]
        proof.ok("JSON says how to reach it", scratch["marker"] == place.scratches()[0] and
                 scratch["reach"].startswith("ls /") and scratch["until"].endswith("Z"), result)
        proof.ok("JSON has the phases", set(result.json()["phases"]) ==
                 {"scratch", "restore", "compare"} and result.json()["to"] == "scratch", result)
        place.remove("scratches")
        os.mkdir(place.at("scratches"))
        shutil.copy(place.at("backstay.yaml"), place.at("the shop's.yaml"))
        result = place.attempt("restore", "db@latest", "--to", "scratch", config="the shop's.yaml")
        command = result.out.rpartition("to remove it before: ")[2]
        proof.ok("the command to remove it is right for a shell", len(place.scratches()) == 1 and
                 subprocess.run(["/bin/sh", "-c", command], cwd=place.path, check=False,
                                env={"PATH": os.path.dirname(proof.BACKSTAY)}).returncode == 0 and
                 place.scratches() == [], result)
        place.behave("fail_restore")
        result = place.attempt("restore", "db@latest", "--to", "scratch")
        place.says("a restore that fails says why", result, 14,
                   "backstay: error: source db: *: the connection was lost")
        proof.ok("and leaves no scratch place", place.scratches() == [], place.scratches())
        place.behave("fail_remove")
        result = place.attempt("restore", "db@latest", "--to", "scratch", "--keep", "0")
        place.says("one that cannot be removed is named", result, 3,
                   "backstay: error: the scratch place %s is left behind: *" % place.scratches()[0])


def ctrl_c():
    with Database() as place:
        place.back_up()
        place.behave("wait")
        process = place.start("restore", "db@latest", "--to", "scratch")
        for _ in range(200):
            if place.scratches():
                break
            time.sleep(0.05)
        proof.ok("the scratch place is there meanwhile", len(place.scratches()) == 1)
        process.send_signal(signal.SIGINT)
        result = place.wait(process)
        place.says("Ctrl-C stops it", result, 130, "backstay: error: stopped on request")
        proof.ok("and removes the scratch place", place.scratches() == [], place.scratches())


def a_part_of_it():
    with Database() as place:
        place.back_up()
        result = place.attempt("restore", "db@latest", "--to", "copy", "--table", "orders")
        place.says("one table is restored and compared", result, 0, "facts: 2 of 2 equal")
        proof.ok("and no other", os.listdir(place.at("copy")) == ["orders"])
        for arguments, message in (
                (["--jobs", "2"], "source db: its plugin fakedb does not know the restore option "
                                  '"jobs"'),
                (["--jobs", "0"], "option `--jobs` must be a number from 1 to 1024, not `0`"),
                (["--keep", "1h"], "--keep is about a scratch place: it goes with --to scratch"),
                (["--schema-only", "--data-only"], "--schema-only and --data-only leave nothing to "
                                                   "restore: leave one out")):
            result = place.attempt("restore", "db@latest", "--to", "copy2", *arguments)
            place.says("refused: " + " ".join(arguments), result, 2, "backstay: error: " + message)
        for arguments, message in (
                (["--keep", "soon"], "option `--keep` must be a duration like 90m or 2d, up to "
                                     "366d, not `soon`"),
                (["--dry-run"], "--dry-run makes no scratch place that it could look at: leave one "
                                "out"),
                (["--yes-replace", "x"], "a scratch place is empty: there is nothing that "
                                         "--replace could replace")):
            result = place.attempt("restore", "db@latest", "--to", "scratch", *arguments)
            place.says("refused: " + " ".join(arguments), result, 2, "backstay: error: " + message)
        proof.ok("nothing was made", place.scratches() == [] and
                 not os.path.exists(place.at("copy2")))


def passwords():
    with Database() as place:
        place.back_up()
        url = "fake://me:hunter%2222@host" + place.path + "/"
        place.behave(media={"type": "media", "path": "db"})
        place.run("backup", "media")
        os.environ["RESTORE_URL"] = url + "copy2"
        with open(place.at("url"), "w", encoding="utf-8") as file:
            file.write(url + "copy3\n")
        results = [place.attempt("restore", "db@latest", "--to", url + "copy"),
                   place.attempt("restore", "db@latest", "--to", url + "copy1", "--json"),
                   place.attempt("restore", "db@latest", "--to", "env:RESTORE_URL"),
                   place.attempt("restore", "db@latest", "--to", "file:url"),
                   place.attempt("restore", "db@latest", "--to", url + "no/such", "--debug"),
                   place.attempt("restore", "db@latest", "--to", url + "copy", "--replace")]
        del os.environ["RESTORE_URL"]
        proof.ok("they went where they should",
                 [result.code for result in results] == [0, 0, 0, 0, 14, 2] and
                 all(os.path.exists(place.at("copy" + end)) for end in ("", "1", "2", "3")),
                 "\n".join(map(str, results)))
        said = "".join(result.out + result.err for result in results)
        proof.ok("no password is shown", "hunter" not in said, said)
        place.says("where it went is", results[2], 0,
                   "restored 2 entries of snapshot * (10 B) to fake://me:***@host*/copy2 in *")
        result = place.attempt("restore", "db@latest", "--to", "env:NO_SUCH_NAME")
        place.says("a reference to nothing is said", result, 10,
                   "backstay: error: --to: resolve `env:NO_SUCH_NAME`: it is not set in the "
                   "environment")


def at_a_terminal(place, answer, *arguments):
    """Runs the program at a terminal, and types @answer when it has asked."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(place.command(*arguments), cwd=place.path, stdin=follower,
                               stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    said = b""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not select.select([leader], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            said += os.read(leader, 4096)
        except OSError:
            break
        if answer is not None and b"Type its name to go on: " in said:
            if isinstance(answer, int):
                process.send_signal(answer)
            else:
                os.write(leader, answer)
            answer = None
    process.wait(timeout=30)
    os.close(leader)
    return proof.Result(process.args, process.returncode, said.replace(b"\r\n", b"\n"), b"")


def replacing():
    with Database() as place:
        place.back_up()
        shutil.copytree(place.at("db"), place.at("copy"))
        arguments = ("restore", "db@latest", "--to", place.at("copy"))
        result = place.attempt(*arguments, "--replace")
        place.says("without a terminal nobody is asked", result, 2,
                   "backstay: error: --replace asks for the name of the database, and there is no "
                   "terminal to ask at: give it with --yes-replace NAME")
        result = place.attempt(*arguments, "--yes-replace", "other")
        place.says("another name replaces nothing", result, 10,
                   "backstay: error: source db: that is not the name of the database")
        result = place.attempt(*arguments, "--yes-replace", "copy")
        place.says("the name replaces", result, 0, "facts: 5 of 5 equal")
        result = at_a_terminal(place, b"copy\n", *arguments, "--replace")
        place.says("a name that is typed replaces", result, 0,
                   "This replaces the database at */copy.", "facts: 5 of 5 equal")
        result = at_a_terminal(place, b"other\n", *arguments, "--replace")
        place.says("a wrong one does not", result, 10,
                   "*backstay: error: source db: that is not the name of the database")
        result = at_a_terminal(place, b"\n", *arguments, "--replace")
        place.says("none does not", result, 2,
                   "*backstay: error: no name was typed: nothing is replaced")
        result = at_a_terminal(place, signal.SIGINT, *arguments, "--replace")
        place.says("Ctrl-C at the question ends it", result, 130,
                   "*backstay: error: stopped on request")


def a_machine_that_does_not_know_the_source():
    with Database() as place:
        place.back_up()
        place.use({"other": {"type": "media", "path": "db"}})
        result = place.attempt("restore", "db@latest", "--to", place.at("copy"))
        place.says("restores it, and compares", result, 0, "facts: 5 of 5 equal")


def media_stays_as_it_was():
    with Database() as place:
        place.behave(media={"type": "media", "path": "db"})
        place.run("init")
        place.run("backup")
        result = place.attempt("restore", "media@latest", "--to", "files")
        proof.ok("a folder is restored without a comparison", result.code == 0 and
                 "facts" not in result.out, result)
        result = place.attempt("restore", "media@latest", "--to", "scratch")
        place.says("a folder has no scratch places", result, 10,
                   "backstay: error: source media: its plugin media cannot make a scratch place: "
                   "name a place of your own (./scratch is the folder of that name)")
        result = place.attempt("restore", "media@latest", "--to", "more", "--table", "x")
        place.says("a folder has no tables", result, 2,
                   "backstay: error: source media: its plugin media does not know the restore "
                   'option "table"')


def preflight():
    with Database() as place:
        place.run("init")
        result = place.attempt("doctor")
        place.says("all is well", result, 0, "source db (fakedb)",
                   "  ok    connection  */db answers", "  info  version     1",
                   "destination local (local)")
        place.behave("warn_check")
        result = place.attempt("doctor", "db")
        place.says("warnings make 3, and statements keep their lines", result, 3,
                   "  WARN  rows        some cannot be seen; run", "                    GRANT a;")
        proof.ok("what was not named is not looked at", "destination" not in result.out, result)
        place.behave("bad_check")
        result = place.attempt("doctor")
        place.says("what is bad makes the code of a source", result, 14,
                   "  BAD   rights      table orders cannot be read")
        checks = place.attempt("doctor", "--json").json()
        proof.ok("JSON has everything", checks["state"] == "bad" and
                 [check["name"] for check in checks["checks"]] == ["db", "local"] and
                 checks["checks"][0]["findings"][2]["text"] == "some cannot be seen; run\nGRANT a;",
                 checks)
        place.behave("fail_check")
        result = place.attempt("doctor")
        place.says("one that cannot be reached does not hide the others", result, 14,
                   "  BAD   source db: */db: connection refused", "destination local (local)",
                   "  ok    writing      */repo is writable")
        place.behave()
        place.remove("repo")
        result = place.attempt("doctor")
        place.says("a missing destination has its own code", result, 13,
                   "  ok    connection  */db answers", "  BAD   destination local: *")
        result = place.attempt("doctor", "locl")
        place.says("a name that does not exist gets a suggestion", result, 2,
                   "backstay: error: no source or destination is named `locl`, did you mean "
                   "`local`?")


def what_a_restore_can_be_asked_for_is_listed():
    with Database() as place:
        result = place.attempt("plugin", "show", "fakedb")
        place.says("plugin show has the options of restores", result, 0,
                   "RESTORE OPTION  TYPE        HELP",
                   "table           list        Only these tables")
        plugin = place.attempt("plugin", "show", "fakedb", "--json").json()["plugins"][0]
        proof.ok("JSON too", [option["name"] for option in plugin["restore_options"]] ==
                 ["table", "schema_only", "replace"], plugin)


a_copy_is_compared()
a_long_list_is_cut()
nothing_to_compare_is_no_success()
scratch_places()
ctrl_c()
a_part_of_it()
passwords()
replacing()
a_machine_that_does_not_know_the_source()
media_stays_as_it_was()
preflight()
what_a_restore_can_be_asked_for_is_listed()
proof.end()
