"""FreeBSD from its tree: kernel, userland, module, guest. Skipped without a tree (see conftest.py)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kdev
import pytest

pytestmark = [pytest.mark.boot, pytest.mark.freebsd]


@pytest.fixture(scope="module")
def ws(freebsd_ws: kdev.Workspace) -> kdev.Workspace:
    return freebsd_ws


@pytest.fixture(scope="module")
def kernel(freebsd_kernel: kdev.KernelArtifact) -> kdev.KernelArtifact:
    return freebsd_kernel


@pytest.fixture(scope="module")
def userland(freebsd_userland: kdev.UserlandArtifact) -> kdev.UserlandArtifact:
    return freebsd_userland


@pytest.fixture
def folder(ws: kdev.Workspace, guest_name: str) -> Iterator[Path]:
    """For a module's sources; gone afterwards."""
    dir = ws.src / guest_name
    yield dir
    shutil.rmtree(dir, ignore_errors=True)


def test_a_kernel_with_its_modules(kernel: kdev.KernelArtifact) -> None:
    assert kernel.os == "freebsd"
    assert kernel.arch == "x86_64"
    assert kernel.release.startswith("1")
    assert len(kernel.build_id) == 40
    assert kernel.modules is not None
    assert (kernel.modules / "boot/kernel/nullfs.ko").is_file()
    assert kernel.lookup("ffffffff80")  # its symbols are found


