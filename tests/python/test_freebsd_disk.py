"""FreeBSD from a disk: both firmwares, a second kernel and back. Skipped without a tree (see conftest.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import kdev
import pytest

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]


def boots(
    kernel: kdev.KernelArtifact,
    userland: kdev.UserlandArtifact,
    run_dir: Path,
    boot: Literal["bios", "uefi"] = "bios",
    **more: object,
) -> kdev.VM:
    image = kdev.SeedImage.userland(userland)
    return kdev.VM(kernel=kernel, image=image, memory="512M", boot=boot, run_dir=run_dir, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_its_own_loader_boots_it(
    freebsd_kernel: kdev.KernelArtifact,
    freebsd_userland: kdev.UserlandArtifact,
    tmp_path: Path,
    firmware: Literal["bios", "uefi"],
) -> None:
    if firmware == "uefi" and not Path("/usr/share/qemu/firmware").is_dir():
        pytest.skip("no UEFI firmware is installed (apt install ovmf)")
    with boots(freebsd_kernel, freebsd_userland, tmp_path, firmware, cmdline="kdev.said=hello nullfs_load=YES") as vm:
        assert vm.run("sysctl -n machdep.bootmethod").stdout.lower() == f"{firmware}\n"
        assert vm.facts["build_id"] == freebsd_kernel.build_id
        assert vm.facts["bootfile"] == "/boot/kernel/kernel"
        assert vm.facts["ident"] == "KDEV"
        assert vm.run("kenv kdev.said").stdout == "hello\n"
        assert "nullfs.ko" in vm.run("kldstat").stdout
        assert vm.run("mount").stdout.startswith("/dev/gpt/rootfs on / (ufs, local, soft-updates)")
        disk = vm.disks[0]
        assert disk.stat().st_size < 64 << 20, "an overlay: what the guest wrote"


def test_what_it_wrote_is_there_after_a_crash(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    with boots(freebsd_kernel, freebsd_userland, tmp_path) as vm:
        vm.run("echo mark > /root/mark", check=True)
        vm.reboot()
        assert vm.run("cat /root/mark").stdout == "mark\n"
        assert vm.run("sysctl debug.kdb.panic=1").crash
        vm.reboot()
        assert vm.run("cat /root/mark").stdout == "mark\n"
        assert "read-only" not in vm.run("mount").stdout.splitlines()[0], "checked, and written to again"


def test_a_second_kernel_once_and_for_good(
    freebsd_kernel: kdev.KernelArtifact,
    freebsd_other_kernel: kdev.KernelArtifact,
    freebsd_userland: kdev.UserlandArtifact,
    tmp_path: Path,
) -> None:
    with boots(freebsd_kernel, freebsd_userland, tmp_path) as vm:
        vm.install(freebsd_other_kernel, "other")
        assert set(vm.kernels) == {"kernel", "other"}
        once = vm.reboot(once=True)
        assert (once.name, once.fell_back) == ("other", False)
        assert vm.facts["build_id"] == freebsd_other_kernel.build_id
        assert vm.facts["bootfile"] == "/boot/other/kernel"
        back = vm.reboot()
        assert back.name == "kernel"
        assert vm.facts["build_id"] == freebsd_kernel.build_id

        vm.reboot("other")
        assert vm.reboot().name == "other", "the usual one from now on"
        assert vm.facts["build_id"] == freebsd_other_kernel.build_id
        with pytest.raises(kdev.ConfigError, match="come back to"):
            vm.install(freebsd_kernel, "other")
        with pytest.raises(kdev.ConfigError, match="there is: kernel, other"):
            vm.reboot("none")
        with pytest.raises(kdev.ConfigError, match="no name for a kernel"):
            vm.install(freebsd_kernel, "../etc")


def test_a_kernel_that_does_not_come_up_leaves_the_usual_one(
    freebsd_kernel: kdev.KernelArtifact,
    freebsd_other_kernel: kdev.KernelArtifact,
    freebsd_userland: kdev.UserlandArtifact,
    tmp_path: Path,
) -> None:
    broken = tmp_path / "kernel"
    broken.write_bytes(freebsd_other_kernel.image.read_bytes()[:200_000])
    kernel = kdev.KernelArtifact.from_dict({**freebsd_other_kernel.to_dict(), "image": str(broken)})
    with boots(freebsd_kernel, freebsd_userland, tmp_path, boot_timeout=40) as vm:
        vm.run("echo mark > /root/mark", check=True)
        vm.install(kernel, "broken")
        result = vm.reboot()
        assert result.fell_back
        assert result.name == "kernel"
        assert vm.facts["build_id"] == freebsd_kernel.build_id
        assert "Failed to load kernel 'broken'" in vm.console
        assert vm.run("cat /root/mark").stdout == "mark\n"
        assert vm.reboot().name == "kernel", "it is not tried again"


def test_disks_of_its_own(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.raw"
    disks = [kdev.Disk(kept, size="16M", keep=True, serial="kept"), kdev.Disk.blank("32M")]
    image = kdev.SeedImage.userland(freebsd_userland)
    with kdev.VM(kernel=freebsd_kernel, image=image, memory="512M", disks=disks, run_dir=tmp_path) as vm:
        assert vm.run("cd /dev && ls vtbd*").stdout == "vtbd0\nvtbd1\n"
        vm.run("printf kdev | dd of=/dev/vtbd0 conv=sync; printf gone | dd of=/dev/vtbd1 conv=sync", check=True)
        blank = vm.disks[1]
        assert blank.stat().st_size == 32 << 20
        vm.reboot()
        assert vm.run("dd if=/dev/vtbd1 count=1").stdout.startswith("gone")
    assert kept.read_bytes()[:4] == b"kdev"
    assert not blank.exists()
    assert list((tmp_path / "logs").iterdir()), "the logs stay"


def test_an_image_without_loaders_says_so(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    image = kdev.SeedImage.directory(freebsd_userland.root)
    vm = kdev.VM(kernel=freebsd_kernel, image=image, boot="bios", run_dir=tmp_path)
    with pytest.raises(kdev.ConfigError, match="no boot loaders"):
        vm.start()
