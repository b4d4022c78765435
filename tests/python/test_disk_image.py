"""Disk images by URL: fetched, gone on with, verified, unpacked with their holes."""

from __future__ import annotations

import hashlib
import lzma
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import kdev
import pytest

MIB = 1 << 20
DISK = os.urandom(MIB) + bytes(30 * MIB) + os.urandom(MIB) + bytes(8 * MIB)
PACKED = lzma.compress(DISK, preset=0)


class Mirror:
    """A server of files that breaks off, or changes what it has, when it is told to."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.break_after: int | None = None
        self.etags = True
        self.ranges: list[str | None] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                mirror.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = self.files.get(request.path)
        if body is None:
            request.send_error(404)
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        begin = 0
        if asked and request.headers.get("If-Range", tag) == tag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        if begin >= len(body):
            request.send_error(416)
            return
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        if self.etags:
            request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(body) - begin))
        request.end_headers()
        end = len(body) if self.break_after is None else min(len(body), begin + self.break_after)
        request.wfile.write(body[begin:end])
        if end < len(body):
            request.close_connection = True


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    mirror.files["/x.raw.xz"] = PACKED
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def left(cache: Path) -> list[str]:
    return sorted(p.name.rsplit("-", 1)[-1] for p in cache.iterdir() if p.suffix != ".lock")


def test_a_packed_image_is_fetched_once_and_keeps_its_holes(mirror: Mirror, tmp_path: Path) -> None:
    image = kdev.SeedImage.from_url(f"{mirror.url}/x.raw.xz", "freebsd", sha256=hashlib.sha256(PACKED).hexdigest())
    disk = image.fetch(tmp_path)
    assert disk.file.read_bytes() == DISK
    assert disk.size == len(DISK)
    assert 2 * MIB <= disk.real_size < 4 * MIB
    assert disk.file.suffix == ".raw"
    assert image.fetch(tmp_path) == disk
    assert len(mirror.ranges) == 1
    assert left(tmp_path) == ["x.raw", "x.raw.xz"]
    assert kdev.SeedImage.from_json(image.to_json()) == image
    assert image.is_disk


def test_what_broke_off_is_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    image = kdev.SeedImage.from_url(f"{mirror.url}/x.raw.xz", "freebsd")
    mirror.break_after = MIB
    with pytest.raises(kdev.HostError, match=r"1048576 bytes came.*\n.*goes on where it stopped"):
        image.fetch(tmp_path)
    mirror.break_after = None
    assert image.fetch(tmp_path).file.read_bytes() == DISK
    assert mirror.ranges == [None, f"bytes={MIB}-"]


def test_another_file_on_the_server_is_not_mixed_in(mirror: Mirror, tmp_path: Path) -> None:
    image = kdev.SeedImage.from_url(f"{mirror.url}/x.raw.xz", "freebsd")
    mirror.break_after = MIB
    with pytest.raises(kdev.HostError):
        image.fetch(tmp_path)
    mirror.break_after = None
    mirror.files["/x.raw.xz"] = lzma.compress(b"another one", preset=0)
    assert image.fetch(tmp_path).file.read_bytes() == b"another one"


def test_a_part_of_nobody_knows_what_is_not_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    mirror.etags = False
    image = kdev.SeedImage.from_url(f"{mirror.url}/x.raw.xz", "freebsd")
    mirror.break_after = MIB
    with pytest.raises(kdev.HostError):
        image.fetch(tmp_path)
    mirror.break_after = None
    assert image.fetch(tmp_path).file.read_bytes() == DISK
    assert mirror.ranges == [None, None]


def test_a_wrong_checksum_removes_the_file(mirror: Mirror, tmp_path: Path) -> None:
    image = kdev.SeedImage.from_url(f"{mirror.url}/x.raw.xz", "freebsd", sha256="0" * 64)
    with pytest.raises(kdev.FormatError, match=f"its SHA-256 is {hashlib.sha256(PACKED).hexdigest()}, 0000"):
        image.fetch(tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("form", ["SHA256 ({name}) = {sum}\n", "{sum}  {name}\n", "{sum} *./{name}\r\n"])
def test_a_checksum_file_says_what_is_right(mirror: Mirror, tmp_path: Path, form: str) -> None:
    good = hashlib.sha256(PACKED).hexdigest()
    other = form.format(name="other.raw.xz", sum="1" * 64)
    mirror.files["/CHECKSUM"] = (other + form.format(name="x.raw.xz", sum=good)).encode()
    url, checksums = f"{mirror.url}/x.raw.xz", f"{mirror.url}/CHECKSUM"
    assert kdev.SeedImage.from_url(url, "freebsd", checksums=checksums).fetch(tmp_path).size == len(DISK)
    mirror.files["/CHECKSUM"] = other.encode()
    with pytest.raises(kdev.FormatError, match="has no SHA-256 for"):
        kdev.SeedImage.from_url(url, "freebsd", checksums=checksums).fetch(tmp_path)


def test_errors_name_the_url(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(kdev.HostError, match=r"/none\.raw: .*404"):
        kdev.SeedImage.from_url(f"{mirror.url}/none.raw", "freebsd").fetch(tmp_path)
    with pytest.raises(kdev.ConfigError, match="no URL"):
        kdev.SeedImage.from_url("/tmp/x.raw", "freebsd")
    with pytest.raises(kdev.ConfigError, match="no SHA-256"):
        kdev.SeedImage.from_url("http://x/y", "freebsd", sha256="abc")
    with pytest.raises(kdev.HostError, match="no such file"):
        kdev.SeedImage.disk(tmp_path / "none.raw", "freebsd")


def test_an_image_that_names_other_files_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    plain = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(96)
    backed = plain[:8] + (112).to_bytes(8, "big") + plain[16:]
    data_file = plain[:72] + (4).to_bytes(8, "big") + plain[80:]
    for name, content in (("/plain.qcow2", plain), ("/backed.qcow2", backed), ("/data.qcow2", data_file)):
        mirror.files[name] = content
    assert kdev.SeedImage.from_url(f"{mirror.url}/plain.qcow2", "freebsd").fetch(tmp_path).size == len(plain)
    for name in ("backed", "data"):
        with pytest.raises(kdev.FormatError, match="names another file"):
            kdev.SeedImage.from_url(f"{mirror.url}/{name}.qcow2", "freebsd").fetch(tmp_path)


def test_a_silent_server_can_be_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = kdev.SeedImage.from_url(f"http://127.0.0.1:{silent.getsockname()[1]}/x.raw", "freebsd")
        with pytest.raises(kdev.TimeoutError, match=r"x\.raw"):
            image.fetch(tmp_path, timeout=0.3)


def test_damaged_data_is_told(tmp_path: Path) -> None:
    packed = tmp_path / "x.raw.xz"
    packed.write_bytes(PACKED[: len(PACKED) // 2])
    with pytest.raises(kdev.FormatError, match=r"x\.raw\.xz"):
        kdev.SeedImage.disk(packed, "freebsd").fetch(tmp_path / "cache")
    assert left(tmp_path / "cache") == []


def test_a_plain_file_is_used_as_it_is(tmp_path: Path) -> None:
    plain = tmp_path / "x.raw"
    plain.write_bytes(DISK[:MIB])
    image = kdev.SeedImage.disk(plain, "freebsd")
    assert image.fetch(tmp_path / "cache").file == plain
    assert image.grow("64M") != image
    with pytest.raises(kdev.ConfigError, match="whole disk"):
        image.entries()


def test_changes_wait_to_be_put_on_a_disk(tmp_path: Path) -> None:
    (tmp_path / "x.raw").write_bytes(b"x")
    image = kdev.SeedImage.disk(tmp_path / "x.raw", "freebsd").edit("/etc/rc.conf", set={"sshd_enable": "YES"})
    with pytest.raises(kdev.ConfigError, match="not on it yet"):
        kdev.VM(image=image, run_dir=tmp_path / "run").start()
