"""kdev boot and kdev run: a guest to type at, a guest for a command."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from .. import errors
from .._kdev import VM, CommandResult, Job, ModuleArtifact, SeedImage
from ..show import ProgressDisplay
from .build import find_image, find_kernel
from .output import CRASHED, console, print_crash

TIMED_OUT = 124

Where = Annotated[Path, typer.Argument(help="Workspace with a built kernel, or a kernel's JSON file.")]
Memory = Annotated[str, typer.Option("--memory", "-M", help="The guest's memory.")]
Cpus = Annotated[int, typer.Option("--cpus", "-c", help="The guest's CPUs.")]
Accel = Annotated[str, typer.Option("--accel", help="auto, kvm or tcg.")]
Cmdline = Annotated[str, typer.Option("--append", "-a", help="Added to the kernel's command line.")]
Image = Annotated[
    Path | None, typer.Option("--image", "-i", help="Folder, list or archive in place of the usual image.")
]
Add = Annotated[
    list[str], typer.Option("--add", metavar="HOST[:GUEST]", help="File to put into the image (a .ko goes to /m).")
]
ShowConsole = Annotated[bool, typer.Option("--console", help="Show the kernel's messages.")]


def image_with(where: Path, image: Path | None, add: list[str]) -> tuple[SeedImage, list[ModuleArtifact]]:
    """The image, and the modules among what was added: the symbolizer wants to know them."""
    seed = find_image(where) if image is None else SeedImage.initramfs(image)
    modules = []
    for item in add:
        host, _, guest = item.partition(":")
        source = Path(host).expanduser()
        if source.suffix == ".ko" and not guest:
            text = {"name": source.stem.replace("-", "_"), "ko": str(source.resolve()), "source": str(source.parent)}
            modules.append(ModuleArtifact.from_dict(text))
        else:
            seed = seed.add_file(source, guest or f"/{source.name}")
    return seed, modules


def make_vm(
    where: Path, memory: str, cpus: int, accel: str, append: str, image: Path | None, add: list[str], show: bool
) -> VM:
    if accel not in ("auto", "kvm", "tcg"):
        raise typer.BadParameter(f"{accel!r} is none of auto, kvm, tcg", param_hint="--accel")
    seed, modules = image_with(where, image, add)
    return VM(
        kernel=find_kernel(where),
        image=seed,
        memory=memory,
        cpus=cpus,
        accel=accel,  # type: ignore[arg-type]
        cmdline=append,
        modules=modules,
        on_event=ProgressDisplay(console_lines=show),
    )


def _write(stream: object, data: bytes) -> None:
    if data:
        stream.write(data)  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]


def follow(job: Job) -> CommandResult:
    """Shows both streams as they come; Ctrl-C goes to the command, a second one ends it."""
    interrupts = 0
    while True:
        try:
            job.wait_output()
            alive = job.running
            _write(sys.stdout.buffer, job.read_stdout())
            _write(sys.stderr.buffer, job.read_stderr())
            if not alive:
                return job.wait()
        except KeyboardInterrupt:
            interrupts += 1
            if interrupts > 2:
                raise
            job.signal(2 if interrupts == 1 else 9)


class Shell:
    """A prompt loop over the agent: each line is one command; `cd` is remembered."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.cwd = "/"
        self.last: CommandResult | None = None

    def loop(self) -> None:
        with suppress(ImportError):
            import readline  # noqa: F401 - gives input() its editing and history
        while self.vm.state == "ready":
            try:
                line = input(f"{self.vm.name}:{self.cwd}# " if sys.stdin.isatty() else "")
            except EOFError:
                break
            except KeyboardInterrupt:
                print()
                continue
            if line.strip() in ("exit", "logout"):
                break
            if line.strip() and not self.one(line.strip()):
                break

    def one(self, line: str) -> bool:
        """False: the guest is no more."""
        words = line.split()
        if words[0] == "cd" and len(words) <= 2:
            self.change_folder(words[1] if len(words) == 2 else "/")
            return True
        try:
            self.last = follow(self.vm.spawn(line, cwd=self.cwd, timeout=float("inf")))
        except errors.GuestError as error:
            print(f"kdev: {error}", file=sys.stderr)
            return self.vm.state == "ready"
        if self.last.crash is not None:
            print_crash(self.last.crash, console(sys.stderr))
            return self.vm.state == "ready"
        if self.last.signal is not None:
            print(f"kdev: ended by signal {self.last.signal}", file=sys.stderr)
        return True

    def change_folder(self, where: str) -> None:
        result = self.vm.run(f"cd {shlex.quote(where)} && pwd", cwd=self.cwd)
        if result.ok:
            self.cwd = result.stdout.strip()
        else:
            print(result.stderr.strip(), file=sys.stderr)


def exit_code(result: CommandResult) -> int:
    """As a shell would give it; a crash of the kernel is 3."""
    if result.crash is not None:
        return CRASHED
    if result.timed_out:
        return TIMED_OUT
    if result.signal is not None:
        return 128 + result.signal
    return result.exit_code if result.exit_code is not None else 1


def boot(
    where: Where,
    memory: Memory = "512M",
    cpus: Cpus = 1,
    accel: Accel = "auto",
    append: Cmdline = "",
    image: Image = None,
    add: Add = [],  # noqa: B006 - typer's way
    show_console: ShowConsole = False,
    execute: list[str] = typer.Option([], "--exec", "-x", metavar="COMMAND", help="Run this and end; may be repeated."),
) -> None:
    """Boot a kernel and type commands at it (or --exec some)."""
    with make_vm(where, memory, cpus, accel, append, image, add, show_console) as vm:
        shell = Shell(vm)
        if execute:
            for line in execute:
                if not shell.one(line):
                    break
        else:
            if sys.stdin.isatty():
                print(f"{vm.kernel.release} under {vm.accel}; 'exit' or Ctrl-D ends it", file=sys.stderr)
            shell.loop()
    if shell.last is not None and (execute or shell.last.crash is not None):
        raise typer.Exit(exit_code(shell.last))


def run(
    where: Where,
    command: Annotated[list[str], typer.Argument(help="Program and arguments, after --; or one shell line.")],
    memory: Memory = "512M",
    cpus: Cpus = 1,
    accel: Accel = "auto",
    append: Cmdline = "",
    image: Image = None,
    add: Add = [],  # noqa: B006 - typer's way
    show_console: ShowConsole = False,
    timeout: float = typer.Option(60.0, "--timeout", "-T", help="Seconds for the command."),
    save: Path | None = typer.Option(
        None, "--save-crash", help="Where a crash goes, as one file (see kdev crash core)."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the result as JSON."),
) -> None:
    """Boot a kernel, run a command, end with its exit code; 3 when the kernel crashed, 124 when time ran out."""
    with make_vm(where, memory, cpus, accel, append, image, add, show_console) as vm:
        what: str | list[str] = command[0] if len(command) == 1 else command
        result = vm.run(what, timeout=timeout)
        if save is not None and result.crash is not None:
            result.crash.save(save)
    if as_json:
        sys.stdout.write(result.to_json() + "\n")
    else:
        _write(sys.stdout.buffer, result.stdout_bytes)
        _write(sys.stderr.buffer, result.stderr_bytes)
        if result.crash is not None:
            print_crash(result.crash, console(sys.stderr))
    raise typer.Exit(exit_code(result))
