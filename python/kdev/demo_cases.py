"""The crashes that the demo provokes, and how each report is checked."""

from __future__ import annotations

import fnmatch
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from . import errors
from ._kdev import VM, CrashReport, KernelArtifact, SeedImage, StackFrame

CPUS = 2
LKDTM = "/sys/kernel/debug/provoke-crash/DIRECT"


@dataclass(frozen=True)
class Case:
    """A way to crash, and what a right report of it says."""

    name: str
    command: str
    title: str  # with fnmatch wildcards
    function: str
    file: str
    source: str  # regular expression for the guilty line's text
    spoils: bool = False  # the guest is of no use afterwards
    hangs: bool = False  # the command never ends, the report comes by itself
    fresh: bool = False  # after an oops, panic() prints no trace: wants a guest that has not crashed before
    cpus: int = CPUS


def _lkdtm(
    name: str,
    title: str,
    function: str,
    source: str,
    *,
    prepare: str = "",
    spoils: bool = False,
    hangs: bool = False,
    cpus: int = CPUS,
) -> Case:
    file = "drivers/misc/lkdtm/bugs.c"
    return Case(name, f"{prepare}echo {name} > {LKDTM}", title, function, file, source, spoils, hangs, cpus=cpus)


# Those that take their time come first, so that the others run beside them.
CASES = (
    _lkdtm(
        "SOFTLOCKUP",
        "BUG: soft lockup in *",
        "lkdtm_SOFTLOCKUP",
        r"cpu_relax\(\)|for \(;;\)",
        prepare="echo 1 > /proc/sys/kernel/watchdog_thresh; ",
        spoils=True,
        hangs=True,
        # A second CPU may wait for this one in stop_machine(), lock up as well, and be the first to say so.
        cpus=1,
    ),
    _lkdtm(
        "HUNG_TASK",
        "*hung in lkdtm_HUNG_TASK",
        "lkdtm_HUNG_TASK",
        r"schedule\(\)",
        prepare="echo 1 > /proc/sys/kernel/hung_task_timeout_secs; ",
        spoils=True,
        hangs=True,
    ),
    _lkdtm("WARNING", "WARNING in lkdtm_WARNING", "lkdtm_WARNING", r"WARN_ON\("),
    _lkdtm("BUG", "kernel BUG in lkdtm_BUG", "lkdtm_BUG", r"BUG\(\)"),
    _lkdtm(
        "EXCEPTION",
        "BUG: *NULL pointer dereference in lkdtm_EXCEPTION",
        "lkdtm_EXCEPTION",
        r"\*\(\(volatile int \*\) 0\) = 0",
    ),
    _lkdtm(
        "EXHAUST_STACK",
        "BUG: *stack guard page was hit in recursive_loop",
        "recursive_loop",
        r"recursive_loop\(|memset\(|^\{|buf\[",
        spoils=True,
    ),
    Case(
        "panic",
        "echo c > /proc/sysrq-trigger",
        "kernel panic: sysrq triggered crash",
        "sysrq_handle_crash",
        "drivers/tty/sysrq.c",
        r"panic\(\"sysrq triggered crash",
        spoils=True,
        fresh=True,
    ),
)


@dataclass
class Outcome:
    report: CrashReport | None = None
    seconds: float = 0.0
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.report.title if self.report else "no report"

    def check(self, holds: bool, what: str) -> None:
        (self.right if holds else self.wrong).append(what)


class CrashLab:
    """A few guests at once that are made to crash; a guest that lives on is used again. A context manager."""

    def __init__(self, kernel: KernelArtifact, memory: str, source: Path, vms: int) -> None:
        self.kernel = kernel
        self.memory = memory
        self.source = source
        self.outcomes: list[tuple[Case, Outcome]] = []
        self._pool = ThreadPoolExecutor(max_workers=vms, thread_name_prefix="crash-lab")
        self._idle: list[VM] = []
        self._all: set[VM] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> CrashLab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            vms = list(self._all)
        for vm in vms:
            vm.close()
        self._pool.shutdown(wait=True)

    def run(self, cases: tuple[Case, ...]) -> Iterator[tuple[Case, Outcome]]:
        """Each case's outcome, in the order of the cases."""
        futures: list[tuple[Case, Future[Outcome]]] = [(case, self._pool.submit(self._one, case)) for case in cases]
        for case, future in futures:
            outcome = future.result()
            self.outcomes.append((case, outcome))
            yield case, outcome

    def _take(self, case: Case) -> VM:
        with self._lock:
            if self._idle and not case.fresh and case.cpus == CPUS:
                return self._idle.pop()
            # Its events are not shown: the outcome tells it all.
            vm = VM(
                kernel=self.kernel,
                image=SeedImage.busybox(),
                memory=self.memory,
                cpus=case.cpus,
                crash_timeout=20,
                on_event=lambda event: None,
            )
            self._all.add(vm)
        vm.start()
        return vm

    def _give_back(self, vm: VM, spoiled: bool) -> None:
        if spoiled or vm.state != "ready":
            vm.close()
            with self._lock:
                self._all.discard(vm)
        else:
            with self._lock:
                self._idle.append(vm)

    def _crash(self, vm: VM, case: Case) -> CrashReport | None:
        if case.hangs:
            with vm.spawn(case.command, timeout=60):
                return vm.wait_crash(timeout=45)
        return vm.run(case.command, timeout=30).crash or vm.wait_crash(timeout=15)

    def _one(self, case: Case) -> Outcome:
        vm = self._take(case)
        outcome = Outcome()
        begin = time.monotonic()
        try:
            try:
                outcome.report = self._crash(vm, case)
            except errors.Error as error:
                outcome.wrong.append(str(error).split("\n")[0])
            outcome.seconds = time.monotonic() - begin
        finally:
            self._give_back(vm, case.spoils)
        verify(case, outcome, self.source)
        return outcome


def verify(case: Case, outcome: Outcome, tree: Path) -> None:
    """Compares the report with what is known of the case and with the tree itself."""
    report = outcome.report
    if report is None:
        outcome.wrong.append("the crash was not seen")
        return
    outcome.check(fnmatch.fnmatchcase(report.title, case.title), f"title: {report.title}")
    outcome.check(report.function == case.function, f"guilty function: {report.function}")
    frame = report.guilty
    if frame is None:
        outcome.wrong.append("the guilty function has no line")
        return
    outcome.check(frame.function == case.function and frame.file == case.file, f"{frame.function} at {frame.file}")
    text = line_of(tree, frame)
    outcome.check(
        text == frame.source and re.search(case.source, text) is not None,
        f"line {frame.line} of the tree reads: {text}",
    )
    placed = [f for f in report.frames if f.file and f.line > 0]
    outcome.check(len(placed) >= 3, f"{len(placed)} of {len(report.frames)} frames have file and line")


def line_of(tree: Path, frame: StackFrame) -> str:
    """The line that a frame names, read from the tree itself."""
    try:
        lines = (tree / frame.file).read_text(errors="replace").splitlines()
        return lines[frame.line - 1].strip()
    except (OSError, IndexError):
        return ""
