#!/usr/bin/env python3
"""Checks that docs/device.md shows the files of this folder: all of them, whole, and in their order.

A block of code in the document belongs to the file that the text before it has named last; a file is
its licence line and its blocks, with an empty line between two of them.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/device.md"
FILES = ("echo.h", "echo.c", "echo_device.h")
MOST_LINES = 100


def blocks_of(document):
    """{file: its blocks}; blocks of other sorts (a shell's, an example's) name no file."""
    blocks = {name: [] for name in FILES}
    name = None
    for text, block in re.findall(r"(.*?)```(?:c|cpp)\n(.*?)```\n", document, re.DOTALL):
        named = re.findall(r"`tb/echo/([a-z_.]+)`", text)
        name = named[-1] if named else name
        blocks[name].append(block)
    return blocks


def main():
    lines = 0
    for name, blocks in blocks_of(DOCUMENT.read_text()).items():
        source = (HERE / name).read_text()
        licence, body = source.split("\n", 1)
        if "SPDX" not in licence or body != "\n".join(blocks):
            print(f"{DOCUMENT} does not show tb/echo/{name} as it is")
            return 1
        lines += sum(bool(line.strip()) for line in body.splitlines())
    print(f"{lines} lines of code")
    return lines >= MOST_LINES


if __name__ == "__main__":
    sys.exit(main())
