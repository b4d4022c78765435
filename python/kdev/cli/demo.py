"""kdev demo: the whole path on real input."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from .. import demo as story
from .output import console


def _default_workspace() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("KDEV_WORKSPACE") or cache / "kdev" / "workspace")


def demo(
    source: Path | None = typer.Argument(
        None, help="Linux source tree.", envvar="KDEV_LINUX_SOURCE", show_default=False
    ),
    workspace: Path | None = typer.Option(None, "--workspace", "-w", help="Default: KDEV_WORKSPACE, else a cache."),
    jobs: int = typer.Option(0, "--jobs", "-j", help="Compilers at once; 0: one per CPU."),
    vms: int = typer.Option(2, "--vms", help="Guests that crash at the same time."),
) -> None:
    """Configure, build, boot, drive, crash and explain a kernel; ends 0 only if every report was right."""
    if source is None:
        raise typer.BadParameter("name a Linux source tree, or set KDEV_LINUX_SOURCE", param_hint="SOURCE")
    result = story.run(source, workspace or _default_workspace(), console(), jobs=jobs, vms=vms)
    raise typer.Exit(0 if result else 1)
