"""A piece of a dump's memory, for people: bytes, text, and the symbols that it points to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from rich.text import Text

from . import markup
from .errors import ConfigError

if TYPE_CHECKING:
    from ._kdev import Core, SymbolMatch

MAX_SIZE = 1 << 20
_ROW = 16
_WORD = 8
_MAX_SHOWN = 4096  # rows


@dataclass(frozen=True)
class Memory:
    """bytes(memory), memory.words() and memory.data are for programs; str(memory) is a hex dump."""

    address: int
    data: bytes
    physical: bool = False
    symbol: str = ""
    """Where it begins: "init_task+0x10"; empty: nowhere that has a name."""
    pointers: dict[int, str] = field(default_factory=dict)
    """Words that are addresses of something with a name: by their offset."""

    def __bytes__(self) -> bytes:
        return self.data

    def __len__(self) -> int:
        return len(self.data)

    def words(self) -> list[int]:
        """As numbers of 64 bits; what is left at the end is left out."""
        end = len(self.data) // _WORD * _WORD
        return [int.from_bytes(self.data[at : at + _WORD], "little") for at in range(0, end, _WORD)]

    def rows(self) -> Iterator[tuple[int, str, str, str]]:
        """Address, bytes in hex, text, symbols: of 16 bytes each."""
        for at in range(0, len(self.data), _ROW):
            row = self.data[at : at + _ROW]
            halves = (row[:_WORD].hex(" "), row[_WORD:].hex(" "))
            text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
            names = [self.pointers[at + word] for word in (0, _WORD) if at + word in self.pointers]
            yield self.address + at, "  ".join(halves).ljust(3 * _ROW), text, ", ".join(names)

    def __str__(self) -> str:
        lines = [self.symbol + ":"] if self.symbol else []
        for address, row, text, names in self.rows():
            lines.append(f"{address:016x}  {row}  |{text}|{'  ' + names if names else ''}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Memory(address={self.address:#x}, {len(self.data)} bytes{', ' + self.symbol if self.symbol else ''})"

    def __rich__(self) -> Text:
        text = Text(self.symbol + ":\n" if self.symbol else "")
        for address, row, characters, names in self.rows():
            text.append(f"{address:016x}  ", style="dim").append(f"{row}  |{characters}|")
            text.append(f"  {names}\n" if names else "\n", style="cyan")
        return text

    def _repr_html_(self) -> str:
        rows = []
        for number, (address, row, text, names) in enumerate(self.rows()):
            if number == _MAX_SHOWN:
                break
            pointers = f'  <span style="color:{markup.BLUE}">{escape(names)}</span>' if names else ""
            # Words for the search: runs of zeros are quieter.
            quiet = f";{markup.SOFT}" if not names and not row.replace("0", "").strip() else ""
            rows.append(
                f'<div data-row style="white-space:pre{quiet}"><span style="{markup.SOFT}">{address:016x}</span>  '
                f"{row}  |{escape(text)}|{pointers}</div>"
            )
        name = f'<div style="{markup.MONO};font-weight:600">{escape(self.symbol)}</div>' if self.symbol else ""
        body = f'<div style="{markup.MONO};line-height:1.35;padding:.4em .7em">{name}{"".join(rows)}</div>'
        kind = "physical " if self.physical else ""
        note = f", {len(self.data)} bytes of {kind}memory"
        return markup.searchable(markup.scrolling(body), len(rows), "rows", note=note)


def label(match: SymbolMatch) -> str:
    """ "panic+0x12"."""
    return f"{match.name}+{match.offset:#x}" if match.offset else match.name


def read(core: Core, address: int, size: int, physical: bool) -> Memory:
    """core.memory()."""
    if size > MAX_SIZE:
        raise ConfigError(
            f"{size} bytes are more than somebody can look at",
            attempted="show memory",
            hint=f"at most {MAX_SIZE}; core.read() takes more",
        )
    data = core.read_physical(address, size) if physical else core.read(address, size)
    start = None if physical else core.lookup(address)
    memory = Memory(address, data, physical, label(start) if start else "")
    for number, word in enumerate(memory.words()):
        if word and (match := core.lookup(word)):
            memory.pointers[number * _WORD] = label(match)
    return memory
