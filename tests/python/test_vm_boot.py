"""Real guests: commands, files, jobs, crashes, reboots."""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm, assert_nothing_left, processes_naming, wait_until

pytestmark = pytest.mark.boot


def test_run(vm: kdev.VM, kernel: kdev.KernelArtifact) -> None:
    r = vm.run("uname -r; ls /nope")
    assert r.stdout == kernel.release + "\n"
    assert "/nope" in r.stderr and "/nope" not in r.stdout
    assert r.exit_code not in (0, None) and r.signal is None and not r.ok and r.crash is None
    assert 0 < r.guest_duration <= r.duration
    assert vm.state == "ready" and vm.kernel == kernel and vm.pid is not None


def test_argument_vector(vm: kdev.VM) -> None:
    assert vm.run(["printf", "%s|", "a b", "$HOME", "*"]).stdout == "a b|$HOME|*|"


def test_binary_output(vm: kdev.VM) -> None:
    every_byte = bytes(range(256))
    r = vm.run("cat; cat /nope", input=every_byte)
    assert r.stdout_bytes == every_byte
    assert r.stdout == every_byte.decode(errors="replace")


def test_kernel_messages_do_not_get_into_results(vm: kdev.VM) -> None:
    r = vm.run('for i in 1 2 3; do echo $i; echo "<0>kdev noise $i" > /dev/kmsg; done')
    assert r.stdout == "1\n2\n3\n"
    assert "kdev noise 2" in r.console and "kdev noise 2" in vm.console


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_codes(vm: kdev.VM, code: int) -> None:
    r = vm.run(f"exit {code}")
    assert (r.exit_code, r.signal, r.ok) == (code, None, code == 0)


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_signals(vm: kdev.VM, signo: signal.Signals) -> None:
    r = vm.run(f"kill -{int(signo)} $$")
    assert (r.exit_code, r.signal) == (None, signo)


def test_environment_and_folder(vm: kdev.VM) -> None:
    r = vm.run("pwd; echo $KDEV_X", cwd="/tmp", env={"KDEV_X": "a b"})
    assert r.stdout == "/tmp\na b\n"


def test_timeout_kills_the_command(vm: kdev.VM) -> None:
    r = vm.run("echo before; sleep 1000; echo after", timeout=0.5)
    assert r.timed_out and not r.ok and r.stdout == "before\n" and r.exit_code is None
    assert "sleep 1000" not in vm.run("ps").stdout
    assert vm.state == "ready"


def test_check(vm: kdev.VM) -> None:
    with pytest.raises(kdev.GuestError, match="exit code 3"):
        vm.run("exit 3", check=True)
    assert vm.run("true", check=True).ok


def test_output_limit(vm: kdev.VM) -> None:
    r = vm.run("head -c 100000 /dev/zero", output_limit=1000)
    assert r.truncated and len(r.stdout_bytes) == 1000 and r.stdout_size == 100000


def test_100_megabytes(vm: kdev.VM) -> None:
    size = 100 << 20
    r = vm.run(f"head -c {size} /dev/zero", timeout=300)
    assert r.ok and r.stdout_size == size
    assert hashlib.sha256(r.stdout_bytes).digest() == hashlib.sha256(bytes(size)).digest()


def test_spawn(vm: kdev.VM) -> None:
    with vm.spawn("while read x; do echo got $x; done; echo end >&2") as job:
        assert job.running
        job.write("one\n")
        seen = bytearray()

        def got_it() -> bool:
            seen.extend(job.read_stdout())
            return bytes(seen) == b"got one\n"

        assert wait_until(got_it, 30)
        job.write(b"two\n")
        job.close_input()
        r = job.wait(timeout=30)
    assert (r.stdout, r.stderr, r.exit_code) == ("got one\ngot two\n", "end\n", 0)


def test_job_signal_and_kill(vm: kdev.VM) -> None:
    job = vm.spawn("trap 'echo hup; exit 5' HUP; echo up; while :; do sleep 0.05; done")
    seen = bytearray()
    assert wait_until(lambda: seen.extend(job.read_stdout()) or b"up\n" in seen, 30)
    job.signal(signal.SIGHUP)
    r = job.wait(timeout=30)
    assert r.exit_code == 5 and r.stdout.endswith("hup\n")
    killed = vm.spawn("sleep 4321")
    assert not killed.wait_output(timeout=0.05)
    killed.kill()
    assert killed.wait_output() and not killed.running
    assert killed.wait(timeout=30).signal == signal.SIGKILL
    assert wait_until(lambda: "sleep 4321" not in vm.run("ps").stdout, 30)
    dropped = vm.spawn("sleep 5432")
    del dropped
    gc.collect()
    assert wait_until(lambda: "sleep 5432" not in vm.run("ps").stdout, 30)


