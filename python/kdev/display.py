"""What results look like in a notebook, and as tables on a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ._kdev import os_title
from .show import OUTCOME_STYLE, duration_text

if TYPE_CHECKING:
    from ._kdev import CommandResult, CrashReport, KernelArtifact, PipelineResult, StackFrame, StageResult

# Colours that read on light and dark notebooks alike.
_HTML_COLOURS = {"done": "#2e8540", "cached": "#0e7c86", "failed": "#c0392b", "interrupted": "#b7791f"}
_TABLE = "border-collapse:collapse;font-size:13px;line-height:1.5"
_CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"
_NUMBER = "text-align:right;padding:2px 12px 2px 0;vertical-align:top;font-variant-numeric:tabular-nums"
_PRE = "margin:2px 0;white-space:pre-wrap;font-size:12px"


def _badge(outcome: str) -> str:
    colour = _HTML_COLOURS.get(outcome, "#777")
    return f'<span style="color:{colour};font-weight:600">{escape(outcome)}</span>'


def _clip(text: str, lines: int = 40) -> str:
    kept = text.rstrip("\n").split("\n")
    if len(kept) <= lines:
        return "\n".join(kept)
    return "\n".join([*kept[: lines - 1], f"... {len(kept) - lines + 1} more lines"])


def pipeline_html(result: PipelineResult) -> str:
    """The stages with their times, and the crashes."""
    rows = []
    longest = max((stage.duration for stage in result.stages), default=0.0) or 1.0
    for stage in result.stages:
        width = round(120 * stage.duration / longest)
        bar = f'<div style="width:{width}px;height:8px;margin-top:6px;background:#7aa6da;border-radius:2px"></div>'
        error = f'<pre style="{_PRE};color:#c0392b">{escape(stage.error)}</pre>' if stage.error else ""
        rows.append(
            f'<tr><td style="{_CELL}">{escape(stage.stage)}</td><td style="{_CELL}">{_badge(stage.outcome)}</td>'
            f'<td style="{_NUMBER}">{duration_text(stage.duration)}</td><td style="{_CELL}">{bar}</td>'
            f'<td style="{_CELL}"><code>{escape(stage.text)}</code>{error}</td></tr>'
        )
    outcome = _badge("done" if result.ok else "failed")
    took = duration_text(result.duration)
    head = f'<div style="margin-bottom:4px"><b>{escape(result.name)}</b> {outcome} in {took}</div>'
    crashes = "".join(crash.to_html() for crash in result.crashes)
    return f'<div>{head}<table style="{_TABLE}">{"".join(rows)}</table>{crashes}</div>'


def command_html(result: CommandResult) -> str:
    """The command, how it ended, both streams, and the crash if there was one."""
    parts = [
        f"<div><code>{escape(result.command)}</code> &nbsp; {_badge('done' if result.ok else 'failed')} "
        f"{escape(ending(result))} in {duration_text(result.duration)}</div>"
    ]
    if result.stdout:
        parts.append(f'<pre style="{_PRE}">{escape(_clip(result.stdout))}</pre>')
    if result.stderr:
        parts.append(f'<pre style="{_PRE};color:#c0392b">{escape(_clip(result.stderr))}</pre>')
    if result.crash is not None:
        parts.append(result.crash.to_html())
    return f"<div>{''.join(parts)}</div>"


def kernel_html(kernel: KernelArtifact) -> str:
    """The kernel's identity and files."""
    rows = [
        ("release", kernel.release),
        ("arch", kernel.arch),
        ("build id", kernel.build_id),
        ("image", str(kernel.image)),
        ("vmlinux", str(kernel.vmlinux)),
        ("source", str(kernel.source)),
        ("from the store", "yes" if kernel.from_store else "no, just built"),
    ]
    cells = "".join(
        f'<tr><td style="{_CELL};color:#777">{label}</td><td style="{_CELL}"><code>{escape(value)}</code></td></tr>'
        for label, value in rows
    )
    name = escape(f"{os_title(kernel.os)} {kernel.release}")
    return f'<div><b>{name}</b><table style="{_TABLE}">{cells}</table></div>'


def ending(result: CommandResult) -> str:
    """ "exit code 2", "signal 9", "timed out", "the kernel crashed"."""
    if result.crash is not None and result.exit_code is None:
        return "the kernel crashed"
    if result.timed_out:
        return "timed out"
    if result.signal is not None:
        return f"signal {result.signal}"
    if result.exit_code is None:
        return "did not end"
    return f"exit code {result.exit_code}"


def stage_table(stages: list[StageResult], title: str | None = None) -> Table:
    """Stages with outcome and time, for a terminal."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("stage")
    table.add_column("outcome")
    table.add_column("time", justify="right")
    table.add_column("what", overflow="fold")
    for stage in stages:
        style = OUTCOME_STYLE.get(stage.outcome, "")
        what = Text(stage.text)
        if stage.error:
            what.append(f"\n{stage.error}", style="red")
        table.add_row(stage.stage, Text(stage.outcome, style=style), duration_text(stage.duration), what)
    return table


def place(frame: StackFrame) -> str:
    """FILE:LINE, or nothing."""
    return f"{frame.file}:{frame.line}" if frame.file and frame.line else frame.file


def frame_table(frames: list[StackFrame], limit: int = 12) -> Table:
    """A symbolized trace: function, place, source text. Entries marked '?' are dim."""
    rows = _runs(frames)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    # Only the source text gives way where the terminal is narrow.
    places = [_shortened(place(frame)) for frame, _ in rows[:limit]]
    table.add_column("function", no_wrap=True)
    table.add_column("place", style="cyan", no_wrap=True)
    table.add_column("source", style="dim", no_wrap=True, overflow="ellipsis", ratio=1)
    for (frame, times), where in zip(rows, places, strict=False):
        name = Text(("? " if not frame.reliable else "") + frame.function)
        if frame.inlined:
            name.append(" (inlined)", style="dim italic")
        if frame.module:
            name.append(f" [{frame.module}]", style="dim")
        if times > 1:
            name.append(f" x {times}", style="dim")
        if not frame.reliable:
            name.stylize("dim")
        table.add_row(name, where, Text(frame.source))
    rest = sum(times for _, times in rows[limit:])
    if rest:
        table.add_row(Text(f"... {rest} more", style="dim"), "", "")
    return table


def _shortened(path: str, limit: int = 40) -> str:
    """The path's end, whole folders."""
    if len(path) <= limit:
        return path
    parts = path.split("/")
    while len(parts) > 1 and len("/".join(parts)) > limit - 2:
        parts.pop(0)
    return "…/" + "/".join(parts)


def _runs(frames: list[StackFrame]) -> list[tuple[StackFrame, int]]:
    """Frames with how often each comes in a row: recursion."""
    runs: list[tuple[StackFrame, int]] = []
    for frame in frames:
        if runs and (runs[-1][0].function, place(runs[-1][0])) == (frame.function, place(frame)):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((frame, 1))
    return runs


def crash_heading(crash: CrashReport) -> Text:
    """Title, then who and where."""
    text = Text(crash.title, style="bold red")
    facts = []
    if crash.process:
        facts.append(f"{crash.process}" + (f"/{crash.pid}" if crash.pid >= 0 else ""))
    if crash.cpu >= 0:
        facts.append(f"CPU {crash.cpu}")
    if crash.release:
        facts.append(crash.release)
    if facts:
        text.append("\n" + ", ".join(facts), style="dim")
    return text
