"""What the helpers share: rows of tables, and what machine a program is of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    import drgn


_START_KERNEL_MAP = 0xFFFFFFFF80000000


class Row:
    """A frozen dataclass that a kdev.Table holds."""

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)  # type: ignore[call-overload,no-any-return]


def need_x86_64(prog: drgn.Program, attempted: str) -> None:
    import drgn

    platform = prog.platform
    if platform is None or platform.arch != drgn.Architecture.X86_64:
        name = platform.arch.name if platform else "not known"
        raise ConfigError(f"only x86_64 is known here, the machine is {name}", attempted=attempted)


def symbol_at(prog: drgn.Program, address: int) -> str:
    """ "asm_exc_page_fault", "irq_entries_start+0x18"; empty: there is none."""
    try:
        symbol = prog.symbol(address)
    except LookupError:
        return ""
    offset = address - symbol.address
    return f"{symbol.name}+{offset:#x}" if offset else str(symbol.name)


def vmcoreinfo(prog: drgn.Program) -> dict[str, str]:
    """What the kernel tells dump tools of itself."""
    return dict(line.partition("=")[::2] for line in prog["VMCOREINFO"].string_().decode().splitlines())


def physical_address(prog: drgn.Program, address: int) -> int:
    """Of what lies in the kernel's image or in its direct map, without its page tables (__phys_addr() in
    arch/x86/mm/physaddr.c)."""
    if address >= _START_KERNEL_MAP:
        return (address - _START_KERNEL_MAP + int(vmcoreinfo(prog).get("NUMBER(phys_base)", "0"))) % 2**64
    from drgn.helpers.linux.mm import virt_to_phys

    return int(virt_to_phys(prog, address).value_())
