"""From a dump's file to what crashed where, against drgn, crash and gdb, on one dump of one panic: a guest of two CPUs
that panics on CPU 1, as QEMU dumps it. Frames are compared, too: a figure is none when they differ. And the
same without a file: from the memory of the guest itself."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import frame
import kdev
import subject
from frame import Measured, PeerMissing

ROUNDS = 7
SLOW_ROUNDS = 3
IN_PLACE_LIMIT = 0.5


@dataclass(frozen=True)
class Place:
    """A frame. `names`: a function may be called by its symbol or as its source calls it."""

    names: frozenset[str]
    file: str
    line: int

    def same(self, other: Place) -> bool:
        names = {name.partition(".")[0] for name in self.names} & {name.partition(".")[0] for name in other.names}
        return bool(names) and (self.line, pathlib.PurePath(self.file).name) == (
            other.line,
            pathlib.PurePath(other.file).name,
        )


@dataclass(frozen=True)
class Dumps:
    physical: pathlib.Path
    virtual: pathlib.Path  # of the addresses that the CPUs' page tables map: for gdb
    indexed: pathlib.Path  # cache folders, with the kernel's index and without
    plain: pathlib.Path
    folder: tempfile.TemporaryDirectory[str]


@functools.cache
def dumps() -> Dumps:
    folder = tempfile.TemporaryDirectory(prefix="kdev-bench-")
    root = pathlib.Path(folder.name)
    made = Dumps(root / "vmcore", root / "vmcore.virtual", root / "indexed", root / "plain", folder)
    with (
        frame.told("a panic, dumped twice", subject.say),
        kdev.VM(kernel=subject.kernel(), cpus=2, memory="256M", run_dir=root / "run") as vm,
    ):
        if vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'").crash is None:
            raise RuntimeError("the guest did not panic")
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{made.physical}")
        vm.qmp("dump-guest-memory", paging=True, protocol=f"file:{made.virtual}")
    index = made.indexed / "kdev" / "symbols"
    if kdev.Symbolizer(vmlinux=vmlinux(), index=index).build_index() is None:
        raise RuntimeError("no index could be made")
    return made


def vmlinux() -> str:
    return str(subject.kernel().vmlinux)


# A process of its own for each round, as for the peers. Python's own start and imports are not counted, of kdev and of
# drgn; of programs, what they take to start is taken off.
KDEV = """
import json, sys, time
import kdev
begin = time.perf_counter()
core = kdev.Core(sys.argv[1], vmlinux=sys.argv[2])
report = core.report()
messages = core.dmesg()
taken = time.perf_counter() - begin
json.dump([taken, len(messages), [[[f.function], f.file, f.line] for f in report.frames]], sys.stdout)
"""

DRGN = """
import json, sys, time
import drgn
from drgn.helpers.linux.printk import get_dmesg
begin = time.perf_counter()
program = drgn.Program()
program.set_core_dump(sys.argv[1])
program.load_debug_info([sys.argv[2]])
frames = []
for f in program.crashed_thread().stack_trace():
    names = [f.name]
    try:
        names.append(f.symbol().name)
    except LookupError:
        pass
    try:
        file, line, column = f.source()
    except LookupError:
        file, line = "", 0
    frames.append([names, file, line])
messages = get_dmesg(program)
taken = time.perf_counter() - begin
json.dump([taken, len(messages), frames], sys.stdout)
"""


@dataclass(frozen=True)
class Run:
    seconds: float
    places: list[Place]


def run_program(python: str, program: str, environment: dict[str, str] | None = None) -> Run:
    done = subprocess.run(
        [python, "-c", program, str(dumps().physical), vmlinux()],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(environment or {})},
    )
    seconds, messages, rows = json.loads(done.stdout)
    if not messages:
        raise RuntimeError("the messages were not read")
    return Run(seconds, [Place(frozenset(names), file, line) for names, file, line in rows])


def run_kdev(indexed: bool) -> Run:
    cache = dumps().indexed if indexed else dumps().plain
    return run_program(sys.executable, KDEV, {"XDG_CACHE_HOME": str(cache)})


@functools.cache
def drgn() -> str:
    """The Python of a virtual environment with the current drgn."""
    home = subject.PEERS / "drgn"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            with frame.told("installing drgn", subject.say):
                subject.run([sys.executable, "-m", "venv", str(home)])
                subject.run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "drgn"])
        version = subject.run([str(python), "-c", "import drgn; print(drgn.__version__)"]).stdout.strip()
    except subprocess.CalledProcessError as error:
        raise PeerMissing(f"drgn could not be installed: {subject.last_line(error.stderr)}") from error
    subject.say(f"drgn {version}")
    return str(python)


def program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise PeerMissing(f"{name} is not installed (Debian package {name})")
    return found


def timed(command: list[str], given: str = "") -> tuple[float, str]:
    begin = time.perf_counter()
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return time.perf_counter() - begin, done.stdout


def run_crash() -> tuple[float, str]:
    return timed([program("crash"), "-s", vmlinux(), str(dumps().physical)], "bt\nlog\nquit\n")


def run_gdb(*commands: str) -> tuple[float, str]:
    argv = [program("gdb"), "-nx", "-batch"]
    for command in ("set width 0", *commands):
        argv += ["-ex", command]
    return timed(argv)


def backtrace_by_gdb() -> tuple[float, str]:
    # The thread of CPU 1. Messages are in a structure that gdb has no command for.
    return run_gdb(f"file {vmlinux()}", f"core-file {dumps().virtual}", "thread 2", r"echo \nstack:\n", "bt")


def places_of_gdb(output: str) -> list[Place]:
    stack = output.partition("\nstack:\n")[2]
    rows = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(.*\)(?: at (\S+):(\d+))?$", stack, re.MULTILINE)
    return [Place(frozenset([name]), file, int(line or 0)) for name, file, line in rows]


def compare(peer: str, ours: list[Place], theirs: list[Place]) -> str:
    """How the panicking task's frames fit. Behind the first frame of a system call peers go on into nothing."""
    nowhere = len(theirs) - len(ours)
    for mine, other in zip(ours, theirs, strict=False):
        # Assembly code's labels have no debug information.
        if not mine.same(other) and (mine.line, pathlib.PurePath(mine.file).suffix) != (other.line, ".S"):
            raise RuntimeError(f"{peer} has {other} where kdev has {mine}")
    if nowhere < 0 or any(place.line for place in theirs[len(ours) :]):
        raise RuntimeError(f"{peer} has {len(theirs)} frames, kdev {len(ours)}")
    behind = f", {nowhere} more behind the stack's beginning" if nowhere else ""
    return f"{peer}: all {len(ours)} frames are the same, function and line{behind}"


