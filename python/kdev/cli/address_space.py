"""kdev address-space: how large an i386 kernel's address space is, and what changes it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import typer
from rich.table import Table

from .._kdev import I386Pmap, KernelAddressSpace
from .output import console

USUAL = ["256M", "512M", "1G", "1536M", "2G"]


def bytes_of(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMG])i?B?", text, re.IGNORECASE)
    if not match:
        raise typer.BadParameter(f"{text!r} is no size such as 512M or 1G", param_hint="SIZE")
    return int(match[1]) << {"K": 10, "M": 20, "G": 30}[match[2].upper()]


def address_space(
    sizes: list[str] = typer.Argument(None, metavar="[SIZE]...", help="E.g. 512M; without any, the usual ones."),
    source: Path | None = typer.Option(None, "--source", "-s", help="FreeBSD tree; without one, FreeBSD 3 and 4."),
    smp: bool = typer.Option(False, "--smp", help="A kernel for several processors."),
    pae: bool = typer.Option(False, "--pae", help="A kernel with PAE."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line and size."),
) -> None:
    """The address space of FreeBSD kernels for i386: NKPDE, KERNBASE, load address, what to edit for it."""
    pmap = I386Pmap.of_tree(source.expanduser()) if source else I386Pmap()
    if sizes:
        wanted = [bytes_of(size) for size in sizes]
    else:
        wanted = [pmap.default_size(pae)] if pmap.knob == "none" else [bytes_of(size) for size in USUAL]
    spaces = [pmap.space(size, smp=smp, pae=pae) for size in wanted]
    if as_json:
        for space in spaces:
            sys.stdout.write(json.dumps(space.to_dict()) + "\n")
        return
    console().print(_table(spaces))


def _table(spaces: list[KernelAddressSpace]) -> Table:
    table = Table("size", "NKPDE", "KERNBASE", "load address", "edit", box=None, pad_edge=False)
    for space in spaces:
        edits = [f"{edit.file}: {edit.setting} = {edit.value}" for edit in space.edits] or ["nothing"]
        table.add_row(
            f"{space.size >> 20} MB",
            str(space.nkpde),
            f"{space.kernbase:#010x}",
            f"{space.load_address:#010x}",
            "\n".join(edits),
        )
    return table
