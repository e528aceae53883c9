#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/coverage makes of Verilator's data and of the waivers."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "coverage"
loader = importlib.machinery.SourceFileLoader("coverage_script", str(SCRIPT))
coverage = importlib.util.module_from_spec(importlib.util.spec_from_loader("coverage_script", loader))
loader.exec_module(coverage)


def point(kind, what, hits, line=7):
    """A line of Verilator's file."""
    return (f"C '\1f\2/somewhere/rtl/a.v\1l\2{line}\1n\0023\1page\2v_{kind}/a__Q2\1o\2{what}"
            f"\1h\2TOP.a' {hits}\n")


class Coverage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def judge(self, files, waivers):
        for number, text in enumerate(files):
            (self.folder / f"{number}.dat").write_text(text, encoding="latin-1")
        (self.folder / "waivers").write_text(waivers)
        return coverage.judge(coverage.read_points(self.folder),
                              coverage.read_waivers(self.folder / "waivers"))

    def test_sets_are_joined(self):
        files = [point("toggle", "x[0]", 0) + point("toggle", "x[1]", 0),
                 point("toggle", "x[0]", 2) + point("toggle", "x[1]", 0)]
        missing, waived, wrong = self.judge(files, "")
        self.assertEqual(missing, [("a.v", 7, "toggle", "x[1]")])
        self.assertEqual((waived, wrong), ({}, []))

    def test_what_is_waived_for_a_reason_is_not_missing(self):
        missing, waived, wrong = self.judge([point("line", "else", 0)],
                                            "# Two lines\n# of it.\na.v line else\n")
        self.assertEqual((missing, wrong), ([], []))
        self.assertEqual(list(waived.values()), ["Two lines of it."])

    def test_a_stale_waiver_is_an_error(self):
        for waiver in ("a.v toggle x", "b.v toggle y", "a.v line y", "a.v toggle .y"):
            files = [point("toggle", "x", 1) + point("toggle", "y", 0)]
            missing, _, wrong = self.judge(files, f"# Why.\n{waiver}\n")
            self.assertEqual(len(missing), 1, waiver)
            self.assertIn("nothing needs", wrong[0], waiver)

    def test_a_waiver_needs_a_reason(self):
        files = [point("toggle", "x", 0) + point("toggle", "y", 0)]
        _, _, wrong = self.judge(files, "# Why.\na.v toggle x\n\na.v toggle y\n")
        self.assertEqual(wrong, ["waiver without a reason: a.v toggle y"])


if __name__ == "__main__":
    unittest.main()
