"""The runner of the benchmarks reads callgrind's dumps, compares and judges rightly."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import run

DUMP = "# callgrind format\nversion: 1\ndesc: Trigger: Client Request: {}\n\ntotals: {}\n"


def figures(**changed):
    """Figures that meet every target, but for those given."""
    counted = {}
    for row in run.ROWS:
        counted[row.baseline] = 100.0
        counted.setdefault(row.case or row.name, 100.0 if row.speed else row.at_most or 100.0)
    return {**counted, **changed}


def missed(counted):
    with contextlib.redirect_stdout(io.StringIO()):
        return run.show(run.table(counted))


class Dumps(unittest.TestCase):
    def test_only_dumps_of_cases_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            top = pathlib.Path(folder)
            (top / "callgrind.1").write_text(DUMP.format("tlm_read_magic", 6400))
            (top / "callgrind.2").write_text("desc: Trigger: Program termination\ntotals: 9\n")
            self.assertEqual(run.read_dumps(folder), {"tlm_read_magic": 6400})


class Targets(unittest.TestCase):
    def test_a_figure_at_its_target_meets_it(self):
        self.assertEqual(missed(figures()), [])

    def test_a_figure_above_its_target_misses_it(self):
        for row in run.ROWS:
            if row.at_most is not None:
                self.assertEqual(missed(figures(**{row.name: row.at_most + 0.1})), [row.name])

    def test_a_copy_slower_than_the_fraction_of_memcpy_misses(self):
        self.assertEqual(missed(figures(shm_dmi_memcpy_4k=102.0)), [])
        self.assertEqual(missed(figures(shm_dmi_memcpy_4k=103.0)), ["shm_dmi_memcpy_4k"])

    def test_a_case_that_was_not_measured_is_an_error(self):
        counted = figures()
        del counted["split_batch_64"]
        with self.assertRaisesRegex(SystemExit, "split_batch_64"):
            run.table(counted)


class Clocks(unittest.TestCase):
    def test_are_shown_with_their_names(self):
        clocks = run.clock_figures({"rtl_read_magic": 2.0, "rtl_write_queue_sel": 4.0}, 7.5)
        self.assertEqual(dict(clocks), {"rtl_cycles_per_access": 2.0, "rtl_cycles_per_write": 4.0,
                                        "rtl_million_clocks_per_second": 7.5})
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bench.csv"
            run.write_csv(path, [], clocks)
            self.assertIn("rtl_cycles_per_access,2.00,,", path.read_text().splitlines())


class Csv(unittest.TestCase):
    def test_columns_and_ratio(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "new/bench.csv"
            run.write_csv(path, run.table(figures(tlm_read_magic=130.0, base_empty_read=65.0)))
            lines = path.read_text().splitlines()
        self.assertEqual(lines[0], "case,instr_per_op,baseline,ratio")
        self.assertEqual(lines[1], "tlm_read_magic,130.0,65.0,2.000")


if __name__ == "__main__":
    unittest.main()
