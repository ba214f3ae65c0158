"""./run and ./test as a user meets them: folders, help, progress, missing packages. They run in a
copy of the scripts; the tools that install and build are stand-ins, the simulator is the real one."""

import json
import os
import pty
import re
import shutil
import subprocess

import support
from support import CAPTURE, SIM, Scenario

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOOLS = ("awk", "basename", "bash", "cat", "cut", "dirname", "env", "grep", "head", "mkdir", "mktemp",
         "readlink", "rm", "sed", "sh", "sleep", "sort", "tail", "uname")

# What the stand-ins do; each also notes its command line in $CALLS.
STAND_INS = {
    "cmake": 'case $* in *--build*) echo "[1/2] first"; sleep ${SLOW:-0}; echo "[2/2] second";'
             ' [ -z "${BROKEN:-}" ] || { echo "x.cpp:1: error: $BROKEN"; exit 1; };; esac',
    "ctest": "true",
    "dpkg-query": 'for name in "${@:4}"; do case " ${MISSING:-} " in *" $name "*) ;;'
                  ' *) echo "$name install ok installed";; esac; done',
    "id": "echo ${USER_ID:-0}",
    "apt-get": 'case $1 in install) echo "E: ${NO_NETWORK:-}" >&2; [ -z "${NO_NETWORK:-}" ];; esac',
    "gnuplot": 'for folder in "$@"; do :; done; echo picture > "$folder/plot.svg"',
}
MEASURING = ('while [ $# -gt 0 ]; do if [ "$1" = --out ]; then mkdir -p "$2"; echo data > "$2/data.csv"; fi;'
             ' if [ "$1" = --doc ]; then echo renewed > "$2"; fi; shift; done; exit ${MISSED:-0}')


class Scripts(Scenario):
    def setUp(self):
        super().setUp()
        self.tree, self.home = self.path("tree"), self.path("home")
        os.makedirs(os.path.join(self.tree, "build", "bin"))
        os.makedirs(os.path.join(self.tree, "doc"))
        os.mkdir(self.home)
        for name in ("run", "test"):
            shutil.copy(os.path.join(ROOT, name), self.tree)
        shutil.copytree(os.path.join(ROOT, ".ci"), os.path.join(self.tree, ".ci"))
        os.symlink(SIM, os.path.join(self.tree, "build", "bin", "e1000-sim"))
        for name in ("timing", "performance"):
            self.write(f"tree/doc/{name}.md", "as it was\n")
        self.tools = self.path("tools")
        os.mkdir(self.tools)
        for name in TOOLS:
            os.symlink(shutil.which(name), os.path.join(self.tools, name))
        for name, action in STAND_INS.items():
            self.stand_in(os.path.join(self.tools, name), action)
        for name in ("e1000-timing", "e1000-speed"):
            self.stand_in(os.path.join(self.tree, "build", "bin", name), MEASURING)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def stand_in(self, path, action):
        with open(path, "w") as file:
            file.write(f'#!/bin/bash\necho "$(basename "$0") $*" >> "$CALLS"\n{action}\n')
        os.chmod(path, 0o755)

    def environment(self, **more):
        return {"PATH": self.tools, "HOME": self.home, "CALLS": self.path("calls"), **more}

    def call(self, script, *arguments, status=0, cwd=None, **more):
        result = subprocess.run([script, *arguments], cwd=cwd or self.home, capture_output=True,
                                text=True, timeout=60, env=self.environment(**more))
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def calls(self):
        return self.read("calls") if os.path.exists(self.path("calls")) else ""