def test_a_kernel_is_installed_with_all_that_debuggers_want(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    installed = ws.install_kernel(kernel, tmp_path / "stage", "debug0")
    assert installed.kernel == tmp_path / "stage/boot/debug0/kernel"
    assert kdev.read_build_id(installed.kernel) == kernel.build_id
    assert installed.modules is not None
    assert (installed.modules / "nullfs.ko").is_file()
    assert installed.debug is not None
    assert {"kernel.debug", "nullfs.ko.debug"} <= {file.name for file in installed.debug.iterdir()}
    # What the log states is what makefs takes for a root's folder.
    assert installed.metalog is not None
    assert userland.makefs is not None
    text = "#mtree 2.0\n. type=dir uname=root gname=wheel mode=0755\n" + installed.metalog.read_text()
    spec = tmp_path / "spec"
    spec.write_text(text)
    image = tmp_path / "root.ufs"
    argv = [userland.makefs, "-t", "ffs", "-N", ws.source / "etc", "-F", spec, image, tmp_path / "stage"]
    subprocess.run(argv, check=True, capture_output=True)
    assert image.stat().st_size > 10 << 20


def test_asked_for_again_it_comes_from_the_store(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact
) -> None:
    again = ws.build(kdev.KernConf.tiny(ws).preset("debug").module("nullfs"))
    assert again.from_store
    assert again.id == kernel.id
    assert ws.build_userland().from_store
    assert userland.makefs is not None


def test_the_loaders_and_what_makes_a_disk_image_come_along(userland: kdev.UserlandArtifact) -> None:
    assert userland.boot is not None
    for name in ("pmbr", "gptboot", "loader", "loader.efi", "lua/loader.lua", "defaults/loader.conf", "device.hints"):
        assert (userland.boot / name).stat().st_size > 0, name
    assert (userland.boot / "pmbr").read_bytes()[-2:] == b"\x55\xaa"
    assert (userland.boot / "loader.efi").read_bytes()[:2] == b"MZ"
    assert userland.mkimg is not None
    subprocess.run([userland.mkimg, "--version"], check=True, capture_output=True)


def test_unknown_names_are_told_before_anything_is_built(ws: kdev.Workspace) -> None:
    with pytest.raises(kdev.ConfigError, match=r"options WITNES=y.*similar ones: WITNESS"):
        ws.build(kdev.KernConf.tiny(ws).enable("WITNES"))


def test_the_trees_own_config_is_asked_too(ws: kdev.Workspace, kernel: kdev.KernelArtifact, tmp_path: Path) -> None:
    conf = kdev.KernConf.tiny(ws)
    conf.resolve(ws)
    fragment = tmp_path / "MORE"
    fragment.write_text('hints "NOSUCH.hints"\n')
    with pytest.raises(kdev.ConfigError, match=r"config\(8\) of the tree refuses it: NOSUCH.hints: No such file"):
        conf.fragment(fragment).resolve(ws)


def test_commands_run_in_the_guest(
    kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact, tmp_path: Path
) -> None:
    image = kdev.SeedImage.userland(userland)
    with kdev.VM(kernel=kernel, image=image, memory="512M", cpus=2, run_dir=tmp_path) as vm:
        assert vm.run("sysctl -n kern.ostype kern.ident").stdout == "FreeBSD\nKDEV\n"
        result = vm.run("cat /nope; exit 3")
        assert (result.stdout, result.exit_code) == ("", 3)
        assert "No such file" in result.stderr
        assert vm.run("df /").exit_code == 0


def test_a_scaffold_becomes_a_loaded_module(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact, folder: Path, tmp_path: Path
) -> None:
    module = ws.build_module(ws.scaffold("hello", "greeter", folder), kernel)
    assert module.name == "greeter"
    assert ws.build_module(folder, kernel).from_store
    image = kdev.SeedImage.userland(userland).add_module(module)
    with kdev.VM(kernel=kernel, image=image, memory="512M", run_dir=tmp_path) as vm:
        assert vm.run("kldload /m/greeter.ko").exit_code == 0
        assert vm.run("sysctl debug.greeter.who=kdev").stdout == "debug.greeter.who: world -> kdev\n"
        assert vm.run("kldunload greeter").exit_code == 0
        assert "hello, world" in vm.console
        assert "goodbye, kdev" in vm.console


def test_a_trap_in_a_module_names_the_line_of_its_source(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact, folder: Path, tmp_path: Path
) -> None:
    ws.scaffold("hello", "crasher", folder)
    source = folder / "crasher.c"
    source.write_text(source.read_text().replace('printf("hello, %s\\n", name);', "*(volatile int *)16 = name[0];"))
    module = ws.build_module(folder, kernel)
    image = kdev.SeedImage.userland(userland).add_module(module)
    with kdev.VM(kernel=kernel, image=image, memory="512M", modules=[module], run_dir=tmp_path) as vm:
        crash = vm.run("kldload /m/crasher.ko").crash
        assert crash is not None
        assert crash.title == "Fatal trap NUM: page fault in greet"
        assert crash.registers["CR2"] == "0x10"
        assert not crash.corrupted
        assert crash.notes == []
        guilty = crash.guilty
        assert guilty is not None
        assert guilty.module == "crasher"
        assert Path(guilty.file).name == "crasher.c"
        assert guilty.source == "*(volatile int *)16 = name[0];"
        assert vm.state == "crashed"
        vm.reboot()
        assert vm.run("echo up").stdout == "up\n"


def test_a_hung_guest_says_where_it_hangs(
    ws: kdev.Workspace, kernel: kdev.KernelArtifact, userland: kdev.UserlandArtifact, folder: Path, tmp_path: Path
) -> None:
    ws.scaffold("hello", "spinner", folder)
    source = folder / "spinner.c"
    text = source.read_text().replace('printf("hello, %s\\n", name);', "spinlock_enter(); for (;;) ;")
    source.write_text(text.replace("#include <sys/sysctl.h>", "#include <sys/sysctl.h>\n#include <sys/lock.h>"))
    module = ws.build_module(folder, kernel)
    image = kdev.SeedImage.userland(userland).add_module(module)
    with kdev.VM(kernel=kernel, image=image, memory="512M", cpus=1, modules=[module], run_dir=tmp_path) as vm:
        result = vm.run("kldload /m/spinner.ko", timeout=3)
        assert vm.state == "hung"
        assert result.crash is not None
        assert result.crash.title == "NMI in greet"
        assert result.crash.guilty is not None
        assert "for (;;) ;" in result.crash.guilty.source


def test_a_broken_module_is_a_build_error(ws: kdev.Workspace, kernel: kdev.KernelArtifact, folder: Path) -> None:
    ws.scaffold("hello", "broken", folder)
    source = folder / "broken.c"
    source.write_text(source.read_text().replace("return (greet(who));", "return (greet(nobody));"))
    with pytest.raises(kdev.BuildError) as caught:
        ws.build_module(folder, kernel)
    first = caught.value.diagnostics[0]
    assert first.file == source
    assert "nobody" in first.message


def test_the_command_builds_boots_and_tells_its_commands(ws: kdev.Workspace, kernel: kdev.KernelArtifact) -> None:
    where = str(ws.root)
    said = kdev_command("build", where, "--preset", "debug", "--module", "nullfs", "--print")
    assert "kernel-toolchain" in said
    assert "buildkernel" in said
    assert f"SRCCONF={where}/conf/src.conf" in said
    assert kernel.build_id[:16] in kdev_command("build", where, "--preset", "debug", "--module", "nullfs")
    assert kdev_command("run", where, "--", "sysctl", "-n", "kern.ident") == "KDEV\n"


def kdev_command(*arguments: str) -> str:
    """Standard output of the kdev command."""
    return subprocess.run([sys.executable, "-m", "kdev", *arguments], check=True, capture_output=True, text=True).stdout
