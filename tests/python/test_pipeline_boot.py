"""Pipelines, the command line, examples and the notebook, on real guests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import kdev
import pytest
from conftest import processes_naming, wait_until

pytestmark = pytest.mark.boot

ROOT = Path(__file__).resolve().parents[2]
# test_freebsd_story.py runs the other one.
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXAMPLES = sorted(set((ROOT / "examples/python").glob("*.py")) - {ROOT / "examples/python/07_freebsd.py"})


def test_pipeline(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    p = (
        kdev.Pipeline("panic")
        .kernel(kernel)
        .boot(memory="512M", run_dir=tmp_path / "run", name=guest_name)
        .run("uname -r")
        .run("echo c > /proc/sysrq-trigger")
        .expect_crash(title="kernel panic: *")
        .analyze()
    )
    assert p.stage_names == ["kernel", "boot", "run", "run", "crash", "analyze"]
    events: list[kdev.Event] = []
    result = p.run(on_event=events.append)
    assert result.ok, result.to_text()
    assert result.commands[0].stdout.strip() == kernel.release
    assert result.crash is not None and result.crash.symbolized
    assert all(stage.outcome in ("done", "cached") for stage in result.stages)
    assert {type(event) for event in events} >= {kdev.StageStarted, kdev.StageFinished}
    page = result._repr_html_()
    assert "panic" in page and "<table" in page
    assert json.loads(result.to_json())["ok"] is True
    assert wait_until(lambda: not processes_naming(guest_name))


def test_pipeline_that_does_not_crash(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    result = (
        kdev.Pipeline("calm")
        .kernel(kernel)
        .boot(run_dir=tmp_path / "run")
        .run("true")
        .expect_crash(timeout=1)
        .analyze()
    ).run()
    assert not result.ok
    assert [stage.outcome for stage in result.stages][-2:] == ["failed", "skipped"]


def test_pipeline_from_source(ws: kdev.Workspace, conf: kdev.KernConf, kernel: kdev.KernelArtifact) -> None:
    result = kdev.Pipeline("whole").build(ws, conf).boot().run("uname -r").run(on_event=None)
    assert result.ok, result.to_text()
    assert result.kernel is not None and result.kernel.release == kernel.release


def test_pipeline_of_every_stage(ws: kdev.Workspace, conf: kdev.KernConf, tmp_path: Path) -> None:
    """A module's crash, then a reboot: the report is read with the kernel and the modules that it came from."""
    source = tmp_path / "note"
    source.write_text("hello\n")
    events: list[kdev.Event] = []
    result = (
        kdev.Pipeline("every")
        .build(ws, conf)
        .module(ROOT / "tests" / "boot" / "data" / "oopser")
        .boot(memory="256M", run_dir=tmp_path / "run")
        .push(source, "/tmp/note")
        .run("cat /tmp/note; echo more >> /tmp/note")
        .pull("/tmp/note", tmp_path / "back")
        .run("insmod /m/oopser.ko")
        .expect_crash(title="*oopser_write")
        .reboot(ws, conf)
        .run("uname -r; ls /tmp")
        .analyze()
    ).run(on_event=events.append)
    assert result.ok, result.to_text()
    assert [stage.stage for stage in result.stages] == (
        ["build", "module", "boot", "push", "run", "pull", "run", "crash", "reboot", "run", "analyze"]
    )
    assert result.commands[0].stdout == "hello\n"
    assert (tmp_path / "back").read_text() == "hello\nmore\n"
    assert result.kernel is not None and result.commands[2].stdout == f"{result.kernel.release}\n"
    assert result.crash is not None and result.crash.symbolized
    assert "oopser.c" in result.crash.to_text()
    # Each stage tells of itself once, also those that make an artifact, which tell of it as well outside a pipeline.
    for kind in (kdev.StageStarted, kdev.StageFinished):
        told = [event.stage for event in events if isinstance(event, kind)]
        assert [name for name in told if name in ("module", "boot", "reboot")] == ["module", "boot", "reboot"]
        assert told[: told.index("module")].count("build") == 1


