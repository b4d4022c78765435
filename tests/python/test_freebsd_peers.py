"""A minidump of FreeBSD says the same as gdb on what QEMU dumped of the same panic, line by line."""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import core_peers
import kdev
import pytest

pytestmark = [
    pytest.mark.boot,
    pytest.mark.freebsd,
    pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed"),
]

# struct user_regs_struct of x86-64, in its order, by the names of struct trapframe; None: not in there.
REGISTERS = [
    *["r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"],
    None,
    *["rip", "cs", "rflags", "rsp"],
]


@dataclass
class Dumped:
    kernel: kdev.KernelArtifact
    minidump: Path
    virtual: Path
    report: kdev.CrashReport


@pytest.fixture(scope="module")
def dumped(
    freebsd_kernel: kdev.KernelArtifact,
    freebsd_userland: kdev.UserlandArtifact,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Dumped]:
    """The kernel stops in its debugger, which dumps; then its machine does."""
    folder = tmp_path_factory.mktemp("freebsd-peers")
    disk, virtual = folder / "dump.raw", folder / "vmcore.virtual"
    with kdev.VM(
        kernel=freebsd_kernel,
        image=kdev.SeedImage.userland(freebsd_userland),
        memory="256M",
        cpus=2,
        run_dir=folder / "run",
        cmdline="dumpdev=vtbd0",
        disks=[kdev.Disk(file=disk, size="512M", keep=True)],
        on_crash=kdev.OnCrash(ask=["dump"], then="pause"),
    ) as vm:
        crash = vm.run("sysctl debug.kdb.panic=1").crash
        assert crash is not None
        vm.qmp("dump-guest-memory", paging=True, protocol=f"file:{virtual}")
    yield Dumped(freebsd_kernel, kdev.lift_dump(disk, folder / "crash").file, virtual, crash)
    shutil.rmtree(folder, ignore_errors=True)


def interrupted(dumped: Dumped, thread: int) -> Path:
    """The dump with the registers of the trap that the CPU is in, as gdb finds them in the kernel's own frame: of
    itself gdb does not get there."""
    values = [f'printf "%lu\\n", frame->tf_{name}' for name in REGISTERS if name]
    found = re.findall(
        r"^(\d+)$",
        core_peers.run_gdb(dumped.virtual, dumped.kernel.vmlinux, f"thread {thread}", "frame function trap", *values),
        re.MULTILINE,
    )
    assert len(found) == len(values)
    copy = dumped.virtual.with_name("vmcore.interrupted")
    shutil.copyfile(dumped.virtual, copy)
    numbers = iter(map(int, found))
    with copy.open("r+b") as file:
        notes = file.read(16 << 20)
        at = -1
        for _ in range(thread):
            at = notes.index(struct.pack("<III", 5, 336, 1) + b"CORE\0", at + 1)
        for number, name in enumerate(REGISTERS):
            if name:
                file.seek(at + 20 + 112 + 8 * number)
                file.write(struct.pack("<Q", next(numbers)))
    return copy


def test_the_panicking_threads_stack_is_gdbs(dumped: Dumped) -> None:
    core = kdev.Core(dumped.minidump, dumped.kernel)
    (panicked,) = [thread for thread in core.threads() if thread.panicked]
    mine = core_peers.by_kdev(core, panicked.tid)
    thread = panicked.cpu + 1
    # In the debugger, which was at another command.
    in_debugger = core_peers.by_gdb(dumped.virtual, dumped.kernel.vmlinux, thread)
    trap = next(n for n, place in enumerate(mine) if "calltrap" in place.names)
    begins = next(n for n, place in enumerate(mine) if "db_trap" in place.names)
    theirs = next(n for n, place in enumerate(in_debugger) if "db_trap" in place.names)
    assert core_peers.differences(mine[begins : trap + 1], in_debugger[theirs : theirs + trap + 1 - begins]) == []
    assert (
        core_peers.differences(
            mine[trap + 1 :], core_peers.by_gdb(interrupted(dumped, thread), dumped.kernel.vmlinux, thread)
        )
        == []
    )
    names = {name for place in mine[trap + 1 :] for name in place.names}
    assert {"kdb_enter", "vpanic", "panic", "kdb_sysctl_panic", "amd64_syscall"} <= names
    assert all(place.line for place in mine)
