"""Dumps of Linux guests: a real crash, dumped by QEMU and read on the host."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner

pytestmark = pytest.mark.boot

# Where a task's stack begins: a system call, a thread's first function, and that of the kernel itself.
BEGINNINGS = re.compile("entry_SYSCALL_64|ret_from_fork|secondary_startup_64|x86_64_start")


@dataclass
class Dumped:
    kernel: kdev.KernelArtifact
    folder: Path
    console: str
    report: kdev.CrashReport


@pytest.fixture(scope="module")
def dumped(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumped]:
    """A task on CPU 1 panics."""
    folder = tmp_path_factory.mktemp("linux-core")
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=folder / "run") as vm:
        result = vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'")
        assert result.crash is not None
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore'}")
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore.kdump'}", format="kdump-zlib")
        yield Dumped(kernel, folder, result.console, result.crash)


@pytest.fixture(scope="module")
def core(dumped: Dumped) -> kdev.Core:
    return kdev.Core(dumped.folder / "vmcore", dumped.kernel)


def real_frames(core: kdev.Core, tid: int) -> list[str]:
    return [frame.function for frame in core.stack(tid).frames if not frame.inlined]


def test_the_report_is_the_consoles(core: kdev.Core, dumped: Dumped) -> None:
    assert (core.format, core.os, core.arch, core.complete, core.notes) == ("elf", "linux", "x86_64", True, [])
    report = core.report()
    assert (report.title, report.kind, report.type) == (
        dumped.report.title,
        dumped.report.kind,
        dumped.report.type,
    )
    assert (report.function, report.process, report.pid) == (
        dumped.report.function,
        dumped.report.process,
        dumped.report.pid,
    )
    assert report.cpu == 1
    guilty, printed = report.guilty, dumped.report.guilty
    assert guilty is not None and printed is not None
    assert (guilty.function, guilty.file, guilty.line) == (printed.function, printed.file, printed.line)
    assert core.panic == "sysrq triggered crash"
    # What the console said of the stack, in its order.
    reliable = [frame.function for frame in dumped.report.frames if frame.reliable and not frame.inlined]
    below = reliable[reliable.index("panic") :]
    mine = real_frames(core, report.pid)
    assert mine[mine.index("panic") :] == below


def test_messages_end_with_the_panic(core: kdev.Core, dumped: Dumped) -> None:
    dmesg = core.dmesg()
    assert dmesg.startswith("[    0.000000]")
    assert "Linux version " + dumped.kernel.release in dmesg.splitlines()[0]
    lines = [line for line in dumped.console.splitlines() if line.startswith("[")]
    assert lines
    assert dmesg.splitlines()[-len(lines) :] == [line.rstrip("\r") for line in lines]
    assert dmesg.splitlines()[-1].endswith("---[ end Kernel panic - not syncing: sysrq triggered crash ]---")
    assert core.uptime is not None
    assert core.uptime > 0
    assert dumped.kernel.release in core.version


def test_every_task_unwinds_to_where_stacks_begin(core: kdev.Core, dumped: Dumped) -> None:
    threads = {thread.tid: thread for thread in core.threads()}
    assert threads[1].process == "init"
    assert threads[2].process == "kthreadd"
    # Both have the pid 0.
    assert [(threads[tid].name, threads[tid].pid) for tid in (0, -2)] == [("swapper/0", 0), ("swapper/1", 0)]
    (panicked,) = [thread for thread in threads.values() if thread.panicked]
    assert (panicked.tid, panicked.cpu, panicked.state) == (dumped.report.pid, 1, "running")
    assert [(cpu.id, cpu.tid) for cpu in core.cpus()] == [
        (thread.cpu, thread.tid) for thread in sorted(threads.values(), key=lambda t: t.cpu) if thread.cpu >= 0
    ]
    beginnings = {tid: real_frames(core, tid)[-1] for tid in threads}
    assert {tid: name for tid, name in beginnings.items() if not BEGINNINGS.match(name)} == {}
    assert all("schedule" in real_frames(core, tid)[0] for tid in threads if threads[tid].cpu < 0)


def test_without_vmcoreinfo_the_kernels_file_tells(core: kdev.Core, dumped: Dumped, tmp_path: Path) -> None:
    content = bytearray((dumped.folder / "vmcore").read_bytes())
    at = content.index(b"VMCOREINFO\0")
    content[at] = ord("X")
    (tmp_path / "vmcore").write_bytes(content)
    untold = kdev.Core(tmp_path / "vmcore", dumped.kernel)
    assert untold.report().title == dumped.report.title
    assert [(t.tid, t.name) for t in untold.threads()] == [(t.tid, t.name) for t in core.threads()]
    assert untold.dmesg() == core.dmesg()
    # With neither, memory by virtual addresses is refused.
    with pytest.raises(kdev.FormatError, match="give the kernel that crashed"):
        kdev.Core(tmp_path / "vmcore").read(core.threads()[0].address, 8)
    # With one of them, it is not.
    assert kdev.Core(dumped.folder / "vmcore").dmesg() == core.dmesg()


def put_together(flattened: bytes) -> bytes:
    """makedumpfile -R."""
    whole = bytearray()
    at = 4096
    while True:
        offset, size = struct.unpack_from(">qq", flattened, at)
        if offset == size == -1:
            return bytes(whole)
        at += 16
        whole.extend(bytes(max(0, offset + size - len(whole))))
        whole[offset : offset + size] = flattened[at : at + size]
        at += size


def test_kdump_compressed_says_the_same(core: kdev.Core, dumped: Dumped, tmp_path: Path) -> None:
    # QEMU before 8.2 writes only flattened ones.
    written = (dumped.folder / "vmcore.kdump").read_bytes()
    plain = put_together(written) if written.startswith(b"makedumpfile") else written
    (tmp_path / "plain").write_bytes(plain)
    for file in (dumped.folder / "vmcore.kdump", tmp_path / "plain"):
        packed = kdev.Core(file, dumped.kernel)
        assert packed.format.startswith("kdump-compressed")
        assert (packed.complete, packed.notes) == (True, [])
        assert packed.report() == core.report()
        assert packed.dmesg() == core.dmesg()
        assert packed.threads() == core.threads()
        assert [packed.stack(t.tid).frames for t in packed.threads()] == [
            core.stack(t.tid).frames for t in core.threads()
        ]
        text = core.read_physical(1 << 24, 1 << 20)
        assert packed.read_physical(1 << 24, 1 << 20) == text
    for power in range(len(plain).bit_length()):
        (tmp_path / "cut").write_bytes(plain[: 1 << power])
        try:
            cut = kdev.Core(tmp_path / "cut", dumped.kernel)
        except kdev.FormatError:
            continue
        assert not cut.complete
        cut.report()


def test_the_command_reads_it(dumped: Dumped) -> None:
    vmlinux = str(dumped.kernel.vmlinux)
    done = CliRunner().invoke(app, ["crash", "core", str(dumped.folder / "vmcore"), "--vmlinux", vmlinux, "--threads"])
    assert done.exit_code == 0
    assert dumped.report.title in done.output
    assert "kthreadd" in done.output


# Called through a pointer that is read each time: the compiler can tell nothing of its arguments.
CRASHER = """
#include <linux/module.h>
enum mood { CALM, CROSS = 7 };
struct order { long number; const char *name; enum mood mood; unsigned small : 3; bool sure : 1; };
static noinline int greet(struct order *order, int how, const char *word)
{
	*(volatile int *)16 = how; /* the guilty line */
	return how + order->number + *word;
}
static int (*volatile greeting)(struct order *, int, const char *) = greet;
static int set(const char *v, const struct kernel_param *p)
{
	struct order mine = { .number = -41, .name = "a greeting", .mood = CROSS, .small = 5, .sure = true };
	int numbers[12] = { [0 ... 10] = 3, [11] = 4 };
	char word[8] = "tag";
	int r = greeting(&mine, 2, word);
	OPTIMIZER_HIDE_VAR(r);
	asm volatile("" : : "m"(numbers));
	return r - 2;
}
static const struct kernel_param_ops ops = { .set = set };
module_param_cb(hit, &ops, NULL, 0200);
static int __init init(void) { return 0; }
static void __exit done(void) {}
module_init(init); module_exit(done); MODULE_LICENSE("GPL");
"""


def test_a_modules_fault_is_unwound_to_its_line(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path: Path
) -> None:
    folder = tmp_path / "crasher"
    ws.scaffold("hello", "crasher", folder)
    (folder / "crasher.c").write_text(CRASHER)
    module = ws.build_module(folder, kernel)
    image = kdev.SeedImage.busybox().add_module(module)
    with kdev.VM(kernel=kernel, image=image, memory="256M", modules=[module], run_dir=tmp_path / "run") as vm:
        vm.run("insmod /m/crasher.ko; echo 1 > /proc/sys/kernel/panic_on_oops", check=True)
        printed = vm.run("echo 1 > /sys/module/crasher/parameters/hit").crash
        assert printed is not None
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{tmp_path / 'vmcore'}")
    core = kdev.Core(tmp_path / "vmcore", kernel, modules=[module.ko], source=folder)
    assert [(m.name, m.file) for m in core.modules()] == [("crasher", module.ko)]
    report = core.report()
    assert report.title == printed.title
    guilty = report.guilty
    assert guilty is not None
    assert "the guilty line" in guilty.source
    names = [(frame.module, frame.function.split(".")[0]) for frame in report.frames]
    # From panic(), through the exception, to the module, and on to the system call.
    at = names.index(("crasher", "greet"))
    assert names[at - 1] == ("", "asm_exc_page_fault")
    assert names[at + 1] == ("crasher", "set")
    assert ("", "panic") in names[:at]
    assert names[-1][1].startswith("entry_SYSCALL_64")

    # What the module's functions were called with, and what they held.
    greet, caller = report.frames[at], report.frames[at + 1]
    order, how, word = greet.args
    own = {variable.name: variable for variable in caller.locals}
    assert [(v.type, v.name, v.available) for v in greet.args] == [
        ("struct order *", "order", True),
        ("int", "how", True),
        ("const char *", "word", True),
    ]
    assert how.value == "2"
    assert order.value == hex(own["mine"].address)
    assert word.value == hex(own["word"].address) + ' "tag"'
    assert own["word"].value == '"tag"'
    assert own["numbers"].type == "int [12]"
    assert own["numbers"].value == "{3 <repeats 11 times>, 4}"
    shown = r'\{number = -41, name = 0x[0-9a-f]+ "a greeting", mood = CROSS, small = 5, sure = true\}'
    assert re.fullmatch(shown, own["mine"].value)
    # Nobody has kept what set() was not to return.
    assert (own["r"].value, own["r"].available) == ("<optimized out>", False)
    assert report == kdev.CrashReport.from_json(report.to_json())
    assert "        how = 2\n" in report.to_text()
    # Every task's variables can be read; those of other tasks have to be asked for.
    for thread in core.threads():
        plain, full = core.stack(thread.tid).frames, core.stack(thread.tid, variables=True).frames
        assert [f.function for f in plain] == [f.function for f in full]
        assert not any(f.args or f.locals for f in plain)
    idle = [f for t in core.threads() if t.cpu < 0 for f in core.stack(t.tid, variables=True).frames]
    switched = [f for f in idle if f.function == "__schedule"]
    assert switched
    for frame in switched:
        # The task that gave up the processor is its own.
        values = {v.name: v for v in frame.locals}
        assert not values["prev"].available or int(values["prev"].value.split()[0], 16) in {
            t.address for t in core.threads()
        }

    # The lines of another build would mislead.
    (folder / "crasher.c").write_text(CRASHER.replace("return r - 2;", "return r - 3;"))
    other = kdev.Core(tmp_path / "vmcore", kernel, modules=[ws.build_module(folder, kernel).ko])
    assert [(m.name, m.file) for m in other.modules()] == [("crasher", None)]
    report = other.report()
    assert any("crasher.ko is not the file of the module that was loaded" in note for note in report.notes)
    assert all(frame.line == 0 for frame in report.frames if frame.module == "crasher")
    assert report.frames[-1].function.startswith("entry_SYSCALL_64")
