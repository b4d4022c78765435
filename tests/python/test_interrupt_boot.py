"""Ctrl-C with real guests: it reaches the caller, and nothing is left running."""

from __future__ import annotations

from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, ctrl_c, processes_naming, wait_until

pytestmark = pytest.mark.boot

# Says on the console that it runs, then goes on for longer than any test waits.
LONG = "echo '<0>kdev is busy' > /dev/kmsg; sleep 777"


def is_busy(vm: kdev.VM) -> bool:
    return "kdev is busy" in vm.console


def is_idle(vm: kdev.VM) -> bool:
    return "sleep 777" not in vm.run("ps").stdout


def test_run(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with ctrl_c(lambda: is_busy(vm)), pytest.raises(KeyboardInterrupt):
            vm.run(LONG, timeout=300)
        assert wait_until(lambda: is_idle(vm), 30)


def test_job(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        job = vm.spawn(LONG)
        with ctrl_c(lambda: is_busy(vm)), pytest.raises(KeyboardInterrupt):
            job.wait(timeout=300)
        assert wait_until(lambda: is_idle(vm), 30)


def test_start(make_vm: MakeVm, guest_name: str) -> None:
    vm = make_vm()
    with ctrl_c(lambda: bool(processes_naming(guest_name))), pytest.raises(KeyboardInterrupt):
        vm.start()
        vm.run("sleep 777", timeout=300)  # when the guest was faster than the signal
    vm.close()
    assert wait_until(lambda: not processes_naming(guest_name))


def test_start_of_a_guest_that_never_answers(make_vm: MakeVm, guest_name: str) -> None:
    script = "#!/bin/sh\necho kdev is busy\nwhile :; do sleep 1; done\n"
    image = kdev.SeedImage.busybox().add_content(script, "/other", 0o755)
    vm = make_vm(image=image, cmdline="rdinit=/other", boot_timeout=300)
    with ctrl_c(lambda: is_busy(vm)), pytest.raises(KeyboardInterrupt), vm:
        pytest.fail("it never comes up")
    assert wait_until(lambda: not processes_naming(guest_name))


def test_reboot(make_vm: MakeVm, kernel: kdev.KernelArtifact, guest_name: str) -> None:
    states: list[str] = []

    def sink(event: kdev.Event) -> None:
        if isinstance(event, kdev.VmStateChanged):
            states.append(event.to_state)

    vm = make_vm(on_event=sink)
    vm.start()
    vm.install(kernel)
    with ctrl_c(lambda: states.count("booting") == 2), pytest.raises(KeyboardInterrupt):
        vm.reboot()
        vm.run("sleep 777", timeout=300)  # when the guest was faster than the signal
    vm.close()
    assert wait_until(lambda: not processes_naming(guest_name))


def test_push(make_vm: MakeVm, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(300 << 20)
    pushed = 0
    with make_vm(memory="1G") as vm:
        with ctrl_c(lambda: pushed > 0), pytest.raises(KeyboardInterrupt):
            while True:
                vm.push(tmp_path / "big", "/tmp/big")
                pushed += 1
        assert vm.run("echo fine").stdout == "fine\n"


def test_pull(make_vm: MakeVm, tmp_path: Path) -> None:
    with make_vm(memory="1G") as vm:
        vm.run(f"head -c {300 << 20} /dev/zero > /tmp/big", check=True)
        with ctrl_c(lambda: any(tmp_path.glob("back/*"))), pytest.raises(KeyboardInterrupt):
            while True:
                (tmp_path / "back").mkdir(exist_ok=True)
                vm.pull("/tmp/big", tmp_path / "back" / "big")
        assert vm.run("echo fine").stdout == "fine\n"


def test_pipeline(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    stages: list[str] = []

    def sink(event: kdev.Event) -> None:
        if isinstance(event, kdev.StageStarted):
            stages.append(event.stage)

    p = (
        kdev.Pipeline("stuck")
        .kernel(kernel)
        .boot(run_dir=tmp_path / "run", name=guest_name)
        .run("sleep 777", timeout=300)
    )
    with ctrl_c(lambda: "run" in stages), pytest.raises(KeyboardInterrupt):
        p.run(on_event=sink)
    assert wait_until(lambda: not processes_naming(guest_name))


def test_module_build(ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    """A module whose Makefile never comes to its end."""
    folder = tmp_path / "stuck"
    folder.mkdir()
    stuck = f"obj-m := stuck.o\nX := $(shell bash -c 'exec -a {guest_name} sleep 300')\n"
    (folder / "Makefile").write_text(stuck)
    (folder / "stuck.c").write_text("")
    with ctrl_c(lambda: bool(processes_naming(guest_name))), pytest.raises(KeyboardInterrupt):
        ws.build_module(folder, kernel)
    assert wait_until(lambda: not processes_naming(guest_name))
    # The lock on module builds went with it.
    assert ws.build_module(ws.scaffold("hello", "after", tmp_path / "after"), kernel).name == "after"
