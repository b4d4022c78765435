"""kdev.open() on files that the test writes; what real guests leave is in test_linux_open.py."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import kdev
import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "crash"


def dump_header(length: int, magic: bytes = b"FreeBSD Text Dump") -> bytes:
    """struct kerneldumpheader, sys/sys/kerneldump.h."""
    fields = struct.pack(
        ">20s12sIIQQII64s192s175sBQ4x",
        *(magic, b"amd64", 4, 2, length, 1700000000, 0, 512),
        *(b"node", b"FreeBSD 13.2-RELEASE KDEV\n", b"page fault", 0, length),
    )
    parity = 0
    for (word,) in struct.iter_unpack(">I", fields):
        parity ^= word
    return fields + struct.pack(">I", parity)


def text_dump(panic: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in (("ddb.txt", "db> bt\n"), ("panic.txt", panic + "\n")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def zip_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


def on_disk(data: bytes) -> bytes:
    """As a text dump lies there: its blocks backwards."""
    backwards = b"".join(data[at : at + 512] for at in range(len(data) - 512, -1, -512))
    return dump_header(len(data)) + backwards + dump_header(len(data))


def two_partitions(first: bytes, second: bytes) -> bytes:
    """A disk with a master boot record; each content is at its partition's end."""
    block, size = 512, 128
    table = b"".join(struct.pack("<BxxxBxxxII", 0, 0xA5, 1 + number * size, size) for number in range(2))
    parts = b"".join(bytes(size * block - len(content)) + content for content in (first, second))
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa" + parts


def test_a_console_log(tmp_path: Path) -> None:
    log = kdev.open(GOLDEN / "bug.log")
    assert isinstance(log, kdev.ConsoleLog)
    assert (log.path, log.system) == (GOLDEN / "bug.log", "linux")
    assert log.reports == kdev.scan_console((GOLDEN / "bug.log").read_bytes())
    assert log.reports[0].title in log._repr_html_()
    assert "kernel BUG" in log.text
    (tmp_path / "quiet.log").write_text("login:\n")
    quiet = kdev.open(str(tmp_path / "quiet.log"))
    assert isinstance(quiet, kdev.ConsoleLog)
    assert (quiet.reports, quiet.system) == ([], "")
    assert "no crash report" in quiet._repr_html_()


def test_a_console_is_whose_it_is_said_to_be() -> None:
    log = kdev.open(GOLDEN / "freebsd_trap.log")
    assert isinstance(log, kdev.ConsoleLog)
    assert (log.system, log.reports[0].os) == ("freebsd", "freebsd")
    told = kdev.open(GOLDEN / "freebsd_trap.log", os="linux")
    assert isinstance(told, kdev.ConsoleLog)
    assert (told.system, told.reports) == ("linux", kdev.scan_console(log.path.read_bytes(), "linux"))


def test_a_report(tmp_path: Path) -> None:
    (report,) = kdev.scan_console((GOLDEN / "bug.log").read_bytes())
    (tmp_path / "any.name").write_text(report.to_json())
    assert kdev.open(tmp_path / "any.name") == report


def test_a_text_dump_as_a_tar_and_on_a_disk(tmp_path: Path) -> None:
    tar = text_dump("greeted")
    for content in (tar, bytes(1 << 16) + on_disk(tar)):
        (tmp_path / "file").write_bytes(content)
        dump = kdev.open(tmp_path / "file")
        assert isinstance(dump, kdev.TextDump)
        assert (dump.panic, dump.debugger) == ("greeted", "db> bt\n")


def test_of_several_dumps_one_is_chosen(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(two_partitions(on_disk(text_dump("first")), on_disk(text_dump("second"))))
    with pytest.raises(kdev.FormatError, match="several dumps: on partition 1, partition 2") as error:
        kdev.open(disk)
    assert "partition" in error.value.hint
    for number, panic in ((1, "first"), (2, "second")):
        dump = kdev.open(disk, partition=number)
        assert isinstance(dump, kdev.TextDump)
        assert dump.panic == panic
    with pytest.raises(kdev.FormatError, match="partition 7 has no dump"):
        kdev.open(disk, partition=7)


def test_other_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content, what in (
        (b"", "it is empty"),
        (bytes(4096), "it is zeros"),
        (json.dumps({"vmlinux": "/v"}).encode(), "a kernel's JSON file"),
        (zip_archive(), "a zip archive, but no bundle"),
        (b"\x7fELF" + bytes(12) + b"\x02" + bytes(600), "an ELF program or kernel"),
    ):
        file.write_bytes(content)
        with pytest.raises(kdev.FormatError, match=what):
            kdev.open(file)
    with pytest.raises(kdev.HostError, match="No such file"):
        kdev.open(tmp_path / "nowhere")


def test_what_is_given_as_the_kernel_has_to_be_there(tmp_path: Path) -> None:
    log = GOLDEN / "bug.log"
    with pytest.raises(kdev.ConfigError, match="has neither vmlinux nor"):
        kdev.open(log, kernel=tmp_path)
    with pytest.raises(kdev.ConfigError, match="is not there"):
        kdev.open(log, kernel=tmp_path / "vmlinux")


def test_identify_names_what_open_gives(tmp_path: Path) -> None:
    assert kdev.identify(GOLDEN / "bug.log") == "console log"
    (tmp_path / "tar").write_bytes(text_dump("x"))
    assert kdev.identify(tmp_path / "tar") == "text dump"
