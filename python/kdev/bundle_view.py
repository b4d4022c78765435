"""What a bundle looks like in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from . import markup
from .show import duration_text

if TYPE_CHECKING:
    from ._kdev import Bundle


def bundle_html(bundle: Bundle) -> str:
    """The report, and what else is there, folded."""
    parts_of_it = {"memory": bundle.has_memory, "symbols": bundle.has_symbols, "a recording": bundle.has_recording}
    inside = [name for name, there in parts_of_it.items() if there]
    parts = [bundle.report.to_html()]
    parts += [markup.note(text) for text in bundle.notes]
    parts.append(markup.details("Environment", markup.facts(sorted(bundle.environment.items()))))
    if commands := bundle.commands:
        rows = [
            (
                duration_text(command.duration),
                command.command + ("" if command.exit_code is None else f"  → {command.exit_code}"),
            )
            for command in commands
        ]
        parts.append(markup.details(f"{len(rows)} command{'' if len(rows) == 1 else 's'}", markup.facts(rows)))
    if console := bundle.console:
        text = f'<pre style="margin:0;{markup.MONO}">{escape(console)}</pre>'
        parts.append(markup.details("Console", markup.scrolling(text, from_end=True)))
    if config := bundle.config:
        parts.append(markup.details("Configuration", markup.scrolling(f"<pre>{escape(config)}</pre>")))
    parts.append(f'<div style="{markup.SOFT}">with {" and ".join(inside) or "neither memory nor symbols"}</div>')
    return f'<div style="color:inherit;max-width:72em">{"".join(parts)}</div>'
