"""Guests that do not come up, or go away: a clear error, the evidence, nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, processes_naming

pytestmark = pytest.mark.boot


def with_init(script: str) -> dict[str, object]:
    """The usual image, which promises an agent, but the kernel starts something else."""
    image = kdev.SeedImage.busybox().add_content("#!/bin/sh\n" + script, "/other", 0o755)
    return {"image": image, "cmdline": "rdinit=/other"}


def test_kernel_panics_before_init(make_vm: MakeVm) -> None:
    """Hardly any memory: the kernel's own panic is on the error."""
    vm = make_vm(cmdline="mem=8M")
    with pytest.raises(kdev.BootError) as caught:
        vm.start()
    error = caught.value
    assert error.crash is not None and error.crash.panicked
    assert "Kernel panic - not syncing" in error.crash.text
    assert "Kernel panic" in error.console_tail
    assert error.log is not None and "Kernel panic" in error.log.read_text(errors="replace")


def test_missing_init(make_vm: MakeVm) -> None:
    vm = make_vm(cmdline="rdinit=/nope init=/nope")
    with pytest.raises(kdev.BootError) as caught:
        vm.start()
    assert caught.value.crash is not None and "Requested init /nope failed" in caught.value.crash.text


def test_init_that_ends(make_vm: MakeVm) -> None:
    vm = make_vm(**with_init("exit 7\n"))
    with pytest.raises(kdev.BootError) as caught:
        vm.start()
    assert caught.value.crash is not None and "Attempted to kill init" in caught.value.crash.text


def test_image_without_an_agent(make_vm: MakeVm) -> None:
    """Its crash is seen all the same: on the console."""
    with make_vm(image=kdev.SeedImage.from_entries([kdev.ImageEntry("dir", "/nothing", 0o755)])) as vm:
        crash = vm.wait_crash(timeout=60)
        assert crash is not None and "No working init found" in crash.text
        with pytest.raises(kdev.GuestError):
            vm.run("true")


def test_guest_that_never_answers(make_vm: MakeVm) -> None:
    """An agent is promised, but the guest's init is something else."""
    vm = make_vm(**with_init("while :; do sleep 1; done\n"), boot_timeout=6)
    with pytest.raises((kdev.BootError, kdev.TimeoutError)) as caught:
        vm.start()
    assert caught.value.attempted and caught.value.reason


def test_qemu_killed_in_mid_command(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        pid = vm.pid
        assert pid is not None
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(kdev.HostError) as caught:
            vm.run("sleep 1000", timeout=300)
        assert "QEMU" in caught.value.reason
        assert vm.state == "stopped"


def test_a_wrong_qemu_argument(make_vm: MakeVm) -> None:
    with pytest.raises(kdev.HostError) as caught:
        make_vm(qemu_args=["-no-such-option"]).start()
    assert "no-such-option" in str(caught.value) or caught.value.log is not None


def test_a_kernel_that_is_not_there(make_vm: MakeVm, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    gone = kdev.KernelArtifact.from_dict({**kernel.to_dict(), "image": str(tmp_path / "gone"), "bzimage": ""})
    with pytest.raises(kdev.Error) as caught:
        make_vm(kernel=gone).start()
    assert "gone" in str(caught.value)


def test_a_hung_guest(make_vm: MakeVm) -> None:
    """Its only CPU spins with interrupts off: known for hung, ended all the same."""
    with make_vm(cpus=1, probe_timeout=2, crash_timeout=5) as vm:
        r = vm.run("echo HARDLOCKUP > /sys/kernel/debug/provoke-crash/DIRECT", timeout=3)
        assert r.timed_out or r.crash is not None
        assert vm.state in ("hung", "crashed")


def test_two_processes_on_one_workspace(
    ws: kdev.Workspace, conf: kdev.KernConf, kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str
) -> None:
    """Both get the kernel; neither disturbs the other."""
    (tmp_path / "conf.json").write_text(conf.to_json())
    script = (
        "import sys, kdev\n"
        "ws = kdev.Workspace(sys.argv[1])\n"
        "conf = kdev.KernConf.from_json(open(sys.argv[2]).read())\n"
        "kernel = ws.build(conf)\n"
        "with kdev.VM(kernel=kernel, name=sys.argv[3]) as vm:\n"
        "    print(kernel.id, vm.run('echo hi').stdout.strip())\n"
    )
    argv = [sys.executable, "-c", script, str(ws.root), str(tmp_path / "conf.json"), guest_name]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        out, err = process.communicate(timeout=1500)
        assert process.returncode == 0, err
        assert out.split() == [kernel.id, "hi"]
    assert not processes_naming(guest_name)
