"""What a Linux kernel dumps of itself (kdump), of one that KASLR moved and whose stacks go by ORC."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import core_peers
import kdev
import pytest
from stored_kernel import stored_kernel

pytestmark = pytest.mark.boot

OPTIONS = "UNWINDER_ORC KEXEC CRYPTO CRYPTO_SHA256 KEXEC_FILE CRASH_DUMP PROC_VMCORE BLOCK BLK_DEV VIRTIO_BLK"

# kexec_file_load(2), for a panic (KEXEC_FILE_ON_CRASH): kernel, initramfs, command line.
LOADER = """
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  (void)argc;
  int kernel = open(argv[1], O_RDONLY), initramfs = open(argv[2], O_RDONLY);
  if (syscall(SYS_kexec_file_load, kernel, initramfs, strlen(argv[3]) + 1, argv[3], 2UL) == 0) return 0;
  perror("kexec_file_load");
  return 1;
}
"""

# The second kernel's: it copies the first one's memory to the disk.
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox dd if=/proc/vmcore of=/dev/vda bs=64k && /bin/busybox sync && echo 'the dump is written' > /dev/console
/bin/busybox poweroff -f
"""
SECOND = "console=ttyS0 loglevel=5 nr_cpus=1 irqpoll reset_devices no_timer_check tsc=reliable panic=1"
PACK = "cp /bin/busybox /second/bin/ && cd /second && find . | cpio -o -H newc > /second.cpio"


@pytest.fixture(scope="module")
def dumping_kernel(ws: kdev.Workspace, conf: kdev.KernConf) -> kdev.KernelArtifact:
    for option in OPTIONS.split():
        conf = conf.enable(option)
    conf = conf.disable("UNWINDER_FRAME_POINTER").disable("FRAME_POINTER")
    return stored_kernel(ws, conf, targets=["vmlinux", "bzImage"])


@dataclass
class Dumped:
    kernel: kdev.KernelArtifact
    file: Path
    console: str
    report: kdev.CrashReport
    base: int  # of the kernel's text, where it ran


@pytest.fixture(scope="module")
def dumped(dumping_kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumped]:
    """A task on CPU 1 panics."""
    folder = tmp_path_factory.mktemp("kdump")
    (folder / "loader.c").write_text(LOADER)
    subprocess.run(["cc", "-static", "-o", folder / "loader", folder / "loader.c"], check=True)
    assert dumping_kernel.bzimage
    image = (
        kdev.SeedImage.busybox()
        .add_file(dumping_kernel.bzimage, "/bzImage")
        .add_file(folder / "loader", "/loader", 0o755)
        .add_content(INIT, "/second/init", 0o755)
    )
    for name in ("bin", "dev", "proc"):
        image = image.add_directory(f"/second/{name}")
    # The dump is the disk's beginning.
    disk = folder / "vmcore"
    with kdev.VM(
        kernel=dumping_kernel,
        image=image,
        boot="bzimage",
        cpus=2,
        memory="384M",
        cmdline="crashkernel=128M",
        run_dir=folder / "run",
        disks=[kdev.Disk(disk, size="400M", keep=True)],
        on_crash=kdev.OnCrash(then="leave"),
    ) as vm:
        vm.run(PACK, check=True)
        vm.run(["/loader", "/bzImage", "/second.cpio", SECOND], check=True)
        base = vm.run("grep ' _text$' /proc/kallsyms", check=True).stdout.split()[0]
        result = vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'")
        assert result.crash is not None
        vm.wait_console("the dump is written", timeout=240)
        yield Dumped(dumping_kernel, disk, result.console, result.crash, int(base, 16))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def core(dumped: Dumped) -> kdev.Core:
    return kdev.Core(dumped.file, dumped.kernel)


def test_the_report_is_the_consoles(core: kdev.Core, dumped: Dumped) -> None:
    assert (core.format, core.complete, core.notes) == ("elf", True, [])
    report = core.report()
    assert (report.title, report.function, report.process, report.pid, report.cpu) == (
        dumped.report.title,
        dumped.report.function,
        dumped.report.process,
        dumped.report.pid,
        1,
    )
    names = [frame.function for frame in report.frames]
    assert names[:3] == ["crash_setup_regs", "__crash_kexec", "panic"]
    assert names[-1].startswith("entry_SYSCALL_64")
    guilty, printed = report.guilty, dumped.report.guilty
    assert guilty is not None
    assert printed is not None
    assert (guilty.function, guilty.file, guilty.line) == (printed.function, printed.file, printed.line)
    assert core.read(dumped.base, 64) == kdev.Core(dumped.file).read(dumped.base, 64)


def test_messages_end_where_the_second_kernel_began(core: kdev.Core, dumped: Dumped) -> None:
    assert dumped.kernel.release in core.dmesg().splitlines()[0]
    assert "Kernel panic - not syncing: sysrq triggered crash" in core.dmesg()
    # The second one begins its own clock.
    assert core.dmesg().count("Linux version") == 1


def test_every_task_unwinds_to_where_stacks_begin(core: kdev.Core) -> None:
    assert [cpu.id for cpu in core.cpus()] == [0, 1]
    assert [thread.cpu for thread in core.threads() if thread.panicked] == [1]
    ends = {thread.tid: core.stack(thread.tid).frames[-1].function for thread in core.threads()}
    begin = ("entry_SYSCALL_64", "ret_from_fork", "secondary_startup_64", "x86_64_start")
    assert {tid: name for tid, name in ends.items() if not name.startswith(begin)} == {}


def test_every_tasks_stack_is_drgns(core: kdev.Core, dumped: Dumped) -> None:
    drgn = pytest.importorskip("drgn", reason="drgn is not installed (pip install drgn)")
    tasks = core_peers.tasks_of_drgn(drgn, dumped.file, dumped.kernel.vmlinux)
    assert {thread.tid for thread in core.threads()} == set(tasks)
    found = {tid: core_peers.differences(core_peers.by_kdev(core, tid), tasks[tid]) for tid in tasks}
    assert {tid: differences for tid, differences in found.items() if differences} == {}


def test_orc_says_the_same_as_call_frame_information(core: kdev.Core, dumped: Dumped, tmp_path: Path) -> None:
    bare = tmp_path / "vmlinux"
    subprocess.run(["objcopy", "--remove-section", ".debug_frame", dumped.kernel.vmlinux, bare], check=True)
    by_orc = kdev.Core(dumped.file, vmlinux=bare, source=dumped.kernel.source)
    assert by_orc.notes == []
    differ = {}
    for thread in core.threads():
        with_frames, with_orc = (c.stack(thread.tid).frames for c in (core, by_orc))
        if with_frames != with_orc:
            differ[thread.tid] = ([f.function for f in with_frames], [f.function for f in with_orc])
    assert differ == {}
    bare.unlink()
