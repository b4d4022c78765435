"""kdev.helpers on a running guest and on its dump, against QEMU, gdb and the guest itself."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kdev
import pytest
import qemu_monitor
from conftest import MakeVm, wait_until

pytestmark = pytest.mark.boot
drgn = pytest.importorskip("drgn", reason="drgn is not installed (pip install drgn)")

from kdev import helpers  # noqa: E402
from kdev.helpers.machine import physical_address  # noqa: E402

SPIN = "while :; do :; done"


def plain(name: str) -> str:
    """/proc adds to a worker's name what it works for: "kworker/0:1-mm_percpu_wq"."""
    return re.split("[-+]", name)[0] if name.startswith("kworker/") else name


def processes_of(vm: kdev.VM) -> dict[int, str]:
    """The guest's own list, by pid."""
    lines = vm.run("ps -o pid,comm", check=True).stdout.splitlines()[1:]
    return {int(pid): plain(name.strip()) for pid, name in (line.split(None, 1) for line in lines)}


def tasks_of(prog: Any) -> dict[int, str]:
    return {task.pid.value_(): plain(task.comm.string_().decode()) for task in helpers.for_each_task(prog)}


def test_a_running_guest_tells_its_tasks_and_is_never_stopped(make_vm: MakeVm) -> None:
    folder = Path(tempfile.mkdtemp())  # a socket's path has to be short
    try:
        with make_vm(cpus=2, qemu_args=qemu_monitor.Events.arguments(folder / "qmp")) as vm:
            events = qemu_monitor.Events(folder / "qmp")
            jobs = [vm.spawn(f"exec taskset {1 << cpu} sh -c '{SPIN}'") for cpu in (0, 1)]
            sleeper = vm.spawn("exec sleep 1000")
            assert wait_until(lambda: "sleep" in processes_of(vm).values())
            assert vm.qmp("query-status")["status"] == "running"
            vm.drgn()  # what is read of files the first time
            begin = time.monotonic()
            prog = vm.drgn()
            before = tasks_of(prog)
            ticks = [helpers.per_cpu(prog["irq_stat"], cpu).apic_timer_irqs.value_() for cpu in (0, 1)]
            took = time.monotonic() - begin
            listed = processes_of(vm)
            after = tasks_of(prog)
            assert vm.qmp("query-status")["status"] == "running"
            # The same program sees both CPUs' clocks go on.
            assert wait_until(
                lambda: all(
                    helpers.per_cpu(prog["irq_stat"], cpu).apic_timer_irqs.value_() > ticks[cpu] for cpu in (0, 1)
                )
            )
            assert events.names == [], "no STOP, no RESUME"
            # What it shows of a debugger, which does stop it.
            with vm.debug():
                pass
            assert wait_until(lambda: {"STOP", "RESUME"} <= set(events.names))
            events.close()

            # ps itself, and workers that come and go, are on one side only.
            passing = {pid for pid, name in listed.items() if name in ("ps", "sh") and pid not in before}
            steady = {pid: name for pid, name in before.items() if after.get(pid) == name}
            assert {pid: listed.get(pid) for pid in steady} == steady
            assert listed.keys() - passing <= before.keys() | after.keys()
            assert "sleep" in steady.values()
            assert len(steady) > 15
            assert took < 10

            running = {cpu: helpers.cpu_curr(prog, cpu) for cpu in (0, 1)}
            assert {task.comm.string_() for task in running.values()} <= {b"sh", b"swapper/0", b"swapper/1"}
            assert prog["init_task"].comm.string_() == b"swapper/0"
            for job in (*jobs, sleeper):
                job.signal(9)
                job.wait()
            assert "sleep" not in tasks_of(prog).values()
    finally:
        shutil.rmtree(folder)


@dataclass
class Guest:
    """What is known of one guest, from itself and from QEMU, while it stood still; and how it is read."""

    prog: Any
    core: kdev.Core
    kernel: kdev.KernelArtifact
    sleeper: int
    cpus: list[qemu_monitor.Cpu]
    translated: dict[int, int | None] = field(default_factory=dict)
    ranges: list[tuple[int, int, str]] = field(default_factory=list)
    levels: int = 4


def stopped_in_a_program(vm: kdev.VM) -> Any:
    """CPU 0 has the page tables of the program that spins there: an idle one may have any."""
    for _ in range(50):
        vm.qmp("stop")
        prog = vm.drgn()
        if helpers.cpu_curr(prog, 0).comm.string_() == b"sh":
            return prog
        vm.qmp("cont")
        time.sleep(0.1)
    raise AssertionError("the program does not run on CPU 0")


INTERESTING = ["_text", "init_task", "idt_table", "__per_cpu_offset"]


