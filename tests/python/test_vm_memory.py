"""A guest's memory read in place, and its crash as one file."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner

pytestmark = pytest.mark.boot

CRASH = "taskset 2 sh -c 'echo c > /proc/sysrq-trigger'"


def stacks(core: kdev.Core) -> dict[int, list[tuple[str, str, int, str]]]:
    return {
        thread.tid: [(f.function, f.file, f.line, f.source) for f in core.stack(thread.tid).frames]
        for thread in core.threads()
    }


def test_a_running_guests_memory(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=tmp_path) as vm:
        job = vm.spawn("sleep 1000")
        vm.run("true")
        core = vm.core()
        assert (core.format, core.os, core.complete, core.notes) == ("memory of a machine", "linux", True, [])
        assert kernel.release in core.version
        assert core.panic == ""
        (sleeper,) = [thread for thread in core.threads() if thread.process == "sleep"]
        assert "hrtimer_nanosleep" in [frame.function for frame in core.stack(sleeper.tid).frames]
        # It goes on.
        assert vm.run("echo on").stdout == "on\n"
        before = core.uptime
        vm.run("sleep 0.5")
        after = vm.core().uptime
        assert before is not None
        assert after is not None
        assert after > before
        job.signal(9)
        job.wait()
        assert "sleep" not in [thread.process for thread in vm.core().threads()]


def test_a_crashed_guests_memory_is_a_dump(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    vmcore = tmp_path / "vmcore"
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=tmp_path / "run") as vm:
        crash = vm.run(CRASH).crash
        assert crash is not None
        core = vm.core()
        vm.qmp("dump-guest-memory", paging=False, protocol=f"file:{vmcore}")
    # It is good for longer than the VM.
    dump = kdev.Core(vmcore, kernel)
    assert core.report() == dump.report()
    assert core.report().title == crash.title
    assert core.report().cpu == 1
    assert stacks(core) == stacks(dump)
    assert core.dmesg() == dump.dmesg()
    with pytest.raises(kdev.GuestError, match="does not run"):
        vm.core()


def test_a_report_that_the_kernel_survived_has_its_lines(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=tmp_path / "run") as vm:
        crash = vm.run("echo WARNING > /sys/kernel/debug/provoke-crash/DIRECT").crash
        report = vm.core().report()
    assert crash is not None
    assert crash.guilty is not None
    assert report.guilty is not None
    assert (report.title, report.panicked, report.symbolized) == (crash.title, False, True)
    assert (report.guilty.file, report.guilty.line) == (crash.guilty.file, crash.guilty.line)
    places = [[(f.function, f.line, f.source, f.reliable) for f in r.frames] for r in (report, crash)]
    assert places[0] == places[1]


def test_the_memory_of_a_guest_that_reset_itself(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with kdev.VM(kernel=kernel, cpus=1, memory="256M", cmdline="panic=-1", run_dir=tmp_path) as vm:
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        assert crash is not None
        core = vm.core()
        # No CPU tells its registers any more; the kernel's own words are there.
        assert any("registers" in note for note in core.notes)
        assert core.panic == "sysrq triggered crash"
        assert core.report().title == crash.title
        assert len(core.threads()) > 10


def test_a_bundle_gives_the_same_elsewhere(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    bundle_file = tmp_path / "crash.kdev"
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=tmp_path / "run") as vm:
        vm.run("uname -a")
        crash = vm.run(CRASH).crash
        assert crash is not None
        core = vm.core()
        crash.save(bundle_file)
    assert zipfile.ZipFile(bundle_file).testzip() is None
    bundle = kdev.open(bundle_file)
    assert isinstance(bundle, kdev.Bundle)
    assert bundle.report == crash
    assert bundle.notes == []
    assert "Kernel panic" in bundle.console
    assert bundle.config == Path(kernel.config).read_text()
    assert bundle.environment["build_id"] == kernel.build_id
    assert [(c.command, c.exit_code) for c in bundle.commands] == [("uname -a", 0), (CRASH, None)]
    again = bundle.core()
    assert again.report() == core.report()
    assert stacks(again) == stacks(core)
    assert again.dmesg() == core.dmesg()
    html = bundle._repr_html_()
    assert crash.title in html
    assert "uname -a" in html
    # Another process, without the kernel's tree and with nothing of this one's caches.
    program = (
        "import kdev, sys\n"
        "core = kdev.open(sys.argv[1]).core()\n"
        "for f in core.report().frames: print(f.function, f.file, f.line, f.source)\n"
    )
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", program, str(bundle_file)], env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == [
        " ".join((f.function, f.file, str(f.line), f.source)) for f in core.report().frames
    ]
    assert list(tmp_path.glob("kdev-bundles/*")) == []


def test_a_report_whose_vm_is_gone_says_what_is_missing(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with kdev.VM(kernel=kernel, memory="256M", run_dir=tmp_path / "run") as vm:
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        assert crash is not None
    crash.save(tmp_path / "late.kdev")
    bundle = kdev.Bundle(tmp_path / "late.kdev")
    assert (bundle.report, bundle.has_memory, bundle.has_symbols) == (crash, False, False)
    assert "Kernel panic" in bundle.console
    assert any("no memory" in note for note in bundle.notes)


@pytest.mark.freebsd
def test_freebsd_likewise(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    image = kdev.SeedImage.userland(freebsd_userland)
    with kdev.VM(kernel=freebsd_kernel, image=image, cpus=2, run_dir=tmp_path / "run") as vm:
        live = vm.core()
        assert (live.os, live.complete, live.notes) == ("freebsd", True, [])
        assert "init" in {thread.process for thread in live.threads()}
        # drgn is told from the machine as it goes on; of this one it knows nothing.
        assert "init" in {thread.process for thread in vm.core(live=True).threads()}
        with pytest.raises(kdev.ConfigError, match="drgn knows Linux alone, this is FreeBSD"):
            vm.drgn()
        crash = vm.run("sysctl debug.kdb.panic=1").crash
        assert crash is not None
        core = vm.core()
        crash.save(tmp_path / "x.kdev")
    (panicked,) = [thread for thread in core.threads() if thread.panicked]
    assert core.report().process == panicked.process
    assert panicked.process in {"sysctl", "rescue"}  # one program of many names
    names = [frame.function for frame in core.report().frames]
    assert names.index("vpanic") < names.index("kdb_sysctl_panic")
    assert core.panic
    # Every thread's stack goes down to where stacks begin, those on CPUs included.
    ends = {thread.tid: core.stack(thread.tid).frames for thread in core.threads() if thread.cpu >= 0}
    assert len(ends) == 2
    assert all(frames and frames[-1].function in {"fast_syscall_common", "fork_trampoline"} for frames in ends.values())
    again = kdev.Bundle(tmp_path / "x.kdev").core()
    assert again.os == "freebsd"
    assert stacks(again) == stacks(core)


def test_qemu_has_left_nothing(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with kdev.VM(kernel=kernel, memory="256M", run_dir=tmp_path) as vm:
        vm.core()
        folder = Path(vm.directory)
        assert list(folder.glob("*.elf")) == []
    assert not folder.exists()


def test_a_shell_saves_a_crash_and_opens_it(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    (tmp_path / "kernel.json").write_text(kernel.to_json())
    shell = CliRunner()
    saved = tmp_path / "x.kdev"
    command = ["run", str(tmp_path / "kernel.json"), "--memory", "256M", "--save-crash", str(saved)]
    assert shell.invoke(app, [*command, "--", "true"]).exit_code == 0
    assert not saved.exists()
    assert shell.invoke(app, [*command, "--", "echo c > /proc/sysrq-trigger"]).exit_code == 3
    said = shell.invoke(app, ["crash", "core", str(saved), "--threads"])
    assert said.exit_code == 0, said.output
    assert "sysrq triggered crash" in said.output
    assert "kthreadd" in said.output
    assert "drivers/tty/sysrq.c" in said.output
    (tmp_path / "log").write_text("[    0.0] nothing\n" * 100)
    refused = shell.invoke(app, ["crash", "core", str(tmp_path / "log")])
    assert refused.exit_code != 0
    assert "kdev crash decode" in str(refused.exception) + refused.output + getattr(refused.exception, "hint", "")


def test_drgn_on_a_running_guest(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    linux = pytest.importorskip("drgn.helpers.linux")
    with kdev.VM(kernel=kernel, cpus=2, memory="256M", run_dir=tmp_path) as vm:
        job = vm.spawn("sleep 1000")
        vm.run("true")
        program = vm.core().drgn()
        assert b"sleep" in [task.comm.string_() for task in linux.for_each_task(program)]
        before = program["jiffies"].value_()
        vm.run("sleep 0.2")
        # It is the guest's memory itself.
        assert program["jiffies"].value_() > before
        job.signal(9)
        job.wait()
