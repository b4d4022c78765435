"""Fixtures: a kernel that is built once and outlives the run, and checks that nothing is left behind.

KDEV_LINUX_SOURCE    the kernel tree; without it, tests marked boot are skipped, and the summary says so
KDEV_TEST_WORKSPACE  where kernels are built; default ~/.cache/kdev/test-workspace, shared with the C++ tests
KDEV_FREEBSD_SRC, KDEV_FREEBSD_WORKSPACE
                     a FreeBSD tree, and a workspace in which scripts/test --freebsd has built its kernel and userland;
                     without them tests marked freebsd are skipped
KDEV_FREEBSD_WORLD   a workspace in which ws.build_userland("world") was run (half an hour on two cores); without it the
                     tests of a whole system are skipped
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import kdev
import pytest

MakeVm = Callable[..., kdev.VM]

# Of whoever runs the tests: no server is asked for debug information.
os.environ.pop("DEBUGINFOD_URLS", None)


def missing_for_boot() -> str:
    """Why nothing can be booted here; empty: all is there."""
    if not os.environ.get("KDEV_LINUX_SOURCE"):
        return "KDEV_LINUX_SOURCE does not name a kernel tree"
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    return ""


def missing_for_freebsd() -> str:
    """Why no FreeBSD can be booted here; empty: all is there."""
    source, workspace = os.environ.get("KDEV_FREEBSD_SRC"), os.environ.get("KDEV_FREEBSD_WORKSPACE")
    if not source or not workspace:
        return "KDEV_FREEBSD_SRC and KDEV_FREEBSD_WORKSPACE do not name a FreeBSD tree and its workspace"
    if not (Path(workspace) / "workspace.json").is_file():
        return f"{workspace} is no workspace: scripts/test --freebsd makes it"
    built = {artifact.kind for artifact in kdev.Workspace(workspace, source=source).stored()}
    if not {"kernel", "userland"} <= built:
        return f"{workspace} holds no built FreeBSD: scripts/test --freebsd builds it"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    freebsd = [item for item in items if item.get_closest_marker("freebsd")]
    if freebsd and (reason := missing_for_freebsd()):
        for item in freebsd:
            item.add_marker(pytest.mark.skip(reason=reason))
    reason = missing_for_boot()
    if not reason:
        return
    for item in items:
        if item.get_closest_marker("boot"):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reason = missing_for_boot()
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "boot" in r.keywords]
    if reason and skipped:
        terminalreporter.section("BOOTS WERE NOT TESTED", sep="!")
        terminalreporter.line(f"{len(skipped)} tests that boot guests were skipped: {reason}")


@pytest.fixture(scope="session")
def ws() -> kdev.Workspace:
    root = os.environ.get("KDEV_TEST_WORKSPACE") or "~/.cache/kdev/test-workspace"
    return kdev.Workspace(root, source=os.environ["KDEV_LINUX_SOURCE"])


@pytest.fixture(scope="session")
def conf(ws: kdev.Workspace) -> kdev.KernConf:
    return kdev.KernConf.tiny(ws).preset("debug")


@pytest.fixture(scope="session")
def kernel(ws: kdev.Workspace, conf: kdev.KernConf) -> kdev.KernelArtifact:
    if ready := os.environ.get("KDEV_TEST_KERNEL"):  # a kernel's JSON file, for work on the tests themselves
        return kdev.KernelArtifact.from_json(Path(ready).read_text())
    return ws.build(conf)


@pytest.fixture(scope="module")
def vm(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdev.VM]:
    """A guest for tests that do it no harm."""
    with kdev.VM(kernel=kernel, cpus=2, run_dir=tmp_path_factory.mktemp("run")) as vm:
        yield vm


MakeVm = Callable[..., kdev.VM]


@pytest.fixture
def guest_name() -> str:
    """A VM name that no other process on this machine names."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_vm(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> Iterator[MakeVm]:
    """VMs of a test's own, named guest_name, in tmp_path/run. Afterwards nothing of them may be there."""
    made: list[kdev.VM] = []

    def make(**arguments: object) -> kdev.VM:
        options = {"kernel": kernel, "run_dir": tmp_path / "run", "name": guest_name, **arguments}
        vm = kdev.VM(**options)  # type: ignore[arg-type]
        made.append(vm)
        return vm

    yield make
    for vm in made:
        vm.close()
    assert_nothing_left(tmp_path / "run", guest_name)


def processes() -> dict[int, str]:
    """Command lines of all processes that name something."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue
            if line:
                found[int(entry.name)] = line
    return found


def processes_naming(text: str) -> dict[int, str]:
    return {pid: line for pid, line in processes().items() if text in line and pid != os.getpid()}


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def assert_nothing_left(run_dir: Path, guest_name: str) -> None:
    """No process of the guest; no lease, socket or folder of it: only logs."""
    assert not processes_naming(guest_name)
    left = [p for p in run_dir.rglob("*") if not p.is_dir() and p.parent.name != "logs"] if run_dir.exists() else []
    assert not left, f"left in the run folder: {left}"
    assert not list(run_dir.glob(f"{guest_name}*"))


@contextmanager
def ctrl_c(when: Callable[[], bool]) -> Iterator[None]:
    """SIGINT to this process from another thread, once `when` holds."""
    stop = threading.Event()

    def send() -> None:
        while not when():
            if stop.wait(0.02):
                return
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="session")
def freebsd_ws() -> kdev.Workspace:
    return kdev.Workspace(os.environ["KDEV_FREEBSD_WORKSPACE"], source=os.environ["KDEV_FREEBSD_SRC"])


@pytest.fixture(scope="session")
def freebsd_kernel(freebsd_ws: kdev.Workspace) -> kdev.KernelArtifact:
    return freebsd_ws.build(kdev.KernConf.tiny(freebsd_ws).preset("debug").module("nullfs"))


@pytest.fixture(scope="session")
def freebsd_other_kernel(freebsd_ws: kdev.Workspace) -> kdev.KernelArtifact:
    return freebsd_ws.build(kdev.KernConf.tiny(freebsd_ws).preset("release"))


@pytest.fixture(scope="session")
def freebsd_userland(freebsd_ws: kdev.Workspace) -> kdev.UserlandArtifact:
    return freebsd_ws.build_userland()


@pytest.fixture
def make_freebsd_vm(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path, guest_name: str
) -> Iterator[MakeVm]:
    """VMs of a test's own; afterwards nothing of them may be there."""
    made: list[kdev.VM] = []
    image = kdev.SeedImage.userland(freebsd_userland)

    def make(**arguments: object) -> kdev.VM:
        options = {"kernel": freebsd_kernel, "image": image, "cpus": 2, "run_dir": tmp_path / "run", "name": guest_name}
        vm = kdev.VM(**{**options, **arguments})  # type: ignore[arg-type]
        made.append(vm)
        return vm

    yield make
    for vm in made:
        vm.close()
    assert_nothing_left(tmp_path / "run", guest_name)
