"""How fast consoles are scanned for crashes, and in how much memory."""

from __future__ import annotations

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import frame
import kdev
from frame import Measured

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "tests" / "python" / "data" / "lkdtm-exception.log"
PIECE = 1 << 20
ROUNDS = 5
QUIET_RATE, DENSE_RATE = 100.0, 30.0  # MB/s, of one core
QUIET_SIZE, DENSE_SIZE = 128 << 20, 24 << 20
LARGE = 1 << 30
MEMORY_LIMIT = 64.0  # MB

MESSAGES = [
    "usb 1-1: new high-speed USB device number %d using dummy_hcd",
    "EXT4-fs (loop%d): mounted filesystem with ordered data mode. Opts: (null)",
    'audit: type=1400 audit(1750384805.360:%d): avc:  denied  { read } for  pid=91 comm="syslogd" name="log"',
    "IPv6: ADDRCONF(NETDEV_CHANGE): veth%d: link becomes ready",
    "loop0: detected capacity change from 0 to %d",
]


def quiet_log(size: int) -> bytes:
    """A kernel's and a test program's lines, none of a crash."""
    chosen = random.Random(1)
    lines: list[str] = []
    length, clock = 0, 0.0
    while length < min(size, 8 << 20):
        clock += chosen.random() / 10
        line = f"[{clock:12.6f}][ T{chosen.randrange(9999)}] {chosen.choice(MESSAGES) % chosen.randrange(1000)}\n"
        if chosen.random() < 0.2:
            line = f"12:00:00 executing program {chosen.randrange(8)}:\nr0 = socket$inet(0x2, 0x3, 0x1)\n"
        lines.append(line)
        length += len(line)
    once = "".join(lines).encode()
    return (once * (size // len(once) + 1))[:size]


def dense_log(size: int) -> tuple[bytes, str]:
    """Reports, one after the other, and where they are from."""
    folder = os.environ.get("KDEV_CRASHLOGS")
    if folder:
        rows = map(json.loads, pathlib.Path(folder, "expected.jsonl").read_text().splitlines())
        logs = [row["file"] for row in rows if row["os"] == "linux" and row["title"]]
        once, whose = b"\n".join(pathlib.Path(folder, "logs", name).read_bytes() for name in logs), f"{len(logs)} logs"
    else:
        once, whose = GOLDEN.read_bytes(), "one report again and again; KDEV_CRASHLOGS names no logs"
    return (once * (size // len(once) + 1))[:size], whose


def pieces(log: bytes) -> Iterator[bytes]:
    for at in range(0, len(log), PIECE):
        yield log[at : at + PIECE]


def scan(log: bytes) -> tuple[float, int]:
    """Seconds of this process's CPU time, and reports."""
    begin, count = time.process_time(), 0
    scanner = kdev.ConsoleScanner("linux")
    for piece in pieces(log):
        count += len(scanner.feed(piece))
    return time.process_time() - begin, count + len(scanner.finish())


def rate(log: bytes, least: float, note: str) -> Measured:
    taken, counts = zip(*(scan(log) for _ in range(ROUNDS)), strict=True)
    megabytes = len(log) / 1e6
    spread = ", ".join(f"{megabytes / seconds:.0f}" for seconds in sorted(taken))
    notes = [f"{counts[0]} reports in {megabytes:.0f} MB{note}", f"MB/s: {spread}"]
    return Measured(statistics.median(taken) / megabytes * 1000, 1000 / least, notes)


@frame.figure(
    name="scanner/quiet",
    what="scanning a log without a crash, CPU time for 1 GB, median",
    against=f"{QUIET_RATE:.0f} MB/s",
    unit="s",
    bar=1,
)
def quiet() -> Measured:
    return rate(quiet_log(QUIET_SIZE), QUIET_RATE, "")


@frame.figure(
    name="scanner/dense",
    what="scanning a log full of reports, CPU time for 1 GB, median",
    against=f"{DENSE_RATE:.0f} MB/s",
    unit="s",
    bar=1,
)
def dense() -> Measured:
    log, whose = dense_log(DENSE_SIZE)
    return rate(log, DENSE_RATE, f", {whose}")


# VmHWM, not ru_maxrss: that one remembers the process that started this one.
MEMORY_PROGRAM = """
import pathlib, re, sys
import kdev
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
kdev.scan_console(sys.stdin.buffer.read(int(sys.argv[1])), "linux")  # makes the tables
before, scanner, count = peak(), kdev.ConsoleScanner("linux"), 0
while piece := sys.stdin.buffer.read(1 << 20):
    count += len(scanner.feed(piece))
count += len(scanner.finish())
print(peak() - before, count)
"""


@frame.figure(
    name="scanner/memory",
    what="memory for scanning 1 GB with reports in it, beyond that for one report",
    against=f"a limit of {MEMORY_LIMIT:.0f} MB",
    unit="MB",
    bar=1,
)
def memory() -> Measured:
    report = GOLDEN.read_bytes()
    part = report + quiet_log(8 << 20)
    child = subprocess.Popen(
        [sys.executable, "-c", MEMORY_PROGRAM, str(len(report))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin and child.stdout
    with child.stdin as feed:
        for _ in range(LARGE // len(part) + 1):
            feed.write(part)
    used, count = child.stdout.read().split()
    if child.wait() != 0:
        raise RuntimeError("the scanning program failed")
    notes = [f"{int(count)} reports"]
    return Measured(float(used), MEMORY_LIMIT, notes)
