#!/usr/bin/env python3
"""check_rules.py and check_documents.py find what they are there for."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).parent
HEAD = "| rule | what it says | from | implemented and tested in |\n|---|---|---|---|\n"


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "doc").mkdir()

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")


class CheckRules(Tree):
    def setUp(self):
        super().setUp()
        self.write("doc/rules.md", HEAD + "| RX-1 | One. | 3.2 | a.cpp |\n| RX-2 | Two. | 3.2 | a.cpp |\n")
        self.write("a.cpp", "// rules RX-1, RX-2\n")

    def check(self, *options):
        run = subprocess.run(
            [sys.executable, TOOLS / "check_rules.py", "--root", self.root, *options], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stderr

    def test_passes_when_all_is_defined(self):
        self.assertEqual(self.check(), (0, ""))

    def test_names_a_number_without_definition(self):
        self.write("b.h", "int x;\n// As RX-7 says.\n")
        status, errors = self.check()
        self.assertEqual(status, 1)
        self.assertIn("b.h:2: rule RX-7 is not defined", errors)

    def test_looks_into_ranges_that_go_over_the_end_of_a_line(self):
        self.write("b.h", "/// Filters (rules RX-1 to\n/// RX-3).\n")
        self.assertIn("rule RX-3 is not defined", self.check()[1])
        self.write("b.h", "/// Filters (rules RX-1 to\n/// RX-4).\n")
        self.assertIn("rule RX-3 is not defined", self.check()[1])

    def test_names_kinds_that_the_table_does_not_have(self):
        for text in ("rule QQ-1", "rules 15.2, 15.3", "section 14's list", "the mission"):
            self.write("b.md", f"As {text} says.\n")
            self.assertIn("b.md:1: ", self.check()[1], text)

    def test_names_files_that_no_longer_use_a_rule(self):
        self.write("a.cpp", "// rule RX-1\n")
        self.write("b.cpp", "// rule RX-2\n")
        self.assertIn("RX-2 is not used in a.cpp", self.check()[1])
        self.assertEqual(self.check("--update"), (0, ""))
        self.assertIn("| RX-2 | Two. | 3.2 | b.cpp |", (self.root / "doc/rules.md").read_text())
        self.assertEqual(self.check(), (0, ""))

    def test_names_rules_that_nobody_uses(self):
        self.write("a.cpp", "// rule RX-1\n")
        self.assertIn("nobody uses rule RX-2", self.check()[1])


class CheckDocuments(Tree):
    def setUp(self):
        super().setUp()
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "doc/public_headers.txt"):
            self.write(name, "")
        self.write("doc/glossary.md", "# Glossary\n\n| short | long |\n|---|---|\n| NIC | card |\n")
        self.write("doc/registers.md", "| 00100h | RCTL | RW |\n")

    def check(self, text):
        self.write("README.md", text)
        run = subprocess.run(
            [sys.executable, TOOLS / "check_documents.py", self.root], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stderr

    def test_passes_what_is_explained_and_what_is_code(self):
        text = "The NIC has RCTL.LBM and `XYZ`.\n```\nABC\n```\n[here](doc/glossary.md#glossary)\n"
        self.assertEqual(self.check(text), (0, ""))

    def test_names_an_abbreviation_that_is_not_explained(self):
        self.assertEqual(self.check("The NIC\nand the XYZ.\n"), (1, "README.md:2: XYZ is not in doc/glossary.md\n"))

    def test_names_links_that_lead_nowhere(self):
        self.assertIn("README.md:1: doc/gone.md: there is no such file", self.check("[a](doc/gone.md)")[1])
        self.assertIn("there is no such heading", self.check("[a](doc/glossary.md#terms)")[1])

    def test_names_headers_that_are_not_there(self):
        self.assertIn("e1000tlm/x/y.h: there is no such header", self.check("`e1000tlm/x/y.h`")[1])


if __name__ == "__main__":
    unittest.main()
