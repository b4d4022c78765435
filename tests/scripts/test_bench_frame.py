"""The bench's frame: verdicts, alternation, and that a missing peer is said to be missing."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import sys
from types import ModuleType

import pytest


@pytest.fixture
def frame() -> ModuleType:
    path = pathlib.Path(__file__).resolve().parents[2] / "bench" / "frame.py"
    spec = importlib.util.spec_from_file_location("bench_frame", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_frame"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def register(frame: ModuleType, value: float, peer: float, bar: float = 1.3) -> object:
    @frame.figure(name="a/b", what="something", against="somebody", unit="s", bar=bar)
    def measure() -> object:
        return frame.Measured(value, peer)

    return frame.FIGURES["a/b"]


@pytest.mark.parametrize(("value", "holds"), [(1.3, True), (1.31, False), (0.2, True)])
def test_the_bar_is_on_the_ratio(frame: ModuleType, value: float, holds: bool) -> None:
    outcome = frame.measure(register(frame, value, 1.0))
    assert outcome.holds is holds
    assert json.loads(outcome.to_json()) == {
        "name": "a/b",
        "value": value,
        "unit": "s",
        "against": "somebody",
        "ratio": value,
        "bar": 1.3,
        "holds": holds,
    }


def test_a_missing_peer_is_said_to_be_missing(frame: ModuleType) -> None:
    @frame.figure(name="gone", what="w", against="nobody", unit="s", bar=1)
    def measure() -> object:
        raise frame.PeerMissing("not to be had here")

    outcome = frame.measure(frame.FIGURES["gone"])
    record = json.loads(outcome.to_json())
    assert record["holds"] is None
    assert record["missing"] == "not to be had here"
    assert "not to be had here" in frame.result_table([outcome])


def test_rounds_alternate_and_change_direction(frame: ModuleType) -> None:
    calls: list[str] = []

    def act(name: str, time: float) -> float:
        calls.append(name)
        return time

    medians = frame.alternate(3, lambda: act("a", len(calls)), lambda: act("b", 7.0))
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"  # the first pair warms up
    assert medians[1] == 7.0
    assert medians[0] == 5.0  # of 2, 5 and 6: the calls before each of its turns


def test_two_figures_of_one_name_are_refused(frame: ModuleType) -> None:
    register(frame, 1, 1)
    with pytest.raises(ValueError, match="two figures"):
        register(frame, 1, 1)