def against_drgn(indexed: bool) -> Measured:
    python = drgn()
    notes = [compare("drgn", run_kdev(indexed).places, run_program(python, DRGN).places)]
    ours, theirs, other = frame.samples(
        ROUNDS,
        lambda: run_kdev(indexed).seconds,
        lambda: run_program(python, DRGN).seconds,
        lambda: run_kdev(not indexed).seconds,
    )
    notes += [spread("kdev", ours), spread("drgn", theirs)]
    notes.append(spread("kdev without the index" if indexed else "kdev with the kernel's index", other))
    return Measured(statistics.median(ours), statistics.median(theirs), notes)


def spread(what: str, sample: list[float]) -> str:
    return f"{what}: {min(sample) * 1000:.0f} to {max(sample) * 1000:.0f} ms in {len(sample)} rounds"


@frame.figure(
    name="dumps/in-place",
    what="a crashed VM to the finished report, its memory read in place",
    against=f"a limit of {IN_PLACE_LIMIT} s",
    unit="s",
    bar=1,
)
def in_place() -> Measured:
    taken: list[float] = []
    frames: set[str] = set()
    with (
        tempfile.TemporaryDirectory(prefix="kdev-bench-") as folder,
        kdev.VM(kernel=subject.kernel(), cpus=2, memory="512M", run_dir=pathlib.Path(folder)) as vm,
    ):
        if vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'").crash is None:
            raise RuntimeError("the guest did not panic")
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            report = vm.core().report()
            taken.append(time.perf_counter() - begin)
            frames.add(" ".join(frame.function for frame in report.frames))
    if len(frames) != 1 or "sysrq_handle_crash" not in frames.pop():
        raise RuntimeError("the report is not that of the panic")
    return Measured(statistics.median(taken), IN_PLACE_LIMIT, [spread("kdev", taken)])


@frame.figure(
    name="dumps/drgn",
    what="a dump to the finished report and all messages, in a fresh process without an index",
    against="drgn: the panicking task's stack with lines, and all messages",
    unit="s",
    bar=0.5,
)
def cold() -> Measured:
    return against_drgn(False)


@frame.figure(
    name="dumps/drgn-indexed",
    what="the same with the kernel's index",
    against="drgn: the same",
    unit="s",
    bar=0.4,
)
def warm() -> Measured:
    return against_drgn(True)


@frame.figure(
    name="dumps/crash",
    what="a dump to the finished report and all messages, in a fresh process without an index",
    against="crash: bt and log",
    unit="s",
    bar=0.1,
)
def crash() -> Measured:
    program("crash")
    printed = re.findall(r"^ *#\d+ \[[0-9a-f]+\] (\S+) at", run_crash()[1], re.MULTILINE)
    mine = [name for place in run_kdev(False).places for name in place.names]
    notes = [f"crash: {len(printed)} functions, of which {sum(n in mine for n in printed)} are kdev's"]
    ours, theirs, start = frame.samples(
        SLOW_ROUNDS,
        lambda: run_kdev(False).seconds,
        lambda: run_crash()[0],
        lambda: timed([program("crash"), "--version"])[0],
    )
    notes += [spread("kdev", ours), spread("crash", theirs)]
    return Measured(statistics.median(ours), statistics.median(theirs) - statistics.median(start), notes)


@frame.figure(
    name="dumps/gdb",
    what="a dump to the finished report and all messages, in a fresh process without an index",
    against="gdb: bt alone, on a dump with virtual addresses",
    unit="s",
    bar=0.5,
)
def gdb() -> Measured:
    program("gdb")
    notes = [compare("gdb", run_kdev(False).places, places_of_gdb(backtrace_by_gdb()[1]))]
    ours, theirs, start = frame.samples(
        ROUNDS, lambda: run_kdev(False).seconds, lambda: backtrace_by_gdb()[0], lambda: run_gdb()[0]
    )
    notes += [spread("kdev", ours), spread("gdb", theirs)]
    return Measured(statistics.median(ours), statistics.median(theirs) - statistics.median(start), notes)
