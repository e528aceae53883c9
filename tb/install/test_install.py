#!/usr/bin/env python3
"""Installs a build into an empty folder, builds tb/install/example against it and runs what comes out.
Also compares the README's example with the one that is built here."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"


def run(*command):
    """The output of a command, which must succeed."""
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def expect(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="CMake's build folder of vmmio")
    parser.add_argument("--work", required=True, help="a folder to make anew")
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--generator", default="Ninja")
    options = parser.parse_args()
    work = pathlib.Path(options.work)
    prefix = work / "prefix"
    shutil.rmtree(work, ignore_errors=True)

    run(options.cmake, "--install", options.build, "--prefix", prefix)
    for program in ("vmmio-platform", "vmmio-qtest"):
        expect((prefix / "bin" / program).exists(), f"{program} is not installed")
        run(prefix / "bin" / program, "--help")

    run(options.cmake, "-S", HERE / "example", "-B", work / "build", "-G", options.generator,
        f"-DCMAKE_PREFIX_PATH={prefix}")
    run(options.cmake, "--build", work / "build")
    magic = run(work / "build" / "model_only")
    expect(magic == "MagicValue 0x74726976\n", f"the C program printed {magic!r}")
    found = run(work / "build" / "platform")
    expect("region at 0x80000000, 0x200000 bytes" in found, f"the platform printed {found!r}")
    expect("bytes of the driver in the region: hello" in found, f"the platform printed {found!r}")

    if list(prefix.glob("lib*/**/libvmmio_rtl.a")):
        found = run(work / "build" / "on_verilog")
        expect("VendorID 0x1234 after " in found, f"the Verilog device printed {found!r}")
    else:
        print("not built with Verilator: the Verilog device was left out")

    example = (HERE / "example" / "main.cpp").read_text()
    blocks = re.findall(r"```cpp\n(.*?)```", README.read_text(), re.DOTALL)
    expect(example in blocks, "README.md does not quote tb/install/example/main.cpp as it is")
    print("installed, found, built, run")


if __name__ == "__main__":
    main()
