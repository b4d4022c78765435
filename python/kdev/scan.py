"""Crash reports out of logs that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from ._kdev import ConsoleScanner, CrashReport

_PIECE = 1 << 20


def scan_file(log: str | PathLike[str], os: str | None = None) -> Iterator[CrashReport]:
    """All crash reports in a console log of any size, in order, as they are found. `os` as for scan_console()."""
    scanner = ConsoleScanner(os)
    with Path(log).open("rb") as file:
        while piece := file.read(_PIECE):
            yield from scanner.feed(piece)
    yield from scanner.finish()
