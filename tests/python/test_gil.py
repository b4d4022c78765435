"""A call that waits, for a program, a file or a guest, lets other threads run."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import kdev
import pytest
from conftest import assert_nothing_left, wait_until

LIST = "dir /a 755 0 0\n"
CONFIG = "CONFIG_NET=y\n"


def test_programs() -> None:
    # Each waits for the other: with the GIL held, neither could go on.
    done = threading.Barrier(2, timeout=30)

    def work() -> None:
        kdev.local_host().run(["sleep", "0.2"])
        done.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not done.broken


@pytest.mark.parametrize(
    ("call", "content"),
    [
        ("kdev.SeedImage.list(file)", LIST),
        ("kdev.SeedImage.initramfs(file)", LIST),
        ("kdev.SeedImage.archive(file)", ""),
        ("kdev.list_archive(file)", ""),
        ("kdev.KernConf.file(file)", CONFIG),
        ("kdev.KernConf.tiny().fragment(file)", CONFIG),
        ("kdev.lookup_symbol(file, 'ff')", "ffffffff81000000 T _stext\n"),
        ("kdev.read_build_id(file)", ""),
    ],
)
def test_files(tmp_path: Path, call: str, content: str) -> None:
    """What is read is a pipe that a thread of the same interpreter fills: one that never gets the GIL never does."""
    script = textwrap.dedent(
        f"""
        import os, sys, threading
        import kdev
        file = sys.argv[1]

        def fill():
            while True:
                try:
                    with open(file, "w") as pipe:
                        pipe.write({content!r})
                except BrokenPipeError:
                    pass  # closed again unread: it may be opened once more

        threading.Thread(target=fill, daemon=True).start()
        try:
            {call}
        except kdev.Error:
            pass  # a pipe is not all that the call may want
        print("went on", flush=True)
        os._exit(0)
        """
    )
    os.mkfifo(tmp_path / "pipe")
    argv = [sys.executable, "-c", script, str(tmp_path / "pipe")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.stdout == "went on\n", done.stderr


@pytest.mark.boot
def test_a_forgotten_vm(
    kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped without close(). Its QEMU ends only when a thread of this interpreter lets it."""
    gone, gate, qemu = tmp_path / "gone", tmp_path / "gate", tmp_path / "qemu"
    os.mkfifo(gate)
    qemu.write_text(
        f"""#!/bin/bash
        [[ "$*" == *{guest_name}* ]] || exec qemu-system-x86_64 "$@"
        qemu-system-x86_64 "$@"
        echo > {gone}
        read < {gate}
        """
    )
    qemu.chmod(0o755)
    monkeypatch.setenv("KDEV_QEMU", str(qemu))
    let_go: list[bool] = []

    def open_gate() -> None:
        if wait_until(gone.exists, 120):
            let_go.append(True)
            gate.write_text("\n")

    vm = kdev.VM(kernel=kernel, run_dir=tmp_path / "run", name=guest_name, close_timeout=60)
    vm.start()
    thread = threading.Thread(target=open_gate)
    thread.start()
    del vm
    by_the_thread = bool(let_go)
    subprocess.run(["bash", "-c", f": <> {gate}"], check=True)  # a failing test does not wait for a reader
    thread.join()
    assert by_the_thread
    assert_nothing_left(tmp_path / "run", guest_name)
