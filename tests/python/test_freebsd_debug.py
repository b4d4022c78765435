"""A FreeBSD guest that crashed: its own debugger is asked, it dumps, or reboots by itself. Boots that stop half-way."""

from __future__ import annotations

from typing import Literal

import kdev
import pytest
from conftest import MakeVm, ctrl_c

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]

PANIC = "sysctl debug.kdb.panic=1"


@pytest.fixture
def dump_disk() -> list[kdev.Disk]:
    return [kdev.Disk.blank("1G")]


def crash_of(result: kdev.CommandResult) -> kdev.CrashReport:
    assert result.crash is not None
    return result.crash


def test_the_debugger_is_asked_at_once(make_freebsd_vm: MakeVm) -> None:
    questions = ["bt", "show pcpu", "ps", "show registers", "alltrace"]
    with make_freebsd_vm(on_crash=kdev.OnCrash(questions)) as vm:
        crash = crash_of(vm.run(PANIC))
        assert crash.title == "panic: kdb_sysctl_panic"
        assert "show pcpu" not in crash.text
        assert crash.notes == []
        assert not crash.corrupted
        answers = {answer.command: answer for answer in crash.debugger}
        assert list(answers) == questions
        assert all(answer.complete for answer in crash.debugger)
        assert "curthread" in answers["show pcpu"].text
        assert "--More--" not in answers["ps"].text
        assert len(answers["alltrace"].traces) > 10
        frames = {frame.function: frame for frame in answers["bt"].traces[0].frames}
        assert frames["kdb_sysctl_panic"].file == "sys/kern/subr_kdb.c"
        assert "panic(" in frames["kdb_sysctl_panic"].source
        assert kdev.CrashReport.from_json(crash.to_json()) == crash
        assert "Debugger: show registers" in crash.to_text()
        assert "Debugger: show registers" in crash.to_html()
        assert vm.qmp("query-status")["running"] is False
        assert len(vm.crashes()) == 1


