"""What every figure of bench/ shares: the registry, alternating runs, the verdict, the table.

A figure has a bar on a ratio: what kdev takes by what the peer takes in the same run, or by a fixed limit. A
new figure is a function under @figure in a file of its own beside this one.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class PeerMissing(Exception):
    """The peer cannot be had on this machine; the text says why. Reported, never skipped."""


@dataclass(frozen=True)
class Measured:
    """What one figure came to. `peer` is the peer's value in the same unit, or the fixed limit."""

    value: float
    peer: float | None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    name: str
    what: str
    against: str
    unit: str
    bar: float  # the ratio value / peer may be at most this
    measure: Callable[[], Measured]

    def bar_text(self) -> str:
        return f"<= {self.bar:g} x"


@dataclass(frozen=True)
class Outcome:
    figure: Figure
    measured: Measured | None
    missing: str = ""

    @property
    def ratio(self) -> float | None:
        if self.measured is None or not self.measured.peer:
            return None
        return self.measured.value / self.measured.peer

    @property
    def holds(self) -> bool | None:
        """None: not known, the peer is missing."""
        return None if self.ratio is None else self.ratio <= self.figure.bar

    def to_json(self) -> str:
        record: dict[str, object] = {
            "name": self.figure.name,
            "value": round(self.measured.value, 6) if self.measured else None,
            "unit": self.figure.unit,
            "against": self.figure.against,
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "bar": self.figure.bar,
            "holds": self.holds,
        }
        if self.missing:
            record["missing"] = self.missing
        return json.dumps(record)


FIGURES: dict[str, Figure] = {}


Measurement = Callable[[], Measured]


def figure(*, name: str, what: str, against: str, unit: str, bar: float) -> Callable[[Measurement], Measurement]:
    """Registers the decorated function as the figure's measurement."""

    def register(measure: Measurement) -> Measurement:
        if name in FIGURES:
            raise ValueError(f"two figures are named {name}")
        FIGURES[name] = Figure(name, what, against, unit, bar, measure)
        return measure

    return register


def clock(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def samples(runs: int, *actions: Callable[[], float], warm_up: bool = True) -> list[list[float]]:
    """`runs` rounds of every action; each action returns its own time. Every other round goes backwards, so that
    nobody always follows the same predecessor; the warm-up round does not count."""
    if warm_up:
        for action in actions:
            action()
    taken: list[list[float]] = [[] for _ in actions]
    for number in range(runs):
        order = list(enumerate(actions))
        for index, action in order if number % 2 == 0 else reversed(order):
            taken[index].append(action())
    return taken


def alternate(runs: int, *actions: Callable[[], float], warm_up: bool = True) -> list[float]:
    """Medians of samples()."""
    return [statistics.median(sample) for sample in samples(runs, *actions, warm_up=warm_up)]


def spread(what: str, sample: list[float]) -> str:
    """A note."""
    return f"{what}: {min(sample):.2f} to {max(sample):.2f} s in {len(sample)} rounds"


@contextmanager
def told(text: str, say: Callable[[str], None]) -> Iterator[None]:
    begin = time.perf_counter()
    say(f"{text} ...")
    yield
    say(f"{text}: {time.perf_counter() - begin:.1f} s")


def measure(chosen: Figure) -> Outcome:
    try:
        return Outcome(chosen, chosen.measure())
    except PeerMissing as missing:
        return Outcome(chosen, None, str(missing))


def table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)


def list_table() -> str:
    rows = [["figure", "what", "against", "bar"]]
    rows += [[f.name, f.what, f.against, f.bar_text()] for f in FIGURES.values()]
    return table(rows)


def result_table(outcomes: list[Outcome]) -> str:
    rows = [["figure", "kdev", "against", "", "ratio", "bar", "holds"]]
    for outcome in outcomes:
        name, unit, measured = outcome.figure.name, outcome.figure.unit, outcome.measured
        verdict = {True: "yes", False: "NO", None: "not known"}[outcome.holds]
        value = f"{measured.value:.3g} {unit}" if measured else "-"
        peer = f"{measured.peer:.3g} {unit}" if measured and measured.peer else "-"
        ratio = "-" if outcome.ratio is None else f"{outcome.ratio:.2f} x"
        against = outcome.figure.against + (f" (missing: {outcome.missing})" if outcome.missing else "")
        rows.append([name, value, against, peer, ratio, outcome.figure.bar_text(), verdict])
    return table(rows)
