"""What a dump looks like in a notebook, and on a terminal."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from . import markup
from ._kdev import os_title
from .show import duration_text

if TYPE_CHECKING:
    from ._kdev import Core


def core_facts(core: Core) -> list[tuple[str, str]]:
    """What is known of it, as far as it is; names and texts."""
    threads = core.threads()
    states = Counter(thread.state for thread in threads)
    uptime = core.uptime
    panicked = next((thread for thread in threads if thread.panicked), None)
    rows = [
        ("panic", core.panic),
        ("task", f"{panicked.process} ({panicked.pid}) on CPU {panicked.cpu}" if panicked else ""),
        ("kernel", core.version.strip()),
        ("uptime", duration_text(uptime) if uptime is not None else ""),
        ("CPUs", str(len(core.cpus()) or "")),
        ("tasks", f"{len(threads)}: " + ", ".join(f"{n} {state}" for state, n in states.most_common())),
        ("modules", str(len(core.modules()) or "")),
        ("dump", f"{core.format}, {core.arch}" + ("" if core.complete else ", incomplete")),
        ("symbols", str(core.kernel_file or "none: give the kernel that crashed")),
    ]
    return [(name, text) for name, text in rows if text and not text.startswith("0:")]


def core_html(core: Core) -> str:
    report = core.report()
    title = report.title or f"Dump of a {os_title(core.os)} kernel"
    trace = markup.details("Stack", report.traces[0].to_html()) if report.traces else ""
    notes = "".join(markup.note(text) for text in core.notes)
    return (
        f'<div style="border-left:4px solid {markup.RED};padding:.4em .9em;margin:.5em 0;color:inherit;max-width:72em">'
        f'<div style="font-size:1.15em;font-weight:600">{escape(title)}</div>'
        f"{markup.facts(core_facts(core))}{notes}{trace}</div>"
    )


def core_table(core: Core) -> RichTable:
    table = RichTable(title=core.report().title or None, title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, text in core_facts(core):
        table.add_row(name, Text(text))
    for text in core.notes:
        table.add_row("note", Text(text, style="yellow"))
    return table
