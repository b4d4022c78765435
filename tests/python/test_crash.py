"""Reports out of saved logs."""

from __future__ import annotations

import html
import json
import pickle
import subprocess
from pathlib import Path

import kdev
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_values import check_value

DATA = Path(__file__).parent / "data"
OOPS = (DATA / "lkdtm-exception.log").read_bytes()


def test_scan() -> None:
    (report,) = kdev.scan_console(OOPS)
    assert "NULL pointer dereference in lkdtm_EXCEPTION" in report.title
    assert report.function == "lkdtm_EXCEPTION" and report.frames[0].function == "lkdtm_EXCEPTION"
    assert report.release.startswith("6.1.") and report.process == "sh" and report.pid > 0
    assert "lkdtm_EXCEPTION+0x" in report.registers["RIP"]
    assert OOPS[report.begin : report.end].decode() == report.text
    assert not report.symbolized and report.guilty is None
    check_value(report)


def test_views() -> None:
    (report,) = kdev.scan_console(OOPS)
    assert report.title in str(report) and report.title in report.to_text()
    page = report._repr_html_()
    assert page == report.to_html() and html.escape(report.title) in page
    assert json.loads(report.to_json())["title"] == report.title


def test_markup_in_a_log_is_escaped() -> None:
    hostile = OOPS.replace(b"Comm: sh", b"Comm: <script>x</script>")
    for report in kdev.scan_console(hostile):
        assert "<script>x" not in report.to_html()


def test_bytes_that_are_no_text() -> None:
    (report,) = kdev.scan_console(b"\xff\xfe\x80 noise\n" + OOPS)
    assert "\ufffd" in report.dmesg
    twin = pickle.loads(pickle.dumps(report))
    assert twin == report, "pickling keeps undecodable bytes"


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, len(OOPS)))
def test_any_bytes(noise: bytes, at: int) -> None:
    for report in kdev.scan_console(OOPS[:at] + noise + OOPS[at:]):
        assert report.title
        report.to_html()
        report.to_json()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ELF with debug information whose lines are known."""
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.c").write_text(
        "__attribute__((noinline)) int callee(volatile int *p) {\n"
        "  return *p + 1;\n"
        "}\n"
        "int main(int argc, char **argv) {\n"
        "  return callee(&argc);\n"
        "}\n"
    )
    subprocess.run(
        ["gcc", "-g", "-O1", "-no-pie", "-Wl,--build-id=0xdeadbeefc0ffee00", "-o", "a", "a.c"], cwd=folder, check=True
    )
    return folder / "a"


def nm(program: Path) -> dict[str, int]:
    out = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.splitlines()]
    return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}


def nm_size(program: Path, name: str) -> int:
    """The distance to the next symbol, as kernels print it."""
    addresses = sorted(set(nm(program).values()))
    return next(address for address in addresses if address > nm(program)[name]) - nm(program)[name]


def test_lookup(program: Path) -> None:
    address = nm(program)["callee"]
    matches = kdev.lookup_symbol(program, f"{address + 1:016x}")
    assert [(m.name, m.offset, m.address) for m in matches] == [("callee", 1, address)]
    assert kdev.lookup_symbol(program, "1") == []
    assert "callee" in {m.name for m in kdev.lookup_symbol(program, f"{address:016x}"[:-2] + "xx")}


def test_build_id(program: Path, tmp_path: Path) -> None:
    assert kdev.read_build_id(program) == "deadbeefc0ffee00"
    (tmp_path / "x").write_text("no elf")
    with pytest.raises(kdev.FormatError):
        kdev.read_build_id(tmp_path / "x")


def test_symbolizer(program: Path) -> None:
    symbols = kdev.Symbolizer(vmlinux=program, source=program.parent)
    (frame,) = symbols.at_symbol("callee", 0)
    assert (frame.function, Path(frame.file).name, frame.line > 0) == ("callee", "a.c", True)
    assert frame.source == (program.parent / "a.c").read_text().splitlines()[frame.line - 1].strip()
    (frame,) = symbols.at_address(nm(program)["callee"])
    assert frame.function == "callee"
    assert symbols.build_id == "deadbeefc0ffee00"
    # Of another OS: what does not depend on it is the same.
    (same,) = kdev.Symbolizer(vmlinux=program, source=program.parent, os="freebsd").at_symbol("callee", 0)
    assert (same.function, same.line) == (frame.function, frame.line)


def test_symbolizer_without_symbols(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no elf")
    with pytest.raises(kdev.FormatError):
        kdev.Symbolizer(vmlinux=tmp_path / "x")


def test_decode(program: Path) -> None:
    at = f"callee+0x0/{nm_size(program, 'callee'):#x}"
    text = f"[    1.0] RIP: 0010:{at}\r\nnothing of interest\n"
    decoded = kdev.decode(text, vmlinux=program)
    (frame,) = kdev.Symbolizer(vmlinux=program).at_symbol("callee", 0)
    assert decoded == f"[    1.0] RIP: 0010:{at} {frame.file}:{frame.line}\r\nnothing of interest\n"
    assert kdev.Symbolizer(vmlinux=program).decode(text) == decoded
    assert f":{frame.line}  | {frame.source}\r\n" in kdev.decode(text, vmlinux=program, source_text=True)
    noise = b"\xff\xfe" + text.encode()
    assert kdev.decode(noise, vmlinux=program).encode("utf-8", "surrogateescape") == b"\xff\xfe" + decoded.encode()


def test_index(program: Path, tmp_path: Path) -> None:
    symbols = kdev.Symbolizer(vmlinux=program, index=tmp_path)
    addresses = [nm(program)["callee"] + offset for offset in range(8)]
    plain = symbols.at_addresses(addresses)
    assert not symbols.indexed
    file = symbols.build_index()
    assert file is not None and file.parent == tmp_path and file.name.startswith("deadbeefc0ffee00-")
    assert symbols.indexed and symbols.at_addresses(addresses) == plain
    again = kdev.Symbolizer(vmlinux=program, index=tmp_path)
    assert again.indexed and again.at_addresses(addresses) == plain
    assert again.at_addresses(addresses[:1])[0] == again.at_address(addresses[0])
    assert all(frame.source == "" for frames in again.at_addresses(addresses, source_text=False) for frame in frames)


def test_nothing_to_index(program: Path, tmp_path: Path) -> None:
    subprocess.run(["objcopy", "--strip-debug", program, tmp_path / "bare"], check=True)
    assert kdev.Symbolizer(vmlinux=tmp_path / "bare", index=tmp_path).build_index() is None


def test_what_cannot_be_had_is_told(program: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file is in its place")
    symbols = kdev.Symbolizer(vmlinux=program, index=tmp_path / "folder")
    assert symbols.notes == []
    assert symbols.build_index() is None
    (note,) = symbols.notes
    assert str(tmp_path / "folder") in note
    (report,) = kdev.scan_console(OOPS)
    assert note in symbols.symbolize(report).notes
    with pytest.raises(kdev.FormatError, match="no debuginfod server is configured"):
        kdev.Symbolizer(build_id="deadbeefc0ffee00")
