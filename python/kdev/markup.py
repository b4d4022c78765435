"""Pieces of HTML for notebooks.

Each output is whole in itself: no style sheet, no ids, no file from elsewhere; scripts are handlers of one box, which
look no further than their own output. Colours follow the page's, light or dark: text inherits, backgrounds and lines
are translucent.
"""

from __future__ import annotations

from html import escape

# Readable on light and on dark.
RED, AMBER, BLUE = "#d9534f", "#b7791f", "#3b8ad9"
SOFT = "opacity:.7"
MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.85em"
LINE = "rgba(128,128,128,.35)"
# What scrolls must not show through a heading that stays: the page's own background, by whoever shows it.
PAGE = "var(--jp-layout-color0,var(--vscode-editor-background,Canvas))"
CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap"
NUMBER = (
    "text-align:right;padding:2px 12px 2px 0;vertical-align:top;font-variant-numeric:tabular-nums;white-space:nowrap"
)

# Rows that have every word stay, and so do those whose level is not above the one chosen.
_FILTER = (
    "const box=this.closest('[data-kdev]'),"
    "words=box.querySelector('input').value.toLowerCase().split(/\\s+/),"
    "select=box.querySelector('select'),most=select?Number(select.value):99;let n=0;"
    "for(const row of box.querySelectorAll('[data-row]')){"
    "const text=row.textContent.toLowerCase(),"
    "shown=words.every(w=>text.includes(w))&&Number(row.dataset.level||0)<=most;"
    "row.style.display=shown?'':'none';n+=shown}"
    "box.querySelector('[data-count]').textContent=n"
)
_FIELD = f"color:inherit;background:transparent;border:1px solid {LINE};border-radius:4px;padding:2px 6px;font:inherit"


def searchable(body: str, rows: int, noun: str, *, levels: list[tuple[int, str]] | None = None, note: str = "") -> str:
    """A body whose elements marked data-row are rows that a box above filters; `levels`: a choice by data-level, too.
    Without scripts (where a page's owner does not trust them) all rows are there."""
    # Keys typed here are no commands of the notebook.
    typing = 'onkeydown="event.stopPropagation()" data-lm-suppress-shortcuts="true"'
    search = (
        f'<input type="search" placeholder="search" aria-label="search" oninput="{escape(_FILTER)}" {typing} '
        f'style="{_FIELD};width:16em;max-width:60%">'
    )
    choice = ""
    if levels:
        options = "".join(f'<option value="{value}">{escape(text)}</option>' for value, text in levels)
        # A list drops down in the system's colours, whatever the page's are.
        styled = options.replace("<option", '<option style="color:CanvasText;background:Canvas"')
        choice = f' <select aria-label="level" onchange="{escape(_FILTER)}" {typing} style="{_FIELD}">{styled}</select>'
    count = f' <span style="{SOFT}"><span data-count>{rows}</span> {escape(noun)}{escape(note)}</span>'
    return (
        f'<div data-kdev style="color:inherit;max-width:90em"><div style="margin:.3em 0">{search}{choice}{count}</div>'
        f"{body}</div>"
    )


def scrolling(body: str, *, from_end: bool = False) -> str:
    """A body of any length in a box that shows its beginning, or its end."""
    # A column that is filled from below begins scrolled down: no script is needed.
    order = ";display:flex;flex-direction:column-reverse" if from_end else ""
    style = f"max-height:26em;overflow:auto;border:1px solid {LINE};border-radius:4px{order}"
    return f'<div style="{style}">{body}</div>'


def details(summary: str, body: str, *, open: bool = False) -> str:
    """A part that folds; `summary` is text, `body` HTML."""
    return (
        f'<details{" open" if open else ""} style="margin:.4em 0"><summary style="cursor:pointer">{escape(summary)}'
        f"</summary>{body}</details>"
    )


def facts(rows: list[tuple[str, str]]) -> str:
    """Names and values, both text."""
    cells = "".join(
        f'<tr><td style="{CELL};{SOFT}">{escape(name)}</td>'
        f'<td style="text-align:left;padding:2px 0;white-space:pre-wrap">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="border-collapse:collapse;font-size:13px;margin:.3em 0">{cells}</table>'


def note(text: str) -> str:
    return (
        '<div style="margin:.3em 0;padding:.2em .6em;background:rgba(240,173,78,.25);border-radius:4px">'
        f"{escape(text)}</div>"
    )
