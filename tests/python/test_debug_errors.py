"""What goes wrong with gdb: each a clear error within its deadline, and nothing is left."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, ctrl_c, processes_naming, wait_until

pytestmark = pytest.mark.boot


def program(path: Path, text: str) -> Path:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def no_gdb_left() -> bool:
    return wait_until(lambda: not processes_naming("-interpreter=mi3"))


def test_no_gdb(make_vm: MakeVm, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_vm() as vm:
        monkeypatch.setenv("KDEV_GDB", "gdb-that-is-not-there")
        with pytest.raises(kdev.HostError, match="not installed"):
            vm.debug()
        assert vm.run("echo up").stdout == "up\n"
        monkeypatch.delenv("KDEV_GDB")
        with vm.debug() as dbg:
            assert dbg.pid


def test_a_gdb_that_ends_at_once_or_says_nothing(
    make_vm: MakeVm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_vm() as vm:
        monkeypatch.setenv("KDEV_GDB", str(program(tmp_path / "ends", "echo 'cannot work' >&2; exit 3\n")))
        with pytest.raises(kdev.DebugError, match="gdb has ended"):
            vm.debug()
        monkeypatch.setenv("KDEV_GDB", str(program(tmp_path / "silent", "exec sleep 300\n")))
        began = time.monotonic()
        with pytest.raises(kdev.TimeoutError):
            vm.debug(timeout=1)
        assert time.monotonic() - began < 20
        monkeypatch.delenv("KDEV_GDB")
        assert vm.run("echo up").stdout == "up\n"
    assert not processes_naming(str(tmp_path / "silent"))


def test_a_gdb_without_python_works_but_for_modules(
    make_vm: MakeVm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its list of features says so.
    text = 'exec gdb "$@" | sed -u \'s/,"python"//\'\n'
    with make_vm() as vm:
        monkeypatch.setenv("KDEV_GDB", str(program(tmp_path / "gdb-without", text)))
        with vm.debug() as dbg:
            assert "no Python" in dbg.notes[0]
            with pytest.raises(kdev.DebugError, match="without Python"):
                dbg.load_modules()
            assert dbg.break_at("do_sys_openat2").file == "fs/open.c"
            job = vm.spawn("cat /proc/version")
            assert dbg.wait(timeout=60).frame.function == "do_sys_openat2"
            dbg.execute("delete")
            dbg.resume()
            job.wait()
        assert vm.run("echo up").stdout == "up\n"
    assert no_gdb_left()


def test_another_kernel_is_refused_with_both_ids(
    ws: kdev.Workspace, conf: kdev.KernConf, kernel: kdev.KernelArtifact, make_vm: MakeVm, tmp_path: Path
) -> None:
    # The same, but for its build id.
    other = tmp_path / "vmlinux"
    content = bytearray(kernel.vmlinux.read_bytes())
    wanted = bytes.fromhex(kernel.build_id)
    at = content.find(wanted)
    assert at > 0
    foreign = bytes([wanted[0] ^ 0xFF]) + wanted[1:]
    content[at : at + len(wanted)] = foreign
    other.write_bytes(content)
    with make_vm() as vm:
        stub = tmp_path / "stub"
        vm.qmp("human-monitor-command", **{"command-line": f"gdbserver unix:{stub},server=on,wait=off"})
        with pytest.raises(kdev.DebugError) as caught:
            kdev.DebugSession.attach(str(stub), vmlinux=other)
        assert kernel.build_id in str(caught.value)
        assert foreign.hex() in str(caught.value)
        assert vm.run("echo up").stdout == "up\n", "it goes on"
        assert no_gdb_left()


def test_nobody_is_there(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    for stub, error in [
        ("127.0.0.1:1", kdev.DebugError),
        (str(tmp_path / "none"), kdev.ConfigError),
        (str(tmp_path), kdev.ConfigError),
        ("host;shell:1", kdev.ConfigError),
    ]:
        began = time.monotonic()
        with pytest.raises(error):
            kdev.DebugSession.attach(stub, kernel, timeout=20)
        assert time.monotonic() - began < 20
    assert no_gdb_left()


def test_garbage_in_place_of_a_stub(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "noise"))
        listening.listen()
        stop = threading.Event()

        def noise() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(0.1)
                while not stop.is_set():
                    try:
                        peer.sendall(b"\xff\x00[   12.3] eth0: up $ # garbage#zz\r\n")
                    except OSError:
                        return
                    time.sleep(0.02)

        thread = threading.Thread(target=noise)
        thread.start()
        try:
            began = time.monotonic()
            with pytest.raises((kdev.DebugError, kdev.TimeoutError)):
                kdev.DebugSession.attach(str(tmp_path / "noise"), kernel, timeout=5)
            assert time.monotonic() - began < 30
        finally:
            stop.set()
            thread.join()
    assert no_gdb_left()


def test_one_at_a_time(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            with pytest.raises(kdev.GuestError, match="debugs it already"):
                vm.debug()
            assert dbg.evaluate("1 + 1") == "2", "that did the first one no harm"
        with vm.debug() as dbg:
            assert dbg.backtrace()


def test_what_cannot_be(make_vm: MakeVm) -> None:
    with make_vm() as vm, vm.debug() as dbg:
        with pytest.raises(kdev.DebugError, match="no_such_function"):
            dbg.break_at("no_such_function")
        with pytest.raises(kdev.DebugError, match="no_such_variable"):
            dbg.evaluate("no_such_variable + 1")
        with pytest.raises(kdev.DebugError, match="Cannot access memory"):
            dbg.evaluate("*(int *) 8")
        with pytest.raises(kdev.DebugError):
            dbg.memory(8, 16)
        with pytest.raises(kdev.DebugError, match="no_such_condition"):
            dbg.break_at("do_sys_openat2", condition="no_such_condition == 1")
        with pytest.raises(kdev.DebugError):
            dbg.backtrace(thread=77)
        with pytest.raises(kdev.DebugError):
            dbg.evaluate("1", frame=1000, thread=1)
        with pytest.raises(kdev.DebugError):
            dbg.disassemble("no_such_function")
        with pytest.raises(ValueError, match="write"):
            dbg.watch("jiffies_64", "whatever")
        with pytest.raises(kdev.DebugError):
            dbg.execute("no-such-command")
        assert dbg.evaluate("1 + 1") == "2"
        dbg.close()
        with pytest.raises(kdev.DebugError, match="closed"):
            dbg.backtrace()


def test_gdb_is_killed_while_the_guest_stands(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            assert dbg.pid is not None
            os.kill(dbg.pid, signal.SIGKILL)
            with pytest.raises(kdev.DebugError):
                dbg.backtrace()
        assert vm.run("echo up").stdout == "up\n"
        assert no_gdb_left()


def test_gdb_is_killed_while_the_guest_runs_towards_a_breakpoint(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            dbg.break_at("do_sys_openat2")
            dbg.resume()
            assert dbg.pid is not None
            os.kill(dbg.pid, signal.SIGKILL)
            job = vm.spawn("cat /proc/version")  # it may reach the breakpoint, and nobody hears of it
            with pytest.raises(kdev.DebugError):
                dbg.wait(timeout=30)
            time.sleep(0.5)
        assert job.wait().exit_code == 0
        # Nothing is at the breakpoint's place any more.
        assert vm.run("cat /proc/version", timeout=30).exit_code == 0
        with vm.debug() as dbg:
            assert dbg.breakpoints == []


def test_the_guest_ends_under_the_debugger(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            job = vm.spawn("poweroff -f")
            with pytest.raises(kdev.DebugError, match=r"ended|lost"):
                dbg.wait(timeout=60)
            with pytest.raises(kdev.DebugError):
                dbg.backtrace()
            del job
        assert vm.state == "stopped"
    assert no_gdb_left()


def test_the_guest_resets_under_the_debugger(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            job = vm.spawn("reboot -f")
            with pytest.raises(kdev.DebugError, match=r"ended|lost"):
                dbg.wait(timeout=60)
            del job
        assert vm.state == "stopped"


def test_qemu_is_killed_under_the_debugger(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            dbg.resume()
            assert vm.pid is not None
            os.kill(vm.pid, signal.SIGKILL)
            with pytest.raises(kdev.DebugError):
                dbg.wait(timeout=30)
        assert vm.state == "stopped"
    assert no_gdb_left()


def test_ctrl_c_ends_a_wait(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            job = vm.spawn("echo now > /dev/console; sleep 777")
            with ctrl_c(lambda: "now" in vm.console), pytest.raises(KeyboardInterrupt):
                dbg.wait(timeout=300)
            assert dbg.interrupt().reason == "signal-received"
            del job
        assert vm.run("echo up").stdout == "up\n"


def test_a_vm_that_was_not_started_or_has_stopped(make_vm: MakeVm) -> None:
    vm = make_vm()
    with pytest.raises(kdev.GuestError, match="defined"):
        vm.debug()
    vm.start()
    vm.stop()
    with pytest.raises(kdev.GuestError, match="stopped"):
        vm.debug()
    with pytest.raises(kdev.ConfigError, match="debug_port"):
        vm.debug(stub="kernel")
    with pytest.raises(ValueError, match="machine"):
        vm.debug(stub="whatever")
