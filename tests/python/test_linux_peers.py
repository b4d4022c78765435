"""Dumps of Linux guests say the same as drgn and gdb, function by function and line by line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import core_peers
import kdev
import pytest

pytestmark = pytest.mark.boot


@dataclass
class Dumped:
    kernel: kdev.KernelArtifact
    physical: Path
    virtual: Path  # of the addresses that the CPUs' page tables map, which is what gdb reads
    core: kdev.Core


@pytest.fixture(scope="module")
def dumped(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumped]:
    """A task on CPU 1 panics."""
    folder = tmp_path_factory.mktemp("linux-peers")
    physical, virtual = folder / "vmcore", folder / "vmcore.virtual"
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=folder / "run") as vm:
        assert vm.run("taskset 2 sh -c 'echo c > /proc/sysrq-trigger'").crash is not None
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{physical}")
        vm.qmp("dump-guest-memory", paging=True, protocol=f"file:{virtual}")
    yield Dumped(kernel, physical, virtual, kdev.Core(physical, kernel))
    shutil.rmtree(folder, ignore_errors=True)  # half a gigabyte


def test_every_tasks_stack_is_drgns(dumped: Dumped) -> None:
    drgn = pytest.importorskip("drgn", reason="drgn is not installed (pip install drgn)")
    tasks = core_peers.tasks_of_drgn(drgn, dumped.physical, dumped.kernel.vmlinux)
    threads = {thread.tid for thread in dumped.core.threads()}
    assert threads == set(tasks)
    found = {tid: core_peers.differences(core_peers.by_kdev(dumped.core, tid), tasks[tid]) for tid in threads}
    assert {tid: differences for tid, differences in found.items() if differences} == {}


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_every_cpus_stack_is_gdbs(dumped: Dumped) -> None:
    cpus = dumped.core.cpus()
    assert [cpu.id for cpu in cpus] == [0, 1]
    for cpu in cpus:
        theirs = core_peers.by_gdb(dumped.virtual, dumped.kernel.vmlinux, cpu.id + 1)
        mine = core_peers.by_kdev(dumped.core, cpu.tid)
        # gdb knows neither the stack of interrupts nor what an exception was in.
        entry = next((n for n, place in enumerate(mine) if any(name.startswith("asm_") for name in place.names)), None)
        assert len(theirs) >= len(mine[:entry])
        assert core_peers.differences(mine[:entry], theirs[: len(mine[:entry])]) == []
    panicked = core_peers.by_kdev(dumped.core, next(t.tid for t in dumped.core.threads() if t.panicked))
    assert {"panic"} in [place.names for place in panicked]
    assert len(panicked) > 10
