"""Dumps on images that the test writes; those of real guests are in test_freebsd_core.py."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner


def header(length: int, panic: str = "page fault") -> bytes:
    """struct kerneldumpheader, sys/sys/kerneldump.h."""
    fields = struct.pack(
        ">20s12sIIQQII64s192s175sBQ4x",
        *(b"FreeBSD Kernel Dump", b"amd64", 4, 2, length, 1700000000, 0, 512),
        *(b"node", b"FreeBSD 13.2-RELEASE KDEV\n", panic.encode(), 0, length),
    )
    parity = 0
    for (word,) in struct.iter_unpack(">I", fields):
        parity ^= word
    return fields + struct.pack(">I", parity)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    data = b"memory" * 4096
    dump = header(len(data)) + data + header(len(data))
    (tmp_path / "disk").write_bytes(bytes(1 << 20) + dump)
    return tmp_path / "disk"


def test_a_dump_is_found_and_lifted(image: Path, tmp_path: Path) -> None:
    (info,) = kdev.find_dumps(image)
    assert (info.kind, info.partition, info.panic, info.time, info.encrypted) == (
        "core",
        0,
        "page fault",
        1700000000,
        False,
    )
    assert kdev.DumpInfo.from_json(info.to_json()) == info
    assert kdev.DumpInfo.from_dict(info.to_dict()) == info
    lifted = kdev.lift_dump(image, tmp_path / "crash")
    assert lifted.file.read_bytes() == b"memory" * 4096
    assert lifted.info == info
    assert kdev.LiftedDump.from_json(lifted.to_json()) == lifted
    with pytest.raises(kdev.FormatError, match="data that begins with"):
        kdev.Core(lifted.file)
    with pytest.raises(kdev.FormatError, match="an image with a dump on it"):
        kdev.Core(image)


def test_the_command_lifts(image: Path, tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["crash", "lift", str(image), "--list"])
    assert json.loads(listed.output)["panic"] == "page fault"
    done = CliRunner().invoke(app, ["crash", "lift", str(image), str(tmp_path / "crash")])
    assert done.output.strip() == str(tmp_path / "crash" / "vmcore.0")
    (tmp_path / "empty").write_bytes(bytes(4096))
    assert CliRunner().invoke(app, ["crash", "lift", str(tmp_path / "empty"), "--list"]).exit_code == 1
    with pytest.raises(kdev.FormatError, match="there is no dump"):
        kdev.lift_dump(tmp_path / "empty", tmp_path / "crash")


def test_time_is_up(image: Path, tmp_path: Path) -> None:
    with pytest.raises(kdev.TimeoutError):
        kdev.lift_dump(image, tmp_path / "crash", timeout=0)
    assert [p.name for p in (tmp_path / "crash").iterdir()] == []
