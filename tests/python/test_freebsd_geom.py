"""The scaffold geom-class in a FreeBSD guest: labelled, written through, withdrawn. Skipped without a tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import kdev
import pytest
from conftest import wait_until

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]

KEY = 0x5A


@pytest.fixture(scope="module")
def guest(
    freebsd_ws: kdev.Workspace,
    freebsd_kernel: kdev.KernelArtifact,
    freebsd_userland: kdev.UserlandArtifact,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[kdev.VM]:
    """With the class "twist" as /m/geom_twist.ko, and its program."""
    ws, kernel, userland = freebsd_ws, freebsd_kernel, freebsd_userland
    folder = ws.scaffold("geom-class", "twist", tmp_path_factory.mktemp("module") / "twist")
    warnings: list[kdev.Event] = []
    module = ws.build_module(
        folder, kernel, on_event=lambda e: warnings.append(e) if isinstance(e, kdev.DiagnosticFound) else None
    )
    assert not warnings
    assert module.name == "geom_twist"
    made = subprocess.run(
        ["make", "-C", str(folder / "ctl"), f"SYSROOT={userland.sysroot}"], check=True, capture_output=True, text=True
    )
    assert "warning" not in made.stderr
    image = kdev.SeedImage.userland(userland).add_module(module).add_file(folder / "ctl/twistctl", "/bin/twistctl")
    run_dir = tmp_path_factory.mktemp("run")
    with kdev.VM(kernel=kernel, image=image, memory="512M", cpus=2, run_dir=run_dir) as vm:
        yield vm


@pytest.fixture
def disk(guest: kdev.VM) -> Iterator[kdev.VM]:
    """The class is loaded, and there is a disk md7 of 16 MB; afterwards both go, with all memory given back."""
    guest.run("kldload /m/geom_twist.ko && mdconfig -a -t swap -s 16m -u 7", check=True)
    yield guest
    guest.run("mdconfig -d -u 7 -o force")
    guest.run("kldunload geom_twist", check=True)
    assert "leaked memory" not in guest.run("dmesg").stdout


def test_data_are_transformed_on_their_way(disk: kdev.VM) -> None:
    disk.run(f"twistctl label -k {KEY} /dev/md7", check=True)
    assert disk.run("twistctl status").stdout == (
        f"md7.twist on md7 size {(16 << 20) - 512} open r0w0e0 Version 0 Key {KEY}\n"
    )
    data = os.urandom(1 << 20)
    disk.write_file("/tmp/data", data)
    disk.run(
        "dd if=/tmp/data of=/dev/md7.twist bs=128k && dd if=/dev/md7.twist of=/tmp/back bs=64k count=16", check=True
    )
    disk.run("dd if=/dev/md7 of=/tmp/below bs=64k count=16", check=True)
    assert disk.read_file("/tmp/back") == data
    assert disk.read_file("/tmp/below") == bytes(byte ^ KEY for byte in data)


def test_a_file_system_on_it_outlives_the_module(disk: kdev.VM) -> None:
    disk.run("twistctl label -k 200 md7 && newfs /dev/md7.twist && mount /dev/md7.twist /mnt", check=True)
    disk.run("cp /rescue/rescue /mnt/file", check=True)
    assert "busy" in disk.run("kldunload geom_twist").stderr
    assert "is open" in disk.run("twistctl destroy md7.twist").stderr
    assert "not permitted" in disk.run("dd if=/dev/zero of=/dev/md7 count=1").stderr
    # Loaded again, the module tastes the disk. WITNESS may dislike the order of umount's own locks (ufs, devfs):
    # that is a report, and the kernel goes on.
    assert disk.run("umount /mnt && kldunload geom_twist && kldload /m/geom_twist.ko").exit_code == 0
    disk.run("mount -r /dev/md7.twist /mnt", check=True)
    sums = disk.run("md5 -q /mnt/file /rescue/rescue; umount /mnt").stdout.split()
    assert len(sums) == 2
    assert sums[0] == sums[1]


def test_destroyed_it_stays_away(disk: kdev.VM) -> None:
    disk.run("twistctl label -k 1 md7", check=True)
    assert "there already" in disk.run("twistctl label -k 2 md7").stderr
    disk.run("twistctl destroy md7.twist", check=True)
    disk.run("kldunload geom_twist && kldload /m/geom_twist.ko", check=True)
    assert disk.run("twistctl status; ls /dev/md7*").stdout == "/dev/md7\n"
    # By force also while it is open.
    disk.run("twistctl label -k 1 md7", check=True)
    assert disk.run("exec 3<>/dev/md7.twist; twistctl destroy -f md7.twist; ls /dev/md7*").stdout == "/dev/md7\n"
    assert "not found" in disk.run("twistctl destroy md7.twist").stderr


def test_a_name_in_the_metadata_binds_them(disk: kdev.VM) -> None:
    disk.run("twistctl label -h -k 1 md7 && dd if=/dev/md7 of=/tmp/image bs=1m && mdconfig -d -u 7", check=True)
    disk.run("mdconfig -a -t vnode -f /tmp/image -u 6", check=True)
    assert disk.run("twistctl status; mdconfig -d -u 6").stdout == ""
    disk.run("mdconfig -a -t vnode -f /tmp/image -u 7", check=True)
    assert disk.run("twistctl status").stdout.startswith("md7.twist on md7 ")


def test_who_writes_past_it_has_it_tasted_anew(disk: kdev.VM) -> None:
    disk.run("twistctl label -k 1 md7", check=True)
    # The one that was there withers, in its own time, and another one takes its place.
    writing = disk.run("exec 3<>/dev/md7; twistctl status; echo closed; exec 3<&-").stdout
    before, _, _ = writing.partition("closed")
    assert not [line for line in before.splitlines() if "wither" not in line]
    assert wait_until(lambda: disk.run("twistctl status").stdout.startswith("md7.twist on md7 "))
    disk.run(f"dd if=/dev/zero of=/dev/md7 oseek={(16 << 11) - 1} count=1", check=True)
    assert disk.run("twistctl status").stdout == ""


def test_it_grows_with_the_disk(disk: kdev.VM) -> None:
    disk.run("twistctl label -k 1 md7", check=True)
    disk.run("exec 3</dev/md7.twist; mdconfig -r -u 7 -s 24m", check=True)
    assert f"size {(24 << 20) - 512} " in disk.run("twistctl status").stdout
    disk.run("kldunload geom_twist && kldload /m/geom_twist.ko", check=True)
    assert f"size {(24 << 20) - 512} " in disk.run("twistctl status").stdout
    disk.run("mdconfig -r -u 7 -s 8m -o force", check=True)
    assert disk.run("twistctl status").stdout == ""


def test_the_disk_is_withdrawn(disk: kdev.VM) -> None:
    disk.run("twistctl label -k 1 md7 && mdconfig -d -u 7 -o force", check=True)
    assert disk.run("twistctl status; ls /dev/md7*").stdout == ""
    # Under load: both ends see the error, and nothing else.
    disk.run("mdconfig -a -t swap -s 64m -u 7 && twistctl label -k 1 md7", check=True)
    disk.run(
        "writes() { while dd if=/dev/zero of=/dev/md7.twist bs=64k count=500; do :; done; }\n"
        "reads() { while dd if=/dev/md7.twist of=/dev/null bs=128k; do echo > /tmp/read; done; }\n"
        "writes & reads & until [ -e /tmp/read ]; do :; done\n"
        "mdconfig -d -u 7 -o force && wait",
        check=True,
    )
    assert disk.run("twistctl status; ls /dev/md7*").stdout == ""
    # With a file system mounted.
    disk.run("mdconfig -a -t swap -s 16m -u 7 && twistctl label -k 1 md7", check=True)
    disk.run("newfs /dev/md7.twist && mount /dev/md7.twist /mnt && mdconfig -d -u 7 -o force", check=True)
    disk.run("umount -f /mnt")
    assert disk.run("twistctl status; ls /dev/md7*").stdout == ""


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("label md7", "usage:"),
        ("label -k 256 md7", "up to 255"),
        ("label -k 1 nothing", "Provider not found"),
        ("destroy nothing", "Geom not found"),
        ("stop md7", "usage:"),
    ],
)
def test_the_program_says_what_is_wrong(disk: kdev.VM, command: str, error: str) -> None:
    result = disk.run(f"twistctl {command}")
    assert result.exit_code != 0
    assert error in result.stderr
