"""kgdb and kdb of a Linux guest, in turns over its second serial port."""

from __future__ import annotations

import functools
import os
import signal
import socket

import kdev
import pytest
from conftest import MakeVm, wait_until

pytestmark = pytest.mark.boot


@pytest.fixture
def make(make_vm: MakeVm) -> MakeVm:
    return functools.partial(make_vm, cpus=2, debug_port=True)


def functions(frames: list[kdev.DebugFrame]) -> list[str]:
    return [frame.function for frame in frames]


def places(frames: list[kdev.DebugFrame]) -> list[tuple[str, str, int, bool]]:
    return [(frame.function, frame.file, frame.line, frame.inlined) for frame in frames]


def stopped_in_openat(vm: kdev.VM, stub: str) -> tuple[list[tuple[str, str, int, bool]], dict[str, str]]:
    with vm.debug(stub=stub) as dbg:
        there = dbg.break_at("do_sys_openat2", condition="dfd == -100 && (how->flags & 0100)")
        job = vm.spawn("echo hello > /new")
        stop = dbg.wait(timeout=60)
        assert stop.breakpoint == there.number
        frames = dbg.backtrace()
        arguments = {argument.name: argument.value for argument in frames[0].args}
        arguments["how->flags"] = dbg.evaluate("how->flags")
        assert dbg.next().frame.function == "do_sys_openat2"
        dbg.clear(there)
        dbg.resume()
        job.wait()
        return places(frames), arguments


def test_a_system_call_over_kgdb_as_over_the_machines_stub(make: MakeVm) -> None:
    with make() as vm:
        mine, arguments = stopped_in_openat(vm, "kgdb")
        assert mine[0][:2] == ("do_sys_openat2", "fs/open.c")
        assert [place[0] for place in mine][-1] == "entry_SYSCALL_64"
        assert any(inlined for *_, inlined in mine)
        assert arguments["dfd"] == "-100"
        # O_WRONLY | O_CREAT | O_TRUNC | O_LARGEFILE, as the shell's ">" opens it.
        assert int(arguments["how->flags"]) & 0o1101 == 0o1101
        theirs, others = stopped_in_openat(vm, "machine")
        assert mine == theirs
        assert arguments["how->flags"] == others["how->flags"]
        assert vm.run("cat /new").stdout == "hello\n"
        assert vm.crashes() == []


def test_a_running_kernel_is_interrupted_and_left(make: MakeVm) -> None:
    with make() as vm:
        with vm.debug(stub="kgdb") as dbg:
            assert functions(dbg.backtrace())[:2] == ["kgdb_breakpoint", "sysrq_handle_dbg"]
            dbg.resume()
            assert vm.run("echo up").stdout == "up\n"
            assert dbg.interrupt().signal == "SIGTRAP"
            names = functions(dbg.backtrace())
            assert "serial8250_interrupt" in names, "by a break: no program of the guest's is in its way"
            assert any(thread.name == "init" for thread in dbg.threads())
            with pytest.raises(kdev.GuestError, match="debugs it already"):
                vm.debug(stub="kgdb")
            with pytest.raises(kdev.GuestError, match="debugs it already"):
                vm.kdb()
        assert vm.run("echo up").stdout == "up\n"


def test_kdb_and_gdb_in_turn(make: MakeVm) -> None:
    with make() as vm:
        assert vm.debugger_backends().available == ["kdb", "kgdb"]
        with vm.debug(stub="kgdb") as dbg:
            there = dbg.break_at("vfs_mkdir")
            job = vm.spawn("mkdir /made")
            assert dbg.wait(timeout=60).breakpoint == there.number
            assert "mkdir" in dbg.monitor("ps"), "through gdb"
            for _ in range(3):
                assert "*mkdir" in dbg.kdb("ps").text, "at its own prompt, on the same port"
                assert "vfs_mkdir" in functions(dbg.backtrace())[:2]
            dbg.clear(there)
            dbg.resume()
            assert job.wait().ok
        with vm.kdb() as kdb:
            assert any(task.command == "init" for task in kdb.ps())
        assert vm.run("ls -d /made").stdout == "/made\n"
        with vm.debug(stub="machine") as dbg, pytest.raises(kdev.DebugError, match="own stub"):
            dbg.kdb("ps")


