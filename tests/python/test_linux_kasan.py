"""What KASAN finds in a module, on the console and in the machine's memory; page tables of four and five levels."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import core_peers
import kdev
import pytest
from stored_kernel import stored_kernel

pytestmark = pytest.mark.boot

# What is written to it says how an object is misused.
PARCEL = """
#include <linux/module.h>
#include <linux/slab.h>
struct parcel { char note[40]; long weight; void *next; };
static noinline struct parcel *pack(void)
{
	struct parcel *p = kzalloc(sizeof(*p), GFP_KERNEL);
	OPTIMIZER_HIDE_VAR(p);
	return p;
}
static noinline void discard(struct parcel *p)
{
	kfree(p); /* gives it back */
	barrier();
}
static noinline long weigh(struct parcel *p)
{
	long weight = READ_ONCE(p->weight); /* reads it */
	OPTIMIZER_HIDE_VAR(weight);
	return weight;
}
static noinline void label(struct parcel *p, int n)
{
	OPTIMIZER_HIDE_VAR(n);
	WRITE_ONCE(p->note[n], 'x'); /* writes to it */
	barrier();
}
static int set(const char *v, const struct kernel_param *kp)
{
	struct parcel *p = pack();
	long r = 0;
	switch (*v) {
	case 'r': discard(p); r = weigh(p); break;
	case 'w': label(p, sizeof(*p) + 3); discard(p); break;
	case 'd': discard(p); discard(p); break;
	case 'i': discard((void *)((char *)p + 8)); break;
	}
	return r > 99;
}
static const struct kernel_param_ops ops = { .set = set };
module_param_cb(misuse, &ops, NULL, 0200);
static int __init init(void) { return 0; }
static void __exit done(void) {}
module_init(init); module_exit(done); MODULE_LICENSE("GPL");
"""
SIZE = 64  # of kmalloc's cache for a parcel of 56 bytes
MISUSE = "taskset 2 sh -c 'echo {} > /sys/module/parcel/parameters/misuse'"


@pytest.fixture(scope="module")
def kasan_kernel(ws: kdev.Workspace, conf: kdev.KernConf) -> kdev.KernelArtifact:
    return stored_kernel(ws, conf.preset("kasan").enable("X86_5LEVEL"))


@pytest.fixture(scope="module")
def parcel(
    ws: kdev.Workspace, kasan_kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory
) -> kdev.ModuleArtifact:
    folder = tmp_path_factory.mktemp("parcel") / "parcel"
    ws.scaffold("hello", "parcel", folder)
    (folder / "parcel.c").write_text(PARCEL)
    return ws.build_module(folder, kasan_kernel)


def boot(kernel: kdev.KernelArtifact, module: kdev.ModuleArtifact, run_dir: Path, five: bool, cmdline: str) -> kdev.VM:
    return kdev.VM(
        kernel=kernel,
        image=kdev.SeedImage.busybox().add_module(module),
        modules=[module],
        cpus=2,
        memory="384M",
        cmdline=cmdline,
        qemu_args=["-cpu", f"max,la57={'on' if five else 'off'}"],
        run_dir=run_dir,
    )


def real(report: kdev.CrashReport, name: str) -> list[str]:
    """The functions of the report's stack of this name that were called."""
    (trace,) = [trace for trace in report.traces if trace.name.startswith(name)]
    return [frame.function for frame in trace.frames if frame.reliable and not frame.inlined]


def lines(report: kdev.CrashReport, name: str) -> dict[str, str]:
    """Of the functions in that stack, the lines of source."""
    (trace,) = [trace for trace in report.traces if trace.name.startswith(name)]
    return {frame.function: frame.source for frame in trace.frames}


def check_use_after_free(report: kdev.CrashReport) -> None:
    assert report.title == "KASAN: use-after-free Read in weigh"
    assert (report.kind, report.type, report.process) == ("kasan", "KASAN-USE-AFTER-FREE-READ", "sh")
    found = report.object
    assert found is not None
    assert (found.cache, found.size, found.offset, found.access_size) == (f"kmalloc-{SIZE}", SIZE, 40, 8)
    assert found.access == found.address + 40
    assert (found.state, found.allocated_by, found.freed_by) == ("freed", "pack", "discard")
    assert found.allocated_pid == found.freed_pid == report.pid
    for name, functions in (("Allocated", ["pack", "set"]), ("Freed", ["discard", "set"])):
        stack = real(report, name)
        assert [function for function in stack if function in ("pack", "discard", "set")] == functions
        assert stack[-1].startswith("entry_SYSCALL_64")
    assert "gives it back" in lines(report, "Freed")["discard"]
    assert "kzalloc" in lines(report, "Allocated")["pack"]
    guilty = report.guilty
    assert guilty is not None
    assert "reads it" in guilty.source


