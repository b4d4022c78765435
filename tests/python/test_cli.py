"""The kdev command, without guests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import kdev
import pytest
from fake_tree import make_tree
from kdev.cli import app
from kdev.cli.boot import exit_code
from typer.testing import CliRunner, Result

DATA = Path(__file__).parent / "data"


def invoke(*arguments: str, **options: object) -> Result:
    return CliRunner().invoke(app, list(arguments), **options)  # type: ignore[arg-type]


def test_help_names_every_command() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for name in ("doctor", "build", "install", "boot", "run", "crash", "address-space", "demo"):
        assert name in result.output
        assert invoke(name, "--help").exit_code == 0


def test_version() -> None:
    assert invoke("--version").output.strip() == f"kdev {kdev.__version__}"


def test_address_space() -> None:
    lines = invoke("address-space", "1G", "--smp").output.splitlines()
    assert lines[1].split()[:5] == ["1024", "MB", "254", "0xc0000000", "0xc0100000"]
    assert lines[2].strip() == "sys/i386/conf/Makefile.i386: LOAD_ADDRESS = 0xc0100000"
    space = json.loads(invoke("address-space", "256M", "--json").output)
    assert (space["nkpde"], space["load_address"]) == (63, 0xF0100000)
    assert len(invoke("address-space").output.splitlines()) == 1 + 5 * 3
    assert invoke("address-space", "much").exit_code == 2


def test_decode() -> None:
    log = str(DATA / "lkdtm-exception.log")
    result = invoke("crash", "decode", log)
    assert result.exit_code == 0
    assert "NULL pointer dereference in lkdtm_EXCEPTION" in result.output
    rows = [json.loads(line) for line in invoke("crash", "decode", "--json", log).output.splitlines()]
    assert [row["function"] for row in rows] == ["lkdtm_EXCEPTION"]
    page = invoke("crash", "decode", "--html", log).output
    assert page.startswith("<!doctype html>") and "lkdtm_EXCEPTION" in page


def test_decode_from_standard_input() -> None:
    result = invoke("crash", "decode", "-", input=(DATA / "lkdtm-exception.log").read_bytes())
    assert result.exit_code == 0 and "lkdtm_EXCEPTION" in result.output


def test_decode_of_the_text_itself(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int sink;\nvoid _start(void) {\n  sink = 1;\n}\n")
    subprocess.run(
        ["gcc", "-g", "-nostdlib", "-no-pie", "-Wl,--build-id=0xdeadbeefc0ffee00", "-o", "vmlinux", "a.c"],
        cwd=tmp_path,
        check=True,
    )
    text = b"\xff all is well\n RIP: 0010:_start+0x4/0x%x\n" % text_size(tmp_path / "vmlinux")
    kernel = ("--vmlinux", str(tmp_path / "vmlinux"), "--source", str(tmp_path))
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    result = invoke("crash", "decode", "--text", "-", *kernel, "--source-text", input=text, env=env)
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes == text[:-1] + b" a.c:3  | sink = 1;\n"
    # Now it has an index, and says the same.
    (index,) = (tmp_path / "cache" / "kdev" / "symbols").iterdir()
    again = invoke("crash", "decode", "--text", "-", *kernel, "--source-text", input=text, env=env)
    assert again.stdout_bytes == result.stdout_bytes
    assert invoke("crash", "index", "--vmlinux", kernel[1], env=env).output.strip() == str(index)
    assert invoke("crash", "decode", "--text", "-", input=text).exit_code == 2, "with which kernel?"
    assert invoke("crash", "decode", "--text", "--os", "openbsd", "-", *kernel, input=text).exit_code == 2
    assert invoke("crash", "index").exit_code == 2
    # Not even the folder is there: all is printed, and why there will be no index.
    env["XDG_CACHE_HOME"] = str(tmp_path / "vmlinux")
    without = invoke("crash", "decode", "--text", "-", *kernel, "--source-text", input=text, env=env)
    assert without.exit_code == 0 and without.stdout_bytes == result.stdout_bytes
    assert "there is no index of vmlinux" in without.stderr


def text_size(program: Path) -> int:
    """Also that of the one function in it."""
    rows = subprocess.run(["size", "-Ax", program], capture_output=True, text=True, check=True).stdout.splitlines()
    return next(int(row.split()[1], 16) for row in rows if row.startswith(".text"))


def test_decode_of_a_quiet_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("all is well\n")
    assert invoke("crash", "decode", str(tmp_path / "log")).exit_code == 1


def test_lookup(tmp_path: Path) -> None:
    (tmp_path / "System.map").write_text(
        "ffffffff81000000 T _stext\nffffffff81000400 T next_one\nffffffff81000500 T _etext\n"
    )
    result = invoke("crash", "lookup", str(tmp_path / "System.map"), "ffffffff81000404")
    assert result.output.split() == ["ffffffff81000400", "T", "next_one+0x4"]
    row = json.loads(invoke("crash", "lookup", "--json", str(tmp_path / "System.map"), "ffffffff81000404").output)
    assert (row["name"], row["offset"]) == ("next_one", 4)
    assert invoke("crash", "lookup", str(tmp_path / "System.map"), "10").exit_code == 1


def test_show_conf(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree", "")
    (tmp_path / "frag").write_text("CONFIG_FOO=y\n# CONFIG_BAR is not set\n")
    result = invoke(
        *("build", str(tmp_path / "ws"), "--source", str(tree), "--preset", "debug", "--enable", "LKDTM"),
        *("--disable", "NET", "--module", "DUMMY", "--set", "NR_CPUS=4", "--fragment", str(tmp_path / "frag")),
        "--show-conf",
    )
    assert result.exit_code == 0, result.output
    for part in ("LKDTM", "NET", "DUMMY", "NR_CPUS", "FOO", "BAR", "preset debug"):
        assert part in result.output


def test_bad_arguments(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree", "")
    base = ["build", str(tmp_path / "ws"), "--source", str(tree)]
    assert invoke(*base, "--base", "huge").exit_code == 2
    assert invoke(*base, "--set", "NR_CPUS").exit_code == 2
    assert invoke("boot", str(tmp_path / "ws")).exit_code == 2
    assert invoke("run", str(tmp_path / "nothing"), "--", "true").exit_code == 2
    assert invoke("demo", env={"KDEV_LINUX_SOURCE": ""}).exit_code == 2
    log = str(DATA / "lkdtm-exception.log")
    assert invoke("crash", "decode", "--os", "beos", log).exit_code == 2
    assert invoke("crash", "decode", "--os", "linux", log).exit_code == 0


def test_errors_are_text(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kdev", "build", tmp_path / "ws", "--source", tmp_path / "no-tree"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "no-tree" in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_doctor() -> None:
    rows = [json.loads(line) for line in invoke("doctor", "--json").output.splitlines()]
    names = {row["name"] for row in rows}
    assert {"make", "flex", "bison", "bc", "libelf", "ccache", "qemu-system-x86_64", "accelerator", "busybox"} <= names
    assert names & {"gcc", "clang"}
    bad = [row["name"] for row in rows if row["state"] in ("missing", "broken")]
    result = invoke("doctor")
    assert result.exit_code == (1 if bad else 0)
    accelerator = next(row for row in rows if row["name"] == "accelerator")
    assert accelerator["detail"].split(":")[0] in ("kvm", "tcg") and len(accelerator["detail"]) > 5


def test_doctor_without_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kdev", "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    # Programs in /usr/sbin and /sbin are found all the same; make is in neither.
    assert rows["make"]["state"] == "missing" and "apt install" in rows["make"]["hint"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"exit_code": 0}, 0), ({"exit_code": 7}, 7), ({"signal": 9}, 137), ({"timed_out": True, "signal": 9}, 124)],
)
def test_exit_codes(fields: dict[str, object], code: int) -> None:
    assert exit_code(kdev.CommandResult.from_dict(fields)) == code
