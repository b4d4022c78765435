"""kdev.open(): one call on whatever a crash left."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from html import escape
from os import PathLike, fspath
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from . import _kdev, markup
from ._kdev import Bundle, Core, CrashReport, KernelArtifact, ModuleArtifact, Symbolizer, TextDump
from .errors import ConfigError
from .scan import scan_file
from .tables import Table

AnyPath: TypeAlias = str | PathLike[str]
Os = Literal["linux", "freebsd"]

_KERNEL_JSON = "kernel.json"  # as `kdev build` leaves it in a workspace
_KERNEL_FILES = ("vmlinux", "kernel.full", "kernel.debug")
_MAX_SHOWN = 20


class Symbols:
    """Where a kernel's symbols are, as open() is told: of an artifact, or a file."""

    def __init__(
        self,
        kernel: KernelArtifact | AnyPath | None,
        modules: Sequence[ModuleArtifact | AnyPath] | None,
        source: AnyPath | None,
    ) -> None:
        self.artifact = kernel if isinstance(kernel, KernelArtifact) else None
        self.file: Path | None = None
        self.source = Path(source).expanduser() if source is not None else None
        if kernel is not None and not isinstance(kernel, KernelArtifact):
            self._find(Path(kernel).expanduser())
        self.modules = [file for module in modules or () for file in _module_files(module)]

    def _find(self, path: Path) -> None:
        if path.is_dir():
            found = next((path / name for name in (_KERNEL_JSON, *_KERNEL_FILES) if (path / name).is_file()), None)
            if found is None:
                raise ConfigError(
                    f"{path} has neither {' nor '.join((*_KERNEL_FILES, _KERNEL_JSON))}",
                    attempted="find the kernel",
                    hint="name the file that has the debug information",
                )
            path = found
        if not path.is_file():
            raise ConfigError(f"{path} is not there", attempted="find the kernel")
        if path.suffix == ".json":
            self.artifact = KernelArtifact.from_json(path.read_text())
        else:
            self.file = path

    def __bool__(self) -> bool:
        return self.artifact is not None or self.file is not None

    def symbolizer(self, system: str) -> Symbolizer | None:
        """For reports of a system's console; None: there is no kernel, or none of such a system."""
        whose: Os | None = next((name for name in get_args(Os) if name == system), None)
        if not self or whose is None or (self.artifact is not None and self.artifact.os != whose):
            return None
        return Symbolizer(self.artifact, vmlinux=self.file, modules=self.modules, source=self.source, os=whose)

    def core(self, file: Path, timeout: float | None) -> Core:
        return Core(file, self.artifact, vmlinux=self.file, modules=self.modules, source=self.source, timeout=timeout)


def _module_files(module: ModuleArtifact | AnyPath) -> list[Path]:
    if isinstance(module, ModuleArtifact):
        return [module.ko]
    path = Path(module).expanduser()
    return sorted(path.rglob("*.ko")) if path.is_dir() else [path]


class ConsoleLog:
    """A console's log, as a file. Its reports are looked for when they are first asked for, symbolized if a kernel was
    given."""

    path: Path
    system: str
    """Whose console it is: "linux", ...; empty: nobody's that is known."""

    def __init__(self, path: AnyPath, symbols: Symbols | None = None, system: str | None = None) -> None:
        self.path = Path(path)
        with self.path.open("rb") as file:
            self.system = system or _kdev.detect_console(file.read(1 << 20))
        self._asked = system
        self._symbols = symbols

    @cached_property
    def reports(self) -> Table[CrashReport]:
        """Every crash report in it, in order."""
        found = Table(scan_file(self.path, self._asked))
        if self._symbols:
            made: dict[str, Symbolizer | None] = {}
            for index, report in enumerate(found):
                if report.os not in made:
                    made[report.os] = self._symbols.symbolizer(report.os)
                if symbolizer := made[report.os]:
                    found[index] = symbolizer.symbolize(report)
        return found

    @property
    def text(self) -> str:
        """All of it; what is no UTF-8 is replaced."""
        return self.path.read_text(errors="replace")

    def __repr__(self) -> str:
        return f"ConsoleLog({str(self.path)!r}, system={self.system!r})"

    def _repr_html_(self) -> str:
        count = len(self.reports)
        size = self.path.stat().st_size
        head = f"{self.path.name}: {size} bytes, {count or 'no'} crash report{'' if count == 1 else 's'}"
        parts = [
            markup.details(report.title or report.message, report.to_html(), open=count == 1)
            for report in self.reports[:_MAX_SHOWN]
        ]
        if count > _MAX_SHOWN:
            parts.append(f"<div>and {count - _MAX_SHOWN} more</div>")
        return f'<div style="color:inherit"><b>{escape(head)}</b>{"".join(parts)}</div>'


Opened: TypeAlias = ConsoleLog | CrashReport | Core | TextDump | Bundle


def open(
    path: AnyPath,
    kernel: KernelArtifact | AnyPath | None = None,
    modules: Sequence[ModuleArtifact | AnyPath] | None = None,
    source: AnyPath | None = None,
    *,
    os: str | None = None,
    partition: int | None = None,
    timeout: float | None = None,
) -> Opened:
    """What a crash left, by the file's content: of a console log a ConsoleLog, of a report's JSON the CrashReport, of a
    memory dump the Core, of a text dump the TextDump; a dump on the image of a disk or a partition is lifted off it
    first. Of a bundle (CrashReport.save()) the Bundle, which has its own symbols: its core() takes others.

    `kernel`: the one that crashed: its artifact, its file with debug information (vmlinux, kernel.full), or the folder
    of its build. `modules`: their artifacts, .ko files, or folders of those. `source`: the tree for source lines.
    `os`: whose console a log is, where it is not to be found out. `partition`: of the dump that is meant, where a disk
    has several.

    FormatError, which says what it is, for any other file. ConfigError when the kernel is not there.
    """
    file = Path(fspath(path)).expanduser()
    symbols = Symbols(kernel, modules, source)
    match _kdev.identify(file):
        case "console log":
            return ConsoleLog(file, symbols, os)
        case "report":
            return _report(file, symbols)
        case "core":
            return symbols.core(file, timeout)
        case "text dump":
            return _kdev.read_text_dump(file)
        case "disk":
            return _on_disk(file, symbols, partition, timeout)
        case "bundle":
            return _kdev.Bundle(file, timeout=timeout)


def _report(file: Path, symbols: Symbols) -> CrashReport:
    report = CrashReport.from_json(file.read_text())
    symbolizer = None if report.symbolized else symbols.symbolizer(report.os)
    return symbolizer.symbolize(report) if symbolizer else report


def _on_disk(image: Path, symbols: Symbols, partition: int | None, timeout: float | None) -> Core | TextDump:
    # The dump's file stays open: its name need not stay.
    with tempfile.TemporaryDirectory(prefix="kdev-dump-") as folder:
        lifted = _kdev.lift_dump(image, folder, partition=partition, timeout=timeout)
        if lifted.info.kind == "text":
            return _kdev.read_text_dump(lifted.file)
        return symbols.core(lifted.file, timeout)
