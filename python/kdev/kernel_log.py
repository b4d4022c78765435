"""The messages of a kernel, as core.dmesg() gives them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from rich.text import Text

from . import markup

if TYPE_CHECKING:
    from ._kdev import CoreMessage

MAX_SHOWN = 5000
LEVELS = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
_CHOICES = [(99, "all levels"), (6, "info and worse"), (5, "notice and worse"), (4, "warning and worse")]
_CHOICES += [(3, "error and worse"), (2, "critical and worse")]
_HTML_STYLE = {
    0: f"color:{markup.RED};font-weight:600",
    1: f"color:{markup.RED};font-weight:600",
    2: f"color:{markup.RED};font-weight:600",
    3: f"color:{markup.RED}",
    4: f"color:{markup.AMBER}",
    7: markup.SOFT,
}
_STYLE = {0: "bold red", 1: "bold red", 2: "bold red", 3: "red", 4: "yellow", 7: "dim"}


class KernelLog(str):
    """A str; `messages` are its parts, with time and level."""

    messages: list[CoreMessage]

    def __new__(cls, text: str, messages: list[CoreMessage]) -> KernelLog:
        log = super().__new__(cls, text)
        log.messages = messages
        return log

    def __reduce__(self) -> tuple[Any, ...]:
        return KernelLog, (str(self), self.messages)

    def _repr_html_(self) -> str:
        last = self.messages[-MAX_SHOWN:]
        rows = "".join(_row(message) for message in last)
        body = f'<div style="{markup.MONO};line-height:1.35;padding:.4em .7em">{rows}</div>'
        levels = _CHOICES if any(message.level >= 0 for message in last) else None
        note = f", the last of {len(self.messages)}" if len(self.messages) > MAX_SHOWN else ""
        return markup.searchable(markup.scrolling(body, from_end=True), len(last), "messages", levels=levels, note=note)

    def __rich__(self) -> Text:
        text = Text()
        for message in self.messages:
            text.append(f"{_head(message)} ", style="dim")
            text.append(f"{message.text}\n", style=_STYLE.get(message.level, ""))
        return text


def _head(message: CoreMessage) -> str:
    time = f"[{message.time:12.6f}]" if message.time is not None else ""
    return time + (f"[{message.caller:>6}]" if message.caller else "")


def _row(message: CoreMessage) -> str:
    # What is of no level is of none that can be left out.
    level = message.level if 0 <= message.level < len(LEVELS) else 0
    title = f' title="{LEVELS[message.level]}"' if 0 <= message.level < len(LEVELS) else ""
    head = f'<span style="{markup.SOFT}">{escape(_head(message))}</span> ' if _head(message) else ""
    return (
        f'<div data-row data-level="{level}"{title} style="white-space:pre-wrap">'
        f'{head}<span style="{_HTML_STYLE.get(message.level, "")}">{escape(message.text)}</span></div>'
    )
