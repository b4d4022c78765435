"""Guests without a virtio-serial port: the agent speaks over their console."""

from __future__ import annotations

import os
from pathlib import Path

import kdev
import pytest

NOTICE = "commands go over its console"


def talk(vm: kdev.VM, seen: list[kdev.Event]) -> None:
    assert any(NOTICE in str(event) for event in seen)
    assert vm.run("echo out; echo err >&2; exit 3").exit_code == 3
    data = os.urandom(40_000)
    vm.write_file("/tmp/data", data)
    # With something else on the console meanwhile.
    job = vm.spawn("i=0; while [ $i -lt 200 ]; do echo line $i of the console > /dev/console; i=$((i+1)); done")
    assert vm.read_file("/tmp/data") == data
    assert job.wait().ok
    lines = [line.strip() for line in vm.console.splitlines()]
    assert all(f"line {i} of the console" in lines for i in range(200)), "packets stay out of it"


@pytest.mark.boot
def test_linux(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    seen: list[kdev.Event] = []
    cmdline = "initcall_blacklist=virtio_console_init"
    with kdev.VM(
        kernel=kernel, image=kdev.SeedImage.busybox(), cmdline=cmdline, run_dir=tmp_path, on_event=seen.append
    ) as vm:
        talk(vm, seen)
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        assert crash is not None
        assert "sysrq" in crash.title


@pytest.mark.boot
@pytest.mark.freebsd
def test_freebsd(freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path) -> None:
    seen: list[kdev.Event] = []
    image = kdev.SeedImage.userland(freebsd_userland)
    with kdev.VM(
        kernel=freebsd_kernel,
        image=image,
        memory="512M",
        cmdline="hint.vtcon.0.disabled=1",
        run_dir=tmp_path,
        on_event=seen.append,
    ) as vm:
        talk(vm, seen)
        crash = vm.run("sysctl debug.kdb.panic=1").crash
        assert crash is not None
        assert (crash.title, crash.corrupted) == ("panic: kdb_sysctl_panic", False)
        assert "curthread" in vm.ask_debugger("show pcpu").text
        vm.reboot()
        assert vm.run("echo up").stdout == "up\n"
