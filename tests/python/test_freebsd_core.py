"""Dumps of FreeBSD guests: made by real crashes, lifted off the guest's disk and read on the host. Skipped without a
tree (see conftest.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import kdev
import pytest

Then = Literal["unattended", "dump", "textdump"]

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]

# Not when it is loaded: Giant is held then, and kern_reboot() in 13.2 waits forever for a panic's thread to give it up.
CRASHER = """
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/module.h>
#include <sys/sysctl.h>

static inline int
store(volatile int *p, int v)
{
	*p = v;
	return (0);
}

static __noinline int
greet(int how)
{
	int error;

	if (how == 2)
		panic("greeted %d times", how);
	if (how == 3)
		((volatile struct { void (*f)(void); }){ NULL }).f();
	error = store((volatile int *)16, how);
	return (error + how);
}

static int
go(SYSCTL_HANDLER_ARGS)
{
	int error, how = 0;

	error = sysctl_handle_int(oidp, &how, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	error = greet(how);
	return (error);
}
SYSCTL_PROC(_debug, OID_AUTO, NAME, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, go, "I", "crash");

static int
modevent(module_t mod __unused, int what, void *arg __unused)
{
	return (what == MOD_LOAD || what == MOD_UNLOAD ? 0 : EOPNOTSUPP);
}
static moduledata_t NAME_mod = { "NAME", modevent, NULL };
DECLARE_MODULE(NAME, NAME_mod, SI_SUB_DRIVERS, SI_ORDER_MIDDLE);
MODULE_VERSION(NAME, 1);
"""


@pytest.fixture(scope="module")
def ws(freebsd_ws: kdev.Workspace) -> kdev.Workspace:
    return freebsd_ws


@pytest.fixture(scope="module")
def kernel(freebsd_kernel: kdev.KernelArtifact) -> kdev.KernelArtifact:
    return freebsd_kernel


@pytest.fixture(scope="module")
def module(ws: kdev.Workspace, kernel: kdev.KernelArtifact) -> Iterator[kdev.ModuleArtifact]:
    folder = ws.src / f"crasher{os.getpid()}"
    ws.scaffold("hello", "dumper", folder)
    (folder / "dumper.c").write_text(CRASHER.replace("NAME", "dumper"))
    yield ws.build_module(folder, kernel)
    shutil.rmtree(folder)


class Dumped:
    """A guest that crashed and dumped, and what its console said."""

    def __init__(
        self, ws: kdev.Workspace, kernel: kdev.KernelArtifact, module: kdev.ModuleArtifact, folder: Path
    ) -> None:
        self.kernel, self.module, self.folder = kernel, module, folder
        self.image = kdev.SeedImage.userland(ws.build_userland()).add_module(module)

    def crash(
        self,
        command: str,
        cmdline: str = "",
        then: Then = "unattended",
        settings: kdev.DumpSettings | None = None,
    ) -> tuple[Path, kdev.CrashReport]:
        disk = self.folder / "dump.raw"
        with kdev.VM(
            kernel=self.kernel,
            image=self.image,
            memory="256M",
            cpus=2,
            modules=[self.module],
            run_dir=self.folder / "run",
            cmdline=f"dumpdev=vtbd0 {cmdline}",
            disks=[kdev.Disk(file=disk, size="512M", keep=True)],
            on_crash=kdev.OnCrash(then=then),
        ) as vm:
            vm.run("kldload /m/dumper.ko", check=True)
            if settings:
                vm.apply(settings)
            crash = vm.run(command).crash
            assert crash is not None
            return disk, crash


@pytest.fixture
def dumped(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, module: kdev.ModuleArtifact, tmp_path: Path
) -> Iterator[Dumped]:
    yield Dumped(ws, kernel, module, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)  # half a gigabyte


def guilty(report: kdev.CrashReport) -> tuple[str, str, str, int]:
    frame = report.guilty
    assert frame is not None
    return report.title, report.function, Path(frame.file).name, frame.line


@pytest.mark.parametrize(("minidump", "format"), [(1, "minidump 3"), (0, "elf")])
def test_a_trap_reads_the_same_from_the_dump_as_from_the_console(dumped: Dumped, minidump: int, format: str) -> None:
    disk, console = dumped.crash("sysctl debug.dumper=1", f"debug.minidump={minidump}")
    (info,) = kdev.find_dumps(disk)
    assert (info.kind, info.os, info.arch, info.panic, info.problem) == ("core", "freebsd", "amd64", "page fault", "")
    lifted = kdev.lift_dump(disk, dumped.folder / "crash")
    assert lifted.file.name == "vmcore.0"
    assert "Panic String: page fault" in lifted.info_file.read_text()

    core = kdev.Core(lifted.file, dumped.kernel, modules=[dumped.module.ko])
    assert (core.format, core.complete, core.notes) == (format, True, [])
    assert core.panic == "page fault"
    assert core.version.startswith("FreeBSD 13")
    assert "Fatal trap 12" in core.dmesg()
    loaded = {m.name: m for m in core.modules()}
    assert loaded["dumper.ko"].file is not None
    assert loaded["kernel"].file is None
    threads = {t.tid: t for t in core.threads()}
    assert any(t.pid == 1 and t.process == "init" for t in threads.values())
    (crasher,) = [t for t in threads.values() if t.panicked]
    assert crasher.state == "running"
    assert crasher.tid in {cpu.tid for cpu in core.cpus()}
    assert len(core.cpus()) == 2

    report = core.report()
    assert console.title == "Fatal trap NUM: page fault in greet"
    assert guilty(report) == guilty(console)
    assert (report.pid, report.process, report.cpu) == (console.pid, console.process, console.cpu)
    assert report.registers == console.registers
    # Console frames are found again in the dump's stack, in order.
    dump_frames = iter(f.function for f in report.frames if not f.inlined)
    expected = [f.function for f in console.frames if not f.inlined and not f.function.startswith("db_trace")]
    assert all(name in dump_frames for name in expected), (report.to_text(), console.to_text())
    store = next(f for f in report.frames if f.function == "store")
    assert store.inlined
    assert store.module == "dumper"
    assert store.source == "*p = v;"
    # The one is a constant of which clang says nothing, the other in a register.
    at, value = store.args
    assert (at.type, at.name, value.type, value.name, value.value) == ("volatile int *", "p", "int", "v", "1")
    assert at.value == ("0x10" if at.available else "<optimized out>")
    handler = next(f for f in report.frames if f.function == "go")
    (how,) = [v for v in handler.locals if v.name == "how"]
    assert (how.type, how.value, how.available) == ("int", "1", True)
    (trapped,) = [f for f in report.frames if f.function == "trap_fatal"]
    assert [v.type for v in trapped.args] == ["struct trapframe *", "vm_offset_t"]
    assert trapped.args[1].value in ("16", "<optimized out>")

    # Numbers that lie in memory are what lies there.
    every = [f for t in threads for f in core.stack(t, variables=True).frames]
    numbers = [v for f in every for v in f.args + f.locals if v.type == "int" and v.address and v.available]
    assert numbers
    for v in numbers:
        assert int.from_bytes(core.read(v.address, 4), "little", signed=True) == int(v.value)

    # Every stack leads to where stacks begin, and the other processor was stopped by an interrupt.
    for thread in threads.values():
        frames = core.stack(thread.tid).frames
        first = frames[-1].function
        begins = first in ("fork_trampoline", "fast_syscall_common", "btext", "calltrap", "nmi_calltrap")
        assert begins or first.startswith("X"), (thread, frames)
    (other,) = [t for t in threads.values() if t.cpu >= 0 and not t.panicked]
    assert "cpustop_handler" in [f.function for f in core.stack(other.tid).frames]


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_a_dump_that_the_kernel_compressed(dumped: Dumped, compression: Literal["gzip", "zstd"], suffix: str) -> None:
    settings = kdev.DumpSettings(device="vtbd0", compression=compression)
    disk, console = dumped.crash("sysctl debug.dumper=1", settings=settings)
    (info,) = kdev.find_dumps(disk)
    assert (info.compression, info.panic, info.problem) == (compression, "page fault", "")
    lifted = kdev.lift_dump(disk, dumped.folder / "crash")
    assert lifted.file.name == f"vmcore.0{suffix}"
    core = kdev.Core(lifted.file, dumped.kernel, modules=[dumped.module.ko])
    assert (core.format, core.complete, core.notes) == ("minidump 3", True, [])
    assert guilty(core.report()) == guilty(console)


def test_a_panic_that_the_debugger_dumped_and_the_command(dumped: Dumped) -> None:
    disk, console = dumped.crash("sysctl debug.dumper=2", then="dump")
    kernel_json = dumped.folder / "kernel.json"
    kernel_json.write_text(dumped.kernel.to_json())

    def said(*arguments: str) -> str:
        options = ("--kernel", str(kernel_json), "--module", str(dumped.module.ko))
        command = (sys.executable, "-m", "kdev", "crash", "core", str(disk), *options, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    report = kdev.CrashReport.from_json(said("--json"))
    assert report.title == "panic: greeted NUM times"
    assert report.function == "greet"
    assert guilty(report) == guilty(console)
    assert report.guilty is not None
    assert report.guilty.source == 'panic("greeted %d times", how);'
    text = said("--threads")
    assert "panic: greeted NUM times" in text
    assert "init, thread" in text
    assert "sched_idletd" in text
    assert "panic: greeted 2 times\n" in said("--dmesg")


def test_a_jump_to_nowhere_while_the_other_processor_is_in_a_program(dumped: Dumped) -> None:
    disk, console = dumped.crash("(while :; do :; done) & sysctl debug.dumper=3")
    core = kdev.Core(kdev.lift_dump(disk, dumped.folder / "crash").file, dumped.kernel, modules=[dumped.module.ko])
    report = core.report()
    assert console.registers["RIP"].endswith(":0x0")
    assert (report.title, report.function) == (console.title, console.function)
    names = [frame.function for frame in report.frames if not frame.inlined]
    trap = names.index("calltrap")
    # Of the function that is not there only the address is known; its caller comes next.
    assert names[trap + 1 : trap + 4] == ["", "greet", "go"]
    for cpu in core.cpus():
        assert core.stack(cpu.tid).frames


def test_a_text_dump(dumped: Dumped) -> None:
    disk, console = dumped.crash("sysctl debug.dumper=2", then="textdump")
    lifted = kdev.lift_dump(disk, dumped.folder / "crash")
    assert (lifted.info.kind, lifted.file.name) == ("text", "textdump.tar.0")
    text = kdev.read_text_dump(lifted.file)
    assert text.panic == "greeted 2 times"
    assert text.version.startswith("FreeBSD 13")
    (report,) = kdev.scan_console(text.messages, "freebsd")
    assert (report.title, report.function) == (console.title, console.function)


def test_a_bare_address_is_looked_up_in_a_kernel(kernel: kdev.KernelArtifact) -> None:
    (panic,) = [m for m in kernel.lookup(f"{address_of(kernel, 'vpanic') + 5:x}") if m.name == "vpanic"]
    assert panic.offset == 5
    full = f"{address_of(kernel, 'vpanic'):016x}"
    # As Bill Paul has it: the last digits left out, or unknown.
    for digits in (full[:-1], full[:-2], full[:-3] + "xxx", full[8:]):
        assert "vpanic" in [m.name for m in kernel.lookup(digits)], digits


def address_of(kernel: kdev.KernelArtifact, name: str) -> int:
    for line in subprocess.run(
        ["nm", "--defined-only", kernel.vmlinux], check=True, capture_output=True, text=True
    ).stdout.splitlines():
        address, _, symbol = line.split(maxsplit=2)
        if symbol == name:
            return int(address, 16)
    raise LookupError(name)
