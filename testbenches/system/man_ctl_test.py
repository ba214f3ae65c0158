#!/usr/bin/env python3
"""The manual page of e1000-ctl: every command of --help, and every word."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PROGRAM, PAGE = sys.argv[1], pathlib.Path(sys.argv[2])


class ManualPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.help = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        cls.page = PAGE.read_text(encoding="utf-8").replace("\\-", "-")

    def test_has_each_command_and_no_other(self):
        in_help = re.findall(r"^  ([a-z].*?)   *[^ ]", self.help, re.M)
        in_page = re.findall(r"^\.TP\n\.B (.*)$", self.page, re.M)
        self.assertGreater(len(in_help), 12)
        self.assertEqual(in_page, in_help)

    def test_says_every_word_of_the_help(self):
        in_help, in_page = (set(re.findall(r"[a-z0-9]{3,}", t.lower())) for t in (self.help, self.page))
        self.assertEqual(in_help - in_page, set())

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_is_accepted_by_the_formatter(self):
        run = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-cbou", PAGE], capture_output=True,
                             text=True, check=True)
        self.assertEqual(run.stderr, "")
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS THAT ONLY LOOK", "EXIT STATUS"):
            self.assertIn(section, run.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
