"""Cold boot to the first command's result: against the bare QEMU line and virtme-ng, in one run."""

from __future__ import annotations

import functools
import pathlib
import subprocess
import tempfile
import time
from dataclasses import dataclass

import frame
import kdev
import subject
from frame import Measured, PeerMissing

ROUNDS = 5

# An init that does nothing but say that it is there and power off: no libc, no mounts.
INIT = r"""
#include <sys/reboot.h>
#include <unistd.h>
int main(void) {
  write(1, "hand-init-is-here\n", 18);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
"""


def boot_with_kdev() -> float:
    begin = time.perf_counter()
    with kdev.VM(kernel=subject.virtme_kernel(), image=kdev.SeedImage.busybox(), memory=subject.MEMORY) as vm:
        result = vm.run("true")
        taken = time.perf_counter() - begin
        if result.exit_code != 0:
            raise RuntimeError(f"`true` ended with {result.exit_code} in the guest")
    return taken


def qemu_line() -> list[str]:
    """The argument vector that kdev starts QEMU with."""
    with kdev.VM(kernel=subject.virtme_kernel(), image=kdev.SeedImage.busybox(), memory=subject.MEMORY) as vm:
        return list(vm.command_line())


def by_hand(line: list[str], initrd: pathlib.Path, console: pathlib.Path) -> list[str]:
    """The same line with another init; kdev's sockets become a file for the console, and nothing."""
    made: list[str] = []
    words = iter(line)
    for word in words:
        if word in ("-name", "-mon"):
            next(words)
        elif word == "-initrd":
            made += [word, str(initrd)]
            next(words)
        elif word == "-serial":
            made += [word, f"file:{console}"]
            next(words)
        elif word == "-chardev":
            name = next(words).split("id=")[1].split(",")[0]
            if name not in ("qmp", "console"):
                made += [word, f"null,id={name}"]
        else:
            made.append(word)
    return made


@dataclass(frozen=True)
class Hand:
    """The same machine without kdev."""

    line: list[str]
    console: pathlib.Path

    def boot(self) -> float:
        """From exec until the init's line is on the console. The power-off that follows does not count."""
        self.console.write_bytes(b"")
        begin = time.perf_counter()
        with subprocess.Popen(self.line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as qemu:
            try:
                while b"hand-init-is-here" not in self.console.read_bytes():
                    if time.perf_counter() - begin > 120 or qemu.poll() is not None:
                        raise RuntimeError(f"the init never spoke: {self.console.read_bytes()[-2000:]!r}")
                    time.sleep(0.005)
                taken = time.perf_counter() - begin
                qemu.wait(60)
            finally:
                qemu.kill()
        return taken


def prepare_hand(work: pathlib.Path) -> Hand:
    program = work / "init"
    code = work / "init.c"
    code.write_text(INIT)
    subject.run(["musl-gcc", "-Os", "-static", "-o", str(program), str(code)])
    listing = work / "list"
    listing.write_text(f"dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\nfile /init {program} 755 0 0\n")
    initrd = work / "initrd"
    kdev.SeedImage.list(str(listing)).write(str(initrd))
    console = work / "console"
    return Hand(by_hand(qemu_line(), initrd, console), console)


@dataclass(frozen=True)
class Virtme:
    """virtme-ng on the same kernel, accelerator and memory."""

    command: list[str]

    def boot(self) -> float:
        return frame.clock(lambda: subject.run(self.command, timeout=300))

    @staticmethod
    def prepare() -> Virtme:
        base = [str(subject.virtme()), "--run", str(subject.virtme_kernel().bzimage)]
        base += ["--memory", subject.MEMORY, "--cpus", "1"]
        if kdev.probe_accel().accel != "kvm":
            base.append("--disable-kvm")
        base += ["--exec", "true"]
        # Which of its ways to share the root works, and is the fastest, depends on the machine.
        works: dict[str, tuple[float, list[str]]] = {}
        problems: list[str] = []
        for name, extra in {"virtiofs": [], "9p": ["--force-9p"]}.items():
            command = base[:1] + extra + base[1:]
            try:
                taken = frame.clock(lambda command=command: subject.run(command, timeout=300))  # type: ignore[misc]
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                problems.append(f"{name}: {subject.last_line(str(error.stderr or error))}")
                continue
            works[name] = (taken, command)
            subject.say(f"virtme-ng over {name}: {taken:.1f} s")
        if not works:
            raise PeerMissing("; ".join(problems))
        return Virtme(min(works.values())[1])


@functools.cache
def medians(with_virtme: bool) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory(prefix="kdev-bench-") as work:
        hand = prepare_hand(pathlib.Path(work))
        actions = [boot_with_kdev, hand.boot]
        if with_virtme:
            actions.append(Virtme.prepare().boot)
        times = frame.alternate(ROUNDS, *actions)
    return times[0], times[1], times[2] if with_virtme else 0.0


@functools.cache
def all_medians() -> tuple[float, float, float | None, str]:
    try:
        return (*medians(True), "")
    except PeerMissing as missing:
        kdev_time, hand_time, _ = medians(False)
        return kdev_time, hand_time, None, str(missing)


@frame.figure(
    name="boot/qemu",
    what="cold boot to the first command's result",
    against="the same QEMU line by hand, until its init prints",
    unit="s",
    bar=1.3,
)
def against_hand() -> Measured:
    ours, hand, _, _ = all_medians()
    return Measured(ours, hand)


@frame.figure(
    name="boot/vng",
    what="cold boot to the first command's result",
    against="vng --exec true",
    unit="s",
    bar=0.25,
)
def against_virtme() -> Measured:
    ours, _, virtme, problem = all_medians()
    if virtme is None:
        raise PeerMissing(problem)
    return Measured(ours, virtme)
