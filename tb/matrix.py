#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which test proves which requirement.

A test names its rows with ROWS("...") at its start. Prints every row in scope with the tests
that name it, writes the same to a file, and fails if a row in scope has no test or a test names
a row that does not exist.
"""

import argparse
import csv
import pathlib
import re
import sys

TEST = re.compile(r"\b(?:SC_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
ROWS = re.compile(r"\bROWS\(([^)]*)\)")
RULE = re.compile(r"^\| ([AH]-[A-Z0-9-]*\w)\S* \| ([^|]*)", re.M)
STRING = re.compile(r'"([^"]*)"')


def rows_in_scope(file):
    """Ids, one a line; '#' starts a comment."""
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]


def known_rows(spec):
    """Id and wording of everything that a test may name."""
    known = {}
    with open(spec / "requirements.csv", newline="") as file:
        for row in csv.DictReader(file):
            known[row["id"]] = row["statement"]
    for document in ("decisions.md", "hostile.md"):
        for match in RULE.finditer((spec / document).read_text()):
            known[match[1]] = match[2].strip()
    return known


def tests_by_row(sources):
    """Row -> sorted names of the tests that name it; also rows named outside of any test."""
    found, strays = {}, []
    for source in sources:
        text = source.read_text()
        tests = list(TEST.finditer(text))
        for rows in ROWS.finditer(text):
            owner = [test for test in tests if test.start() < rows.start()]
            names = STRING.findall(rows[1])
            if not owner:
                strays += names
                continue
            test = f"{source.parent.name}: {owner[-1][1]}.{owner[-1][2]}"
            for name in names:
                found.setdefault(name, set()).add(test)
    return {row: sorted(tests) for row, tests in found.items()}, strays


def report(scope, known, found):
    """The lines of the matrix."""
    lines = []
    for row in scope + sorted(set(found) - set(scope)):
        lines.append(f"{row}: {known.get(row, '')}")
        lines += [f"    {test}" for test in found.get(row, ["NO TEST"])]
    covered = sum(row in found for row in scope)
    lines.append(f"{covered} of {len(scope)} rows in scope have a test, "
                 f"{len(set(found) - set(scope))} further rows have one, too")
    return lines


def problems(scope, known, found, strays):
    """What has to be put right."""
    doubles = sorted({row for row in scope if scope.count(row) > 1})
    return ([f"row in scope without a test: {row}" for row in scope if row not in found] +
            [f"row in scope that does not exist: {row}" for row in scope if row not in known] +
            [f"row listed twice: {row}" for row in doubles] +
            [f"{found[row][0]} names a row that does not exist: {row}"
             for row in sorted(found) if row not in known] +
            [f"named outside of a test: {row}" for row in strays])


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=pathlib.Path, default=here / "rows.txt")
    parser.add_argument("--spec", type=pathlib.Path, default=here.parent / "docs" / "spec")
    parser.add_argument("--tests", type=pathlib.Path, default=here)
    options = parser.parse_args()

    scope, known = rows_in_scope(options.rows), known_rows(options.spec)
    found, strays = tests_by_row(sorted(options.tests.glob("*/*.cpp")))
    lines = report(scope, known, found)
    options.output.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    wrong = problems(scope, known, found, strays)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong or not scope else 0


if __name__ == "__main__":
    sys.exit(main())
