"""How fast the addresses of a kernel become functions and lines, against addr2line and llvm-symbolizer."""

from __future__ import annotations

import functools
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter

import frame
import kdev
import subject
from frame import Measured, PeerMissing

COUNT = 1000
ROUNDS = 7
NAMES = {"addr2line": ["addr2line"], "llvm-symbolizer": ["llvm-symbolizer", "llvm-symbolizer-14"]}
Place = tuple[str, str, int]


@functools.cache
def program(peer: str) -> str:
    for name in NAMES[peer]:
        if found := shutil.which(name):
            return found
    raise PeerMissing(f"{peer} is not installed (Debian packages binutils and llvm)")


@functools.cache
def addresses() -> list[int]:
    """Anywhere in the kernel's functions."""
    listed = subject.run(["nm", "-S", str(subject.kernel().vmlinux)]).stdout
    functions = re.findall(r"^([0-9a-f]{16}) ([0-9a-f]{16}) [tT] ", listed, re.MULTILINE)
    chosen = random.Random(1)
    picked = (chosen.choice(functions) for _ in range(COUNT))
    return [int(start, 16) + chosen.randrange(max(int(size, 16), 1)) for start, size in picked]


def command(peer: str) -> list[str]:
    vmlinux = str(subject.kernel().vmlinux)
    if peer == "addr2line":
        return [program(peer), "-f", "-i", "-a", "-e", vmlinux]
    return [program(peer), "--output-style=LLVM", "--no-demangle", f"--obj={vmlinux}"]


def run_peer(peer: str, asked: list[int]) -> tuple[float, str]:
    given = "".join(f"{address:#x}\n" for address in asked)
    begin = time.perf_counter()
    done = subprocess.run(command(peer), input=given, capture_output=True, text=True, check=True)
    return time.perf_counter() - begin, done.stdout


# A process of its own for each round, as the peers are: nothing is left of the last one. Python's own start and the
# import are not counted; of the peers, the time that they take for no address at all is taken off in turn.
PROGRAM = """
import sys, time, pathlib
import kdev
asked = [int(line, 16) for line in sys.stdin]
begin = time.perf_counter()
symbols = kdev.Symbolizer(vmlinux=sys.argv[1], index=sys.argv[2])
found = symbols.at_addresses(asked, source_text=False)
print(time.perf_counter() - begin, symbols.indexed, sum(map(len, found)))
"""


def run_kdev(index: pathlib.Path, indexed: bool) -> float:
    given = "".join(f"{address:#x}\n" for address in addresses())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(subject.kernel().vmlinux), str(index)],
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, was_indexed, frames = done.stdout.split()
    if was_indexed != str(indexed) or int(frames) < COUNT / 2:
        raise RuntimeError(f"that was no {'warm' if indexed else 'cold'} run: {done.stdout}")
    return float(seconds)


def places_of(output: str) -> list[list[Place]]:
    """What a peer says of each address, innermost first. Columns and discriminators are left out."""
    found: list[list[Place]] = []
    name = ""
    for line in output.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            found.append([])
        elif place := re.fullmatch(r"(.*?):(\d+|\?)(?::\d+)?(?: \(discriminator \d+\))?", line):
            found[-1].append((name, place[1], int(place[2]) if place[2] != "?" else 0))
        elif line:
            name = line
    return found


def ours() -> list[list[Place]]:
    symbols = kdev.Symbolizer(vmlinux=subject.kernel().vmlinux)
    rows = symbols.at_addresses(addresses(), source_text=False)
    return [[(f.function, f.file, f.line) for f in frames] for frames in rows]


def plain(places: list[Place]) -> list[tuple[str, str, int]]:
    """Names without the compiler's suffixes, which the DWARF has not, and files by their last part: trees differ in how
    they are written."""
    return [(name.partition(".")[0], pathlib.PurePath(file).name, line) for name, file, line in places]


def compare(peer: str) -> str:
    """How the answers fit. A name differs where ours is the symbol's, as kernels print it (__x64_sys_getgid), and the
    peer's the source's (__do_sys_getgid), or another symbol at the same address."""
    output = run_peer(peer, addresses())[1] if peer == "addr2line" else run_with_addresses()
    kinds: Counter[str] = Counter()
    for mine, theirs in zip(ours(), places_of(output), strict=True):
        mine, theirs = plain(mine), plain(theirs)
        if mine == theirs:
            kinds["agree"] += 1
        elif all(line == 0 for _, _, line in theirs):
            kinds["without debug information"] += 1
        elif [place[1:] for place in mine] == [place[1:] for place in theirs]:
            kinds["only a name differs"] += 1
        elif len(mine) == len(theirs) and [p[:2] for p in mine] == [p[:2] for p in theirs]:
            kinds["only a line differs"] += 1
        else:
            kinds["differ"] += 1
    if kinds["agree"] < COUNT * 0.98:
        raise RuntimeError(f"{peer} answers otherwise: {dict(kinds)}")
    return f"{peer}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def run_with_addresses() -> str:
    given = "".join(f"{address:#x}\n" for address in addresses())
    return subprocess.run(
        [*command("llvm-symbolizer"), "--print-address"], input=given, capture_output=True, text=True, check=True
    ).stdout


def against(peer: str, warm: bool) -> Measured:
    program(peer)
    with tempfile.TemporaryDirectory() as folder:
        index = pathlib.Path(folder)
        notes = [compare(peer)]
        if warm:
            symbols = kdev.Symbolizer(vmlinux=subject.kernel().vmlinux, index=index)
            begin = time.perf_counter()
            symbols.build_index()
            notes.append(f"the index was made in {time.perf_counter() - begin:.2f} s")
        taken, theirs, empty = frame.samples(
            ROUNDS,
            lambda: run_kdev(index, warm),
            lambda: run_peer(peer, addresses())[0],
            lambda: run_peer(peer, [])[0],
        )
    start = statistics.median(empty)
    notes += [frame.spread("kdev", taken), frame.spread(peer, theirs), f"{peer} for no address: {start:.3f} s"]
    return Measured(statistics.median(taken), statistics.median(theirs) - start, notes)


def register(peer: str, warm: bool, bar: float) -> None:
    @frame.figure(
        name=f"symbolize/{'warm' if warm else 'cold'}-{peer}",
        what=f"{COUNT:,} addresses of a kernel in one process, {'with' if warm else 'without'} its index",
        against=f"{peer}, one process",
        unit="s",
        bar=bar,
    )
    def measure() -> Measured:
        return against(peer, warm)


for _peer in NAMES:
    register(_peer, True, 0.1)
    register(_peer, False, 0.5)
