"""The last line of `make test` counts what ctest really did."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "scripts/summary"
PASSED = '<testcase name="a" status="run"><system-out/></testcase>'
FAILED = '<testcase name="b" status="fail"><failure message=""/></testcase>'
SKIPPED = ('<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
           '<system-out>SKIPPED: no such tool\n</system-out></testcase>')
GTEST_SKIPPED = ('<testcase name="d" status="notrun">'
                 '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>'
                 '[ RUN      ] d\nx.cpp:2: Skipped\nno such chip\n</system-out></testcase>')
DISABLED = ('<testcase name="e" status="disabled"><system-out>Disabled</system-out></testcase>')
NO_PROGRAM = ('<testcase name="f" status="notrun"><skipped message="Unable to find executable"/>'
              '</testcase>')


def summary(files, *broken):
    """Runs scripts/summary on files of test cases; gives its status and lines."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cases in files.items():
            text = f"<testsuite>{''.join(cases)}</testsuite>"
            (pathlib.Path(folder) / f"{name}.xml").write_text(text)
        result = subprocess.run([sys.executable, SUMMARY, folder, *broken], check=False,
                                stdout=subprocess.PIPE, text=True)
    return result.returncode, result.stdout.splitlines()


class Summary(unittest.TestCase):
    def test_adds_up_all_files(self):
        status, lines = summary({"one": [PASSED, PASSED], "two": [PASSED, SKIPPED]})
        self.assertEqual(status, 0)
        self.assertEqual(lines[-1], "3 passed, 0 failed, 1 skipped")

    def test_fails_when_a_test_failed_and_names_it(self):
        status, lines = summary({"one": [PASSED, FAILED]})
        self.assertEqual(status, 1)
        self.assertEqual(lines, ["failed: b (one)", "1 passed, 1 failed, 0 skipped"])

    def test_tells_why_a_test_was_skipped(self):
        _, lines = summary({"one": [PASSED, SKIPPED, GTEST_SKIPPED, DISABLED]})
        self.assertEqual(lines, ["skipped: c (one): no such tool", "skipped: d (one): no such chip",
                                 "skipped: e (one): Disabled", "1 passed, 0 failed, 3 skipped"])

    def test_counts_a_missing_test_program_as_failed(self):
        status, lines = summary({"one": [PASSED, NO_PROGRAM]})
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")

    def test_counts_a_broken_build_as_failed(self):
        status, lines = summary({"one": [PASSED]}, "build of preset x")
        self.assertEqual(status, 1)
        self.assertIn("failed: build of preset x", lines)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")

    def test_fails_when_no_test_ran(self):
        status, lines = summary({})
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "0 passed, 1 failed, 0 skipped")


if __name__ == "__main__":
    unittest.main()