class Run(Scripts):
    def test_relative_paths_are_those_of_the_caller(self):
        shutil.copy(CAPTURE, os.path.join(self.home, "my.pcap"))
        os.symlink("../tree/run", os.path.join(self.home, "link-to-run"))
        for script in ("../tree/run", os.path.join(self.tree, "run"), "./link-to-run"):
            with self.subTest(script=script):
                self.call(script, "--link", "pcap:in=my.pcap,out=out.pcapng", "--json", "sum.json")
                self.assertTrue(json.loads(self.read("home/sum.json"))["ok"])
                self.assertTrue(support.read_pcapng(os.path.join(self.home, "out.pcapng")))
                os.remove(os.path.join(self.home, "sum.json"))

    def test_without_options_it_reflects_the_built_in_capture_in_the_tree(self):
        out = self.call("../tree/run").stdout
        self.assertTrue(json.loads(self.read("tree/build/out/reflect.json"))["ok"])
        self.assertIn("build/out/reflect.html", out)
        self.assertTrue("</html>" in self.read("tree/build/out/reflect.html"))
        self.assertEqual(os.listdir(self.home), [])

    def test_it_builds_nothing_that_only_tests_need(self):
        self.call("../tree/run", "--version", MISSING="python3 libgtest-dev libbenchmark-dev tshark")
        self.assertIn("cmake --preset release\n", self.calls())
        self.assertNotIn("apt-get", self.calls())
        self.assertIn("cmake --build --preset release --target e1000-sim\n", self.calls())

    def test_help_shows_its_own_commands_and_the_simulators_options(self):
        out = self.call("../tree/run", "--help").stdout
        for word in ("./run timing", "./run bench", "--update-doc", "--strict", "--link", "Exit status"):
            self.assertIn(word, out)
        self.assertLess(out.index("./run timing"), out.index("--link"))

    def test_an_unknown_command_is_refused(self):
        self.assertIn("'dance'", self.call("../tree/run", "dance", status=2).stderr)

    def test_measuring_leaves_documents_alone_unless_told(self):
        for command, document in (("timing", "timing"), ("bench", "performance")):
            with self.subTest(command=command):
                self.call("../tree/run", command)
                self.assertTrue(os.path.exists(self.path(f"tree/build/out/{command}/data.csv")))
                self.assertTrue(os.path.exists(self.path(f"tree/build/out/{command}/plot.svg")))
                self.assertEqual(self.read(f"tree/doc/{document}.md"), "as it was\n")
                self.assertFalse(os.path.exists(self.path(f"tree/doc/images/{document}")))
                self.call("../tree/run", command, "--update-doc")
                self.assertEqual(self.read(f"tree/doc/{document}.md"), "renewed\n")
                self.assertEqual(os.listdir(self.path(f"tree/doc/images/{document}")), ["plot.svg"])
                self.assertEqual(os.listdir(self.home), [])

    def test_measuring_writes_into_the_folder_asked_for(self):
        self.call("../tree/run", "timing", "--out", "mine")
        self.assertEqual(sorted(os.listdir(self.path("home/mine"))), ["data.csv", "plot.svg"])
        self.assertFalse(os.path.exists(self.path("tree/build/out")))

    def test_a_missed_target_is_reported_and_fails_only_if_strict(self):
        for command in ("timing", "bench"):
            with self.subTest(command=command):
                self.assertIn("missed", self.call("../tree/run", command, MISSED="1").stderr)
                self.call("../tree/run", command, "--strict", MISSED="1", status=1)
                self.assertNotIn("missed", self.call("../tree/run", command, "--strict").stderr)
                self.call("../tree/run", command, MISSED="3", status=3)  # measuring itself failed

    def test_part_of_a_measurement_renews_no_document(self):
        self.call("../tree/run", "timing", "--smoke", "--update-doc", status=2)
        self.assertEqual(self.read("tree/doc/timing.md"), "as it was\n")

    def test_progress_is_shown_line_by_line_without_a_terminal(self):
        err = self.call("../tree/run", "--version", SLOW="2.1").stderr
        self.assertRegex(err, r"^building: step 2 of 2, [23] s\nbuilt in [23] s\n$")
        self.assertEqual(self.call("../tree/run", "--version").stderr, "", "nothing took long")

    def test_progress_is_shown_in_place_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(["../tree/run", "--version"], cwd=self.home, stdout=theirs,
                                   stderr=theirs, env=self.environment())
        os.close(theirs)
        text = b""
        try:
            while chunk := os.read(ours, 4096):
                text += chunk
        except OSError:  # the other side is closed
            pass
        os.close(ours)
        self.assertEqual(process.wait(20), 0)
        self.assertRegex(text.decode(), r"\r\x1b\[Kbuilding: step 1 of 2, \d+ s"
                                        r"\r\x1b\[Kbuilding: step 2 of 2, \d+ s\r\x1b\[Ke1000-sim ")

    def test_what_the_compiler_says_is_shown_if_it_fails(self):
        result = self.call("../tree/run", "--version", BROKEN="no such thing", status=1)
        self.assertIn("x.cpp:1: error: no such thing\n", result.stderr)
        self.assertNotIn("[1/2]", result.stderr)
        self.assertEqual(result.stdout, "")


