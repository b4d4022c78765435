"""The descriptor tables of a processor: GDT and IDT (Intel SDM, volume 3, 3.4.5, 6.11 and 7.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tables import Table
from .machine import Row, need_x86_64, symbol_at

if TYPE_CHECKING:
    import drgn

# GDT_ENTRY_* of arch/x86/include/asm/segment.h: macros, which no debug information has.
_SEGMENTS = {
    1: "KERNEL32_CS",
    2: "KERNEL_CS",
    3: "KERNEL_DS",
    4: "DEFAULT_USER32_CS",
    5: "DEFAULT_USER_DS",
    6: "DEFAULT_USER_CS",
    8: "TSS",
    10: "LDT",
    12: "TLS 0",
    13: "TLS 1",
    14: "TLS 2",
    15: "CPUNODE",
}
_EXCEPTIONS = [
    *("#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP", "#PF", ""),
    *("#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "", "", "", "", "", "", "", "#VC", "", ""),
]
_SYSTEM_TYPES = {0x2: "LDT", 0x9: "TSS, available", 0xB: "TSS, busy", 0xC: "call gate"}
_GATE_TYPES = {0xC: "call gate", 0xE: "interrupt gate", 0xF: "trap gate"}


@dataclass(frozen=True)
class SegmentDescriptor(Row):
    """An entry of the GDT."""

    index: int
    selector: int
    """With the privilege level that it asks for, which is its own."""
    name: str
    """Without "GDT_ENTRY_"; empty: the kernel has none for it."""
    base: int
    limit: int
    """The last byte's offset."""
    type: str
    """"64-bit code, execute/read", "data, read/write", "TSS, busy"."""
    dpl: int
    """Privilege level, 0 to 3."""
    present: bool
    accessed: bool


@dataclass(frozen=True)
class GateDescriptor(Row):
    """An entry of the IDT."""

    vector: int
    name: str
    """The exception's mnemonic: "#PF"; empty: an interrupt."""
    handler: str
    """The symbol that it leads to; empty: none is there."""
    address: int
    type: str
    """"interrupt gate", "trap gate"."""
    dpl: int
    """Who may ask for it by an instruction: 3 is programs, too."""
    ist: int
    """The stack that it switches to, 1 to 7; 0: it switches to none."""
    selector: int
    present: bool


def gdt(prog: drgn.Program, cpu: int = 0) -> Table[SegmentDescriptor]:
    """A CPU's global descriptor table, without the entries that are empty. The kernel's own copy; the processor reads
    the same page at another address. drgn's FaultError when there is no such CPU."""
    from drgn.helpers.linux.percpu import per_cpu

    need_x86_64(prog, "read the GDT")
    page = per_cpu(prog["gdt_page"], cpu).gdt
    return parse_gdt(prog.read(page.address_of_().value_(), page.type_.length * 8))


def parse_gdt(data: bytes) -> Table[SegmentDescriptor]:
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data) // 8 * 8, 8)]
    rows: Table[SegmentDescriptor] = Table()
    index = 0
    while index < len(words):
        word = words[index]
        system = not word >> 44 & 1
        # The base of what describes a segment of the system goes on in the next entry.
        wide = system and word >> 40 & 0xF in _SYSTEM_TYPES and index + 1 < len(words)
        if word:
            rows.append(_segment(index, word, words[index + 1] & 0xFFFFFFFF if wide else 0))
        index += 2 if word and wide else 1
    return rows


def _segment(index: int, word: int, base_above: int) -> SegmentDescriptor:
    kind, system = word >> 40 & 0xF, not word >> 44 & 1
    dpl = word >> 45 & 3
    limit = (word & 0xFFFF) | (word >> 32 & 0xF0000)
    if word >> 55 & 1:
        limit = limit << 12 | 0xFFF
    if system:
        name = _SYSTEM_TYPES.get(kind, f"system, type {kind:#x}")
    elif kind & 8:
        width = "64-bit" if word >> 53 & 1 else "32-bit" if word >> 54 & 1 else "16-bit"
        name = f"{width} code, execute" + ("/read" if kind & 2 else "") + (", conforming" if kind & 4 else "")
    else:
        name = "data, read" + ("/write" if kind & 2 else "") + (", expand down" if kind & 4 else "")
    return SegmentDescriptor(
        index=index,
        selector=index << 3 | dpl,
        name=_SEGMENTS.get(index, ""),
        base=(word >> 16 & 0xFFFFFF) | (word >> 32 & 0xFF000000) | base_above << 32,
        limit=limit,
        type=name,
        dpl=dpl,
        present=bool(word >> 47 & 1),
        accessed=bool(not system and kind & 1),
    )


def idt(prog: drgn.Program) -> Table[GateDescriptor]:
    """The interrupt descriptor table, which all CPUs share: its entries by their vectors."""
    need_x86_64(prog, "read the IDT")
    table = prog["idt_table"]
    data = prog.read(table.address_of_().value_(), table.type_.length * 16)
    return Table(_gate(prog, vector, data[16 * vector : 16 * vector + 16]) for vector in range(len(data) // 16))


def _gate(prog: drgn.Program, vector: int, data: bytes) -> GateDescriptor:
    word, above = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:12], "little")
    address = (word & 0xFFFF) | (word >> 32 & 0xFFFF0000) | above << 32
    kind = word >> 40 & 0x1F
    return GateDescriptor(
        vector=vector,
        name=_EXCEPTIONS[vector] if vector < len(_EXCEPTIONS) else "",
        handler=symbol_at(prog, address),
        address=address,
        type=_GATE_TYPES.get(kind, f"type {kind:#x}"),
        dpl=word >> 45 & 3,
        ist=word >> 32 & 7,
        selector=word >> 16 & 0xFFFF,
        present=bool(word >> 47 & 1),
    )
