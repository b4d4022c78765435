"""The example of the whole road and the guide's snippets, on the shared workspace. Skipped without a tree (see
conftest.py)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import kdev
import pytest

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples/python/07_freebsd.py"
GUIDE = ROOT / "docs/freebsd.md"


@pytest.fixture(scope="module")
def story(freebsd_ws: kdev.Workspace) -> list[str]:
    """The paragraphs that the script prints."""
    argv = [sys.executable, SCRIPT, os.environ["KDEV_FREEBSD_WORKSPACE"], os.environ["KDEV_FREEBSD_SRC"]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("\n\n")


def test_both_kernels_and_the_boot(
    story: list[str], freebsd_kernel: kdev.KernelArtifact, freebsd_other_kernel: kdev.KernelArtifact
) -> None:
    built, booted = story[0].splitlines()
    assert freebsd_kernel.build_id[:12] in built
    assert freebsd_other_kernel.build_id[:12] in built
    assert booted == f"FreeBSD {freebsd_kernel.release} KDEV"


@pytest.mark.parametrize(
    ("paragraph", "title", "line", "stack", "thread"),
    [
        (
            1,
            "Fatal trap NUM: page fault in set_who",
            r"set_who, hello\.c:\d+: \*\(volatile char \*\)NULL = who\[0\];",
            "trap_pfault < calltrap < set_who",
            "rescue",
        ),
        (
            2,
            "panic: NUM is no key",
            r'g_twist_start, g_twist\.c:\d+: panic\("%d is no key", sc->sc_md\.md_key\);',
            "panic < g_twist_start < g_io_schedule_down",
            "g_down",
        ),
    ],
)
def test_a_module_that_crashed(
    story: list[str], paragraph: int, title: str, line: str, stack: str, thread: str
) -> None:
    _, said, blamed, bt, pcpu, dump = (part.strip() for part in story[paragraph].splitlines())
    assert said == title
    assert re.fullmatch(line, blamed)
    assert bt.startswith("db> bt: ")
    assert stack in bt
    assert pcpu.startswith("db> show pcpu: curthread")
    assert pcpu.endswith(f'"{thread}"')
    assert re.fullmatch(rf"vmcore\.{paragraph - 1} says the same: minidump \d, \d+ threads", dump)


def test_another_kernel_once(
    story: list[str], freebsd_kernel: kdev.KernelArtifact, freebsd_other_kernel: kdev.KernelArtifact
) -> None:
    once, then = story[3].splitlines()
    assert once == f"rebooted: /boot/other/kernel {freebsd_other_kernel.build_id[:12]}"
    assert then == f"rebooted: /boot/kernel/kernel {freebsd_kernel.build_id[:12]}"


def test_the_guides_snippets_are_one_script(tmp_path: Path) -> None:
    text = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    for path, variable in (("~/ws/bsd", "KDEV_FREEBSD_WORKSPACE"), ("~/src/freebsd", "KDEV_FREEBSD_SRC")):
        assert path in text
        text = text.replace(path, os.environ[variable])
    argv = [sys.executable, "-c", "import subprocess, kdev\n" + text]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=1500, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # Of each panic's title one, and what only a loaded module prints.
    assert done.stdout.count("panic: kdb_sysctl_panic") == 2
    assert "md7.twist on md7" in done.stdout