class Packages(Scripts):
    COMMAND = "apt-get update && apt-get install --no-install-recommends g++ libdeflate-dev"

    def refused(self, **more):
        result = self.call("../tree/run", "--version", status=1, MISSING="g++ libdeflate-dev tshark", **more)
        self.assertEqual(result.stdout, "")
        self.assertNotIn("cmake -", self.calls())
        return result.stderr.splitlines()

    def test_without_sudo_one_line_names_packages_and_command(self):
        lines = self.refused(USER_ID="1000")
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("no sudo", lines[0])
        self.assertIn(self.COMMAND, lines[0])
        self.assertNotIn("apt-get ", self.calls())

    def test_without_network_one_line_names_packages_and_command(self):
        lines = self.refused(NO_NETWORK="Unable to locate package g++")
        self.assertEqual(len(lines), 2, lines)
        self.assertEqual(lines[0], "./run: installing g++ libdeflate-dev")
        self.assertIn("Unable to locate package g++", lines[1])
        self.assertIn(self.COMMAND, lines[1])

    def test_sudo_installs_for_others_than_root(self):
        self.stand_in(os.path.join(self.tools, "sudo"), '"$@"')
        result = self.call("../tree/run", "--version", MISSING="g++", USER_ID="1000")
        self.assertIn("sudo env DEBIAN_FRONTEND=noninteractive", self.calls())
        self.assertIn("apt-get install -y -qq --no-install-recommends g++\n", self.calls())
        self.assertIn("e1000-sim", result.stdout)

    def test_every_section_that_is_asked_for_exists(self):
        known = re.findall(r"^\[(\S+)\]$", self.read("tree/.ci/packages"), re.M)
        asked = set()
        for name in ("run", "test", ".ci/roots"):
            for words in re.findall(r"^ *ensure_packages ([\w ]+)$", self.read(f"tree/{name}"), re.M):
                asked |= set(words.split())
        self.assertLess({"run", "test", "roots"}, asked)
        self.assertLessEqual(asked, set(known))


class Test(Scripts):
    def test_help_is_its_own_and_short(self):
        for arguments in (["--help"], ["-h"], ["release", "--help"]):
            out = self.call("../tree/test", *arguments).stdout
            for word in ("./test SUITE", "format", "release", "conformance", "asan", "roots", "-- -R Cable"):
                self.assertIn(word, out)
            self.assertLess(out.count("\n"), 50)
        self.assertEqual(self.calls(), "", "nothing is installed, built or run")

    def test_help_names_every_suite(self):
        out = self.call("../tree/test", "--help").stdout
        suites = re.findall(r"^suite_(\w+)\(\)", self.read("tree/test"), re.M)
        self.assertGreater(len(suites), 8)
        for suite in suites:
            self.assertRegex(out, rf"(?m)^  {suite} ", suite)

    def test_an_unknown_suite_is_refused_before_any_runs(self):
        result = self.call("../tree/test", "release", "dance", status=2)
        self.assertIn("'dance'", result.stderr)
        self.assertEqual(self.calls(), "")

    def test_options_need_a_suite(self):
        for arguments in (["--live"], ["--", "-R", "Cable"], ["release", "conformance", "--live"]):
            result = self.call("../tree/test", *arguments, status=2)
            self.assertIn("Name one suite", result.stderr)
        self.assertEqual(self.calls(), "")

    def test_options_reach_the_suite(self):
        self.stand_in(os.path.join(self.tools, "nproc"), "echo 2")
        self.call("../tree/test", "release", "--", "-R", "Cable")
        self.assertIn("--progress -R Cable\n", self.calls())

    def test_fresh_roots_are_never_skipped_silently(self):
        result = self.call("../tree/test", "roots", status=1, USER_ID="1000")
        self.assertRegex(result.stderr, r"^\S+roots: .*need root.*not tested\n$")
        result = self.call("../tree/test", "roots", "--", "11", status=2)
        self.assertIn("'11'", result.stderr)

    def test_formatting_is_checked_with_the_pinned_version_only(self):
        if os.path.exists("/etc/os-release"):
            with open("/etc/os-release") as file:
                if "VERSION_CODENAME=bookworm" in file.read():
                    return self.check_formatting_with_the_pinned_version()
        self.stand_in(os.path.join(self.tools, "clang-format"), "echo version 19.1")
        self.assertRegex(self.call("../tree/test", "format").stdout, r"not checked.*clang-format 14.*\n$")

    def check_formatting_with_the_pinned_version(self):
        self.stand_in(os.path.join(self.tools, "clang-format"), "echo version 19.1")
        result = self.call("../tree/test", "format", MISSING="clang-format-14", status=1)
        self.assertIn("installing clang-format-14\n", result.stderr)
        self.assertNotIn("dry-run", self.calls())


if __name__ == "__main__":
    support.main()
