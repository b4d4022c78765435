"""An address through the page tables, level by level (Intel SDM, volume 3, 4.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from .. import markup
from ..errors import ConfigError
from ..tables import Table
from .machine import Row, need_x86_64, physical_address, vmcoreinfo

if TYPE_CHECKING:
    import drgn

_LEVELS = {4: ["PGD", "PUD", "PMD", "PTE"], 5: ["PGD", "P4D", "PUD", "PMD", "PTE"]}
_PHYSICAL = 0x000FFFFFFFFFF000
_PRESENT, _WRITABLE, _USER, _LARGE, _NO_EXECUTE = 1, 1 << 1, 1 << 2, 1 << 7, 1 << 63
# _PAGE_BIT_* of arch/x86/include/asm/pgtable_types.h.
_FLAGS = {0: "PRESENT", 1: "RW", 2: "USER", 3: "PWT", 4: "PCD", 5: "ACCESSED", 6: "DIRTY", 63: "NX"}


@dataclass(frozen=True)
class PageTableEntry(Row):
    """One level's entry."""

    level: str
    """"PGD", "P4D", "PUD", "PMD" or "PTE"."""
    index: int
    address: int
    """Physical, of the entry."""
    entry: int
    """As it is."""
    physical: int
    """Of the table or the page that it leads to; not of one that is not present."""
    flags: tuple[str, ...]


@dataclass(frozen=True)
class PageWalk(Row):
    """What the page tables make of an address."""

    address: int
    physical: int | None
    """None: nothing is mapped there."""
    page_size: int
    """Bytes: 4096, 2 MiB or 1 GiB; 0: nothing is mapped there."""
    writable: bool
    """By the entries of all levels, likewise `user` and `executable`."""
    user: bool
    executable: bool
    entries: Table[PageTableEntry] = field(default_factory=Table)
    """From the PGD as far as it went."""

    @property
    def mapped(self) -> bool:
        return self.physical is not None

    def __str__(self) -> str:
        if self.physical is None:
            return f"{self.address:#x}: not mapped, the {self.entries[-1].level} entry is not present"
        rights = "r" + ("w" if self.writable else "-") + ("x" if self.executable else "-")
        size = next(f"{self.page_size >> shift} {unit}" for shift, unit in _UNITS if self.page_size >> shift)
        whose = "user" if self.user else "kernel"
        return f"{self.address:#x} is physical {self.physical:#x}, {size} page, {rights}, {whose}"

    def _repr_html_(self) -> str:
        return f'<div style="{markup.MONO};margin:.3em 0">{self}</div>{self.entries._repr_html_()}'

    def __rich__(self) -> Group:
        return Group(Text(str(self)), self.entries)


_UNITS = [(30, "GiB"), (20, "MiB"), (10, "KiB")]


def page_walk(prog: drgn.Program, address: int, of: drgn.Object | None = None) -> PageWalk:
    """An address's way through the page tables of `of`, a task_struct * or mm_struct *; none: the kernel's own.
    ConfigError for a user's address without the task whose it is, one of a kernel thread, and an address that the
    processor has none of; drgn's FaultError where the tables lead out of memory."""
    attempted = f"walk the page tables for {address:#x}"
    need_x86_64(prog, attempted)
    facts = vmcoreinfo(prog)
    levels = 5 if facts.get("NUMBER(pgtable_l5_enabled)", "0") == "1" else 4
    # AMD's bit for encrypted memory is no part of an address.
    mask = _PHYSICAL & ~int(facts.get("NUMBER(sme_mask)", "0"), 0)
    mm = _space(prog, address, of, attempted)
    root = physical_address(prog, mm.pgd.value_())
    return walk(lambda at: prog.read_u64(at, True), root, address, levels, mask, attempted)


def _space(prog: drgn.Program, address: int, of: drgn.Object | None, attempted: str) -> drgn.Object:
    if of is None:
        if not address >> 63:
            raise ConfigError(
                "it is a program's address", attempted=attempted, hint="say whose: of=find_task(prog, pid)"
            )
        return prog["init_mm"].address_of_()
    if of.type_.type_name() == "struct mm_struct *":
        return of
    if of.mm:
        return of.mm
    if not address >> 63:
        raise ConfigError("a kernel thread has no program's memory", attempted=attempted)
    return prog["init_mm"].address_of_()


def walk(
    read: Callable[[int], int],
    root: int,
    address: int,
    levels: int,
    mask: int = _PHYSICAL,
    attempted: str = "walk page tables",
) -> PageWalk:
    """`read` gives the 64-bit entry at a physical address, `root` is that of the first table."""
    top = 12 + 9 * levels - 1
    if address >> top not in (0, (1 << (64 - top)) - 1):
        raise ConfigError(f"with {levels} levels no address is like that: it is not canonical", attempted=attempted)
    entries: Table[PageTableEntry] = Table()
    table, rights = root & mask, _WRITABLE | _USER
    executable = True
    for left, level in zip(range(levels - 1, -1, -1), _LEVELS[levels], strict=True):
        shift = 12 + 9 * left
        index = address >> shift & 0x1FF
        at = table + 8 * index
        value = read(at)
        page = left == 0 or bool(value & _LARGE and left <= 2)
        size = 1 << shift
        # A large page's lowest bit of the address is the PAT's.
        physical = value & mask & (~(size - 1) if page else -1)
        present = bool(value & _PRESENT)
        entries.append(
            PageTableEntry(level, index, at, value, physical if present else 0, _flags(value, page, left == 0))
        )
        if not present:
            return PageWalk(address, None, 0, False, False, False, entries)
        rights &= value
        executable = executable and not value & _NO_EXECUTE
        if page:
            offset = address & (size - 1)
            user, writable = bool(rights & _USER), bool(rights & _WRITABLE)
            return PageWalk(address, physical + offset, size, writable, user, executable, entries)
        table = physical
    raise AssertionError("the last level is a page")


def _flags(value: int, page: bool, last: bool) -> tuple[str, ...]:
    if not value & _PRESENT:
        # A swap entry, or nothing: its bits are the kernel's own.
        return ()
    names = dict(_FLAGS)
    if page:
        names[8] = "GLOBAL"
        names[7 if last else 12] = "PAT"
    else:
        del names[6]
    if page and not last:
        names[7] = "PSE"
    return tuple(name for bit, name in sorted(names.items()) if value >> bit & 1)
