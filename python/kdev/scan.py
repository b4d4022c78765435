"""Crash reports out of logs that do not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ._kdev import ConsoleScanner, CrashReport

_PIECE = 1 << 20


def scan_file(log: str | os.PathLike[str], system: str | None = None) -> Iterator[CrashReport]:
    """All crash reports in a console log of any size, in order, as they are found. `system` as for scan_console()."""
    scanner = ConsoleScanner(system)
    with Path(log).open("rb") as file:
        while piece := file.read(_PIECE):
            yield from scanner.feed(piece)
    yield from scanner.finish()
