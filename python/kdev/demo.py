"""The whole path on real input: configure, build, boot, drive, load a module, crash in several ways, explain each.

Every crash report is checked against the source tree; one that is wrong makes the run fail.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from . import errors
from ._kdev import (
    VM,
    KernConf,
    KernelArtifact,
    ModuleArtifact,
    SeedImage,
    StageFinished,
    StageResult,
    Workspace,
    os_title,
)
from .cli.output import crash_block
from .demo_cases import CASES, Case, CrashLab, Outcome
from .display import stage_table
from .events import Event
from .show import ProgressDisplay, duration_text, show_progress

MEMORY = "512M"
MODULE = "hello"


@dataclass
class Story:
    """What one run of the demo goes through."""

    console: Console
    display: ProgressDisplay
    stages: list[StageResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[Stage]:
        """Takes the time; a failure is written down and passed on."""
        self.console.print(Rule(f"[bold]{name}[/]  {text}", align="left", style="dim"))
        stage = Stage(text)
        begin = time.monotonic()
        error = ""
        try:
            yield stage
        except BaseException as e:
            stage.outcome, error = "failed", str(e).split("\n")[0]
            raise
        finally:
            self.display.close()
            self.stages.append(
                StageResult.from_dict(
                    {
                        "stage": name,
                        "text": stage.text,
                        "outcome": stage.outcome,
                        "duration": time.monotonic() - begin,
                        "error": error,
                    }
                )
            )

    def check(self, right: bool, what: str) -> None:
        """One fact: shown, and counted when it is wrong."""
        mark = Text("  right  ", style="green") if right else Text("  WRONG  ", style="bold red")
        self.console.print(mark + Text(what, style="default"), soft_wrap=True)
        if not right:
            self.problems.append(what)


@dataclass
class Stage:
    text: str
    outcome: str = "done"


def run(source: Path, workspace: Path, console: Console, *, jobs: int = 0, vms: int = 2) -> bool:
    """True when everything was as it should be."""
    begin = time.monotonic()
    with show_progress(console=console) as display:
        assert display is not None
        story = Story(console, display)
        try:
            ws, kernel, module = build(story, source, workspace, jobs)
            drive(story, kernel, module)
            crash(story, ws, kernel, vms)
        except errors.Error as error:
            story.problems.append(str(error))
            console.print(Text(f"\n{error}", style="red"), soft_wrap=True)
            for line in error.console_tail.splitlines()[-15:]:
                console.print(Text(f"  | {line}", style="dim"), soft_wrap=True)
    console.print()
    console.print(stage_table(story.stages, title="Each stage"))
    took = duration_text(time.monotonic() - begin)
    if story.problems:
        console.print(Text(f"{len(story.problems)} wrong, {took}", style="bold red"))
        for problem in story.problems:
            console.print(Text(f"  {problem}", style="red"), soft_wrap=True)
    else:
        console.print(Text(f"every report was right, {took}", style="bold green"))
    return not story.problems


def build(story: Story, source: Path, workspace: Path, jobs: int) -> tuple[Workspace, KernelArtifact, ModuleArtifact]:
    """The kernel and a module out of tree."""
    with story.stage("open", f"workspace {workspace}") as stage:
        ws = Workspace(workspace, source=source)
        conf = KernConf.tiny(ws).preset("debug")
        stage.text = f"{os_title(ws.os)} {ws.tree.version}, tiny + debug: {len(conf.settings)} settings asked for"
        for line in ws.reaped:
            story.console.print(Text(f"  reaped: {line}", style="dim"))
    parts: list[StageFinished] = []

    def watch(event: Event) -> None:
        if isinstance(event, StageFinished):
            parts.append(event)
        story.display(event)

    with story.stage("build", f"{os_title(ws.os)} {ws.tree.version} in {ws.root}") as stage:
        kernel = ws.build(conf, jobs=jobs, on_event=watch)
        stage.outcome = "cached" if kernel.from_store else "done"
        stage.text = f"{kernel.release}, build id {kernel.build_id[:12]}"
        story.console.print(Text(f"  {kernel.image}"), soft_wrap=True)
    for part in parts:
        row = {"stage": f"  {part.stage}", "outcome": part.outcome, "duration": part.duration, "text": part.text}
        story.stages.append(StageResult.from_dict(row))
    with story.stage("module", f"{MODULE}, out of tree") as stage:
        folder = ws.src / MODULE
        if not (folder / "Makefile").is_file():
            folder = ws.scaffold("hello", MODULE)
        module = ws.build_module(folder, kernel, jobs=jobs)
        stage.outcome = "cached" if module.from_store else "done"
        stage.text = str(module.ko)
        story.console.print(Text(f"  {module.ko}"), soft_wrap=True)
    return ws, kernel, module


def drive(story: Story, kernel: KernelArtifact, module: ModuleArtifact) -> None:
    """Commands, separate streams, a module loaded and removed."""
    vm = VM(kernel=kernel, image=SeedImage.busybox(), memory=MEMORY, cpus=2, modules=[module])
    try:
        with story.stage("boot", f"{MEMORY}, 2 CPUs") as stage:
            vm.start()
            stage.text = f"{MEMORY}, 2 CPUs, {vm.accel}: exec to first answer"
        with story.stage("run", "commands in the guest"):
            _commands(story, vm, kernel)
        with story.stage("load", f"insmod /m/{module.name}.ko"):
            _load(story, vm, module)
    finally:
        vm.close()


def _say(story: Story, command: str, answer: str) -> None:
    story.console.print(Text("  # ", style="dim") + Text(command, style="bold"), soft_wrap=True)
    for line in answer.rstrip().splitlines():
        story.console.print(Text(f"  {line}"), soft_wrap=True)


def _commands(story: Story, vm: VM, kernel: KernelArtifact) -> None:
    r = vm.run("uname -r")
    _say(story, "uname -r", r.stdout)
    story.check(r.ok and r.stdout.strip() == kernel.release, "the guest runs the kernel just built")
    r = vm.run("grep -c ^processor /proc/cpuinfo; ls /nope")
    _say(story, r.command, r.stdout + r.stderr)
    story.check(r.stdout == "2\n" and "/nope" in r.stderr, "standard output and standard error are kept apart")
    story.check(r.exit_code not in (0, None), f"the exit code is the command's own: {r.exit_code}")
    times = sorted(vm.run("true").duration for _ in range(20))
    story.check(True, f"vm.run('true') takes {times[10] * 1000:.1f} ms (median of 20)")


def _load(story: Story, vm: VM, module: ModuleArtifact) -> None:
    r = vm.run(f"insmod /m/{module.name}.ko && cat /proc/modules && rmmod {module.name}")
    _say(story, r.command, r.stdout + r.stderr)
    story.check(r.ok, f"{module.name} was loaded and removed again")
    story.check(r.stdout.startswith(f"{module.name} "), "it was in the list of modules")
    log = [line for line in r.console.splitlines() if module.name in line.lower()]
    for line in log:
        story.console.print(Text(f"  | {line}", style="dim"), soft_wrap=True)
    story.check(bool(log), "the kernel's log has what it said")


def crash(story: Story, ws: Workspace, kernel: KernelArtifact, vms: int) -> None:
    """Each case in a guest, a few guests at once, told in order."""
    with story.stage("crash", f"{len(CASES)} ways, {vms} guests at once") as stage:
        right = 0
        with CrashLab(kernel, MEMORY, ws.source, vms) as lab:
            for case, outcome in lab.run(CASES):
                _tell(story, case, outcome)
                right += not outcome.wrong
        stage.text = f"{right} of {len(CASES)} reports right"
        stage.outcome = "done" if right == len(CASES) else "failed"
    story.stages += [
        StageResult.from_dict(
            {
                "stage": "  " + case.name,
                "text": outcome.title,
                "outcome": "failed" if outcome.wrong else "done",
                "duration": outcome.seconds,
            }
        )
        for case, outcome in lab.outcomes
    ]


def _tell(story: Story, case: Case, outcome: Outcome) -> None:
    out = story.console
    out.print()
    out.print(Text(f"  {case.name}", style="bold magenta") + Text(f"   # {case.command}", style="dim"), soft_wrap=True)
    if outcome.report is not None:
        out.print(Padding(crash_block(outcome.report, frames=8), (0, 0, 0, 4)))
    for fact in outcome.right:
        out.print(Text("    right  ", style="green") + Text(fact), soft_wrap=True)
    for fact in outcome.wrong:
        out.print(Text("    WRONG  ", style="bold red") + Text(fact), soft_wrap=True)
        story.problems.append(f"{case.name}: {fact}")
