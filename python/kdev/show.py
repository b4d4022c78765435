"""What the events look like: bars on a terminal, plain lines when piped, a bar in a notebook cell."""

from __future__ import annotations

import importlib.util
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from . import _kdev
from .events import Event, Sink

OUTCOME_STYLE = {"done": "green", "cached": "cyan", "failed": "bold red", "interrupted": "yellow"}
PLAIN_INTERVAL = 15.0


def duration_text(seconds: float) -> str:
    """0.42 s, 12.3 s, 4 min 05 s."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


class _TimeColumn(ProgressColumn):
    """Elapsed, and the time left as the builder reckons it."""

    def render(self, task: Task) -> Text:
        text = Text(duration_text(task.elapsed or 0), style="progress.elapsed")
        eta = task.fields.get("eta", -1.0)
        if eta >= 0 and not task.finished:
            text.append(f", {duration_text(eta)} left", style="progress.remaining")
        return text


class _CountColumn(MofNCompleteColumn):
    def render(self, task: Task) -> Text:
        return super().render(task) if task.total else Text("")


class ProgressDisplay:
    """A sink for events that shows them: progress bars on a terminal, one line per step elsewhere.

    A context manager; also usable as a plain callable, which shows bars only while a stage is running. Thread-safe, so
    several VMs may share one.
    """

    def __init__(self, console: Console | None = None, *, console_lines: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self.console_lines = console_lines
        # In a notebook, rich needs ipywidgets for what changes in place.
        widgets = self.console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None
        terminal = self.console.is_terminal and not self.console.is_dumb_terminal
        self._live = widgets if self.console.is_jupyter else terminal
        self._lock = threading.RLock()
        self._bars: Bars | None = None
        self._tasks: dict[tuple[int, str], _Stage] = {}
        self._told: set[str] = set()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._show(event)

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Takes the bars off the screen; what was said stays."""
        with self._lock:
            self._tasks.clear()
            self._stop_bars()

    def refresh(self) -> None:
        """Draws the bars now."""
        with self._lock:
            if self._bars is not None:
                self._bars.refresh()

    def _show(self, event: Event) -> None:
        match event:
            case _kdev.StageStarted():
                self._begin(event.stage, event.text)
            case _kdev.Progress():
                self._update(event)
            case _kdev.StageFinished():
                self._finish(event)
            case _kdev.DiagnosticFound():
                style = "red" if "error" in event.diagnostic.severity else "yellow"
                self._say(f"  [{style}]{escape(str(event))}[/]")
            case _kdev.CrashFound():
                self._say(f"  [bold red]crash[/] [dim]{escape(event.vm)}[/] {escape(event.title)}")
            case _kdev.Notice() if event.text not in self._told:
                self._told.add(event.text)
                self._say(f"  [yellow]{escape(event.text)}[/]")
            case _kdev.ConsoleLine():
                if self.console_lines:
                    self._say(f"  [dim]{escape(event.vm)}|[/] {escape(event.text)}")
            case _kdev.VmStateChanged():
                self._state(event)

    def _state(self, event: _kdev.VmStateChanged) -> None:
        if event.to_state in ("crashed", "hung"):
            reason = f": {event.reason}" if event.reason else ""
            self._say(f"  [red]{escape(event.vm)} {event.to_state}[/]{escape(reason)}")

    def _say(self, markup: str) -> None:
        (self._bars.console if self._bars else self.console).print(markup, highlight=False, soft_wrap=True)

    def _key(self, stage: str) -> tuple[int, str]:
        # Two threads may each be in a stage of the same name.
        return threading.get_ident(), stage

    def _begin(self, stage: str, text: str) -> _Stage:
        entry = _Stage(stage, text)
        self._tasks[self._key(stage)] = entry
        if self._live:
            bars = self._start_bars()
            entry.task = bars.add_task(stage, total=None, text=escape(text), eta=-1.0)
        else:
            self._say(escape(f"  {stage:<10} {text}".rstrip()))
        return entry

    def _update(self, event: _kdev.Progress) -> None:
        entry = self._tasks.get(self._key(event.stage)) or self._begin(event.stage, "")
        if self._bars is not None and entry.task is not None:
            total = event.total or None
            done = min(event.done, total) if total else event.done
            self._bars.update(entry.task, completed=done, total=total, text=escape(event.text), eta=event.eta)
        elif time.monotonic() - entry.told >= PLAIN_INTERVAL:
            entry.told = time.monotonic()
            self._say(escape(f"    {event}"))

    def _finish(self, event: _kdev.StageFinished) -> None:
        entry = self._tasks.pop(self._key(event.stage), None)
        if entry is not None and entry.task is not None and self._bars is not None:
            self._bars.remove_task(entry.task)
        style = OUTCOME_STYLE.get(event.outcome, "")
        text = event.text or (entry.text if entry else "")
        outcome = f"[{style}]{event.outcome:<11}[/]" if style else f"{event.outcome:<11}"
        self._say(f"  {escape(event.stage):<10} {outcome} {duration_text(event.duration):>11}  {escape(text)}".rstrip())
        if not self._tasks:
            self._stop_bars()

    def _start_bars(self) -> Bars:
        if self._bars is None:
            self._bars = Bars(
                TextColumn("  {task.description:<10}"),
                SpinnerColumn(),
                BarColumn(bar_width=32),
                _CountColumn(),
                _TimeColumn(),
                TextColumn("[dim]{task.fields[text]}"),
                console=self.console,
                transient=True,
                expand=False,
            )
            self._bars.start()
        return self._bars

    def _stop_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


class _Stage:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.told = time.monotonic()
        self.task: TaskID | None = None


def progress(*, console_lines: bool = False) -> ProgressDisplay:
    """A display to pass as on_event=. `console_lines` shows the guest's console too."""
    return ProgressDisplay(console_lines=console_lines)


class show_progress:
    """Shows the events of every call that has no on_event of its own.

    `kdev.show_progress()` switches it on for good, `with kdev.show_progress():` for a while,
    `kdev.show_progress(False)` off.
    """

    def __init__(self, enabled: bool = True, *, console: Console | None = None, console_lines: bool = False) -> None:
        self.display = ProgressDisplay(console, console_lines=console_lines) if enabled else None
        self._before: Sink | None = _kdev._set_default_sink(self.display)

    def __enter__(self) -> ProgressDisplay | None:
        return self.display

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        _kdev._set_default_sink(self._before)
        if self.display is not None:
            self.display.close()
