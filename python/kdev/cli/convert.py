"""kdev crash convert: a dump in another format."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import Literal, get_args

import typer

from .. import _kdev
from .._kdev import Core
from .build import find_kernel

Format = Literal["elf", "kdump"]
Compression = Literal["none", "zlib", "zstd"]
PageKind = Literal["free", "user", "cache"]


def convert(
    file: Path = typer.Argument(..., metavar="DUMP", help="A dump, or the disk image that it lies on."),
    out: Path = typer.Argument(..., metavar="OUT", help="The file to write."),
    format: Format = typer.Option("elf", "--format", "-f", help="elf: for gdb; kdump: for crash and drgn."),
    compression: Compression = typer.Option("zlib", "--compression", help="Of a kdump file's pages."),
    leave_out: list[str] = typer.Option([], "--leave-out", help="free, user or cache memory; may be repeated."),
    kernel: Path | None = typer.Option(None, "--kernel", "-k", help="Workspace or kernel's JSON file."),
    vmlinux: Path | None = typer.Option(None, "--vmlinux", help="ELF file with debug information."),
    module: list[Path] = typer.Option([], "--module", "-m", help="A module's .ko; may be repeated."),
    script: Path | None = typer.Option(None, "--gdb-script", help="Where what gdb needs for traps is written."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object: what was written."),
) -> None:
    """A dump as an ELF core file with the kernel's addresses and threads, or as a kdump-compressed one. Prints the
    command that opens it."""
    kinds = [kind for kind in get_args(PageKind) if kind in leave_out]
    if unknown := sorted(set(leave_out) - set(kinds)):
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(get_args(PageKind))}", param_hint="--leave-out")
    with tempfile.TemporaryDirectory() as folder:
        if _kdev.find_dumps(file):
            file = _kdev.lift_dump(file, folder).file
        dump = Core(file, find_kernel(kernel) if kernel else None, vmlinux=vmlinux, modules=module)
        if format == "elf":
            written = dump.write_elf(out, leave_out=kinds)
        else:
            written = dump.write_kdump(out, compression=compression, leave_out=kinds)
    if script is not None:
        script.write_text(written.script)
    for note in written.notes:
        print(note, file=sys.stderr)
    print(written.to_json() if as_json else shlex.join(written.command))
