"""kdev crash score: every count is of what it says."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import kdev
import pytest
from kdev.cli import app
from typer.testing import CliRunner

DATA = Path(__file__).parent / "data"
OOPS = "lkdtm-exception.log"
PUBLIC = os.environ.get("KDEV_CRASHLOGS", "")

OPENBSD = """login: panic: pool_get: mbufpl: page empty
Stopped at      db_enter+0x18:  addq    $0x8,%rsp
    TID    PID    UID     PRFLAGS     PFLAGS  CPU  COMMAND
*208858     57      0           0          0    0  dhclient
db_enter() at db_enter+0x18
panic(ffffffff821b9389) at panic+0x15c
m_get(1,2) at m_get+0x31
soreceive(1,2) at soreceive+0x170a
end trace frame: 0x7f7ffffdc1b0, count: 7
ddb> reboot
"""


def entry(file: str, system: str, title: str, **more: object) -> dict[str, object]:
    return {"file": file, "os": system, "title": title, "type": "", "alt": [], "corrupted": False} | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    shutil.copy(DATA / OOPS, tmp_path / "logs" / OOPS)
    (tmp_path / "logs" / "quiet.log").write_text("[    1.000000] all is well\n")
    (tmp_path / "logs" / "obsd.log").write_text(OPENBSD)
    return tmp_path


def scored(folder: Path, expected: list[dict[str, object]], *options: str) -> tuple[str, dict[str, object]]:
    (folder / "expected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in expected))
    told = CliRunner().invoke(app, ["crash", "score", str(folder), *options])
    assert told.exit_code == 0, told.output
    counts = CliRunner().invoke(app, ["crash", "score", str(folder), "--json", *options])
    assert counts.exit_code == 0 and counts.stdout.count("\n") == 1
    return told.stdout, json.loads(counts.stdout)


def test_all_right(folder: Path) -> None:
    (report,) = kdev.scan_console((DATA / OOPS).read_bytes())
    (obsd,) = kdev.scan_console(OPENBSD)
    assert obsd.os == "openbsd" and obsd.function == "soreceive"
    rows = [
        entry(OOPS, "linux", report.title, type=report.type, alt=report.alternative_titles),
        entry("quiet.log", "linux", ""),
        entry("obsd.log", "openbsd", obsd.title, type=obsd.type),
    ]
    for options in ([], ["--detect"]):
        text, counts = scored(folder, rows, *options)
        systems = counts.pop("systems")
        assert counts == {
            "total": 3,
            "title_ok": 3,
            "type_ok": 3,
            "alt_ok": 3,
            "corrupted_ok": 3,
            "panicked_ok": 0,
            "panicked_total": 0,
            "false_reports": 0,
            "no_crash_total": 1,
        }
        assert isinstance(systems, dict) and systems["openbsd"]["total"] == 1 and systems["linux"]["total"] == 2
        assert "+" not in text


def test_each_miss_counts_alone(folder: Path) -> None:
    (report,) = kdev.scan_console((DATA / OOPS).read_bytes())
    right = entry(OOPS, "linux", report.title, type=report.type, alt=report.alternative_titles)
    for wrong, lost in (
        ({"title": "another"}, "title_ok"),
        ({"type": "another"}, "type_ok"),
        ({"alt": ["another"]}, "alt_ok"),
        ({"corrupted": True}, "corrupted_ok"),
    ):
        text, counts = scored(folder, [right | wrong])
        missed = [name for name in ("title_ok", "type_ok", "alt_ok", "corrupted_ok") if counts[name] == 0]
        assert missed == [lost]
        assert counts["false_reports"] == 0
        assert OOPS in text


def test_panics_count_where_a_systems_answers_tell(folder: Path) -> None:
    running, _, _ = (DATA / OOPS).read_text().partition("[    4.828767] reboot")
    (folder / "logs" / "panic.log").write_text(running + "[    5.000000] Kernel panic - not syncing: Fatal exception\n")
    (report,) = kdev.scan_console(running)
    rows = [
        entry(file, "linux", report.title, type=report.type, alt=report.alternative_titles, panicked=panicked)
        for file, panicked in ((OOPS, False), ("panic.log", True))
    ]
    rows.append(entry("obsd.log", "openbsd", kdev.scan_console(OPENBSD)[0].title, type="DoS"))
    _, counts = scored(folder, rows)
    assert (counts["panicked_ok"], counts["panicked_total"]) == (2, 2)
    rows[0]["panicked"] = True
    text, counts = scored(folder, rows)
    assert (counts["panicked_ok"], counts["panicked_total"]) == (1, 2)
    assert "panicked" in text


def test_a_report_where_none_is(folder: Path) -> None:
    _, counts = scored(folder, [entry(OOPS, "linux", "")])
    assert (counts["false_reports"], counts["no_crash_total"], counts["title_ok"]) == (1, 1, 0)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["crash", "score", str(tmp_path)]).exit_code == 2


def test_an_unknown_system() -> None:
    with pytest.raises(kdev.ConfigError, match="openbsd"):
        kdev.scan_console("", "plan9")


def test_in_pieces(folder: Path) -> None:
    log = (DATA / OOPS).read_bytes() * 3
    (folder / "big.log").write_bytes(log)
    assert list(kdev.scan_file(folder / "big.log")) == kdev.scan_console(log)


@pytest.mark.skipif(not PUBLIC, reason="KDEV_CRASHLOGS does not name the folder of public crash logs")
def test_public_logs() -> None:
    counts = json.loads(CliRunner().invoke(app, ["crash", "score", PUBLIC, "--json"]).stdout)
    assert counts["false_reports"] == 0
    assert counts["title_ok"] >= 0.97 * counts["total"] and counts["type_ok"] >= 0.97 * counts["total"]
    assert counts["panicked_ok"] >= 0.97 * counts["panicked_total"] > 0
