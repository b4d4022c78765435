"""How well the scanner reads logs whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import _kdev


@dataclass
class Score:
    """Of so many logs, how many facts are right. A log without a crash has the title ""."""

    total: int = 0
    title_ok: int = 0
    type_ok: int = 0
    alt_ok: int = 0
    corrupted_ok: int = 0
    panicked_ok: int = 0
    panicked_total: int = 0  # of systems whose answers tell
    false_reports: int = 0
    no_crash_total: int = 0

    def __add__(self, other: Score) -> Score:
        mine, others = asdict(self), asdict(other)
        return Score(**{name: mine[name] + others[name] for name in mine})


@dataclass
class LogScore:
    """One log: what it counts, and what was wanted and found where they differ."""

    file: str
    system: str
    score: Score
    misses: dict[str, tuple[object, object]] = field(default_factory=dict)


def score_log(folder: Path, expected: dict[str, object], detect: bool, panics: bool) -> LogScore:
    """The first report in the log, against what it should be. `panics`: whether a panic followed, too."""
    file, system = str(expected["file"]), str(expected["os"])
    log = (folder / "logs" / file).read_bytes()
    reports = _kdev.scan_console(log, None if detect else system)
    first = reports[0] if reports else None
    alternatives = expected.get("alt") or []
    assert isinstance(alternatives, list)
    wanted: dict[str, object] = {
        "title": expected["title"],
        "type": expected.get("type", ""),
        "alt": sorted(alternatives),
        "corrupted": bool(expected.get("corrupted")),
    }
    found: dict[str, object] = {
        "title": first.title if first else "",
        "type": first.type if first else "",
        "alt": sorted(first.alternative_titles) if first else [],
        "corrupted": first.corrupted if first else False,
    }
    if panics:
        wanted["panicked"] = bool(expected.get("panicked"))
        found["panicked"] = first.panicked if first else False
    right = {name: wanted[name] == found[name] for name in wanted}
    no_crash = not wanted["title"]
    score = Score(
        total=1,
        title_ok=right["title"],
        type_ok=right["type"],
        alt_ok=right["alt"],
        corrupted_ok=right["corrupted"],
        panicked_ok=right.get("panicked", False),
        panicked_total=panics,
        false_reports=no_crash and bool(reports),
        no_crash_total=no_crash,
    )
    misses = {name: (wanted[name], found[name]) for name in wanted if not right[name]}
    return LogScore(file, system, score, misses)


def score_folder(folder: Path, detect: bool = False) -> Iterator[LogScore]:
    """Each log of `folder`: expected.jsonl has an object a log (os, file, title, type, alt, corrupted, panicked), logs/
    them. A system of whose logs none is said to hold a panic is one whose answers do not tell."""
    with (folder / "expected.jsonl").open(encoding="utf-8") as lines:
        answers = [json.loads(line) for line in lines if line.strip()]
    telling = {answer["os"] for answer in answers if answer.get("panicked")}
    for answer in answers:
        yield score_log(folder, answer, detect, answer["os"] in telling)


def sums(logs: list[LogScore]) -> dict[str, object]:
    """The counts of all logs, and under "systems" those of each system's."""
    systems: dict[str, Score] = {}
    for log in logs:
        systems[log.system] = systems.get(log.system, Score()) + log.score
    whole = sum(systems.values(), Score())
    return asdict(whole) | {"systems": {name: asdict(score) for name, score in systems.items()}}
