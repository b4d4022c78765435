"""A whole FreeBSD system, started by its own init(8) and rc(8). Skipped without a built world (see conftest.py)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import kdev
import pytest
from conftest import MakeVm

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]


@pytest.fixture(scope="module")
def world() -> kdev.UserlandArtifact:
    root = os.environ.get("KDEV_FREEBSD_WORLD")
    if not root:
        pytest.skip('KDEV_FREEBSD_WORLD names no workspace in which ws.build_userland("world") was run')
    userland = kdev.Workspace(root).build_userland("world")
    assert userland.kind == "world"
    return userland


@pytest.fixture(scope="module")
def image(world: kdev.UserlandArtifact) -> kdev.SeedImage:
    settings = {"hostname": "grown", "growfs_enable": "YES", "sendmail_enable": "NONE", "sshd_enable": "NO"}
    return (
        kdev.SeedImage.userland(world)
        .own_init()
        .edit("/etc/rc.conf", set=settings)
        .dump_settings(kdev.DumpSettings(device="AUTO", directory="/var/crash"))
        .add_content("", "/firstboot")
        .free_space("256M")  # a dump as savecore writes it goes there
        .swap("256M")
    )


def test_the_first_boot_grows_the_root(make_freebsd_vm: MakeVm, image: kdev.SeedImage) -> None:
    with make_freebsd_vm(image=image.grow("2G"), boot="bios", memory="512M", boot_timeout=300) as vm:
        vm.wait_console("login:", timeout=300)
        assert vm.run("ps -o args= -p 1").stdout.split()[0] == "/sbin/init"
        assert vm.run("hostname").stdout == "grown\n"
        blocks = int(vm.run("df -k / | tail -n 1").stdout.split()[1])
        assert blocks > 1_500_000, "of 2 GiB less swap"
        assert vm.run("ls /firstboot").exit_code != 0, "the first boot is over"
        assert vm.run("ls -l /usr/bin/su").stdout.startswith("-r-sr-xr-x"), "as METALOG says"
        assert vm.run("grep -c ' / ' /etc/fstab").stdout == "1\n"


def test_savecore_finds_what_is_lifted_on_the_host(
    make_freebsd_vm: MakeVm, image: kdev.SeedImage, freebsd_kernel: kdev.KernelArtifact, tmp_path: Path
) -> None:
    policy = kdev.OnCrash(then="dump")
    with make_freebsd_vm(image=image, boot="bios", memory="256M", boot_timeout=300, on_crash=policy) as vm:
        vm.wait_console("login:", timeout=300)
        crash = vm.run("sysctl debug.kdb.panic=1").crash
        assert crash is not None
        assert crash.dump == "Dump complete"
        lifted = kdev.lift_dump(vm.disks[0], tmp_path / "crash")
        begin = len(vm.console)
        vm.reboot()
        vm.wait_console("login:", timeout=300, start=begin)
        assert (
            vm.run("sha256 -q /var/crash/vmcore.0").stdout.strip()
            == hashlib.sha256(lifted.file.read_bytes()).hexdigest()
        )
        saved = vm.read_file("/var/crash/info.0").decode().splitlines()
        assert saved[1:] == lifted.info_file.read_text().splitlines()[1:], "the first line names the device"
    report = kdev.Core(lifted.file, freebsd_kernel).report()
    assert (report.title, report.function) == (crash.title, crash.function)
