"""kdev.open(), views and drgn on the dump of a real Linux guest."""

from __future__ import annotations

import dataclasses
import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kdev
import pytest
from rich.console import Console

pytestmark = pytest.mark.boot


@pytest.fixture(scope="module")
def folder(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A task on CPU 1 panics: what that leaves."""
    folder = tmp_path_factory.mktemp("linux-open")
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=folder / "run") as vm:
        result = vm.run("sleep 1000 & taskset 2 sh -c 'echo c > /proc/sysrq-trigger'")
        (folder / "console.log").write_text(result.console)
        assert result.crash is not None
        (folder / "report.json").write_text(result.crash.to_json())
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore'}")
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{folder / 'vmcore.kdump'}", format="kdump-zlib")
    yield folder


@pytest.fixture(scope="module")
def core(folder: Path, kernel: kdev.KernelArtifact) -> kdev.Core:
    core = kdev.open(folder / "vmcore", kernel)
    assert isinstance(core, kdev.Core)
    return core


def test_all_that_it_left_opens(folder: Path, core: kdev.Core, kernel: kdev.KernelArtifact) -> None:
    report = kdev.CrashReport.from_json((folder / "report.json").read_text())
    assert kdev.open(folder / "report.json") == report
    for given in (kernel, kernel.vmlinux, kernel.vmlinux.parent):
        log = kdev.open(folder / "console.log", given, source=kernel.source)
        assert isinstance(log, kdev.ConsoleLog)
        assert [(r.title, r.guilty) for r in log.reports] == [(report.title, report.guilty)]
    packed = kdev.open(folder / "vmcore.kdump", kernel.vmlinux, source=kernel.source)
    assert isinstance(packed, kdev.Core)
    assert packed.report() == core.report()
    with gzip.open(folder / "vmcore.gz", "wb", compresslevel=1) as out:
        out.write((folder / "vmcore").read_bytes())
    unpacked = kdev.open(folder / "vmcore.gz")
    assert isinstance(unpacked, kdev.Core)
    assert unpacked.dmesg() == core.dmesg()
    (folder / "vmcore.gz").unlink()
    with pytest.raises(kdev.FormatError, match="it is an ELF program or kernel"):
        kdev.open(kernel.vmlinux)


def test_messages_have_levels(core: kdev.Core) -> None:
    messages = core.messages()
    lines = [line for message in messages for line in message.text.split("\n")]
    assert [line.split("] ", 1)[1] for line in core.dmesg().splitlines()] == lines
    assert (messages[0].time, messages[0].level) == (0.0, 5)
    (panic,) = [m for m in messages if m.text.startswith("Kernel panic - not syncing")]
    assert panic.level == 0
    assert panic.caller.startswith("T")
    assert {m.level for m in messages} <= set(range(8))
    # The layout is in VMCOREINFO: without the kernel's file it is the same.
    assert core.dmesg().messages == messages


def test_memory_names_what_it_points_to(core: kdev.Core) -> None:
    (panicked,) = [thread for thread in core.threads() if thread.panicked]
    stack = core.memory(int(core.registers(panicked.tid)["RSP"], 16), 512)
    assert bytes(stack) == core.read(stack.address, 512)
    # Return addresses are on the stack.
    returns = {frame.function for frame in core.stack(panicked.tid).frames[1:] if not frame.inlined}
    assert returns & {name.split("+")[0] for name in stack.pointers.values()}
    with pytest.raises(kdev.FormatError):
        core.memory(0xFFFF000000000000)
    with pytest.raises(kdev.ConfigError, match="more than somebody can look at"):
        core.memory(0, 1 << 30)


def test_it_shows_itself(core: kdev.Core) -> None:
    html = core._repr_html_()
    for text in (core.report().title, "sysrq triggered crash", "sysrq_handle_crash", str(core.kernel_file)):
        assert text in html
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(core)
    console.print(core.threads())
    text = console.export_text()
    assert "sysrq triggered crash" in text
    assert "kthreadd" in text
    assert repr(core) == "Core(format='elf', os='linux', arch='x86_64')"
    assert {field.name for field in dataclasses.fields(core.threads()[0])} >= {"tid", "state"}  # type: ignore[arg-type]


def frames_of(trace: Any) -> list[tuple[str, bool]]:
    return [(frame.name.split("+")[0], frame.is_inline) for frame in trace]


@pytest.mark.parametrize("name", ["vmcore", "vmcore.kdump", "unnoted"])
def test_drgn(name: str, folder: Path, core: kdev.Core, kernel: kdev.KernelArtifact) -> None:
    pytest.importorskip("drgn")
    from drgn.helpers.linux import for_each_task, get_dmesg  # type: ignore[import-not-found,unused-ignore]

    if name == "unnoted":
        content = (folder / "vmcore").read_bytes()
        assert content.count(b"VMCOREINFO\0") >= 1
        (folder / name).write_bytes(content.replace(b"VMCOREINFO\0", b"XMCOREINFO\0", 1))
        bare = kdev.open(folder / name)
        assert isinstance(bare, kdev.Core)
        with pytest.raises(kdev.FormatError, match="no VMCOREINFO"):
            bare.drgn()
    opened = kdev.open(folder / name, kernel)
    assert isinstance(opened, kdev.Core)
    assert opened.vmcoreinfo() == core.vmcoreinfo()
    prog = opened.drgn()
    threads = {thread.tid: thread for thread in core.threads() if thread.pid}
    assert {task.pid.value_(): task.comm.string_().decode() for task in for_each_task(prog)} == {
        tid: thread.name for tid, thread in threads.items()
    }
    assert get_dmesg(prog).decode().splitlines()[-1].endswith(core.messages()[-1].text)
    (panicked,) = [thread for thread in threads.values() if thread.panicked]
    assert prog.crashed_thread().tid == panicked.tid
    # Of tasks that sleep and of the one that ran: the same functions, inline ones too. Labels in the assembly code that
    # each stack begins with are chosen differently.
    for tid in threads:
        mine = [(frame.function.split(".")[0], frame.inlined) for frame in core.stack(tid).frames][:-1]
        theirs = [(function.split(".")[0], inlined) for function, inlined in frames_of(prog.stack_trace(tid))]
        assert len(mine) >= 3
        assert mine == theirs[: len(mine)], tid
    with pytest.raises(Exception, match="not in the dump"):
        prog.read(0xFFFF000000000000, 8)


def test_without_drgn_it_is_said(core: kdev.Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "drgn", None)
    with pytest.raises(kdev.ConfigError, match="drgn is not installed"):
        core.drgn()
