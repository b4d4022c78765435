"""The kernel and the machine that figures are measured on, and peers that the bench installs for itself."""

from __future__ import annotations

import functools
import os
import pathlib
import subprocess
import sys

import frame
import kdev

MEMORY = "512M"
ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"

# What virtme-ng asks of a kernel beyond kdev's presets for the network and for files of the host. BLOCK: it names no
# root device, and only a kernel with block devices then tries the file system that it does name.
VIRTME_OPTIONS = ["BLOCK", "BINFMT_SCRIPT", "VIRTIO_MMIO", "INOTIFY_USER", "RTC_CLASS", "RTC_DRV_CMOS"]


def say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def source() -> str:
    return os.environ.get("KDEV_LINUX_SOURCE", "/usr/src/linux-source-6.1")


@functools.cache
def workspace() -> kdev.Workspace:
    cache = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return kdev.Workspace(os.environ.get("KDEV_WORKSPACE", f"{cache}/kdev/workspace"), source=source())


def conf() -> kdev.KernConf:
    """The kernel of the tests and the demo."""
    return kdev.KernConf.tiny(workspace()).preset("debug")


@functools.cache
def kernel() -> kdev.KernelArtifact:
    with frame.told("the kernel", say):
        return workspace().build(conf())


@functools.cache
def virtme_kernel() -> kdev.KernelArtifact:
    """One that boots under virtme-ng as well as under kdev and by hand."""
    made = conf().preset("network").preset("ninep")
    for option in VIRTME_OPTIONS:
        made = made.enable(option)
    with frame.told("the kernel with what virtme-ng needs", say):
        return workspace().build(made, targets=["vmlinux", "bzImage"])


@functools.cache
def virtme() -> pathlib.Path:
    """virtme-ng in a virtual environment of its own."""
    home = PEERS / "virtme-ng"
    program = home / "bin" / "vng"
    if program.exists():
        return program
    try:
        with frame.told("installing virtme-ng", say):
            run([sys.executable, "-m", "venv", str(home)])
            run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "virtme-ng"])
    except subprocess.CalledProcessError as error:
        raise frame.PeerMissing(f"virtme-ng could not be installed: {last_line(error.stderr)}") from error
    if not program.exists():
        raise frame.PeerMissing("virtme-ng was installed, but there is no vng")
    return program


def run(command: list[str], timeout: float = 600) -> subprocess.CompletedProcess[str]:
    # A peer in a virtual environment finds the programs beside it, as if the environment were activated.
    path = os.pathsep.join([str(pathlib.Path(command[0]).parent), os.environ.get("PATH", os.defpath)])
    return subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        env={**os.environ, "PATH": path if "/" in command[0] else os.environ.get("PATH", os.defpath)},
    )


def last_line(text: str | None) -> str:
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"
