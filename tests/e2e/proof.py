# tests/e2e/proof.py
# SPDX-License-Identifier: Apache-2.0
#
# What the end-to-end tests in Python share: a place of their own that is removed at the end, the
# program, and how results are reported.
#
#     with proof.Place() as place:
#         place.configure({"src": "tree"})
#         place.run("init")
#         place.check_clean("after init")
#     proof.end()
#
# Each expectation prints "ok - ..." or "not ok - ..."; the exit code is 1 when one did not hold.
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import treecmp  # noqa: E402

BACKSTAY = os.environ.get("BACKSTAY", "")
TREE_MAKER = os.environ.get("BACKSTAY_TREE_MAKER", "")
LONG = int(os.environ.get("BACKSTAY_LONG", "120"))  # seconds that one command may take
passed = 0
failed = 0


def ok(name, holds, detail=""):
    """Reports one expectation."""
    global passed, failed
    if holds:
        passed += 1
        print("ok - %s" % name, flush=True)
    else:
        failed += 1
        print("not ok - %s" % name, flush=True)
        for line in str(detail).splitlines()[:40]:
            print("    %s" % line, flush=True)
    return bool(holds)


def give_up(name, detail=""):
    """Ends the test: what follows would make no sense."""
    ok(name, False, detail)
    end()


def end():
    print("%s: %d passed, %d failed" % (os.path.basename(sys.argv[0]), passed, failed))
    sys.exit(1 if failed or not passed else 0)


class Result:
    """How one run of the program ended."""

    def __init__(self, command, code, out, err):
        self.command = " ".join(command)
        self.code = code
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return "%s\nexit code %d\n%s%s" % (self.command, self.code, self.out, self.err)

    def sane(self):
        """No crash, and nothing that a sanitizer complained about."""
        return self.code >= 0 and "Sanitizer" not in self.err and "runtime error:" not in self.err


def remove(path):
    """Removes a tree of any depth, of any modes."""
    subprocess.run(["chmod", "-R", "u+rwX", "--", path], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["rm", "-rf", "--", path], check=False)


def settle():
    """Waits until what was written is not racily clean any more."""
    time.sleep(0.1)


def peak_of_children():
    """The most memory that any process started so far has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


class Place:
    """A temporary folder with a configuration, in which the program is run."""

    def __init__(self, folder=None):
        if not BACKSTAY:
            give_up("$BACKSTAY is the path of the program to test", "it is not set")
        self.path = tempfile.mkdtemp(prefix="backstay-proof-", dir=folder)
        self.mounts = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for mount in reversed(self.mounts):
            subprocess.run(["umount", "-l", mount], check=False)
        remove(self.path)

    def at(self, *names):
        return os.path.join(self.path, *names)

    def configure(self, sources, destinations=None, name="backstay.yaml", **options):
        """Writes the configuration: sources and destinations by name and path. JSON is YAML.

        A source that is no path is its whole section.
        """
        config = {
            "sources": {key: {"type": "media", "path": path} if isinstance(path, str) else path
                        for key, path in sources.items()},
            "destinations": {key: {"type": "local", "path": path} for key, path in
                             (destinations or {"local": "repo"}).items()},
            "state_dir": "state",
        }
        config.update(options)
        with open(self.at(name), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        os.chmod(self.at(name), 0o600)

    def command(self, *arguments, config="backstay.yaml"):
        return [BACKSTAY, "--config", config, *arguments]

    def start(self, *arguments, prefix=(), **options):
        """Starts the program without waiting for it."""
        return subprocess.Popen([*prefix, *self.command(*arguments, **options)], cwd=self.path,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    @staticmethod
    def wait(process, timeout=LONG):
        """The result of a started program, which is killed when it takes too long."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += b"killed after %d s\n" % timeout
        return Result(process.args, process.returncode, out, err)

    def attempt(self, *arguments, prefix=(), **options):
        """Runs the program, however it ends; a crash is never all right."""
        result = self.wait(self.start(*arguments, prefix=prefix, **options))
        if not result.sane():
            ok("no crash", False, result)
        return result

    def run(self, *arguments, code=0, **options):
        """Runs the program, which must end with that exit code."""
        result = self.attempt(*arguments, **options)
        if result.code != code:
            give_up("backstay %s exits with %d" % (" ".join(arguments), code), result)
        return result

    def check_clean(self, when, **options):
        """check --read-data finds no damage. Says nothing when all is well: it is called often."""
        result = self.attempt("check", "--read-data", **options)
        if result.code != 0:
            ok("%s, check is clean" % when, False, result)
        return result.code == 0

    def snapshots(self, **options):
        """The ids of the listed snapshots, oldest first."""
        return [item["id"] for item in self.run("list", "--json", **options).json()["snapshots"]]

    def same(self, name, original, copy, quiet=False):
        """The two trees are equal in everything."""
        differences, entries = treecmp.compare(self.at(original), self.at(copy))
        if differences or not quiet:
            ok("%s (%d entries)" % (name, entries), not differences, "\n".join(differences))
        return not differences

    def bytes_of(self, folder):
        """The bytes in the files below @folder."""
        return sum(os.lstat(os.path.join(at, name)).st_size
                   for at, _, names in os.walk(self.at(folder)) for name in names)

    def make_tree(self, *arguments):
        """Runs the maker of odd and random trees."""
        subprocess.run([TREE_MAKER, *arguments], cwd=self.path, check=True)

    def remove(self, *names):
        remove(self.at(*names))

    def copy_tree(self, source, target):
        subprocess.run(["cp", "-a", "--", self.at(source), self.at(target)], check=True)

    def mount_tmpfs(self, name, size, *options):
        """Mounts a file system of @size bytes in memory; the caller is root."""
        os.makedirs(self.at(name), exist_ok=True)
        words = ",".join(["size=%d" % size, "mode=700", *options])
        subprocess.run(["mount", "-t", "tmpfs", "-o", words, "tmpfs", self.at(name)], check=True)
        self.mounts.append(self.at(name))


def require(program):
    if shutil.which(program) is None:
        give_up("%s is installed" % program, "see cmake/packages")
