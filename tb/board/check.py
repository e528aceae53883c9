#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What docs/fpga.md tells an FPGA user holds: its port table is that of vmmio_axil, its example is
board_virtio.v, of which no tool complains, and what to check first on a board comes out right there,
in a simulation by Icarus."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
RTL = [str(path) for path in sorted((TOP / "rtl").glob("*.v"))]
DOCUMENT = TOP / "docs" / "fpga.md"
INCLUDE = f"-I{TOP / 'rtl'}"
BOARD = str(HERE / "board_virtio.v")


def width(part):
    """The bits of a port, as the table tells them: a number, or a parameter."""
    if not part:
        return "1"
    top = part.split(":")[0]
    return str(int(top) + 1) if top.isdigit() else f"`{top.removesuffix('-1')}`"


def ports():
    text = (TOP / "rtl" / "vmmio_axil.v").read_text()
    found = re.findall(r"^    (in|out)put +(?:wire|reg) +(?:\[([^]]+)\])? *(\w+)", text, re.M)
    return [(name, way, width(part)) for way, part, name in found]


def told():
    return re.findall(r"^\| `(\w+)` \| (in|out) \| (\S+) \|", DOCUMENT.read_text(), re.M)


def quiet(command):
    """What a tool says that should say nothing."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (run.stdout + run.stderr).strip()
    return [said or f"{command[0]} failed"] if said or run.returncode else []


def simulate():
    with tempfile.TemporaryDirectory(prefix="vmmio-board.") as folder:
        program = f"{folder}/board"
        said = quiet(["iverilog", "-g2005", "-Wall", INCLUDE, "-s", "board_test", "-o", program,
                      str(HERE / "board_test.v"), BOARD, *RTL])
        if said:
            return said
        run = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, timeout=60,
                             check=False)
        return [] if run.stdout.strip() == "the board is right" else [run.stdout + run.stderr]


def main():
    missing = [tool for tool in ("verilator", "iverilog", "vvp") if not shutil.which(tool)]
    if missing:
        print(f"SKIPPED: not installed: {' '.join(missing)}")
        return 77
    wrong = []
    if not ports() or told() != ports():
        wrong += [f"{DOCUMENT.name}: the port table is not that of vmmio_axil.v: "
                  f"{sorted(set(told()) ^ set(ports()))}"]
    shown = re.findall(r"```verilog\n(.*?)```\n", DOCUMENT.read_text(), re.DOTALL)
    if shown != [pathlib.Path(BOARD).read_text().split("\n", 1)[1]]:
        wrong += [f"{DOCUMENT.name}: the example is not board_virtio.v without its licence line"]
    wrong += quiet(["verilator", "--lint-only", "-Wall", INCLUDE, "--top-module", "board_virtio",
                    BOARD, *RTL])
    wrong += simulate()
    print("\n".join(wrong) or f"{len(ports())} ports, the example and its checks are right")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