def observe(vm: kdev.VM, dump: Path) -> Iterator[Guest]:
    """The guest as it runs (its processors stand still for as long as it is looked at), then its dump."""
    sleeper = vm.spawn("exec sleep 1000")
    spinner = vm.spawn(f"exec taskset 1 sh -c '{SPIN}'")  # a job that nobody holds ends
    assert wait_until(lambda: vm.run("pidof sleep").exit_code == 0)
    pid = int(vm.run("pidof sleep").stdout)
    prog = stopped_in_a_program(vm)
    guest = Guest(prog, vm.core(), vm.kernel, pid, qemu_monitor.cpus(vm))
    addresses = [prog.symbol(name).address for name in INTERESTING]
    addresses += [guest.cpus[0].gdt, guest.cpus[0].idt, guest.cpus[0].tr_base]
    addresses += [helpers.find_task(prog, pid).stack.value_(), helpers.find_task(prog, pid).value_()]
    addresses += [helpers.per_cpu(prog["gdt_page"], cpu).address_of_().value_() for cpu in (0, 1)]
    addresses += [0xFFFF_FFFF_FFFF_F000, 0xFFFF_C8FF_FFFF_F000, 0x1000]
    guest.translated = {address: qemu_monitor.physical(vm, address) for address in addresses}
    # QEMU tries every entry that there could be, which takes it minutes with five levels.
    guest.ranges = [] if "la57" in "".join(vm.command_line()) else qemu_monitor.mapped(vm)
    yield guest
    vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{dump}")
    core = kdev.Core(dump, vm.kernel)
    yield Guest(core.drgn(), core, vm.kernel, pid, guest.cpus, guest.translated, guest.ranges)
    del sleeper, spinner


@pytest.fixture(scope="module", params=["4 levels", "5 levels"])
def guests(
    request: pytest.FixtureRequest,
    ws: kdev.Workspace,
    conf: kdev.KernConf,
    kernel: kdev.KernelArtifact,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Guest]]:
    folder = tmp_path_factory.mktemp("helpers")
    five = request.param == "5 levels"
    # It is the decompressor that switches to five levels, and that has moved the kernel (KASLR).
    options: dict[str, Any] = {"kernel": kernel}
    if five:
        options = {"kernel": ws.build(conf, targets={"bzImage"}), "boot": "bzimage"}
        options["qemu_args"] = ["-cpu", "max,la57=on"]
    with kdev.VM(cpus=2, memory="256M", run_dir=folder / "run", **options) as vm:
        both = list(observe(vm, folder / "vmcore"))
        for guest in both:
            guest.levels = 5 if five else 4
        yield both
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["running", "dump"])
def guest(request: pytest.FixtureRequest, guests: list[Guest]) -> Guest:
    return guests[request.param == "dump"]


def test_page_walks_are_the_processors(guest: Guest) -> None:
    current = helpers.cpu_curr(guest.prog, 0)
    assert physical_address(guest.prog, current.active_mm.pgd.value_()) == guest.cpus[0].cr3 & ~0xFFF
    for address, physical in guest.translated.items():
        found = helpers.page_walk(guest.prog, address, current.active_mm)
        assert found.physical == physical, f"{address:#x}"
        assert found.mapped == (physical is not None)
        names = [entry.level for entry in found.entries]
        assert names == ["PGD", *(["P4D"] if guest.levels == 5 else []), "PUD", "PMD", "PTE"][: len(names)]
        if found.mapped:
            assert found.entries[-1].flags[0] == "PRESENT"
    text = helpers.page_walk(guest.prog, guest.prog.symbol("_text").address)
    assert (text.page_size, text.executable, text.user) == (2 << 20, True, False)
    assert "PSE" in text.entries[-1].flags
    assert str(text).endswith(f"is physical {text.physical:#x}, 2 MiB page, r-x, kernel".replace("r-x", "rwx")) or (
        not text.writable
    )
    assert guest.translated[0x1000] is None
    assert guest.translated[guest.prog.symbol("_text").address] is not None


def test_rights_are_the_processors(guest: Guest) -> None:
    if not guest.ranges:
        pytest.skip("QEMU does not list what five levels map")
    mm = helpers.cpu_curr(guest.prog, 0).active_mm
    user = [(begin, rights) for begin, _, rights in guest.ranges if begin < 1 << 47]
    system = [(begin, rights) for begin, _, rights in guest.ranges if begin >> 63]
    assert len(user) > 3 and len(system) > 3
    for begin, rights in user + system[:40]:
        found = helpers.page_walk(guest.prog, begin, mm)
        assert ("u" if found.user else "-") + "r" + ("w" if found.writable else "-") == rights, f"{begin:#x}"
    assert any(helpers.page_walk(guest.prog, begin, mm).executable for begin, _ in user)
    assert not all(helpers.page_walk(guest.prog, begin, mm).executable for begin, _ in user)


def test_addresses_that_have_no_walk(guest: Guest) -> None:
    with pytest.raises(kdev.ConfigError, match="program's address"):
        helpers.page_walk(guest.prog, 0x400000)
    with pytest.raises(kdev.ConfigError, match="kernel thread"):
        helpers.page_walk(guest.prog, 0x400000, helpers.find_task(guest.prog, 2))
    with pytest.raises(kdev.ConfigError, match="not canonical"):
        helpers.page_walk(guest.prog, 0x8000_0000_0000_0000)
    task = helpers.find_task(guest.prog, guest.sleeper)
    assert helpers.page_walk(guest.prog, 0x1000, task).entries[-1].physical == 0
    assert helpers.page_walk(guest.prog, 0x1000, task).physical is None


