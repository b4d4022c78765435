"""gdb on a Linux guest over the hypervisor's stub, and on its dump: the answers, and that they agree."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import debug_module
import kdev
import pytest
import qemu_monitor
from conftest import MakeVm
from debug_module import LINES, line_of
from kdev.gdb_launch import launch_json

pytestmark = pytest.mark.boot


@pytest.fixture(scope="module")
def module(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory
) -> kdev.ModuleArtifact:
    return debug_module.build(ws, kernel, tmp_path_factory.mktemp("module") / "source")


def functions(frames: list[kdev.DebugFrame]) -> list[str]:
    return [frame.function for frame in frames]


def places(frames: list[kdev.DebugFrame]) -> list[tuple[str, str, int]]:
    return [(frame.function, frame.file, frame.line) for frame in frames]


def spoken(text: str) -> list[str]:
    """Functions of what gdb's own "bt" says."""
    return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(", text, re.MULTILINE)


def serve(vm: kdev.VM, device: str) -> None:
    """QEMU's stub, by hand."""
    vm.qmp("human-monitor-command", **{"command-line": f"gdbserver {device}"})


def variables(listed: list[kdev.Variable]) -> dict[str, str]:
    return {variable.name: variable.value for variable in listed}


def test_a_system_call_has_the_arguments_that_the_guest_passed(make_vm: MakeVm) -> None:
    with make_vm(cpus=2) as vm:
        vm.write_file("/some-file", "text")
        with vm.debug() as dbg:
            assert dbg.slide == 0
            assert dbg.notes == []
            assert [thread.number for thread in dbg.threads()] == [1, 2], "a thread is a CPU"
            there = dbg.break_at("do_sys_openat2", condition='$_streq((char *) filename, "/some-file")')
            assert (there.file, there.kind, there.pending) == ("fs/open.c", "breakpoint", False)
            job = vm.spawn("cat /some-file")
            stop = dbg.wait(timeout=60)
            assert (stop.reason, stop.breakpoint) == ("breakpoint-hit", there.number)
            args = variables(stop.frame.args)
            assert args["dfd"] == "-100", "AT_FDCWD"
            assert args["filename"].endswith('"/some-file"')
            assert stop.frame.source
            found = variables(dbg.locals())
            assert found["filename"] == args["filename"]
            assert dbg.evaluate("how->flags & 3") == "0", "O_RDONLY"
            assert dbg.type_of("how") == "struct open_how *"
            assert "resolve" in dbg.describe_type("struct open_how")

            frames = dbg.backtrace()
            assert functions(frames) == [name for name in spoken(dbg.execute("bt")) if name != "??"], "as gdb says it"
            assert functions(frames)[-1].startswith("entry_SYSCALL_64")
            by_name = {frame.function: frame for frame in frames}
            assert by_name["do_sys_open"].inlined
            assert not by_name["do_sys_openat2"].inlined
            assert by_name["do_syscall_64"].file == "arch/x86/entry/common.c"

            code = dbg.disassemble()
            assert code[0].address == there.address - code[0].offset
            assert {one.function for one in code} == {"do_sys_openat2"}
            assert any(one.file == "fs/open.c" and one.source for one in code)
            assert bytes.fromhex(code[0].bytes) == dbg.memory(code[0].address, len(code[0].bytes) // 2)
            some = dbg.disassemble(code[0].address, code[2].address)
            assert [one.text for one in some] == [one.text for one in code[:2]]
            assert "do_sys_openat2" in dbg.source("do_sys_openat2", lines=6)

            line = stop.frame.line
            after = dbg.next()
            assert after.frame.function == "do_sys_openat2"
            assert after.frame.line > line
            assert dbg.step_instruction().reason == "end-stepping-range"
            dbg.clear(there)
            done = dbg.run_to("do_filp_open")
            assert done.frame.function == "do_filp_open"
            back = dbg.finish()
            assert back.reason == "function-finished"
            assert back.returned.startswith("(struct file *) 0xffff")
            dbg.resume()
            assert job.wait().stdout == "text"
        assert vm.state == "ready"
        assert vm.crashes() == []
        assert vm.run("cat /some-file").stdout == "text"


def test_a_module_is_followed_from_its_init_function_to_its_end(make_vm: MakeVm, module: kdev.ModuleArtifact) -> None:
    with make_vm(modules=[module]) as vm:
        with vm.debug() as dbg:
            first = dbg.break_at("probe_init", pending=True)
            assert first.pending
            job = vm.spawn(
                f"insmod /m/{debug_module.NAME}.ko && echo 5 > {debug_module.POKE}; rmmod {debug_module.NAME}"
            )
            stop = dbg.wait(timeout=60)
            assert stop.breakpoint == first.number
            assert stop.frame.function == "probe_init"
            assert dbg.breakpoints[0].pending is False
            assert Path(stop.frame.file).name == f"{debug_module.NAME}.c"
            assert dbg.evaluate("probe_counter") == "3", "before its code ran"
            # .data, .bss, .init.text and the per-CPU template's copy.
            assert dbg.evaluate("probe_bss") == "{0, 0, 0, 0}"
            offset = int(dbg.evaluate("(unsigned long) __per_cpu_offset[0]"))
            percpu = int(dbg.evaluate("(unsigned long) &probe_percpu"))
            assert int.from_bytes(dbg.memory((percpu + offset) % 2**64, 4), "little") == 7

            watched = dbg.watch("probe_counter")
            assert watched.kind == "hw watchpoint"
            seen = [dbg.wait(timeout=60) for _ in range(2)]
            assert [(stop.old_value, stop.new_value) for stop in seen] == [("3", "4"), ("4", "9")]
            assert {stop.breakpoint for stop in seen} == {watched.number}
            assert "probe_counter += by" in LINES[seen[0].frame.line - 1] or "this_cpu_add" in seen[0].frame.source
            assert dbg.evaluate("by") == "5"
            line = seen[1].frame.line
            assert line_of("this_cpu_add") <= dbg.next().frame.line
            assert line <= line_of("return probe_counter")
            assert dbg.evaluate("probe_counter = 100") == "100"
            dbg.clear(watched)
            dbg.resume()
            assert job.wait(timeout=60).exit_code == 0
            with pytest.raises(kdev.DebugError, match="probe_counter"):
                dbg.evaluate("probe_counter")  # the module has gone, and its symbols with it
        assert vm.run("echo up").stdout == "up\n"


def test_a_kernel_that_kaslr_moved(
    ws: kdev.Workspace, conf: kdev.KernConf, make_vm: MakeVm, module: kdev.ModuleArtifact
) -> None:
    moved = ws.build(conf, targets={"bzImage"})
    with make_vm(kernel=moved, boot="bzimage", modules=[module]) as vm:
        assert "nokaslr" not in vm.run("cat /proc/cmdline").stdout
        text = int(vm.run("grep ' _text$' /proc/kallsyms").stdout.split()[0], 16)
        with vm.debug() as dbg:
            assert dbg.slide == text - 0xFFFFFFFF81000000
            there = dbg.break_at("__x64_sys_getppid")
            job = vm.spawn(f"insmod /m/{debug_module.NAME}.ko; cat /proc/self/stat; sh -c 'echo $PPID'")
            dbg.break_at("probe_poke", pending=True, once=True)
            stop = dbg.wait(timeout=60)
            while stop.breakpoint == there.number:
                stop = dbg.wait(timeout=60)
            assert functions(dbg.backtrace())[:3] == ["probe_poke", "probe_init", "do_one_initcall"]
            offset = int(dbg.evaluate("(unsigned long) __per_cpu_offset[0]"))
            task = int(dbg.evaluate("(unsigned long) &current_task"))
            pointer = int.from_bytes(dbg.memory((task + offset) % 2**64, 8), "little")
            assert dbg.evaluate(f"((struct task_struct *) {pointer})->comm").startswith('"insmod\\000')
            dbg.clear(there)
            dbg.resume()
            job.wait()


def test_from_the_first_instruction(make_vm: MakeVm) -> None:
    vm = make_vm()
    with vm.debug(wait=True) as dbg:
        assert vm.state == "booting"
        assert vm.console == ""
        there = dbg.break_at("start_kernel", once=True)
        stop = dbg.wait(timeout=60)
        assert stop.frame.function == "start_kernel"
        assert stop.frame.file == "init/main.c"
        assert there.number
        assert dbg.evaluate("system_state") == "SYSTEM_BOOTING"
        dbg.resume()
        vm.start()
        assert vm.state == "ready"
        assert vm.run("echo up").stdout == "up\n"
    assert vm.run("echo up").stdout == "up\n"


def test_from_the_first_instruction_of_a_kernel_that_will_move(
    ws: kdev.Workspace, conf: kdev.KernConf, make_vm: MakeVm
) -> None:
    vm = make_vm(kernel=ws.build(conf, targets={"bzImage"}), boot="bzimage")
    with vm.debug(wait=True) as dbg:
        dbg.break_at("populate_rootfs", once=True)
        stop = dbg.wait(timeout=60)
        assert stop.frame.function == "populate_rootfs"
        assert dbg.slide % 0x200000 == 0
        dbg.resume()
        vm.start()
        text = int(vm.run("grep ' _text$' /proc/kallsyms").stdout.split()[0], 16)
        assert dbg.slide == text - 0xFFFFFFFF81000000


def test_the_dump_and_the_guest_answer_alike(
    make_vm: MakeVm, kernel: kdev.KernelArtifact, module: kdev.ModuleArtifact, tmp_path: Path
) -> None:
    with make_vm(cpus=2, modules=[module]) as vm:
        vm.run(f"insmod /m/{debug_module.NAME}.ko", check=True)
        assert vm.run("echo c > /proc/sysrq-trigger").crash is not None
        questions = ["jiffies_64", "init_task.comm", "probe_counter", "nr_threads", "saved_command_line"]
        with vm.debug() as dbg:
            live = [dbg.evaluate(question) for question in questions]
            stacks = [dbg.backtrace(thread=thread.number) for thread in dbg.threads()]
            panicked = next(frames for frames in stacks if "panic" in functions(frames))
            assert "sysrq_handle_crash" in functions(panicked)
        assert vm.qmp("query-status")["running"] is False, "it stands still, as before"
        core = vm.core()
        with kdev.DebugSession.core(core) as post:
            assert [post.evaluate(question) for question in questions] == live
            assert places(post.backtrace()) == places(panicked)
            names = {thread.id for thread in post.threads()}
            assert len(names) >= len(core.threads()) - 1
            with pytest.raises(kdev.DebugError, match="nothing in it can run"):
                post.step()
            with pytest.raises(kdev.DebugError, match="nothing in it can run"):
                post.break_at("panic")
        core.write_elf(tmp_path / "core")
        with pytest.raises(kdev.ConfigError, match="debug information"):
            kdev.DebugSession.core(tmp_path / "core")
        with kdev.DebugSession.core(tmp_path / "core", kernel, modules=[module.ko]) as post:
            assert [post.evaluate(question) for question in questions] == live
        # The same as kdev's own unwinder has it, and gdb by hand where it needs no help.
        tid = next(thread.tid for thread in core.threads() if thread.panicked)
        own = [frame.function.removesuffix(".cold") for frame in core.stack(tid).frames]
        last = own.index("do_syscall_64")
        assert functions(panicked)[: last + 1] == own[: last + 1]


def test_gdb_by_hand_has_the_same_stack(make_vm: MakeVm, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with make_vm() as vm:
        vm.run("echo c > /proc/sysrq-trigger")
        with vm.debug() as dbg:
            frames = places(dbg.backtrace())
        stub = tmp_path / "stub"
        serve(vm, f"unix:{stub},server=on,wait=off")
        lines = ["set architecture i386:x86-64", f"target remote {stub}", "bt", "disconnect"]
        commands = [word for line in lines for word in ("-ex", line)]
        said = subprocess.run(
            ["gdb", "-nx", "-batch", *commands, str(kernel.vmlinux)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        theirs = spoken(said)
        last = [name for name, _, _ in frames].index("do_syscall_64")
        assert theirs[: last + 1] == [name for name, _, _ in frames][: last + 1]
        assert "in sysrq_handle_crash" in said


def test_a_session_on_a_stub_that_somebody_else_opened(
    make_vm: MakeVm, kernel: kdev.KernelArtifact, tmp_path: Path
) -> None:
    with make_vm() as vm:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        for stub, device in [
            (f"127.0.0.1:{port}", f"tcp:127.0.0.1:{port}"),
            (str(tmp_path / "s"), f"unix:{tmp_path / 's'},server=on,wait=off"),
        ]:
            serve(vm, device)
            with kdev.DebugSession.attach(stub, kernel) as dbg:
                assert dbg.evaluate("init_task.comm").startswith('"swapper')
                dbg.break_at("__x64_sys_newuname", once=True)
                job = vm.spawn("uname -r")
                assert dbg.wait(timeout=60).frame.function == "__x64_sys_newuname"
            assert job.wait().stdout.strip() == kernel.release
            serve(vm, "none")


def test_a_session_goes_on_while_commands_run(make_vm: MakeVm) -> None:
    with make_vm(cpus=2) as vm:
        with vm.debug() as dbg:
            dbg.resume()
            assert dbg.running
            assert vm.run("echo up").stdout == "up\n"
            began = time.monotonic()
            with pytest.raises(kdev.TimeoutError):
                dbg.wait(timeout=0.3)
            assert time.monotonic() - began < 20
            assert dbg.running
            busy = vm.spawn("while :; do :; done")
            before = int(dbg.evaluate("jiffies_64"))
            time.sleep(0.2)
            assert int(dbg.evaluate("jiffies_64")) > before
            assert dbg.interrupt().reason == "signal-received"
        busy.kill()
        assert vm.run("echo up").stdout == "up\n"


def test_a_panic_under_the_debugger_is_a_crash(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        with vm.debug() as dbg:
            dbg.break_at("panic", once=True)
            job = vm.spawn("echo c > /proc/sysrq-trigger")
            stop = dbg.wait(timeout=60)
            assert stop.frame.function == "panic"
            assert "sysrq_handle_crash" in functions(dbg.backtrace())
            dbg.resume()
            crash = vm.wait_crash(timeout=60)
            assert crash is not None
            assert crash.title == "panic: sysrq triggered crash" or "sysrq" in crash.title
            del job


def events_until(dbg: kdev.DebugSession, enough: Callable[[list[object]], bool], limit: float = 60) -> list[object]:
    events: list[object] = []
    end = time.monotonic() + limit
    while not enough(events):
        assert time.monotonic() < end, events
        events += dbg.events(timeout=1)
    return events


def test_what_happens_is_told_in_order(make_vm: MakeVm, module: kdev.ModuleArtifact) -> None:
    name = debug_module.NAME
    with make_vm(modules=[module]) as vm:
        with vm.debug() as dbg:
            dbg.events()
            began = time.monotonic()
            assert dbg.events(timeout=0.5) == []
            assert time.monotonic() - began >= 0.5
            init = dbg.break_at("probe_init", pending=True)
            dbg.resume()
            assert [str(e) for e in dbg.events() if isinstance(e, kdev.DebugResumed)] == ["goes on: -exec-continue"]
            # What a call stops the kernel for is no event.
            dbg.evaluate("jiffies")
            assert not [e for e in dbg.events() if isinstance(e, kdev.DebugStopped | kdev.DebugResumed)]
            job = vm.spawn(f"insmod /m/{name}.ko; rmmod {name}")
            events = events_until(dbg, lambda seen: any(isinstance(e, kdev.DebugStopped) for e in seen))
            modules = [i for i, e in enumerate(events) if isinstance(e, kdev.DebugModule)]
            assert [str(events[i]) for i in modules] == [f"module {module.name} loaded"]
            changes = [e.breakpoint for e in events if isinstance(e, kdev.DebugBreakpointChanged)]
            assert {b.number for b in changes} == {init.number}
            assert changes[-1].hits == 1 and not changes[-1].pending
            stopped = events[-1]
            assert isinstance(stopped, kdev.DebugStopped) and modules[0] < len(events) - 1
            assert stopped.stop.frame.function == "probe_init"
            assert re.fullmatch(rf"stopped: breakpoint-hit in probe_init at .*{name}.c:\d+", str(stopped))
            # The same stop is what wait() gives: it does not run on.
            assert dbg.wait(timeout=5) == stopped.stop == dbg.stopped
            dbg.clear(init)
            dbg.resume()
            assert job.wait(timeout=60).exit_code == 0
            events = events_until(dbg, lambda seen: any(isinstance(e, kdev.DebugModule) for e in seen))
            assert [(e.name, e.loaded) for e in events if isinstance(e, kdev.DebugModule)] == [(module.name, False)]
            os.kill(vm.pid, signal.SIGKILL)
            lost = events_until(dbg, lambda seen: any(isinstance(e, kdev.DebugTargetLost) for e in seen))
            assert str(lost[-1]).startswith("lost: ")


def test_what_stands_still_is_never_let_run(make_vm: MakeVm, guest_name: str, tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp())  # a socket's path has to be short
    try:
        with make_vm(qemu_args=qemu_monitor.Events.arguments(folder / "qmp")) as vm:
            assert vm.run("echo c > /proc/sysrq-trigger").crash is not None
            events = qemu_monitor.Events(folder / "qmp")
            with vm.debug() as dbg:
                dbg.break_at("vprintk_emit")
            with vm.debug() as dbg:
                assert dbg.pid is not None
                dbg.break_at("vprintk_emit")
                os.kill(dbg.pid, signal.SIGKILL)
            with kdev.debug_running(kdev.running_vms(tmp_path / "run")[0]) as other:
                assert "panic" in functions(other.backtrace())
            assert vm.qmp("query-status")["running"] is False
            assert "RESUME" not in events.names
            # No breakpoint is in its code: it reads as the file does.
            with vm.debug() as dbg:
                assert not dbg.breakpoints
                assert dbg.disassemble("vprintk_emit")[0].text.split()[0] != "int3"
            events.close()
    finally:
        shutil.rmtree(folder)


def kdev_debug(*arguments: str, script: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kdev", "debug", *arguments], input=script, capture_output=True, text=True, timeout=120
    )


def test_a_gdb_to_type_at(make_vm: MakeVm, guest_name: str, tmp_path: Path, module: kdev.ModuleArtifact) -> None:
    with make_vm(modules=[module]) as vm:
        vm.run(f"insmod /m/{debug_module.NAME}.ko", check=True)
        running = kdev.running_vms(tmp_path / "run")
        assert [(one.name, one.directory) for one in running] == [(guest_name, vm.directory)]
        # Another process, which has but the VM's name.
        script = "bt\np probe_counter\np $kdev_none\ninfo symbol probe_poke\nquit\n"
        done = kdev_debug(guest_name, "--run-dir", str(tmp_path / "run"), script=script)
        assert done.returncode == 0, done.stderr
        assert " = 4\n" in done.stdout
        assert "do_idle" in done.stdout
        assert "probe_poke in section .text" in done.stdout
        assert vm.run("echo up").stdout == "up\n"
        assert not (vm.directory / "gdb.sock").exists()

        # One that stands still does so afterwards.
        vm.run("echo c > /proc/sysrq-trigger")
        assert vm.qmp("query-status")["running"] is False
        done = kdev_debug(guest_name, "--run-dir", str(tmp_path / "run"), script="bt\ndisconnect\nquit\n")
        assert "sysrq_handle_crash" in done.stdout
        assert vm.qmp("query-status")["running"] is False

        nobody = kdev_debug("no-such-vm", "--run-dir", str(tmp_path / "run"))
        assert nobody.returncode == 2
        assert guest_name in nobody.stderr


def test_a_dump_and_an_editor(make_vm: MakeVm, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    with make_vm() as vm:
        vm.run("echo c > /proc/sysrq-trigger")
        vm.core().write_elf(tmp_path / "core")
        done = kdev_debug(str(tmp_path / "core"), "--vmlinux", str(kernel.vmlinux), script="bt\nquit\n")
        assert done.returncode == 0, done.stderr
        assert "sysrq_handle_crash" in done.stdout
        with vm.debug() as dbg:
            command = dbg.hand_over()
            entry, adapter = launch_json(command, "vm")["configurations"]
            assert entry["program"] == str(kernel.vmlinux)
            assert adapter["debuggerArgs"] == command.argv[1:]
            # What the editor does, by hand.
            lines = [step["text"] for step in entry["customLaunchSetupCommands"]] + ["-stack-list-frames", "-gdb-exit"]
            said = subprocess.run(
                [entry["miDebuggerPath"], entry["miDebuggerArgs"], "--interpreter=mi", entry["program"]],
                input="\n".join(lines) + "\n",
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            ).stdout
            assert 'func="sysrq_handle_crash"' in said
            with pytest.raises(kdev.DebugError, match="closed"):
                dbg.backtrace()
        assert vm.qmp("query-status")["running"] is False


def test_frames_of_assembly_code_hide_no_module(make_vm: MakeVm, module: kdev.ModuleArtifact) -> None:
    with make_vm(modules=[module]) as vm:
        with vm.debug() as dbg:
            there = dbg.break_at("do_sys_openat2", once=True)
            job = vm.spawn("cat /proc/version")
            assert dbg.wait(timeout=60).breakpoint == there.number
            frames = dbg.backtrace(variables=True)
            assert frames[0].context[frames[0].line - frames[0].context_begin].strip() == frames[0].source
            assert {"op", "fd", "tmp"} <= set(variables(frames[0].locals))
            assert not set(variables(frames[0].locals)) & set(variables(frames[0].args))
            # The outermost one is assembly code.
            assert dbg.evaluate("1 + 1", frame=frames[-1].level) == "2"
            assert dbg.execute("frame").startswith("#0")
            assert dbg.disassemble().current == frames[0].address
            init = dbg.break_at("probe_init", pending=True, once=True)
            dbg.resume()
            job.wait(timeout=60)
            job = vm.spawn(f"insmod /m/{debug_module.NAME}.ko")
            assert dbg.wait(timeout=60).breakpoint == init.number
            dbg.resume()
            assert job.wait(timeout=60).exit_code == 0
