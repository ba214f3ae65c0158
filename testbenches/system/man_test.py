#!/usr/bin/env python3
"""The manual page: every option and kind of link of --help, and none besides."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PROGRAM, PAGE = sys.argv[1], pathlib.Path(sys.argv[2])


def plain(roff):
    return roff.replace("\\-", "-").replace("\\&", "")


class ManualPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.help = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        cls.page = plain(PAGE.read_text(encoding="utf-8"))

    def test_has_each_option_and_no_other(self):
        in_help = re.findall(r"^  (?:-. \[ )?(--[a-z-]+)", self.help, re.M)
        in_page = re.findall(r"^\.B (?:-., )?(--[a-z-]+)", self.page, re.M)
        self.assertGreater(len(in_help), 20)
        self.assertEqual(in_page, in_help)

    def test_has_each_kind_of_link(self):
        kinds = re.findall(r"^\.B ([a-z]+)$", self.page, re.M)
        listed = self.help[self.help.index("\nLinks ") :]
        for kind in ("dgram", "loopback", "null", "pcap", "stream", "tap"):
            self.assertIn(f"\n  {kind} ", listed)
            self.assertIn(kind, kinds)

    def test_says_every_word_of_the_help(self):
        in_help, in_page = (set(re.findall(r"[a-z0-9]{3,}", t.lower())) for t in (self.help, self.page))
        self.assertEqual(in_help - in_page, set())

    def test_names_the_version(self):
        version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        number = re.search(r"\d+\.\d+\.\d+", version)[0]
        self.assertIn(f'"e1000-tlm {number}"', self.page)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_is_accepted_by_the_formatter(self):
        run = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-cbou", PAGE], capture_output=True, text=True, check=True)
        self.assertEqual(run.stderr, "")
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "OPTIONS", "LINKS", "EXIT STATUS"):
            self.assertIn(section, run.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
