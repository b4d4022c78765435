"""What drgn and gdb say of a Linux dump, to be compared with what kdev says."""

from __future__ import annotations

import contextlib
import importlib
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import kdev


@dataclass(frozen=True)
class Place:
    """A frame. A function may be called by its symbol, or as its source calls it."""

    names: frozenset[str]
    file: str
    line: int

    def same(self, other: Place) -> bool:
        if (PurePath(self.file).name, self.line) != (PurePath(other.file).name, other.line):
            return False
        # Debug information names assembly code by its first label, if at all.
        return self.file.endswith(".S") or bool(plain(self.names) & plain(other.names))


def plain(names: Iterable[str]) -> set[str]:
    """Without the compiler's suffixes."""
    return {name.partition(".")[0] for name in names}


def by_kdev(core: kdev.Core, tid: int) -> list[Place]:
    return [Place(frozenset([f.function]), f.file, f.line) for f in core.stack(tid).frames]


def tasks_of_drgn(drgn: Any, dump: Path, vmlinux: Path, modules: Iterable[Path] = ()) -> dict[int, list[Place]]:
    """Stacks of all tasks, by kdev's tid."""
    cpus, pids, sched = (importlib.import_module(f"drgn.helpers.linux.{name}") for name in ("cpumask", "pid", "sched"))
    program = drgn.Program()
    program.set_core_dump(str(dump))
    program.load_debug_info([str(vmlinux), *map(str, modules)])
    tasks = {task.pid.value_(): task for task in pids.for_each_task(program)}
    # Idle tasks all have the pid 0.
    for cpu in cpus.for_each_present_cpu(program):
        tasks[-cpu - 1 if cpu else 0] = sched.idle_task(program, cpu)
    return {tid: frames_of_drgn(program.stack_trace(task)) for tid, task in tasks.items()}


def frames_of_drgn(trace: Any) -> list[Place]:
    places = []
    for frame in trace:
        names = {frame.name}
        with contextlib.suppress(LookupError):
            names.add(frame.symbol().name)
        try:
            file, line, _ = frame.source()
        except LookupError:
            file, line = "", 0
        places.append(Place(frozenset(names), file, line))
    return places


def run_gdb(dump: Path, vmlinux: Path, *commands: str) -> str:
    gdb = shutil.which("gdb")
    assert gdb
    # A machine's notes are laid out as Linux has them, whatever ran on it.
    commands = ("set width 0", "set osabi GNU/Linux", f"file {vmlinux}", f"core-file {dump}", *commands)
    argv = [gdb, "-nx", "-batch", *(word for command in commands for word in ("-ex", command))]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout


def by_gdb(dump: Path, vmlinux: Path, thread: int) -> list[Place]:
    """Of an ELF dump with virtual addresses; `thread`: as gdb counts them."""
    # It shows the innermost frame whenever it comes to a thread.
    output = run_gdb(dump, vmlinux, f"thread {thread}", r"echo \nstack:\n", "bt").partition("\nstack:\n")[2]
    rows = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(.*\)(?: at (\S+):(\d+))?$", output, re.MULTILINE)
    return [Place(frozenset([name]), file, int(line or 0)) for name, file, line in rows]


def differences(mine: list[Place], theirs: list[Place]) -> list[str]:
    """Behind the entry of a system call there is no stack of the kernel's: what a peer makes of a program's registers
    there is not compared, but has no source."""
    found = [f"{number}: {a} != {b}" for number, (a, b) in enumerate(zip(mine, theirs, strict=False)) if not a.same(b)]
    found += [f"{number}: only there: {b}" for number, b in enumerate(theirs) if number >= len(mine) and b.line]
    found += [f"{number}: only here: {a}" for number, a in enumerate(mine) if number >= len(theirs)]
    return found
