"""Prints what scripts/test found: a table, then `N passed, N failed[, N skipped]` alone on the last line.

Reads a list, one check a line, by tabs: name, exit status or "skipped", milliseconds, JUnit report or "-".
A check with a report counts as the report's tests, one without as one test. Ends 1 when anything failed.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def read_report(report: pathlib.Path) -> Counts:
    counts = Counts()
    for case in ElementTree.parse(report).iter("testcase"):
        # ctest says it by the status attribute as well, GoogleTest by a result attribute.
        skipped = case.find("skipped") is not None or "notrun" in (case.get("status"), case.get("result"))
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif skipped or case.get("result") == "skipped" or case.get("status") == "disabled":
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def count(status: str, report: str) -> Counts:
    if status == "skipped":
        return Counts(skipped=1)
    counts = Counts()
    if report != "-":
        try:
            counts = read_report(pathlib.Path(report))
        except (OSError, ElementTree.ParseError):
            return Counts(failed=1)
    elif status == "0":
        counts.passed = 1
    # A runner that ended badly without naming a test has failed all the same.
    if status != "0" and counts.failed == 0:
        counts.failed = 1
    return counts


def main() -> int:
    rows = [line.split("\t") for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    total = Counts()
    width = max(len(row[0]) for row in rows)
    print(f"  {'':{width}}  {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>8}")
    for name, status, milliseconds, report in rows:
        counts = count(status, report)
        total.passed += counts.passed
        total.failed += counts.failed
        total.skipped += counts.skipped
        seconds = "" if status == "skipped" else f"{int(milliseconds) / 1000:.1f}"
        why = f"  ({report})" if status == "skipped" else ""
        cells = f"{counts.passed:6} {counts.failed or '-':>6} {counts.skipped or '-':>7} {seconds:>8}"
        print(f"  {name:{width}}  {cells}{why}")
    print(f"  in all {sys.argv[2]}; logs in build/logs, reports in build/results\n")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