def test_many_threads(vm: kdev.VM) -> None:
    def work(i: int) -> str:
        return vm.run(f"sleep 0.0{i % 5}; echo {i}; echo e{i} >&2").stdout

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [f"{i}\n" for i in range(40)]


def test_push_and_pull(vm: kdev.VM, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    content = os.urandom(3 << 20)
    (tree / "big").write_bytes(content)
    (tree / "sub" / "run.sh").write_text("#!/bin/sh\necho ran $1\n")
    (tree / "sub" / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("big")
    vm.push(tree, "/tmp/tree")
    assert vm.run(["/tmp/tree/sub/run.sh", "x"]).stdout == "ran x\n"
    assert vm.run("sha256sum < /tmp/tree/big").stdout.split()[0] == hashlib.sha256(content).hexdigest()
    vm.pull("/tmp/tree", tmp_path / "back")
    assert (tmp_path / "back" / "big").read_bytes() == content
    assert (tmp_path / "back" / "sub" / "run.sh").stat().st_mode & 0o777 == 0o755
    vm.write_file("/tmp/small", b"\0\xff", mode=0o600)
    assert vm.read_file("/tmp/small") == b"\0\xff"
    assert vm.run("stat -c %a /tmp/small").stdout == "600\n"
    with pytest.raises(kdev.GuestError):
        vm.read_file("/nope")
    with pytest.raises(kdev.HostError):
        vm.push(tmp_path / "nope", "/tmp/x")


def test_notebook_views(vm: kdev.VM) -> None:
    r = vm.run("echo '<b>'; exit 2")
    page = r._repr_html_()
    assert "&lt;b&gt;" in page and "exit code 2" in page
    assert pickle.loads(pickle.dumps(r)) == r


def test_wait_console(vm: kdev.VM) -> None:
    start = len(vm.console_bytes)
    job = vm.spawn("sleep 0.2; echo '<0>kdev marker 17' > /dev/kmsg")
    assert "kdev marker 17" in vm.wait_console(r"marker \d+", start=start, timeout=30)
    assert job.wait().ok
    with pytest.raises(TimeoutError):
        vm.wait_console("never shown", timeout=0.2)
    assert "kdev marker 17" in vm.console_log.read_text(errors="replace")


def test_qmp(vm: kdev.VM) -> None:
    assert vm.qmp("query-status")["status"] == "running"


def test_lkdtm(make_vm: MakeVm, ws: kdev.Workspace) -> None:
    """Several crashes that the guest survives, each a report with file and line."""
    with make_vm(cpus=2) as vm:
        for name, line in (("WARNING", "WARN_ON"), ("BUG", "BUG()"), ("EXCEPTION", "volatile int *) 0) = 0")):
            crash = vm.run(f"echo {name} > /sys/kernel/debug/provoke-crash/DIRECT").crash
            assert crash is not None, name
            assert crash.function == f"lkdtm_{name}" and f"lkdtm_{name}" in crash.title
            guilty = crash.guilty
            assert guilty is not None and guilty.file == "drivers/misc/lkdtm/bugs.c"
            assert line in guilty.source
            text = (ws.source / guilty.file).read_text().splitlines()[guilty.line - 1]
            assert text.strip() == guilty.source
            assert vm.state == "ready"
        assert vm.run("echo still here").stdout == "still here\n"
        assert [crash.function for crash in vm.crashes()] == ["lkdtm_WARNING", "lkdtm_BUG", "lkdtm_EXCEPTION"]


def test_sysrq_panic(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        r = vm.run("echo c > /proc/sysrq-trigger")
        crash = r.crash
        assert crash is not None and r.exit_code is None and not r.ok
        assert crash.title == "kernel panic: sysrq triggered crash" and crash.panicked
        assert crash.guilty is not None and crash.guilty.file == "drivers/tty/sysrq.c"
        assert "panic(" in crash.guilty.source
        assert vm.state == "crashed"
        with pytest.raises(kdev.GuestError, match="crashed"):
            vm.run("true")


def test_reboot(make_vm: MakeVm, kernel: kdev.KernelArtifact) -> None:
    with make_vm() as vm:
        vm.run("touch /tmp/before")
        vm.install(kernel)
        result = vm.reboot()
        assert result.kernel.build_id == kernel.build_id and not result.fell_back
        assert not vm.run("ls /tmp/before").ok
        assert vm.state == "ready"


def test_reboot_after_a_crash(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        assert vm.run("echo c > /proc/sysrq-trigger").crash is not None
        vm.reboot()
        assert vm.run("echo back").stdout == "back\n"


def test_events_and_states(make_vm: MakeVm) -> None:
    events: list[kdev.Event] = []
    threads = set()

    def sink(event: kdev.Event) -> None:
        events.append(event)
        threads.add(threading.get_ident())

    with make_vm(on_event=sink) as vm:
        vm.run("echo '<0>kdev line' > /dev/kmsg")
    states = [event.to_state for event in events if isinstance(event, kdev.VmStateChanged)]
    assert states == ["booting", "ready", "stopped"]
    assert threads == {threading.get_ident()}, "events come on the caller's thread only"


def test_what_a_sink_raises_reaches_the_caller(make_vm: MakeVm) -> None:
    class Own(Exception):
        pass

    def sink(event: kdev.Event) -> None:
        if isinstance(event, kdev.VmStateChanged) and event.to_state == "booting":
            raise Own

    with pytest.raises(Own):
        make_vm(on_event=sink).start()


def test_close_leaves_nothing(make_vm: MakeVm, tmp_path: Path, guest_name: str) -> None:
    vm = make_vm()
    vm.start()
    pid, folder = vm.pid, vm.directory
    assert pid is not None and folder.exists()
    assert folder.stat().st_mode & 0o077 == 0
    vm.close()
    assert not Path(f"/proc/{pid}").exists()
    assert vm.state == "stopped" and vm.pid is None
    vm.close()
    assert_nothing_left(tmp_path / "run", guest_name)
    with pytest.raises(kdev.GuestError):
        vm.run("true")


def test_close_while_another_thread_runs_a_command(make_vm: MakeVm) -> None:
    """The command's caller is told, and nobody waits for ever."""
    vm = make_vm()
    vm.start()
    caught: list[BaseException] = []
    begun = threading.Event()

    def work() -> None:
        begun.set()
        try:
            vm.run("sleep 777", timeout=300)
        except kdev.Error as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    time.sleep(0.3)
    vm.close()
    thread.join(60)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_forgotten_vms_end_with_the_interpreter(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    (tmp_path / "kernel.json").write_text(kernel.to_json())
    script = textwrap.dedent(
        """
        import sys, kdev
        kernel = kdev.KernelArtifact.from_json(open(sys.argv[1]).read())
        vm = kdev.VM(kernel=kernel, run_dir=sys.argv[2], name=sys.argv[3])
        vm.start()
        print(vm.pid, flush=True)
        job = vm.spawn("sleep 1000")
        """
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "kernel.json"), str(tmp_path / "run"), guest_name]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not Path(f"/proc/{int(done.stdout)}").exists()
    assert_nothing_left(tmp_path / "run", guest_name)


def test_a_killed_owner_is_reaped(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    """SIGKILL for the Python process: the next one that opens the folder ends what it left."""
    (tmp_path / "kernel.json").write_text(kernel.to_json())
    script = textwrap.dedent(
        """
        import os, signal, sys, kdev
        kernel = kdev.KernelArtifact.from_json(open(sys.argv[1]).read())
        vm = kdev.VM(kernel=kernel, run_dir=sys.argv[2], name=sys.argv[3])
        vm.start()
        print(vm.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "kernel.json"), str(tmp_path / "run"), guest_name]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL
    orphan = int(done.stdout)
    assert orphan in processes_naming(guest_name)
    try:
        with kdev.VM(kernel=kernel, run_dir=tmp_path / "run") as vm:
            assert vm.run("true").ok
            assert not processes_naming(guest_name)
    finally:
        for pid in processes_naming(guest_name):  # a failing test leaves nothing either
            os.kill(pid, signal.SIGKILL)
    assert_nothing_left(tmp_path / "run", guest_name)


def test_a_forked_child_does_no_harm(make_vm: MakeVm) -> None:
    with make_vm() as vm:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                vm.run("true")
            except kdev.HostError:
                status = 0
            del vm
            gc.collect()
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert vm.run("echo alive").stdout == "alive\n"