def test_reports_of_the_console(kasan_kernel: kdev.KernelArtifact, parcel: kdev.ModuleArtifact, tmp_path: Path) -> None:
    with boot(kasan_kernel, parcel, tmp_path, False, "kasan_multi_shot") as vm:
        vm.run("insmod /m/parcel.ko", check=True)
        crashes = {how: vm.run(MISUSE.format(how)).crash for how in "rwdi"}
        # A report that the kernel survived is that of its memory, too.
        inside = vm.core().report()
    use = crashes["r"]
    assert use is not None
    check_use_after_free(use)
    assert not any(crash is None or crash.panicked or crash.corrupted for crash in crashes.values())

    beyond = crashes["w"]
    assert beyond is not None
    assert (beyond.title, beyond.type) == ("KASAN: slab-out-of-bounds Write in label", "KASAN-WRITE")
    assert beyond.object is not None
    assert (beyond.object.offset, beyond.object.access_size, beyond.object.state) == (59, 1, "")
    assert (beyond.object.allocated_by, beyond.object.freed_by) == ("pack", "")
    assert beyond.guilty is not None
    assert "writes to it" in beyond.guilty.source

    # kfree() and what it calls are nobody's fault.
    for how, offset, freed_by in (("d", 0, "discard"), ("i", 8, "")):
        crash = crashes[how]
        assert crash is not None
        assert (crash.title, crash.type) == ("KASAN: invalid-free in discard", "KASAN-INVALID-FREE")
        assert crash.object is not None
        assert (crash.object.cache, crash.object.offset) == (f"kmalloc-{SIZE}", offset)
        assert (crash.object.allocated_by, crash.object.freed_by) == ("pack", freed_by)
        assert crash.guilty is not None
        assert "gives it back" in crash.guilty.source

    last = crashes["i"]
    assert last is not None
    assert (inside.title, inside.object) == (last.title, last.object)
    assert inside.guilty is not None
    assert last.guilty is not None
    assert (inside.guilty.file, inside.guilty.line) == (last.guilty.file, last.guilty.line)
    assert real(inside, "Allocated") == real(last, "Allocated")
    assert lines(inside, "Allocated") == lines(last, "Allocated")


@dataclass
class Dumped:
    five: bool
    dump: Path
    crash: kdev.CrashReport
    memory: kdev.Core  # in place
    core: kdev.Core


@pytest.fixture(scope="module", params=[False, True], ids=["four-levels", "five-levels"])
def dumped(
    request: pytest.FixtureRequest,
    kasan_kernel: kdev.KernelArtifact,
    parcel: kdev.ModuleArtifact,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Dumped]:
    """KASAN panics, on CPU 1."""
    five: bool = request.param
    folder = tmp_path_factory.mktemp("kasan")
    with boot(kasan_kernel, parcel, folder / "run", five, "kasan.fault=panic") as vm:
        vm.run("insmod /m/parcel.ko", check=True)
        has_five = vm.run("grep -q ' la57' /proc/cpuinfo").exit_code == 0
        assert has_five == five
        crash = vm.run(MISUSE.format("r")).crash
        assert crash is not None
        memory = vm.core()
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore'}")
    core = kdev.Core(folder / "vmcore", kasan_kernel, modules=[parcel.ko])
    yield Dumped(five, folder / "vmcore", crash, memory, core)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_memorys_report_is_the_consoles(dumped: Dumped) -> None:
    check_use_after_free(dumped.crash)
    assert dumped.crash.panicked
    for core in (dumped.memory, dumped.core):
        assert (core.complete, core.notes) == (True, [])
        report = core.report()
        check_use_after_free(report)
        assert (report.panicked, report.cpu, report.object) == (True, 1, dumped.crash.object)
        names = [frame.function for frame in report.frames if not frame.inlined]
        assert names.index("panic") < names.index("kasan_report") < names.index("weigh") < names.index("set")
        assert core.dmesg() == dumped.core.dmesg()
    assert dumped.crash.object is not None
    # The direct map begins where five levels have it, or four: the upper bits are all alike.
    assert (dumped.crash.object.address >> 47 == (1 << 17) - 1) != dumped.five


def test_every_task_unwinds_to_where_stacks_begin(dumped: Dumped) -> None:
    begin = ("entry_SYSCALL_64", "ret_from_fork", "secondary_startup_64", "x86_64_start")
    ends = {thread.tid: dumped.core.stack(thread.tid).frames[-1].function for thread in dumped.core.threads()}
    assert len(ends) > 10
    assert {tid: name for tid, name in ends.items() if not name.startswith(begin)} == {}


def test_every_tasks_stack_is_drgns(
    dumped: Dumped, kasan_kernel: kdev.KernelArtifact, parcel: kdev.ModuleArtifact
) -> None:
    drgn = pytest.importorskip("drgn", reason="drgn is not installed (pip install drgn)")
    tasks = core_peers.tasks_of_drgn(drgn, dumped.dump, kasan_kernel.vmlinux, [parcel.ko])
    assert {thread.tid for thread in dumped.core.threads()} == set(tasks)
    found = {tid: core_peers.differences(core_peers.by_kdev(dumped.core, tid), tasks[tid]) for tid in tasks}
    assert {tid: differences for tid, differences in found.items() if differences} == {}


def test_without_vmcoreinfo_the_kernels_file_tells(
    dumped: Dumped, kasan_kernel: kdev.KernelArtifact, parcel: kdev.ModuleArtifact, tmp_path: Path
) -> None:
    content = bytearray(dumped.dump.read_bytes())
    content[content.index(b"VMCOREINFO\0")] = ord("X")
    (tmp_path / "vmcore").write_bytes(content)
    untold = kdev.Core(tmp_path / "vmcore", kasan_kernel, modules=[parcel.ko])
    assert untold.report() == dumped.core.report()
    assert untold.threads() == dumped.core.threads()
    (tmp_path / "vmcore").unlink()


def test_what_is_written_anew_says_the_same(
    dumped: Dumped, kasan_kernel: kdev.KernelArtifact, parcel: kdev.ModuleArtifact, tmp_path: Path
) -> None:
    """KASAN's shadow maps a few pages all over: a file with as many copies of them would fill any disk."""
    dumped.core.write_elf(tmp_path / "vmcore.elf")
    dumped.core.write_kdump(tmp_path / "vmcore.kdump")
    for name in ("vmcore.elf", "vmcore.kdump"):
        file = tmp_path / name
        assert file.stat().st_blocks * 512 < 400 << 20
        again = kdev.Core(file, kasan_kernel, modules=[parcel.ko])
        assert again.report() == dumped.core.report()
        assert {thread.tid for thread in again.threads()} == {thread.tid for thread in dumped.core.threads()}
        file.unlink()
