"""What the commands print: results on standard output, everything about them on standard error."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from .. import errors
from .._kdev import CrashReport
from ..display import crash_heading, frame_table

CRASHED = 3
PIPED_WIDTH = 120


class _Trimmed(io.TextIOBase):
    """A stream without the blanks that tables leave at line ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._stream.write(line.rstrip() + "\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def console(stream: TextIO | None = None) -> Console:
    """Of the terminal's width; wide when piped, so that lines are not folded."""
    stream = stream or sys.stdout
    if stream.isatty():
        return Console(file=stream, highlight=False)
    file = cast(TextIO, _Trimmed(stream))
    return Console(file=file, highlight=False, width=max(PIPED_WIDTH, shutil.get_terminal_size().columns))


def print_error(error: errors.Error) -> None:
    """Everything the error knows: what, why, where to look, what to try."""
    out = console(sys.stderr)
    text = Text("error: ", style="bold red")
    text.append(f"{error.attempted}: " if error.attempted else "", style="default not bold")
    text.append(error.reason, style="default not bold")
    out.print(text, soft_wrap=True)
    for diagnostic in error.diagnostics[:20]:
        where = f"{diagnostic.file}:{diagnostic.line}: " if diagnostic.line else ""
        out.print(Text(f"  {where}{diagnostic.severity}: {diagnostic.message}", style="red"), soft_wrap=True)
    if error.crash is not None:
        print_crash(error.crash, out)
    elif error.console_tail:
        out.print(Text("  the console's end:", style="dim"))
        for line in error.console_tail.rstrip().splitlines()[-20:]:
            out.print(Text(f"  | {line}", style="dim"), soft_wrap=True)
    if error.log is not None:
        out.print(Text(f"  log:  {error.log}"), soft_wrap=True)
    if error.hint:
        out.print(Text(f"  hint: {error.hint}", style="cyan"), soft_wrap=True)


def crash_block(crash: CrashReport, frames: int = 12) -> RenderableType:
    """Title, the guilty line of source, the symbolized trace."""
    parts: list[RenderableType] = [crash_heading(crash)]
    guilty = crash.guilty
    if guilty is not None:
        line = Text(f"\n{guilty.function}", style="bold")
        line.append(f"  {guilty.file}:{guilty.line}", style="cyan")
        line.append(f"\n    {guilty.source}\n", style="yellow")
        parts.append(line)
    for trace in crash.traces[:3]:
        if not trace.frames:
            continue
        parts.append(Text(trace.name or "Call Trace", style="dim"))
        parts.append(frame_table(trace.frames, frames))
    for note in crash.notes:
        parts.append(Text(f"note: {note}", style="yellow"))
    return Group(*parts)


def print_crash(crash: CrashReport, out: Console, frames: int = 12) -> None:
    """A panel on a terminal, plain lines elsewhere."""
    if out.is_terminal:
        out.print(Panel(crash_block(crash, frames), border_style="red", expand=False, padding=(0, 1)))
    else:
        out.print(crash_block(crash, frames))
