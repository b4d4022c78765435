"""Lists of values that show themselves as tables: searchable in a notebook, plain on a terminal, pandas' on demand."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable
from html import escape
from typing import Any, TypeVar

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from . import markup
from .errors import ConfigError

T = TypeVar("T")

MAX_ROWS = 5000
# Of values with many fields, those that fit beside each other.
_COLUMNS = {
    "CrashReport": ["title", "kind", "type", "function", "process", "pid", "cpu"],
    "StackFrame": ["function", "module", "file", "line", "source"],
    "DebugFrame": ["level", "function", "inlined", "file", "line", "source"],
    "DebugThread": ["number", "id", "name", "frame"],
    "DebugBreakpoint": ["number", "kind", "address", "function", "file", "line", "expression", "pending", "hits"],
    "Variable": ["name", "type", "value"],
}
_HEX = {"address", "offset", "size", "base", "limit", "selector", "entry", "physical"}
_UNKNOWN = {"pid", "cpu", "level"}  # -1 there


class Table(list[T]):
    """A list of values of one type, as core.threads() gives. It is a list in all else; what a slice or a
    comprehension leaves of it, kdev.table() makes one again."""

    def to_records(self) -> list[dict[str, Any]]:
        """A dict of plain data for each."""
        return [value.to_dict() for value in self]  # type: ignore[attr-defined]

    def to_frame(self) -> Any:
        """A DataFrame, with columns even when there are no rows; as pandas.DataFrame(values) of a list of values.
        ConfigError where pandas is not installed."""
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise ConfigError(
                "pandas is not installed", attempted="make a DataFrame", hint="pip install 'kdev[pandas]'"
            ) from None
        return pandas.DataFrame(self)

    def columns(self) -> list[str]:
        """The fields that are shown; none when the list is empty."""
        if not self:
            return []
        names = _COLUMNS.get(type(self[0]).__name__)
        return names or [field.name for field in dataclasses.fields(self[0])]  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        if not self:
            return "<div>none</div>"
        names = self.columns()
        head = "".join(
            f'<th style="{_style(self[0], name)};position:sticky;top:0;background:{markup.PAGE};font-weight:600">'
            f"{escape(name.replace('_', ' '))}</th>"
            for name in names
        )
        rows = []
        for value in self[:MAX_ROWS]:
            mark = f"color:{markup.RED};font-weight:600;" if getattr(value, "panicked", False) else ""
            cells = "".join(
                f'<td style="{_style(value, name)};{mark}">{escape(shown(value, name))}</td>' for name in names
            )
            rows.append(f"<tr data-row>{cells}</tr>")
        table = (
            f'<table style="border-collapse:collapse;font-size:13px;line-height:1.4;margin:0 0 0 8px">'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )
        note = f" of {len(self)}" if len(self) > MAX_ROWS else ""
        return markup.searchable(markup.scrolling(table), len(rows), "rows", note=note)

    def __rich__(self) -> RichTable:
        table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        # Whether a row panicked, its colour says: terminals are narrow.
        names = [name for name in self.columns() if name != "panicked"]
        for name in names:
            number = _is_number(self[0], name)
            table.add_column(
                name.replace("_", " "), justify="right" if number else "left", no_wrap=number, overflow="fold"
            )
        for value in self:
            style = "bold red" if getattr(value, "panicked", False) else ""
            table.add_row(*[Text(shown(value, name), style=style) for name in names])
        return table

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # IPython's own for lists writes every value out in full.
        printer.text(repr(list(self[:20])) if len(self) <= 20 else f"{list(self[:20])!r} and {len(self) - 20} more")


def table(values: Iterable[T]) -> Table[T]:
    """A list of values (frames, threads, reports, ...) that shows itself as a table."""
    return Table(values)


def _is_number(value: object, name: str) -> bool:
    held = getattr(value, name)
    return isinstance(held, int | float) and not isinstance(held, bool)


def _style(value: object, name: str) -> str:
    return markup.NUMBER if _is_number(value, name) else markup.CELL


def shown(value: object, name: str) -> str:
    """A field's text: addresses in hex, what is not known empty."""
    held = getattr(value, name)
    if held is None or (name in _UNKNOWN and held == -1):
        return ""
    if isinstance(held, bool):
        return "yes" if held else ""
    if name == "address" and held == 0:
        return ""
    if isinstance(held, int) and name in _HEX:
        return f"{held:#x}"
    if isinstance(held, float):
        return f"{held:.6f}"
    if isinstance(held, tuple):
        return " ".join(held)
    if isinstance(held, list | dict):
        return f"{len(held)}"
    if name == "frame":
        where = f" at {held.file}:{held.line}" if held.file else ""
        return f"{held.function or hex(held.address)}{where}"
    # gdb has no number for what is nowhere.
    if name == "line" and held == 0:
        return ""
    return str(held)
