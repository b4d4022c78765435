"""FreeBSD: a direct boot against the one by its own loader, and how long a change of the tree takes to a guest that
runs it. Needs what the tests that boot FreeBSD need: KDEV_FREEBSD_SRC, KDEV_FREEBSD_WORKSPACE.

The change is made in a copy of the tree, which stays in build/peers for the next run, with what is built of it."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import statistics
import time
from typing import Literal

import frame
import kdev
import subject
from frame import Measured, PeerMissing

BOOTS = 5
CHANGES = 3
LIMIT = 60.0
TOUCHED = "sys/kern/kern_shutdown.c"


@functools.cache
def workspace() -> kdev.Workspace:
    tree, folder = os.environ.get("KDEV_FREEBSD_SRC"), os.environ.get("KDEV_FREEBSD_WORKSPACE")
    if not tree or not folder:
        raise PeerMissing("KDEV_FREEBSD_SRC and KDEV_FREEBSD_WORKSPACE do not name a FreeBSD tree and its workspace")
    return kdev.Workspace(folder, source=tree)


def conf(workspace: kdev.Workspace) -> kdev.KernConf:
    """The kernel of the tests."""
    return kdev.KernConf.tiny(workspace).preset("debug").module("nullfs")


@functools.cache
def kernel() -> kdev.KernelArtifact:
    with frame.told("FreeBSD's kernel", subject.say):
        return workspace().build(conf(workspace()))


@functools.cache
def image() -> kdev.SeedImage:
    with frame.told("FreeBSD's userland", subject.say):
        return kdev.SeedImage.userland(workspace().build_userland())


def boot(kernel: kdev.KernelArtifact, method: Literal["direct", "bios"]) -> float:
    """Seconds until the first command's result is there."""
    begin = time.perf_counter()
    with kdev.VM(kernel=kernel, image=image(), memory=subject.MEMORY, boot=method) as vm:
        vm.run("true", check=True)
        return time.perf_counter() - begin


@frame.figure(
    name="freebsd/boot",
    what="FreeBSD: direct boot to the first command's result",
    against="the same by its own BIOS loader, from a disk",
    unit="s",
    bar=0.6,
)
def direct_boot() -> Measured:
    subject_kernel = kernel()
    direct, bios = frame.samples(BOOTS, lambda: boot(subject_kernel, "direct"), lambda: boot(subject_kernel, "bios"))
    notes = [frame.spread("direct", direct), frame.spread("loader", bios)]
    return Measured(statistics.median(direct), statistics.median(bios), notes)


def copied_tree() -> pathlib.Path:
    """The tree by hard links: no space is taken, and a file that is replaced in the copy stays as it is in the tree."""
    copy = subject.PEERS / "freebsd-src"
    if not copy.exists():
        half = copy.with_name("freebsd-src.new")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(workspace().source, half, symlinks=True, copy_function=os.link)
        except shutil.Error:  # on another file system
            shutil.rmtree(half)
            shutil.copytree(workspace().source, half, symlinks=True)
        half.rename(copy)
    return copy


def change(tree: pathlib.Path) -> None:
    """What has to be compiled and linked again: a comment alone may come from the compiler's cache."""
    new = tree / (TOUCHED + ".new")
    original = (workspace().source / TOUCHED).read_text()
    new.write_text(f"{original}\nextern long kdev_bench;\nlong kdev_bench = {time.time_ns()};\n")
    new.replace(tree / TOUCHED)


@frame.figure(
    name="freebsd/change",
    what=f"FreeBSD: {TOUCHED} changed, to the first command's result in a guest that runs it",
    against=f"a limit of {LIMIT:.0f} s",
    unit="s",
    bar=1,
)
def changed_file() -> Measured:
    booted = image()
    with frame.told("a copy of FreeBSD's tree", subject.say):
        tree = copied_tree()
    ws = kdev.Workspace(subject.PEERS / "freebsd", source=tree)
    with frame.told("the toolchain and the kernel of it", subject.say):
        before = ws.build(conf(ws))
    building: list[float] = []

    def build_and_boot() -> float:
        nonlocal before
        change(tree)
        begin = time.perf_counter()
        built = ws.build(conf(ws))
        building.append(time.perf_counter() - begin)
        with kdev.VM(kernel=built, image=booted, memory=subject.MEMORY) as vm:
            vm.run("true", check=True)
            taken = time.perf_counter() - begin
            if vm.facts["build_id"] == before.build_id:
                raise RuntimeError("the guest runs the kernel of before the change")
        before = built
        return taken

    (taken,) = frame.samples(CHANGES, build_and_boot, warm_up=False)
    notes = [frame.spread("build and boot", taken), frame.spread("of it, the build", building)]
    return Measured(statistics.median(taken), LIMIT, notes)
