"""How long a command takes that does nothing: as its caller sees it, and the share outside the guest."""

from __future__ import annotations

import functools
import statistics
import time

import frame
import kdev
import subject
from frame import Measured

CALLS = 200


@functools.cache
def medians() -> tuple[float, float]:
    """Milliseconds: the whole call, and the part of it outside the guest."""
    whole: list[float] = []
    outside: list[float] = []
    with kdev.VM(kernel=subject.kernel(), image=kdev.SeedImage.busybox(), memory=subject.MEMORY) as vm:
        for _ in range(20):
            vm.run("true")
        for _ in range(CALLS):
            begin = time.perf_counter()
            result = vm.run("true")
            taken = time.perf_counter() - begin
            if result.exit_code != 0:
                raise RuntimeError(f"`true` ended with {result.exit_code} in the guest")
            whole.append(taken * 1000)
            outside.append((taken - result.guest_duration) * 1000)
    return statistics.median(whole), statistics.median(outside)


@frame.figure(name="run/round-trip", what='vm.run("true"), median', against="a limit of 10 ms", unit="ms", bar=1)
def round_trip() -> Measured:
    return Measured(medians()[0], 10.0)


@frame.figure(name="run/outside", what="of it, outside the guest", against="a limit of 1 ms", unit="ms", bar=1)
def outside_guest() -> Measured:
    return Measured(medians()[1], 1.0)
