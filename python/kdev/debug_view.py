"""What a debugger's values look like in a notebook and on a terminal: frames, stops, code."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from . import markup
from .tables import MAX_ROWS, Table

if TYPE_CHECKING:
    from ._kdev import DebugFrame, DebugInstruction, DebugStop, Variable

_HERE = "background:rgba(59,138,217,.22)"
_LONGEST = 200  # characters of a value


class Backtrace(Table["DebugFrame"]):
    """Frames, innermost first."""

    def _repr_html_(self) -> str:
        if not self:
            return "<div>no frames</div>"
        shown = self[:MAX_ROWS]
        # The place where the kernel is, is what somebody looks for first.
        return f"<div>{''.join(frame_html(frame, open=number == 0) for number, frame in enumerate(shown))}</div>"

    def __rich__(self) -> RichTable:
        table = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
        table.add_column("level", style="dim", justify="right", no_wrap=True)
        table.add_column("function", no_wrap=True)
        table.add_column("place", style="cyan", no_wrap=True)
        table.add_column("source", style="dim", no_wrap=True, overflow="ellipsis", ratio=1)
        for frame in self:
            name = Text(_name(frame))
            if frame.inlined:
                name.append(" (inlined)", style="dim italic")
            table.add_row(f"#{frame.level}", name, place(frame), Text(frame.source))
        return table


class Disassembly(Table["DebugInstruction"]):
    """Instructions in the order of their addresses."""

    current: int
    """The address of the one that the kernel stopped before; 0: it runs."""

    def __init__(self, code: Iterable[DebugInstruction] = (), current: int = 0) -> None:
        super().__init__(code)
        self.current = current

    def around(self, lines: int = 12) -> Disassembly:
        """So many instructions on either side of the current one."""
        at = next((n for n, one in enumerate(self) if one.address == self.current), 0)
        return Disassembly(self[max(at - lines, 0) : at + lines + 1], self.current)

    def _repr_html_(self) -> str:
        if not self:
            return "<div>no code</div>"
        rows = []
        before = None
        for one in self[:MAX_ROWS]:
            if (one.file, one.line) != before and one.line:
                before = one.file, one.line
                rows.append(
                    f'<div style="white-space:pre;margin-top:.35em"><span style="{markup.SOFT}">'
                    f"{escape(_short(one.file))}:{one.line}</span>  "
                    f'<span style="color:{markup.BLUE}">{escape(one.source)}</span></div>'
                )
            here = one.address == self.current
            mark = f";{_HERE};font-weight:600" if here else ""
            rows.append(
                f'<div data-row style="white-space:pre{mark}">{"▶" if here else " "} '
                f'<span style="{markup.SOFT}">{one.address:016x}  +{one.offset:<5}{_bytes(one):<24}</span>'
                f"{escape(one.text)}</div>"
            )
        body = f'<div style="{markup.MONO};line-height:1.35;padding:.4em .7em">{"".join(rows)}</div>'
        names = sorted({one.function for one in self if one.function})
        note = f" of {', '.join(names)}" if names else ""
        return markup.searchable(markup.scrolling(body), min(len(self), MAX_ROWS), "instructions", note=note)

    def __rich__(self) -> Text:  # type: ignore[override]
        text = Text()
        before = None
        for one in self:
            if (one.file, one.line) != before and one.line:
                before = one.file, one.line
                text.append(f"{one.file}:{one.line}", style="dim").append(f"  {one.source}\n", style="cyan")
            here = one.address == self.current
            line = f"{'>' if here else ' '} {one.address:016x}  +{one.offset:<5}{_bytes(one):<24}{one.text}\n"
            text.append(line, style="bold reverse" if here else "")
        return text


def place(frame: DebugFrame) -> str:
    """FILE:LINE, or nothing."""
    return f"{frame.file}:{frame.line}" if frame.file and frame.line else frame.file


def frame_html(frame: DebugFrame, open: bool = True) -> str:
    """A line that unfolds to the source around it, arguments and local variables, as far as they are there."""
    inlined = f' <span style="{markup.SOFT};font-style:italic">inlined</span>' if frame.inlined else ""
    head = (
        f'<span style="{markup.SOFT}">#{frame.level}</span> <b>{escape(_name(frame))}</b>{inlined} '
        f'<span style="color:{markup.BLUE}">{escape(_short(place(frame)))}</span>'
    )
    line = f' <span style="{markup.SOFT}">{escape(frame.source)}</span>'
    body = context_html(frame) + _variables("arguments", frame.args) + _variables("variables", frame.locals)
    one_line = f"{markup.MONO};white-space:nowrap;overflow:hidden;text-overflow:ellipsis;padding:1px 0"
    if not body:
        return f'<div style="{one_line};padding-left:1.15em">{head}{line}</div>'
    return (
        f'<details{" open" if open else ""}><summary style="cursor:pointer;{one_line}">{head}{line}</summary>'
        f'<div style="margin:.2em 0 .6em 1.4em">{body}</div></details>'
    )


def frame_text(frame: DebugFrame) -> Text:
    text = Text(f"#{frame.level} ", style="dim")
    text.append(_name(frame), style="bold")
    if frame.inlined:
        text.append(" (inlined)", style="dim italic")
    text.append(f"  {place(frame)}", style="cyan")
    if frame.args:
        text.append("\n   " + ", ".join(f"{v.name}={_clipped(v.value)}" for v in frame.args))
    if not frame.context:
        text.append(f"\n   {frame.source}" if frame.source else "", style="dim")
    for number, line in enumerate(frame.context, frame.context_begin):
        here = number == frame.line
        text.append(f"\n{'>' if here else ' '} {number:>5}  {line.expandtabs(8)}", style="bold" if here else "dim")
    return text


def stop_html(stop: DebugStop) -> str:
    head = f"<b>{escape(stop_title(stop))}</b>"
    thread = f' <span style="{markup.SOFT}">{escape(stop.thread)}</span>' if stop.thread else ""
    facts = markup.facts([(name, value) for name, value in _changes(stop) if value])
    return (
        f'<div style="border-left:4px solid {markup.BLUE};padding:.2em .9em;margin:.4em 0;color:inherit">'
        f"<div>{head}{thread}</div>{facts}{frame_html(stop.frame)}</div>"
    )


def stop_text(stop: DebugStop) -> Group:
    facts = RichTable(box=box.SIMPLE, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    for name, value in _changes(stop):
        if value:
            facts.add_row(Text(name, style="dim"), Text(_clipped(value)))
    head = Text(stop_title(stop), style="bold").append(f"  {stop.thread}", style="dim")
    return Group(head, *([facts] if facts.row_count else []), frame_text(stop.frame))


def stop_title(stop: DebugStop) -> str:
    """ "breakpoint 1 hit", "watchpoint 2 hit", "SIGINT"."""
    if stop.breakpoint:
        kind = "watchpoint" if "watchpoint" in stop.reason else "breakpoint"
        return f"{kind} {stop.breakpoint} hit"
    if stop.signal and stop.reason in ("", "signal-received"):
        return stop.signal
    return stop.reason.replace("-", " ") or "stopped"


def context_html(frame: DebugFrame) -> str:
    """The source around a frame's line, which is marked."""
    rows = []
    for number, line in enumerate(frame.context, frame.context_begin):
        mark = _HERE if number == frame.line else ""
        rows.append(
            f'<div style="white-space:pre;{mark}"><span style="{markup.SOFT};user-select:none">{number:>6}  </span>'
            f"{escape(line.expandtabs(8))}</div>"
        )
    if not rows:
        return ""
    return (
        f'<div style="{markup.MONO};line-height:1.35;overflow-x:auto;border:1px solid {markup.LINE};'
        f'border-radius:4px;padding:.3em 0">{"".join(rows)}</div>'
    )


