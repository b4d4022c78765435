"""Ctrl-C ends a blocking call and leaves nothing behind. How soon is measured by bench/interrupt.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import uuid
from pathlib import Path

import kdev
import pytest
from conftest import ctrl_c, processes_naming, wait_until
from fake_tree import stuck_tree


@pytest.fixture
def marker() -> str:
    """What a program is named that no other test runs."""
    return f"kdev-{uuid.uuid4().hex}"


def sleeper(marker: str) -> list[str]:
    return ["bash", "-c", f"exec -a {marker} sleep 300"]


def test_host_run(marker: str) -> None:
    with ctrl_c(lambda: bool(processes_naming(marker))), pytest.raises(KeyboardInterrupt):
        kdev.local_host().run(sleeper(marker))
    assert wait_until(lambda: not processes_naming(marker))


def test_build(tmp_path: Path, marker: str) -> None:
    ws = kdev.Workspace(tmp_path / "ws", source=stuck_tree(tmp_path / "tree", marker))
    with ctrl_c(lambda: bool(processes_naming(marker))), pytest.raises(KeyboardInterrupt):
        ws.build(kdev.KernConf.tiny(ws))
    assert wait_until(lambda: not processes_naming(marker))
    # The lock went with it: the next build gets as far as the last one.
    with pytest.raises(TimeoutError):
        ws.build(kdev.KernConf.tiny(ws), timeout=2)
    assert wait_until(lambda: not processes_naming(marker))
    assert not processes_naming(str(tmp_path))


def big_image(folder: Path) -> kdev.SeedImage:
    """Gigabytes of zeros, which take no room and long to read."""
    image = kdev.SeedImage.from_entries([])
    for number in range(30):
        with (folder / f"big{number}").open("wb") as file:
            file.truncate(4_000_000_000)
        image = image.add_file(folder / f"big{number}", f"/big{number}")
    return image


def test_image_write(tmp_path: Path) -> None:
    image = big_image(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    with ctrl_c(lambda: any(out.iterdir())), pytest.raises(KeyboardInterrupt):
        image.compress("zstd").write(out / "image")
    assert not list(out.iterdir())


def test_image_realize(tmp_path: Path) -> None:
    image = big_image(tmp_path)
    out = tmp_path / "out"
    reads = Path("/proc/self/io")

    def read_bytes() -> int:
        return int(reads.read_text().split()[1])

    begin = read_bytes()
    with ctrl_c(lambda: read_bytes() > begin + (100 << 20)), pytest.raises(KeyboardInterrupt):
        image.realize(out)
    assert not out.exists() or not list(out.iterdir())


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


def test_other_threads_are_not_interrupted(tmp_path: Path, marker: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    results: list[kdev.ProcessResult] = []
    thread = threading.Thread(target=lambda: results.append(kdev.local_host().run(["cat", str(tmp_path / "pipe")])))
    thread.start()
    both = (marker, str(tmp_path / "pipe"))
    with ctrl_c(lambda: all(map(processes_naming, both))), pytest.raises(KeyboardInterrupt):
        kdev.local_host().run(sleeper(marker))
    (tmp_path / "pipe").write_text("it reads on")
    thread.join()
    assert results[0].stdout == "it reads on"


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
