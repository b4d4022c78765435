"""Dumps of real guests written anew: stock gdb, crash and drgn find in them what kdev found in the first ones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner

pytestmark = pytest.mark.boot

needs_gdb = pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
needs_crash = pytest.mark.skipif(not shutil.which("crash"), reason="crash is not installed")


@pytest.fixture(scope="module")
def core(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdev.Core]:
    """A task on CPU 1 panics."""
    folder = tmp_path_factory.mktemp("core-write")
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=folder / "run") as vm:
        assert vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'").crash is not None
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore'}")
    yield kdev.Core(folder / "vmcore", kernel)
    shutil.rmtree(folder, ignore_errors=True)


def panicked(core: kdev.Core) -> kdev.CoreThread:
    (thread,) = [thread for thread in core.threads() if thread.panicked]
    return thread


def assert_same(a: kdev.Core, b: kdev.Core) -> None:
    assert (b.complete, b.notes) == (True, [])
    x, y = a.report(), b.report()
    assert (y.title, y.function, y.traces, y.registers) == (x.title, x.function, x.traces, x.registers)
    # A minidump has the messages from before it was written; those in memory went on.
    assert b.dmesg().startswith(a.dmesg().rstrip())
    assert b.modules() == a.modules()
    assert b.threads() == a.threads()
    assert b.cpus() == a.cpus()
    for thread in a.threads():
        assert b.registers(thread.tid) == a.registers(thread.tid)
        assert b.stack(thread.tid) == a.stack(thread.tid)


def gdb(written: kdev.WrittenDump, *commands: str) -> str:
    """What it prints; its own warnings, too."""
    arguments = [argument for command in commands for argument in ("-ex", command)]
    done = subprocess.run(
        [*written.command, "-batch", "-iex", "set debuginfod enabled off", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def functions(backtrace: str) -> list[str]:
    return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+)", backtrace, re.MULTILINE)


def plain(names: list[str]) -> list[str]:
    """Without what compilers add; code that has several names by the first."""
    return [name.split(".")[0].removesuffix("_after_hwframe") for name in names]


def drgn_python() -> str | None:
    """An interpreter with drgn: this one, or KDEV_TEST_DRGN."""
    for python in (os.environ.get("KDEV_TEST_DRGN"), sys.executable):
        if python and not subprocess.run([python, "-c", "import drgn"], capture_output=True, check=False).returncode:
            return python
    return None


@needs_gdb
def test_gdb_opens_the_elf_core_of_linux(core: kdev.Core, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    written = core.write_elf(tmp_path / "vmcore")
    assert written.command == ["gdb", str(kernel.vmlinux), str(tmp_path / "vmcore")]
    assert written.size < written.memory
    assert written.file.stat().st_mode & 0o077 == 0
    assert_same(core, kdev.Core(written.file, kernel))
    thread = panicked(core)
    said = gdb(written, "info threads", "backtrace", "print/x &init_task", "print init_task.comm")
    listed = [int(tid) for tid in re.findall(r"^[* ] +\d+ +LWP (-?\d+)", said, re.MULTILINE)]
    assert listed[0] == thread.tid
    assert sorted(listed) == sorted(t.tid or -1 for t in core.threads())
    assert f"* 1    LWP {thread.tid}" in said
    mine = plain([frame.function for frame in core.stack(thread.tid).frames])
    theirs = plain(functions(said[said.rindex("#0 ") :]))
    assert theirs[: len(mine)] == mine
    assert '"swapper/0' in said


def test_memory_is_the_same_wherever_the_kernel_has_some(
    core: kdev.Core, kernel: kdev.KernelArtifact, tmp_path: Path
) -> None:
    core.write_elf(tmp_path / "elf")
    core.write_kdump(tmp_path / "kdump", compression="zstd")
    elf, kdump = kdev.Core(tmp_path / "elf", kernel), kdev.Core(tmp_path / "kdump", kernel)
    step = 1 << 20
    for address in range(0, 255 << 20, step):
        there = core.read_physical(address, step)
        assert kdump.read_physical(address, step) == there
        assert elf.read_physical(address, step) == there
    # All of vmalloc's stacks, and what the direct map has of the tasks.
    for thread in core.threads():
        assert elf.read(thread.address, 512) == core.read(thread.address, 512)
        if stack := core.registers(thread.tid).get("RSP"):
            assert elf.read(int(stack, 16), 16) == core.read(int(stack, 16), 16)


@pytest.mark.parametrize("compression", ["none", "zlib", "zstd"])
def test_a_kdump_file_says_the_same(
    core: kdev.Core, kernel: kdev.KernelArtifact, tmp_path: Path, compression: kdev.cli.convert.Compression
) -> None:
    written = core.write_kdump(tmp_path / "all", compression=compression)
    again = kdev.Core(written.file, kernel)
    assert again.format == "kdump-compressed"
    assert_same(core, again)
    filtered = core.write_kdump(tmp_path / "some", compression=compression, leave_out=["free", "user", "cache"])
    assert filtered.size < written.size
    assert filtered.memory < written.memory / 4, "most of this guest's memory is free"
    assert_same(core, kdev.Core(filtered.file, kernel))


@needs_crash
def test_crash_opens_a_kdump_file(core: kdev.Core, tmp_path: Path) -> None:
    written = core.write_kdump(tmp_path / "vmcore", compression="zstd", leave_out=["free", "user", "cache"])
    assert written.command[0] == "crash"
    (tmp_path / "commands").write_text("set scroll off\nbt\nsys\nquit\n")
    done = subprocess.run(
        [*written.command, "-s", "-i", str(tmp_path / "commands")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    thread = panicked(core)
    assert f"PID: {thread.pid} " in done.stdout
    # It finds return addresses on the stack, without inline functions.
    theirs = plain(re.findall(r"^ *#\d+ \[[0-9a-f]+\] (\S+) at", done.stdout, re.MULTILINE))
    mine = plain([frame.function for frame in core.stack(thread.tid).frames if not frame.inlined])
    assert theirs[0] == "panic"
    assert "vfs_write" in theirs
    assert [name for name in mine if name in theirs] == [name for name in theirs if name in mine]
    assert re.search(r"PANIC: .*sysrq triggered crash", done.stdout)


DRGN = """
import sys, drgn
from drgn.helpers.linux import for_each_task
program = drgn.Program()
program.set_core_dump(sys.argv[1])
program.load_debug_info([sys.argv[2]])
print(*sorted(task.pid.value_() for task in for_each_task(program)))
print(*[frame.name for frame in program.crashed_thread().stack_trace()])
"""


def test_drgn_opens_a_kdump_file(core: kdev.Core, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    python = drgn_python()
    if python is None:
        pytest.skip("drgn is not installed, and KDEV_TEST_DRGN names no interpreter that has it")
    core.write_kdump(tmp_path / "vmcore", compression="zlib")
    done = subprocess.run(
        [python, "-c", DRGN, str(tmp_path / "vmcore"), str(kernel.vmlinux)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    pids, stack = [line.split() for line in done.stdout.splitlines()]
    # It lists no idle task.
    assert [int(pid) for pid in pids] == sorted(t.tid for t in core.threads() if t.tid > 0)
    mine = plain([frame.function for frame in core.stack(panicked(core).tid).frames])
    assert plain(stack)[: len(mine)] == mine


def test_the_command_converts(core: kdev.Core, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    core.write_kdump(tmp_path / "vmcore")
    arguments = [str(tmp_path / "vmcore"), str(tmp_path / "out"), "--vmlinux", str(kernel.vmlinux)]
    done = CliRunner().invoke(app, ["crash", "convert", *arguments])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == f"gdb {kernel.vmlinux} {tmp_path / 'out'}"
    assert kdev.Core(tmp_path / "out", kernel).format == "elf"
    arguments += ["--format", "kdump", "--compression", "zstd", "--leave-out", "free", "--leave-out", "user", "--json"]
    done = CliRunner().invoke(app, ["crash", "convert", *arguments])
    assert done.exit_code == 0, done.output
    written = kdev.WrittenDump.from_json(done.stdout.splitlines()[-1])
    assert written.file == tmp_path / "out"
    assert kdev.Core(written.file, kernel).format == "kdump-compressed"
    with pytest.raises(kdev.FormatError):
        app(["crash", "convert", str(kernel.vmlinux), str(tmp_path / "no")], standalone_mode=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "vmcore"]


@needs_gdb
@pytest.mark.freebsd
def test_gdb_opens_the_elf_core_of_freebsd(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    with kdev.VM(
        kernel=freebsd_kernel,
        image=kdev.SeedImage.userland(freebsd_userland),
        memory="256M",
        cpus=2,
        run_dir=tmp_path / "run",
        cmdline="dumpdev=vtbd0",
        disks=[kdev.Disk(file=tmp_path / "dump.raw", size="512M", keep=True)],
        on_crash=kdev.OnCrash(then="unattended"),
    ) as vm:
        # A trap in the panic's stack.
        assert vm.run("sysctl debug.kdb.trap=1").crash is not None
    lifted = kdev.lift_dump(tmp_path / "dump.raw", tmp_path / "crash")
    core = kdev.Core(lifted.file, freebsd_kernel)
    written = core.write_elf(tmp_path / "vmcore")
    assert_same(core, kdev.Core(written.file, freebsd_kernel))
    thread = panicked(core)
    (tmp_path / "traps.py").write_text(written.script)
    said = gdb(written, f"source {tmp_path / 'traps.py'}", "info threads", "backtrace", "print panicstr")
    listed = [int(tid) for tid in re.findall(r"^[* ] +\d+ +LWP (\d+)", said, re.MULTILINE)]
    assert listed[0] == thread.tid
    assert sorted(listed) == sorted(t.tid for t in core.threads())
    mine = [frame.function for frame in core.stack(thread.tid).frames]
    assert "calltrap" in mine
    theirs = functions(said[said.rindex("#0 ") :])
    # gdb takes the first frame's return address for the instruction itself, and may go on into the program.
    assert theirs[theirs.index("doadump") :][: len(mine)] == mine
    assert core.panic in said
    with pytest.raises(kdev.ConfigError):
        core.write_kdump(tmp_path / "kdump")
    shutil.rmtree(tmp_path)  # half a gigabyte