def test_any_exception_of_a_stage_is_its_failure(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    result = (
        kdev.Pipeline("odd")
        .kernel(kernel)
        .boot(run_dir=tmp_path / "run", name=guest_name)
        .push("x" * 5000, "/tmp/x")
        .run("true")
    ).run(on_event=None)
    assert [stage.outcome for stage in result.stages] == ["done", "done", "failed", "skipped"]
    assert result.stages[2].error
    assert wait_until(lambda: not processes_naming(guest_name))


def test_a_kdev_error_that_a_sink_raises_is_no_failed_stage(kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    def sink(event: kdev.Event) -> None:
        if isinstance(event, kdev.VmStateChanged):
            raise kdev.GuestError("the sink's own")

    with pytest.raises(kdev.GuestError, match="the sink's own"):
        kdev.Pipeline("p").kernel(kernel).boot(run_dir=tmp_path / "run").run("true").run(on_event=sink)


def test_what_a_sink_raises_ends_a_pipeline(kernel: kdev.KernelArtifact, tmp_path: Path, guest_name: str) -> None:
    class Own(Exception):
        pass

    def sink(event: kdev.Event) -> None:
        if isinstance(event, kdev.StageFinished):
            raise Own

    with pytest.raises(Own):
        kdev.Pipeline("p").kernel(kernel).boot(run_dir=tmp_path / "run", name=guest_name).run("true").run(on_event=sink)
    assert wait_until(lambda: not processes_naming(guest_name))


def kdev_command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kdev", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **options,  # type: ignore[call-overload]
    )


@pytest.fixture(scope="module")
def kernel_file(kernel: kdev.KernelArtifact, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("cli") / "kernel.json"
    file.write_text(kernel.to_json())
    return str(file)


def test_cli_run(kernel_file: str, kernel: kdev.KernelArtifact) -> None:
    done = kdev_command("run", kernel_file, "--", "uname -r; echo oops >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, kernel.release + "\n")
    assert "oops" in done.stderr


def test_cli_run_that_crashes(kernel_file: str) -> None:
    done = kdev_command("run", kernel_file, "--", "echo c > /proc/sysrq-trigger")
    assert done.returncode == 3
    assert "kernel panic: sysrq triggered crash" in done.stderr and "drivers/tty/sysrq.c" in done.stderr


def test_cli_run_json(kernel_file: str) -> None:
    done = kdev_command("run", "--json", kernel_file, "--", "echo", "hi there")
    assert json.loads(done.stdout)["stdout"] == "hi there\n"


def test_cli_run_timeout(kernel_file: str) -> None:
    assert kdev_command("run", "--timeout", "0.5", kernel_file, "--", "sleep 100").returncode == 124


def test_cli_boot_exec(kernel_file: str) -> None:
    done = kdev_command("boot", kernel_file, "--exec", "cd /tmp", "--exec", "pwd; cat /nope", "--exec", "exit 4")
    assert done.stdout == "/tmp\n" and "/nope" in done.stderr
    assert done.returncode == 4


def test_cli_boot_prompt(kernel_file: str) -> None:
    done = kdev_command("boot", kernel_file, input="echo one\ncd /proc\npwd\nexit\necho never\n")
    assert done.stdout == "one\n/proc\n" and done.returncode == 0


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, ws: kdev.Workspace) -> None:
    done = subprocess.run(
        [sys.executable, example],
        capture_output=True,
        text=True,
        timeout=1500,
        env={**os.environ, "KDEV_WORKSPACE": str(ws.root), "KDEV_LINUX_SOURCE": str(ws.source)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(file: Path, ws: kdev.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("KDEV_WORKSPACE", str(ws.root))
    monkeypatch.setenv("KDEV_LINUX_SOURCE", str(ws.source))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(file, as_version=4)
    for extra in ("pandas", "drgn"):
        if any(f"import {extra}" in cell.source or f"from {extra}" in cell.source for cell in notebook.cells):
            pytest.importorskip(extra)
    nbclient.NotebookClient(
        notebook, timeout=1500, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    html = [
        output["data"]["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    # Frames of a system call, code and a dump's stack; else the report of the crash.
    shown = ["do_sys_openat2", "mostly_many", "poke"] if file.stem == "05_debug" else ["sysrq_handle_crash"]
    for name in shown:
        assert any(name in page for page in html), f"{name} is shown richly"
