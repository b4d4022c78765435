"""The committed stub is what the module says, and types check."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import kdev
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_stub_is_current() -> None:
    pytest.importorskip("pybind11_stubgen")
    pytest.importorskip("ruff")
    done = subprocess.run(
        [sys.executable, ROOT / "python" / "stubs.py", "--check"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"run python/stubs.py and commit python/kdev/_kdev.pyi:\n{done.stdout}{done.stderr}"


def test_package_is_typed() -> None:
    assert (ROOT / "python/kdev/py.typed").exists()
    assert all(hasattr(kdev, name) for name in kdev.__all__)


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_types_of_user_code(tmp_path: Path) -> None:
    """The stub's types reach a user: right code passes strict mypy, wrong code does not."""
    code = tmp_path / "user.py"
    code.write_text(
        "from pathlib import Path\n"
        "import kdev\n"
        "def work(ws: kdev.Workspace) -> str:\n"
        "    conf = kdev.KernConf.tiny(ws).preset('debug').enable('LKDTM').set('NR_CPUS', 8)\n"
        "    for difference in kdev.diff_configs(conf.describe(), '', os=ws.os):\n"
        "        option: str = difference.option\n"
        "    title: str = kdev.os_title(kdev.KernConf.running(kdev.running_os()).os)\n"
        "    kernel: kdev.KernelArtifact = ws.build(conf, jobs=2, on_event=lambda event: print(event), timeout=60)\n"
        "    with kdev.VM(kernel=kernel, image=kdev.SeedImage.busybox(), memory='512M', cpus=2) as vm:\n"
        "        r = vm.run(['uname', '-r'], timeout=5)\n"
        "        code: int | None = r.exit_code\n"
        "        vm.push('/etc/hostname', '/tmp/x')\n"
        "        data: bytes = vm.read_file('/tmp/x')\n"
        "        log: Path = vm.console_log\n"
        "        crash = vm.run('echo c > /proc/sysrq-trigger').crash\n"
        "        if crash is None:\n"
        "            return r.stdout\n"
        "        return crash.frames[0].source + crash.title\n"
    )
    done = mypy(code)
    assert done.returncode == 0, done.stdout
    code.write_text(
        "import kdev\n"
        "kdev.KernConf.tiny().enable(5)\n"
        "kdev.KernConf.tiny('beos')\n"
        "kdev.scan_console('')[0].titel\n"
        "x: int = kdev.scan_console('')[0].title\n"
        "kdev.diff_configs('', '', os='beos')\n"
        "kdev.KernConf.running('beos')\n"
    )
    done = mypy(code)
    lines = {line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == {"2", "3", "4", "5", "6", "7"}, done.stdout


def mypy(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir",
            str(file.parent / "cache"),
            str(file),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={"MYPYPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
    )
