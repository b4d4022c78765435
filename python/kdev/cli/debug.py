"""kdev debug: gdb with everything loaded, on a VM, a dump or a stub."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import _kdev
from .._kdev import Bundle, Core, DebugSession, RunningVm
from ..errors import ConfigError
from ..gdb_launch import interact, launch_json
from ..opening import open as open_any
from .build import find_kernel

Os = Literal["linux", "freebsd"]


def run_folders(given: Path | None) -> list[Path]:
    """Where VMs' folders may be."""
    if given is not None:
        return [given.expanduser()]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folders = [Path.cwd() / "run", cache / "kdev" / "run", cache / "kdev" / "workspace" / "run"]
    if workspace := os.environ.get("KDEV_WORKSPACE"):
        folders.insert(0, Path(workspace) / "run")
    return folders


def find_vm(name: str, run_dir: Path | None) -> RunningVm:
    folders = run_folders(run_dir)
    running = [vm for folder in dict.fromkeys(folders) for vm in _kdev.running_vms(folder)]
    found = [vm for vm in running if name in (vm.name, vm.directory.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(vm.directory.name if found else vm.name for vm in (found or running)))
    if found:
        reason, hint = f"there are {len(found)} VMs of that name: {names}", "name one of these"
    else:
        reason = f"no file, no stub and no VM is called so; running: {names or 'none'}"
        hint = "--run-dir names the folder with the VMs' folders"
    raise ConfigError(attempted=f"debug {name}", reason=reason, hint=hint)


def session_on(
    target: str,
    kernel: Path | None,
    vmlinux: Path | None,
    modules: list[Path],
    system: Os,
    run_dir: Path | None,
    baud: int,
) -> tuple[DebugSession, str]:
    path = Path(target).expanduser()
    artifact = find_kernel(kernel) if kernel is not None else None
    files = [file for given in modules for file in (sorted(given.rglob("*.ko")) if given.is_dir() else [given])]
    if path.is_file():
        opened = open_any(path, artifact or vmlinux, files or None)
        core = opened.core() if isinstance(opened, Bundle) else opened
        if not isinstance(core, Core):
            raise ConfigError(attempted=f"debug {target}", reason="it is no dump", hint="kdev crash reads it")
        return DebugSession.core(core), path.name
    host, _, port = target.rpartition(":")
    if path.exists() or (host and port.isdigit()):
        return DebugSession.attach(
            str(path) if path.exists() else target, artifact, vmlinux=vmlinux, modules=files, os=system, baud=baud
        ), target
    vm = find_vm(target, run_dir)
    return _kdev.debug_running(vm), vm.name


def debug(
    target: Annotated[
        str,
        typer.Argument(help="A running VM's name; a dump or a bundle; a stub: host:port, serial device, unix socket."),
    ],
    kernel: Annotated[Path | None, typer.Option("--kernel", "-k", help="Workspace or kernel's JSON file.")] = None,
    vmlinux: Annotated[Path | None, typer.Option("--vmlinux", help="ELF file with debug information.")] = None,
    modules: Annotated[list[Path] | None, typer.Option("--module", "-m", help=".ko files, or folders of them.")] = None,
    system: Annotated[Os, typer.Option("--os", help="Whose kernel a stub has.")] = "linux",
    run_dir: Annotated[Path | None, typer.Option("--run-dir", help="Folder with the VMs' folders.")] = None,
    baud: Annotated[int, typer.Option("--baud", help="Of a serial device.")] = 115200,
    vscode: Annotated[
        bool, typer.Option("--vscode", help="Print a launch.json for an editor, and keep the target ready for it.")
    ] = False,
) -> None:
    """gdb with everything loaded: the kernel where it runs, modules as they come and go, backtraces through traps."""
    session, name = session_on(target, kernel, vmlinux, modules or [], system, run_dir, baud)
    for note in session.notes:
        print(note, file=sys.stderr)
    if not vscode:
        raise typer.Exit(interact(session))
    try:
        print(json.dumps(launch_json(session.hand_over(), f"kdev: {name}"), indent=2), flush=True)
        print("ready until this is interrupted (Ctrl-C)", file=sys.stderr)
        threading.Event().wait()
    finally:
        session.close()
