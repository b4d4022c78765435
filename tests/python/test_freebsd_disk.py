"""FreeBSD from a disk: both firmwares, a second kernel and back. Skipped without a tree (see conftest.py)."""

from __future__ import annotations

import lzma
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

        vm.reboot("other", once=True)
        vm.stop()
        vm.start()
        assert vm.facts["build_id"] == freebsd_kernel.build_id, "once is over"
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


RC = """\
PATH=/sbin:/bin
mount -u -o rw /
for script in /usr/local/etc/rc.d/*; do [ -x "$script" ] && sh "$script" faststart; done
"""


def test_a_disk_of_its_own_init_is_customized_and_boots(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    """As one does with a release's image, which nobody gives root to mount here."""
    ours = (
        kdev.SeedImage.userland(freebsd_userland)
        .free_space("48M")
        .swap("0")
        .add_content(RC, "/etc/rc", 0o755)
        .add_content('hostname="seed"\nkld_list="one" # more\n', "/etc/rc.conf", 0o640)
    )
    seed = ours.write_disk(tmp_path / "seed.raw", freebsd_kernel, variables="init_path=/rescue/init")
    assert seed.real_size < 48 << 20 < seed.size
    before = seed.file.read_bytes()
    packed = tmp_path / "seed.raw.xz"
    packed.write_bytes(lzma.compress(before, preset=0))

    host_key = tmp_path / "ssh_host_ed25519_key"
    host_key.write_text("key\n")
    seen: list[kdev.Event] = []
    image = kdev.customize(
        kdev.SeedImage.disk(packed, "freebsd")
        .edit("/etc/rc.conf", set={"ifconfig_vtnet0": "SYNCDHCP"}, append={"kld_list": "filemon"}, remove=["hostname"])
        .edit("/boot/loader.conf", set={"kern.msgbuf_show_timestamp": "2", "hint.uart.1.flags": "0x80"})
        .edit("/etc/fstab", lines=["fdesc /dev/fd fdescfs rw 0 0"])
        .edit("/etc/ssh/sshd_config", directives={"PermitRootLogin": "yes"})
        .add_file(host_key, "/etc/ssh/ssh_host_ed25519_key", 0o600)
        .dump_settings(kdev.DumpSettings(background_fsck=False))
        .grow("1G"),
        freebsd_kernel,
        freebsd_userland,
        cache_dir=tmp_path / "cache",
        on_event=seen.append,
    )
    assert any("freebsd-ufs" in str(event) for event in seen), "the partitions are listed"
    assert seed.file.read_bytes() == before

    with kdev.VM(image=image, memory="512M", run_dir=tmp_path / "run") as vm:
        assert vm.facts["build_id"] == freebsd_kernel.build_id
        assert vm.run("ps -o args= -p 1").stdout.split()[0] == "/rescue/init", "the agent is a service"
        assert vm.read_file("/etc/rc.conf").decode() == (
            'kld_list="one filemon" # more\nifconfig_vtnet0="SYNCDHCP"\nbackground_fsck="NO"\n'
        )
        assert vm.run("ls -l /etc/rc.conf").stdout.startswith("-rw-r-----")
        assert vm.run("ls -l /etc/ssh/ssh_host_ed25519_key").stdout.startswith("-rw-------")
        assert vm.read_file("/etc/ssh/sshd_config") == b"PermitRootLogin yes\n"
        assert vm.read_file("/etc/fstab").decode().endswith("fdesc /dev/fd fdescfs rw 0 0\n")
        assert vm.run("sysctl -n kern.msgbuf_show_timestamp").stdout == "2\n"
        assert vm.run("kenv hint.uart.1.flags").stdout == "0x80\n"
        assert "vtblk0: 1024MB" in vm.console, "grown"
        vm.run("echo mark > /root/mark", check=True)
        vm.reboot()
        assert vm.run("cat /root/mark").stdout == "mark\n"


def test_dump_settings_take_effect(
    freebsd_kernel: kdev.KernelArtifact, freebsd_userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    settings = kdev.DumpSettings(
        device="gpt/swapfs", memory="256M", enter_debugger=False, file_delay=5, directory_delay=4, metadata_delay=3
    )
    names = "kern.shutdown.dumpdevname debug.debugger_on_panic kern.filedelay kern.dirdelay kern.metadelay"
    image = kdev.SeedImage.userland(freebsd_userland).dump_settings(settings)
    with kdev.VM(kernel=freebsd_kernel, image=image, memory="512M", boot="bios", run_dir=tmp_path) as vm:
        assert vm.run(f"sysctl -n {names}").stdout.split() == ["gpt/swapfs", "0", "5", "4", "3"]
        assert int(vm.run("sysctl -n hw.physmem").stdout) <= 256 << 20
        vm.apply(kdev.DumpSettings(device="NO", enter_debugger=True, file_delay=30))
        assert vm.run(f"sysctl -n {names}").stdout.split() == ["1", "30", "4", "3"]
        with pytest.raises(kdev.ConfigError, match="takes effect with a boot"):
            vm.apply(kdev.DumpSettings(memory="128M"))
        with pytest.raises(kdev.GuestError, match="dumpon"):
            vm.apply(kdev.DumpSettings(device="nope"))
