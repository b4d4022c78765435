"""kdev build: a kernel from a source tree."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from rich.text import Text

from .._kdev import KernConf, KernelArtifact, SeedImage, UserlandArtifact, Workspace, os_title
from ..show import show_progress
from .output import console

KERNEL_FILE = "kernel.json"
USERLAND_FILE = "userland.json"
CONF_FILE = "conf.json"


def base_conf(ws: Workspace, base: str) -> KernConf:
    """A base by its name, or a .config by its path."""
    if base == "tiny":
        return KernConf.tiny(ws)
    if base == "defconfig":
        return KernConf.defconfig(ws.os)
    if base == "running":
        return KernConf.running(ws.os)
    if Path(base).expanduser().is_file():
        return KernConf.file(base, ws.os)
    raise typer.BadParameter(f"{base!r} is neither tiny, defconfig, running nor a file", param_hint="--base")


def make_conf(
    ws: Workspace,
    base: str,
    presets: list[str],
    fragments: list[Path],
    enable: list[str],
    disable: list[str],
    module: list[str],
    settings: list[str],
) -> KernConf:
    """Presets, then fragments, then single options: what is more particular wins."""
    conf = base_conf(ws, base)
    for preset in presets:
        conf = conf.preset(preset)
    for fragment in fragments:
        conf = conf.fragment(fragment)
    for option in enable:
        conf = conf.enable(option)
    for option in disable:
        conf = conf.disable(option)
    for option in module:
        conf = conf.module(option)
    for setting in settings:
        option, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"{setting!r} is no OPTION=VALUE", param_hint="--set")
        conf = conf.set(option, value)
    return conf


def remember(ws: Workspace, conf: KernConf, kernel: KernelArtifact, userland: UserlandArtifact | None) -> None:
    """What `kdev boot WORKSPACE` boots."""
    texts = [(CONF_FILE, conf.to_json()), (KERNEL_FILE, kernel.to_json())]
    if userland is not None:
        texts.append((USERLAND_FILE, userland.to_json()))
    for name, text in texts:
        new = ws.root / f".{name}.new"
        new.write_text(text + "\n")
        new.replace(ws.root / name)


def find_kernel(path: Path) -> KernelArtifact:
    """The kernel that a workspace built last, or the one that a JSON file names."""
    path = path.expanduser()
    file = path / KERNEL_FILE if path.is_dir() else path
    if not file.is_file():
        raise typer.BadParameter(f"{file} is not there: run 'kdev build {path}' first", param_hint="WORKSPACE")
    kernel = KernelArtifact.from_json(file.read_text())
    if not kernel.image.exists():
        raise typer.BadParameter(f"{kernel.image} is gone: run 'kdev build' again", param_hint="WORKSPACE")
    return kernel


def find_image(path: Path) -> SeedImage:
    """The usual image for that kernel: its tree's own programs where it has some, else busybox."""
    file = path.expanduser() / USERLAND_FILE
    if not file.is_file():
        return SeedImage.busybox()
    userland = UserlandArtifact.from_json(file.read_text())
    if not userland.root.is_dir():
        raise typer.BadParameter(f"{userland.root} is gone: run 'kdev build' again", param_hint="WORKSPACE")
    return SeedImage.userland(userland)


def build(
    workspace: Path = typer.Argument(..., help="Folder of kdev's own; made when it is not there."),
    source: Path | None = typer.Option(None, "--source", "-s", help="Kernel source tree; remembered."),
    base: str = typer.Option("tiny", "--base", "-b", help="tiny, defconfig, running, or a .config file."),
    preset: list[str] = typer.Option([], "--preset", "-p", help="E.g. debug; may be repeated."),
    enable: list[str] = typer.Option([], "--enable", "-e", metavar="OPTION", help="Set to y."),
    disable: list[str] = typer.Option([], "--disable", "-d", metavar="OPTION", help="Set to n."),
    module: list[str] = typer.Option([], "--module", "-m", metavar="OPTION", help="Set to m."),
    settings: list[str] = typer.Option([], "--set", metavar="OPTION=VALUE", help="Set to a value."),
    fragment: list[Path] = typer.Option([], "--fragment", "-f", help="A file of config lines."),
    target: list[str] = typer.Option([], "--target", "-t", help="Make targets in place of the usual ones."),
    jobs: int = typer.Option(0, "--jobs", "-j", help="Compilers at once; 0: one per CPU."),
    show_conf: bool = typer.Option(False, "--show-conf", help="Show the merge order and build nothing."),
    show_commands: bool = typer.Option(False, "--print", help="Print the commands and build nothing."),
    as_json: bool = typer.Option(False, "--json", help="Print the artifact as JSON."),
) -> None:
    """Build a kernel; unchanged input is answered from the artifact store."""
    with show_progress():
        ws = Workspace(workspace, source=source)
        conf = make_conf(ws, base, preset, fragment, enable, disable, module, settings)
        if show_conf:
            print(conf.describe())
            return
        if show_commands:
            commands = ws.build_commands(conf, jobs=jobs, targets=target)
            print("\n".join(commands))
            return
        kernel = ws.build(conf, jobs=jobs, targets=target)
        userland = ws.build_userland(jobs=jobs) if ws.userlands else None
    remember(ws, conf, kernel, userland)
    if as_json:
        sys.stdout.write(kernel.to_json() + "\n")
        return
    out = console()
    out.print(Text.assemble(os_title(kernel.os), " ", (kernel.release, "bold"), f"  build id {kernel.build_id[:16]}"))
    out.print(Text(f"  image    {kernel.image}\n  vmlinux  {kernel.vmlinux}"), soft_wrap=True)


def install(
    workspace: Path = typer.Argument(..., help="Workspace, or a kernel's JSON file in one."),
    dest: Path | None = typer.Argument(None, help="Folder of a guest's root; without one, the workspace's sysroot."),
    name: str = typer.Option("", "--name", help="FreeBSD: INSTKERNNAME. Linux: in place of the release."),
) -> None:
    """Put the kernel built last, its modules and debug information into a root's folder, without root's rights."""
    workspace = workspace.expanduser()
    kernel = find_kernel(workspace)
    ws = Workspace(workspace if workspace.is_dir() else workspace.parent)
    print(ws.install_kernel(kernel, dest, name).kernel)