def test_a_crashed_guest_can_be_asked_later(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm() as vm:
        with pytest.raises(kdev.GuestError, match="ready"):
            vm.ask_debugger("bt")
        assert crash_of(vm.run(PANIC)).debugger == []
        answer = vm.ask_debugger("bt")
        assert answer.traces[0].frames[1].function == "kdb_enter"
        assert vm.qmp("query-status")["running"] is False, "paused again"
        with pytest.raises(kdev.ConfigError):
            vm.ask_debugger("bt\nreset")
        # It never comes back.
        assert not vm.ask_debugger("reset", timeout=2).complete or vm.state == "stopped"


def test_ctrl_c_ends_a_question(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm() as vm:
        crash_of(vm.run(PANIC))
        long = "call DELAY(0x5f5e100)"  # 100 s
        with ctrl_c(lambda: long in vm.console), pytest.raises(KeyboardInterrupt):
            vm.ask_debugger(long, timeout=300)


def test_an_injected_nmi_lands_in_the_debugger(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm(on_crash=kdev.OnCrash(["show pcpu"])) as vm:
        vm.nmi()
        crash = vm.wait_crash(timeout=30)
        assert crash is not None
        assert crash.kind == "nmi"
        assert "cpuid" in crash.debugger[0].text


@pytest.mark.parametrize(("then", "said"), [("dump", "Dump complete"), ("textdump", "Textdump complete.")])
def test_the_debugger_dumps(
    make_freebsd_vm: MakeVm, dump_disk: list[kdev.Disk], then: Literal["dump", "textdump"], said: str
) -> None:
    policy = kdev.OnCrash(["bt"], then)
    with make_freebsd_vm(on_crash=policy, disks=dump_disk, cmdline="dumpdev=vtbd0") as vm:
        crash = crash_of(vm.run(PANIC))
        assert crash.dump == said
        assert [answer.command for answer in crash.debugger] == ["bt"]
        assert crash.notes == []
        assert vm.state == "crashed"
        vm.reboot()
        assert vm.run("echo up").stdout == "up\n"


@pytest.mark.parametrize("way", ["automatic", "sysctl", "nmi"])
def test_ddb_answers_whole_and_the_guest_goes_on(
    make_freebsd_vm: MakeVm, way: Literal["automatic", "sysctl", "nmi"]
) -> None:
    with make_freebsd_vm(cpus=2) as vm:
        with vm.ddb(enter=way) as ddb:
            assert (ddb.name, ddb.backend, ddb.crashed) == ("ddb", "ddb", False)
            tasks = ddb.ps()
            processes = {task.pid: task for task in tasks if not task.tid}
            assert (processes[0].command, processes[1].command) == ("[kernel]", "[init]")
            assert "psleep" in {task.wait for task in tasks}
            assert {task.pid for task in tasks if task.command.startswith("[idle: cpu")} == {11}
            assert len(tasks) > 24, "more than a page"
            registers = ddb.run("show registers")
            assert registers.complete and "rip" in registers.text
            assert "--More--" not in ddb.run("ps").text
            assert "kdb_enter" in [frame.function for frame in ddb.bt()] or way == "nmi"
            syncer = next(task for task in tasks if task.command == "[syncer]")
            assert "sched_sync" in [frame.function for frame in ddb.bt(syncer.pid)]
            buffers = next(task for task in tasks if task.command.startswith("[bufspacedaemon"))
            assert "bufspace_daemon" in [frame.function for frame in ddb.bt(buffers.tid)]
            with pytest.raises(kdev.ConfigError):
                ddb.run("ps\rreset")
        assert vm.run("echo up").stdout == "up\n"
        assert vm.state == "ready"
        assert vm.crashes() == []
        with pytest.raises(kdev.GuestError, match="left"):
            ddb.run("ps")
        with pytest.raises(kdev.ConfigError, match="not entered that way"):
            vm.ddb(enter="sysrq")


def test_ddb_at_a_panic_is_where_the_kernel_stays(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm() as vm:
        with vm.ddb(enter="panic") as ddb:
            assert ddb.crashed
            assert "panic" in [frame.function for frame in ddb.bt()]
        crash = vm.wait_crash(timeout=30)
        assert crash is not None and crash.kind == "panic"
        assert vm.state == "crashed"
        assert "curthread" in vm.ask_debugger("show pcpu").text


def test_a_debugger_that_waits_for_more_is_asked_all_the_same(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm(on_crash=kdev.OnCrash(then="leave")) as vm:
        crash_of(vm.run(PANIC))
        vm.write_console("set $lines = 5\rps\r")
        vm.wait_console("--More--", timeout=30)
        answer = vm.ask_debugger("show pcpu")
        assert answer.complete
        assert "curthread" in answer.text
        assert "--More--" not in vm.ask_debugger("ps").text


def test_a_dump_without_a_disk_is_noted(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm(on_crash=kdev.OnCrash(then="dump")) as vm:
        crash = crash_of(vm.run(PANIC))
        assert crash.notes == [f"no dump was made: {crash.dump}"]
        assert vm.ask_debugger("show pcpu").complete


def test_an_unattended_guest_dumps_and_reboots_by_itself(make_freebsd_vm: MakeVm, dump_disk: list[kdev.Disk]) -> None:
    policy = kdev.OnCrash(then="unattended")
    with make_freebsd_vm(on_crash=policy, disks=dump_disk, cmdline="dumpdev=vtbd0") as vm:
        crash = crash_of(vm.run(PANIC))
        assert crash.title == "panic: kdb_sysctl_panic"
        assert crash.dump == "Dump complete"
        assert crash.notes == []
        assert "db>" not in vm.console


def test_a_guest_that_is_left_alone_goes_on(make_freebsd_vm: MakeVm) -> None:
    with make_freebsd_vm(on_crash=kdev.OnCrash(then="leave")) as vm:
        crash_of(vm.run(PANIC))
        assert vm.qmp("query-status")["running"] is True


def stopped_boot(vm: kdev.VM) -> kdev.BootError:
    with pytest.raises(kdev.BootError) as caught:
        vm.start()
    return caught.value


def test_single_user_mode_is_told(
    make_freebsd_vm: MakeVm, freebsd_userland: kdev.UserlandArtifact, freebsd_ws: kdev.Workspace
) -> None:
    rescue = next(freebsd_ws.root.rglob("rescue/rescue/rescue"))
    image = kdev.SeedImage.userland(freebsd_userland).add_file(rescue, "/sbin/init", mode=0o755)
    error = stopped_boot(make_freebsd_vm(image=image, cmdline="-s init_path=/sbin/init"))
    assert "single user mode" in error.reason
    assert "-s" in error.hint
    assert "Enter full pathname" in error.console_tail


def test_a_missing_root_is_told(make_freebsd_vm: MakeVm) -> None:
    error = stopped_boot(make_freebsd_vm(cmdline="-a"))
    assert "mountroot>" in error.reason
    assert "vfs.root.mountfrom" in error.hint
