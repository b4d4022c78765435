"""Stock gdb on the kernel of a FreeBSD guest, over its second serial port."""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, ctrl_c, processes_naming, wait_until

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]


@pytest.fixture(scope="module")
def image(freebsd_userland: kdev.UserlandArtifact, freebsd_kernel: kdev.KernelArtifact) -> kdev.SeedImage:
    assert freebsd_kernel.modules is not None
    nullfs = freebsd_kernel.modules / "boot/kernel/nullfs.ko"
    return kdev.SeedImage.userland(freebsd_userland).add_file(nullfs, "/nullfs.ko")


@pytest.fixture
def make_vm(make_freebsd_vm: MakeVm, image: kdev.SeedImage) -> MakeVm:
    return functools.partial(make_freebsd_vm, image=image, debug_port=True)


def functions(frames: list[kdev.DebugFrame]) -> list[str]:
    return [frame.function for frame in frames]


def test_a_breakpoint_is_hit_and_the_kernel_goes_on(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            assert functions(dbg.backtrace())[:2] == ["kdb_enter", "kdb_sysctl_enter"]
            breakpoint = dbg.break_at("kern_openat")
            assert breakpoint.file == "sys/kern/vfs_syscalls.c"
            job = vm.spawn("cat /dev/null; echo done")
            stop = dbg.wait(timeout=60)
            assert stop.reason == "breakpoint-hit"
            assert stop.breakpoint == breakpoint.number
            assert stop.frame.function == "kern_openat"
            assert "struct proc *p" in stop.frame.source
            frames = dbg.backtrace()
            assert functions(frames)[-1] == "fast_syscall_common", "nothing beyond the kernel's entry"
            assert [arg.name for arg in frames[0].args][:3] == ["td", "fd", "path"]
            assert dbg.evaluate("td->td_proc->p_comm").startswith('"')
            assert "td" in [variable.name for variable in dbg.locals()]
            assert "kern_openat" in dbg.source("kern_openat", lines=6)
            assert len(dbg.memory(breakpoint.address, 4)) == 4
            assert dbg.registers()["rip"] == breakpoint.address
            assert dbg.next().frame.function == "kern_openat"
            dbg.clear(breakpoint)
            dbg.resume()
            assert job.wait().stdout == "done\n"
        assert vm.state == "ready"
        assert vm.run("echo up").stdout == "up\n"
        assert vm.debugger_backends().current == "ddb"
        assert vm.crashes() == []


def test_a_running_kernel_is_interrupted(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            dbg.resume()
            assert vm.run("echo up").stdout == "up\n"
            assert dbg.running
            breakpoint = dbg.break_at("sys___sysctl")
            assert dbg.running, "as before"
            with pytest.raises(kdev.TimeoutError):
                dbg.wait(timeout=0.5)
            job = vm.spawn("sysctl kern.ostype")
            assert dbg.wait(timeout=60).breakpoint == breakpoint.number
            dbg.clear(breakpoint)
            dbg.resume()
            job.wait()
            stop = dbg.interrupt()
            assert stop.reason == "signal-received"
            names = functions(dbg.backtrace())
            assert names[0] == stop.frame.function
            assert names[-1] == "fork_trampoline"
            assert len(dbg.threads()) > 20
        # What gdb left on the console is nobody's crash.
        crash = vm.run("sysctl debug.kdb.panic=1").crash
        assert crash is not None
        assert crash.title == "panic: kdb_sysctl_panic"


def test_modules_have_their_symbols(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        vm.run("kldload /nullfs.ko", check=True)
        with vm.debug() as dbg:
            place = dbg.break_at("nullfs_mount")
            assert place.file == "sys/fs/nullfs/null_vfsops.c"
            job = vm.spawn("mount -t nullfs /dev /mnt")
            stop = dbg.wait(timeout=60)
            assert stop.frame.function == "nullfs_mount"
            assert "vfs_domount" in functions(dbg.backtrace())
            del job


def test_a_module_that_is_loaded_later(make_vm: MakeVm) -> None:
    with make_vm() as vm, vm.debug() as dbg:
        with pytest.raises(kdev.DebugError, match="nullfs_mount"):
            dbg.break_at("nullfs_mount")
        dbg.resume()
        vm.run("kldload /nullfs.ko", check=True)
        assert dbg.break_at("nullfs_mount").function == "nullfs_mount"


def test_frames_through_a_trap(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            job = vm.spawn("sysctl debug.kdb.trap=1")
            stop = dbg.wait(timeout=60)
            assert stop.frame.function == "kdb_enter"
            names = functions(dbg.backtrace())
            assert names.index("panic") < names.index("calltrap") < names.index("kdb_sysctl_trap")
            assert names[-1] == "fast_syscall_common"
            del job
        # Its panic is a report all the same, and it is back at its prompt.
        crash = vm.wait_crash(timeout=30)
        assert crash is not None
        assert crash.title.startswith("Fatal trap NUM: page fault")
        assert vm.state == "crashed"
        assert "curthread" in vm.ask_debugger("show pcpu").text


def test_a_crashed_guest_is_debugged_at_its_prompt(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        assert vm.run("sysctl debug.kdb.panic=1").crash is not None
        with vm.debug() as dbg:
            assert functions(dbg.backtrace())[:4] == ["kdb_enter", "vpanic", "panic", "kdb_sysctl_panic"]
            assert dbg.evaluate("panicstr").endswith(' "kdb_sysctl_panic"')
        assert vm.qmp("query-status")["running"] is False
        assert "curthread" in vm.ask_debugger("show pcpu").text


def test_a_debugger_that_dies_leaves_the_guest_running(make_vm: MakeVm, tmp_path: Path) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            pid = dbg.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(kdev.DebugError):
                dbg.backtrace()
            with pytest.raises(kdev.GuestError, match="debugs it already"):
                vm.debug()
        assert wait_until(lambda: not processes_naming("-interpreter=mi3"))
        assert vm.run("echo up").stdout == "up\n"
        with pytest.raises(kdev.DebugError, match="closed"):
            dbg.backtrace()


def test_ctrl_c_ends_a_wait_and_the_session_goes_on(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            dbg.resume()
            with ctrl_c(lambda: "kdev is busy" in vm.console), pytest.raises(KeyboardInterrupt):
                job = vm.spawn("echo kdev is busy > /dev/console; sleep 777")
                dbg.wait(timeout=300)
                del job
            assert dbg.interrupt().reason == "signal-received"
        assert vm.run("echo up").stdout == "up\n"


def test_without_a_port_the_kernel_cannot_be_asked_but_the_machine(make_vm: MakeVm) -> None:
    with make_vm(debug_port=False) as vm:
        with pytest.raises(kdev.ConfigError, match="debug_port"):
            vm.debug(stub="kernel")
        vm.run("kldload /nullfs.ko", check=True)
        with vm.debug() as dbg:
            assert len(dbg.threads()) == 2, "CPUs"
            there = dbg.break_at("nullfs_mount")
            assert there.file == "sys/fs/nullfs/null_vfsops.c"
            job = vm.spawn("mount -t nullfs /dev /mnt")
            assert dbg.wait(timeout=60).frame.function == "nullfs_mount"
            assert functions(dbg.backtrace())[-1] == "fast_syscall_common"
            dbg.clear(there)
            dbg.resume()
            assert job.wait().exit_code == 0
        assert vm.run("echo up").stdout == "up\n"


def test_backends_and_scripts(make_vm: MakeVm) -> None:
    with make_vm(on_crash=kdev.OnCrash(["show pcpu"])) as vm:
        assert vm.debugger_backends() == kdev.DebuggerBackends.from_dict(
            {"available": ["ddb", "gdb"], "current": "ddb"}
        )
        vm.select_debugger("gdb")
        assert vm.debugger_backends().current == "gdb"
        with pytest.raises(kdev.GuestError, match="ddb, gdb"):
            vm.select_debugger("kgdb")
        vm.select_debugger("ddb")
        vm.set_debugger_script("sysctl", ["show registers", "show files"])
        with pytest.raises(kdev.ConfigError, match="127"):
            vm.set_debugger_script("panic", ["show allproc"] * 20)
        crash = vm.run("sysctl debug.kdb.enter=1").crash
        assert crash is not None
        assert crash.title == "KDB: enter: sysctl debug.kdb.enter"
        assert "db:0:kdb.enter.sysctl> show registers" in vm.console
        assert "curthread" in crash.debugger[0].text