def test_kdb_answers_whole_and_the_guest_goes_on(make: MakeVm) -> None:
    with make() as vm:
        with vm.kdb() as kdb:
            assert (kdb.name, kdb.backend, kdb.crashed) == ("kdb", "kdb", False)
            tasks = {task.pid: task for task in kdb.ps()}
            assert tasks[1].command == "init"
            assert tasks[1].parent == 0
            assert tasks[2].command == "kthreadd"
            assert tasks[1].address > 1 << 63
            assert len(tasks) > 24, "more than a page"
            messages = kdb.run("dmesg")
            assert messages.complete
            assert "Linux version" in messages.text
            assert "more>" not in messages.text
            assert kdb.run("lsmod").text.startswith("Module ")
            assert "schedule" in [frame.function for frame in kdb.bt(2)], "kthreadd sleeps"
            mine = [frame for frame in kdb.bt() if frame.function == "sysrq_handle_dbg"]
            assert mine
            assert mine[0].file == "kernel/debug/debug_core.c"
            with pytest.raises(kdev.GuestError):
                kdb.bt(99999)
            with pytest.raises(kdev.ConfigError):
                kdb.run("ps\rgo")
        assert vm.run("echo up").stdout == "up\n"
        assert vm.state == "ready"
        assert vm.crashes() == []
        with pytest.raises(kdev.GuestError, match="left"):
            kdb.run("ps")
        with pytest.raises(kdev.ConfigError, match="not entered that way"):
            vm.kdb(enter="sysctl")
        assert vm.run("echo up").stdout == "up\n"


def test_backends(make: MakeVm) -> None:
    with make() as vm:
        with vm.kdb() as kdb:
            kdb.backend = "kgdb"
            with pytest.raises(kdev.GuestError, match="kdb, kgdb"):
                kdb.backend = "ddb"
        assert vm.run("echo up").stdout == "up\n"
        assert vm.debugger_backends().current == "kgdb"
        vm.select_debugger("kdb")
        assert vm.debugger_backends().current == "kdb"
        assert vm.run("echo up").stdout == "up\n"


def test_kdb_without_a_port_has_the_console(make: MakeVm) -> None:
    with make(debug_port=False) as vm:
        with vm.kdb() as kdb:
            assert "init" in kdb.run("ps").text
        assert vm.run("cat /sys/module/kgdboc/parameters/kgdboc").stdout.strip() == ""
        # A panic is a plain one again.
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        assert crash is not None
        assert "Entering kdb (current=" not in crash.text


@pytest.mark.parametrize("way", ["panic", "nmi"])
def test_a_panic_ends_at_the_prompt(make: MakeVm, way: str) -> None:
    with make() as vm:
        with vm.kdb(enter=way) as kdb:
            assert kdb.crashed
            assert "panic" in [frame.function for frame in kdb.bt()]
        crash = vm.wait_crash(timeout=30)
        assert crash is not None
        assert vm.state == "crashed"
        assert "init" in vm.ask_debugger("ps").text
        if way == "nmi":
            return  # kdb that an NMI's panic led to does not always hand over to gdb
        with vm.debug(stub="kgdb") as dbg:
            assert "panic" in functions(dbg.backtrace())
        assert "init" in vm.ask_debugger("ps").text, "back at its prompt"


def test_what_a_crash_is_asked(make: MakeVm) -> None:
    with make(debug_port=False, on_crash=kdev.OnCrash(["ps"])) as vm:
        crash = vm.run("echo c > /proc/sysrq-trigger").crash
        assert crash is not None
        assert [answer.command for answer in crash.debugger] == ["ps"]
        assert "init" in crash.debugger[0].text
    with pytest.raises(kdev.ConfigError, match="writes no dumps"):
        make(on_crash=kdev.OnCrash(["ps"], "dump"))


def test_noise_on_the_port(make: MakeVm) -> None:
    with make() as vm:
        noise = socket.socket(socket.AF_UNIX)
        noise.connect(f"{vm.directory}/debug.sock")
        noise.send(b"%&\x7f\xff$x")
        noise.close()
        with vm.debug(stub="kgdb") as dbg:
            assert dbg.backtrace()[0].function == "kgdb_breakpoint"
        assert vm.run("echo up").stdout == "up\n"
        noise = socket.socket(socket.AF_UNIX)
        noise.connect(f"{vm.directory}/debug.sock")
        noise.send(b"+$#q\x03")
        noise.close()
        with vm.debug(stub="kgdb") as dbg:
            assert dbg.backtrace()[0].function == "kgdb_breakpoint"
        assert vm.run("echo up").stdout == "up\n"


@pytest.mark.parametrize("runs", [False, True])
def test_gdb_is_killed(make: MakeVm, runs: bool) -> None:
    with make() as vm:
        with vm.debug(stub="kgdb") as dbg:
            dbg.break_at("vfs_mkdir")
            if runs:
                dbg.resume()
            assert dbg.pid is not None
            os.kill(dbg.pid, signal.SIGKILL)
            with pytest.raises(kdev.DebugError):
                dbg.backtrace() if not runs else dbg.wait(timeout=30)
        # Not even the breakpoint is left.
        assert wait_until(lambda: vm.run("mkdir -p /made; echo up").stdout == "up\n")
        assert vm.state == "ready"


def test_a_kernel_that_waits_in_its_boot(make: MakeVm) -> None:
    vm = make()
    try:
        with vm.debug(stub="kgdb", wait=True) as dbg:
            names = functions(dbg.backtrace())
            assert "kgdb_register_io_module" in names
            assert "kernel_init_freeable" in names, "before any program"
        vm.start()
        assert vm.run("echo up").stdout == "up\n"
    finally:
        vm.close()
