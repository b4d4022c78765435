"""What kdev.helpers makes of bytes: descriptors and page tables that no guest here has."""

from __future__ import annotations

import importlib
import io
import sys
from types import SimpleNamespace

import kdev
import pytest
from kdev import drgn_program
from rich.console import Console

pytest.importorskip("drgn", reason="drgn is not installed (pip install drgn)")

from kdev.helpers import descriptors, page_tables

P, RW, US, PS, NX = 1, 2, 4, 1 << 7, 1 << 63


def tables(entries: dict[int, int]) -> page_tables.Callable[[int], int]:
    return lambda at: entries.get(at, 0)


def test_five_levels_to_a_small_page() -> None:
    address = 0xFF11_2233_4455_6678
    index = [address >> shift & 0x1FF for shift in (48, 39, 30, 21, 12)]
    entries = {0x1000 * (n + 1) + 8 * i: 0x1000 * (n + 2) | P | RW for n, i in enumerate(index)}
    found = page_tables.walk(tables(entries), 0x1000, address, 5)
    assert [entry.level for entry in found.entries] == ["PGD", "P4D", "PUD", "PMD", "PTE"]
    assert [entry.index for entry in found.entries] == index
    assert [entry.address for entry in found.entries] == list(entries)
    assert (found.physical, found.page_size) == (0x6678, 4096)
    assert (found.writable, found.user, found.executable) == (True, False, True)
    # With four levels there is no such address.
    with pytest.raises(kdev.ConfigError, match="not canonical"):
        page_tables.walk(tables(entries), 0x1000, address, 4)


@pytest.mark.parametrize(("level", "size"), [(1, 1 << 30), (2, 2 << 20)])
def test_large_pages_end_the_walk(level: int, size: int) -> None:
    address = 0xFFFF_8000_4123_4567
    entries = {}
    for n, shift in enumerate((39, 30, 21)[: level + 1]):
        last = n == level
        # The PAT's bit is none of the address; a right that one level takes away is gone.
        flags = P | US | (PS | 1 << 12 | NX if last else RW)
        entries[0x1000 * (n + 1) + 8 * (address >> shift & 0x1FF)] = (0x40000000 if last else 0x1000 * (n + 2)) | flags
    found = page_tables.walk(tables(entries), 0x1000, address, 4)
    assert found.page_size == size
    assert found.physical == 0x40000000 + address % size
    assert (found.writable, found.user, found.executable) == (False, True, False)
    assert found.entries[-1].flags == ("PRESENT", "USER", "PSE", "PAT", "NX")
    assert f"{size >> 30 or size >> 20} {'GiB' if size >> 30 else 'MiB'} page, r--, user" in str(found)


def test_what_is_not_mapped_says_where_it_ended() -> None:
    found = page_tables.walk(tables({0x1000: 0x2000 | P | RW | US}), 0x1000, 0x5000, 4)
    assert (found.physical, found.page_size, found.mapped) == (None, 0, False)
    assert str(found) == "0x5000: not mapped, the PUD entry is not present"
    assert "PUD" in found._repr_html_()
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(found)
    assert "not mapped" in console.export_text() and "0x2003"[:5] in found._repr_html_()


def test_a_mask_is_no_part_of_an_address() -> None:
    entries = {0x1000 * (n + 1): 1 << 47 | 0x1000 * (n + 2) | P for n in range(4)}
    found = page_tables.walk(tables(entries), 0x1000, 0, 4, page_tables._PHYSICAL & ~(1 << 47))
    assert found.physical == 0x5000


def descriptor(base: int, limit: int, access: int, flags: int = 0) -> bytes:
    """As the SDM draws it."""
    value = limit & 0xFFFF | (base & 0xFFFFFF) << 16 | access << 40
    value |= (limit >> 16 & 0xF) << 48 | flags << 52 | (base >> 24 & 0xFF) << 56
    return value.to_bytes(8, "little")


def test_segments() -> None:
    data = bytes(8) + descriptor(0, 0xFFFFF, 0x9B, 0xC) + descriptor(0, 0xFFFFF, 0x9B, 0xA)
    data += descriptor(0x12345678, 0x123, 0xF2, 0x4) + bytes(8 * 4)
    data += descriptor(0x89ABCDEF, 0x206F, 0x8B) + (0xFFFFFE00).to_bytes(8, "little")
    rows = descriptors.parse_gdt(data)
    assert [(row.index, row.selector, row.name) for row in rows] == [
        (1, 0x8, "KERNEL32_CS"),
        (2, 0x10, "KERNEL_CS"),
        (3, 0x1B, "KERNEL_DS"),
        (8, 0x40, "TSS"),
    ]
    assert [row.type for row in rows] == [
        "32-bit code, execute/read",
        "64-bit code, execute/read",
        "data, read/write",
        "TSS, busy",
    ]
    assert [(row.base, row.limit, row.dpl, row.present, row.accessed) for row in rows] == [
        (0, 0xFFFFFFFF, 0, True, True),
        (0, 0xFFFFFFFF, 0, True, True),
        (0x12345678, 0x123, 3, True, False),
        (0xFFFFFE0089ABCDEF, 0x206F, 0, True, False),
    ]
    assert "0xfffffe0089abcdef" in rows._repr_html_()
    # A table that is cut off in a descriptor of two entries.
    assert descriptors.parse_gdt(data[:-8])[-1].base == 0x89ABCDEF


def test_without_drgn_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "drgn", None)
    for name in [name for name in sys.modules if name.startswith("kdev.helpers")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(kdev.ConfigError, match="drgn is not installed") as refused:
        importlib.import_module("kdev.helpers")
    assert "kdev[drgn]" in refused.value.hint


def test_drgn_knows_no_other_system() -> None:
    with pytest.raises(kdev.ConfigError, match="drgn knows Linux alone, this is FreeBSD") as refused:
        drgn_program.program(SimpleNamespace(os="freebsd"))  # type: ignore[arg-type]
    assert refused.value.hint
