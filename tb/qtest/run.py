"""Runs one file of tests against one server: run.py --dut c|tlm|rtl|lockstep|qemu [--program PATH] MODULE"""

import argparse
import importlib
import os
import sys
import unittest

SKIPPED = 77


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dut", choices=["c", "tlm", "rtl", "lockstep", "qemu"], required=True)
    parser.add_argument("--program", default="vmmio-qtest", help="path of vmmio-qtest")
    parser.add_argument("module")
    chosen = parser.parse_args()
    os.environ.update(VMMIO_DUT=chosen.dut, VMMIO_QTEST=chosen.program)
    if chosen.dut == "qemu" and not importlib.import_module("servers").QEMU:
        print("SKIPPED: no qemu-system-arm to compare with (Debian: qemu-system-arm)")
        return SKIPPED
    done = unittest.main(chosen.module, argv=[sys.argv[0]], verbosity=2, exit=False)
    result = done.result
    if result.wasSuccessful() and result.testsRun and len(result.skipped) == result.testsRun:
        print(f"SKIPPED: {result.skipped[0][1]}")
        return SKIPPED
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
