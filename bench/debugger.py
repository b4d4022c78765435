"""How long it takes to a backtrace of a running guest, against gdb by hand on the same stub; how fast gdb's answers are
parsed."""

from __future__ import annotations

import contextlib
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator

import frame
import kdev
import subject
from frame import Measured, PeerMissing, spread

ROUNDS = 5
OUTSIDE_LIMIT = 0.5  # s
MI_RATE = 50.0  # MB/s, of one core
MI_SIZE = 64 << 20

# Answers of the sizes and shapes that a session gets.
QUESTIONS = [
    "-thread-info",
    "-stack-list-frames",
    "-stack-list-arguments --simple-values",
    "-stack-list-variables --all-values",
    "-data-list-register-names",
    "-data-list-register-values x",
    "-data-disassemble -a $pc -- 5",
    "-data-read-memory-bytes 0xffffffff81000000 65536",
    '-data-evaluate-expression "init_task"',
    '-symbol-info-functions --name "^do_.*" --max-results 200',
]


def gdb() -> str:
    program = shutil.which("gdb")
    if program is None:
        raise PeerMissing("gdb is not installed")
    return program


@contextlib.contextmanager
def crashed_guest() -> Iterator[kdev.VM]:
    """One that stands still in the middle of a panic: the same stack for everybody."""
    with kdev.VM(kernel=subject.kernel(), memory=subject.MEMORY) as vm:
        if vm.run("echo c > /proc/sysrq-trigger").crash is None:
            raise RuntimeError("the guest did not panic")
        yield vm


def by_kdev(vm: kdev.VM, seen: list[list[str]]) -> float:
    begin = time.perf_counter()
    with vm.debug() as dbg:
        frames = dbg.backtrace()
        taken = time.perf_counter() - begin
    seen.append([one.function for one in frames])
    return taken


def by_hand(vm: kdev.VM, stub: pathlib.Path, seen: list[list[str]]) -> float:
    vm.qmp("human-monitor-command", **{"command-line": f"gdbserver unix:{stub},server=on,wait=off"})
    lines = ["set architecture i386:x86-64", f"target remote {stub}", "bt", "disconnect"]
    begin = time.perf_counter()
    said = subprocess.run(
        [gdb(), "-nx", "-batch", *(word for line in lines for word in ("-ex", line)), str(subject.kernel().vmlinux)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    taken = time.perf_counter() - begin
    vm.qmp("human-monitor-command", **{"command-line": "gdbserver none"})
    seen.append(re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(", said, re.MULTILINE))
    return taken


def both() -> tuple[list[float], list[float], list[str]]:
    gdb()
    ours: list[list[str]] = []
    theirs: list[list[str]] = []
    with crashed_guest() as vm, tempfile.TemporaryDirectory() as folder:
        stub = pathlib.Path(folder, "stub")
        mine, hand = frame.samples(ROUNDS, lambda: by_kdev(vm, ours), lambda: by_hand(vm, stub, theirs))
    # Where the system call begins, gdb by hand loses its way.
    last = ours[0].index("do_syscall_64") + 1
    if any(frames[:last] != ours[0][:last] for frames in ours + theirs):
        raise RuntimeError("the backtraces differ")
    return mine, hand, [f"{last} frames, the same"]


@frame.figure(
    name="debug/first-backtrace",
    what="vm.debug() to the first backtrace, symbols, modules and arguments loaded",
    against="gdb by hand: target remote, bt",
    unit="s",
    bar=1.2,
)
def first_backtrace() -> Measured:
    ours, theirs, notes = both()
    notes += [spread("kdev", ours), spread("gdb", theirs)]
    return Measured(statistics.median(ours), statistics.median(theirs), notes)


@frame.figure(
    name="debug/outside-gdb",
    what="what vm.debug() to the first backtrace takes beyond gdb by hand",
    against="a limit",
    unit="s",
    bar=1.0,
)
def outside() -> Measured:
    ours, theirs, notes = both()
    return Measured(max(0.0, statistics.median(ours) - statistics.median(theirs)), OUTSIDE_LIMIT, notes)


@frame.figure(
    name="debug/mi",
    what="parsing gdb's answers: seconds of CPU time for 64 MB",
    against=f"{MI_RATE:g} MB/s",
    unit="s",
    bar=1.0,
)
def mi() -> Measured:
    program = pathlib.Path(kdev._kdev.__file__).parents[2] / "bench" / "kdev_bench_mi"
    if not program.exists():
        raise PeerMissing(f"{program} was not built")
    with crashed_guest() as vm, vm.debug() as dbg:
        command = dbg.hand_over()
        lines = [f'-interpreter-exec console "source {command.script}"', *QUESTIONS, "-gdb-exit"]
        said = subprocess.run(
            [gdb(), "-nx", "--interpreter=mi3"],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
    if said.count("^done") < len(QUESTIONS):
        raise RuntimeError(f"gdb refused: {re.findall('.error,.*', said)}")
    with tempfile.NamedTemporaryFile() as file:
        text = said.encode()
        for _ in range(MI_SIZE // len(text) + 1):
            file.write(text)
        file.flush()
        taken = []
        for _ in range(ROUNDS):
            lines_there, records, size, seconds = subject.run([str(program), file.name]).stdout.split()
            if int(records) < 0.95 * int(lines_there):
                raise RuntimeError(f"of {lines_there} lines only {records} were MI")
            taken.append(float(seconds) * MI_SIZE / int(size))
    rate = MI_SIZE / 1e6 / statistics.median(taken)
    return Measured(
        statistics.median(taken), MI_SIZE / 1e6 / MI_RATE, [f"{rate:.0f} MB/s; answers of {len(text)} bytes"]
    )
