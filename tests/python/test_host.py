"""Programs on this machine, callbacks, threads."""

from __future__ import annotations

import signal
from pathlib import Path

import kdev
import pytest


@pytest.fixture
def host() -> kdev.Host:
    return kdev.local_host()


def test_streams_and_codes(host: kdev.Host, tmp_path: Path) -> None:
    r = host.run(["sh", "-c", "printf out; printf err >&2; pwd; exit 3"], cwd=tmp_path)
    assert (r.stdout, r.stderr) == (f"out{tmp_path}\n", "err")
    assert (r.status.code, r.status.signal, r.ok) == (3, None, False)
    r = host.run(["sh", "-c", "kill -9 $$"])
    assert (r.status.code, r.status.signal) == (None, signal.SIGKILL)
    assert "SIGKILL" in str(r.status)


def test_input_and_environment(host: kdev.Host) -> None:
    r = host.run(["sh", "-c", 'cat; printf "$KDEV_X"'], input=b"\0\xff", env={"KDEV_X": "42"})
    assert r.stdout_bytes == b"\0\xff42"
    assert r.stdout == "\0�42"


def test_line_callbacks(host: kdev.Host) -> None:
    out: list[str] = []
    err: list[str] = []
    host.run(["sh", "-c", "echo a; echo b; echo c >&2"], on_stdout=out.append, on_stderr=err.append)
    assert (out, err) == (["a", "b"], ["c"])


def test_a_callbacks_exception_ends_the_call(host: kdev.Host) -> None:
    class Own(Exception):
        pass

    seen = []

    def callback(line: str) -> None:
        seen.append(line)
        raise Own(line)

    with pytest.raises(Own, match="one"):
        host.run(["sh", "-c", "echo one; echo two; sleep 60"], on_stdout=callback, timeout=30)
    assert seen == ["one"]


def test_which(host: kdev.Host) -> None:
    assert host.which("sh") is not None
    assert host.which("kdev-has-no-such-program") is None
    assert host.cpu_count > 0 and host.memory_available > 0 and host.is_local