def _variables(title: str, variables: list[Variable]) -> str:
    if not variables:
        return ""
    cell = f"{markup.CELL};{markup.MONO}"
    rows = "".join(
        f'<tr style="{"" if v.available else markup.SOFT}"><td style="{cell}">{escape(v.name)}</td>'
        f'<td style="{cell};{markup.SOFT}">{escape(v.type)}</td>'
        # gdb tells an aggregate's members only when it is asked for it by name.
        f'<td style="{cell};white-space:pre-wrap">{escape(_clipped(v.value)) or "{...}"}</td></tr>'
        for v in variables
    )
    return (
        f'<div style="{markup.SOFT};font-size:13px;margin-top:.4em">{title}</div>'
        f'<table style="border-collapse:collapse;margin:0">{rows}</table>'
    )


def _changes(stop: DebugStop) -> list[tuple[str, str]]:
    return [("before", stop.old_value), ("after", stop.new_value), ("returned", stop.returned)]


def _name(frame: DebugFrame) -> str:
    return frame.function or f"{frame.address:#x}"


def _bytes(one: DebugInstruction) -> str:
    """ "48 89 e5"; of a long instruction the beginning."""
    pairs = [one.bytes[at : at + 2] for at in range(0, len(one.bytes), 2)]
    return " ".join(pairs) if len(pairs) <= 7 else " ".join(pairs[:6]) + " …"


def _short(path: str, limit: int = 48) -> str:
    """The path's end."""
    return path if len(path) <= limit else "…" + path[1 - limit :]


def _clipped(value: str) -> str:
    return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
