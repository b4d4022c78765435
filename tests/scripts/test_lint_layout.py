"""The layout lint finds what it is there to find: each test breaks one promise in a made-up checkout."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lint_layout.py"


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    files = {
        "libkdev/CMakeLists.txt": "kdev_folder(common)\nkdev_folder(host DEPENDS common LIBS x)\n"
        "kdev_folder(build DEPENDS guest)\nkdev_folder(guest DEPENDS host)\nkdev_folder(hypervisor DEPENDS host)\n"
        "kdev_folder(image DEPENDS host)\nkdev_folder(vm DEPENDS image guest hypervisor)\n",
        "libkdev/include/kdev/one.hpp": "#pragma once\n#include <string>\nstd::string one();\n",
        "libkdev/src/vm/vm.cpp": '#include "image/cpio.hpp"\n#include "guest/guest.hpp"\n',
        "libkdev/src/image/cpio.hpp": '#include "host/files.hpp"\n',
        "libkdev/src/guest/linux/boot.cpp": '#include "guest/boot_plan.hpp"\n// booted by qemu\n',
        "libkdev/src/hypervisor/qemu/argv.cpp": '#include "guest/boot_plan.hpp"\n#include <linux/if_tun.h>\n',
        "README.md": "Nothing.\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def lint(checkout: pathlib.Path) -> tuple[int, str]:
    result = subprocess.run([sys.executable, str(LINT), str(checkout)], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def add(checkout: pathlib.Path, name: str, text: str) -> None:
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_clean_checkout_passes(checkout: pathlib.Path) -> None:
    status, text = lint(checkout)
    assert status == 0, text
    assert "0 errors, 0 warnings" in text


HOST = "pypi" + ".org"


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("libkdev/src/host/up.cpp", '#include "vm/vm.hpp"\n', "up.cpp:1: host/ includes vm/vm.hpp: upward"),
        ("libkdev/src/image/side.cpp", '#include "vm/vm.hpp"\n', "image/ includes vm/vm.hpp: no such arrow"),
        ("libkdev/src/guest/x.cpp", '#include "hypervisor/hypervisor.hpp"\n', "they meet only in"),
        ("libkdev/src/hypervisor/x.cpp", '#include "guest/guest.hpp"\n', "they meet only in"),
        ("libkdev/src/guest/linux/y.cpp", 'auto s = "qemu";\n', "guest/ names 'qemu'"),
        ("libkdev/src/hypervisor/y.cpp", "int Linux = 0;\n", "hypervisor/ names 'Linux'"),
        ("libkdev/src/vm/z.cpp", 'auto s = "a Linux tree";\n', "vm/z.cpp:1: names a guest outside guest/: 'Linux'"),
        ("libkdev/src/vm/z.cpp", "auto f = linux_banner;\n", "names a guest outside guest/: 'linux'"),
        ("libkdev/src/vm/z.cpp", "Os os;\nbool b = os == Os::other;\n", "vm/z.cpp:2: asks which guest it is"),
        ("libkdev/src/vm/z.cpp", "switch (os) {\n  case Os::other:\n", "vm/z.cpp:2: asks which guest it is"),
        ("libkdev/src/vm/z.hpp", "bool b = Os::other != os;\n", "asks which guest it is"),
        ("libkdev/include/kdev/g.hpp", "#pragma once\nenum A { freebsd };\n", "names a guest outside guest/"),
        ("python/bind/z.cpp", "if (os == Os::linux) return;\n", "asks which guest it is"),
        ("libkdev/src/build/z.cpp", 'auto s = "obj-m := x.o";\n', "a word of Kbuild's in build/: 'obj-m'"),
        ("libkdev/src/build/z.cpp", 'run("KBUILD_OUTPUT");\n', "a word of Kbuild's in build/: 'KBUILD_'"),
        ("libkdev/src/build/z.cpp", 'a.starts_with(".tmp_");\n', "a word of Kbuild's in build/: '.tmp_'"),
        ("libkdev/src/vm/z.cpp", '#include "guest/linux/boot.hpp"\n', "a file of one guest"),
        ("libkdev/src/vm/z.cpp", '#include "hypervisor/qemu/argv.hpp"\n', "a file of one hypervisor"),
        ("libkdev/src/else/z.cpp", "\n", "folder else has no level"),
        ("libkdev/include/kdev/bad.hpp", "#pragma once\nstd::string s();\n", "does not compile alone"),
        ("libkdev/include/kdev/fmt.hpp", "#include <fmt/core.h>\n", "a public header includes fmt/core.h"),
        ("docs/a.md", f"see https://{HOST}/x\n", "names a registry's host"),
    ],
)
def test_a_broken_promise_is_found(checkout: pathlib.Path, name: str, text: str, finding: str) -> None:
    add(checkout, name, text)
    status, output = lint(checkout)
    assert status == 1, output
    assert finding in output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("libkdev/src/host/z.cpp", 'bool linux = sysname == "Linux";\n'),
        ("libkdev/src/guest/z.cpp", "bool b = os == Os::linux;\n"),
        ("libkdev/src/vm/z.cpp", "// Linux says so\n#include <linux/fs.h>\nauto a = vmlinux, b = linuxrc;\n"),
        ("libkdev/src/vm/z.cpp", "struct S {\n  Os os = Os::linux;\n};\nvoid f(int a, Os os = Os::linux);\n"),
        ("libkdev/include/kdev/z.hpp", "#pragma once\n#undef linux\nenum class Os { linux, freebsd };\n"),
        ("libkdev/src/build/z.cpp", "// obj-m is Kbuild's\nauto x = object.modules;\n"),
        ("libkdev/src/guest/z.cpp", 'auto s = "obj-m := x.o";\n'),
    ],
)
def test_what_is_not_a_broken_promise(checkout: pathlib.Path, name: str, text: str) -> None:
    add(checkout, name, text)
    status, output = lint(checkout)
    assert status == 0, output


def test_a_cycle_of_folders_is_found(checkout: pathlib.Path) -> None:
    cmake = checkout / "libkdev" / "CMakeLists.txt"
    cmake.write_text(cmake.read_text().replace("(image DEPENDS host)", "(image DEPENDS vm)"))
    status, output = lint(checkout)
    assert status == 1
    assert "a cycle of folders" in output


def test_a_long_file_is_a_warning(checkout: pathlib.Path) -> None:
    add(checkout, "libkdev/src/vm/long.cpp", "\n" * 401)
    status, output = lint(checkout)
    assert status == 0, output
    assert "401 lines" in output


def test_an_empty_checkout_is_no_success(checkout: pathlib.Path) -> None:
    shutil.rmtree(checkout / "libkdev")
    assert lint(checkout)[0] != 0
