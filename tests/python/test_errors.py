"""Exceptions: one tree, with what was attempted, why, what to do, and the evidence."""

from __future__ import annotations

import builtins
import math
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import kdev
import pytest
from fake_tree import make_tree

NAMES = [
    "ConfigError",
    "BuildError",
    "HostError",
    "BootError",
    "TimeoutError",
    "GuestError",
    "DebugError",
    "FormatError",
]


@pytest.mark.parametrize("name", NAMES)
def test_tree(name: str) -> None:
    cls = getattr(kdev, name)
    assert issubclass(cls, kdev.Error) and issubclass(cls, Exception)
    error = cls("no", attempted="try it", hint="try harder", log=Path("/l"), console_tail="end")
    assert (error.attempted, error.reason, error.hint, error.log) == ("try it", "no", "try harder", Path("/l"))
    assert str(error).startswith("try it: no") and "try harder" in str(error) and "/l" in str(error)
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is cls and vars(twin) == vars(error) and str(twin) == str(error)


def test_timeout_is_pythons_too() -> None:
    assert issubclass(kdev.TimeoutError, builtins.TimeoutError)
    assert issubclass(kdev.FormatError, ValueError)


def test_no_source_tree(tmp_path: Path) -> None:
    with pytest.raises(kdev.ConfigError) as caught:
        kdev.Workspace(tmp_path / "ws", source=tmp_path / "nothing-here")
    error = caught.value
    assert "nothing-here" in str(error)
    assert error.reason and error.diagnostics == [] and error.console_tail == "" and error.crash is None


def test_not_a_tree(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.c").write_text("int main(void) {}\n")
    with pytest.raises(kdev.ConfigError):
        kdev.detect_source(tmp_path / "src")


def test_a_freebsd_tree_that_cannot_be_built_here_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "freebsd"
    (tree / "sys/conf").mkdir(parents=True)
    for name in ("sys/kern", "sys/sys", "sys/amd64/conf", "share/mk", "bin", "lib"):
        (tree / name).mkdir(parents=True)
    (tree / "sys/kern/kern_synch.c").write_text("")
    (tree / "sys/kern/init_main.c").write_text("")
    (tree / "sys/sys/param.h").write_text("#define __FreeBSD_version 1302001\n")
    (tree / "sys/conf/newvers.sh").write_text('TYPE="FreeBSD"\nREVISION="13.2"\nBRANCH="RELEASE"\n')
    for name in ("Makefile", "Makefile.inc1", "sys/Makefile"):
        (tree / name).write_text("#\n")
    assert kdev.detect_source(tree).os == "freebsd"
    ws = kdev.Workspace(tmp_path / "ws", source=tree)
    (tree / "sys/conf/options").write_text("")
    (tree / "sys/conf/files").write_text("")
    (tmp_path / "MINE").write_text("machine amd64\nident MINE\n")
    with (
        pytest.raises(kdev.HostError, match="clang")
        if not shutil.which("clang")
        else pytest.raises(kdev.ConfigError, match=r"make\.py is not there")
    ):
        ws.build(kdev.KernConf.file(tmp_path / "MINE", "freebsd"))


def test_a_tree_is_detected(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "linux", "")
    found = kdev.detect_source(tree)
    assert (found.os, found.path, found.version) == ("linux", tree, "6.1.7")


def test_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    make_tree(tmp_path / "linux", "")
    ws = kdev.Workspace("~/ws", source="~/linux")
    assert ws.root == tmp_path / "ws" and ws.source == tmp_path / "linux" and ws.os == "linux"
    assert ws.obj.parent == ws.root and ws.reaped == []
    again = kdev.Workspace(tmp_path / "ws")
    assert again.source == ws.source, "a workspace remembers its source"


def test_a_missing_program_is_a_host_error() -> None:
    with pytest.raises(kdev.HostError) as caught:
        kdev.local_host().run(["kdev-has-no-such-program"])
    assert "kdev-has-no-such-program" in str(caught.value)


def test_a_deadline_is_a_timeout() -> None:
    with pytest.raises(builtins.TimeoutError) as caught:
        kdev.local_host().run(["sleep", "60"], timeout=0.05)
    assert isinstance(caught.value, kdev.TimeoutError)


def test_nan_is_no_timeout() -> None:
    """It would compare as neither passed nor ahead, and so mean for ever."""
    with pytest.raises(ValueError, match="nan"):
        kdev.local_host().run(["true"], timeout=math.nan)


def test_what_a_library_below_throws_is_a_host_error(tmp_path: Path) -> None:
    """Boost.Filesystem, asked for an absolute path in a folder that is gone."""
    gone = tmp_path / "gone"
    script = (
        "import os, sys, kdev\n"
        "os.mkdir(sys.argv[1]); os.chdir(sys.argv[1]); os.rmdir(sys.argv[1])\n"
        "try:\n"
        "    kdev.SeedImage.directory('.')\n"
        "except kdev.HostError as error:\n"
        "    print(error.reason)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, gone], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "No such file" in done.stdout


def test_broken_archive(tmp_path: Path) -> None:
    file = tmp_path / "x.cpio"
    file.write_bytes(b"070701" + b"zz" * 200)
    with pytest.raises(kdev.FormatError):
        kdev.list_archive(file)


def test_bad_list_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(kdev.FormatError, match=r"my\.list:2"):
        kdev.parse_list("dir /a 755 0 0\nfrob /b\n", tmp_path, "my.list")
