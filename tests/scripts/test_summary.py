"""The summary's last line is what continuous integration believes: it must not hide a failure."""

from __future__ import annotations

import pathlib
import subprocess
import sys

SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib" / "summary.py"

CTEST = """<testsuite tests="3"><testcase name="a" status="run"/>
<testcase name="b" status="fail"><failure message=""/></testcase>
<testcase name="c" status="notrun"><skipped message="SKIP"/></testcase></testsuite>"""
PYTEST = '<testsuites><testsuite tests="2"><testcase name="a"/><testcase name="b"/></testsuite></testsuites>'


def summary(tmp_path: pathlib.Path, *rows: tuple[str, str, str]) -> tuple[int, str]:
    listing = tmp_path / "list"
    listing.write_text("".join(f"{name}\t{status}\t1200\t{report}\n" for name, status, report in rows))
    command = [sys.executable, str(SUMMARY), str(listing), "3 s"]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode, result.stdout.splitlines()[-1]


def test_reports_are_summed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ctest.xml").write_text(CTEST)
    (tmp_path / "pytest.xml").write_text(PYTEST)
    ctest, pytest = ("unit", "8", f"{tmp_path}/ctest.xml"), ("python", "0", f"{tmp_path}/pytest.xml")
    assert summary(tmp_path, ctest, pytest, ("lint", "0", "-")) == (1, "4 passed, 1 failed, 1 skipped")


def test_all_well(tmp_path: pathlib.Path) -> None:
    rows = [("lint", "0", "-"), ("boots", "skipped", "no QEMU")]
    assert summary(tmp_path, *rows) == (0, "1 passed, 0 failed, 1 skipped")


def test_a_runner_that_dies_without_a_report_has_failed(tmp_path: pathlib.Path) -> None:
    assert summary(tmp_path, ("unit", "139", f"{tmp_path}/none.xml")) == (1, "0 passed, 1 failed")


def test_a_runner_that_ends_badly_after_good_tests_has_failed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "pytest.xml").write_text(PYTEST)
    assert summary(tmp_path, ("python", "3", f"{tmp_path}/pytest.xml")) == (1, "2 passed, 1 failed")


def test_a_half_written_report_is_a_failure(tmp_path: pathlib.Path) -> None:
    (tmp_path / "half.xml").write_text("<testsuite><testcase")
    assert summary(tmp_path, ("unit", "0", f"{tmp_path}/half.xml")) == (1, "0 passed, 1 failed")