def test_gdts_are_the_processors(guest: Guest) -> None:
    for number, cpu in enumerate(guest.cpus):
        table = helpers.gdt(guest.prog, number)
        assert cpu.gdt_limit == 16 * 8 - 1
        by_selector = {row.selector: row for row in table}
        task = by_selector[cpu.tr_selector]
        assert (task.name, task.base, task.present) == ("TSS", cpu.tr_base, True)
        assert task.limit >= cpu.tr_limit
        assert task.type.startswith("TSS")
        code = by_selector[cpu.cs]
        assert code.type == "64-bit code, execute/read"
        assert code.dpl == cpu.cs & 3
        assert [row.name for row in table if row.dpl == 3][:2] == ["DEFAULT_USER32_CS", "DEFAULT_USER_DS"]
        # The processor's address leads to the same page.
        own = helpers.per_cpu(guest.prog["gdt_page"], number).address_of_().value_()
        assert helpers.page_walk(guest.prog, cpu.gdt).physical == helpers.page_walk(guest.prog, own).physical


def test_the_idt_is_the_processors(guest: Guest) -> None:
    (base,) = {cpu.idt for cpu in guest.cpus}
    table = helpers.idt(guest.prog)
    assert len(table) * 16 - 1 == guest.cpus[0].idt_limit
    own = guest.prog.symbol("idt_table").address
    assert helpers.page_walk(guest.prog, base).physical == helpers.page_walk(guest.prog, own).physical
    handlers = {row.name: row.handler for row in table if row.name}
    assert handlers["#PF"] == "asm_exc_page_fault"
    assert handlers["#DF"] == "asm_exc_double_fault"
    assert {row.name for row in table if row.dpl == 3} >= {"#BP", "#OF"}, "int3 is for programs"
    # Machine checks and encrypted guests' exceptions are options.
    own_stacks = {row.name for row in table if row.ist}
    assert {"#DB", "NMI", "#DF"} <= own_stacks <= {"#DB", "NMI", "#DF", "#MC", "#VC"}
    assert all(row.type == "interrupt gate" and row.selector == 0x10 for row in table if row.present)
    with kdev.DebugSession.core(guest.core) as dbg:
        for row in table[:64]:
            if row.present:
                name, _, offset = row.handler.partition("+")
                said = dbg.execute(f"info symbol {row.address:#x}")
                want = f"{name} + {int(offset, 16)} in" if offset else f"{name} in"
                assert said.startswith(want) or dbg.evaluate(f"(unsigned long) &{name}") == str(row.address), row


def test_stacks_lists_and_trees(guest: Guest) -> None:
    task = helpers.find_task(guest.prog, guest.sleeper)
    stack = helpers.kernel_stack(task)
    assert (stack.name, stack.pid, stack.size) == ("sleep", guest.sleeper, 16384)
    assert stack.pointer == task.thread.sp.value_() or stack.low < (stack.pointer or 0) < stack.high
    assert 200 < stack.used < stack.size
    names = [frame.name for frame in stack.trace]
    # drgn has the names without what the compiler added: "do_nanosleep.constprop.0".
    mine = [frame.function.split(".")[0] for frame in guest.core.stack(guest.sleeper).frames]
    assert names[: len(mine) - 1] == mine[:-1]
    assert "hrtimer_nanosleep" in names
    assert "sleep (" in str(stack) and "<script" not in stack._repr_html_()

    # A list that begins at the first task, by hand; and what Core lists.
    first = guest.prog["init_task"].address_of_()
    leaders = helpers.list_for_each_entry("struct task_struct", first.tasks.address_of_(), "tasks")
    assert {leader.pid.value_() for leader in leaders} == {t.tid for t in guest.core.threads() if t.tid == t.pid > 0}
    # One set of areas, as a tree and as a list.
    areas = [
        area.va_start.value_()
        for area in helpers.rbtree_inorder_for_each_entry(
            "struct vmap_area", guest.prog["vmap_area_root"].address_of_(), "rb_node"
        )
    ]
    listed = helpers.list_for_each_entry("struct vmap_area", guest.prog["vmap_area_list"].address_of_(), "list")
    assert areas == [area.va_start.value_() for area in listed]
    assert len(areas) > 10

    log = helpers.get_dmesg(guest.prog).decode()
    assert guest.kernel.release in log.splitlines()[0]
    said = [re.sub(r"^\[[^]]*\] ", "", line) for line in log.splitlines()]
    assert said == [line for message in guest.core.messages() for line in message.text.splitlines()]
    offsets = guest.prog["__per_cpu_offset"]
    for cpu in (0, 1):
        numbered = helpers.per_cpu(guest.prog["cpu_number"], cpu)
        assert numbered.value_() == cpu
        there = guest.prog.symbol("cpu_number").address + offsets[cpu].value_()
        assert numbered.address_of_().value_() == there % 2**64
