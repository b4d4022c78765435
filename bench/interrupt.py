"""How long after Ctrl-C a blocking call has cleaned up and raised KeyboardInterrupt."""

from __future__ import annotations

import os
import pathlib
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable

import frame
import kdev
import subject
from frame import Measured

ROUNDS = 7
LIMIT = 0.5


def interrupted(call: Callable[[threading.Event], object]) -> float:
    """Seconds from SIGINT to KeyboardInterrupt. The call says by the event when it is where it should be hit."""
    there = threading.Event()
    over = threading.Event()
    sent: list[float] = []

    def send() -> None:
        there.wait()
        # Past the call's beginning, at no particular point of its loops.
        if not over.wait(0.3 + 0.037 * (time.perf_counter_ns() % 7)):
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        call(there)
    except KeyboardInterrupt:
        taken = time.perf_counter() - sent[0]
    else:
        raise RuntimeError("the call ended before it was interrupted")
    finally:
        over.set()
        there.set()
        sender.join()
    return taken


def median(call: Callable[[threading.Event], object]) -> Measured:
    samples = [interrupted(call) for _ in range(ROUNDS)]
    return Measured(statistics.median(samples), LIMIT, [f"the slowest of {ROUNDS}: {max(samples):.3f} s"])


def interrupt_figure(name: str, what: str) -> Callable[[frame.Measurement], frame.Measurement]:
    return frame.figure(
        name=f"interrupt/{name}",
        what=f"Ctrl-C in {what} until KeyboardInterrupt, median",
        against=f"a limit of {LIMIT} s",
        unit="s",
        bar=1,
    )


@interrupt_figure("run", "vm.run()")
def in_run() -> Measured:
    with kdev.VM(kernel=subject.kernel(), memory=subject.MEMORY) as vm:

        def run(there: threading.Event) -> None:
            there.set()
            vm.run("sleep 60", timeout=120)

        return median(run)


@interrupt_figure("boot", "VM.start()")
def in_boot() -> Measured:
    # Under KVM a guest may be up before the signal comes: in this one the agent is never started.
    image = kdev.SeedImage.busybox().add_content("#!/bin/sh\nwhile :; do sleep 60; done\n", "/other", 0o755)

    def boot(there: threading.Event) -> None:
        vm = kdev.VM(kernel=subject.kernel(), image=image, cmdline="rdinit=/other", boot_timeout=120)
        there.set()
        vm.start()

    return median(boot)


@interrupt_figure("build", "ws.build(), while it compiles")
def in_build() -> Measured:
    with tempfile.TemporaryDirectory(prefix="kdev-bench-") as folder:
        workspace = kdev.Workspace(pathlib.Path(folder) / "ws", source=subject.source())

        def build(there: threading.Event) -> None:
            def watch(event: kdev.Event) -> None:
                if isinstance(event, kdev.Progress) and event.stage == "build":
                    there.set()

            workspace.build(kdev.KernConf.tiny(workspace), on_event=watch)

        return median(build)
