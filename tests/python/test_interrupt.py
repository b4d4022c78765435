"""Ctrl-C ends a blocking call soon, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from pathlib import Path

import kdev
import pytest
from conftest import ctrl_c, processes_naming, wait_until
from fake_tree import stuck_tree

# The promise is half a second; a loaded machine gets more before the test says that it does not hold at all.
SOON = 5.0


def test_host_run() -> None:
    marker = f"kdev-sleeper-{uuid.uuid4().hex}"
    argv = ["bash", "-c", f"exec -a {marker} sleep 300"]
    with ctrl_c(when=lambda: bool(processes_naming(marker))) as sent:
        with pytest.raises(KeyboardInterrupt):
            kdev.local_host().run(argv)
    assert time.monotonic() - sent[0] < SOON
    assert wait_until(lambda: not processes_naming(marker))


def test_build(tmp_path: Path) -> None:
    marker = f"kdev-make-{uuid.uuid4().hex}"
    ws = kdev.Workspace(tmp_path / "ws", source=stuck_tree(tmp_path / "tree", marker))
    with ctrl_c(when=lambda: bool(processes_naming(marker))) as sent:
        with pytest.raises(KeyboardInterrupt):
            ws.build(kdev.KernConf.tiny(ws))
    assert time.monotonic() - sent[0] < SOON
    assert wait_until(lambda: not processes_naming(marker))
    # The lock went with it: the next build gets as far as the last one.
    with pytest.raises(TimeoutError):
        ws.build(kdev.KernConf.tiny(ws), timeout=2)
    assert wait_until(lambda: not processes_naming(marker))
    assert not processes_naming(str(tmp_path))


def test_a_handlers_own_exception_comes_out() -> None:
    class Alarm(Exception):
        pass

    def ring(signo: int, frame: object) -> None:
        raise Alarm(signo)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm):
            kdev.local_host().run(["sleep", "300"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_handler_that_returns_lets_the_call_go_on() -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda signo, frame: rung.append(signo))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert kdev.local_host().run(["sleep", "0.5"]).ok
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rung == [signal.SIGALRM]


def test_other_threads_are_not_interrupted() -> None:
    results: list[kdev.ProcessResult] = []
    thread = threading.Thread(target=lambda: results.append(kdev.local_host().run(["sleep", "0.6"])))
    thread.start()
    with ctrl_c(0.1), pytest.raises(KeyboardInterrupt):
        kdev.local_host().run(["sleep", "300"])
    thread.join()
    assert results[0].ok


def test_a_callback_may_call_kdev() -> None:
    inner = []

    def callback(line: str) -> None:
        inner.append(kdev.local_host().run(["echo", line]).stdout)

    assert kdev.local_host().run(["echo", "x"], on_stdout=callback).ok
    assert inner == ["x\n"]


def test_a_script_dies_of_the_signal() -> None:
    script = textwrap.dedent(
        """
        import kdev
        kdev.local_host().run(["sh", "-c", "echo up; sleep 300"], on_stdout=lambda line: print(line, flush=True))
        """
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        os.kill(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in err
