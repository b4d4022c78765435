"""The errors of kdev. Each tells what was attempted, why it failed, what to try and where the log is.

A guest's crash, a command's non-zero exit and its time-out are no errors: they are data on the result.
"""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._kdev import CrashReport, Diagnostic


class Error(Exception):
    """Root of all errors."""

    attempted: str
    """What kdev was doing: "boot VM 'vm0'"."""
    reason: str
    hint: str
    """What to try; may be empty."""
    log: Path | None
    """File that has more."""
    diagnostics: list[Diagnostic]
    """Compiler messages; only a BuildError has some."""
    console_tail: str
    """The end of the guest's console; only a BootError has one."""
    crash: CrashReport | None
    """The crash found on the console; only a BootError may have one."""

    def __init__(
        self,
        reason: str = "",
        *,
        attempted: str = "",
        hint: str = "",
        log: Path | None = None,
        diagnostics: list[Diagnostic] | None = None,
        console_tail: str = "",
        crash: CrashReport | None = None,
    ) -> None:
        self.attempted = attempted
        self.reason = reason
        self.hint = hint
        self.log = log
        self.diagnostics = list(diagnostics or [])
        self.console_tail = console_tail
        self.crash = crash
        super().__init__(reason)

    def __str__(self) -> str:
        lines = [f"{self.attempted}: {self.reason}" if self.attempted else self.reason]
        if self.log is not None:
            lines.append(f"log: {self.log}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._fields())

    def _fields(self) -> dict[str, Any]:
        names = ("attempted", "reason", "hint", "log", "diagnostics", "console_tail", "crash")
        return {name: getattr(self, name) for name in names}


def _rebuild(cls: type[Error], fields: dict[str, Any]) -> Error:
    return cls(**fields)


class ConfigError(Error):
    """A configuration that cannot work: unknown or lost options, a bad spec, no source tree."""


class BuildError(Error):
    """The tree's build failed; `diagnostics` says where."""


class HostError(Error):
    """This machine's fault, not the kernel's: a program missing or failing, disk full, a lock held."""


class BootError(Error):
    """A guest that did not become ready; `console_tail` and `crash` are the evidence."""


class TimeoutError(Error, builtins.TimeoutError):
    """A deadline passed."""


class GuestError(Error):
    """A guest that is there but cannot do what was asked."""


class DebugError(Error):
    """A debugger or its target failed."""


class FormatError(Error, ValueError):
    """Input that is not what it should be: a truncated archive, no ELF."""


class Interrupted(Error):
    """The call was cancelled by something other than a Python exception."""
