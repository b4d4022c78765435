"""A drgn.Program on a dump that Core reads, or on a guest that runs: drgn asks, and gets memory from here, so that it
can work on whatever Core can, also where drgn itself knows no such format."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from ._kdev import os_title
from .errors import ConfigError, FormatError

if TYPE_CHECKING:
    import drgn

    from ._kdev import VM, Core

_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_ET_CORE, _EM_X86_64, _PT_NOTE = 4, 62, 4


def need_drgn(attempted: str) -> ModuleType:
    """The drgn package; ConfigError where it is not installed."""
    try:
        import drgn
    except ImportError:
        raise ConfigError("drgn is not installed", attempted=attempted, hint="pip install 'kdev[drgn]'") from None
    return drgn


def of_vm(vm: VM) -> drgn.Program:
    """vm.drgn(). The program keeps the guest's memory, which outlives the VM."""
    return program(vm.core(live=True), f"make a drgn program of VM '{vm.name}'")


def program(core: Core, attempted: str = "make a drgn program of the dump") -> drgn.Program:
    """core.drgn()."""
    _check_os(core.os, attempted)
    drgn = need_drgn(attempted)
    info = core.vmcoreinfo()
    if not info:
        raise FormatError(
            "there is no VMCOREINFO",
            attempted=attempted,
            hint="" if core.kernel_file else "give the kernel that crashed: it tells where that lies in memory",
        )
    made = drgn.Program()
    # drgn takes what a CPU's registers were from a core file alone: so it gets one that has all but memory.
    file = os.memfd_create("kdev-notes", os.MFD_CLOEXEC)
    try:
        with open(file, "wb", closefd=False) as out:
            out.write(_notes_file(core, info))
        made.set_core_dump(file)
    except (TypeError, AttributeError) as error:
        raise ConfigError(
            f"drgn {drgn.__version__} cannot be given a dump: {error}",
            attempted=attempted,
            hint="pip install --upgrade drgn",
        ) from None
    finally:
        os.close(file)

    def read(address: int, count: int, _offset: int, physical: bool) -> bytes:
        try:
            return core.read_physical(address, count) if physical else core.read(address, count)
        except FormatError as error:
            raise drgn.FaultError(error.reason, address) from None

    made.add_memory_segment(0, core.physical_end, read, True)
    made.add_memory_segment(0, 0xFFFFFFFFFFFFFFFF, read, False)
    if core.kernel_file:
        modules = [module.file for module in core.modules() if module.file]
        made.load_debug_info([core.kernel_file, *modules])
    return made


def _check_os(os_name: Literal["linux", "freebsd"], attempted: str) -> None:
    if os_name != "linux":
        raise ConfigError(
            f"drgn knows Linux alone, this is {os_title(os_name)}",
            attempted=attempted,
            hint="core.threads(), core.stack() and DebugSession work on both",
        )


def _notes_file(core: Core, info: str) -> bytes:
    """An ELF core file of the dump's notes, without memory."""
    found = [(note.name, note.type, note.data) for note in core.elf_notes()]
    if all(name != "VMCOREINFO" for name, _, _ in found):
        found.append(("VMCOREINFO", 0, info.encode()))
    body = _notes(found)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    at = _ELF_HEADER.size + _PROGRAM_HEADER.size
    header = _ELF_HEADER.pack(
        *(ident, _ET_CORE, _EM_X86_64, 1, 0, _ELF_HEADER.size, 0, 0),
        *(_ELF_HEADER.size, _PROGRAM_HEADER.size, 1, 0, 0, 0),
    )
    return header + _PROGRAM_HEADER.pack(_PT_NOTE, 0, at, 0, 0, len(body), len(body), 4) + body


def _notes(notes: Iterable[tuple[str, int, bytes]]) -> bytes:
    out = b""
    for name, kind, data in notes:
        owner = name.encode() + b"\0"
        out += struct.pack("<III", len(owner), len(data), kind)
        out += owner + bytes(-len(owner) % 4) + data + bytes(-len(data) % 4)
    return out
