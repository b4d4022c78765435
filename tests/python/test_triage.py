"""Reports that are counted, compared, and traced back to commits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner

OOPS = """
[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   12.345679] #PF: supervisor write access in kernel mode
[   12.345680] #PF: error_code(0x0002) - not-present page
[   12.345681] Oops: 0002 [#1] SMP PTI
[   12.345682] CPU: 0 PID: 77 Comm: insmod Not tainted {release} #1
[   12.345683] RIP: 0010:greet+0x10/0x20
[   12.345684] Call Trace:
[   12.345685]  <TASK>
[   12.345686]  do_one_initcall+0x56/0x230
[   12.345687]  do_init_module+0x4a/0x210
[   12.345688]  </TASK>
[   12.345689] ---[ end trace 0000000000000000 ]---
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "console.log"
    file.write_text(OOPS.format(release="6.1.0"))
    return file


def run(*argv: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in argv])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_history_from_the_command_line(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "crashes.db"
    first = run("crash", "history", file, "--add", log)
    assert "new" in first
    assert "BUG: unable to handle kernel NULL pointer dereference in greet" in first
    assert "new" not in run("crash", "history", file, "--add", log)
    (seen,) = [json.loads(line) for line in run("crash", "history", file, "--json").splitlines()]
    assert (seen["count"], seen["function"], seen["last_release"]) == (2, "greet", "6.1.0")
    (report,) = kdev.scan_console(log.read_text())
    assert seen["key"] == kdev.crash_key(report)

    other = tmp_path / "other.log"
    lines = OOPS.format(release="6.2.0").splitlines()
    lines[1:5] = [
        "[   12.345678] general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP"
    ]
    other.write_text("\n".join(lines))
    alike = run("crash", "history", file, "--similar", other)
    assert 'both may be called "bad-access in greet"' in alike


def test_suspects_from_python(tmp_path: Path, log: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "D. Veloper"}
    (tree / "greet.c").write_text("int greet(void)\n{\n\treturn *(int *)0;\n}\n")
    for command in ("init -q", "add -A", "-c user.name=C -c user.email=c@example.org commit -q -m greet:\\ begin"):
        subprocess.run(f"git -C {tree} {command}", shell=True, check=True, env=environment)
    (report,) = kdev.scan_console(log.read_text())
    data = report.to_dict()
    data["traces"][0]["frames"][0] |= {"file": "greet.c", "line": 3}
    found = kdev.suspects(kdev.CrashReport.from_dict(data), tree)
    (line,) = found.lines
    assert line.last is not None
    assert (line.last.author, line.last.subject) == ("D. Veloper", "greet: begin")
    assert found.recent == [line.last]
    assert kdev.Suspects.from_json(found.to_json()) == found
    with pytest.raises(kdev.ConfigError, match="no git repository"):
        kdev.suspects(report, tmp_path)
