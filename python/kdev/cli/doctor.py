"""kdev doctor: what is installed, what works, what is missing and how to get it."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from .. import _kdev, errors
from .output import console

STYLE = {"ok": "green", "missing": "bold red", "broken": "bold red", "absent": "yellow", "slow": "yellow"}


@dataclass(frozen=True)
class Finding:
    """One line of the table. `state`: ok, slow, missing (needed), broken (there, but fails), absent (not needed)."""

    group: str
    name: str
    state: str
    detail: str
    hint: str = ""


def _first_line(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout or done.stderr).strip().split("\n")[0]


def _program(group: str, name: str, package: str, *, needed: bool = True, version: str = "--version") -> Finding:
    path = _kdev.local_host().which(name)
    if path is None:
        return Finding(group, name, "missing" if needed else "absent", "not in PATH", f"apt install {package}")
    told = _first_line([str(path), version]) if version else ""
    return Finding(group, name, "ok", f"{path}  {told}".rstrip())


def _header(name: str, header: str, package: str) -> Finding:
    """Asks the compiler, which knows where it looks."""
    try:
        done = subprocess.run(
            ["cc", "-E", "-x", "c", "-", "-o", os.devnull],
            input=f"#include <{header}>\n",
            text=True,
            capture_output=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("build", name, "missing", "no compiler to ask", f"apt install {package}")
    if done.returncode == 0:
        return Finding("build", name, "ok", f"<{header}>")
    return Finding("build", name, "missing", f"no <{header}>", f"apt install {package}")


def _compilers() -> Iterator[Finding]:
    found = [name for name in ("gcc", "clang") if _kdev.local_host().which(name)]
    if found:
        yield from (_program("build", name, name, needed=False) for name in found)
    else:
        yield Finding("build", "gcc", "missing", "neither gcc nor clang is in PATH", "apt install build-essential")


def _accel() -> Finding:
    try:
        probe = _kdev.probe_accel()
    except errors.Error as error:
        return Finding("boot", "accelerator", "broken", error.reason, error.hint)
    state = "ok" if probe.accel == "kvm" else "slow"
    return Finding("boot", "accelerator", state, f"{probe.accel}: {probe.reason}")


def _works(group: str, name: str, package: str, probe: Callable[[], str]) -> Finding:
    try:
        return Finding(group, name, "ok", probe())
    except errors.Error as error:
        return Finding(group, name, "missing", error.reason, error.hint or f"apt install {package}")


def _module(name: str, extra: str) -> Finding:
    if importlib.util.find_spec(name):
        return Finding("python", name, "ok", "")
    return Finding("python", name, "absent", "not installed", f"pip install 'kdev[{extra}]'")


def findings() -> Iterator[Finding]:
    """In the order of the table; each is looked at when it is asked for."""
    yield from _compilers()
    yield _program("build", "make", "build-essential")
    yield _program("build", "ld", "binutils")
    yield _program("build", "flex", "flex")
    yield _program("build", "bison", "bison")
    yield _program("build", "bc", "bc")
    yield _program("build", "nm", "binutils", needed=False)
    yield _program("build", "depmod", "kmod", needed=False, version="")
    yield _header("libelf", "gelf.h", "libelf-dev")
    yield _header("openssl", "openssl/opensslv.h", "libssl-dev")
    yield _program("build", "ccache", "ccache", needed=False)
    yield _program("boot", "qemu-system-x86_64", "qemu-system-x86")
    yield _program("boot", "qemu-img", "qemu-utils", needed=False)
    yield _accel()
    yield _works("boot", "agent", "", lambda: str(_kdev.agent_program()))
    yield _works(
        "boot",
        "busybox",
        "busybox-static",
        lambda: f"{len(_kdev.SeedImage.busybox().entries())} entries in the usual image",
    )
    yield _program("debug", "gdb", "gdb", needed=False)
    yield Finding("python", "python", "ok", f"{platform.python_version()}  {sys.executable}")
    yield Finding("python", "kdev", "ok", str(Path(_kdev.__file__).parent))
    yield _module("ipykernel", "notebook")
    yield _module("nbclient", "notebook")


def doctor(as_json: bool = typer.Option(False, "--json", help="One JSON object a line.")) -> None:
    """Say what is installed, what works and what is missing. Ends 1 when something needed is missing."""
    out = console()
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("for")
    table.add_column("what")
    table.add_column("state")
    table.add_column("detail", overflow="fold")
    bad: list[Finding] = []
    group = ""
    for finding in findings():
        if as_json:
            print(json.dumps(asdict(finding)))
        detail = Text(finding.detail)
        if finding.state != "ok" and finding.hint:
            detail.append(f"\n{finding.hint}", style="cyan")
        state = Text(finding.state, style=STYLE[finding.state])
        table.add_row("" if finding.group == group else finding.group, finding.name, state, detail)
        group = finding.group
        if finding.state in ("missing", "broken"):
            bad.append(finding)
    if not as_json:
        out.print(table)
        if bad:
            out.print(Text(f"missing: {', '.join(finding.name for finding in bad)}", style="bold red"))
        else:
            out.print(Text("everything needed is there", style="green"))
    if bad:
        raise typer.Exit(1)
